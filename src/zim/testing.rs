//! A small maker of ZIM files for tests, which makes wrong ones as readily as right ones.

use super::{Archive, EntryBody, OpenOptions};
use crate::codec;
use crate::error::Result;
use crate::item::Kind;
use crate::storage::{Owned, Storage};

/// A ZIM in parts, each of which may be nonsense.
#[derive(Clone)]
pub(crate) struct Build {
    pub major: u16,
    pub minor: u16,
    pub mimes: Vec<u8>,
    /// Encoded dirents, in the order of the path pointers.
    pub dirents: Vec<Vec<u8>>,
    /// Clusters with their info bytes.
    pub clusters: Vec<Vec<u8>>,
    /// The list by titles in the header, if there is one.
    pub titles: Option<Vec<u32>>,
    pub main: u32,
    /// A header of 72 bytes and no checksum.
    pub old_header: bool,
    /// Lists before dirents and clusters.
    pub lists_first: bool,
}

/// Returns a dirent with bytes.
pub(crate) fn blob(ns: u8, path: &str, title: &str, mime: u16, cluster: u32, blob: u32) -> Vec<u8> {
    raw_blob(ns, path.as_bytes(), title.as_bytes(), mime, cluster, blob)
}

pub(crate) fn raw_blob(ns: u8, path: &[u8], title: &[u8], mime: u16, cluster: u32, blob: u32) -> Vec<u8> {
    let mut out = mime.to_le_bytes().to_vec();
    out.extend([0, ns, 0, 0, 0, 0]);
    out.extend(cluster.to_le_bytes());
    out.extend(blob.to_le_bytes());
    [&out[..], path, &[0], title, &[0]].concat()
}

/// Returns a redirect's dirent.
pub(crate) fn redirect(ns: u8, path: &str, title: &str, target: u32) -> Vec<u8> {
    let mut out = vec![0xff, 0xff, 0, ns, 0, 0, 0, 0];
    out.extend(target.to_le_bytes());
    [&out[..], path.as_bytes(), &[0], title.as_bytes(), &[0]].concat()
}

/// Returns the bytes of a cluster before compression.
pub(crate) fn blobs(blobs: &[&[u8]], extended: bool) -> Vec<u8> {
    let width = if extended { 8 } else { 4 };
    let mut at = (blobs.len() as u64 + 1) * width;
    let mut out = vec![];
    let mut push = |at: u64| out.extend_from_slice(&at.to_le_bytes()[..width as usize]);
    push(at);
    for blob in blobs {
        at += blob.len() as u64;
        push(at);
    }
    out.extend(blobs.concat());
    out
}

/// Returns a stored cluster.
pub(crate) fn stored(parts: &[&[u8]]) -> Vec<u8> {
    [&[1], &blobs(parts, false)[..]].concat()
}

/// Returns a zstd cluster.
pub(crate) fn zstd(parts: &[&[u8]]) -> Vec<u8> {
    [&[5], &codec::compress(&blobs(parts, false), 3)[..]].concat()
}

impl Build {
    /// A new-scheme file with two pages, a redirect, a picture, metadata and lists by title.
    pub fn small() -> Self {
        let list = |indexes: &[u32]| indexes.iter().flat_map(|i| i.to_le_bytes()).collect::<Vec<u8>>();
        let titles = vec![2, 0, 1, 3, 4, 5, 6];
        Self {
            major: 6,
            minor: 1,
            mimes: b"application/octet-stream+zimlisting\0image/png\0text/html\0text/plain\0\0".to_vec(),
            dirents: vec![
                blob(b'C', "b/page", "Page the second", 2, 0, 1),
                redirect(b'C', "other", "Page, the other name", 0),
                blob(b'C', "page", "A page", 2, 0, 0),
                blob(b'C', "picture.png", "", 1, 1, 0),
                blob(b'M', "Title", "", 3, 0, 2),
                redirect(b'W', "mainPage", "", 2),
                blob(b'X', "listing/titleOrdered/v1", "", 0, 1, 1),
            ],
            clusters: vec![
                zstd(&[b"<p>first", b"<p>second", b"Small"]),
                stored(&[b"\x89PNG not really", &list(&[2, 0, 1])]),
            ],
            titles: Some(titles),
            main: 5,
            old_header: false,
            lists_first: false,
        }
    }

    /// An old-scheme file, without a list of articles.
    pub fn old() -> Self {
        Self {
            major: 5,
            minor: 0,
            mimes: b"image/png\0text/css\0text/html\0text/plain\0\0".to_vec(),
            dirents: vec![
                redirect(b'-', "favicon", "", 5),
                blob(b'-', "style.css", "", 1, 0, 0),
                blob(b'A', "Page", "A page", 2, 0, 1),
                redirect(b'A', "Seite", "", 2),
                blob(b'A', "script.css", "", 1, 0, 0),
                blob(b'I', "icon.png", "", 0, 0, 2),
                blob(b'M', "Title", "", 3, 0, 3),
            ],
            clusters: vec![stored(&[b"a{}", b"<p>page", b"\x89PNG", b"Old"])],
            titles: Some(vec![0, 1, 2, 3, 4, 5, 6]),
            main: 2,
            old_header: false,
            lists_first: false,
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let start = if self.old_header { 72 } else { 80 };
        let mut body = self.mimes.clone();
        let (n_dirents, n_clusters) = (self.dirents.len(), self.clusters.len());
        let lists_len = 8 * (n_dirents + n_clusters) + self.titles.as_ref().map_or(0, |t| 4 * t.len());
        let lists_at = body.len();
        if self.lists_first {
            body.resize(body.len() + lists_len, 0);
        }
        let mut put = |parts: &[Vec<u8>]| -> Vec<u64> {
            let mut out = vec![];
            for part in parts {
                out.push((start + body.len()) as u64);
                body.extend_from_slice(part);
            }
            out
        };
        let (dirents, clusters) = (put(&self.dirents), put(&self.clusters));
        let mut lists: Vec<u8> = dirents.iter().flat_map(|at| at.to_le_bytes()).collect();
        let clusters_at = lists.len();
        lists.extend(clusters.iter().flat_map(|at| at.to_le_bytes()));
        let titles_at = lists.len();
        lists.extend(self.titles.iter().flatten().flat_map(|index| index.to_le_bytes()));
        let lists_at = if self.lists_first {
            body[lists_at..lists_at + lists_len].copy_from_slice(&lists);
            start + lists_at
        } else {
            body.extend_from_slice(&lists);
            start + body.len() - lists_len
        } as u64;
        let mut out = b"ZIM\x04".to_vec();
        out.extend(self.major.to_le_bytes());
        out.extend(self.minor.to_le_bytes());
        out.extend([7; 16]);
        out.extend((n_dirents as u32).to_le_bytes());
        out.extend((n_clusters as u32).to_le_bytes());
        out.extend(lists_at.to_le_bytes());
        let titles = if self.titles.is_some() { lists_at + titles_at as u64 } else { u64::MAX };
        out.extend(titles.to_le_bytes());
        out.extend((lists_at + clusters_at as u64).to_le_bytes());
        out.extend((start as u64).to_le_bytes());
        out.extend(self.main.to_le_bytes());
        out.extend(u32::MAX.to_le_bytes());
        if self.old_header {
            out.extend(body);
            return out;
        }
        out.extend(((start + body.len()) as u64).to_le_bytes());
        out.extend(body);
        let checksum = <md5::Md5 as md5::Digest>::digest(&out);
        out.extend_from_slice(&checksum);
        out
    }

    pub fn open(&self) -> Archive {
        open(&self.bytes()).unwrap()
    }
}

pub(crate) fn open(bytes: &[u8]) -> Result<Archive> {
    Archive::from_storage(Box::new(Owned(bytes.to_vec())), &OpenOptions::default())
}

/// Bytes that are not given as a whole, and each time as a copy, as a file read by position does.
pub(crate) struct ByPieces(pub Vec<u8>);

impl Storage for ByPieces {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, range: std::ops::Range<u64>) -> Result<std::borrow::Cow<'_, [u8]>> {
        assert!(range.end <= self.len() && range.start <= range.end, "{range:?} of {}", self.len());
        // No more than a few megabytes are ever asked for at once, whatever the file claims.
        assert!(range.end - range.start <= 8 << 20, "{range:?}");
        Ok(std::borrow::Cow::Owned(self.0[range.start as usize..range.end as usize].to_vec()))
    }

    fn is_stable(&self) -> bool {
        false
    }
}

/// Calls everything that reads, and tells what it gave.
pub(crate) fn read_everything(zim: &Archive) -> Vec<String> {
    let mut told = vec![];
    let mut tell = |what: &str, result: Result<String>| {
        told.push(format!("{what}: {}", result.unwrap_or_else(|e| e.to_string())));
    };
    let entry = |e: Option<super::Entry>| format!("{e:?}");
    tell("main", zim.main_entry().map(entry));
    tell("n", zim.n_content().map(|n| n.to_string()));
    tell("articles", zim.n_articles().map(|n| n.to_string()));
    tell("article count", zim.article_count().map(|n| n.to_string()));
    tell("media count", zim.media_count().map(|n| n.to_string()));
    tell("counts", zim.counts().map(|n| format!("{n:?}")));
    tell("metadata", zim.metadata().map(|n| format!("{n:?}")));
    tell("illustration", zim.illustration(48).map(|n| format!("{n:?}")));
    tell("illustrations", zim.illustrations().map(|n| format!("{n:?}")));
    tell("random", zim.random_article(1 << 63).map(entry));
    tell("checksum", zim.declared_checksum().map(|n| format!("{n:?}")));
    for key in ["A page", "page", "", "\u{f8ff}ff"] {
        tell("path", zim.entry_by_path(key).map(entry));
        tell("old path", zim.entry_by_old_path(key).map(entry));
        tell("title", zim.entries_by_title(key).map(|n| format!("{n:?}")));
        tell("titles", zim.entries_by_title_prefix(key, 3).map(|n| format!("{n:?}")));
        tell("prefix", zim.entries_with_prefix(key).map(|n| n.count().to_string()));
    }
    let mut ordered = 0;
    match zim.entries_in_cluster_order() {
        Ok(entries) => ordered = entries.count(),
        Err(e) => tell("cluster order", Err(e)),
    }
    let mut n = 0;
    for found in zim.entries() {
        n += 1;
        let found = match found {
            Ok(found) => found,
            Err(e) => {
                tell("entry", Err(e));
                continue;
            }
        };
        tell("found", zim.entry_by_path(&found.path).map(entry));
        tell("length", zim.content_len(&found).map(|n| n.to_string()));
        tell("resolved", zim.resolve(found.clone()).map(entry));
        let content = zim.content(&found);
        let mut copy = vec![];
        let copied = zim.copy_content(&found, &mut copy);
        if let Ok(content) = &content
            && !matches!(found.body, EntryBody::Redirect { .. })
        {
            assert_eq!((content.to_vec(), content.len() as u64), (copy, zim.content_len(&found).unwrap()));
            let part = zim.content_range(&found, 1..3).unwrap();
            assert_eq!(*part, content[content.len().min(1)..content.len().min(3)]);
        }
        assert_eq!(content.is_ok(), copied.is_ok());
        assert!(found.kind() == Kind::Redirect || !found.mime().is_empty() || content.is_err() || n > 0);
        tell(&format!("content of {found:?}"), content.map(|c| format!("{:?}", &*c)));
    }
    assert_eq!(n, ordered);
    for cluster in 0..zim.header().n_clusters.min(100) {
        tell("cluster", zim.check_cluster(cluster).map(|n| n.to_string()));
    }
    told
}

/// Reads everything in both ways of reading, which must tell the same; returns it, or the error of opening.
pub(crate) fn read_both_ways(bytes: &[u8]) -> Result<Vec<String>> {
    let options = OpenOptions::default();
    let whole = open(bytes).map(|zim| read_everything(&zim));
    let pieces = Archive::from_storage(Box::new(ByPieces(bytes.to_vec())), &options);
    let pieces = pieces.map(|zim| read_everything(&zim));
    match (&whole, &pieces) {
        (Ok(a), Ok(b)) => assert_eq!(a, b),
        (Err(a), Err(b)) => assert_eq!(a.to_string(), b.to_string()),
        _ => panic!("{whole:?} {pieces:?}"),
    }
    whole
}
