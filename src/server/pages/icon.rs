//! The pictures of archives.

use hyper::StatusCode;

use crate::item::{Metadata, keys};
use crate::server::State;
use crate::server::answer::{Answer, Policy};
use crate::server::library::Volume;
use crate::server::{content, documents};
use crate::text::essence;

/// Kinds of pictures that browsers show. A drawing runs no script under the policy of content.
const KINDS: &[&str] =
    &["image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml", "image/avif", "image/x-icon"];

/// Answers with the picture of an archive: its own, else one that is drawn.
pub fn icon(state: &State, name: &str) -> Answer {
    let shelf = state.library.shelf();
    let Some(volume) = shelf.get(name) else {
        return Answer::text(StatusCode::NOT_FOUND, "there is no such archive\n");
    };
    let about = volume.about();
    let tag = about.map_or("none", |_| volume.tag());
    let (mime, bytes) = match about.and_then(|about| own(&about.metadata)) {
        Some((mime, bytes)) => (mime, bytes.to_vec()),
        None => ("image/svg+xml", drawn(volume).into_bytes()),
    };
    let mime = content::with_charset(mime, &bytes);
    Answer::data(mime, bytes).tagged(format!("{tag}-i{}", &*super::VERSION)).with_policy(Policy::Content)
}

/// Returns the picture that an archive has, by kind and bytes: the one nearest the size at which it is
/// shown, which has no number.
fn own(metadata: &Metadata) -> Option<(&'static str, &[u8])> {
    let named = metadata.get(keys::ICON).into_iter();
    let sized = metadata.iter().filter(|(key, _)| key.starts_with("icon-")).map(|(_, value)| value);
    named.chain(sized).find_map(|value| {
        let said = essence(&value.mime);
        let kind = KINDS.iter().find(|kind| kind.eq_ignore_ascii_case(said))?;
        (!value.bytes.is_empty() && !documents::may_connect(kind, &value.bytes))
            .then_some((*kind, &value.bytes[..]))
    })
}

/// Draws a picture: the first letter of the title on a colour that the name gives.
fn drawn(volume: &Volume) -> String {
    let hue = u32::from(blake3::hash(volume.name.as_bytes()).as_bytes()[0]) * 360 / 256;
    let letter = volume.title().chars().find(|c| c.is_alphanumeric()).unwrap_or('T');
    // A letter or digit means nothing in a drawing's markup.
    let letter: String = letter.to_uppercase().collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 48 48\"><rect width=\"48\" height=\"48\" rx=\"10\" \
         fill=\"hsl({hue} 38% 40%)\"/><text x=\"24\" y=\"33\" text-anchor=\"middle\" fill=\"#fff\" \
         font-family=\"Georgia,'Noto Serif',serif\" font-size=\"26\">{letter}</text></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Value;

    #[test]
    fn only_pictures_are_pictures() {
        let with = |mime: &str| {
            let mut metadata = Metadata::default();
            metadata.set(keys::ICON, Value { mime: mime.into(), bytes: b"x".to_vec() });
            metadata
        };
        assert_eq!(own(&with("image/png")), Some(("image/png", &b"x"[..])));
        assert_eq!(own(&with("image/PNG; a=b")).map(|o| o.0), Some("image/png"));
        for bad in ["text/html", "image/png\r\nx: y", "", "image/"] {
            assert_eq!(own(&with(bad)), None, "{bad}");
        }
        let mut metadata = Metadata::default();
        let drawing =
            b"<svg xmlns='http://www.w3.org/2000/svg'><a xmlns='http://www.w3.org/1999/xhtml'/></svg>";
        metadata.set(keys::ICON, Value { mime: "image/svg+xml".into(), bytes: drawing.to_vec() });
        assert_eq!(own(&metadata), None);
    }
}
