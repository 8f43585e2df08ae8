//! Origins of their own for archives whose scripts may run.
//!
//! A browser keeps what belongs to one origin (scheme, host and port) from all others: storage, pages
//! in other tabs, answers of requests. So the scripts of an archive run on an origin that has that
//! archive and nothing else: `LABEL.localhost` where the browser is on this machine (every browser
//! takes those names for it), else a port of its own. Cookies alone do not tell ports apart; nothing of
//! ours uses any. Behind a proxy neither leads anywhere; there whoever runs the server names an origin
//! for each, and one for the library, to which the way back leads.

use super::Options;
use super::request::Request;
use super::site::Site;
use super::url;
use crate::error::{Error, Result};

/// The longest label made of a name.
const MAX_LABEL: usize = 40;

/// An archive whose scripts may run.
#[derive(Debug, Clone)]
pub struct Scripts {
    /// The archive's name.
    pub archive: String,
    /// The origin by which browsers reach it through a proxy; else the server finds one.
    pub site: Option<Site>,
}

impl From<&str> for Scripts {
    fn from(archive: &str) -> Self {
        Self { archive: archive.to_owned(), site: None }
    }
}

/// The archives whose scripts may run.
#[derive(Debug, Default)]
pub struct Origins {
    own: Vec<Own>,
    /// The library's, if it was named.
    library: Option<Site>,
}

#[derive(Debug)]
struct Own {
    name: String,
    label: String,
    port: Option<u16>,
    site: Option<Site>,
}

/// Where a request belongs.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// Where it came to.
    Here,
    /// At another address.
    There(String),
    /// Nowhere: there is no such origin.
    Nowhere,
}

impl Origins {
    /// Returns those of options, none of which has a port of its own.
    ///
    /// # Errors
    ///
    /// Fails if an archive is named twice, if two have one origin, or if some are named and others not.
    pub fn new(options: &Options) -> Result<Self> {
        let wrong = |text| Err(Error::InvalidInput(text));
        let mut taken: Vec<(&Site, &str)> = options.url.iter().map(|url| (url, "the library")).collect();
        let mut own: Vec<Own> = vec![];
        for Scripts { archive, site } in &options.allow_scripts {
            let label = label(archive);
            if own.iter().any(|other| other.name == *archive) {
                return wrong(format!("--allow-scripts names {archive} twice"));
            }
            match (site, &options.url) {
                (Some(site), None) => {
                    return wrong(format!(
                        "--allow-scripts {archive}={site}: from there the way leads back to the library; --url \
                         says by which address browsers reach that, as in --url https://wiki.school"
                    ));
                }
                (None, Some(url)) => {
                    return wrong(format!(
                        "--allow-scripts {archive}: where --url is given, say by which other address browsers \
                         reach this archive, as in --allow-scripts {archive}=https://{label}.{}",
                        url.name()
                    ));
                }
                _ => {}
            }
            if let Some(site) = site {
                if let Some((_, whose)) = taken.iter().find(|(other, _)| other.is_like(site)) {
                    return wrong(format!(
                        "--allow-scripts {archive}={site}: that is the address of {whose}; scripts run at one \
                         that nothing else has"
                    ));
                }
                taken.push((site, archive));
            }
            own.push(Own { name: archive.clone(), label, port: None, site: site.clone() });
        }
        Ok(Self { own, library: options.url.clone() })
    }

    /// Returns what whoever runs the server should know of origins that differ from another by their port
    /// alone: without it, a request for the one cannot be told from one for the other.
    pub fn hint(&self) -> Option<String> {
        let own = self.own.iter().find_map(|own| {
            let name = own.site.as_ref()?.name();
            let others = self.own.iter().filter(|other| other.name != own.name);
            let mut others = others.filter_map(|other| other.site.as_ref()).chain(&self.library);
            others.any(|other| other.name() == name).then_some((own, name))
        });
        own.map(|(own, name)| {
            format!(
                "{} is at another port of {name}: the proxy has to pass the port on in the header Host (nginx: \
                 proxy_set_header Host $http_host), or redirects lead in a circle",
                own.name
            )
        })
    }

    /// Gives each without a named origin a port of its own, which `listen` finds by its number among them
    /// and its label.
    pub fn give_ports<E>(
        &mut self,
        mut listen: impl FnMut(usize, &str) -> std::result::Result<u16, E>,
    ) -> std::result::Result<(), E> {
        for (i, own) in self.own.iter_mut().filter(|own| own.site.is_none()).enumerate() {
            own.port = Some(listen(i, &own.label)?);
        }
        Ok(())
    }

    /// Returns true if scripts of an archive may run where a request came to.
    pub fn runs_scripts(&self, request: &Request, name: &str) -> bool {
        request
            .origin
            .as_ref()
            .is_some_and(|label| self.own.iter().any(|own| own.label == *label && own.name == name))
    }

    /// Returns the library's own address for a request that came to an archive's origin; empty on the
    /// library's.
    pub fn library(&self, request: &Request, main_port: u16) -> String {
        match (&request.origin, &self.library) {
            (None, _) => String::new(),
            (Some(_), Some(site)) => site.to_string(),
            (Some(label), None) => match request.host.strip_prefix(&format!("{label}.")) {
                Some(host) => format!("http://{host}"),
                None => format!("http://{}:{main_port}", without_port(&request.host)),
            },
        }
    }

    /// Finds where a request belongs. An archive's own origin has its pages and what the bar on them
    /// needs; the library has all else.
    pub fn place(&self, request: &Request, root: &str, main_port: u16) -> Place {
        let mut parts = request.path.trim_start_matches('/').splitn(3, '/');
        let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let query =
            if request.raw_query.is_empty() { String::new() } else { format!("?{}", request.raw_query) };
        let name = url::decode(second);
        let Some(label) = &request.origin else {
            let own = self.own.iter().find(|own| first == "a" && own.name == *name);
            return match own {
                Some(own) => {
                    Place::There(format!("{}{root}{}{query}", own.address(&request.host), request.path))
                }
                None => Place::Here,
            };
        };
        let Some(own) = self.own.iter().find(|own| own.label == *label) else { return Place::Nowhere };
        let is_own = |name: Option<&str>| name == Some(own.name.as_str());
        match first {
            "a" if own.name == *name => Place::Here,
            "_tome" if !matches!(second, "icon") => Place::Here,
            "api"
                if second == "suggest"
                    && is_own(request.query.get("archive"))
                    && request.query.all("archive").count() == 1 =>
            {
                Place::Here
            }
            "random" if is_own(request.query.get("content")) => Place::Here,
            // An address from the root that a script has made means the archive's.
            _ if !matches!(
                first,
                "" | "a" | "api" | "raw" | "search" | "saved" | "random" | "catalog" | "external"
            ) =>
            {
                Place::There(format!("{root}/a/{}{}{query}", url::path(&own.name), request.path))
            }
            _ => Place::There(format!("{}{root}{}{query}", self.library(request, main_port), request.path)),
        }
    }
}

impl Own {
    /// Returns its origin for a client that calls the library by a host.
    fn address(&self, host: &str) -> String {
        if let Some(site) = &self.site {
            return site.to_string();
        }
        let name = without_port(host);
        let is_here = name == "localhost" || name == "[::1]" || name.starts_with("127.");
        match self.port {
            Some(port) if !is_here => format!("http://{name}:{port}"),
            _ => format!("http://{}.localhost{}", self.label, &host[name.len()..]),
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Returns a label for an archive's name that no other name has.
pub fn label(name: &str) -> String {
    let plain: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    if plain == name && plain.len() <= MAX_LABEL && !plain.is_empty() {
        return plain.to_owned();
    }
    let hash = blake3::hash(name.as_bytes()).to_hex();
    let start: String = plain.chars().take(MAX_LABEL).collect();
    format!("{}-{}", if start.is_empty() { "archive" } else { &start }, &hash[..8])
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::server::request::Hosts;

    fn place(host: &str, uri: &str, site: Option<&str>) -> Place {
        let options = Options { allow_scripts: vec!["games".into(), "My Docs".into()], ..Options::default() };
        let mut origins = Origins::new(&options).unwrap();
        origins.give_ports(|i, _| Ok::<_, ()>(9000 + i as u16)).unwrap();
        let hosts = Hosts::new(&Options::default());
        let request = hyper::Request::builder().uri(uri).header("host", host).body(()).unwrap();
        let peer = IpAddr::from([127, 0, 0, 1]);
        let mut request = Request::read(request.into_parts().0, peer, &hosts, "").unwrap();
        request.origin = site.map(str::to_owned).or(request.origin);
        origins.place(&request, "", 8080)
    }

    #[test]
    fn an_archive_whose_scripts_run_has_an_origin_and_that_nothing_else() {
        let there = |to: &str| Place::There(to.to_owned());
        assert_eq!(
            place("localhost:8080", "/a/games/x?y=1", None),
            there("http://games.localhost:8080/a/games/x?y=1")
        );
        assert_eq!(place("192.168.0.2:8080", "/a/games/x", None), there("http://192.168.0.2:9000/a/games/x"));
        assert_eq!(place("localhost:8080", "/a/other/x", None), Place::Here);
        assert_eq!(place("localhost:8080", "/raw/games/content/x", None), Place::Here);
        assert_eq!(place("games.localhost:8080", "/a/games/x", None), Place::Here);
        assert_eq!(
            place("games.localhost:8080", "/a/other/x", None),
            there("http://localhost:8080/a/other/x")
        );
        assert_eq!(place("games.localhost:8080", "/css/x.css", None), there("/a/games/css/x.css"));
        assert_eq!(place("games.localhost:8080", "/", None), there("http://localhost:8080/"));
        assert_eq!(
            place("games.localhost:8080", "/api/archives", None),
            there("http://localhost:8080/api/archives")
        );
        assert_eq!(place("games.localhost:8080", "/api/suggest?archive=games&q=x", None), Place::Here);
        let both = "/api/suggest?archive=games&archive=other&q=x";
        assert_eq!(place("games.localhost:8080", both, None), there(&format!("http://localhost:8080{both}")));
        assert_eq!(
            place("192.168.0.2:9000", "/search?q=x", Some("games")),
            there("http://192.168.0.2:8080/search?q=x")
        );
        assert_eq!(place("evil.localhost:8080", "/a/games/x", None), Place::Nowhere);
    }

    fn named(url: Option<&str>, own: &[(&str, Option<&str>)]) -> Options {
        let site = |text: &str| Site::read(text, "").unwrap();
        let scripts = |(archive, at): &(&str, Option<&str>)| Scripts {
            archive: (*archive).to_owned(),
            site: at.map(site),
        };
        Options {
            url: url.map(site),
            allow_scripts: own.iter().map(scripts).collect(),
            root: "/wiki".into(),
            ..Options::default()
        }
    }

    #[test]
    fn origins_that_are_named_are_all_named_and_differ() {
        let (wiki, games) = (Some("https://wiki.school"), Some("https://games.wiki.school"));
        let wrong = |url, own: &[_]| Origins::new(&named(url, own)).unwrap_err().to_string();
        assert!(wrong(None, &[("games", games)]).contains("--url"));
        assert!(wrong(wiki, &[("games", None)]).contains("games=https://games.wiki.school"));
        assert!(wrong(wiki, &[("games", wiki)]).contains("the address of the library"));
        // A request does not say its scheme.
        assert!(wrong(wiki, &[("games", Some("http://wiki.school"))]).contains("the library"));
        assert!(wrong(wiki, &[("games", games), ("maps", games)]).contains("the address of games"));
        assert!(wrong(wiki, &[("games", games), ("games", Some("https://a.school"))]).contains("twice"));
        assert!(
            Origins::new(&named(wiki, &[("games", games), ("m", Some("https://wiki.school:1"))])).is_ok()
        );
        assert!(Origins::new(&named(wiki, &[])).is_ok());
        let hint = |url, own: &[_]| Origins::new(&named(url, own)).unwrap().hint();
        assert!(hint(wiki, &[("games", Some("https://wiki.school:1"))]).unwrap().contains("$http_host"));
        let both = [("games", games), ("maps", Some("https://games.wiki.school:1"))];
        assert!(hint(wiki, &both).unwrap().contains("games.wiki.school"));
        assert_eq!(hint(wiki, &[("games", games)]), None);
    }

    #[test]
    fn behind_a_proxy_redirects_lead_to_the_origins_that_were_named() {
        let options = named(Some("https://wiki.school"), &[("games", Some("https://games.school:8443"))]);
        let mut origins = Origins::new(&options).unwrap();
        origins.give_ports(|_, _| Err("no port is needed")).unwrap();
        let hosts = Hosts::new(&options);
        let place = |host: &str, uri: &str| {
            let request = hyper::Request::builder().uri(uri).header("host", host).body(()).unwrap();
            let request =
                Request::read(request.into_parts().0, [127, 0, 0, 1].into(), &hosts, "/wiki").unwrap();
            origins.place(&request, "/wiki", 8080)
        };
        let there = |to: &str| Place::There(to.to_owned());
        for host in ["wiki.school", "localhost:8080", "192.168.0.2:8080"] {
            assert_eq!(
                place(host, "/wiki/a/games/x?y=1"),
                there("https://games.school:8443/wiki/a/games/x?y=1"),
                "{host}"
            );
        }
        for host in ["games.school:8443", "games.school"] {
            assert_eq!(place(host, "/wiki/a/games/x"), Place::Here, "{host}");
            assert_eq!(place(host, "/wiki/"), there("https://wiki.school/wiki/"), "{host}");
            assert_eq!(place(host, "/wiki/saved"), there("https://wiki.school/wiki/saved"), "{host}");
        }
    }

    #[test]
    fn labels_are_host_names_and_differ() {
        let names = ["games", "Games", "ga mes", "東京", "-", "", "a.b", &"x".repeat(300)];
        let labels: std::collections::HashSet<String> = names.iter().map(|name| label(name)).collect();
        assert_eq!(labels.len(), names.len());
        for label in labels {
            assert!(
                label.len() < 63
                    && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            );
            assert!(!label.starts_with('-') && !label.ends_with('-'), "{label}");
        }
    }
}
