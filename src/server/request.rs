//! What a client asks for, read and judged before anybody answers.

use std::net::IpAddr;

use hyper::header::{HOST, HeaderName};
use hyper::{HeaderMap, Method, Version};

use super::site::Site;
use super::url::Query;
use super::{Options, origins};

/// The longest address: that of the longest path that a file system has, each byte of it encoded.
const MAX_URL: usize = 16 << 10;

/// A request.
pub struct Request {
    /// True if no body is wanted.
    pub is_head: bool,
    /// The path behind the root, percent-encoded as it came; begins with a slash.
    pub path: String,
    /// What stands behind the `?`, as it came.
    pub raw_query: String,
    /// The same, read.
    pub query: Query,
    /// The headers.
    pub headers: HeaderMap,
    /// Who asks.
    pub client: IpAddr,
    /// How the client calls us: host and port.
    pub host: String,
    /// The archive whose own origin this is, by its label; nothing on the library's origin.
    pub origin: Option<String>,
}

/// Why a request is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// A method that nothing here has.
    Method,
    /// An address beyond all bounds.
    TooLong,
    /// A host by whose name we are not called: perhaps a page elsewhere tries to read what is here.
    Host,
    /// A path outside of our root.
    Outside,
    /// No address at all.
    Malformed,
}

/// The names by which clients may call the server.
pub struct Hosts {
    /// Those of the library.
    names: Vec<String>,
    /// Archives with an origin that whoever runs the server has named, by their labels.
    own: Vec<(Site, String)>,
}

impl Hosts {
    /// Returns the names of options and machine.
    pub fn new(options: &Options) -> Self {
        let mut names: Vec<String> = vec!["localhost".into()];
        names.extend(options.hosts.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()));
        names.extend(options.url.iter().map(|site| site.name().to_owned()));
        if let Some(own) = machine_name() {
            let own = own.to_ascii_lowercase();
            let short = own.split('.').next().unwrap_or_default().to_owned();
            names.extend([format!("{short}.local"), short, own]);
        }
        let own = options.allow_scripts.iter();
        let own = own.filter_map(|own| Some((own.site.clone()?, origins::label(&own.archive)))).collect();
        Self { names, own }
    }

    /// Returns the label of the archive whose own origin is called so; nothing for the library.
    ///
    /// # Errors
    ///
    /// Fails for a name that is none of ours.
    fn find(&self, name: &str, port: Option<&str>) -> Result<Option<String>, Unfit> {
        if let Some((_, label)) = self.own.iter().find(|(site, _)| site.is_called(name, port)) {
            return Ok(Some(label.clone()));
        }
        if self.knows(name) {
            return Ok(None);
        }
        // Some proxies leave the port out: then the name alone has to do.
        let mut called = self.own.iter().filter(|(site, _)| port.is_none() && site.name() == name);
        if let (Some((_, label)), None) = (called.next(), called.next()) {
            return Ok(Some(label.clone()));
        }
        match name.strip_suffix(".localhost") {
            // One origin is enough.
            Some(label) if self.own.iter().all(|(_, own)| own != label) => Ok(Some(label.to_owned())),
            _ => Err(Unfit::Host),
        }
    }

    /// Returns true if a host may be served. Addresses cannot be rebound, names can.
    fn knows(&self, host: &str) -> bool {
        let is_address = host.parse::<IpAddr>().is_ok()
            || host
                .strip_prefix('[')
                .and_then(|h| h.strip_suffix(']'))
                .is_some_and(|h| h.parse::<IpAddr>().is_ok());
        is_address || self.names.iter().any(|name| name == host)
    }
}

fn machine_name() -> Option<String> {
    #[cfg(unix)]
    {
        let name = rustix::system::uname().nodename().to_str().ok()?.to_owned();
        (!name.is_empty()).then_some(name)
    }
    #[cfg(not(unix))]
    std::env::var("COMPUTERNAME").ok()
}

impl Request {
    /// Reads the head of a client's request.
    pub fn read(
        head: hyper::http::request::Parts,
        client: IpAddr,
        hosts: &Hosts,
        root: &str,
    ) -> Result<Self, Unfit> {
        let is_head = match head.method {
            Method::GET => false,
            Method::HEAD => true,
            _ => return Err(Unfit::Method),
        };
        // Of two, a proxy may have looked at the one and we at the other.
        if head.headers.get_all(HOST).iter().count() > 1 {
            return Err(Unfit::Malformed);
        }
        let authority = head.uri.authority().map(|a| a.as_str().to_owned());
        let host = match authority.or_else(|| header(&head.headers, HOST).map(str::to_owned)) {
            Some(host) => host.to_ascii_lowercase(),
            // Only what is older than the header may do without; no browser is.
            None if head.version <= Version::HTTP_10 => "localhost".into(),
            None => return Err(Unfit::Malformed),
        };
        let (name, port) = split_port(&host);
        let origin = hosts.find(name.trim_end_matches('.'), port)?;
        let whole = head.uri.path();
        let raw_query = head.uri.query().unwrap_or_default();
        if whole.len() + raw_query.len() > MAX_URL {
            return Err(Unfit::TooLong);
        }
        let path = match whole.strip_prefix(root) {
            Some("") => "/",
            Some(path) if path.starts_with('/') => path,
            _ => return Err(Unfit::Outside),
        };
        Ok(Self {
            is_head,
            path: path.to_owned(),
            query: Query::read(raw_query),
            raw_query: raw_query.to_owned(),
            client,
            host,
            origin,
            headers: head.headers,
        })
    }

    /// Returns a header, if it is text.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Parts a host from its port.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|b| b.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            (name, Some(port))
        }
        _ => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Scripts;

    fn read(host: &str, uri: &str, root: &str) -> Result<Request, Unfit> {
        let hosts = Hosts::new(&Options { hosts: vec!["Wiki.School".into()], ..Options::default() });
        let request = hyper::Request::builder().uri(uri).header(HOST, host).body(()).unwrap();
        Request::read(request.into_parts().0, IpAddr::from([127, 0, 0, 1]), &hosts, root)
    }

    #[test]
    fn only_names_of_ours_are_answered_to() {
        for host in [
            "localhost",
            "localhost:80",
            "127.0.0.1:8080",
            "[::1]:8080",
            "192.168.0.7",
            "wiki.school:1",
            "LOCALHOST.",
        ] {
            assert!(read(host, "/", "").is_ok(), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "",
            "localhost.evil.example",
            "::1:x",
        ] {
            assert_eq!(read(host, "/", "").err(), Some(Unfit::Host), "{host}");
        }
        assert_eq!(read("wiki-7.localhost:80", "/", "").unwrap().origin.as_deref(), Some("wiki-7"));
    }

    #[test]
    fn an_origin_that_was_named_is_its_archives_alone() {
        let site = |text| Site::read(text, "").unwrap();
        let own = |archive: &str, at| Scripts { archive: archive.into(), site: Some(site(at)) };
        let hosts = Hosts::new(&Options {
            url: Some(site("https://wiki.school")),
            allow_scripts: vec![
                own("games", "https://games.wiki.school"),
                own("maps", "https://wiki.school:8443"),
                own("quiz", "https://quiz.school:9443"),
            ],
            ..Options::default()
        });
        let find = |host: &str| {
            let (name, port) = split_port(host);
            hosts.find(name, port).map(Option::unwrap_or_default)
        };
        for (host, label) in [
            ("wiki.school", ""),
            ("wiki.school:443", ""),
            ("wiki.school:8443", "maps"),
            ("games.wiki.school", "games"),
            ("games.wiki.school:443", "games"),
            ("quiz.school:9443", "quiz"),
            ("quiz.school", "quiz"),
            ("localhost:8080", ""),
        ] {
            assert_eq!(find(host).as_deref(), Ok(label), "{host}");
        }
        for host in ["games.wiki.school:8443", "quiz.school:1", "games.localhost:8080", "other.wiki.school"] {
            assert_eq!(find(host), Err(Unfit::Host), "{host}");
        }
    }

    #[test]
    fn the_root_is_taken_off() {
        assert_eq!(read("localhost", "/w/a/x?y=1", "/w").unwrap().path, "/a/x");
        assert_eq!(read("localhost", "/w", "/w").unwrap().path, "/");
        assert_eq!(read("localhost", "/wiki", "/w").err(), Some(Unfit::Outside));
        assert_eq!(read("localhost", &format!("/{}", "a".repeat(17_000)), "").err(), Some(Unfit::TooLong));
    }
}
