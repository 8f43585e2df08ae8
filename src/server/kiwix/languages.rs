//! The names that languages have for themselves.

/// Codes of three letters and names, in order of the codes.
const NAMES: [(&str, &str); 72] = [
    ("afr", "Afrikaans"),
    ("amh", "አማርኛ"),
    ("ara", "العربية"),
    ("asm", "অসমীয়া"),
    ("aze", "azərbaycan"),
    ("bel", "беларуская"),
    ("ben", "বাংলা"),
    ("bos", "bosanski"),
    ("bul", "български"),
    ("cat", "català"),
    ("ces", "čeština"),
    ("cym", "Cymraeg"),
    ("dan", "dansk"),
    ("deu", "Deutsch"),
    ("ell", "Ελληνικά"),
    ("eng", "English"),
    ("epo", "Esperanto"),
    ("est", "eesti"),
    ("eus", "euskara"),
    ("fas", "فارسی"),
    ("fin", "suomi"),
    ("fra", "français"),
    ("gle", "Gaeilge"),
    ("glg", "galego"),
    ("guj", "ગુજરાતી"),
    ("hau", "Hausa"),
    ("heb", "עברית"),
    ("hin", "हिन्दी"),
    ("hrv", "hrvatski"),
    ("hun", "magyar"),
    ("hye", "հայերեն"),
    ("ibo", "Igbo"),
    ("ind", "Indonesia"),
    ("isl", "íslenska"),
    ("ita", "italiano"),
    ("jpn", "日本語"),
    ("kan", "ಕನ್ನಡ"),
    ("kat", "ქართული"),
    ("kaz", "қазақ тілі"),
    ("khm", "ខ្មែរ"),
    ("kor", "한국어"),
    ("lat", "Latina"),
    ("lav", "latviešu"),
    ("lit", "lietuvių"),
    ("mal", "മലയാളം"),
    ("mar", "मराठी"),
    ("mkd", "македонски"),
    ("mon", "монгол"),
    ("msa", "Melayu"),
    ("mya", "မြန်မာ"),
    ("nep", "नेपाली"),
    ("nld", "Nederlands"),
    ("nor", "norsk"),
    ("pan", "ਪੰਜਾਬੀ"),
    ("pol", "polski"),
    ("por", "português"),
    ("ron", "română"),
    ("rus", "русский"),
    ("sin", "සිංහල"),
    ("slk", "slovenčina"),
    ("slv", "slovenščina"),
    ("spa", "español"),
    ("sqi", "shqip"),
    ("srp", "српски"),
    ("swa", "Kiswahili"),
    ("swe", "svenska"),
    ("tam", "தமிழ்"),
    ("tel", "తెలుగు"),
    ("tha", "ไทย"),
    ("tur", "Türkçe"),
    ("ukr", "українська"),
    ("zho", "中文"),
];

/// Returns the name that a language has for itself, else its code.
pub fn own_name(code: &str) -> &str {
    NAMES.binary_search_by_key(&code, |pair| pair.0).map_or(code, |at| NAMES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_their_own_names() {
        assert!(NAMES.is_sorted_by_key(|pair| pair.0));
        assert_eq!((own_name("fra"), own_name("zho"), own_name("afr")), ("français", "中文", "Afrikaans"));
        assert_eq!((own_name("xyz"), own_name("")), ("xyz", ""));
    }
}
