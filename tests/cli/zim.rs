//! Every command that reads takes a ZIM as it takes a `.tome`. The ZIMs are of others, and not of this
//! repository: where they are missing there is nothing to test with.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Run, assert_harmless, home, on, run, sample};

const SMALL: [&str; 3] = ["nons/small.zim", "withns/small.zim", "noTitleListingV0/small.zim"];

fn suite(name: &str) -> Option<PathBuf> {
    let path = home().join("../shared/zim-suite").join(name);
    if path.exists() || path.with_extension("zimaa").exists() {
        return Some(path);
    }
    eprintln!("skipped: no {}", path.display());
    None
}

/// Returns the namespace that paths of an old file show.
fn namespace(name: &str, letter: &str) -> String {
    if name.starts_with("withns") { format!("{letter}/") } else { String::new() }
}

#[derive(Deserialize)]
struct Info {
    format: String,
    version: String,
    content_id: Option<String>,
    file_id: Option<String>,
    uuid: Option<String>,
    title: String,
    language: Option<String>,
    main: Option<String>,
    articles: u64,
    media: u64,
    redirects: u64,
    blocks: u64,
    size: u64,
    has_search: bool,
    sections: Vec<Section>,
}

#[derive(Deserialize)]
struct Section {
    kind: String,
    offset: u64,
    length: u64,
}

fn one<T: serde::de::DeserializeOwned>(run: &Run) -> T {
    assert_eq!((run.status, run.stdout.lines().count()), (0, 1), "{}{}", run.stdout, run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn info_says_what_it_is() {
    for (name, version) in SMALL.iter().zip(["6.1", "5.0", "6.3"]) {
        let Some(path) = suite(name) else { return };
        let info: Info = one(&on(&path, "info", &["--json"]));
        assert_eq!((info.format.as_str(), info.version.as_str()), ("zim", version));
        assert!(info.content_id.is_none() && info.file_id.is_none() && !info.has_search);
        assert_eq!(info.uuid.unwrap().len(), 36);
        assert_eq!(info.main, Some(format!("{}main.html", namespace(name, "A"))));
        assert_eq!(info.size, std::fs::metadata(&path).unwrap().len());
        assert_eq!((info.articles, info.media, info.blocks), (1, 1, 2));
        assert_eq!(info.redirects, u64::from(name.starts_with("withns")));
        // The old one misspells it.
        let language = if name.starts_with("withns") { "=en" } else { "en" };
        assert_eq!(info.language.as_deref(), Some(language));
        assert!(info.title.ends_with("Test ZIM file"));
        assert!(info.sections.iter().all(|s| s.offset + s.length <= info.size && s.length > 0));
        let kinds: Vec<&str> = info.sections.iter().map(|s| s.kind.as_str()).collect();
        assert_eq!((kinds[0], *kinds.last().unwrap()), ("mime list", "checksum"));
        assert_eq!(kinds.contains(&"title pointers"), version != "6.3");
        let text = on(&path, "info", &[]).stdout;
        // Names and values are two columns, with two blanks at least between them.
        let fields: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
        let column = fields.iter().find(|line| line.starts_with("format ")).unwrap().find("zim ").unwrap();
        assert!(fields.iter().all(|line| line[column - 2..column] == *"  "), "{text}");
        assert!(fields.iter().any(|line| line.ends_with(&format!("  zim {version}"))), "{text}");
        assert!(!text.contains("zim:"), "{text}");
        assert_eq!(text.contains("old scheme"), name.starts_with("withns"), "{text}");
        assert_harmless(&text);
    }
}

#[derive(Deserialize)]
struct Line {
    path: String,
    title: String,
    kind: String,
    mime: String,
    size: u64,
    target: Option<String>,
}

#[test]
fn list_and_read() {
    for name in SMALL {
        let Some(path) = suite(name) else { return };
        let (a, i) = (namespace(name, "A"), namespace(name, "I"));
        let list = on(&path, "list", &["--json"]);
        assert_eq!(list.status, 0, "{}", list.stderr);
        let lines: Vec<Line> = list.stdout.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let main = lines.iter().find(|l| l.path == format!("{a}main.html")).unwrap();
        assert_eq!((main.title.as_str(), main.kind.as_str(), main.size), ("Test ZIM file", "article", 207));
        let icon = lines.iter().find(|l| l.path == format!("{i}favicon.png")).unwrap();
        assert_eq!((icon.kind.as_str(), icon.mime.as_str(), icon.size), ("media", "image/png", 3201));
        let redirects: Vec<&Line> = lines.iter().filter(|l| l.kind == "redirect").collect();
        assert!(redirects.iter().all(|l| l.target.as_deref() == Some(&icon.path)));
        assert_eq!(redirects.len(), usize::from(!a.is_empty()));
        let articles = on(&path, "list", &["--kind", "article", "--prefix", &a]).stdout;
        assert_eq!(articles, format!("{a}main.html\tTest ZIM file\n"));
        assert_eq!(on(&path, "list", &["--no-mmap", "--json"]).stdout, list.stdout);

        for name in ["Test ZIM file", "test zim FILE", "main.html", &format!("{a}main.html")] {
            let read = on(&path, "read", &[name]);
            assert_eq!(read.status, 0, "{name}: {}", read.stderr);
            assert!(read.stdout.starts_with("Test ZIM file\n"), "{}", read.stdout);
        }
        let raw = on(&path, "read", &["--raw", "main.html"]).stdout;
        assert!(raw.len() == 207 && raw.starts_with("<"), "{raw}");
        assert_eq!(on(&path, "read", &["--raw", "--range", "5-9", "main.html"]).stdout, raw[5..10]);
        assert!(on(&path, "read", &["--json", "favicon.png"]).stdout.contains("\"content_base64\":\"iVBOR"));
        assert_eq!(on(&path, "read", &["--path", "main.html"]).status, i32::from(!a.is_empty()));
        assert_eq!(on(&path, "read", &["--title", &format!("{a}main.html")]).status, 1);
        let none = on(&path, "read", &["Test ZIM files"]);
        assert!(none.status == 1 && none.stderr.contains("there is \"Test ZIM file\""), "{}", none.stderr);
        let random = on(&path, "random", &["--json"]);
        assert!(random.stdout.contains("main.html"), "{}{}", random.stdout, random.stderr);
    }
}

#[test]
fn a_zim_inside_another_file() {
    let Some(path) = suite("nons/small.zim") else { return };
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk.img");
    let zim = std::fs::read(path).unwrap();
    std::fs::write(&disk, [&[0; 4096], &zim[..], b"what comes after"].concat()).unwrap();
    for more in [&[][..], &["--no-mmap"]] {
        let at = [&["--at", "4096"], more].concat();
        assert!(on(&disk, "list", &at).stdout.contains("main.html\tTest ZIM file\n"));
        assert_eq!(on(&disk, "read", &[&at[..], &["main.html"]].concat()).status, 0);
        assert_eq!(on(&disk, "verify", &at).status, 0);
        assert!(on(&disk, "info", &at).stdout.contains("41.2 kB"));
    }
    for command in ["info", "verify"] {
        let run = on(&disk, command, &[]);
        assert!(run.status == 2 && run.stderr.contains("neither as a .tome nor as a .zim"), "{}", run.stderr);
    }
}

#[test]
fn a_flipped_byte_of_a_dirent_or_a_compressed_cluster_is_damage() {
    let Some(path) = suite("withns/small.zim") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("d.zim");
    let mut bytes = std::fs::read(path).unwrap();
    // The first of the path pointers.
    let at = u64::from_le_bytes(bytes[32..40].try_into().unwrap()) as usize;
    bytes[at + 7] = 0xff;
    std::fs::write(&file, &bytes).unwrap();
    let verify = on(&file, "verify", &["--json"]);
    assert_eq!(verify.status, 1);
    assert!(verify.stdout.contains("\"type\":\"finding\"") && verify.stdout.contains("\"ok\":false"));
    let list = on(&file, "list", &[]);
    assert!(list.status == 2 && list.stdout.contains("A/main.html"), "{}{}", list.stdout, list.stderr);
    // Cut off within its header: known by its magic, and damaged.
    std::fs::write(&file, &bytes[..50]).unwrap();
    let verify = on(&file, "verify", &["--json"]);
    assert_eq!(verify.status, 1, "{}", verify.stderr);
    assert!(verify.stdout.contains("\"section\":\"header\""), "{}", verify.stdout);
    assert_eq!(on(&file, "list", &[]).status, 2);
}

#[test]
fn broken_files_are_said_to_be_so() {
    let Some(folder) = suite("nons") else { return };
    let folder = folder.parent().unwrap();
    for kind in ["nons", "withns", "noTitleListingV0"] {
        for file in std::fs::read_dir(folder.join(kind)).unwrap() {
            let path = file.unwrap().path();
            if !path.to_string_lossy().contains("invalid") {
                continue;
            }
            let name = path.display();
            for (command, args) in [
                ("info", &[][..]),
                ("list", &["--json"]),
                ("read", &["main.html"]),
                ("read", &["no such thing"]),
                ("random", &[]),
                ("verify", &["--links"]),
            ] {
                let run = on(&path, command, args);
                assert!((0..=2).contains(&run.status), "{command} {name}: {} {}", run.status, run.stderr);
                assert!(!run.stderr.contains("panicked"), "{command} {name}: {}", run.stderr);
                assert!(
                    run.status == 0 || !(run.stderr.is_empty() && run.stdout.is_empty()),
                    "{command} {name}"
                );
            }
        }
    }
}

#[test]
fn what_is_extracted_is_packed_again() {
    for name in SMALL {
        let Some(path) = suite(name) else { return };
        let folder = tempfile::tempdir().unwrap();
        let (out, again) = (folder.path().join("out"), folder.path().join("again.tome"));
        let extract = on(&path, "extract", &["-o", out.to_str().unwrap(), "--json"]);
        assert_eq!(extract.status, 0, "{}", extract.stderr);
        let packed = run(&[Path::new("pack"), &out, Path::new("-o"), &again]);
        assert_eq!(packed.status, 0, "{}", packed.stderr);
        // Titles of media are their paths in a ZIM.
        let list = |path: &Path| on(path, "list", &["--json", "--kind", "article"]).stdout;
        assert_eq!(list(&again), list(&path));
        let paths = |path: &Path| {
            let list = on(path, "list", &[]).stdout;
            list.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(paths(&again), paths(&path));
        let page = |path: &Path| on(path, "read", &["--raw", "Test ZIM file"]).stdout;
        assert_eq!(page(&again), page(&path));
        let main = |path: &Path| {
            let info: Info = one(&on(path, "info", &["--json"]));
            (info.main, info.title, info.uuid)
        };
        assert_eq!(main(&again), main(&path));
        let pictures = folder.path().join("pictures.zip");
        let zip = on(&path, "extract", &["**/*.png", "*.png", "--zip", pictures.to_str().unwrap(), "--json"]);
        assert!(zip.status == 0 && zip.stdout.contains("\"entries\":1"), "{}{}", zip.stdout, zip.stderr);
    }
    let Some(path) = suite(SMALL[0]) else { return };
    assert_eq!(on(&path, "extract", &["nothing/**", "-o", "never"]).status, 1);
    assert!(sample().exists() && !Path::new("never").exists());
}

#[test]
fn suggest_and_search_make_their_index_once() {
    for name in SMALL {
        let Some(path) = suite(name) else { return };
        let cache = tempfile::tempdir().unwrap();
        let ask = |args: &[&str]| -> Run {
            let mut command = super::tome();
            let out = command.env("XDG_CACHE_HOME", cache.path()).args(args).output().unwrap();
            Run {
                status: out.status.code().unwrap(),
                stdout: String::from_utf8(out.stdout).unwrap(),
                stderr: String::from_utf8(out.stderr).unwrap(),
            }
        };
        let file = path.to_str().unwrap();
        let kept = || std::fs::read_dir(cache.path()).unwrap().count();
        let main = format!("{}main.html", namespace(name, "A"));

        let once = ask(&["suggest", file, "test z", "--no-cache"]);
        assert_eq!((once.status, once.stdout.as_str()), (0, &*format!("Test ZIM file\t{main}\n")));
        assert!(once.stderr.contains("this time only") && kept() == 0, "{}", once.stderr);
        let first = ask(&["suggest", file, "test z"]);
        assert!(first.stderr.contains("the index is kept in") && kept() == 1, "{}", first.stderr);
        let second = ask(&["suggest", file, "test z"]);
        assert_eq!((second.stderr.as_str(), &second.stdout), ("", &once.stdout));
        assert_eq!(ask(&["suggest", file, "nothing like this"]).status, 1);

        let quiet = ask(&["search", "-q", file, "test"]);
        assert_eq!((quiet.status, quiet.stderr.as_str()), (0, ""));
        assert!(quiet.stdout.starts_with(&format!("Test ZIM file\t{main}\n")), "{}", quiet.stdout);
        assert_eq!(ask(&["search", file, "absent"]).status, 1);
        assert!(ask(&["info", file, "--json"]).stdout.contains("\"has_search\":true"));
        // With an archive of the other format.
        let mixed = ask(&["search", file, sample().to_str().unwrap(), "file OR honey", "--json"]);
        assert!(mixed.status <= 1 && mixed.stderr.is_empty(), "{}", mixed.stderr);
        let mixed = ask(&["search", file, sample().to_str().unwrap(), "test", "--json"]);
        assert!(mixed.stdout.contains(&format!("\"archive\":{}", serde_json::to_string(file).unwrap())));
    }
}

#[test]
fn parts_are_one_archive() {
    for kind in ["nons", "noTitleListingV0"] {
        let Some(path) = suite(&format!("{kind}/wikibooks_be_all_nopic_2017-02_splitted.zim")) else {
            return;
        };
        let Some(whole) = suite(&format!("{kind}/wikibooks_be_all_nopic_2017-02.zim")) else { return };
        let list = on(&whole, "list", &["--json"]).stdout;
        assert!(list.lines().count() > 10);
        for parts in [path.clone(), path.with_extension("zimaa")] {
            for more in [&[][..], &["--no-mmap"]] {
                let split = on(&parts, "list", &[&["--json"], more].concat());
                assert_eq!(split.status, 0, "{}", split.stderr);
                assert!(split.stdout == list);
            }
            assert_eq!(on(&parts, "verify", &[]).status, 0);
            let size = |path: &Path| one::<Info>(&on(path, "info", &["--json"])).size;
            assert_eq!(size(&parts), size(&whole));
        }
    }
}
