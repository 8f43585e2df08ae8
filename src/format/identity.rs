//! The identity of content, however it was packed.

use super::entry::Class;
use crate::item::{Kind, Metadata};

/// Puts content into the identity of the content: each string with its length before it.
#[derive(Default)]
struct ContentId(blake3::Hasher);

impl ContentId {
    fn string(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }
}

/// What stands for the hash of bytes that lie elsewhere.
pub const ELSEWHERE: [u8; 32] = [0; 32];

/// Computes the identity of content. FORMAT.md says what goes into it.
#[derive(Default)]
pub struct Identity(ContentId);

impl Identity {
    /// Adds an entry; entries come in path order.
    pub fn entry(&mut self, path: &str, kind: Kind, title: &str, mime: &str, body: IdentityBody<'_>) {
        let id = &mut self.0;
        id.string(path.as_bytes());
        id.0.update(&[Class::number(kind)]);
        id.string(title.as_bytes());
        id.string(mime.as_bytes());
        match body {
            IdentityBody::Blob(hash) => {
                id.0.update(hash);
            }
            IdentityBody::Redirect(target, fragment) => {
                id.string(target.as_bytes());
                id.0.update(&[u8::from(fragment.is_some())]);
                id.string(fragment.unwrap_or("").as_bytes());
            }
        }
    }

    /// Adds the metadata and the main page's path, and returns the identity.
    pub fn finish(mut self, metadata: &Metadata, main: Option<&str>) -> [u8; 32] {
        // No path is as long as this says, so nothing before can look like it.
        self.0.0.update(&u64::MAX.to_le_bytes());
        for (key, value) in metadata.iter() {
            self.0.string(key.as_bytes());
            self.0.string(value.mime.as_bytes());
            self.0.string(&value.bytes);
        }
        self.0.0.update(&u64::MAX.to_le_bytes());
        self.0.0.update(&[u8::from(main.is_some())]);
        self.0.string(main.unwrap_or("").as_bytes());
        *self.0.0.finalize().as_bytes()
    }
}

/// What an entry holds, for the identity.
pub enum IdentityBody<'a> {
    /// The BLAKE3-256 of its bytes.
    Blob(&'a [u8; 32]),
    /// The target's path and the place in it.
    Redirect(&'a str, Option<&'a str>),
}
