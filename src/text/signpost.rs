//! Signposts: small pages that do nothing but lead to another one.

use super::escape;

/// What all of them begin with.
const HEAD: &str = "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>";

/// Returns the page that stands at the path `from` and leads to the path `to`: `title` is its own, `target`
/// what the link is called.
pub fn page(from: &[u8], to: &[u8], title: &str, target: &str, fragment: Option<&str>) -> String {
    let link = link(from, to, fragment);
    let (title, target) = (escape(title), escape(target));
    format!(
        "{HEAD}{title}</title>\n\
         <link rel=\"canonical\" href=\"{link}\">\n\
         <meta http-equiv=\"refresh\" content=\"0; url={link}\">\n</head>\n\
         <body>\n<p><a href=\"{link}\">{target}</a></p>\n</body>\n</html>\n"
    )
}

/// What a signpost says.
#[derive(Debug, PartialEq, Eq)]
pub struct Signpost {
    /// The path to which it leads.
    pub to: Vec<u8>,
    /// The page's own title.
    pub title: String,
    /// What the link is called.
    pub target: String,
    /// The place in the page to which it leads.
    pub fragment: Option<String>,
}

/// Returns what the page at the path `from` says, if it is one that [`page`] makes, byte for byte.
///
/// A fragment is decoded where encoding it again gives the same: as it stands in the page it would be
/// found by no heading's name.
pub fn read(from: &[u8], bytes: &[u8]) -> Option<Signpost> {
    let text = std::str::from_utf8(bytes).ok()?;
    let rest = text.strip_prefix(HEAD)?;
    let (title, rest) = rest.split_once("</title>")?;
    let (_, rest) = rest.split_once("href=\"")?;
    let (link, rest) = rest.split_once('"')?;
    let (_, rest) = rest.split_once("<a href=\"")?;
    let (target, _) = rest.split_once("\">")?.1.split_once("</a>")?;
    let (place, fragment) = match link.split_once('#') {
        Some((place, fragment)) => (place, Some(fragment)),
        None => (link, None),
    };
    let fragment = fragment.map(|encoded| {
        let decoded = String::from_utf8(decode(encoded)).ok();
        let is_same = |decoded: &String| {
            let mut again = String::new();
            percent(&mut again, decoded.as_bytes(), true);
            again == encoded
        };
        decoded.filter(is_same).unwrap_or_else(|| encoded.to_owned())
    });
    let found =
        Signpost { to: follow(from, place)?, title: unescape(title), target: unescape(target), fragment };
    let Signpost { to, title, target, fragment } = &found;
    (page(from, to, title, target, fragment.as_deref()) == text).then_some(found)
}

/// Returns the path to which a link of ours leads. The inverse of [`link`].
fn follow(from: &[u8], place: &str) -> Option<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = from.split(|&b| b == b'/').map(<[u8]>::to_vec).collect();
    parts.pop();
    for part in place.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(decode(part)),
        }
    }
    Some(parts.join(&b'/'))
}

/// Returns a relative link in which nothing is special to HTML, nor to the refresh's own syntax. It
/// begins with a dot, so that no name is taken for a scheme.
fn link(from: &[u8], to: &[u8], fragment: Option<&str>) -> String {
    let mut folders = from.split(|&b| b == b'/').collect::<Vec<_>>();
    folders.pop();
    let parts = to.split(|&b| b == b'/').collect::<Vec<_>>();
    let common = folders.iter().zip(&parts[..parts.len() - 1]).take_while(|(a, b)| a == b).count();
    let mut out =
        if folders.len() == common { "./".to_owned() } else { "../".repeat(folders.len() - common) };
    for (i, part) in parts[common..].iter().enumerate() {
        if i > 0 {
            out.push('/');
        }
        percent(&mut out, part, false);
    }
    if let Some(fragment) = fragment {
        out.push('#');
        percent(&mut out, fragment.as_bytes(), true);
    }
    out
}

/// Appends bytes percent-encoded; `keep` leaves encodings as they are.
fn percent(out: &mut String, bytes: &[u8], keep: bool) {
    for (i, &byte) in bytes.iter().enumerate() {
        let encoded =
            byte == b'%' && bytes.get(i + 1..i + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep && encoded {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// Undoes [`percent`].
fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex =
            (*first == b'%').then(|| after.get(..2)).flatten().and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    out
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_and_inert() {
        let link = |from: &str, to: &str, fragment| link(from.as_bytes(), to.as_bytes(), fragment);
        assert_eq!(link("a", "b", None), "./b");
        assert_eq!(link("x/a", "x/b c", None), "./b%20c");
        assert_eq!(link("x/y/a", "x/b", Some("t\"%20")), "../b#t%22%20");
        assert_eq!(link("x/a", "y/b", None), "../y/b");
        assert_eq!(link("a", "x/a", None), "./x/a");
        assert_eq!(link("x/y", "x", None), "../x");
        assert_eq!(link("a", "javascript:alert(1)", None), "./javascript%3Aalert%281%29");
        assert_eq!(link("a", "100%25", None), "./100%2525");
    }

    #[test]
    fn a_signpost_says_what_it_was_made_of() {
        for (fragment, found) in [
            ("Größe", "Größe"),
            ("a b", "a b"),
            ("a%20b", "a b"),
            ("100%", "100%"),
            ("%2541", "%2541"),
            ("%ff", "%ff"),
        ] {
            let made = page(b"x/a", b"y/b", "<T> & \"U\"", "y/b", Some(fragment));
            let read = read(b"x/a", made.as_bytes()).unwrap();
            assert_eq!(
                (&read.to[..], &read.title[..], &read.target[..]),
                (&b"y/b"[..], "<T> & \"U\"", "y/b")
            );
            assert_eq!(read.fragment.as_deref(), Some(found));
        }
        let made = page(b"a", b"b", "T", "b", Some("f"));
        assert!(read(b"a", made.as_bytes()).is_some());
        // From elsewhere the same link is made for another page, or not at all.
        assert_eq!(read(b"x/a", made.as_bytes()).unwrap().to, b"x/b");
        for (from, to) in [("</p>", " and more</p>"), ("<p>", "<p >"), ("./b", "b"), ("./b#f", "http://b")] {
            assert_eq!(read(b"a", made.replacen(from, to, 1).as_bytes()), None, "{from}");
            assert_eq!(read(b"a", made.replace(from, to).as_bytes()), None, "{from}");
        }
        assert_eq!(read(b"a", format!("{made} ").as_bytes()), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]
        #[test]
        fn whatever_is_made_is_read(
            from in "[ab./%]{1,8}", to in "[ab./%é\"<]{1,8}", words in "[a&;<>\"=lt]{0,8}", fragment in "[a#%20é\"]{1,6}"
        ) {
            let made = page(from.as_bytes(), to.as_bytes(), &words, &words, Some(&fragment));
            if let Some(found) = read(from.as_bytes(), made.as_bytes()) {
                proptest::prop_assert_eq!((&found.title, &found.target), (&words, &words));
                let again = page(from.as_bytes(), &found.to, &words, &words, found.fragment.as_deref());
                proptest::prop_assert_eq!(again, made);
            } else {
                // Parts that a path of a source cannot have.
                let is_odd = |path: &str| path.split('/').any(|part| matches!(part, "." | ".."));
                proptest::prop_assert!(is_odd(&from) || is_odd(&to));
            }
        }
    }
}
