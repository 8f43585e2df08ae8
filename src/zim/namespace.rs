//! Namespaces, and the paths that are shown of them.

/// Content, in files that have one namespace for it.
pub(super) const CONTENT: u8 = b'C';
/// Metadata, in all files.
pub(super) const METADATA: u8 = b'M';
/// The main page, in new files.
pub(super) const WELL_KNOWN: u8 = b'W';
/// Listings and indexes, in all files.
pub(super) const INDEX: u8 = b'X';
/// Articles, in old files.
pub(super) const ARTICLES: u8 = b'A';

/// Namespaces of old files that hold no content: metadata, and indexes of two ages.
pub(super) const NOT_CONTENT: [u8; 3] = [METADATA, INDEX, b'Z'];

/// Returns true if a dirent of a namespace is an entry that people see.
///
/// In old files all letters but those of metadata and indexes are content.
pub(super) fn is_content(namespace: u8, one_namespace: bool) -> bool {
    if one_namespace { namespace == CONTENT } else { !NOT_CONTENT.contains(&namespace) }
}

/// Returns the path that is shown: in old files with the namespace before it.
pub(super) fn shown(namespace: u8, path: &[u8], one_namespace: bool) -> Vec<u8> {
    if one_namespace {
        return path.to_vec();
    }
    let mut out = vec![namespace, b'/'];
    out.extend_from_slice(path);
    out
}

/// Returns the namespace and path of a path that is shown, if it can be one.
pub(super) fn stored(shown: &[u8], one_namespace: bool) -> Option<(u8, &[u8])> {
    if one_namespace {
        return Some((CONTENT, shown));
    }
    match shown {
        [namespace, b'/', path @ ..] => Some((*namespace, path)),
        _ => None,
    }
}
