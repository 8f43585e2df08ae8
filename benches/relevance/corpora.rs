//! The corpora: which there are, and where.

use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::{Result, gcide};

/// What the suite's figures are about.
const NAMES: [&str; 6] = ["vital-en", "vital-fr", "vital-es", "cppreference", "rust-doc", "gcide"];

/// Pages to ask about.
pub struct Corpus {
    /// What it is called.
    pub name: String,
    pub place: Place,
}

/// Where a corpus is.
pub enum Place {
    /// A folder of pages, to be packed.
    Folder(PathBuf),
    /// An archive that somebody has packed.
    Archive(PathBuf),
}

impl Corpus {
    /// Returns its language as libzim wants it said, ISO 639-3: by the end of the name, else English.
    pub fn language(&self) -> &'static str {
        match self.name.rsplit_once('-').map(|(_, end)| end) {
            Some("de") => "deu",
            Some("es") => "spa",
            Some("fr") => "fra",
            Some("it") => "ita",
            Some("pt") => "por",
            Some("ru") => "rus",
            _ => "eng",
        }
    }
}

/// Returns the corpora to ask about; says aloud which are not there.
pub fn find(args: &Args) -> Result<Vec<Corpus>> {
    if !args.archives.is_empty() {
        let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let corpus = |path: &PathBuf| Corpus { name: name(path), place: Place::Archive(path.clone()) };
        return Ok(args.archives.iter().map(corpus).collect());
    }
    let home = std::env::var_os("TOME_CORPORA")
        .map_or_else(|| std::env::temp_dir().join("tome-corpora"), PathBuf::from);
    let given = |name: &str| args.folders.iter().find(|(known, _)| known == name);
    let wanted: Vec<&str> = if !args.corpora.is_empty() {
        args.corpora.iter().map(String::as_str).collect()
    } else if !args.folders.is_empty() {
        args.folders.iter().map(|(name, _)| name.as_str()).collect()
    } else {
        NAMES.to_vec()
    };
    let mut found = vec![];
    for name in wanted {
        let folder = given(name).map_or_else(|| home.join(name), |(_, folder)| folder.clone());
        match pages(name, &folder) {
            Ok(Some(folder)) => found.push(Corpus { name: name.into(), place: Place::Folder(folder) }),
            Ok(None) => eprintln!("{name}: {} is not there: skipped", folder.display()),
            Err(e) => eprintln!("{name}: {e}: skipped"),
        }
    }
    if found.is_empty() {
        return Err("no corpus is there; name a folder of pages with --corpus NAME=FOLDER".into());
    }
    Ok(found)
}

/// Returns the folder of a corpus's pages, made from a dictionary's files where it is one.
fn pages(name: &str, folder: &Path) -> Result<Option<PathBuf>> {
    if !folder.is_dir() {
        return Ok(None);
    }
    match gcide::Files::in_folder(folder) {
        Some(files) => gcide::pages(name, &files).map(Some),
        None => Ok(Some(folder.to_owned())),
    }
}
