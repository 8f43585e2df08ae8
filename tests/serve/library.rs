//! The library: archives that come, change, go, are broken or odd, and starting and ending.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tome::item::About;
use tome::server::Options;

use crate::client::{self, Answer, get};
use crate::house::{Ours, Program, article, media, noise, until, write};

/// Writes an archive of one page, which says something.
fn saying(file: &Path, text: &str) {
    let mut about = About { main: Some("index.html".into()), ..About::default() };
    about.metadata.set_text("title", format!("Of {text}"));
    write(file, vec![article("index.html", text, format!("<p>{text}</p>"))], &about);
}

/// Puts an archive in place of another, or of none, in one step.
fn put(folder: &Path, name: &str, text: &str) {
    let aside = folder.join(format!(".new-{name}"));
    saying(&aside, text);
    std::fs::rename(aside, folder.join(name)).unwrap();
}

fn watched(folder: &Path) -> Options {
    Options { sources: vec![folder.to_owned()], watch_every: Duration::from_millis(50), ..Options::default() }
}

fn says(server: SocketAddr, name: &str, text: &str) -> bool {
    let answer = get(server, &format!("/raw/{name}/content/index.html"));
    answer.status == 200 && answer.text().contains(text)
}

#[test]
fn archives_come_change_and_go_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Ours::with(watched(folder.path()));
    let at = server.address;
    assert!(get(at, "/").text().contains("<main"), "an empty folder is an empty library");
    for ending in ["tome", "zim"] {
        let name = format!("{ending}-file");
        let file = format!("{name}.{ending}");
        assert_eq!(get(at, &format!("/a/{name}/index.html")).status, 404);
        put(folder.path(), &file, "granite");
        until("it is added", || says(at, &name, "granite"));
        let tag = get(at, &format!("/raw/{name}/content/index.html")).header("etag").unwrap().to_owned();
        put(folder.path(), &file, "marble");
        until("it is replaced", || says(at, &name, "marble"));
        let target = format!("/raw/{name}/content/index.html");
        let again = client::ask(at, "GET", &target, &format!("If-None-Match: {tag}\r\n"));
        assert_eq!(again.status, 200, "old bytes are not taken for the new ones");
        assert!(get(at, "/").text().contains("Of marble"));
        std::fs::remove_file(folder.path().join(&file)).unwrap();
        until("it is gone", || get(at, &target).status == 404);
        assert!(!get(at, "/").text().contains("Of marble"));
    }
    until("it is told", || server.said().iter().any(|line| line.ends_with("zim-file.zim is gone")));
}

#[test]
fn a_broken_archive_is_shown_as_broken_and_stops_no_other() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "good.tome", "granite");
    std::fs::write(folder.path().join("empty.tome"), b"").unwrap();
    std::fs::write(folder.path().join("noise.zim"), noise(5000)).unwrap();
    std::fs::write(folder.path().join("text.tome"), "<script>alert(1)</script>".repeat(40)).unwrap();
    saying(&folder.path().join("cut.zim"), "cut");
    let bytes = std::fs::read(folder.path().join("cut.zim")).unwrap();
    std::fs::write(folder.path().join("cut.zim"), &bytes[..bytes.len() / 2]).unwrap();
    let server = Ours::with(watched(folder.path()));
    let at = server.address;
    until("all were looked at", || !get(at, "/api/archives").text().contains("\"opening\""));
    assert!(says(at, "good", "granite"));
    let library = get(at, "/");
    for name in ["empty", "noise", "text", "cut"] {
        assert!(library.text().contains(name), "{name} is shown");
        let page = client::ask(at, "GET", &format!("/a/{name}/index.html"), "Accept: text/html\r\n");
        assert_eq!(page.status, 502, "{name}");
        assert!(!page.text().contains("<script>alert"));
        until("it is logged", || server.said().iter().any(|line| line.contains(&format!("/{name}."))));
    }
    assert_eq!(library.text().matches("class=\"warn\"").count(), 4, "each says why");
    assert!(get(at, "/metrics").text().contains("tome_archives_broken 4\n"));
    // Mended, it is as good as any.
    put(folder.path(), "noise.zim", "quartz");
    until("it is mended", || says(at, "noise", "quartz"));
    // Searching all of them leaves out what is broken.
    assert_eq!(get(at, "/api/search?q=granite").status, 200);
}

#[test]
fn s11_two_archives_of_one_name_get_two_names() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put(first.path(), "wiki.tome", "granite");
    put(second.path(), "wiki.tome", "marble");
    put(second.path(), "wiki.zim", "quartz");
    // The same file twice: one identity, two archives.
    std::fs::copy(first.path().join("wiki.tome"), second.path().join("copy.tome")).unwrap();
    for _ in 0..5 {
        let sources = vec![first.path().to_owned(), second.path().to_owned()];
        let server = Ours::over(sources);
        let at = server.address;
        // The first source's has the name, at every start.
        until("all are there", || {
            says(at, "wiki", "granite") && says(at, "wiki-2", "marble") && says(at, "wiki-3", "quartz")
        });
        assert!(says(at, "copy", "granite"));
        let list: serde_json::Value = serde_json::from_slice(&get(at, "/api/archives").body).unwrap();
        let names: Vec<&str> = list.as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["copy", "wiki", "wiki-2", "wiki-3"]);
    }
}

#[test]
fn what_is_no_file_is_passed_over_whatever_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    put(folder.path(), "good.tome", "granite");
    std::fs::create_dir(path("folder.tome")).unwrap();
    std::fs::create_dir(path("folder.zim")).unwrap();
    std::fs::write(path(".hidden.tome"), b"x").unwrap();
    std::fs::write(path("notes.txt"), b"x").unwrap();
    #[cfg(unix)]
    {
        assert!(Command::new("mkfifo").arg(path("pipe.tome")).status().unwrap().success());
        std::os::unix::fs::symlink(path("nowhere"), path("dangling.tome")).unwrap();
        std::os::unix::fs::symlink(path("loop.zim"), path("loop.zim")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("zero.tome")).unwrap();
        std::os::unix::fs::symlink(path("good.tome"), path("link.tome")).unwrap();
    }
    let server = Ours::with(watched(folder.path()));
    until("what is good is there", || says(server.address, "good", "granite"));
    let list: serde_json::Value = serde_json::from_slice(&get(server.address, "/api/archives").body).unwrap();
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    if cfg!(unix) {
        assert_eq!(names, ["good", "link"]);
        assert!(says(server.address, "link", "granite"), "a link to a file is followed");
    } else {
        assert_eq!(names, ["good"]);
    }
    assert!(server.said().iter().all(|line| line.contains("is served as")), "{:?}", server.said());
}

#[test]
fn a_split_archive_is_one_and_changes_with_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    std::fs::create_dir(&whole).unwrap();
    let split = |text: &str| {
        let file = whole.join("x.zim");
        let about = About { main: Some("index.html".into()), ..About::default() };
        let items = vec![
            article("index.html", text, format!("<p>{text}</p>")),
            media("a.bin", "application/octet-stream", noise(60_000)),
        ];
        write(&file, items, &about);
        let bytes = std::fs::read(&file).unwrap();
        for (ending, part) in ["zimaa", "zimab", "zimac"].iter().zip(bytes.chunks(bytes.len().div_ceil(3))) {
            std::fs::write(folder.path().join(format!(".{ending}")), part).unwrap();
            std::fs::rename(
                folder.path().join(format!(".{ending}")),
                folder.path().join(format!("x.{ending}")),
            )
            .unwrap();
        }
    };
    split("granite");
    let server = Ours::with(watched(folder.path()));
    until("it is there", || says(server.address, "x", "granite"));
    assert_eq!(get(server.address, "/raw/x/content/a.bin").body, noise(60_000));
    split("marble");
    until("it is replaced", || says(server.address, "x", "marble"));
    // By the name of the whole, too.
    let named = Ours::over(vec![folder.path().join("x.zim")]);
    assert!(says(named.address, "x", "marble"));
}

#[test]
fn many_archives_are_there_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let one = folder.path().join("0.tome");
    saying(&one, "granite");
    for i in 1..200 {
        std::fs::copy(&one, folder.path().join(format!("{i}.tome"))).unwrap();
    }
    let program = Program::start(folder.path(), &["."]);
    // Each is answered at once, or once it is open: none is missing from the first moment on.
    for i in 0..200 {
        let answer = get(program.address, &format!("/a/{i}/index.html"));
        assert_eq!(answer.status, 200, "{i}");
    }
    assert!(get(program.address, "/metrics").text().contains("tome_archives 200\n"));
}

#[test]
fn s11_a_thousand_archives_are_served_and_searched() {
    let folder = tempfile::tempdir().unwrap();
    let one = folder.path().join("0.tome");
    saying(&one, "granite");
    for i in 1..1000 {
        std::fs::copy(&one, folder.path().join(format!("{i}.tome"))).unwrap();
    }
    let program = Program::start(folder.path(), &["."]);
    let at = program.address;
    for i in [0, 1, 500, 999] {
        assert_eq!(get(at, &format!("/a/{i}/index.html")).status, 200, "{i}");
    }
    until("all are open", || get(at, "/metrics").text().contains("tome_archives 1000\n"));
    until("all are known", || !get(at, "/api/archives").text().contains("\"opening\""));
    assert_eq!(get(at, "/").text().matches("<li class=\"card").count(), 1000);
    assert_eq!(get(at, "/search?q=granite").status, 200);
    assert_eq!(get(at, "/api/suggest?q=gra").status, 200);
    assert_eq!(get(at, "/catalog/v2/entries?count=-1").status, 200);
}

#[test]
fn a_new_comer_sees_the_sample() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]);
    assert_eq!(program.url, format!("http://{}/", program.address));
    let (answer, _) = client::follow(program.address, "GET", "/");
    assert_eq!((answer.status, answer.text().matches("<li class=\"card").count()), (200, 1));
    until("it says so", || program.said().iter().any(|line| line.contains("the sample")));
    let list: serde_json::Value =
        serde_json::from_slice(&get(program.address, "/api/archives").body).unwrap();
    let name = list[0]["name"].as_str().unwrap();
    let (page, _) = client::follow(program.address, "GET", &format!("/a/{name}/"));
    assert_eq!((page.status, page.mime()), (200, "text/html"));
    // Nothing is left in the folder.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn without_arguments_the_archives_of_the_folder_are_served() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "mine.tome", "granite");
    let program = Program::start(folder.path(), &["--root", "/w"]);
    assert_eq!(program.url, format!("http://{}/w/", program.address));
    assert!(get(program.address, "/w/raw/mine/content/index.html").text().contains("granite"));
}

#[test]
fn s14_nobody_but_this_machine_reaches_it_unless_told() {
    assert!(Options::default().listen.ip().is_loopback());
    // By the program's own default, on its own port: it may be in use here, which it then says.
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tome"))
        .args(["serve", "-q"])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = [0; 64];
    let n = child.stdout.take().unwrap().read(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said[..n]).into_owned();
    let _ = child.kill();
    let out = child.wait_with_output().unwrap();
    if said.is_empty() {
        let error = String::from_utf8_lossy(&out.stderr);
        assert!(error.contains("127.0.0.1:8080: cannot listen there"), "{error}");
    } else {
        assert_eq!(said, "http://127.0.0.1:8080/\n");
    }
}

/// Runs `tome serve` where it cannot begin; returns its status and what it said.
fn refused(args: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let out =
        Command::new(env!("CARGO_BIN_EXE_tome")).arg("serve").args(args).current_dir(folder.path()).output();
    let out = out.unwrap();
    assert!(out.stdout.is_empty(), "{out:?}");
    (out.status.code(), String::from_utf8(out.stderr).unwrap())
}

#[test]
fn a_port_in_use_is_said_with_the_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, said) = refused(&["--listen", &address]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
}

#[test]
fn a_source_that_is_not_there_is_refused() {
    for name in ["none.tome", "none.zim", "none/", "none"] {
        let (status, said) = refused(&["--listen", "127.0.0.1:0", name]);
        assert_eq!(status, Some(2), "{name}: {said}");
        assert!(said.contains(name), "{said}");
    }
}

/// Asks for something and reads no more than the head of the answer.
fn begin(server: SocketAddr, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {server}\r\n\r\n").unwrap();
    stream.peek(&mut [0; 1]).unwrap();
    stream
}

/// Reads the rest of an answer; nothing if it broke off.
fn finish(mut stream: TcpStream) -> Option<Answer> {
    let mut bytes = vec![];
    let mut piece = [0; 65536];
    loop {
        if let Some((head, body)) = client::read_head(&bytes)
            && head.header("content-length").is_some_and(|len| len == body.len().to_string())
        {
            return client::read(&bytes, false).map(|(answer, _)| answer);
        }
        match stream.read(&mut piece) {
            Ok(n) if n > 0 => bytes.extend_from_slice(&piece[..n]),
            _ => return None,
        }
    }
}

/// More than the system keeps of an answer that nobody takes.
const LARGE: usize = 48 << 20;

#[cfg(unix)]
#[test]
fn an_answer_under_way_is_finished_when_the_server_ends() {
    let folder = tempfile::tempdir().unwrap();
    let items = vec![media("large.bin", "application/octet-stream", noise(LARGE))];
    write(&folder.path().join("x.tome"), items, &About::default());
    let mut program = Program::start(folder.path(), &[]);
    let at = program.address;
    let idle = TcpStream::connect(at).unwrap();
    let stream = begin(at, "/raw/x/content/large.bin");
    program.terminate();
    until("nobody new is taken", || TcpStream::connect(at).is_err());
    assert!(program.runs(), "it waits for the answer");
    let answer = finish(stream).expect("the answer is whole");
    assert!(answer.body == noise(LARGE));
    let (status, said) = program.wait();
    assert_eq!(status, Some(0), "{said:?}");
    drop(idle);
}

#[cfg(unix)]
#[test]
fn s11_an_archive_that_is_replaced_while_it_is_read_gives_its_own_bytes_or_none() {
    for ending in ["tome", "zim"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(format!("x.{ending}"));
        let old = noise(LARGE);
        let new: Vec<u8> = old.iter().map(|byte| !byte).collect();
        let items = |bytes: &Vec<u8>| vec![media("large.bin", "application/octet-stream", bytes.clone())];
        write(&file, items(&old), &About::default());
        let aside = folder.path().join(format!("aside.{ending}x"));
        let other = folder.path().join(format!(".other.{ending}"));
        write(&other, items(&new), &About::default());
        std::fs::copy(&other, &aside).unwrap();
        let mut program = Program::start(folder.path(), &[]);
        let at = program.address;
        let target = "/raw/x/content/large.bin";
        until("it is there", || client::ask(at, "HEAD", target, "").status == 200);

        // Another file is put in its place: what was begun goes on with the old one.
        let stream = begin(at, target);
        std::fs::rename(&other, &file).unwrap();
        let answer = finish(stream).expect("the old file is still there for who reads it");
        assert!(answer.body == old, "{ending}: a mixture");
        until("the new one is there", || get(at, target).body == new);

        // It is written over: what was begun breaks off, or was read before.
        let stream = begin(at, target);
        write(&other, items(&old), &About::default());
        std::fs::copy(&other, &file).unwrap();
        if let Some(answer) = finish(stream) {
            assert!(answer.body == new, "{ending}: a mixture");
        }
        until("it is opened anew", || get(at, target).body == old);

        // It is written over with nothing of sense, and cut short.
        let stream = begin(at, target);
        std::fs::write(&file, b"garbage").unwrap();
        if let Some(answer) = finish(stream) {
            assert!(answer.body == old, "{ending}: a mixture");
        }
        until("it is shown as broken", || get(at, target).status == 502);
        assert!(program.runs());
        assert_eq!(get(at, "/").status, 200);
        std::fs::copy(&aside, &file).unwrap();
        until("it is mended", || get(at, target).body == new);
    }
}
