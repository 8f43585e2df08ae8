//! What was made for kiwix-serve works with us: the same addresses are asked of both.

mod addresses;
mod catalog;
mod data;
mod theirs;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::house::{Ours, pack, png};
use crate::peers::python_with_libzim;
use theirs::Theirs;

/// Archives of all kinds that kiwix-serve can read, and both servers over them.
struct Both {
    ours: Ours,
    theirs: Theirs,
    folder: tempfile::TempDir,
    /// True if the archive is there that libzim made, with indexes of its own.
    has_odd: bool,
    /// True if those of the openZIM test suite are there.
    has_suite: bool,
}

/// Starts both; nothing if kiwix-serve is missing, which is said.
fn both() -> Option<Both> {
    let program = theirs::program()?;
    let folder = tempfile::tempdir().unwrap();
    let mut files = archives(folder.path());
    let odd = folder.path().join("odd.zim");
    let has_odd = python_with_libzim().is_some_and(|python| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zim_peer.py");
        Command::new(python).arg(script).arg("make").arg(&odd).output().unwrap().status.success()
    });
    if has_odd {
        files.push(odd);
    }
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/zim-suite");
    let suite: Vec<PathBuf> =
        ["withns/small.zim", "nons/wikibooks_be_all_nopic_2017-02.zim"].map(|name| suite.join(name)).into();
    let has_suite = suite.iter().all(|file| file.exists());
    if has_suite {
        files.extend(suite);
    } else {
        eprintln!("SKIPPED: the suite's archives are not there; the others are compared");
    }
    let theirs = Theirs::over(&program, &files);
    Some(Both { ours: Ours::over(files), theirs, folder, has_odd, has_suite })
}

/// Packs a small corpus with names that have to be encoded, and one whose file's name kiwix-serve changes.
fn archives(folder: &Path) -> Vec<PathBuf> {
    let corpus = folder.join("corpus");
    std::fs::create_dir_all(corpus.join("sub dir")).unwrap();
    let page = |title: &str, text: &str| {
        format!(
            "<!doctype html><html lang=\"en\"><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"
        )
    };
    for (name, title, text) in [
        ("index", "Harbour Almanac", "Tides and ships. <a href=\"Tide.html\">Tide</a>"),
        ("Tide", "Tide", "The tide is the rise and fall of the sea."),
        ("Tide table", "Tide table", "A table of tides for a harbour."),
        ("Lighthouse", "Lighthouse", "A lighthouse shows ships the way by night."),
        ("What?", "What?", "A question mark in a name."),
        ("100% wool", "100% wool", "A percent sign."),
        ("Škoda ß 東京", "Škoda ß 東京", "Letters beyond ASCII."),
        ("sub dir/index", "Below", "A page in a folder."),
    ] {
        std::fs::write(corpus.join(format!("{name}.html")), page(title, text)).unwrap();
    }
    std::fs::write(corpus.join("style.css"), "body { color: #222 }").unwrap();
    std::fs::write(corpus.join("sub dir/a b.js"), "alert(1)").unwrap();
    std::fs::write(corpus.join("picture.png"), png(64)).unwrap();
    // Longer than what is answered in one piece.
    let sound: Vec<u8> = b"OggS".iter().copied().chain((0..3 << 20).map(|n: u32| (n / 7) as u8)).collect();
    std::fs::write(corpus.join("sound.ogg"), sound).unwrap();
    let redirects = folder.join("redirects.tsv");
    std::fs::write(&redirects, "Low water\tLow water\tTide.html\nEbb\tEbb\tLow water\n").unwrap();
    let icon = folder.join("icon.png");
    std::fs::write(&icon, png(48)).unwrap();
    let (redirects, icon) = (redirects.to_str().unwrap(), icon.to_str().unwrap());
    let harbour = folder.join("harbour.zim");
    let args = [
        "--redirects",
        redirects,
        "--icon",
        icon,
        "--title",
        "Harbour Almanac",
        "--language",
        "en",
        "--date",
        "2024-05-06",
        "--description",
        "Tides & ships <of> all sorts",
        "--creator",
        "A. Keeper",
        "--publisher",
        "Port Office",
        "--tag",
        "sea",
        "--tag",
        "_category:maritime",
    ];
    pack(&args, &corpus, &harbour);
    let phare = folder.join("Le phare+é_2023-05.zim");
    let args = [
        "--title",
        "Le Phare",
        "--language",
        "fr",
        "--date",
        "2023-01-02",
        "--description",
        "Les phares de nuit",
        "--creator",
        "J. Gardien",
        "--publisher",
        "Bureau",
        "--tag",
        "mer",
        "--include",
        "Tide*",
        "--include",
        "index.html",
    ];
    pack(&args, &corpus, &phare);
    vec![harbour, phare]
}
