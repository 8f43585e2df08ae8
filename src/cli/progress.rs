//! How far the work is, and what it has to say meanwhile.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tome::item::Observer;

use super::args::Globals;
use super::{interrupt, talk};

/// A warning or error about a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    pub path: String,
    pub message: String,
}

/// How many messages of a kind are shown before they are only counted.
const SHOWN: u64 = 20;

/// How many messages are kept for JSON.
const KEPT: usize = 100_000;

/// How many kinds are told apart.
const KINDS: usize = 256;

/// Draws a bar on a terminal, shows warnings and errors, and remembers them.
pub struct Progress {
    bar: OnceLock<ProgressBar>,
    draws: bool,
    quiet: bool,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    warnings: Vec<Message>,
    errors: Vec<Message>,
    n_warnings: u64,
    n_errors: u64,
    /// By whether it is an error, and the beginning of the message.
    kinds: HashMap<(bool, String), u64>,
}

impl Progress {
    /// Returns a progress that draws nothing yet.
    pub fn new(globals: &Globals) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let draws = !globals.quiet && !globals.no_progress && !dumb && std::io::stderr().is_terminal();
        Self { bar: OnceLock::new(), draws, quiet: globals.quiet, log: Mutex::default() }
    }

    /// Begins to draw; `total` in bytes if it is known.
    pub fn start(&self, name: &str, total: Option<u64>) {
        if !self.draws {
            return;
        }
        let bar = self.bar.get_or_init(|| {
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        set_stage(bar, name, total);
    }

    /// Stops drawing, and says how many messages were not shown.
    pub fn finish(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
        let mut log = self.log();
        let mut more: Vec<((bool, String), u64)> =
            log.kinds.drain().filter(|(_, n)| *n > SHOWN).map(|(kind, n)| (kind, n - SHOWN)).collect();
        more.sort();
        for ((is_error, start), n) in more {
            let message = format!("{} more like this: {start}...", talk::grouped(n));
            match is_error {
                true => talk::error(&message),
                false if !self.quiet => talk::warning(&message),
                false => {}
            }
        }
    }

    /// Returns the number of warnings so far.
    pub fn n_warnings(&self) -> u64 {
        self.log().n_warnings
    }

    /// Returns the number of errors so far.
    pub fn n_errors(&self) -> u64 {
        self.log().n_errors
    }

    /// Takes the warnings that were kept.
    pub fn take_warnings(&self) -> Vec<Message> {
        let mut log = self.log();
        let n = log.n_warnings;
        rounded_off(std::mem::take(&mut log.warnings), n)
    }

    /// Takes the errors that were kept.
    pub fn take_errors(&self) -> Vec<Message> {
        let mut log = self.log();
        let n = log.n_errors;
        rounded_off(std::mem::take(&mut log.errors), n)
    }

    /// Returns an observer for a source, whose items another observer counts once they are done.
    pub fn of_source(&self) -> OfSource<'_> {
        OfSource(self)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn message(&self, is_error: bool, path: &str, message: &str) {
        let mut log = self.log();
        let Log { warnings, errors, n_warnings, n_errors, .. } = &mut *log;
        let (list, n) = if is_error { (errors, n_errors) } else { (warnings, n_warnings) };
        *n += 1;
        if list.len() < KEPT {
            list.push(Message { path: path.to_owned(), message: message.to_owned() });
        }
        let start: Vec<&str> = message.split_whitespace().take(3).collect();
        let mut kind = (is_error, start.join(" "));
        if log.kinds.len() >= KINDS && !log.kinds.contains_key(&kind) {
            kind.1 = "others".into();
        }
        let n = log.kinds.entry(kind).or_default();
        *n += 1;
        let shown = *n <= SHOWN && (is_error || !self.quiet);
        drop(log);
        if shown {
            let line = if path.is_empty() { message.to_owned() } else { format!("{path}: {message}") };
            let say = || if is_error { talk::error(&line) } else { talk::warning(&line) };
            match self.bar.get() {
                Some(bar) => bar.suspend(say),
                None => say(),
            }
        }
    }
}

fn rounded_off(mut list: Vec<Message>, n: u64) -> Vec<Message> {
    let more = n - list.len() as u64;
    if more > 0 {
        list.push(Message { path: String::new(), message: format!("and {more} more") });
    }
    list
}

fn set_stage(bar: &ProgressBar, name: &str, total: Option<u64>) {
    // Both templates are constants, so the plain style is never used.
    let style = |template: &str| {
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    };
    match total {
        Some(total) => {
            bar.set_length(total);
            bar.set_style(
                style(
                    "{msg} {bar:20} {percent:>3} %  {decimal_bytes} of {decimal_total_bytes}  \
                     {decimal_bytes_per_sec}  {eta} left",
                )
                .progress_chars("=> "),
            );
        }
        None => {
            bar.set_style(style("{spinner} {msg}  {decimal_bytes}  {decimal_bytes_per_sec}  {elapsed}"));
        }
    }
    bar.set_message(name.to_owned());
}

impl Observer for Progress {
    fn warning(&self, path: &str, message: &str) {
        self.message(false, path, message);
    }

    fn error(&self, path: &str, message: &str) {
        self.message(true, path, message);
    }

    fn advance(&self, _items: u64, bytes: u64) {
        if let Some(bar) = self.bar.get() {
            bar.inc(bytes);
        }
    }

    fn stage(&self, name: &str, total: Option<u64>) {
        // Drawing begins where the command says so, once its input is known to be good.
        if let Some(bar) = self.bar.get() {
            set_stage(bar, name, total);
        }
    }

    fn is_cancelled(&self) -> bool {
        interrupt::is_cancelled()
    }
}

/// Passes on what a source says, except for how far it is: its items are done only once they are
/// written.
pub struct OfSource<'a>(&'a Progress);

impl Observer for OfSource<'_> {
    fn warning(&self, path: &str, message: &str) {
        self.0.warning(path, message);
    }

    fn error(&self, path: &str, message: &str) {
        self.0.error(path, message);
    }

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floods_are_counted_and_kept_for_json() {
        let progress = Progress::new(&Globals { quiet: true, no_progress: true });
        for i in 0..50 {
            progress.warning(&format!("p{i}"), "leads out of the source");
        }
        progress.of_source().error("x", "cannot be read");
        assert_eq!((progress.n_warnings(), progress.n_errors()), (50, 1));
        assert_eq!(progress.take_warnings().len(), 50);
        assert_eq!(progress.take_errors()[0].path, "x");
        progress.finish();
    }
}
