//! The filters of the catalogue: which archives an address asks for.

use super::super::url::Query;
use super::card::Card;
use super::names::plain;

/// The most words, or values of a list, that are looked at.
const MAX_WORDS: usize = 50;

/// What archives have to be.
#[derive(Debug, Default)]
pub struct Filter {
    terms: Vec<Term>,
    max_size: Option<u64>,
    /// Fields whose whole value has to be one of some.
    whole: Vec<(Field, Vec<String>)>,
    /// Fields that have to hold words side by side.
    phrases: Vec<(Field, Vec<String>)>,
    tags: Vec<String>,
    no_tags: Vec<String>,
}

/// A field of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Title,
    Description,
    Name,
    Flavour,
    Category,
    Language,
    Publisher,
    Creator,
    Tag,
}

/// Words that have to stand side by side, or must not.
#[derive(Debug, PartialEq, Eq)]
struct Term {
    /// Where; anywhere if nothing is said.
    field: Option<Field>,
    words: Vec<String>,
    /// True if the last word may go on.
    is_open: bool,
    is_unwanted: bool,
}

impl Filter {
    /// Reads the filters whose names begin so.
    pub fn read(query: &Query, prefix: &str) -> Self {
        let get = |name: &str| query.get(&format!("{prefix}{name}"));
        let list = |text: &str, by: char| -> Vec<String> {
            text.split(by).take(MAX_WORDS).map(|one| plain(one.trim()).into_owned()).collect()
        };
        let mut filter = Self { max_size: get("maxsize").and_then(|n| n.parse().ok()), ..Self::default() };
        filter.terms = get("q").map(terms).unwrap_or_default();
        for (name, field) in [("name", Field::Name), ("flavour", Field::Flavour)] {
            filter.whole.extend(get(name).map(|text| (field, vec![plain(text).into_owned()])));
        }
        for (name, field) in [("lang", Field::Language), ("category", Field::Category)] {
            filter.whole.extend(get(name).map(|text| (field, list(text, ','))));
        }
        for (name, field) in [("creator", Field::Creator), ("publisher", Field::Publisher)] {
            filter.phrases.extend(get(name).map(|text| (field, words(text))));
        }
        let tags = |text: &str| list(text, ';').into_iter().filter(|tag| !tag.is_empty()).collect();
        filter.tags = get("tag").map(tags).unwrap_or_default();
        filter.no_tags = get("notag").map(tags).unwrap_or_default();
        filter
    }

    /// Returns true if an archive is what is asked for.
    pub fn takes(&self, card: &Card) -> bool {
        let fields = card.fields.get_or_init(|| Fields::of(card));
        let has_tag = |tag: &String| fields.get(Field::Tag).iter().any(|value| value.plain == *tag);
        self.max_size.is_none_or(|most| card.size <= most)
            && self.tags.iter().all(has_tag)
            && !self.no_tags.iter().any(has_tag)
            && self.whole.iter().all(|(field, any)| {
                let values = fields.get(*field).iter();
                values.filter(|value| !value.plain.is_empty()).any(|value| any.contains(&value.plain))
            })
            && self.phrases.iter().all(|(field, phrase)| {
                fields.get(*field).iter().any(|value| has_phrase(&value.words, phrase, false))
            })
            && self.terms.iter().all(|term| term.is_in(fields) != term.is_unwanted)
    }
}

/// What is compared of an archive, field by field. Made once: splitting long texts is most of the work.
pub struct Fields([Vec<Value>; Field::ALL.len()]);

struct Value {
    plain: String,
    words: Vec<String>,
    /// True for tags for programs, which are not what people look for.
    is_inner: bool,
}

impl Fields {
    fn of(card: &Card) -> Self {
        let value = |text: &str| Value {
            plain: plain(text).into_owned(),
            words: words(text),
            is_inner: text.starts_with('_'),
        };
        Self(Field::ALL.map(|field| field.values(card).into_iter().map(value).collect()))
    }

    fn get(&self, field: Field) -> &[Value] {
        &self.0[field as usize]
    }
}

impl Field {
    /// All of them, in their order.
    const ALL: [Self; 9] = [
        Self::Title,
        Self::Description,
        Self::Name,
        Self::Flavour,
        Self::Category,
        Self::Language,
        Self::Publisher,
        Self::Creator,
        Self::Tag,
    ];

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "title" => Self::Title,
            "description" => Self::Description,
            "name" => Self::Name,
            "flavour" => Self::Flavour,
            "category" => Self::Category,
            "lang" => Self::Language,
            "publisher" => Self::Publisher,
            "creator" => Self::Creator,
            "tag" => Self::Tag,
            _ => return None,
        })
    }

    fn values(self, card: &Card) -> Vec<&str> {
        match self {
            Self::Title => vec![&card.title],
            Self::Description => vec![&card.description],
            Self::Name => vec![&card.name],
            Self::Flavour => vec![&card.flavour],
            Self::Category => vec![&card.category],
            Self::Language => card.languages.iter().chain(&card.language_tags).map(String::as_str).collect(),
            Self::Publisher => vec![&card.publisher],
            Self::Creator => vec![&card.creator],
            Self::Tag => card.tags.iter().map(String::as_str).collect(),
        }
    }
}

impl Term {
    fn is_in(&self, fields: &Fields) -> bool {
        let has = |value: &Value| has_phrase(&value.words, &self.words, self.is_open);
        match self.field {
            Some(field) => fields.get(field).iter().any(has),
            None => {
                let anywhere = [Field::Title, Field::Description, Field::Tag];
                let mut values = anywhere.into_iter().flat_map(|field| {
                    fields.get(field).iter().filter(move |value| field != Field::Tag || !value.is_inner)
                });
                values.any(has)
            }
        }
    }
}

/// Returns the words of a text.
fn words(text: &str) -> Vec<String> {
    let plain = plain(text);
    plain
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

fn has_phrase(words: &[String], phrase: &[String], is_open: bool) -> bool {
    let Some((last, first)) = phrase.split_last() else { return false };
    words.windows(phrase.len()).any(|window| {
        let Some((end, start)) = window.split_last() else { return false };
        start == first && if is_open { end.starts_with(last) } else { end == last }
    })
}

/// Reads a query: words, all of which are wanted; `"words side by side"`; `-word`, which is not wanted;
/// `title:word` and the like; `wor*`. The last word may be the beginning of one.
fn terms(query: &str) -> Vec<Term> {
    let mut out: Vec<Term> = vec![];
    let mut rest = query.trim_start();
    while !rest.is_empty() && out.len() < MAX_WORDS {
        let is_unwanted = rest.starts_with('-');
        rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        let field = rest.split_once(':').and_then(|(name, value)| Some((Field::named(name)?, value)));
        let field = field.map(|(field, value)| {
            rest = value;
            field
        });
        let (text, is_quoted, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (text, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                (text, true, after)
            }
            None => {
                let (text, after) = rest.split_at(rest.find([' ', '\t', '\n', '"']).unwrap_or(rest.len()));
                (text, false, after)
            }
        };
        let is_open = !is_quoted && (text.ends_with('*') || after.is_empty());
        let words = words(text);
        if !words.is_empty() {
            out.push(Term { field, words, is_open, is_unwanted });
        }
        rest = after.trim_start();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Card {
        Card {
            title: "Harbour Almanac".into(),
            description: "Tides & ships of all sorts, été".into(),
            name: "harbour_eng".into(),
            category: "maritime".into(),
            creator: "A. Keeper".into(),
            publisher: "Port Office".into(),
            languages: vec!["eng".into(), "fra".into()],
            language_tags: vec!["en".into(), "fr".into()],
            tags: vec!["Sea".into(), "_category:maritime".into()],
            size: 5000,
            ..Card::default()
        }
    }

    fn takes(query: &str) -> bool {
        Filter::read(&Query::read(query), "").takes(&card())
    }

    #[test]
    fn each_filter_takes_what_fits_and_nothing_else() {
        for yes in [
            "",
            "q=",
            "q=tid",
            "q=TIDES",
            "q=ete",
            "q=%22all+sorts%22",
            "q=ships+-storms",
            "q=title:harb",
            "q=sea",
            "q=creator:keeper",
            "q=har*+almanac",
            "q=tag:sea",
            "lang=eng",
            "lang=deu,fra",
            "lang=fr",
            "category=maritime",
            "category=x,Maritime",
            "tag=sea",
            "notag=land",
            "maxsize=5000",
            "name=HARBOUR_eng",
            "creator=keeper",
            "creator=a+keeper",
            "publisher=port+office",
            "maxsize=x",
            "unknown=1",
        ] {
            assert!(takes(yes), "{yes}");
        }
        for no in [
            "q=tid+es",
            "q=%22sorts+all%22",
            "q=-tides",
            "q=title:tides",
            "q=maritime",
            "lang=deu",
            "lang=",
            "category=",
            "category=mari",
            "tag=sea;land",
            "notag=sea",
            "maxsize=4999",
            "name=harbour",
            "creator=keep",
            "flavour=x",
        ] {
            assert!(!takes(no), "{no}");
        }
    }

    #[test]
    fn what_is_no_query_is_harmless() {
        for odd in ["\"", "-", ":", "title:", "*", "+-+", "\"\"\"", "a\"b", "title:\"x"] {
            terms(odd);
        }
        assert_eq!(terms(&"a ".repeat(10_000)).len(), MAX_WORDS);
        let prefixed = Filter::read(&Query::read("q=zzz&books.filter.q=tides"), "books.filter.");
        assert!(prefixed.takes(&card()));
    }
}
