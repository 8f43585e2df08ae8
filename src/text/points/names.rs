//! Which names of tags and attributes matter to a page's places, and which addresses lead out.

use super::super::raw_tags::decoded;
use super::Name;

/// Returns true for an address, as it is written in an attribute, that leads to another host.
pub(in crate::text) fn is_external(address: &[u8]) -> bool {
    // `&#104;ttp:` is rare, and decoded only where it may be one.
    says_host(address) || (address.contains(&b'&') && says_host(&decoded(address)))
}

fn says_host(address: &[u8]) -> bool {
    // Browsers pass over these wherever they stand, and over all control characters before an address.
    let mut letters = address.iter().copied().skip_while(|byte| *byte <= b' ');
    let mut letters = letters.by_ref().filter(|byte| !matches!(byte, b'\t' | b'\n' | b'\r'));
    let (first, second) = (letters.next(), letters.next());
    if let (Some(b'/' | b'\\'), Some(b'/' | b'\\')) = (first, second) {
        return true;
    }
    let rest = first.into_iter().chain(second).chain(letters).take(12);
    let scheme: Vec<u8> =
        rest.take_while(|byte| *byte != b':').map(|byte| byte.to_ascii_lowercase()).collect();
    let names: [&[u8]; 10] =
        [b"http", b"https", b"ftp", b"mailto", b"tel", b"sms", b"intent", b"magnet", b"ws", b"wss"];
    names.contains(&&scheme[..]) && address.contains(&b':')
}

pub(super) fn name_of(name: &[u8]) -> Option<Name> {
    let known: &[(&[u8], Name)] = match name.len() {
        2 => &[(b"id", Name::Id)],
        3 => &[(b"src", Name::Address), (b"rel", Name::Rel), (b"dir", Name::Dir)],
        4 => &[
            (b"href", Name::Link),
            (b"lang", Name::Lang),
            (b"name", Name::Named),
            (b"data", Name::Address),
            (b"ping", Name::Sent),
        ],
        5 => &[(b"style", Name::Style)],
        6 => &[
            (b"srcset", Name::List),
            (b"poster", Name::Address),
            (b"action", Name::Sent),
            (b"srcdoc", Name::Page),
        ],
        7 => &[(b"content", Name::Content)],
        10 => &[
            (b"http-equiv", Name::Equiv),
            (b"xlink:href", Name::Link),
            (b"background", Name::Address),
            (b"formaction", Name::Sent),
        ],
        11 => &[(b"imagesrcset", Name::List)],
        13 => &[(b"attributename", Name::Animated)],
        14 => &[(b"referrerpolicy", Name::Referrer), (b"attributionsrc", Name::Sent)],
        _ => return None,
    };
    known.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, known)| *known)
}

/// Returns true for the name of an attribute that says where a link leads.
pub(in crate::text) fn is_link(name: &[u8]) -> bool {
    const LINK: &[u8] = b"href";
    name.windows(LINK.len()).any(|part| part.eq_ignore_ascii_case(LINK))
}

/// Returns true for a tag, behind its `<`, that can make a browser connect to elsewhere though the policy
/// forbids it.
pub(super) fn may_connect(tag: &[u8]) -> bool {
    const NAMES: [&[u8]; 7] = [b"meta", b"link", b"iframe", b"frame", b"form", b"button", b"input"];
    let first = tag.first().map_or(0, u8::to_ascii_lowercase);
    matches!(first, b'm' | b'l' | b'i' | b'f' | b'b')
        && NAMES.iter().any(|name| tag.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)))
}

/// Returns true for elements in which other rules may hold for what is a tag: those of other languages, those
/// that are text where scripts run, and those that pass over the tags of a style or a title.
pub(super) fn may_hide(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 5] = [b"svg", b"math", b"noscript", b"select", b"template"];
    NAMES.iter().any(|n| n.eq_ignore_ascii_case(name))
}

/// Elements whose content may not be shown.
pub(super) fn is_aside(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"noscript") || name.eq_ignore_ascii_case(b"template")
}

/// Tags that stand in a head, or before it.
pub(super) fn is_of_head(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 11] = [
        b"html",
        b"head",
        b"meta",
        b"link",
        b"title",
        b"style",
        b"script",
        b"base",
        b"noscript",
        b"template",
        b"body",
    ];
    NAMES.iter().any(|n| n.eq_ignore_ascii_case(name))
}

/// Tags that have no end tag in HTML.
pub(super) fn is_void(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 15] = [
        b"area", b"base", b"br", b"col", b"embed", b"hr", b"img", b"input", b"link", b"meta", b"param",
        b"source", b"track", b"wbr", b"keygen",
    ];
    NAMES.iter().any(|n| n.eq_ignore_ascii_case(name))
}

pub(super) fn level_of(name: &[u8]) -> Option<u8> {
    match name {
        [b'h' | b'H', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}
