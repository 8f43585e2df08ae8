//! The command line.

use std::path::PathBuf;

use crate::Result;
use crate::queries::Class;

/// What was asked for.
pub struct Args {
    /// The first number of all queries.
    pub seed: u64,
    /// How many queries of each class; fewer where a corpus gives fewer.
    pub queries: usize,
    /// The corpora by name; none for all.
    pub corpora: Vec<String>,
    /// Folders by name, beside or in place of the known ones.
    pub folders: Vec<(String, PathBuf)>,
    /// Archives to ask in place of corpora.
    pub archives: Vec<PathBuf>,
    /// The classes by name; none for all.
    pub classes: Vec<String>,
    /// The classes whose misses are printed.
    pub misses: Vec<String>,
    /// Whether a ZIM is asked as well.
    pub peer: bool,
    /// The interpreter that has `libzim`.
    pub python: String,
    /// Packs anew what has been packed.
    pub fresh: bool,
    /// Prints one object a line in place of tables.
    pub json: bool,
}

impl Args {
    /// Reads the command line.
    pub fn parse() -> Result<Self> {
        let mut args = Self {
            seed: 1,
            queries: 1000,
            corpora: vec![],
            folders: vec![],
            archives: vec![],
            classes: vec![],
            misses: vec![],
            peer: true,
            python: "python3".into(),
            fresh: false,
            json: false,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--seed" => args.seed = value()?.parse()?,
                "--queries" => args.queries = value()?.parse()?,
                "--corpora" => args.corpora = list(&value()?),
                "--corpus" => {
                    let value = value()?;
                    let (name, folder) = value.split_once('=').ok_or("--corpus wants NAME=FOLDER")?;
                    args.folders.push((name.into(), folder.into()));
                }
                "--archive" => args.archives.push(value()?.into()),
                "--classes" => args.classes = list(&value()?),
                "--misses" => args.misses = list(&value()?),
                "--python" => args.python = value()?,
                "--no-peer" => args.peer = false,
                "--fresh" => args.fresh = true,
                "--json" => args.json = true,
                // Cargo's own.
                "--bench" => {}
                _ => return Err(format!("{word}: no such option").into()),
            }
        }
        for name in args.classes.iter().chain(&args.misses) {
            if !Class::all().any(|class| class.name == name) {
                let names: Vec<&str> = Class::all().map(|class| class.name).collect();
                return Err(format!("{name}: no such class; there are {}", names.join(", ")).into());
            }
        }
        Ok(args)
    }

    /// Returns true if a class is to be asked.
    pub fn wants(&self, class: &Class) -> bool {
        self.classes.is_empty() || self.classes.iter().any(|name| name == class.name)
    }
}

fn list(value: &str) -> Vec<String> {
    value.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
