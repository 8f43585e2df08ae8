//! An archive that was cut into several files, because a file system or a medium takes no larger ones.

use std::borrow::Cow;
use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{Mapped, Positional, Storage, outside};
use crate::error::{Error, Result};

/// Files that are one archive when they are put together: `x.zimaa`, `x.zimab`, ... `x.zimzz`.
///
/// A range within a part is what the part gives, so borrowed from a mapping; a range over a border is
/// copied.
pub struct Parts {
    /// Where each part begins, and the part.
    parts: Vec<(u64, Box<dyn Storage>)>,
    len: u64,
}

/// What the first part's name ends with.
const FIRST: &str = "aa";

impl Parts {
    /// Returns the first part's path if this is the path of a first part (`x.zimaa`), or of a whole
    /// that is only there in parts (`x.zim`, where `x.zimaa` is).
    pub fn first_of(path: &Path) -> Option<PathBuf> {
        let name = path.as_os_str().to_str().filter(|name| name.ends_with(".zimaa"));
        if name.is_some() {
            return Some(path.to_path_buf());
        }
        // Broken links and loops are there, and opening them says what they are.
        if path.symlink_metadata().is_ok() {
            return None;
        }
        let first = with_ending(path, FIRST);
        first.symlink_metadata().is_ok().then_some(first)
    }

    /// Returns the names that the parts have whose first is called so, in their order; none if that is no
    /// first part's name. Whether they are there is not looked at.
    pub fn names(first: &Path) -> impl Iterator<Item = PathBuf> {
        let base = first.as_os_str().to_str().and_then(|name| name.strip_suffix(FIRST)).map(PathBuf::from);
        base.into_iter().flat_map(|base| endings().map(move |ending| with_ending(&base, &ending)))
    }

    /// Opens the part at `first`, whose name ends with `aa`, and all that follow it. Costs two or three
    /// system calls a part, and one for each of the 676 names that no part has.
    ///
    /// # Errors
    ///
    /// Fails, and names the part, if a part is missing though later ones are there, is empty, is no
    /// file, or cannot be opened.
    pub fn open(first: &Path, by_position: bool) -> Result<Self> {
        let mut names = Self::names(first).peekable();
        if names.peek().is_none() {
            let message = format!("{}: the first part of an archive ends with aa", first.display());
            return Err(Error::InvalidInput(message));
        }
        let mut parts: Vec<(u64, Box<dyn Storage>)> = vec![];
        let mut len = 0u64;
        let mut missing: Option<PathBuf> = None;
        for path in names {
            if let Err(error) = path.symlink_metadata() {
                if error.kind() != std::io::ErrorKind::NotFound {
                    return Err(Error::io("open", &path, error));
                }
                missing.get_or_insert(path);
                continue;
            }
            if let Some(missing) = missing {
                let message = format!("this part of a split archive is missing, {} is there", path.display());
                let source = std::io::Error::new(std::io::ErrorKind::NotFound, message);
                return Err(Error::io("open", missing, source));
            }
            let part: Box<dyn Storage> = if by_position {
                Box::new(Positional::open(&path, 0)?)
            } else {
                Box::new(Mapped::open(&path, 0)?)
            };
            if part.is_empty() {
                let source = std::io::Error::new(
                    std::io::ErrorKind::UnexpectedEof,
                    "this part of a split archive is empty",
                );
                return Err(Error::io("read", &path, source));
            }
            let start = len;
            len = start.checked_add(part.len()).ok_or_else(|| outside(&(start..u64::MAX), start))?;
            parts.push((start, part));
        }
        if parts.is_empty() {
            let source = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Error::io("open", first, source));
        }
        Ok(Self { parts, len })
    }

    /// Returns how many parts there are.
    pub fn count(&self) -> usize {
        self.parts.len()
    }

    /// Returns where each part begins.
    pub fn starts(&self) -> Vec<u64> {
        self.parts.iter().map(|(start, _)| *start).collect()
    }
}

fn endings() -> impl Iterator<Item = String> {
    ('a'..='z').flat_map(|a| ('a'..='z').map(move |b| String::from_iter([a, b])))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

impl Storage for Parts {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        if range.start > range.end || range.end > self.len {
            return Err(outside(&range, self.len));
        }
        // The last part that begins at or before the range; an empty range at the very end is of the
        // last one.
        let mut at = self.parts.partition_point(|(start, _)| *start <= range.start).saturating_sub(1);
        let mut joined = vec![];
        let mut from = range.start;
        loop {
            let Some((start, part)) = self.parts.get(at) else { return Err(outside(&range, self.len)) };
            let until = range.end.min(start + part.len());
            let bytes = part.read(from - start..until - start)?;
            if from == range.start && until == range.end {
                return Ok(bytes);
            }
            joined.extend_from_slice(&bytes);
            if until == range.end {
                return Ok(Cow::Owned(joined));
            }
            (from, at) = (until, at + 1);
        }
    }

    /// Returns true if all parts are stable: a range over a border is another copy each time, but of
    /// the same memory.
    fn is_stable(&self) -> bool {
        self.parts.iter().all(|(_, part)| part.is_stable())
    }

    fn whole(&self) -> Option<&[u8]> {
        match &self.parts[..] {
            [(_, only)] => only.whole(),
            _ => None,
        }
    }

    fn will_read(&self, range: Range<u64>) {
        for (start, part) in &self.parts {
            let inside = |at: u64| at.saturating_sub(*start).min(part.len());
            if inside(range.start) < inside(range.end) {
                part.will_read(inside(range.start)..inside(range.end));
            }
        }
    }

    fn check_fault(&self) -> Result<()> {
        self.parts.iter().try_for_each(|(_, part)| part.check_fault())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(parts: &[(&str, &[u8])]) -> tempfile::TempDir {
        let dir = tempfile::TempDir::new().unwrap();
        for (name, bytes) in parts {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        dir
    }

    fn error(dir: &tempfile::TempDir) -> String {
        let first = Parts::first_of(&dir.path().join("x.zim")).unwrap();
        Parts::open(&first, false).map(|p| p.count()).unwrap_err().to_string()
    }

    #[test]
    fn ranges_within_a_part_are_borrowed_and_over_borders_are_right() {
        let bytes: Vec<u8> = (0..100u8).collect();
        let dir = folder(&[
            ("x.zimaa", &bytes[..40]),
            ("x.zimab", &bytes[40..41]),
            ("x.zimac", &bytes[41..]),
            ("y.zimab", b"of another"),
        ]);
        for by_position in [false, true] {
            for name in ["x.zim", "x.zimaa"] {
                let parts =
                    Parts::open(&Parts::first_of(&dir.path().join(name)).unwrap(), by_position).unwrap();
                assert_eq!((parts.count(), parts.len()), (3, 100));
                for start in 0..=100 {
                    for end in start..=100u64 {
                        let got = parts.read(start..end).unwrap();
                        assert_eq!(*got, bytes[start as usize..end as usize], "{start}..{end}");
                        let inside =
                            [(0, 40), (40, 41), (41, 100)].iter().any(|p| p.0 <= start && end <= p.1);
                        assert_eq!(matches!(got, Cow::Borrowed(_)), inside && !by_position, "{start}..{end}");
                    }
                }
                assert!(parts.read(0..101).is_err());
                assert!(parts.read(u64::MAX - 1..u64::MAX).is_err());
                assert_eq!(parts.is_stable(), !by_position);
            }
        }
    }

    #[test]
    fn a_whole_file_is_no_split_one() {
        let dir = folder(&[("x.zim", b"whole"), ("x.zimaa", b"part")]);
        assert_eq!(Parts::first_of(&dir.path().join("x.zim")), None);
        assert_eq!(Parts::first_of(&dir.path().join("z.zim")), None);
    }

    #[test]
    fn p26_missing_empty_and_impossible_parts_are_named() {
        let dir = folder(&[("x.zimaa", b"1"), ("x.zimac", b"3")]);
        assert!(error(&dir).contains("x.zimab"), "{}", error(&dir));
        let dir = folder(&[("x.zimaa", b"1"), ("x.zimab", b"")]);
        assert!(error(&dir).contains("x.zimab"), "{}", error(&dir));
        let dir = folder(&[("x.zimaa", b"1")]);
        std::fs::create_dir(dir.path().join("x.zimab")).unwrap();
        assert!(error(&dir).contains("x.zimab"), "{}", error(&dir));
    }

    #[cfg(unix)]
    #[test]
    fn p26_a_loop_of_links_is_an_error() {
        let dir = folder(&[]);
        let link = |from: &str, to: &str| {
            std::os::unix::fs::symlink(dir.path().join(to), dir.path().join(from)).unwrap();
        };
        link("x.zimaa", "x.zimab");
        link("x.zimab", "x.zimaa");
        assert!(error(&dir).contains("x.zimaa"), "{}", error(&dir));
    }
}
