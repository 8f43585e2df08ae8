//! Origins as whoever runs the server names them: by which browsers reach us through a proxy.

use std::fmt;
use std::net::Ipv6Addr;

use crate::error::{Error, Result};

/// An origin: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    is_secure: bool,
    /// In small letters, an IPv6 address in brackets.
    name: String,
    /// Nothing for the scheme's own.
    port: Option<u16>,
}

impl Site {
    /// Reads an address such as `https://wiki.school`, behind which nothing stands but the server's root.
    ///
    /// # Errors
    ///
    /// Fails if it is none of `http` or `https`, or has a user, another path, a query or a fragment.
    pub fn read(text: &str, root: &str) -> Result<Self> {
        let wrong = |why: &str| Error::InvalidInput(format!("{text}: {why}"));
        let address: hyper::Uri = text.parse().map_err(|e| wrong(&format!("no address: {e}")))?;
        let is_secure = match address.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("an address begins with https:// or http://, as in https://wiki.school")),
        };
        let authority = address.authority().map_or("", |authority| authority.as_str());
        let (name, port) = match authority.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => {
                (name, Some(port.parse::<u16>().map_err(|_| wrong("no port"))?))
            }
            _ => (authority, None),
        };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        // It comes into policies, in which other characters have a meaning.
        let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let in_brackets = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let is_address = in_brackets.is_some_and(|name| name.parse::<Ipv6Addr>().is_ok());
        if name.is_empty() || !(is_plain || is_address) {
            return Err(wrong("a host has letters, digits, dots and hyphens; a port may follow"));
        }
        let path = address.path().trim_end_matches('/');
        // The parser drops what stands behind a `#`.
        if !(path.is_empty() || path == root) || address.query().is_some() || text.contains('#') {
            return Err(wrong("only scheme, host and port are wanted; --root says below which path we are"));
        }
        let usual = if is_secure { 443 } else { 80 };
        Ok(Self { is_secure, name, port: port.filter(|port| *port != usual) })
    }

    /// Returns its host without the port.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns true if a client that calls us by a name and a port means this.
    pub(super) fn is_called(&self, name: &str, port: Option<&str>) -> bool {
        let usual = if self.is_secure { 443 } else { 80 };
        let called = port.map(|port| port.parse::<u16>().ok());
        name == self.name
            && match (called, self.port) {
                (None, own) => own.is_none(),
                (Some(port), own) => port == Some(own.unwrap_or(usual)),
            }
    }

    /// Returns true if a request for the other one could be for this, too: it does not say its scheme.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.name == other.name && self.port == other.port
    }
}

impl fmt::Display for Site {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(out, "{scheme}://{}", self.name)?;
        self.port.map_or(Ok(()), |port| write!(out, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_scheme_host_and_port_alone() {
        for (text, shown) in [
            ("https://wiki.school", "https://wiki.school"),
            ("HTTPS://Wiki.School.:443/", "https://wiki.school"),
            ("http://wiki.school:80/wiki/", "http://wiki.school"),
            ("http://wiki.school:443/wiki", "http://wiki.school:443"),
            ("http://[2001:DB8::1]:8080", "http://[2001:db8::1]:8080"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(Site::read(text, "/wiki").unwrap().to_string(), shown);
        }
        for text in [
            "",
            "wiki.school",
            "wiki.school/wiki",
            "/wiki",
            "ftp://wiki.school",
            "https://",
            "https:///wiki",
            "https://wiki.school/other",
            "https://wiki.school/wiki/more",
            "https://wiki.school?x",
            "https://wiki.school#x",
            "https://me@wiki.school",
            "https://wiki.school:99999",
            "https://wiki.school:",
            "https://wiki.school; script-src *",
            "https://wiki.school;script-src",
            "https://wiki.school,x",
            "https://*.school",
            "https://[wiki]",
            "https://wíki.school",
        ] {
            assert!(Site::read(text, "/wiki").is_err(), "{text}");
        }
    }

    #[test]
    fn a_site_is_called_with_its_port_or_by_its_own_scheme_without() {
        let site = |text| Site::read(text, "").unwrap();
        assert!(site("https://wiki.school").is_called("wiki.school", None));
        assert!(site("https://wiki.school").is_called("wiki.school", Some("443")));
        assert!(!site("https://wiki.school").is_called("wiki.school", Some("80")));
        assert!(!site("https://wiki.school").is_called("wiki.school", Some("x")));
        assert!(site("http://wiki.school:8080").is_called("wiki.school", Some("8080")));
        assert!(!site("http://wiki.school:8080").is_called("wiki.school", None));
        assert!(site("http://wiki.school").is_like(&site("https://wiki.school")));
    }
}
