//! A list of redirects that the packer's user wrote.
//!
//! One a line: path, title and target, separated by tabs; the target may name a place in it behind
//! `#` (`C#.html` is a path, and so is what stands before a `#` at the end). The title may be empty. Empty lines and lines that begin with `# ` are skipped.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::item::{About, Body, Item, Observer, Sink, Source};
use crate::limits::MAX_NAME_LEN;
use crate::text::charset;
use crate::text::head::collapse;

/// The most bytes of a list: 23 M redirects of a large wiki are 1.5 GB, and then they are better
/// told by the source itself.
const MAX_LIST: u64 = 2 * 1024 * 1024 * 1024;

/// A list of redirects as a source.
#[derive(Debug)]
pub struct RedirectList {
    path: PathBuf,
    text: String,
}

impl RedirectList {
    /// Reads a list and checks every line of it.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, and names file and line of the first line that is none.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = super::read_file(path, MAX_LIST)?;
        let text = charset::decode(&bytes, Some("utf-8")).into_owned();
        let list = Self { path: path.to_path_buf(), text };
        list.items().try_for_each(|item| item.map(|_| ()))?;
        Ok(list)
    }

    fn items(&self) -> impl Iterator<Item = Result<Item>> {
        // A byte that was not UTF-8 is now U+FFFD, and would be a name that nobody has.
        let lines = self.text.lines().enumerate().filter(|(_, l)| !l.is_empty() && !l.starts_with("# "));
        lines.map(|(number, line)| {
            let origin = format!("{}: line {}", self.path.display(), number + 1);
            parse(line, &origin).map_err(|message| Error::source(&origin, message))
        })
    }
}

impl Source for RedirectList {
    fn run(&mut self, sink: &mut dyn Sink, observer: &dyn Observer) -> Result<About> {
        for item in self.items() {
            if observer.is_cancelled() {
                return Err(Error::Interrupted);
            }
            sink.put(item?)?;
            observer.advance(1, 0);
        }
        Ok(About::default())
    }
}

fn parse(line: &str, origin: &str) -> Result<Item, String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [path, title, target] = fields.as_slice() else {
        return Err(format!("{} fields instead of path, title and target, separated by tabs", fields.len()));
    };
    if line.contains('\u{fffd}') {
        return Err("not UTF-8".into());
    }
    let (target, fragment) = split_fragment(target);
    for (what, name) in [("path", *path), ("target", target)] {
        if name.is_empty() || name.starts_with('/') {
            return Err(format!("the {what} is empty or begins with /"));
        }
    }
    if [*path, *title, target].iter().any(|name| name.len() > MAX_NAME_LEN) {
        return Err(format!("a name is longer than {MAX_NAME_LEN} bytes"));
    }
    if fragment.as_ref().is_some_and(|fragment| fragment.len() > MAX_NAME_LEN) {
        return Err(format!("the place in the target is longer than {MAX_NAME_LEN} bytes"));
    }
    Ok(Item {
        path: (*path).to_owned(),
        title: collapse(title, MAX_NAME_LEN),
        body: Body::Redirect { target: target.to_owned(), fragment },
        generated: false,
        escaped: false,
        language: None,
        origin: origin.to_owned(),
    })
}

/// Splits a target and the place in it at the last `#`, unless that ends the target, stands in a
/// folder's name or before a file's ending: `C#`, `C#/index.html` and `C#.html` are paths,
/// `C##History` is a place in `C#`. Behind a path with a `#` that would be split, one more `#` says
/// that there is no place: `F#_notes.html#` is the path `F#_notes.html`.
fn split_fragment(target: &str) -> (&str, Option<String>) {
    match target.rsplit_once('#') {
        Some((path, "")) if path.contains('#') => (path, None),
        Some((_, ending)) if is_ending(ending) => (target, None),
        Some((path, fragment)) if !fragment.is_empty() && !fragment.contains('/') && !path.is_empty() => {
            (path, Some(fragment.to_owned()))
        }
        _ => (target, None),
    }
}

/// Returns true for what looks like a file's ending, with its dot.
fn is_ending(text: &str) -> bool {
    let letters = text.strip_prefix('.').unwrap_or_default();
    (1..=5).contains(&letters.len()) && letters.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Collected, Folder};
    use super::*;
    use crate::item::Silent;

    fn list(text: &str) -> Result<Collected> {
        let folder = Folder::new();
        folder.write("r.tsv", text);
        let mut sink = Collected::default();
        RedirectList::open(&folder.path("r.tsv"))?.run(&mut sink, &Silent)?;
        Ok(sink)
    }

    #[test]
    fn lines_become_redirects() {
        let text =
            "\u{feff}# a comment\r\na\tThe A\tb/c.html#d\r\n\r\n#x\t\tC#\r\ny\t\tC##e\nz\tZ\tC#/index.html";
        let sink = list(text).unwrap();
        assert_eq!(sink.paths(), ["a", "#x", "y", "z"]);
        assert_eq!(sink.line("a"), "redirect b/c.html#d The A");
        assert_eq!(sink.line("#x"), "redirect C# -");
        assert_eq!(sink.line("y"), "redirect C##e -");
        assert_eq!(sink.line("z"), "redirect C#/index.html Z");
        assert!(list("").unwrap().items.is_empty());
    }

    #[test]
    fn a_path_may_have_a_number_sign() {
        for (target, path, fragment) in [
            ("C#.html", "C#.html", None),
            ("C#.html#", "C#.html", None),
            ("C#.html#History", "C#.html", Some("History")),
            ("F#_notes.html#", "F#_notes.html", None),
            ("a.html#1.2", "a.html", Some("1.2")),
            ("a.html#.longer", "a.html", Some(".longer")),
            ("C#", "C#", None),
        ] {
            assert_eq!(split_fragment(target), (path, fragment.map(str::to_owned)), "{target}");
        }
        let long = format!("a\tA\tb#{}", "x".repeat(MAX_NAME_LEN + 1));
        assert!(list(&long).map(|_| ()).unwrap_err().to_string().contains("r.tsv: line 1: "));
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, line) in [
            ("a\tb", 1),
            ("a\tb\tc\td", 1),
            ("# fine\na\tb\t", 2),
            ("a\tb\tc\n\tb\tc", 2),
            ("a\tb\t/c", 1),
            ("#comment without a space", 1),
        ] {
            let message = list(text).map(|_| ()).unwrap_err().to_string();
            assert!(message.contains(&format!("r.tsv: line {line}: ")), "{message}");
        }
        let folder = Folder::new();
        folder.write("r.tsv", b"a\t\xff\tb");
        assert!(RedirectList::open(&folder.path("r.tsv")).unwrap_err().to_string().ends_with("not UTF-8"));
        assert!(matches!(RedirectList::open(&folder.path("none.tsv")), Err(Error::Io { .. })));
        let error = RedirectList::open(&folder.path("")).unwrap_err().to_string();
        assert!(error.contains("not a regular file"), "{error}");
    }
}
