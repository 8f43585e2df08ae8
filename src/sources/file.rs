//! A single file: one entry under its own name.

use std::path::{Path, PathBuf};

use super::Options;
use super::directory::Directory;
use crate::error::{Error, Result};
use crate::item::{About, Observer, Sink, Source};

/// A file as a source.
pub(crate) struct SingleFile {
    path: PathBuf,
    prefix: String,
    options: Options,
}

impl SingleFile {
    /// Names a file; nothing is opened yet.
    pub(crate) fn new(path: &Path, prefix: String, options: Options) -> Self {
        Self { path: path.to_path_buf(), prefix, options }
    }
}

impl Source for SingleFile {
    fn run(&mut self, sink: &mut dyn Sink, observer: &dyn Observer) -> Result<About> {
        // Asked for by name, so a link to it is as good as the file itself.
        let io = |e| Error::io("open the source", &self.path, e);
        let real = self.path.canonicalize().map_err(io)?;
        let (Some(folder), Some(file)) = (real.parent(), real.file_name()) else {
            return Err(Error::source(self.path.display().to_string(), "not a file"));
        };
        Directory::open(folder, self.prefix.clone(), self.options.clone())?.run_single(
            Path::new(file),
            &self.path,
            sink,
            observer,
        )
    }

    fn size_hint(&self) -> Option<(u64, u64)> {
        std::fs::metadata(&self.path).ok().map(|m| (1, m.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::super::testing::{Folder, run};

    #[test]
    fn a_single_file_is_one_entry() {
        let folder = Folder::new();
        folder.write("d/mexico-russia-relations.txt", "Mexico–Russia relations\n\nFrom\n");
        let all = run(&folder.path("d/mexico-russia-relations.txt"), "wiki", Options::default());
        assert_eq!(all.items.paths(), ["wiki/mexico-russia-relations.txt"]);
        let line = all.items.line("wiki/mexico-russia-relations.txt");
        assert_eq!(line, "article text/plain Mexico–Russia relations");
        assert!(all.heard.lines().is_empty());
        assert!(super::super::open(&folder.path("missing.txt"), "", Options::default()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_given_by_name_is_followed() {
        let folder = Folder::new();
        folder.write("real.md", "# Title");
        std::os::unix::fs::symlink("real.md", folder.path("link.md")).unwrap();
        let all = run(&folder.path("link.md"), "", Options::default());
        assert_eq!(all.items.line("link.md"), "article text/markdown Title");
        assert!(super::super::open(std::path::Path::new("/dev/null"), "", Options::default()).is_err());
    }
}
