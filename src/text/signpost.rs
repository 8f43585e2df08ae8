//! Signposts: small pages that do nothing but lead to another one.

/// Returns the page that stands at the path `from` and leads to the path `to`: `title` is its own, `target`
/// what the link is called.
pub fn page(from: &[u8], to: &[u8], title: &str, target: &str, fragment: Option<&str>) -> String {
    let link = link(from, to, fragment);
    let (title, target) = (escape(title), escape(target));
    format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <link rel=\"canonical\" href=\"{link}\">\n\
         <meta http-equiv=\"refresh\" content=\"0; url={link}\">\n</head>\n\
         <body>\n<p><a href=\"{link}\">{target}</a></p>\n</body>\n</html>\n"
    )
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
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
}
