//! The lists of dirents in order of title.

use std::borrow::Cow;
use std::ops::Range;

use super::{Run, count, short, warning};
use crate::error::{Error, Place, Result};
use crate::findings::{Finding, Findings, Severity};
use crate::zim::dirent::DirentKind;
use crate::zim::header::NO_LIST;
use crate::zim::listing::{ALL_BY_TITLE, ARTICLES_BY_TITLE};
use crate::zim::namespace::{self, INDEX};

/// Numbers of a list that one task reads.
const CHUNK: u32 = 8192;

/// A list of dirents' numbers, of four bytes each.
struct List<'a> {
    bytes: Cow<'a, [u8]>,
    /// What it is called.
    name: &'static str,
    /// True if it has only articles, which are all in one namespace; else it has every dirent.
    articles: bool,
}

/// The first of a list's faults of a kind, and how many there are.
#[derive(Default)]
struct Fault {
    first: Option<(u32, String)>,
    n: u64,
}

impl Fault {
    fn add(&mut self, at: u32, what: impl FnOnce() -> String) {
        if self.first.is_none() {
            self.first = Some((at, what()));
        }
        self.n += 1;
    }

    fn take(&mut self, other: Self) {
        if self.first.is_none() {
            self.first = other.first;
        }
        self.n += other.n;
    }
}

#[derive(Default)]
struct Faults {
    range: Fault,
    order: Fault,
    namespace: Fault,
}

/// Namespace and title, in whose order a list is.
type Key = (u8, Vec<u8>);

impl List<'_> {
    fn len(&self) -> u32 {
        u32::try_from(self.bytes.len() / 4).unwrap_or(u32::MAX)
    }

    fn get(&self, at: u32) -> Option<u32> {
        self.bytes.get(at as usize * 4..)?.first_chunk().copied().map(u32::from_le_bytes)
    }
}

impl Run<'_> {
    /// Checks the lists by title.
    pub(super) fn titles(&self, findings: &mut Findings) -> Result<()> {
        let header = self.archive.header();
        let has_own = header.title_pointers != NO_LIST;
        let mut own = None;
        if has_own {
            match self.own_list() {
                Ok(list) => {
                    self.list(&list, findings)?;
                    own = Some(list);
                }
                Err(finding) => findings.push(finding),
            }
        }
        if !header.has_one_namespace() {
            return Ok(());
        }
        let own = own.as_ref();
        let all = self.listing(ALL_BY_TITLE, "the list of all entries by title", false, own, findings)?;
        let articles =
            self.listing(ARTICLES_BY_TITLE, "the list of articles by title", true, own, findings)?;
        if !has_own && !all && !articles {
            let message = "there is no list of entries by title: readers can neither suggest nor choose by chance, \
                           and some refuse the file";
            findings.push(Finding::new("title listing", Severity::Error, message.into()));
        }
        Ok(())
    }

    /// Returns the list that the header names.
    fn own_list(&self) -> std::result::Result<List<'_>, Finding> {
        let header = self.archive.header();
        let size = self.archive.size();
        let start = header.title_pointers;
        let len = 4 * u64::from(header.n_entries);
        let end = start.checked_add(len).filter(|end| *end <= header.end(size));
        let Some(end) = end.filter(|_| start >= header.mime_list) else {
            let message = format!(
                "the header has the list by titles at byte {start}: {len} bytes, in a file of {size}"
            );
            let severity = if start == 0 { Severity::Warning } else { Severity::Error };
            let finding = Finding::new("title pointers position", severity, message);
            return Err(Finding { section: Some("header"), ..finding });
        };
        let bytes = self.archive.storage().read(start..end).map_err(|e| Finding::of(&e))?;
        Ok(List { bytes, name: "the title pointers", articles: false })
    }

    /// Checks a list that is an entry; returns true if there is one.
    fn listing(
        &self,
        path: &[u8],
        name: &'static str,
        articles: bool,
        own: Option<&List<'_>>,
        findings: &mut Findings,
    ) -> Result<bool> {
        let index = match self.archive.find(INDEX, path) {
            Ok(None) => return Ok(false),
            Ok(Some(index)) => index,
            Err(error) => {
                // The dirent on the way has its own finding.
                let _ = error;
                return Ok(false);
            }
        };
        let wrong = |message: String| {
            let finding = Finding::new("title listing", Severity::Error, format!("{name} {message}"));
            let finding = Finding { section: Some("title listing"), ..finding };
            self.with_entries(finding, std::iter::once(index))
        };
        let kind = self.archive.with_dirent(index, |d| Ok(d.kind));
        let Ok(DirentKind::Blob { cluster, .. }) = kind else {
            findings.push(wrong("is no entry with bytes".into()));
            return Ok(true);
        };
        if articles && self.archive.is_compressed(cluster).unwrap_or(false) {
            findings.push(wrong("is compressed: readers do not use it".into()));
        }
        // Longer than with each entry twice, the rest says no more.
        let most = 8 * u64::from(self.archive.header().n_entries);
        let bytes = match self.archive.blob_of(index, most) {
            Ok(bytes) => bytes.into_vec(),
            Err(error) => {
                // Decoded in full, the cluster has its own finding.
                if self.options.quick
                    || !matches!(&error, Error::Format(e) if matches!(e.place, Place::Block(_)))
                {
                    findings.push(self.of_entry(&error, index));
                }
                return Ok(true);
            }
        };
        if bytes.len() % 4 != 0 {
            findings.push(wrong(format!("has {} bytes, four for each entry were expected", bytes.len())));
        }
        // Writers of 6.1 let the header name the same list, which has been checked then.
        if own.is_some_and(|own| !articles && *own.bytes == bytes[..]) {
            return Ok(true);
        }
        let list = List { bytes: Cow::Owned(bytes), name, articles };
        self.list(&list, findings)?;
        Ok(true)
    }

    fn list(&self, list: &List<'_>, findings: &mut Findings) -> Result<()> {
        let mut faults = Faults::default();
        self.in_chunks(
            list.len(),
            CHUNK,
            |range| self.chunk_of_list(list, range),
            |chunk| {
                faults.range.take(chunk.range);
                faults.order.take(chunk.order);
                faults.namespace.take(chunk.namespace);
            },
        )?;
        let mut say = |check, fault: Fault, one, many| {
            if let Some((at, what)) = fault.first {
                let message =
                    format!("{}: {}; the first at place {at}: {what}", list.name, count(fault.n, one, many));
                let finding = Finding::new(check, Severity::Error, message);
                findings.push(Finding { section: Some("title listing"), ..finding });
            }
        };
        say("title index", faults.range, "number is of no entry", "numbers are of no entry");
        say("title order", faults.order, "place is out of order", "places are out of order");
        say("title namespace", faults.namespace, "entry is no content", "entries are no content");
        let (again, missing) = self.counts(list);
        let mut odd = |check, n, what: &str| {
            if n > 0 {
                findings
                    .push(warning(check, format!("{}: {} {what}", list.name, count(n, "entry", "entries"))));
            }
        };
        odd("title repeated", again, "more than once");
        odd("title missing", if list.articles { 0 } else { missing }, "not listed");
        Ok(())
    }

    fn chunk_of_list(&self, list: &List<'_>, range: Range<u32>) -> Faults {
        let one = self.archive.header().has_one_namespace();
        let n = self.archive.header().n_entries;
        let mut faults = Faults::default();
        let mut before: Option<Key> =
            range.start.checked_sub(1).and_then(|at| list.get(at)).and_then(|entry| self.title(entry));
        for at in range {
            let Some(entry) = list.get(at) else { break };
            if entry >= n {
                faults.range.add(at, || format!("{entry} of {n}"));
                before = None;
                continue;
            }
            let key = self.title(entry);
            if let (Some(before), Some(key)) = (&before, &key)
                && before > key
            {
                faults.order.add(at, || format!("{} behind {}", shown(key), shown(before)));
            }
            if list.articles && key.as_ref().is_some_and(|key| !namespace::is_content(key.0, one)) {
                faults.namespace.add(at, || self.name(entry));
            }
            before = key;
        }
        faults
    }

    fn title(&self, entry: u32) -> Option<Key> {
        self.archive.with_dirent(entry, |d| Ok((d.namespace, d.title().to_vec()))).ok()
    }

    /// Returns how many entries a list has more than once, and how many it has not.
    fn counts(&self, list: &List<'_>) -> (u64, u64) {
        let n = self.archive.header().n_entries;
        let mut seen = vec![0u64; n.div_ceil(64) as usize];
        let mut again = 0;
        let mut found = 0;
        for entry in (0..list.len()).filter_map(|at| list.get(at)).filter(|entry| *entry < n) {
            if let Some(word) = seen.get_mut(entry as usize / 64) {
                let bit = 1 << (entry % 64);
                again += u64::from(*word & bit != 0);
                found += u64::from(*word & bit == 0);
                *word |= bit;
            }
        }
        (again, u64::from(n) - found)
    }
}

fn shown(key: &Key) -> String {
    format!("{:?}", short(&String::from_utf8_lossy(&key.1)))
}
