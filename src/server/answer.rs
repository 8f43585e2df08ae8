//! From what a handler says to a response: conditions, ranges, encodings, headers.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use bytes::Bytes;
use hyper::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH, IF_RANGE,
    LOCATION, RANGE, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_DNS_PREFETCH_CONTROL,
};
use hyper::{Response, StatusCode};

use super::assets::Assets;
use super::body::{Body, Source};
use super::encoding::{self, Encoding};
use super::range::{self, Asked};
use super::request::Request;
use crate::book::Entry;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What a handler says.
pub struct Answer {
    /// The status, before conditions and ranges.
    pub status: StatusCode,
    /// The type of the body, with its charset.
    pub mime: Cow<'static, str>,
    /// The body.
    pub matter: Matter,
    /// What no other bytes have: the entity tag without quotes and encoding.
    pub tag: Option<String>,
    /// How long others may keep it.
    pub caching: Caching,
    /// What the body may do in a browser.
    pub policy: Policy,
    /// Further headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// A body.
pub enum Matter {
    /// At hand.
    Bytes(Bytes),
    /// An entry too long for that, and its length.
    Entry(Source, Entry, u64),
    /// The file of a ZIM, and its length.
    File(Source, u64),
}

/// How long a client may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// Not at all.
    Never,
    /// As long as it asks whether it has changed.
    Revalidate,
    /// For ever: its address changes with it.
    Forever,
}

/// What a body may do in a browser: the content security policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// A page of an archive, or anything else of it: no script at all.
    Content,
    /// A page of an archive without anything of ours: neither script nor what a page does by itself,
    /// such as to go elsewhere.
    Alone,
    /// A page of an archive as it is stored, for programs: no browser is to show it.
    Unshown,
    /// A page of ours, or of an archive with our bar: our script alone. The policy names it.
    Page(HeaderValue),
    /// A page of an archive whose scripts may run, on its own origin.
    Scripts(HeaderValue),
    /// What is no page.
    Data,
}

impl Policy {
    /// Returns the policy of an archive whose scripts may run, on its own origin: they reach nothing
    /// beyond it. The search form on the bar leads to the library.
    pub fn scripts(library: &str) -> Self {
        let policy = format!(
            "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'self'; base-uri 'self'; \
             form-action 'self' {library}; frame-ancestors 'self'"
        );
        HeaderValue::try_from(policy).map_or(Self::Content, Self::Scripts)
    }

    /// Returns the policy of an entry that is sent as it is.
    pub fn of_raw(mime: &str) -> Self {
        // A browser shows no PDF under the stricter one.
        let is_page = ["html", "xml", "svg"].iter().any(|kind| mime.to_ascii_lowercase().contains(kind));
        if is_page { Self::Alone } else { Self::Content }
    }

    fn header(&self) -> HeaderValue {
        // Pictures, sound and styles of the archive are wanted; nothing is fetched from anywhere else.
        const CONTENT: &str = "default-src 'none'; img-src 'self' data: blob:; media-src 'self' data: blob:; \
            font-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-src 'self'; object-src 'self'; \
            script-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'";
        static ALONE: LazyLock<HeaderValue> = LazyLock::new(|| {
            let sandbox = "sandbox allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox \
                allow-downloads allow-top-navigation-by-user-activation";
            HeaderValue::try_from(format!("{CONTENT}; {sandbox}"))
                .unwrap_or(HeaderValue::from_static("sandbox; default-src 'none'"))
        });
        const DATA: &str = "default-src 'none'; frame-ancestors 'none'";
        match self {
            Self::Content => HeaderValue::from_static(CONTENT),
            Self::Alone => ALONE.clone(),
            Self::Unshown => HeaderValue::from_static(
                "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; \
                    frame-ancestors 'none'",
            ),
            Self::Page(policy) | Self::Scripts(policy) => policy.clone(),
            Self::Data => HeaderValue::from_static(DATA),
        }
    }
}

impl Answer {
    fn new(status: StatusCode, mime: impl Into<Cow<'static, str>>, matter: Matter) -> Self {
        Self {
            status,
            mime: mime.into(),
            matter,
            tag: None,
            caching: Caching::Never,
            policy: Policy::Data,
            headers: vec![],
        }
    }

    /// Returns a page of ours.
    pub fn own_page(assets: &Assets, status: StatusCode, html: String) -> Self {
        Self { policy: assets.own_policy(), ..Self::page(assets, status, html) }
    }

    /// Returns a page of an archive that has our script.
    pub fn page(assets: &Assets, status: StatusCode, html: String) -> Self {
        let new = Self::new(status, "text/html; charset=utf-8", Matter::Bytes(html.into()));
        Self { policy: assets.page_policy(), ..new }
    }

    /// Returns data.
    pub fn data(mime: impl Into<Cow<'static, str>>, bytes: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, mime, Matter::Bytes(bytes.into()))
    }

    /// Returns an object as JSON.
    pub fn json(status: StatusCode, object: &impl serde::Serialize) -> Self {
        // Objects of ours are always JSON.
        let bytes = serde_json::to_vec(object).unwrap_or_default();
        Self::new(status, "application/json; charset=utf-8", Matter::Bytes(bytes.into()))
    }

    /// Returns words.
    pub fn text(status: StatusCode, text: impl Into<String>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", Matter::Bytes(text.into().into()))
    }

    /// Returns the way to another address, which is a path and encoded.
    pub fn redirect(status: StatusCode, location: &str) -> Self {
        let mut answer = Self::text(status, format!("{location}\n"));
        match HeaderValue::from_str(location) {
            Ok(value) => answer.headers.push((LOCATION, value)),
            Err(_) => answer.status = StatusCode::NOT_FOUND,
        }
        answer
    }

    /// Says what no other bytes have; so a client may keep them and ask whether they changed.
    #[must_use]
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self.caching = Caching::Revalidate;
        self
    }

    /// Sets what the body may do.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Returns the length of the body, before conditions, ranges and encodings.
    pub fn len(&self) -> u64 {
        match &self.matter {
            Matter::Bytes(bytes) => bytes.len() as u64,
            Matter::Entry(.., len) | Matter::File(_, len) => *len,
        }
    }

    /// Makes the response to a request that was not looked at.
    pub fn plain(self) -> Response<Body> {
        let mut headers = self.head();
        headers.insert(CONTENT_TYPE, self.mime_header());
        let (status, len) = (self.status, self.len());
        plain(status, headers, self.part(0..len))
    }

    fn mime_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.mime).unwrap_or(HeaderValue::from_static("application/octet-stream"))
    }

    /// Returns the headers that depend on nothing.
    fn head(&self) -> hyper::HeaderMap {
        let mut headers = hyper::HeaderMap::with_capacity(14);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        // To look up the names behind a page's links would tell which page is read.
        headers.insert(X_DNS_PREFETCH_CONTROL, HeaderValue::from_static("off"));
        // No page of another site shows what is here, or learns whether it is.
        headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.header());
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static(match self.caching {
                Caching::Never => "no-store",
                Caching::Revalidate => "no-cache",
                Caching::Forever => "public, max-age=31536000, immutable",
            }),
        );
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
        headers
    }

    /// Makes the response to a request.
    pub fn respond(self, request: &Request, encoded: &encoding::Cache) -> Response<Body> {
        let mut headers = self.head();
        let compressible = encoding::is_compressible(&self.mime);
        if compressible {
            headers.append(VARY, HeaderValue::from_static("accept-encoding"));
        }
        let len = self.len();
        let can_range = self.status == StatusCode::OK && self.tag.is_some();
        let asked = match request.header(RANGE) {
            // The standard has ranges for GET alone.
            Some(range) if can_range && !request.is_head && self.range_applies(request) => {
                range::read(Some(range), len)
            }
            _ => Asked::All,
        };
        if can_range {
            headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        }
        if let Some(tag) = self.tag.as_ref().filter(|_| self.status == StatusCode::OK) {
            // A client may know it in any encoding. Who wants to be sure gives no weak tag.
            let known = request.header(IF_NONE_MATCH).and_then(|list| named(list, tag, Compare::Weakly));
            let unsure =
                request.header(IF_MATCH).is_some_and(|list| named(list, tag, Compare::Strongly).is_none());
            let status = match known {
                _ if unsure => Some(StatusCode::PRECONDITION_FAILED),
                Some(_) => Some(StatusCode::NOT_MODIFIED),
                None => None,
            };
            if let Some(status) = status {
                headers.insert(ETAG, entity_tag(tag, known.unwrap_or_default()));
                return plain(status, headers, Body::of(Bytes::new()));
            }
        }
        // Ranges are of the bytes as they are.
        let encoding = match (&asked, &self.matter) {
            (Asked::All, Matter::Bytes(_)) if compressible => {
                Encoding::wanted(request.header(ACCEPT_ENCODING))
            }
            _ => Encoding::Identity,
        };
        let shorter = match &self.matter {
            Matter::Bytes(bytes) => encoded.encode(self.tag.as_deref(), encoding, bytes),
            Matter::Entry(..) | Matter::File(..) => None,
        };
        let encoding = if shorter.is_some() { encoding } else { Encoding::Identity };
        if let Some(tag) = &self.tag {
            headers.insert(ETAG, entity_tag(tag, encoding.suffix()));
        }
        headers.insert(CONTENT_TYPE, self.mime_header());
        let (status, body) = match asked {
            Asked::Nothing => {
                headers.insert(CONTENT_RANGE, of_length(format!("bytes */{len}")));
                (StatusCode::RANGE_NOT_SATISFIABLE, Body::of(Bytes::new()))
            }
            Asked::Parts(parts) => match <[Range<u64>; 1]>::try_from(parts) {
                Ok([part]) => {
                    let range = format!("bytes {}-{}/{len}", part.start, part.end - 1);
                    headers.insert(CONTENT_RANGE, of_length(range));
                    (StatusCode::PARTIAL_CONTENT, self.part(part))
                }
                Err(parts) => match self.several(&parts, len) {
                    Some((mime, body)) => {
                        headers.insert(CONTENT_TYPE, mime);
                        (StatusCode::PARTIAL_CONTENT, body)
                    }
                    // Too much to put together: all of it is an answer, too.
                    None => (self.status, self.part(0..len)),
                },
            },
            Asked::All => match shorter {
                Some(bytes) => {
                    if let Some(name) = encoding.name() {
                        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
                    }
                    (self.status, Body::of(bytes))
                }
                None => (self.status, self.part(0..len)),
            },
        };
        if request.is_head {
            headers.insert(CONTENT_LENGTH, body.len().into());
            return plain(status, headers, Body::of(Bytes::new()));
        }
        plain(status, headers, body)
    }

    /// Returns false if the client has other bytes than these, and wants all of the new ones.
    fn range_applies(&self, request: &Request) -> bool {
        match request.header(IF_RANGE) {
            // A weak tag or a date promises too little.
            Some(condition) => self.tag.as_ref().is_some_and(|tag| condition.trim() == format!("\"{tag}\"")),
            None => true,
        }
    }

    fn part(self, range: Range<u64>) -> Body {
        match self.matter {
            Matter::Bytes(bytes) => {
                let len = bytes.len();
                let at = |n: u64| usize::try_from(n).unwrap_or(len).min(len);
                Body::of(bytes.slice(at(range.start)..at(range.end)))
            }
            Matter::Entry(source, entry, _) => Body::of_entry(source, entry, range),
            Matter::File(source, _) => Body::of_file(source, range),
        }
    }

    /// Returns several parts as one body with borders; nothing if they are too long to be held.
    fn several(&self, parts: &[Range<u64>], len: u64) -> Option<(HeaderValue, Body)> {
        let border = format!("tome-{}", self.tag.as_deref().unwrap_or_default());
        let mime = self.mime_header();
        let mime = mime.to_str().unwrap_or_default();
        let wanted: u64 = parts.iter().map(|part| part.end - part.start).sum();
        if wanted > encoding::MAX as u64 {
            return None;
        }
        let mut out = Vec::with_capacity(wanted as usize + parts.len() * 256);
        for part in parts {
            let head = format!(
                "\r\n--{border}\r\nContent-Type: {}\r\nContent-Range: bytes {}-{}/{len}\r\n\r\n",
                mime,
                part.start,
                part.end - 1
            );
            out.extend_from_slice(head.as_bytes());
            match &self.matter {
                Matter::Bytes(bytes) => {
                    out.extend_from_slice(bytes.get(part.start as usize..part.end as usize)?);
                }
                Matter::Entry(source, entry, _) => {
                    out.extend_from_slice(&source.book.content_range(entry, part.clone()).ok()?);
                }
                // Whoever loads a file in pieces asks for one at a time.
                Matter::File(..) => return None,
            }
        }
        out.extend_from_slice(format!("\r\n--{border}--\r\n").as_bytes());
        let mime = HeaderValue::from_str(&format!("multipart/byteranges; boundary={border}")).ok()?;
        Some((mime, Body::of(out.into())))
    }
}

fn plain(status: StatusCode, headers: hyper::HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn of_length(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("bytes */*"))
}

fn entity_tag(tag: &str, suffix: &str) -> HeaderValue {
    // Tags are hex digits and hyphens.
    HeaderValue::try_from(format!("\"{tag}{suffix}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// How tags are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compare {
    /// A weak tag is as good as a strong one.
    Weakly,
    /// A weak tag is equal to none.
    Strongly,
}

/// Returns the encoding in which a list of tags names one: the end of that tag.
fn named(list: &str, tag: &str, compare: Compare) -> Option<&'static str> {
    list.split(',').map(str::trim).find_map(|one| {
        let one = match one.strip_prefix("W/") {
            Some(_) if compare == Compare::Strongly => return None,
            Some(one) => one,
            None => one,
        };
        let one = one.trim_matches('"');
        let suffix = if one == "*" { "" } else { one.strip_prefix(tag)? };
        ["", "-g", "-z"].into_iter().find(|known| *known == suffix)
    })
}
