//! `tome convert`, and `tome pack` into a ZIM: one archive becomes another, with all that is in it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Run, on, run, sample_folder};

/// What converting says.
#[derive(Deserialize)]
struct Made {
    archive: String,
    articles: u64,
    media: u64,
    redirects: u64,
    bytes_in: u64,
    bytes_out: u64,
    warnings: Vec<Message>,
    errors: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    path: String,
    message: String,
}

/// A folder with the sample corpus as a ZIM, which keeps what a `.tome` made of it has.
struct Corpus(tempfile::TempDir);

impl Corpus {
    fn new() -> Self {
        let corpus = Self(tempfile::tempdir().unwrap());
        let packed = run(&["pack", "-q", path(&sample_folder()), "-o", path(&corpus.file("a.zim"))]);
        assert_eq!(packed.status, 0, "{}", packed.stderr);
        corpus
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn convert(&self, from: &str, to: &str, args: &[&str]) -> Run {
        let (from, to) = (self.file(from), self.file(to));
        run(&[&["convert", path(&from), path(&to)], args].concat())
    }

    fn count(&self) -> usize {
        std::fs::read_dir(self.0.path()).unwrap().count()
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_zim_a_tome_and_a_zip_of_one_corpus_list_the_same() {
    let corpus = Corpus::new();
    let list = |name: &str| {
        let list = on(&corpus.file(name), "list", &["--json"]);
        assert_eq!(list.status, 0, "{}", list.stderr);
        let mut lines: Vec<serde_json::Value> =
            list.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // What has no title of its own is called otherwise: by its whole path in a ZIM.
        for line in lines.iter_mut().filter(|line| line["kind"] == "media") {
            line["title"].take();
        }
        lines
    };
    let json = corpus.convert("a.zim", "b.tome", &["--json"]);
    assert_eq!(json.status, 0, "{}", json.stderr);
    let made: Made = serde_json::from_str(&json.stdout).unwrap();
    assert!(made.archive.ends_with("b.tome") && made.warnings.is_empty() && made.errors.is_empty());
    assert_eq!(made.bytes_out, std::fs::metadata(corpus.file("b.tome")).unwrap().len());
    assert!(made.bytes_in > 100_000 && made.articles > 40 && made.media > 1 && made.redirects > 1);
    let before = list("a.zim");
    assert_eq!(before.len() as u64, made.articles + made.media + made.redirects);
    assert_eq!(list("b.tome"), before);

    for minor in ["1", "3"] {
        let again = corpus.convert("b.tome", "c.zim", &["--force", "--zim-minor", minor]);
        assert_eq!(again.status, 0, "{}", again.stderr);
        assert_eq!(list("c.zim"), before);
        let info = on(&corpus.file("c.zim"), "info", &["--json"]).stdout;
        assert!(info.contains(&format!(r#""version":"6.{minor}""#)), "{info}");
        assert_eq!(on(&corpus.file("c.zim"), "verify", &[]).status, 0);
    }
    // An archive knows the ZIM it was made from, and a ZIM made of it is that one still.
    let uuid = |name: &str| {
        let info: serde_json::Value =
            serde_json::from_str(&on(&corpus.file(name), "info", &["--json"]).stdout).unwrap();
        info["uuid"].as_str().unwrap().to_owned()
    };
    assert_eq!(uuid("b.tome"), uuid("a.zim"));
    assert_eq!(uuid("c.zim"), uuid("a.zim"));

    let zip = corpus.convert("c.zim", "d.zip", &[]);
    assert_eq!(zip.status, 0, "{}", zip.stderr);
    let packed = run(&["pack", "-q", path(&corpus.file("d.zip")), "-o", path(&corpus.file("e.tome"))]);
    assert_eq!(packed.status, 0, "{}", packed.stderr);
    assert_eq!(list("e.tome"), before);
    for name in ["Honey.html", "data/planets.json"] {
        let raw = |archive: &str| on(&corpus.file(archive), "read", &["--path", "--raw", name]).stdout;
        assert!(!raw("a.zim").is_empty() && raw("a.zim") == raw("e.tome"), "{name}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_with_any_threads_and_memory() {
    let corpus = Corpus::new();
    let made = |to: &str, args: &[&str]| {
        let run = corpus.convert("a.zim", to, args);
        assert_eq!(run.status, 0, "{}", run.stderr);
        std::fs::read(corpus.file(to)).unwrap()
    };
    for ending in ["tome", "zim"] {
        let one = made(&format!("1.{ending}"), &["--threads", "1"]);
        assert!(one == made(&format!("2.{ending}"), &["--threads", "3", "--memory", "64M"]), "{ending}");
    }
}

#[test]
fn what_cannot_be_is_refused_and_leaves_everything_as_it_was() {
    let corpus = Corpus::new();
    std::fs::write(corpus.file("there.tome"), "old").unwrap();
    std::fs::create_dir(corpus.file("folder.zim")).unwrap();
    std::fs::write(corpus.file("text.zim"), "no archive").unwrap();
    std::fs::write(corpus.file("cut.zim"), &std::fs::read(corpus.file("a.zim")).unwrap()[..5000]).unwrap();
    let before = corpus.count();
    for (from, to, message) in [
        ("a.zim", "there.tome", "exists and was left alone"),
        ("a.zim", "folder.zim", "is a folder"),
        ("a.zim", "x.rar", ".tome, .zim or .zip"),
        ("a.zim", "none/x.tome", "none/x.tome"),
        ("none.zim", "x.tome", "none.zim"),
        ("text.zim", "x.tome", "not an archive"),
        ("cut.zim", "x.tome", "damaged"),
        (".", "x.tome", "tome pack"),
    ] {
        let run = corpus.convert(from, to, &[]);
        assert_eq!(run.status, 2, "{from} {to}: {}", run.stderr);
        assert!(run.stderr.contains(message), "{from} {to}: {}", run.stderr);
        assert_eq!(corpus.count(), before, "{from} {to}");
    }
    assert_eq!(std::fs::read(corpus.file("there.tome")).unwrap(), b"old");
}

#[test]
fn what_stands_in_the_way_is_said_before_any_work_is_done() {
    let corpus = Corpus::new();
    std::fs::create_dir(corpus.file("folder.tome")).unwrap();
    for (to, message) in [("folder.tome", "is a folder"), ("none/x.tome", "none/x.tome")] {
        // A source that is not there would be the next to be missed.
        let out = corpus.file(to);
        let run = run(&["pack", "--force", path(&corpus.file("none")), "-o", path(&out)]);
        assert_eq!(run.status, 2);
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
}

#[test]
fn the_minor_version_of_a_zim_is_for_a_zim() {
    let corpus = Corpus::new();
    for to in ["x.tome", "x.zip"] {
        let run = corpus.convert("a.zim", to, &["--zim-minor", "1"]);
        assert_eq!(run.status, 2);
        assert!(run.stderr.contains("--zim-minor"), "{}", run.stderr);
    }
    assert_eq!(corpus.count(), 1);
}

#[test]
fn what_is_stored_once_is_counted_and_what_is_stored_twice_is_not() {
    let corpus = Corpus::new();
    std::fs::create_dir(corpus.file("twins")).unwrap();
    for name in ["a.html", "b.html"] {
        std::fs::write(corpus.file("twins").join(name), "<title>Twin</title>of another").unwrap();
    }
    for (to, minor, is_once) in [("1.zim", "1", false), ("3.zim", "3", true)] {
        let out = corpus.file(to);
        let run = run(&["pack", path(&corpus.file("twins")), "-o", path(&out), "--zim-minor", minor]);
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert_eq!(run.stderr.contains("1 duplicate stored once"), is_once, "{}", run.stderr);
    }
}

#[test]
fn redirects_to_a_section_come_back_from_the_pages_that_they_are_in_a_zim() {
    let corpus = Corpus::new();
    let list = "to honey\tTo <honey>\tHoney.html#Größe & \"more\"\na/b\tB\tHoney.html#x y\nc\tC\ta/b#z\n";
    std::fs::write(corpus.file("r.tsv"), list).unwrap();
    // One that only looks like one of ours is a page as any other.
    let like = "<!DOCTYPE html>\n<title>Like</title><a href=\"./Honey.html#x\">Honey.html</a> and <p>more";
    std::fs::create_dir(corpus.file("more")).unwrap();
    std::fs::write(corpus.file("more/like.html"), like).unwrap();
    let (sample, out) = (sample_folder(), corpus.file("1.tome"));
    let (more, redirects) = (corpus.file("more"), corpus.file("r.tsv"));
    let args = ["pack", "-q", path(&sample), path(&more), "-o", path(&out), "--redirects", path(&redirects)];
    let packed = run(&args);
    assert_eq!(packed.status, 0, "{}", packed.stderr);
    for (from, to) in [("1.tome", "2.zim"), ("2.zim", "3.tome"), ("3.tome", "4.zim"), ("2.zim", "5.zim")] {
        let run = corpus.convert(from, to, &[]);
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
    let redirects = |name: &str| on(&corpus.file(name), "list", &["--json", "--kind", "redirect"]).stdout;
    assert!(redirects("1.tome").contains(r#""fragment":"x y""#), "{}", redirects("1.tome"));
    // Of two ways to write a place, encoded and not, a page has one only.
    assert_eq!(redirects("3.tome"), redirects("1.tome").replace("Coyoac%C3%A1n", "Coyoacán"));
    let bytes = |name: &str| std::fs::read(corpus.file(name)).unwrap();
    assert!(bytes("2.zim") == bytes("4.zim") && bytes("2.zim") == bytes("5.zim"));
}

#[test]
fn an_archive_may_take_the_place_of_the_one_it_is_made_of() {
    let corpus = Corpus::new();
    let before = on(&corpus.file("a.zim"), "list", &[]).stdout;
    assert_eq!(corpus.convert("a.zim", "a.zim", &[]).status, 2);
    let run = corpus.convert("a.zim", "a.zim", &["--force", "--zim-minor", "3"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(on(&corpus.file("a.zim"), "list", &[]).stdout, before);
    assert_eq!(corpus.count(), 1);
}

#[test]
fn a_wrong_checksum_is_said_and_the_rest_is_converted() {
    let corpus = Corpus::new();
    let mut bytes = std::fs::read(corpus.file("a.zim")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(corpus.file("a.zim"), bytes).unwrap();
    let run = corpus.convert("a.zim", "b.tome", &["--json"]);
    assert_eq!(run.status, 2);
    let made: Made = serde_json::from_str(&run.stdout).unwrap();
    let [Message { path, message }] = &made.errors[..] else { panic!("{}", run.stdout) };
    assert!(path.ends_with("a.zim") && message.contains("checksum"), "{path}: {message}");
    let paths = |name: &str| -> Vec<String> {
        let list = on(&corpus.file(name), "list", &[]).stdout;
        list.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    assert_eq!(paths("b.tome"), paths("a.zim"));
}

#[test]
fn a_damaged_cluster_costs_what_lies_in_it() {
    let corpus = Corpus::new();
    let mut bytes = std::fs::read(corpus.file("a.zim")).unwrap();
    // The second cluster holds pages. Where a frame begins, damage cannot pass for content.
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let cluster = number(number(48) + 8);
    bytes[cluster + 1] ^= 1;
    std::fs::write(corpus.file("a.zim"), bytes).unwrap();
    let run = corpus.convert("a.zim", "b.tome", &["--json"]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    let made: Made = serde_json::from_str(&run.stdout).unwrap();
    let all = on(&corpus.file("a.zim"), "list", &[]).stdout.lines().count();
    let left = on(&corpus.file("b.tome"), "list", &[]).stdout.lines().count();
    // Redirects to what is lost are left out with a warning each.
    let said = made.errors.len() + made.warnings.len();
    assert!(left > 0 && left < all && said > all - left, "{left} of {all}, {said} messages");
    assert_eq!(on(&corpus.file("b.tome"), "verify", &[]).status, 0);
}

#[test]
fn a_zim_is_a_source_among_others() {
    let corpus = Corpus::new();
    std::fs::write(corpus.file("more.html"), "<title>More</title>more").unwrap();
    let zim = format!("{}=old", path(&corpus.file("a.zim")));
    let out = corpus.file("joined.zim");
    let run = run(&["pack", "-q", &zim, path(&corpus.file("more.html")), "-o", path(&out)]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let list = on(&out, "list", &["--kind", "article"]).stdout;
    assert!(list.contains("more.html\tMore\n") && list.contains("old/Honey.html\t"), "{list}");
    assert_eq!(on(&out, "verify", &[]).status, 0);
}
