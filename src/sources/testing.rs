//! A sink and an observer that keep what they get, and folders to pack.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::{Options, open};
use crate::error::Result;
use crate::item::{About, Body, Content, Item, Observer, Sink, keys};

/// Keeps items.
#[derive(Default)]
pub(crate) struct Collected {
    pub items: Vec<Item>,
}

impl Sink for Collected {
    fn put(&mut self, item: Item) -> Result<()> {
        self.items.push(item);
        Ok(())
    }
}

impl Collected {
    /// Returns the paths in the order in which they came.
    pub fn paths(&self) -> Vec<&str> {
        self.items.iter().map(|item| item.path.as_str()).collect()
    }

    /// Returns the item of a path.
    pub fn get(&self, path: &str) -> &Item {
        let found = self.items.iter().find(|item| item.path == path);
        found.unwrap_or_else(|| panic!("{path} is not among {:?}", self.paths()))
    }

    /// Returns what an item is, in one line.
    pub fn line(&self, path: &str) -> String {
        let item = self.get(path);
        let title = item.title.as_deref().unwrap_or("-");
        match &item.body {
            Body::Article { mime, .. } => format!("article {mime} {title}"),
            Body::Media { mime, .. } => format!("media {mime} {title}"),
            Body::Redirect { target, fragment } => match fragment {
                Some(fragment) => format!("redirect {target}#{fragment} {title}"),
                None => format!("redirect {target} {title}"),
            },
        }
    }

    /// Returns the bytes of an item, or why they cannot be read.
    pub fn bytes(&self, path: &str) -> std::io::Result<Vec<u8>> {
        let (Body::Article { content, .. } | Body::Media { content, .. }) = &self.get(path).body else {
            panic!("{path} is a redirect");
        };
        match content {
            Content::Bytes(bytes) => Ok(bytes.clone()),
            Content::Large { open, .. } => {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut open()?, &mut bytes)?;
                Ok(bytes)
            }
        }
    }
}

/// Keeps what is reported.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Vec<(&'static str, String, String)>>);

impl Observer for Heard {
    fn warning(&self, path: &str, message: &str) {
        self.0.lock().unwrap().push(("warning", path.into(), message.into()));
    }

    fn error(&self, path: &str, message: &str) {
        self.0.lock().unwrap().push(("error", path.into(), message.into()));
    }
}

impl Heard {
    /// Returns `kind file name: message` of all that was reported, sorted.
    pub fn lines(&self) -> Vec<String> {
        let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let heard = self.0.lock().unwrap();
        let mut lines: Vec<_> = heard.iter().map(|(k, p, m)| format!("{k} {}: {m}", name(p))).collect();
        lines.sort();
        lines
    }
}

/// What a run gave.
pub(crate) struct Run {
    pub items: Collected,
    pub heard: Heard,
    pub about: About,
}

impl Run {
    /// Returns a metadata text.
    pub fn says(&self, key: &str) -> Option<&str> {
        self.about.metadata.text(key)
    }

    /// Returns the title of the whole.
    pub fn title(&self) -> Option<&str> {
        self.says(keys::TITLE)
    }
}

/// Runs the source at a path.
pub(crate) fn run(path: &Path, prefix: &str, options: Options) -> Run {
    let mut items = Collected::default();
    let heard = Heard::default();
    let about = open(path, prefix, options).unwrap().run(&mut items, &heard).unwrap();
    Run { items, heard, about }
}

/// A temporary folder of files.
pub(crate) struct Folder(pub tempfile::TempDir);

impl Folder {
    /// Makes an empty folder.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Returns a path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, with its folders.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Runs the folder as a source.
    pub fn run(&self) -> Run {
        run(self.0.path(), "", Options::default())
    }
}
