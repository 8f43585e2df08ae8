//! The `tome` program: parse, run, print the error, choose the exit status. What it does is in
//! [`cli`], one file per subcommand, on top of the library's public API.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
