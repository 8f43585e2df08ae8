//! The files of archives: which there are, and in what state.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::storage::Parts;

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub(super) len: u64,
    pub(super) modified: Option<SystemTime>,
    /// When anything about it was changed: a copy may keep the time of its original.
    changed: (i64, i64),
    pub(super) inode: u64,
    pub(super) disk: u64,
}

/// Returns the archives at a source with their states: the file itself, or those right in the folder.
pub fn found_in(source: &Path) -> std::io::Result<Vec<(PathBuf, Stamp)>> {
    if !source.is_dir() {
        return Ok(vec![(source.to_owned(), Stamp::at(source)?)]);
    }
    let mut out = vec![];
    for entry in std::fs::read_dir(source)? {
        let Ok(entry) = entry else { continue };
        let path = entry.path();
        if !is_archive_name(&path) {
            continue;
        }
        // A link is followed; one that leads nowhere is passed over, as is what is no file.
        if !path.is_file() {
            continue;
        }
        if let Ok(stamp) = Stamp::at(&path) {
            out.push((path, stamp));
        }
    }
    // The order decides who of two with one name is the second.
    out.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(out)
}

/// Returns sources without those that add nothing: one that was given before, by whatever path, and an
/// archive in a folder that is a source as a whole. Such a folder stands where the first of both stood:
/// the order decides about names.
pub fn distinct(sources: &[PathBuf]) -> Vec<&Path> {
    // What is not there yet has its path alone.
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folders: Vec<(PathBuf, &Path)> = sources
        .iter()
        .filter(|source| source.is_dir())
        .map(|folder| (real(folder), folder.as_path()))
        .collect();
    let folder_of = |source: &Path| {
        let source = Parts::first_of(source).unwrap_or_else(|| source.to_owned());
        let parent = source.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = real(parent.unwrap_or(Path::new(".")));
        let folder = folders.iter().find(|(folder, _)| is_archive_name(&source) && *folder == parent)?;
        Some(folder.1)
    };
    let mut known = HashSet::new();
    let sources = sources.iter().map(|source| match source.is_dir() {
        true => source.as_path(),
        false => folder_of(source).unwrap_or(source),
    });
    sources.filter(|source| known.insert(real(source))).collect()
}

fn is_archive_name(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    !hidden && matches!(ending.as_deref(), Some("tome" | "zim" | "zimaa"))
}

impl Stamp {
    /// Returns the state of a file; of a split archive, by its first part or its name as a whole, that of
    /// all parts.
    pub fn at(path: &Path) -> std::io::Result<Self> {
        let found = std::fs::metadata(path);
        let is_part = path.extension().is_some_and(|ending| ending == "zimaa");
        if !is_part && let Ok(found) = &found {
            return Ok(Self::of(found));
        }
        let Some(first) = Parts::first_of(path) else { return found.map(|found| Self::of(&found)) };
        let mut stamp = Self::of(&std::fs::metadata(&first)?);
        for part in Parts::names(&first).skip(1) {
            let Ok(metadata) = std::fs::metadata(part) else { break };
            let next = Self::of(&metadata);
            stamp.len = stamp.len.saturating_add(next.len);
            stamp.modified = stamp.modified.max(next.modified);
            stamp.changed = stamp.changed.max(next.changed);
            stamp.inode = stamp.inode.rotate_left(1) ^ next.inode;
        }
        Ok(stamp)
    }

    fn of(metadata: &std::fs::Metadata) -> Self {
        #[cfg(unix)]
        let (changed, inode, disk) = {
            use std::os::unix::fs::MetadataExt;
            ((metadata.ctime(), metadata.ctime_nsec()), metadata.ino(), metadata.dev())
        };
        #[cfg(not(unix))]
        let (changed, inode, disk) = ((0, 0), 0, 0);
        Self { len: metadata.len(), modified: metadata.modified().ok(), changed, inode, disk }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_is_given_twice_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        std::fs::create_dir(at("in")).unwrap();
        for file in ["in/x.tome", "in/y.zimaa", "in/odd", "z.tome"] {
            std::fs::write(at(file), file).unwrap();
        }
        let distinct = |paths: &[&str]| -> Vec<PathBuf> {
            let paths: Vec<PathBuf> = paths.iter().map(|path| at(path)).collect();
            super::distinct(&paths).iter().map(|path| path.to_path_buf()).collect()
        };
        assert_eq!(distinct(&["in", "in/x.tome"]), [at("in")]);
        assert_eq!(distinct(&["in/x.tome", "z.tome", "in"]), [at("in"), at("z.tome")]);
        assert_eq!(distinct(&["in", "in/y.zim", "in/y.zimaa"]), [at("in")]);
        // A folder has only what is called like an archive.
        assert_eq!(distinct(&["in", "in/odd"]), [at("in"), at("in/odd")]);
        assert_eq!(distinct(&["in", "in/../in", "z.tome", "in/../z.tome"]), [at("in"), at("z.tome")]);
        assert_eq!(distinct(&["z.tome", "none.tome"]), [at("z.tome"), at("none.tome")]);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("z.tome"), at("in/link.tome")).unwrap();
            std::os::unix::fs::symlink(at("in"), at("way")).unwrap();
            assert_eq!(distinct(&["in", "way", "way/link.tome"]), [at("in")]);
            assert_eq!(distinct(&["z.tome", "in/link.tome"]), [at("z.tome")]);
        }
    }

    #[test]
    fn a_split_archive_changes_with_each_of_its_parts() {
        let folder = tempfile::tempdir().unwrap();
        let part = |ending: &str| folder.path().join(format!("x.zim{ending}"));
        std::fs::write(part("aa"), "one").unwrap();
        let alone = Stamp::at(&part("aa")).unwrap();
        std::fs::write(part("ab"), "two").unwrap();
        let both = Stamp::at(&part("aa")).unwrap();
        assert!(alone != both && both.len == 6);
        assert_eq!(Stamp::at(&folder.path().join("x.zim")).unwrap(), both);
        std::fs::write(part("ab"), "three").unwrap();
        assert!(Stamp::at(&part("aa")).unwrap() != both);
    }
}
