//! The sample corpus that comes with the program, packed on the spot: so that whoever starts the server
//! without an archive sees a real one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rust_embed::Embed;
use tempfile::TempDir;
use tome::error::Error;
use tome::item::{Silent, Source};
use tome::sources::redirects::RedirectList;
use tome::sources::{self, Options};
use tome::writer::{self, Writer};

use super::Failure;

#[derive(Embed)]
#[folder = "archives/sample"]
struct Files;

/// Redirects that no file stands for.
const REDIRECTS: &str = include_str!("../../archives/redirects.tsv");

/// An archive in a folder that is deleted with this.
pub struct Sample {
    /// The archive.
    pub path: PathBuf,
    _folder: TempDir,
}

/// Packs the sample.
pub fn pack() -> Result<Sample, Failure> {
    let failed = |action| move |source| Error::Io { action, path: std::env::temp_dir(), source };
    let folder = tempfile::Builder::new()
        .prefix("tome-sample-")
        .tempdir()
        .map_err(failed("make a folder for the sample in"))?;
    let files = folder.path().join("files");
    write(&files).map_err(failed("write the sample to"))?;
    let list = folder.path().join("redirects.tsv");
    std::fs::write(&list, REDIRECTS).map_err(failed("write the sample to"))?;
    let path = folder.path().join("sample.tome");
    let mut writer = Writer::create(&path, writer::Options::default(), &Silent)?;
    let about = sources::open(&files, "", Options::default())?.run(&mut writer, &Silent)?;
    RedirectList::open(&list)?.run(&mut writer, &Silent)?;
    writer.finish(&about)?;
    Ok(Sample { path, _folder: folder })
}

/// Writes the files as they are in the folder that they come from, where a link is a redirect.
fn write(folder: &Path) -> std::io::Result<()> {
    let mut seen: HashMap<[u8; 32], PathBuf> = HashMap::new();
    let mut names: Vec<_> = Files::iter().collect();
    // A file's own name comes before those of links to it if it is the shorter one.
    names.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    for name in names {
        let Some(file) = Files::get(&name) else { continue };
        let path = folder.join(&*name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        // Links were followed when the program was built.
        let hash = file.metadata.sha256_hash();
        let is_page = path.extension().is_some_and(|e| e == "html");
        match seen.get(&hash).filter(|_| is_page) {
            Some(other) if link(other, &path).is_ok() => {}
            _ => std::fs::write(&path, &file.data)?,
        }
        seen.entry(hash).or_insert(path);
    }
    Ok(())
}

fn link(to: &Path, at: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::symlink(to, at);
    #[cfg(not(unix))]
    std::fs::copy(to, at).map(|_| ())
}
