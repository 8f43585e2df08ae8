//! Where rendered text goes: the terminal, by way of a pager.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::process::{Child, Command, Stdio};

/// Returns the columns to render for: the terminal's that stdout is, else `COLUMNS`, else 80.
pub fn terminal_width() -> usize {
    window_columns()
        .or_else(|| std::env::var("COLUMNS").ok()?.trim().parse().ok())
        .filter(|&columns| columns > 0)
        .unwrap_or(80)
}

#[cfg(unix)]
fn window_columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|&columns| columns > 0)
}

#[cfg(not(unix))]
fn window_columns() -> Option<usize> {
    None
}

/// Returns true if stdout is a terminal that shows bold and underlined, and nobody asked for plain
/// text (`NO_COLOR`, `TERM=dumb`).
pub fn wants_style() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal()
        && !set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Shows rendered text: through a pager if stdout is a terminal, else as it is.
///
/// The pager is `PAGER`, or `less -FRX` (which ends at once if the text fits the screen); an empty
/// `PAGER`, `cat`, or one that does not start means none. A reader that has seen enough and closes
/// the pipe is no error.
///
/// # Errors
///
/// Fails if stdout or the pager's input cannot be written for another reason.
pub fn show(text: &str) -> io::Result<()> {
    if io::stdout().is_terminal()
        && let Some(mut child) = pager(std::env::var_os("PAGER").as_deref())
    {
        let written = match child.stdin.take() {
            Some(mut input) => write_quietly(&mut input, text),
            None => Ok(()),
        };
        // The input is closed by now, so that the pager knows the end.
        // These are what a shell says of a program that it cannot start.
        if !matches!(child.wait()?.code(), Some(126 | 127)) {
            return written;
        }
    }
    write_quietly(&mut io::stdout().lock(), text)
}

/// Writes all of a text; a closed pipe ends it without an error.
fn write_quietly(output: &mut impl Write, text: &str) -> io::Result<()> {
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Starts the pager that the user asks for.
fn pager(wanted: Option<&OsStr>) -> Option<Child> {
    let (mut command, is_default) = match wanted {
        Some(wanted) if is_no_pager(wanted) => return None,
        Some(wanted) => (shell(wanted), false),
        None => (Command::new("less"), true),
    };
    if is_default {
        command.arg("-FRX");
    } else if std::env::var_os("LESS").is_none() {
        // For a `PAGER=less`, which without `-R` shows styles as noise.
        command.env("LESS", "FRX");
    }
    command.stdin(Stdio::piped()).spawn().ok()
}

fn is_no_pager(wanted: &OsStr) -> bool {
    wanted.to_str().is_some_and(|wanted| matches!(wanted.trim(), "" | "cat"))
}

/// `PAGER` is a command line for the shell, by the convention of `man` and others.
#[cfg(unix)]
fn shell(line: &OsStr) -> Command {
    let mut command = Command::new("sh");
    let mut exec = OsString::from("exec ");
    exec.push(line);
    command.arg("-c").arg(exec);
    command
}

#[cfg(not(unix))]
fn shell(line: &OsStr) -> Command {
    let line = line.to_string_lossy();
    let mut words = line.split_whitespace().map(OsString::from);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        assert!(write_quietly(&mut Closed, "text").is_ok());
    }

    #[test]
    fn no_pager_on_request() {
        for wanted in ["", " ", "cat"] {
            assert!(pager(Some(OsStr::new(wanted))).is_none());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pager_gets_the_text() {
        let mut child = pager(Some(OsStr::new("cat > /dev/null"))).expect("sh is there");
        write_quietly(&mut child.stdin.take().expect("piped"), "text").expect("sh reads");
        assert!(child.wait().expect("ends").success());
    }

    #[test]
    fn there_is_always_a_width() {
        assert!(terminal_width() > 0);
    }
}
