//! Debian's kiwix-serve.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A kiwix-serve that ends with this.
pub struct Theirs {
    pub address: SocketAddr,
    child: Child,
}

/// Returns the program. Without one, says so and returns nothing; in CI that is a failure.
pub fn program() -> Option<PathBuf> {
    let program = PathBuf::from("kiwix-serve");
    if Command::new(&program).arg("--version").output().is_ok() {
        return Some(program);
    }
    assert!(std::env::var_os("CI").is_none(), "kiwix-serve is not there, and in CI it has to be");
    eprintln!("SKIPPED: kiwix-serve is not there");
    None
}

impl Theirs {
    /// Starts it over some files.
    pub fn over(program: &Path, files: &[PathBuf]) -> Self {
        // It cannot choose a port itself: one that was free just now is free, most often.
        for _ in 0..5 {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut command = Command::new(program);
            command.args(["--address", "127.0.0.1", "--threads", "2", "--port", &address.port().to_string()]);
            let child = command.args(files).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let mut theirs = Self { address, child };
            if theirs.answers() {
                return theirs;
            }
        }
        panic!("kiwix-serve does not start");
    }

    fn answers(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
