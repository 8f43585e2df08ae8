//! `tome serve`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use tome::book::format_of;
use tome::error::Error;
use tome::server::{Event, Options, Scripts, Server, Site};

use super::args::{Globals, ServeArgs};
use super::{Failure, Outcome, Status, index, sample, talk};

/// Runs the command.
pub fn run(args: &ServeArgs, globals: &Globals) -> Outcome {
    for source in &args.sources {
        if !source.exists() && format_of(source, 0).is_none() {
            return Err(Failure::new(format!("{}: there is no such file or folder", source.display())));
        }
    }
    tome::storage::keep_little_memory();
    allow_many_files();
    let mut sources = args.sources.clone();
    let mut sample = None;
    if sources.is_empty() {
        if tome::server::has_archives(Path::new(".")) {
            sources.push(PathBuf::from("."));
        } else {
            let made = sample::pack()?;
            sources.push(made.path.clone());
            sample = Some(made);
            if !globals.quiet {
                talk::note(
                    "there is no archive in this folder: serving the sample that comes with the program",
                );
            }
        }
    }
    let site = |url: &String| Site::read(url, &args.root);
    let scripts = |(archive, url): &(String, Option<String>)| {
        Ok::<_, Error>(Scripts { archive: archive.clone(), site: url.as_ref().map(site).transpose()? })
    };
    let options = Options {
        sources,
        listen: args.listen,
        root: args.root.clone(),
        hosts: args.hosts.clone(),
        url: args.url.as_ref().map(site).transpose()?,
        allow_scripts: args.allow_scripts.iter().map(scripts).collect::<Result<_, _>>()?,
        trust_proxies: args.trust_proxy.clone(),
        block_external: args.block_external,
        access_log: args.access_log,
        index: index::options(args.no_cache),
        ..Options::default()
    };
    let log = log(globals.quiet);
    let server = Server::bind(options, log)?;
    let url = server.url();
    // Whoever started it may have had enough of its words, and wants it to serve all the same.
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{url}").and_then(|()| out.flush());
    drop(out);
    if args.url.is_some() && !globals.quiet {
        talk::note(&format!("the proxy finds it at {}", server.address()));
    }
    if args.open {
        open(&url);
    }
    server.run(stopped());
    drop(sample);
    Ok(Status::Yes)
}

/// What is said on stderr, by a thread of its own: where nobody reads on, lines are dropped, and nobody
/// who reads an archive waits.
fn log(quiet: bool) -> Arc<dyn Fn(Event<'_>) + Send + Sync> {
    let (sender, lines) = sync_channel::<(bool, String)>(WAITING_LINES);
    std::thread::spawn(move || {
        for (is_warning, line) in lines {
            if is_warning { talk::warning(&line) } else { talk::note(&line) }
        }
    });
    Arc::new(move |event: Event<'_>| {
        let line = match event {
            Event::Warning(line) => (true, line.to_owned()),
            Event::Library(_) if quiet => return,
            Event::Access(line) | Event::Library(line) => (false, line.to_owned()),
        };
        let _ = sender.try_send(line);
    })
}

/// Lines that may wait to be written.
const WAITING_LINES: usize = 4096;

/// Lets the process have as many files and connections open as the system allows it to ask for.
fn allow_many_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        // Not more than is of use: some systems make a table of them.
        let most = limit.maximum.unwrap_or(u64::MAX).min(65_536);
        if limit.current.is_some_and(|current| current < most) {
            limit.current = Some(most);
            // What is refused stays as it was.
            let _ = setrlimit(Resource::Nofile, limit);
        }
    }
}

/// Comes to its end when the user or the system asks the program to end.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}

/// Opens an address in the user's browser; says so if there is none.
fn open(url: &str) {
    let command = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let started = std::process::Command::new(command)
        .arg(url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    if started.is_err() {
        talk::hint(&format!("no browser could be started; open {url}"));
    }
}
