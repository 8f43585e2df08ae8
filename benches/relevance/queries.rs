//! The classes of queries, and how each is made.

use std::collections::{HashMap, HashSet};

use crate::Result;
use crate::catalogue::{Article, Catalogue};
use crate::common::model::Random;
use crate::typing::{Slip, first_part, letters, mistyped, plain};
use crate::words::{in_a_row, phrase, plain_words, words};

/// What a query is put to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    Suggest,
    Search,
    SearchWithSnippets,
}

/// How queries of a class are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recipe {
    Exact,
    Plain,
    FirstPart,
    OneSlip,
    TwoSlips,
    Mix,
    LongWords,
    RareWords,
    Phrase,
    TitlesAndWords,
}

/// A class of queries.
pub struct Class {
    pub name: &'static str,
    /// What the tables call it.
    pub says: &'static str,
    pub asks: Asks,
    /// The rank within which the hit has to be; beyond it, it is a miss.
    pub within: usize,
    /// Whether the other engine's binding can do it at all.
    pub peer_can: bool,
    recipe: Recipe,
}

const CLASSES: [Class; 12] = [
    class("suggest-exact", "the title", Asks::Suggest, 1, Recipe::Exact),
    class("suggest-folded", "the title, lower case, no marks", Asks::Suggest, 1, Recipe::Plain),
    class("suggest-60", "60 % of the title", Asks::Suggest, 10, Recipe::FirstPart),
    class("suggest-typo", "one typo", Asks::Suggest, 3, Recipe::OneSlip),
    class("suggest-two-typos", "two typos", Asks::Suggest, 3, Recipe::TwoSlips),
    class("suggest-mix", "prefixes 60 %, one typo 30 %, two 10 %", Asks::Suggest, 10, Recipe::Mix),
    class("search-exact", "the title", Asks::Search, 1, Recipe::Exact),
    class("search-long-words", "four long words", Asks::Search, 3, Recipe::LongWords),
    class("search-rare-words", "four rare words", Asks::Search, 3, Recipe::RareWords),
    class("search-phrase", "a phrase of six words", Asks::Search, 1, Recipe::Phrase),
    class("search-mix", "titles 50 %, four long words 50 %", Asks::Search, 3, Recipe::TitlesAndWords),
    Class {
        peer_can: false,
        ..class(
            "search-snippets",
            "the same with ten snippets",
            Asks::SearchWithSnippets,
            3,
            Recipe::TitlesAndWords,
        )
    },
];

const fn class(name: &'static str, says: &'static str, asks: Asks, within: usize, recipe: Recipe) -> Class {
    Class { name, says, asks, within, peer_can: true, recipe }
}

impl Class {
    /// Returns all classes in the order of the tables.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        CLASSES.iter()
    }

    /// Returns a seed for the class: classes made alike have the same queries, and which other classes
    /// are asked makes no difference.
    pub fn seed(&self, seed: u64) -> u64 {
        let name = format!("{:?}", self.recipe);
        // FNV-1a.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        hash.wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32))
    }

    /// Returns true if a query is the start of a title, which many titles may share.
    pub fn is_part(&self) -> bool {
        self.recipe == Recipe::FirstPart
    }

    /// Returns true if queries are words of a page, which many pages may share.
    pub fn is_words(&self) -> bool {
        matches!(self.recipe, Recipe::LongWords | Recipe::RareWords)
    }

    /// Returns true if a slip may have made one title into another.
    pub fn is_mistyped(&self) -> bool {
        matches!(self.recipe, Recipe::OneSlip | Recipe::TwoSlips)
    }
}

/// What has to be found.
pub enum Wanted {
    /// Any article with this title.
    Title(String),
    /// Any article whose title, made plain, is this.
    Plain(String),
    /// Any page that holds these words in a row.
    Row(String),
}

/// A query.
pub struct Query {
    pub text: String,
    pub wanted: Wanted,
}

/// The words of a passage, in which long ones are looked for.
const PASSAGE: usize = 100;
/// The words of a query from the body.
const WORDS: usize = 4;
/// The least letters of a long word, and of a rare one.
const LONG: usize = 5;
const RARE: usize = 4;
/// A rare word is on at most one page of so many, or on two.
const RARE_SHARE: u32 = 200;

/// On how many pages each word is; counted when it is first wanted.
#[derive(Default)]
pub struct Rarity {
    pages: Option<HashMap<String, u32>>,
    most: u32,
}

impl Rarity {
    fn count(&mut self, catalogue: &Catalogue) -> Result<()> {
        if self.pages.is_some() {
            return Ok(());
        }
        let mut pages: HashMap<String, u32> = HashMap::new();
        let mut seen = HashSet::new();
        for article in &catalogue.articles {
            seen.extend(plain_words(&catalogue.text(article.id)?, RARE).map(str::to_lowercase));
            for word in seen.drain() {
                *pages.entry(word).or_default() += 1;
            }
        }
        self.most = (catalogue.articles.len() as u32 / RARE_SHARE).max(2);
        self.pages = Some(pages);
        Ok(())
    }

    fn is_rare(&self, word: &str) -> bool {
        let pages = self.pages.as_ref().and_then(|pages| pages.get(&word.to_lowercase()));
        pages.is_some_and(|&pages| pages <= self.most)
    }
}

/// Makes queries from articles drawn at random, none twice; fewer than wanted where few will do.
pub fn make(
    class: &Class,
    catalogue: &Catalogue,
    rarity: &mut Rarity,
    random: &mut Random,
    wanted: usize,
) -> Result<Vec<Query>> {
    if class.recipe == Recipe::RareWords {
        rarity.count(catalogue)?;
    }
    let all = catalogue.articles.len();
    let mut order: Vec<usize> = (0..all).collect();
    let mut queries = vec![];
    // A shuffle, as far as it is needed.
    for drawn in 0..all {
        if queries.len() == wanted {
            break;
        }
        order.swap(drawn, drawn + random.below(all - drawn));
        let article = &catalogue.articles[order[drawn]];
        // A title of signs alone is nothing that one could look for by words.
        if letters(&article.title) > 0
            && let Some(query) = query(class.recipe, article, catalogue, rarity, random, queries.len())?
        {
            queries.push(query);
        }
    }
    Ok(queries)
}

/// Makes a query for an article; `turn` says the how-manieth it is.
fn query(
    recipe: Recipe,
    article: &Article,
    catalogue: &Catalogue,
    rarity: &Rarity,
    random: &mut Random,
    turn: usize,
) -> Result<Option<Query>> {
    let title = article.title.as_str();
    let text = match recipe {
        Recipe::Exact => Some(title.to_owned()),
        Recipe::Plain => {
            let text = plain(title);
            return Ok(Some(Query { wanted: Wanted::Plain(text.clone()), text }));
        }
        Recipe::FirstPart => Some(first_part(title, 60)),
        Recipe::OneSlip => one_slip(title, random, turn),
        Recipe::TwoSlips => two_slips(title, random, turn),
        // Six, three and one of ten, and all slips in turn among each.
        Recipe::Mix => match turn % 10 {
            0..6 => Some(first_part(title, 1 + random.below(100))),
            6..9 => one_slip(title, random, turn / 10 * 3 + turn % 10 - 6),
            _ => two_slips(title, random, turn / 10),
        },
        Recipe::TitlesAndWords if turn.is_multiple_of(2) => Some(title.to_owned()),
        Recipe::LongWords | Recipe::TitlesAndWords => long_words(&catalogue.text(article.id)?, random),
        Recipe::RareWords => rare_words(&catalogue.text(article.id)?, rarity, random),
        Recipe::Phrase => {
            let phrase = phrase(&catalogue.text(article.id)?, random);
            return Ok(phrase.map(|phrase| Query {
                text: format!("\"{phrase}\""),
                wanted: Wanted::Row(in_a_row(&phrase)),
            }));
        }
    };
    Ok(text.map(|text| Query { text, wanted: Wanted::Title(title.to_owned()) }))
}

fn one_slip(title: &str, random: &mut Random, turn: usize) -> Option<String> {
    if letters(title) < 5 {
        return None;
    }
    mistyped(title, &[Slip::in_turn(turn)], random)
}

fn two_slips(title: &str, random: &mut Random, turn: usize) -> Option<String> {
    if letters(title) < 10 {
        return None;
    }
    mistyped(title, &[Slip::in_turn(turn), Slip::in_turn(turn / 4)], random)
}

/// Returns the four longest words of a passage, in the order in which they stand.
fn long_words(text: &str, random: &mut Random) -> Option<String> {
    let all: Vec<&str> = words(text).collect();
    let start = random.below((all.len() + 1).saturating_sub(PASSAGE));
    let passage = all.get(start..all.len().min(start + PASSAGE))?.join(" ");
    let mut long = distinct(plain_words(&passage, LONG));
    let mut by_length: Vec<usize> = (0..long.len()).collect();
    by_length.sort_by_key(|&at| std::cmp::Reverse(long[at].chars().count()));
    by_length.truncate(WORDS);
    by_length.sort_unstable();
    long = by_length.into_iter().map(|at| long[at]).collect();
    (long.len() == WORDS).then(|| long.join(" "))
}

/// Returns four rare words of a page, drawn at random.
fn rare_words(text: &str, rarity: &Rarity, random: &mut Random) -> Option<String> {
    let mut rare = distinct(plain_words(text, RARE).filter(|word| rarity.is_rare(word)));
    if rare.len() < WORDS {
        return None;
    }
    for drawn in 0..WORDS {
        let other = drawn + random.below(rare.len() - drawn);
        rare.swap(drawn, other);
    }
    rare.truncate(WORDS);
    Some(rare.join(" "))
}

/// Returns on how many articles all words of each query stand as they are typed, whatever their case and
/// marks.
pub fn pages_with_all(queries: &[Query], catalogue: &Catalogue) -> Result<Vec<usize>> {
    let mut asked: HashMap<String, Vec<usize>> = HashMap::new();
    let mut wanted = vec![0; queries.len()];
    for (number, query) in queries.iter().enumerate() {
        for word in words(&query.text) {
            asked.entry(plain(word)).or_default().push(number);
            wanted[number] += 1;
        }
    }
    let mut pages = vec![0; queries.len()];
    for article in &catalogue.articles {
        let text = plain(&catalogue.text(article.id)?);
        let mut seen = HashSet::new();
        let mut here: HashMap<usize, usize> = HashMap::new();
        for word in words(&text) {
            if let Some((word, numbers)) = asked.get_key_value(word)
                && seen.insert(word.as_str())
            {
                for &number in numbers {
                    *here.entry(number).or_default() += 1;
                }
            }
        }
        for (number, words) in here {
            pages[number] += usize::from(words == wanted[number]);
        }
    }
    Ok(pages)
}

fn distinct<'t>(words: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut seen = HashSet::new();
    words.filter(|word| seen.insert(plain(word))).collect()
}
