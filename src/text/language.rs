//! Which language a text is in, where nothing says it.

use std::sync::LazyLock;

use whatlang::{Detector, Lang};

use super::borders;

/// How many bytes of a text are looked at.
const SAMPLE: usize = 16 * 1024;

/// How many letters a text needs; fewer tell little.
const MIN_LETTERS: usize = 120;

/// The languages that are told apart: those with stemmers, and those that would be taken for them.
static DETECTOR: LazyLock<Detector> = LazyLock::new(|| {
    Detector::with_allowlist(Lang::all().iter().copied().filter(|lang| !matches!(lang, Lang::Lat)).collect())
});

/// Returns the language of a text as a tag of BCP 47, if it is one with a stemmer and there is little
/// doubt; see [`stems`](super::stems).
///
/// Looks at the first 16 KiB, which takes about a millisecond. A short text has no language; nor has a
/// list of names, mostly.
pub fn detect(text: &str) -> Option<&'static str> {
    let end = borders::floor(text, SAMPLE);
    let sample = &text[..end];
    sample.chars().filter(|c| c.is_alphabetic()).nth(MIN_LETTERS - 1)?;
    let info = DETECTOR.detect(sample)?;
    if !info.is_reliable() {
        return None;
    }
    let tag = match info.lang() {
        Lang::Ara => "ar",
        Lang::Cat => "ca",
        Lang::Ces => "cs",
        Lang::Dan => "da",
        Lang::Deu => "de",
        Lang::Ell => "el",
        Lang::Eng => "en",
        Lang::Epo => "eo",
        Lang::Spa => "es",
        Lang::Est => "et",
        Lang::Fin => "fi",
        Lang::Fra => "fr",
        Lang::Hin => "hi",
        Lang::Hun => "hu",
        Lang::Hye => "hy",
        Lang::Ind => "id",
        Lang::Ita => "it",
        Lang::Lit => "lt",
        Lang::Nep => "ne",
        Lang::Nld => "nl",
        Lang::Nob => "no",
        Lang::Pes => "fa",
        Lang::Pol => "pl",
        Lang::Por => "pt",
        Lang::Ron => "ro",
        Lang::Rus => "ru",
        Lang::Srp => "sr",
        Lang::Swe => "sv",
        Lang::Tam => "ta",
        Lang::Tur => "tr",
        Lang::Ukr => "uk",
        Lang::Yid => "yi",
        _ => return None,
    };
    Some(tag)
}

#[cfg(test)]
mod tests {
    use super::super::stems::has_stemmer;
    use super::*;

    #[test]
    fn languages_of_sentences_are_told() {
        for (tag, text) in [
            (
                "en",
                "The relations between the two countries began in the nineteenth century, when both of them opened \
                    their ports to ships from abroad and signed a treaty of trade and friendship.",
            ),
            (
                "fr",
                "Les relations entre les deux pays ont commencé au dix-neuvième siècle, lorsque tous deux ont ouvert \
                    leurs ports aux navires étrangers et signé un traité de commerce et d'amitié.",
            ),
            (
                "es",
                "Las relaciones entre los dos países comenzaron en el siglo diecinueve, cuando ambos abrieron sus \
                    puertos a los barcos extranjeros y firmaron un tratado de comercio y amistad.",
            ),
            (
                "de",
                "Die Beziehungen zwischen den beiden Ländern begannen im neunzehnten Jahrhundert, als beide ihre \
                    Häfen für fremde Schiffe öffneten und einen Vertrag über Handel und Freundschaft schlossen.",
            ),
            (
                "ru",
                "Отношения между двумя странами начались в девятнадцатом веке, когда обе открыли свои порты для \
                    иностранных кораблей и подписали договор о торговле и дружбе.",
            ),
        ] {
            assert_eq!(detect(text), Some(tag));
            assert!(has_stemmer(tag));
        }
    }

    #[test]
    fn what_tells_nothing_has_no_language() {
        for text in ["", "hello", "12345 67890 ".repeat(100).as_str(), "中华人民共和国".repeat(40).as_str()]
        {
            assert_eq!(detect(text), None, "{text}");
        }
        let _ = detect(&"a".repeat(1 << 20));
        let _ = detect(&"é".repeat(1 << 20));
    }
}
