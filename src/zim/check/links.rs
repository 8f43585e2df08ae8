//! Where addresses in a page lead, in an archive that may be anywhere on a server.

/// Where an address leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Address<'a> {
    /// Nowhere: there is none.
    Empty,
    /// To the page in which it stands.
    Here,
    /// It holds what it is the address of.
    Inline,
    /// To another host, or another program.
    Outside,
    /// It says how to ask for something, but not whom.
    NoHost,
    /// To the root of a server, of which an archive knows nothing.
    Absolute,
    /// Higher than the archive's own root.
    AboveRoot,
    /// To a path, if what seems to be a scheme is none.
    Odd(&'a [u8]),
    /// To a path in the archive.
    Path(&'a [u8]),
}

/// Resolves the addresses of one page.
pub(super) struct Resolver {
    /// The folder in which the page is, without a slash at its end; nothing if its addresses begin
    /// outside.
    folder: Option<Vec<u8>>,
    has_base: bool,
    path: Vec<u8>,
    clean: Vec<u8>,
}

impl Resolver {
    /// Begins at the path of a page.
    pub fn new(page: &[u8]) -> Self {
        Self { folder: Some(folder_of(page)), has_base: false, path: vec![], clean: vec![] }
    }

    /// Begins at what the page calls its base; of several the first counts.
    pub fn begin_at(&mut self, address: &[u8]) {
        if std::mem::replace(&mut self.has_base, true) {
            return;
        }
        let folder = match self.resolve(address) {
            Address::Empty | Address::Here => return,
            Address::Path(path) => Some(folder_of(path)),
            _ => None,
        };
        self.folder = folder;
    }

    /// Resolves an address.
    pub fn resolve(&mut self, address: &[u8]) -> Address<'_> {
        let address = address.trim_ascii();
        let is_break = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r');
        let mut clean = std::mem::take(&mut self.clean);
        clean.clear();
        let address = match address.iter().any(is_break) {
            true => {
                clean.extend(address.iter().filter(|byte| !is_break(byte)));
                &clean[..]
            }
            false => address,
        };
        let kind = self.kind_of(address);
        self.clean = clean;
        match kind {
            Kind::Done(known) => known,
            Kind::Odd => Address::Odd(&self.path),
            Kind::Path => Address::Path(&self.path),
        }
    }

    fn kind_of(&mut self, address: &[u8]) -> Kind {
        match address {
            [] => return Kind::Done(Address::Empty),
            [b'#' | b'?', ..] => return Kind::Done(Address::Here),
            [b'/', b'/', ..] => return Kind::Done(Address::Outside),
            _ => {}
        }
        let odd = match scheme(address) {
            None => false,
            Some((name, rest)) => match known(name, rest) {
                Some(known) => return Kind::Done(known),
                None => true,
            },
        };
        let end = address.iter().position(|b| matches!(b, b'#' | b'?')).unwrap_or(address.len());
        let place = &address[..end];
        if place.starts_with(b"/") {
            return Kind::Done(Address::Absolute);
        }
        let Some(folder) = &self.folder else { return Kind::Done(Address::Outside) };
        match join(folder, place, &mut self.path) {
            true if odd => Kind::Odd,
            true => Kind::Path,
            false => Kind::Done(Address::AboveRoot),
        }
    }
}

enum Kind {
    Done(Address<'static>),
    /// The resolver's path.
    Path,
    Odd,
}

fn folder_of(page: &[u8]) -> Vec<u8> {
    let end = page.iter().rposition(|b| *b == b'/').unwrap_or(0);
    page[..end].to_vec()
}

/// Splits an address behind the scheme with which it begins (RFC 3986, section 3.1).
fn scheme(address: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = address.iter().position(|b| matches!(b, b':' | b'/' | b'?' | b'#'))?;
    let (name, rest) = address.split_at_checked(colon)?;
    let is_name = name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    (is_name && rest.starts_with(b":")).then(|| (name, &rest[1..]))
}

/// Returns what an address with a scheme is, if that is one that browsers and programs know.
fn known(name: &[u8], rest: &[u8]) -> Option<Address<'static>> {
    let is = |names: &[&[u8]]| names.iter().any(|n| n.eq_ignore_ascii_case(name));
    if is(&[b"data", b"about", b"blob"]) {
        return Some(Address::Inline);
    }
    if rest.starts_with(b"//") {
        return Some(Address::Outside);
    }
    if is(&[b"http", b"https", b"ftp", b"ws", b"wss"]) {
        return Some(Address::NoHost);
    }
    let programs: [&[u8]; 15] = [
        b"javascript",
        b"mailto",
        b"tel",
        b"sms",
        b"sip",
        b"sips",
        b"geo",
        b"xmpp",
        b"news",
        b"urn",
        b"magnet",
        b"irc",
        b"ircs",
        b"callto",
        b"doi",
    ];
    is(&programs).then_some(Address::Outside)
}

/// Joins a folder and a relative place, percent escapes taken back; false if it leads above the root.
fn join(folder: &[u8], place: &[u8], out: &mut Vec<u8>) -> bool {
    let decoded;
    let place = match place.contains(&b'%') {
        true => {
            decoded = percent_decoded(place);
            &decoded[..]
        }
        false => place,
    };
    out.clear();
    out.extend_from_slice(folder);
    let mut is_folder = false;
    let mut parts = place.split(|b| *b == b'/').peekable();
    while let Some(part) = parts.next() {
        is_folder = matches!(part, b"." | b"..");
        match part {
            b"." => {}
            b".." => {
                if out.is_empty() {
                    return false;
                }
                let end = out.iter().rposition(|b| *b == b'/').unwrap_or(0);
                out.truncate(end);
            }
            part => {
                // A slash at the end of what only leads to a folder says no more.
                let is_last = part.is_empty() && parts.peek().is_none();
                if !out.is_empty() {
                    out.push(b'/');
                } else if is_last {
                    break;
                }
                out.extend_from_slice(part);
            }
        }
    }
    if is_folder && !out.is_empty() {
        out.push(b'/');
    }
    true
}

fn percent_decoded(place: &[u8]) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let mut out = Vec::with_capacity(place.len());
    let mut rest = place;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, behind @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    rest = behind;
                }
                _ => out.push(b'%'),
            },
            _ => out.push(*first),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_where_readers_of_zims_take_them() {
        use Address::{AboveRoot, Absolute, Empty, Here, Inline, NoHost, Odd, Outside, Path};
        for (page, address, expected) in [
            ("a/b.html", "", Empty),
            ("a/b.html", " \n", Empty),
            ("a/b.html", "#x", Here),
            ("a/b.html", "?x", Here),
            ("a/b.html", "c.html#x?y", Path(b"a/c.html")),
            ("a/b.html", " c\n.html ", Path(b"a/c.html")),
            ("a/b.html", "c.html?x=/../y", Path(b"a/c.html")),
            ("a/b.html", "../c%20d", Path(b"c d")),
            ("a/b.html", "..%2Fc", Path(b"c")),
            ("a/b.html", "50%", Path(b"a/50%")),
            ("a/b.html", "..", Path(b"")),
            ("a/b.html", ".", Path(b"a/")),
            ("a/b.html", "./", Path(b"a/")),
            ("a/b.html", "c/", Path(b"a/c/")),
            ("a/b.html", "c//d", Path(b"a/c//d")),
            ("a/b.html", "../../c", AboveRoot),
            ("b.html", "../c", AboveRoot),
            ("b.html", "./", Path(b"")),
            ("b.html", "c/./d/../e", Path(b"c/e")),
            ("A/b.html", "../I/c.png", Path(b"I/c.png")),
            ("a", "/c", Absolute),
            ("a", "//c", Outside),
            ("a", "https://c", Outside),
            ("a", "HTTP:c", NoHost),
            ("a", "mailto:c@d", Outside),
            ("a", "javascript:void(0)", Outside),
            ("a", "data:image/png;base64,AA", Inline),
            ("a", "./File:c", Path(b"File:c")),
            ("a", "File:c", Odd(b"File:c")),
            ("a", "1:c", Path(b"1:c")),
        ] {
            assert_eq!(
                Resolver::new(page.as_bytes()).resolve(address.as_bytes()),
                expected,
                "{page} {address:?}"
            );
        }
    }

    #[test]
    fn the_first_base_is_where_addresses_begin() {
        let mut resolver = Resolver::new(b"a/b.html");
        resolver.begin_at(b"../c/d.html");
        resolver.begin_at(b"/x");
        assert_eq!(resolver.resolve(b"e"), Address::Path(b"c/e"));
        let mut resolver = Resolver::new(b"a/b.html");
        resolver.begin_at(b"https://host/");
        assert_eq!(resolver.resolve(b"e"), Address::Outside);
        assert_eq!(resolver.resolve(b"#e"), Address::Here);
    }
}
