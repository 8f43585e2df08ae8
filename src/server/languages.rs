//! The names that languages have for themselves.

use crate::zim::languages::{to_tag, to_three};

/// Codes of three letters (ISO 639-3), other codes for the same, and names as a text has them, in order of
/// the codes.
const NAMES: &[(&str, &[&str], &str)] = &[
    ("afr", &[], "Afrikaans"),
    ("amh", &[], "አማርኛ"),
    ("ara", &["arb"], "العربية"),
    ("asm", &[], "অসমীয়া"),
    ("aze", &["azj"], "azərbaycan"),
    ("bel", &[], "беларуская"),
    ("ben", &[], "বাংলা"),
    ("bos", &[], "bosanski"),
    ("bul", &[], "български"),
    ("cat", &[], "català"),
    ("ces", &["cze"], "čeština"),
    ("cym", &[], "Cymraeg"),
    ("dan", &[], "dansk"),
    ("deu", &["ger"], "Deutsch"),
    ("ell", &["gre"], "Ελληνικά"),
    ("eng", &[], "English"),
    ("epo", &[], "Esperanto"),
    ("est", &["ekk"], "eesti"),
    ("eus", &["baq"], "euskara"),
    ("fas", &["per", "pes"], "فارسی"),
    ("fin", &[], "suomi"),
    ("fra", &["fre"], "français"),
    ("gle", &[], "Gaeilge"),
    ("glg", &[], "galego"),
    ("guj", &[], "ગુજરાતી"),
    ("hau", &[], "Hausa"),
    ("heb", &[], "עברית"),
    ("hin", &[], "हिन्दी"),
    ("hrv", &[], "hrvatski"),
    ("hun", &[], "magyar"),
    ("hye", &["arm"], "հայերեն"),
    ("ibo", &[], "Igbo"),
    ("ind", &[], "Indonesia"),
    ("isl", &[], "íslenska"),
    ("ita", &[], "italiano"),
    ("jpn", &[], "日本語"),
    ("kan", &[], "ಕನ್ನಡ"),
    ("kat", &["geo"], "ქართული"),
    ("kaz", &[], "қазақ тілі"),
    ("khm", &[], "ខ្មែរ"),
    ("kor", &[], "한국어"),
    ("lat", &[], "Latina"),
    ("lav", &["lvs"], "latviešu"),
    ("lit", &[], "lietuvių"),
    ("mal", &[], "മലയാളം"),
    ("mar", &[], "मराठी"),
    ("mkd", &["mac"], "македонски"),
    ("mon", &[], "монгол"),
    ("msa", &["may", "zsm"], "Melayu"),
    ("mya", &[], "မြန်မာ"),
    ("nep", &["npi"], "नेपाली"),
    ("nld", &["dut"], "Nederlands"),
    ("nor", &["nob"], "norsk"),
    ("pan", &[], "ਪੰਜਾਬੀ"),
    ("pol", &[], "polski"),
    ("por", &[], "português"),
    ("ron", &["rum"], "română"),
    ("rus", &[], "русский"),
    ("sin", &[], "සිංහල"),
    ("slk", &["slo"], "slovenčina"),
    ("slv", &[], "slovenščina"),
    ("spa", &[], "español"),
    ("sqi", &["alb"], "shqip"),
    ("srp", &[], "српски"),
    ("swa", &["swh"], "Kiswahili"),
    ("swe", &[], "svenska"),
    ("tam", &[], "தமிழ்"),
    ("tel", &[], "తెలుగు"),
    ("tha", &[], "ไทย"),
    ("tur", &[], "Türkçe"),
    ("ukr", &[], "українська"),
    ("urd", &[], "اردو"),
    ("uzb", &[], "oʻzbekcha"),
    ("vie", &[], "tiếng Việt"),
    ("yid", &[], "ייִדיש"),
    ("zho", &["chi", "cmn"], "中文"),
];

/// Returns the name that a language has for itself by its code of three letters, else the code.
pub fn own_name(code: &str) -> &str {
    NAMES.binary_search_by_key(&code, |row| row.0).map_or(code, |at| NAMES[at].2)
}

/// Returns the tag of a language however it is written, and its name as a list has it; of an unknown one,
/// what is written.
pub fn language(written: &str) -> (String, String) {
    let written = written.trim();
    let code = to_three(written).unwrap_or_default();
    match NAMES.iter().find(|(own, others, _)| *own == code || others.contains(&code.as_str())) {
        Some((own, _, name)) => (to_tag(own).to_owned(), capitalised(name)),
        None => (written.to_ascii_lowercase(), written.to_owned()),
    }
}

/// Splits what an archive says of its languages.
pub fn languages(written: &str) -> impl Iterator<Item = (String, String)> {
    // More than these no archive has and no card shows.
    written.split([',', ';']).map(str::trim).filter(|one| !one.is_empty()).take(20).map(language)
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    // Georgian has capitals for nothing but headlines.
    match letters.next().filter(|first| !('\u{10D0}'..='\u{10FF}').contains(first)) {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_their_own_names() {
        assert!(NAMES.is_sorted_by_key(|row| row.0));
        assert_eq!((own_name("fra"), own_name("zho"), own_name("afr")), ("français", "中文", "Afrikaans"));
        assert_eq!((own_name("xyz"), own_name("")), ("xyz", ""));
    }

    #[test]
    fn one_language_has_one_name_however_it_is_written() {
        for written in ["en", "eng", "en-US", " EN_gb"] {
            assert_eq!(language(written), ("en".into(), "English".into()), "{written}");
        }
        for (written, tag, name) in [
            ("ger", "de", "Deutsch"),
            ("fre", "fr", "Français"),
            ("kat", "ka", "ქართული"),
            ("nb", "no", "Norsk"),
        ] {
            assert_eq!(language(written), (tag.into(), name.into()), "{written}");
        }
        assert_eq!(language("tlh"), ("tlh".into(), "tlh".into()));
        assert_eq!(languages("fra, deu,,").map(|l| l.0).collect::<Vec<_>>(), ["fr", "de"]);
    }
}
