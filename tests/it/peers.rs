//! Programs of others that tests compare with: PyPI's libzim in Python, and Debian's zim-tools.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Returns a Python that has libzim: the system's, or one of a virtual environment in which it is
/// installed on first use. Without one, says so and returns nothing; in CI that is a failure.
pub fn python_with_libzim() -> Option<&'static PathBuf> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(|| found("libzim for Python", find_python())).as_ref()
}

/// Returns Debian's `zimcheck`, as [`python_with_libzim`] does.
pub fn zimcheck() -> Option<&'static PathBuf> {
    static ZIMCHECK: OnceLock<Option<PathBuf>> = OnceLock::new();
    let runs = || Command::new("zimcheck").arg("--version").output().is_ok();
    ZIMCHECK.get_or_init(|| found("zimcheck", runs().then(|| PathBuf::from("zimcheck")))).as_ref()
}

fn found(what: &str, path: Option<PathBuf>) -> Option<PathBuf> {
    if path.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{what} is not there, and in CI it has to be");
        eprintln!("SKIPPED: {what} is not there and cannot be installed");
    }
    path
}

fn find_python() -> Option<PathBuf> {
    let imports = |python: &PathBuf| {
        let output = Command::new(python).args(["-c", "import libzim.reader"]).output();
        output.is_ok_and(|o| o.status.success())
    };
    let system = PathBuf::from("python3");
    if imports(&system) {
        return Some(system);
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("libzim");
    let own = folder.join("bin/python");
    if imports(&own) {
        return Some(own);
    }
    Command::new(&system).args(["-m", "venv"]).arg(&folder).output().ok()?;
    Command::new(&own).args(["-m", "pip", "install", "--quiet", "libzim"]).output().ok()?;
    imports(&own).then_some(own)
}
