//! Small ZIMs of any content, made byte by byte: what is asked for, right or wrong, stands in them.

use std::path::{Path, PathBuf};

use tome::storage::Owned;
use tome::zim::{Archive, OpenOptions};

/// An entry of content.
#[derive(Debug, Clone)]
pub struct ZimEntry {
    pub path: String,
    /// Empty for none of its own.
    pub title: String,
    pub body: ZimBody,
    pub is_front: bool,
}

#[derive(Debug, Clone)]
pub enum ZimBody {
    Page(String),
    Css(String),
    Redirect(String),
}

pub fn page(path: &str, title: &str, html: &str) -> ZimEntry {
    ZimEntry { path: path.into(), title: title.into(), body: ZimBody::Page(html.into()), is_front: true }
}

pub fn redirect(path: &str, title: &str, target: &str) -> ZimEntry {
    ZimEntry {
        path: path.into(),
        title: title.into(),
        body: ZimBody::Redirect(target.into()),
        is_front: true,
    }
}

/// Blobs of a cluster.
const PER_CLUSTER: usize = 10;

/// A ZIM, version 6.3, clusters as they are, and where its clusters begin.
pub struct ZimMade {
    pub bytes: Vec<u8>,
    pub clusters: Vec<usize>,
}

/// Makes a ZIM, whose UUID is of `id`.
pub fn make(id: u8, name: &str, entries: &[ZimEntry]) -> ZimMade {
    let mimes = ["text/html", "text/css", "text/plain", "application/octet-stream+zimlisting"];
    let mut rows: Vec<(u8, String, String, u16, Vec<u8>)> = vec![];
    for entry in entries {
        let (mime, bytes) = match &entry.body {
            ZimBody::Page(html) => (0, html.clone().into_bytes()),
            ZimBody::Css(css) => (1, css.clone().into_bytes()),
            ZimBody::Redirect(_) => (u16::MAX, vec![]),
        };
        rows.push((b'C', entry.path.clone(), entry.title.clone(), mime, bytes));
    }
    for (key, value) in [("Title", name), ("Language", "eng")] {
        rows.push((b'M', key.into(), String::new(), 2, value.into()));
    }
    rows.push((b'X', "listing/titleOrdered/v1".into(), String::new(), 3, vec![]));
    rows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let find = |path: &str| rows.iter().position(|r| r.0 == b'C' && r.1 == path).map_or(0, |at| at as u32);
    let mut front: Vec<&ZimEntry> = entries.iter().filter(|e| e.is_front).collect();
    front.sort_by_key(|e| if e.title.is_empty() { &e.path } else { &e.title });
    let listing: Vec<u8> = front.iter().flat_map(|e| find(&e.path).to_le_bytes()).collect();
    if let Some(last) = rows.last_mut() {
        last.4 = listing;
    }
    let find = |path: &str| rows.iter().position(|r| r.0 == b'C' && r.1 == path).map_or(0, |at| at as u32);

    let mut bytes = vec![0; 80];
    mimes.iter().for_each(|mime| bytes.extend_from_slice(&[mime.as_bytes(), &[0]].concat()));
    bytes.push(0);
    let blobs: Vec<&Vec<u8>> = rows.iter().filter(|r| r.3 != u16::MAX).map(|r| &r.4).collect();
    let mut clusters = vec![];
    for chunk in blobs.chunks(PER_CLUSTER) {
        clusters.push(bytes.len());
        bytes.push(1);
        let mut at = 4 * (chunk.len() as u32 + 1);
        bytes.extend_from_slice(&at.to_le_bytes());
        for blob in chunk {
            at += blob.len() as u32;
            bytes.extend_from_slice(&at.to_le_bytes());
        }
        chunk.iter().for_each(|blob| bytes.extend_from_slice(blob));
    }
    let (mut dirents, mut n) = (vec![], 0u32);
    for (namespace, path, title, mime, _) in &rows {
        dirents.push(bytes.len());
        bytes.extend_from_slice(&mime.to_le_bytes());
        bytes.extend_from_slice(&[0, *namespace, 0, 0, 0, 0]);
        if *mime == u16::MAX {
            let entry = entries.iter().find(|e| e.path == *path);
            let target = match entry.map(|e| &e.body) {
                Some(ZimBody::Redirect(target)) => find(target),
                _ => 0,
            };
            bytes.extend_from_slice(&target.to_le_bytes());
        } else {
            bytes.extend_from_slice(&(n / PER_CLUSTER as u32).to_le_bytes());
            bytes.extend_from_slice(&(n % PER_CLUSTER as u32).to_le_bytes());
            n += 1;
        }
        bytes.extend_from_slice(&[path.as_bytes(), &[0], title.as_bytes(), &[0]].concat());
    }
    let pointers = |bytes: &mut Vec<u8>, list: &[usize]| {
        let at = bytes.len() as u64;
        list.iter().for_each(|&p| bytes.extend_from_slice(&(p as u64).to_le_bytes()));
        at
    };
    let path_pointers = pointers(&mut bytes, &dirents);
    let cluster_pointers = pointers(&mut bytes, &clusters);
    let checksum = bytes.len() as u64;
    bytes.extend_from_slice(&[id; 16]);
    let mut head = b"ZIM\x04".to_vec();
    head.extend_from_slice(&[6, 0, 3, 0]);
    head.extend_from_slice(&[id; 16]);
    head.extend_from_slice(&(rows.len() as u32).to_le_bytes());
    head.extend_from_slice(&(clusters.len() as u32).to_le_bytes());
    for at in [path_pointers, u64::MAX, cluster_pointers, 80] {
        head.extend_from_slice(&at.to_le_bytes());
    }
    head.extend_from_slice(&[0xff; 8]);
    head.extend_from_slice(&checksum.to_le_bytes());
    bytes[..80].copy_from_slice(&head);
    sign(&mut bytes);
    ZimMade { bytes, clusters }
}

/// Writes the checksum that the bytes of a ZIM have.
pub fn sign(bytes: &mut [u8]) {
    let zim = Archive::from_storage(Box::new(Owned(bytes.to_vec())), &OpenOptions::default()).unwrap();
    let checksum = zim.compute_checksum(&|| false).unwrap();
    let start = bytes.len() - checksum.len();
    bytes[start..].copy_from_slice(&checksum);
}

/// Makes a ZIM in a folder.
pub fn write(folder: &Path, id: u8, name: &str, entries: &[ZimEntry]) -> PathBuf {
    let path = folder.join(format!("{name}.zim"));
    std::fs::write(&path, make(id, name, entries).bytes).unwrap();
    path
}
