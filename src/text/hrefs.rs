//! Where links lead inside an archive.

/// Returns the path that a link in the page at `from` leads to, or `None` if it leads out of the
/// archive or stays on the page.
pub fn resolve(from: &str, href: &str) -> Option<String> {
    let href = href.trim();
    let place = href.split(['#', '?']).next().unwrap_or_default();
    let first = place.split('/').next().unwrap_or_default();
    if place.is_empty() || place.starts_with("//") || first.contains(':') {
        return None;
    }
    let mut parts: Vec<String> = match place.starts_with('/') {
        true => vec![],
        false => from.split('/').map(str::to_owned).collect(),
    };
    // The page's own name.
    parts.pop();
    let mut is_folder = false;
    for part in place.split('/') {
        is_folder = matches!(part, "" | "." | "..");
        match part {
            "" | "." => {}
            // As in a browser, nothing is above the root.
            ".." => drop(parts.pop()),
            part => parts.push(unescape(part)),
        }
    }
    let mut path = parts.join("/");
    if is_folder && !path.is_empty() {
        path.push('/');
    }
    Some(path)
}

/// Takes back percent escapes; what is none stays as it is.
fn unescape(part: &str) -> String {
    let digit = |b: Option<&u8>| b.and_then(|&b| char::from(b).to_digit(16));
    let bytes = part.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_paths() {
        for (from, href, expected) in [
            ("a/b.html", "c.html#x", Some("a/c.html")),
            ("a/b.html", "../c.html?q=1", Some("c.html")),
            ("a/b.html", "/c%20d.html", Some("c d.html")),
            ("a/b.html", "../../../c", Some("c")),
            ("a/b.html", "./", Some("a/")),
            ("a/b.html", "What%3F.html", Some("a/What?.html")),
            ("50%25/b", "%E9%zz", Some("50%25/%E9%zz")),
            ("a", "#x", None),
            ("a", "", None),
            ("a", "//host/x", None),
            ("a", "https://host/x", None),
            ("a", "mailto:x@y", None),
        ] {
            assert_eq!(resolve(from, href).as_deref(), expected, "{href}");
        }
    }
}
