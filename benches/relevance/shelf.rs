//! The archive and the ZIM of a corpus, packed once and used again.

use std::path::PathBuf;
use std::time::Instant;

use tome::item::Silent;
use tome::reader::Archive;

use crate::Result;
use crate::common::{cache_folder, pack_folder};
use crate::corpora::{Corpus, Place};
use crate::peer::Python;

/// Returns the archive of a corpus, packed as `tome pack` does.
///
/// One that was packed before is used again, though the packer may have changed since; `fresh` is for
/// that.
pub fn archive(corpus: &Corpus, fresh: bool) -> Result<Archive> {
    let folder = match &corpus.place {
        Place::Archive(path) => return Ok(Archive::open(path)?),
        Place::Folder(folder) => folder,
    };
    let path = cache_folder().join(format!("{}.tome", corpus.name));
    if !fresh && let Some(archive) = Archive::open(&path).ok().filter(Archive::has_search) {
        return Ok(archive);
    }
    eprintln!("packing {}", path.display());
    let started = Instant::now();
    pack_folder(folder, &path, &Silent);
    let archive = Archive::open(&path)?;
    said("packed", started.elapsed().as_secs_f64(), archive.size());
    Ok(archive)
}

/// Returns the ZIM of a corpus, with a full-text index; of an archive that was given, the one beside
/// it, if there is one.
///
/// An old one is always good enough: its packer does not change with this crate.
pub fn zim(corpus: &Corpus, python: &Python) -> Result<Option<PathBuf>> {
    let folder = match &corpus.place {
        Place::Archive(path) => return Ok(Some(path.with_extension("zim")).filter(|zim| zim.is_file())),
        Place::Folder(folder) => folder,
    };
    let path = cache_folder().join(format!("{}.zim", corpus.name));
    if !path.is_file() {
        eprintln!("packing {}", path.display());
        let seconds = python.pack(folder, &path, corpus.language())?;
        said("packed by libzim", seconds, std::fs::metadata(&path)?.len());
    }
    Ok(Some(path))
}

fn said(what: &str, seconds: f64, bytes: u64) {
    eprintln!("{what} in {seconds:.1} s: {:.2} MB", bytes as f64 / 1e6);
}
