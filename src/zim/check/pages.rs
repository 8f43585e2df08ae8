//! What is in entries: pages and their links, and nothing at all.

use std::collections::HashSet;

use super::links::{Address, Resolver};
use super::names::{Names, hash};
use super::{Run, count, short, warning};
use crate::findings::{Finding, Findings};
use crate::item::escape_bytes;
use crate::limits::MAX_ZIM_WALK;
use crate::text::{Markup, Purpose, references};
use crate::zim::dirent::DirentKind;
use crate::zim::namespace;

/// The most addresses that a finding names.
const NAMED: usize = 20;

/// The most entries of one blob whose links are followed: they differ only in the folders from which
/// they lead.
const MAX_ALIASES: usize = 64;

/// What is wrong with the addresses of a page.
#[derive(Default)]
struct Faults {
    dead: Named,
    foreign: Named,
    empty: u64,
}

/// Addresses: how many different ones, and how the first read.
#[derive(Default)]
struct Named {
    seen: HashSet<u64>,
    first: Vec<String>,
}

impl Named {
    fn add(&mut self, address: &[u8], why: &str) {
        // The key is fixed: what a page could gain by two addresses with one hash is to have one named less.
        if self.seen.insert(hash(address, 0)) && self.first.len() < NAMED {
            self.first.push(format!("{}{why}", short(&escape_bytes(address))));
        }
    }

    fn list(&self) -> String {
        let more = self.seen.len() - self.first.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", self.first.join(", "))
    }

    fn len(&self) -> u64 {
        self.seen.len() as u64
    }
}

impl Run<'_> {
    /// Returns for each mime type whether it is a page's.
    pub(super) fn html_types(&self) -> Vec<bool> {
        let types = self.archive.mime_types().iter();
        types.map(|mime| Markup::of_mime(mime) == Some(Markup::Html)).collect()
    }

    /// Returns true for entries that people see: metadata and indexes may repeat themselves.
    pub(super) fn is_compared(&self, entry: u32) -> bool {
        let one = self.archive.header().has_one_namespace();
        self.archive.with_dirent(entry, |d| Ok(namespace::is_content(d.namespace, one))).unwrap_or(false)
    }

    pub(super) fn is_page(&self, entry: u32, is_html: &[bool]) -> bool {
        let is_page = self.archive.with_dirent(entry, |d| {
            Ok(match d.kind {
                DirentKind::Blob { mime, .. } => is_html.get(usize::from(mime)).copied().unwrap_or(false),
                _ => false,
            })
        });
        is_page.unwrap_or(false)
    }

    /// Returns what there is to say of an entry without bytes: in old files only of articles and pictures.
    pub(super) fn empty(&self, entry: u32) -> Option<Finding> {
        let one = self.archive.header().has_one_namespace();
        let namespace = self.archive.with_dirent(entry, |d| Ok(d.namespace)).ok()?;
        if !one && !matches!(namespace, b'A' | b'C' | b'I') {
            return None;
        }
        let message = format!("{} has no bytes", short(&self.name(entry)));
        Some(self.with_entries(warning("empty entry", message), std::iter::once(entry)))
    }

    /// Says that the links of a page are not followed.
    pub(super) fn long_page(&self, entry: u32, len: u64) -> Finding {
        let message = format!(
            "{}: it has {len} bytes, and links are only looked for in pages of up to {MAX_ZIM_WALK}",
            short(&self.name(entry))
        );
        self.with_entries(warning("long page", message), std::iter::once(entry))
    }

    /// Follows the links of a page, from each of its paths.
    pub(super) fn pages(&self, html: &[u8], entries: &[u32], names: &Names, findings: &mut Findings) {
        let one = self.archive.header().has_one_namespace();
        for &entry in entries.iter().take(MAX_ALIASES) {
            let path = self.archive.with_dirent(entry, |d| Ok(namespace::shown(d.namespace, d.path, one)));
            let Ok(path) = path else { continue };
            if self.observer.is_cancelled() {
                return;
            }
            let mut resolver = Resolver::new(&path);
            let mut faults = Faults::default();
            references(html, &mut |purpose, address| {
                follow(
                    &mut resolver,
                    purpose,
                    address,
                    &|path| leads_somewhere(names, one, path),
                    &mut faults,
                );
            });
            self.say(entry, &faults, findings);
        }
    }

    fn say(&self, entry: u32, faults: &Faults, findings: &mut Findings) {
        let say = |check, what: String| {
            let name = self.name(entry);
            let finding = warning(check, format!("{}: {what}", short(&name)));
            Finding { entries: vec![name], n_entries: 1, ..finding }
        };
        if faults.dead.len() > 0 {
            let n = count(faults.dead.len(), "link leads", "links lead");
            findings.push(say("link", format!("{n} nowhere: {}", faults.dead.list())));
        }
        if faults.foreign.len() > 0 {
            let n = count(faults.foreign.len(), "part is", "parts are");
            findings.push(say("external dependency", format!("{n} outside: {}", faults.foreign.list())));
        }
        if faults.empty > 0 {
            let n = count(faults.empty, "link is", "links are");
            findings.push(say("empty link", format!("{n} empty")));
        }
    }
}

/// Looks where an address leads, and notes if that is wrong.
fn follow(
    resolver: &mut Resolver,
    purpose: Purpose,
    address: &[u8],
    is_there: &dyn Fn(&[u8]) -> bool,
    faults: &mut Faults,
) {
    if purpose == Purpose::Base {
        resolver.begin_at(address);
        return;
    }
    match resolver.resolve(address) {
        Address::Empty => faults.empty += 1,
        Address::Here | Address::Inline => {}
        Address::Outside if purpose == Purpose::Load => faults.foreign.add(address, ""),
        Address::Outside => {}
        Address::NoHost => faults.dead.add(address, " (no host)"),
        Address::Absolute => faults.dead.add(address, " (not relative)"),
        Address::AboveRoot => faults.dead.add(address, " (above the root)"),
        Address::Odd(path) if !is_there(path) => faults.dead.add(address, " (unknown scheme)"),
        Address::Path(path) if !is_there(path) => faults.dead.add(address, ""),
        Address::Odd(_) | Address::Path(_) => {}
    }
}

/// Returns true if readers find an entry by a path: they forgive namespaces where there are none, and
/// their absence where there are.
fn leads_somewhere(names: &Names, one_namespace: bool, path: &[u8]) -> bool {
    if names.contains(path) {
        return true;
    }
    match (one_namespace, path) {
        (true, [_, b'/', rest @ ..]) => names.contains(rest),
        (true, _) => false,
        (false, _) => [b"A/", b"I/", b"J/", b"-/"].iter().any(|n| names.contains(&[&n[..], path].concat())),
    }
}
