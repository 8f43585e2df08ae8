//! Generated corpora: the same everywhere, from a seed.
//!
//! - [`documentation`]: pages of one template, like an API's: the same head, navigation and foot, in
//!   between a page's own signature, table of members and three paragraphs; 20 KB each, of which a
//!   fifth is its own.
//! - [`prose`]: short articles, 200 to 1,200 words after Zipf's law (exponent 1) from a vocabulary of
//!   50,000 made-up words. Worse than real prose for a compressor: it has no grammar.
//! - [`million`]: a million tiny pages. Paths are numbers (`a/1` to `a/1000000`), titles are one to four
//!   words in the manner of Wikipedia's, one in ten with an accent, each its own and given by the
//!   source, so the order of titles has nothing to do with that of paths. One in ten is a redirect.

use std::collections::HashSet;

use tome::item::{Body, Content, Item};

/// Changes whenever a model does.
pub const VERSION: u32 = 1;

/// The entries of [`million`].
pub const MILLION: usize = 1_000_000;

/// A random generator (splitmix64): the same numbers on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.number() % n.max(1) as u64) as usize
    }

    /// Returns a rank after Zipf's law with exponent 1.
    fn zipf(&mut self, n: usize) -> usize {
        let unit = (self.number() >> 11) as f64 / (1u64 << 53) as f64;
        ((n as f64).powf(unit) as usize).min(n) - 1
    }
}

/// Words of two to five syllables, the frequent ones shorter.
struct Words(Vec<String>);

impl Words {
    fn new(random: &mut Random, n: usize) -> Self {
        const ONSETS: [&str; 20] = [
            "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "ch", "br",
            "k", "",
        ];
        const NUCLEI: [&str; 10] = ["a", "e", "i", "o", "u", "ea", "ai", "ou", "io", "e"];
        const CODAS: [&str; 8] = ["", "", "n", "r", "s", "l", "nt", "m"];
        let mut seen = HashSet::new();
        let mut words = vec![];
        while words.len() < n {
            let syllables = 1 + random.below(2 + usize::from(words.len() > 500) * 2);
            let mut word = String::new();
            for _ in 0..syllables {
                word += ONSETS[random.below(ONSETS.len())];
                word += NUCLEI[random.below(NUCLEI.len())];
                word += CODAS[random.below(CODAS.len())];
            }
            if seen.insert(word.clone()) {
                words.push(word);
            }
        }
        Self(words)
    }

    fn word(&self, random: &mut Random) -> &str {
        &self.0[random.zipf(self.0.len())]
    }

    fn text(&self, random: &mut Random, words: usize, out: &mut String) {
        for i in 0..words {
            let word = self.word(random);
            match i % 12 {
                0 => out.push_str(&capital(word)),
                _ => out.push_str(word),
            }
            out.push_str(if i % 12 == 11 || i + 1 == words { ". " } else { " " });
        }
    }

    /// A title like an encyclopedia's.
    fn title(&self, random: &mut Random) -> String {
        let mut title = capital(self.word(random));
        for _ in 0..random.below(4) {
            title.push(' ');
            let word = self.word(random);
            title += &if random.below(3) == 0 { word.to_string() } else { capital(word) };
        }
        if random.below(10) == 0 {
            let accents = [("e", "é"), ("o", "ö"), ("a", "á"), ("n", "ñ"), ("u", "ü"), ("c", "č")];
            let (plain, accented) = accents[random.below(accents.len())];
            title = title.replacen(plain, accented, 1);
        }
        if random.below(12) == 0 {
            title += &format!(" ({})", self.word(random));
        }
        title
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn article(path: String, title: String, html: String) -> Item {
    let content = Content::Bytes(html.into_bytes());
    item(path, Some(title), Body::Article { mime: "text/html".into(), content })
}

fn item(path: String, title: Option<String>, body: Body) -> Item {
    let origin = String::new();
    Item { path, title, body, generated: false, escaped: false, language: None, origin }
}

/// Pages of one template.
pub fn documentation() -> impl Iterator<Item = Item> {
    let mut random = Random::new(1);
    let words = Words::new(&mut random, 5_000);
    let mut chrome = String::new();
    for i in 0..180 {
        let (module, name) = (words.word(&mut random).to_string(), words.word(&mut random));
        chrome += &format!(
            "<li class=\"nav-item level-{}\"><a href=\"../{module}/{name}.html\">{name}</a></li>\n",
            i % 3
        );
    }
    (0..4_000).map(move |i| {
        let module = words.0[i / 40].clone();
        let name = format!("{}_{}", words.word(&mut random), words.word(&mut random));
        let title = format!("{module}::{name} - library");
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
             <link rel=\"stylesheet\" href=\"../style.css\"></head>\n<body><nav><ul>\n{chrome}</ul></nav>\n\
             <main><h1>{module}::<b>{name}</b></h1>\n<pre>fn {name}("
        );
        for _ in 0..random.below(5) {
            page += &format!("{}: &{}, ", words.word(&mut random), capital(words.word(&mut random)));
        }
        page += ")</pre>\n<table class=\"members\">\n";
        for _ in 0..5 + random.below(15) {
            let name = words.word(&mut random);
            page +=
                &format!("<tr><td class=\"name\"><a href=\"{name}.html\">{name}</a></td><td class=\"text\">");
            words.text(&mut random, 8, &mut page);
            page += "</td></tr>\n";
        }
        page += "</table>\n";
        for heading in ["Parameters", "Return value", "Notes"] {
            page += &format!("<h2 id=\"{heading}\">{heading}</h2>\n<p>");
            let n = 20 + random.below(60);
            words.text(&mut random, n, &mut page);
            page += "</p>\n";
        }
        page += "</main>\n<footer><p>Generated. Licence as the library's.</p></footer></body></html>\n";
        article(format!("{module}/{i}-{name}.html"), title, page)
    })
}

/// Short articles of Zipf's words.
pub fn prose() -> impl Iterator<Item = Item> {
    let mut random = Random::new(2);
    let words = Words::new(&mut random, 50_000);
    (0..8_000).map(move |i| {
        let title = words.title(&mut random);
        let mut page = format!("<!DOCTYPE html><title>{title}</title><h1>{title}</h1><p>");
        let n = 200 + random.below(1_000);
        words.text(&mut random, n, &mut page);
        page += "</p>";
        article(format!("{i}/{}.html", title.replace(' ', "_")), title, page)
    })
}

/// A million entries.
pub fn million() -> impl Iterator<Item = Item> {
    let mut random = Random::new(3);
    let words = Words::new(&mut random, 50_000);
    let mut seen: HashSet<String> = HashSet::new();
    (1..=MILLION).map(move |i| {
        let mut title = words.title(&mut random);
        while !seen.insert(title.clone()) {
            title = format!("{title} {}", words.word(&mut random));
        }
        if i > 1 && random.below(10) == 0 {
            let target = format!("a/{}", 1 + random.below(i - 1));
            return item(format!("a/{i}"), Some(title), Body::Redirect { target, fragment: None });
        }
        let mut page = format!("<h1>{title}</h1><p>");
        words.text(&mut random, 10, &mut page);
        article(format!("a/{i}"), title, page)
    })
}
