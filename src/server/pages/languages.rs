//! Languages by their own names.

/// Tags of BCP 47, the codes of ISO 639-3 that ZIMs have for them, and what their speakers call them.
const NAMES: &[(&str, &[&str], &str)] = &[
    ("af", &["afr"], "Afrikaans"),
    ("ar", &["ara", "arb"], "العربية"),
    ("az", &["aze", "azj"], "Azərbaycanca"),
    ("be", &["bel"], "Беларуская"),
    ("bg", &["bul"], "Български"),
    ("bn", &["ben"], "বাংলা"),
    ("ca", &["cat"], "Català"),
    ("cs", &["ces", "cze"], "Čeština"),
    ("da", &["dan"], "Dansk"),
    ("de", &["deu", "ger"], "Deutsch"),
    ("el", &["ell", "gre"], "Ελληνικά"),
    ("en", &["eng"], "English"),
    ("eo", &["epo"], "Esperanto"),
    ("es", &["spa"], "Español"),
    ("et", &["est", "ekk"], "Eesti"),
    ("eu", &["eus", "baq"], "Euskara"),
    ("fa", &["fas", "per", "pes"], "فارسی"),
    ("fi", &["fin"], "Suomi"),
    ("fr", &["fra", "fre"], "Français"),
    ("ga", &["gle"], "Gaeilge"),
    ("gl", &["glg"], "Galego"),
    ("he", &["heb"], "עברית"),
    ("hi", &["hin"], "हिन्दी"),
    ("hr", &["hrv"], "Hrvatski"),
    ("hu", &["hun"], "Magyar"),
    ("hy", &["hye", "arm"], "Հայերեն"),
    ("id", &["ind"], "Bahasa Indonesia"),
    ("it", &["ita"], "Italiano"),
    ("ja", &["jpn"], "日本語"),
    ("ka", &["kat", "geo"], "ქართული"),
    ("kk", &["kaz"], "Қазақша"),
    ("ko", &["kor"], "한국어"),
    ("la", &["lat"], "Latina"),
    ("lt", &["lit"], "Lietuvių"),
    ("lv", &["lav", "lvs"], "Latviešu"),
    ("mk", &["mkd", "mac"], "Македонски"),
    ("ms", &["msa", "may", "zsm"], "Bahasa Melayu"),
    ("ne", &["nep", "npi"], "नेपाली"),
    ("nl", &["nld", "dut"], "Nederlands"),
    ("no", &["nor", "nob", "nb"], "Norsk"),
    ("pl", &["pol"], "Polski"),
    ("pt", &["por"], "Português"),
    ("ro", &["ron", "rum"], "Română"),
    ("ru", &["rus"], "Русский"),
    ("sk", &["slk", "slo"], "Slovenčina"),
    ("sl", &["slv"], "Slovenščina"),
    ("sq", &["sqi", "alb"], "Shqip"),
    ("sr", &["srp"], "Српски"),
    ("sv", &["swe"], "Svenska"),
    ("sw", &["swa", "swh"], "Kiswahili"),
    ("ta", &["tam"], "தமிழ்"),
    ("te", &["tel"], "తెలుగు"),
    ("th", &["tha"], "ไทย"),
    ("tr", &["tur"], "Türkçe"),
    ("uk", &["ukr"], "Українська"),
    ("ur", &["urd"], "اردو"),
    ("uz", &["uzb"], "Oʻzbekcha"),
    ("vi", &["vie"], "Tiếng Việt"),
    ("yi", &["yid"], "ייִדיש"),
    ("zh", &["zho", "chi", "cmn"], "中文"),
];

/// Returns the tag of a language however it is written, and its name; of an unknown one, what is written.
pub fn language(written: &str) -> (String, String) {
    let written = written.trim();
    let tag = written.to_ascii_lowercase();
    let main = tag.split(['-', '_']).next().unwrap_or_default();
    match NAMES.iter().find(|(own, others, _)| *own == main || others.contains(&main)) {
        Some((own, _, name)) => ((*own).to_owned(), (*name).to_owned()),
        None => (tag, written.to_owned()),
    }
}

/// Splits what an archive says of its languages.
pub fn languages(written: &str) -> impl Iterator<Item = (String, String)> {
    // More than these no archive has and no card shows.
    written.split([',', ';']).map(str::trim).filter(|one| !one.is_empty()).take(20).map(language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_language_has_one_name_however_it_is_written() {
        for written in ["en", "eng", "en-US", " EN_gb"] {
            assert_eq!(language(written), ("en".into(), "English".into()), "{written}");
        }
        assert_eq!(language("tlh"), ("tlh".into(), "tlh".into()));
        assert_eq!(languages("fra, deu,,").map(|l| l.0).collect::<Vec<_>>(), ["fr", "de"]);
    }
}
