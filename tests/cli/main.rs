//! Tests of the program as people call it: arguments in; stdout, stderr and status out. What the
//! library promises is tested in `tests/it`.

#![allow(clippy::unwrap_used, reason = "a failing test may say so by panicking, its helpers included")]

mod convert;
mod exit_status;
mod extract;
mod help;
mod interrupted;
mod json;
mod list;
mod pack;
mod read;
mod search;
mod suggest;
mod verify;
mod zim;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use assert_cmd::Command;

/// The sample corpus, packed once for all tests.
static SAMPLE: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("sample.tome");
    let redirects = home().join("archives/redirects.tsv");
    let out = tome()
        .args(["pack", "-q", "--redirects"])
        .arg(redirects)
        .arg("-o")
        .arg(&archive)
        .arg(sample_folder())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    (folder, archive)
});

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sample_folder() -> PathBuf {
    home().join("archives/sample")
}

/// Returns the path of the packed sample corpus.
fn sample() -> &'static Path {
    &SAMPLE.1
}

/// A cache that is not the user's.
static CACHE: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// Returns the program, in an environment that says nothing.
fn tome() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tome"));
    for name in ["NO_COLOR", "PAGER", "LESS", "COLUMNS"] {
        command.env_remove(name);
    }
    command.env("XDG_CACHE_HOME", CACHE.path());
    command
}

/// What a run gave.
struct Run {
    status: i32,
    stdout: String,
    stderr: String,
}

/// Runs the program; what it writes has to be UTF-8.
fn run<S: AsRef<OsStr>>(args: &[S]) -> Run {
    let out = tome().args(args).output().unwrap();
    Run {
        status: out.status.code().unwrap(),
        stdout: String::from_utf8(out.stdout).unwrap(),
        stderr: String::from_utf8(out.stderr).unwrap(),
    }
}

/// Runs a command on an archive.
fn on(archive: &Path, command: &str, args: &[&str]) -> Run {
    let mut all = vec![OsStr::new(command), archive.as_os_str()];
    all.extend(args.iter().map(OsStr::new));
    run(&all)
}

/// Packs a folder that holds these files.
fn packed(files: &[(&str, &[u8])], args: &[&str]) -> (tempfile::TempDir, PathBuf, Run) {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    for (name, bytes) in files {
        let path = corpus.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let archive = folder.path().join("a.tome");
    let mut all = vec![OsStr::new("pack"), corpus.as_os_str(), OsStr::new("-o"), archive.as_os_str()];
    all.extend(args.iter().map(OsStr::new));
    let result = run(&all);
    (folder, archive, result)
}

/// Fails if a text holds what a terminal would obey.
fn assert_harmless(text: &str) {
    let bad = text.chars().find(|&c| {
        (c.is_control() && c != '\n' && c != '\t')
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || c == '\u{feff}'
    });
    assert!(bad.is_none(), "{bad:?} in {text:?}");
}
