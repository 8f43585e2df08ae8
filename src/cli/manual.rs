//! `tome completions` and `tome man`: what comes from the definition of the command line itself.

use clap::CommandFactory;
use tome::error::Error;

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::output::Output;
use super::{Failure, Outcome, Status};

/// What the foot of a manual page says.
const VERSION: &str = concat!("tome ", env!("CARGO_PKG_VERSION"));

/// Prints completions.
pub fn completions(args: &CompletionsArgs) -> Outcome {
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut Cli::command(), "tome", &mut script);
    print(&script)
}

/// Prints a manual page, or writes all of them.
pub fn man(args: &ManArgs) -> Outcome {
    let mut program = Cli::command();
    program.build();
    if let Some(folder) = &args.all {
        std::fs::create_dir_all(folder).map_err(|e| Error::io("create the folder", folder, e))?;
        clap_mangen::generate_to(program, folder)
            .map_err(|e| Error::io("write the manual pages into", folder, e))?;
        return Ok(Status::Yes);
    }
    let command = match &args.command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(command) => {
                command.clone().name(format!("tome-{name}")).display_name(format!("tome-{name}"))
            }
            None => return Err(Failure::new(format!("there is no command {name:?}"))),
        },
    };
    let mut page = vec![];
    clap_mangen::Man::new(command).source(VERSION).render(&mut page).map_err(super::output::failure)?;
    print(&page)
}

fn print(bytes: &[u8]) -> Outcome {
    let mut out = Output::new();
    out.bytes(bytes)?;
    out.finish()?;
    Ok(Status::Yes)
}
