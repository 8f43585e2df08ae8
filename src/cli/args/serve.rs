//! Arguments of `tome serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tome::server::Network;

/// Serve archives to browsers: a library to read and search
///
/// Serves .tome and .zim files. A folder is watched: archives that are put into it, replaced or taken
/// away come and go without a restart. Without arguments: the archives in the current folder, or, if
/// there are none, a small sample that comes with the program.
///
/// Only this machine can reach the server unless --listen says otherwise. What an archive contains
/// runs no script unless --allow-scripts names it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  ended by Ctrl-C or SIGTERM
  2  the address cannot be listened at, or an archive that was named is not there

Examples:
  tome serve wiki.tome --open
  tome serve /srv/archives --listen 0.0.0.0:8080 --host library.school
  tome serve /srv/archives --root /wiki --access-log
  tome serve /srv/archives --url https://wiki.school --allow-scripts games=https://games.wiki.school

Behind a proxy, --url says by which address browsers reach the library. An archive whose scripts may run \
is given another address, which leads to the same proxy; both are passed on with the Host by which they \
were called. A proxy on another machine is named by --trust-proxy.

Clients call the server by an IP address, localhost, this machine's name or a --host; all other names \
are refused, so that no page elsewhere can make a browser read what is here. The JSON interface and \
the addresses of kiwix-serve that are understood are described at /api.")]
pub struct ServeArgs {
    /// Archives, and folders of them
    #[arg(value_name = "ARCHIVE|DIR")]
    pub sources: Vec<PathBuf>,
    /// Listen at this address and port; 0.0.0.0 stands for all of this machine's addresses
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Serve below this path, for a server behind a proxy
    #[arg(long, value_name = "/PREFIX", value_parser = root, default_value = "", hide_default_value = true)]
    pub root: String,
    /// Answer to this name, too
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// Say by which address browsers reach the library through a proxy, as https://wiki.school
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Believe the proxy at this address, or in this network, for whom it asks (X-Forwarded-For); one on
    /// this machine is believed anyway
    #[arg(long, value_name = "ADDRESS", value_parser = str::parse::<Network>)]
    pub trust_proxy: Vec<Network>,
    /// Open the library in a browser
    #[arg(long)]
    pub open: bool,
    /// Write a line for each request to stderr
    #[arg(long)]
    pub access_log: bool,
    /// Let the scripts of this archive run, on an origin of its own; with --url, the one given here
    #[arg(long, value_name = "NAME[=URL]", value_parser = scripts)]
    pub allow_scripts: Vec<(String, Option<String>)>,
    /// Lead links out of the archives to a page that shows where they would go
    #[arg(long)]
    pub block_external: bool,
    /// Neither read nor write the cache folder, where indexes of .zim files are kept
    #[arg(long)]
    pub no_cache: bool,
}

/// Reads the name of an archive, and the address that may follow.
fn scripts(text: &str) -> Result<(String, Option<String>), String> {
    match text.rsplit_once('=') {
        _ if text.is_empty() => Err("the name of an archive is wanted".into()),
        Some(("", _)) => Err("the name of an archive stands before the =".into()),
        Some((name, url)) => Ok((name.to_owned(), Some(url.to_owned()))),
        None => Ok((text.to_owned(), None)),
    }
}

/// Reads a root: empty, or with a slash before and none behind.
fn root(text: &str) -> Result<String, String> {
    let trimmed = text.trim_matches('/');
    if trimmed.is_empty() {
        return Ok(String::new());
    }
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~/".contains(&b);
    if !trimmed.bytes().all(is_plain) || trimmed.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("letters, digits and - _ . ~ between slashes, as in /wiki".into());
    }
    Ok(format!("/{trimmed}"))
}
