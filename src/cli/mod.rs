//! The command line: a thin layer over the library, one file per subcommand.
//!
//! stdout is data and stderr is talk. Whatever comes from an archive is text by strangers: it passes
//! through [`output`] on its way out, which lets no control character through, as itself or in JSON.
//! A command returns its [`Status`], or a [`Failure`] that [`main`] prints.

mod args;
mod convert;
mod extract;
mod index;
mod info;
mod interrupt;
mod list;
mod manual;
mod open;
mod output;
mod pack;
mod page;
mod progress;
mod random;
mod read;
#[cfg(feature = "server")]
mod sample;
mod search;
#[cfg(feature = "server")]
mod serve;
mod suggest;
mod talk;
mod target;
mod verify;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use tome::error::Error;

use args::{Cli, Command};

/// How a command that came to its end has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Done, or yes.
    Yes,
    /// The answer is no.
    No,
    /// Not all of it could be done; what could not was said.
    Partial,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub struct Failure {
    message: String,
    hints: Vec<String>,
    /// The reader of our output has gone: nothing to say, and nothing wrong.
    is_closed_pipe: bool,
}

impl Failure {
    /// Returns a failure with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hints: vec![], is_closed_pipe: false }
    }

    /// Adds what the user could do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns the failure of an error met in an archive, which mostly does not know its file.
    pub fn of_archive(path: &Path, error: Error) -> Self {
        let damaged = error.is_damage();
        let mut failure = match error {
            Error::Io { .. } | Error::InvalidInput(_) | Error::Interrupted => Self::from(error),
            error => Self::new(format!("{}: {error}", path.display())),
        };
        if damaged {
            let hint = format!("`tome verify {}` says what is damaged", path.display());
            failure.hints.push(hint);
        }
        failure
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let is_closed_pipe = matches!(&error, Error::Io { source, .. } if is_closed(source));
        Self { is_closed_pipe, ..Self::new(error.to_string()) }
    }
}

fn is_closed(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::BrokenPipe
}

/// What a command returns.
pub type Outcome = Result<Status, Failure>;

/// Runs the program.
pub fn main() -> ExitCode {
    tome::storage::guard_faults();
    tome::storage::refuse_long_files();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            if error.use_stderr() {
                // It repeats arguments, which may be names by strangers.
                talk::lines(&error.render().to_string());
                return ExitCode::from(code);
            }
            let printed = error.print().and_then(|()| std::io::stdout().flush());
            return match printed {
                Err(e) if !is_closed(&e) => {
                    talk::error(&format!("cannot write: {e}"));
                    ExitCode::from(2)
                }
                _ => ExitCode::from(code),
            };
        }
    };
    let globals = &cli.globals;
    let outcome = match &cli.command {
        Command::Pack(args) => pack::run(args, globals),
        Command::Convert(args) => convert::run(args, globals),
        Command::Info(args) => info::run(args),
        Command::List(args) => list::run(args),
        Command::Read(args) => read::run(args, globals),
        Command::Suggest(args) => suggest::run(args, globals),
        Command::Search(args) => search::run(args, globals),
        Command::Random(args) => random::run(args, globals),
        Command::Extract(args) => extract::run(args, globals),
        Command::Verify(args) => verify::run(args, globals),
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::run(args, globals),
        Command::Completions(args) => manual::completions(args),
        Command::Man(args) => manual::man(args),
    };
    match outcome {
        Ok(Status::Yes) => ExitCode::SUCCESS,
        Ok(Status::No) => ExitCode::from(1),
        Ok(Status::Partial) => ExitCode::from(2),
        Err(failure) if failure.is_closed_pipe => ExitCode::SUCCESS,
        Err(failure) => {
            talk::error(&failure.message);
            for hint in &failure.hints {
                talk::hint(hint);
            }
            ExitCode::from(2)
        }
    }
}
