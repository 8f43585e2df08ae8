//! Tokens of the HTML that nearly all pages are made of, found with few steps.
//!
//! It tells the machine what `html5gum` would tell it, to the byte, and gives up where a page is
//! unusual: the tokenizer takes over there and reads the rest. So whatever is written here has to be
//! right only for what it does not pass on.

use html5gum::{Emitter, State, Token, Tokenizer};

use super::{Attribute, Machine, Visitor};

/// White space between the parts of a tag. A page with carriage returns is not read here.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c')
}

/// Where reading goes on.
enum Next {
    /// Here.
    At(usize),
    /// Nowhere: the visitor has heard enough.
    Stop,
    /// At this place by the tokenizer, in a state.
    Tokenizer(usize, State),
}

/// Reads a page as far as it is usual; returns where and how the tokenizer goes on, `None` if nothing
/// is left to do.
pub(super) fn run<V: Visitor>(html: &str, machine: &mut Machine<'_, V>) -> Option<(usize, State)> {
    let bytes = html.as_bytes();
    // Both are replaced wherever they stand.
    if bytes.iter().fold(0, |found, &byte| found | u8::from(byte == b'\r') | u8::from(byte == 0)) != 0 {
        return Some((0, State::Data));
    }
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let len = find(rest, [b'<', b'&']).unwrap_or(rest.len());
        machine.emit_string(&rest[..len]);
        at += len;
        let next = match bytes.get(at) {
            None => break,
            Some(b'&') => Next::At(at + reference(&html[at..], machine)),
            Some(_) => markup(html, at, machine),
        };
        match next {
            Next::At(next) => at = next,
            Next::Stop => return None,
            Next::Tokenizer(at, state) => return Some((at, state)),
        }
    }
    machine.emit_eof();
    None
}

/// Returns where the first of some bytes stands: eight are compared at a time.
#[inline(always)]
pub(in crate::text) fn find<const N: usize>(bytes: &[u8], sought: [u8; N]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    let (words, rest) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The high bit of each byte that is sought; above the lowest such byte others may have it too.
        let hits = sought.iter().fold(0, |hits, &byte| {
            let differs = word ^ (ONES * u64::from(byte));
            hits | (differs.wrapping_sub(ONES) & !differs & (ONES << 7))
        });
        if hits != 0 {
            return Some(8 * i + hits.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|byte| sought.contains(byte)).map(|at| 8 * words.len() + at)
}

/// Returns where a word stands, each time.
pub(in crate::text) fn places(bytes: &[u8], word: &'static [u8]) -> impl Iterator<Item = usize> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = *word.first()?;
        while let Some(len) = bytes.get(at..).and_then(|rest| find(rest, [first])) {
            at += len + 1;
            if bytes[at - 1..].starts_with(word) {
                return Some(at - 1);
            }
        }
        None
    })
}

/// Returns the length of a reference's name behind the `&`, its semicolon left out.
fn name_len(rest: &[u8]) -> usize {
    let hash = usize::from(rest.first() == Some(&b'#'));
    hash + rest[hash..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count()
}

/// Returns what the references stand for that pages are full of.
fn usual(name: &[u8]) -> Option<&'static str> {
    Some(match name {
        b"amp" | b"#38" => "&",
        b"lt" | b"#60" => "<",
        b"gt" | b"#62" => ">",
        b"quot" | b"#34" => "\"",
        b"apos" | b"#39" | b"#x27" => "'",
        b"nbsp" | b"#160" | b"#xa0" => "\u{a0}",
        b"ndash" | b"#8211" => "\u{2013}",
        b"mdash" | b"#8212" => "\u{2014}",
        _ => return None,
    })
}

/// Passes what the reference stands for with which a text begins; returns its length.
fn reference<V: Visitor>(text: &str, machine: &mut Machine<'_, V>) -> usize {
    let bytes = text.as_bytes();
    let name = name_len(&bytes[1..]);
    let has_end = bytes.get(1 + name) == Some(&b';');
    let len = 1 + name + usize::from(has_end);
    if name == 0 {
        machine.emit_string(b"&");
        return 1;
    }
    match usual(&bytes[1..=name]).filter(|_| has_end) {
        Some(text) => machine.emit_string(text.as_bytes()),
        None => decode(&text[..len], |piece| machine.emit_string(piece)),
    }
    len
}

/// Passes what the tokenizer makes of a reference: what follows does not matter in text.
fn decode(reference: &str, mut take: impl FnMut(&[u8])) {
    for token in Tokenizer::new(reference) {
        if let Ok(Token::String(piece)) = token {
            take(&piece);
        }
    }
}

/// Reads what begins with `<`.
fn markup<V: Visitor>(html: &str, at: usize, machine: &mut Machine<'_, V>) -> Next {
    let bytes = html.as_bytes();
    let hard = Next::Tokenizer(at, State::Data);
    let rest = &bytes[at + 1..];
    // All of these end with the first `>`.
    let declaration = |from: usize| match find(&rest[from..], [b'>']) {
        Some(len) => Next::At(at + 1 + from + len + 1),
        None => Next::Tokenizer(at, State::Data),
    };
    match rest {
        [first, ..] if first.is_ascii_alphabetic() => tag(html, at, false, machine),
        [b'/', first, ..] if first.is_ascii_alphabetic() => tag(html, at, true, machine),
        [b'/', _, ..] => declaration(1),
        [b'!', b'-', b'-', comment @ ..] => {
            // A comment may end before it has begun.
            if comment.starts_with(b">") || comment.starts_with(b"->") {
                return hard;
            }
            let mut from = 0;
            while let Some(len) = find(&comment[from..], [b'-']) {
                from += len;
                match comment[from..] {
                    [b'-', b'-', b'>', ..] => return Next::At(at + 4 + from + 3),
                    [b'-', b'-', b'!', ..] => return hard,
                    _ => from += 1,
                }
            }
            hard
        }
        [b'!', b'[', ..] => hard,
        [b'!', ..] => declaration(1),
        [b'?', ..] => declaration(0),
        [_, ..] if rest[0] != b'/' => {
            machine.emit_string(b"<");
            Next::At(at + 1)
        }
        _ => hard,
    }
}

/// Reads a tag, and the content of an element that has no markup in it.
fn tag<V: Visitor>(html: &str, start: usize, is_end: bool, machine: &mut Machine<'_, V>) -> Next {
    let bytes = html.as_bytes();
    let hard = Next::Tokenizer(start, State::Data);
    if is_end {
        machine.init_end_tag();
    } else {
        machine.init_start_tag();
    }
    let mut at = start + 1 + usize::from(is_end);
    let ends_name = |byte: &u8| is_space(*byte) || matches!(byte, b'/' | b'>');
    let Some(len) = bytes[at..].iter().position(ends_name) else { return hard };
    machine.name.extend_from_slice(&bytes[at..at + len]);
    machine.name.make_ascii_lowercase();
    at += len;
    loop {
        match bytes[at..] {
            [b'>', ..] => break,
            [b'/', b'>', ..] => {
                machine.set_self_closing();
                at += 1;
                break;
            }
            [b'/', _, ..] => at += 1,
            [byte, ..] if is_space(byte) => at += 1,
            [] | [b'/' | b'='] | [b'=', ..] => return hard,
            _ => match attribute(html, at, machine) {
                Some(next) => at = next,
                None => return hard,
            },
        }
    }
    let state = machine.emit_current_tag();
    at += 1;
    match state {
        _ if machine.stopped => Next::Stop,
        None => Next::At(at),
        Some(state) => raw(html, at, state, machine),
    }
}

/// Reads an attribute; returns where it ends, `None` if it is unusual.
fn attribute<V: Visitor>(html: &str, mut at: usize, machine: &mut Machine<'_, V>) -> Option<usize> {
    let bytes = html.as_bytes();
    let ends_name = |byte: &u8| is_space(*byte) || matches!(byte, b'/' | b'>' | b'=');
    let len = bytes[at..].iter().position(ends_name)?;
    let name = &bytes[at..at + len];
    at += len;
    let mut kept = None;
    if !machine.is_end {
        kept = if name.iter().any(u8::is_ascii_uppercase) {
            Attribute::from_name(&name.to_ascii_lowercase())
        } else {
            Attribute::from_name(name)
        };
        // Of several the first counts.
        kept = kept.filter(|kept| machine.attributes.spans.iter().all(|(other, ..)| other != kept));
    }
    let after = at + bytes[at..].iter().position(|byte| !is_space(*byte))?;
    let mut value = "";
    if bytes[after] == b'=' {
        at = after + 1;
        at += bytes[at..].iter().position(|byte| !is_space(*byte))?;
        let quoted = matches!(bytes[at], b'"' | b'\'');
        let len = match bytes[at] {
            quote if quoted => {
                at += 1;
                find(&bytes[at..], [quote])?
            }
            // The value is missing.
            b'>' => 0,
            _ => bytes[at..].iter().position(|byte| is_space(*byte) || *byte == b'>')?,
        };
        value = html.get(at..at + len)?;
        at += len + usize::from(quoted);
    }
    if let Some(kept) = kept {
        let values = &mut machine.attributes.values;
        let start = values.len();
        put_value(value, values)?;
        let end = values.len();
        machine.attributes.spans.push((kept, start, end));
    }
    Some(at)
}

/// Appends a value with its references decoded; `None` if one is unusual.
fn put_value(value: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut rest = value;
    while let Some(at) = find(rest.as_bytes(), [b'&']) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let name = name_len(&rest.as_bytes()[1..]);
        let end = rest.as_bytes().get(1 + name);
        let len = match (name, end) {
            (0, _) => {
                out.push(b'&');
                1
            }
            (_, Some(b';')) => {
                out.extend_from_slice(usual(&rest.as_bytes()[1..=name])?.as_bytes());
                name + 2
            }
            // The next part of an address, whatever its name is.
            (_, Some(b'=')) if rest.as_bytes()[1] != b'#' => {
                out.extend_from_slice(&rest.as_bytes()[..=name]);
                name + 1
            }
            _ => return None,
        };
        rest = &rest[len..];
    }
    out.extend_from_slice(rest.as_bytes());
    Some(())
}

/// Reads what has no markup in it up to its end tag.
fn raw<V: Visitor>(html: &str, start: usize, state: State, machine: &mut Machine<'_, V>) -> Next {
    let bytes = html.as_bytes();
    let hard = Next::Tokenizer(start, state);
    if !matches!(state, State::RcData | State::RawText | State::ScriptData) {
        return hard;
    }
    let mut end = start;
    loop {
        match find(&bytes[end..], [b'<']) {
            Some(len) => end += len,
            None => return hard,
        }
        if state == State::ScriptData && bytes[end..].starts_with(b"<!--") {
            return hard;
        }
        let name = end + 2..end + 2 + machine.last_start.len();
        let is_it = bytes.get(end + 1) == Some(&b'/')
            && bytes.get(name.clone()).is_some_and(|name| name.eq_ignore_ascii_case(&machine.last_start))
            && bytes.get(name.end).is_some_and(|&byte| is_space(byte) || matches!(byte, b'/' | b'>'));
        if is_it {
            break;
        }
        end += 1;
    }
    let mut at = start;
    while state == State::RcData
        && let Some(len) = find(&bytes[at..end], [b'&'])
    {
        machine.emit_string(&bytes[at..at + len]);
        at += len;
        at += reference(&html[at..end], machine);
    }
    machine.emit_string(&bytes[at..end]);
    Next::At(end)
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use proptest::prelude::*;

    use super::super::{Attributes, Options, Tag, machine};
    use super::*;

    /// Writes down all it hears, until it has heard enough.
    struct Log(Vec<String>, usize);

    impl Log {
        fn add(&mut self, event: String) -> ControlFlow<()> {
            self.0.push(event);
            if self.0.len() < self.1 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        }
    }

    impl Visitor for Log {
        fn open(&mut self, tag: Tag, attributes: &Attributes) -> ControlFlow<()> {
            self.add(format!("<{tag:?} {attributes:?}"))
        }

        fn close(&mut self, tag: Tag) -> ControlFlow<()> {
            self.add(format!("/{tag:?}"))
        }

        fn text(&mut self, text: &str) -> ControlFlow<()> {
            self.add(text.to_string())
        }
    }

    /// Returns what a visitor hears of a page, with the scan and without it, and if the tokenizer was needed.
    fn both(html: &str, options: Options, most: usize) -> (Vec<String>, Vec<String>, bool) {
        let mut with = Log(vec![], most);
        let mut first = machine(html, options, &mut with);
        let rest = run(html, &mut first);
        if let Some((at, state)) = rest {
            let mut tokenizer = Tokenizer::new_with_emitter(&html[at..], first);
            tokenizer.set_state(state);
            let _ = tokenizer.next();
        }
        let mut without = Log(vec![], most);
        let _ = Tokenizer::new_with_emitter(html, machine(html, options, &mut without)).next();
        (with.0, without.0, rest.is_some())
    }

    #[test]
    fn usual_pages_need_no_tokenizer() {
        let html = "<!DOCTYPE html><html lang=en><title>A &amp; B</title><script>if (a < b) {}</script>\
            <style>p > a {}</style><!-- c -- d --><body class='x y' hidden><P ID=\"a\">x&nbsp;&eacute; 1 < 2 \
            AT&T &copy 1<br/><a href=\"?a=1&b=2&amp;c\" title=x>y</a><img src = x /><textarea>&lt;b></textarea>";
        let (with, without, needed) = both(html, Options::EVERYTHING, usize::MAX);
        assert_eq!(with, without);
        assert!(!needed);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]
        #[test]
        fn it_tells_what_the_tokenizer_tells(
            pieces in proptest::collection::vec(prop_oneof![
                proptest::sample::select(vec![
                    "<", ">", "/", "=", "\"", "'", "&", ";", "#", " ", "\n", "\r", "\0", "!", "-", "--", "?", "a", "x",
                    "<p", "<P>", "</p>", "<a href", "<a href=\"", "<br/>", "<title>", "</title>", "</TITLE ", "<script>",
                    "</script>", "<style", "</style>", "<!--", "-->", "--!>", "<!", "<![CDATA[", "]]>", "<svg>", "</svg>",
                    "<textarea>", "</textarea", "<plaintext>", "<noframes>", "<pre>", "<table><tr><td>", "</table>",
                    "<nav>", "<header><h1>", "</header>", "class=", "id=\"a\"", "hidden", "style='display:none'",
                    "&amp;", "&amp", "&lt", "&eacute;", "&copy", "&notit;", "&#65;", "&#x41", "&#x", "&#", "&#0;",
                    "&#128;", "&semi;", "&bogus;", "&fjlig;", "<?xml ?>", "<!DOCTYPE html>", "é", "ſ", "</", "<É", "</É>",
                ]).prop_map(String::from),
                "[ -~]{0,6}",
            ], 0..24),
            chrome: bool,
            most in prop_oneof![Just(usize::MAX), 1..8_usize],
        ) {
            let html = pieces.concat();
            let options = Options { chrome, hidden: chrome };
            let (with, without, _) = both(&html, options, most);
            prop_assert_eq!(with, without);
        }
    }
}
