//! The codes of languages: those of two letters (ISO 639-1), with which BCP 47 begins where there is
//! one, and those of three (ISO 639-3), which ZIM wants.

/// Pairs in order of the first.
const CODES: &str = "aa aar ab abk ae ave af afr ak aka am amh an arg ar ara as asm av ava ay aym az aze \
    ba bak be bel bg bul bi bis bm bam bn ben bo bod br bre bs bos ca cat ce che ch cha co cos cr cre \
    cs ces cu chu cv chv cy cym da dan de deu dv div dz dzo ee ewe el ell en eng eo epo es spa et est \
    eu eus fa fas ff ful fi fin fj fij fo fao fr fra fy fry ga gle gd gla gl glg gn grn gu guj gv glv \
    ha hau he heb hi hin ho hmo hr hrv ht hat hu hun hy hye hz her ia ina id ind ie ile ig ibo ii iii \
    ik ipk io ido is isl it ita iu iku ja jpn jv jav ka kat kg kon ki kik kj kua kk kaz kl kal km khm \
    kn kan ko kor kr kau ks kas ku kur kv kom kw cor ky kir la lat lb ltz lg lug li lim ln lin lo lao \
    lt lit lu lub lv lav mg mlg mh mah mi mri mk mkd ml mal mn mon mr mar ms msa mt mlt my mya na nau \
    nb nob nd nde ne nep ng ndo nl nld nn nno no nor nr nbl nv nav ny nya oc oci oj oji om orm or ori \
    os oss pa pan pi pli pl pol ps pus pt por qu que rm roh rn run ro ron ru rus rw kin sa san sc srd \
    sd snd se sme sg sag sh hbs si sin sk slk sl slv sm smo sn sna so som sq sqi sr srp ss ssw st sot \
    su sun sv swe sw swa ta tam te tel tg tgk th tha ti tir tk tuk tl tgl tn tsn to ton tr tur ts tso \
    tt tat tw twi ty tah ug uig uk ukr ur urd uz uzb ve ven vi vie vo vol wa wln wo wol xh xho yi yid \
    yo yor za zha zh zho zu zul";

fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut words = CODES.split_ascii_whitespace();
    std::iter::from_fn(move || words.next().zip(words.next()))
}

/// Returns the three letters of a BCP 47 tag's language, or `None` if it has no such code.
///
/// Regions and scripts are lost: ZIM has no place for them.
pub fn to_three(tag: &str) -> Option<String> {
    let primary = tag.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    if !primary.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    match primary.len() {
        2 => pairs().find(|pair| pair.0 == primary).map(|pair| pair.1.to_owned()),
        3 => Some(primary),
        _ => None,
    }
}

/// Returns the BCP 47 tag of a code of three letters; what is none stays as it is.
pub fn to_tag(code: &str) -> &str {
    pairs().find(|pair| pair.1 == code).map_or(code, |pair| pair.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_lengths_stand_for_each_other() {
        let all: Vec<(&str, &str)> = pairs().collect();
        assert_eq!(all.len(), 184);
        assert!(all.is_sorted() && all.iter().all(|p| p.0.len() == 2 && p.1.len() == 3));
        let mut threes: Vec<&str> = all.iter().map(|p| p.1).collect();
        threes.sort_unstable();
        threes.dedup();
        assert_eq!(threes.len(), 184);
        for (two, three) in all {
            assert_eq!(to_three(two).as_deref(), Some(three));
            assert_eq!(to_tag(three), two);
        }
    }

    #[test]
    fn only_the_language_of_a_tag_remains() {
        assert_eq!(to_three(" pt-BR").as_deref(), Some("por"));
        assert_eq!(to_three("zh_Hant-TW").as_deref(), Some("zho"));
        assert_eq!(to_three("ENM").as_deref(), Some("enm"));
        for none in ["", "x", "xx", "english", "e1", "-"] {
            assert_eq!(to_three(none), None, "{none}");
        }
    }
}
