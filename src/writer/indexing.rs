//! From articles to the full-text index, beside their way into blocks.
//!
//! Articles are read in batches on all cores: what they say is cut into words and counted there. In
//! order again, what repeats on most pages is taken from the counts, links are counted, and the words
//! go into the [`Inverter`]. So the index depends on the articles and their order alone.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::links::{Counted, Links};
use super::repeats::Repeats;
use crate::error::{Error, Result};
use crate::index::fulltext::{Inverter, pair_key};
use crate::item::Observer;
use crate::limits::MAX_INDEXED;
use crate::text::search_text::{Field, SearchText};
use crate::text::words::{self, Words};
use crate::text::{self, borders, language};

/// Bytes and pages of a batch.
const BATCH: usize = 1 << 20;
const BATCH_PAGES: usize = 512;

/// Batches on their way, and their bytes: what they say takes up to some times as much.
const IN_FLIGHT: usize = 24;
const IN_FLIGHT_LEN: usize = 12 << 20;

/// The most parts of a page that are told apart; the rest is one.
const MAX_PARTS: usize = 20_000;

/// How many of the most frequent words have their pairs indexed.
const FREQUENT: usize = 50;

/// Articles and words from which the frequent words are chosen.
const CHOSEN_FROM_PAGES: usize = 1000;
const CHOSEN_FROM_WORDS: usize = 4_000_000;

/// Bytes of text from which a language is detected, and of one page's among them.
const SAMPLE: usize = 64 * 1024;
const SAMPLE_OF_PAGE: usize = 1024;

/// The most languages that are noted, and the longest name of one (real ones have 2 to 11 bytes).
const MAX_LANGUAGES: usize = 16;
const MAX_TAG: usize = 64;

/// The most that are counted: the world has some hundreds.
const MAX_TAGS: usize = 4096;

/// An article to be read.
pub struct Page {
    /// Its title.
    pub title: String,
    /// Its path, from which its links lead.
    pub path: String,
    /// Its mime type.
    pub mime: String,
    /// Its bytes; `None` where they are no text.
    pub bytes: Option<Arc<Vec<u8>>>,
}

/// What one article says, in numbers of its batch's words.
#[derive(Default)]
struct Told {
    /// Words in ascending order, with how often each occurs in title, headings and body.
    counts: Vec<(u32, [u16; 3])>,
    lengths: [u32; 3],
    /// The words one after the other.
    words: Vec<u32>,
    /// The title, then the parts of the page: hash of the text, field, end in `words`.
    parts: Vec<(u64, usize, u32)>,
    /// What stands for the targets of its links, each once.
    links: Vec<u64>,
    /// Some of its text, for its language.
    sample: String,
}

/// What the articles of a batch say.
#[derive(Default)]
struct Batch {
    /// The words one behind the other, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<u32>,
    pages: Vec<Told>,
}

impl Batch {
    fn word(&self, number: u32) -> &[u8] {
        let i = number as usize;
        let start = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.bytes[start..self.ends[i] as usize]
    }
}

/// Makes numbers of words.
#[derive(Default)]
struct Numbers {
    numbers: HashMap<Box<[u8]>, u32>,
    bytes: Vec<u8>,
    ends: Vec<u32>,
    /// For each word, how often it occurs on the page that is being read.
    counts: Vec<[u16; 3]>,
    /// The words of that page.
    touched: Vec<u32>,
}

impl Numbers {
    fn count(&mut self, key: &[u8], field: usize) -> u32 {
        let number = match self.numbers.get(key) {
            Some(&number) => number,
            None => {
                let number = self.ends.len() as u32;
                self.numbers.insert(key.into(), number);
                self.bytes.extend_from_slice(key);
                self.ends.push(self.bytes.len() as u32);
                self.counts.push([0; 3]);
                number
            }
        };
        let counts = &mut self.counts[number as usize];
        if *counts == [0; 3] {
            self.touched.push(number);
        }
        counts[field] = counts[field].saturating_add(1);
        number
    }

    /// Returns the counts of the page and forgets them.
    fn take_page(&mut self) -> Vec<(u32, [u16; 3])> {
        self.touched.sort_unstable();
        let counts = self.touched.drain(..).map(|w| (w, std::mem::take(&mut self.counts[w as usize])));
        counts.collect()
    }
}

const TITLE: usize = 0;
const HEADING: usize = 1;
const BODY: usize = 2;

fn read(pages: Vec<Page>) -> Batch {
    let mut numbers = Numbers::default();
    let mut said = SearchText::default();
    let pages = pages.into_iter().map(|page| read_page(&page, &mut said, &mut numbers)).collect();
    Batch { bytes: numbers.bytes, ends: numbers.ends, pages }
}

fn read_page(page: &Page, said: &mut SearchText, numbers: &mut Numbers) -> Told {
    let mut told = Told::default();
    let mut words = Words::new(&page.title);
    while let Some(word) = words.next() {
        told.words.push(numbers.count(word.key, TITLE));
        told.lengths[TITLE] += 1;
    }
    told.parts.push((0, TITLE, told.words.len() as u32));
    if let Some(bytes) = &page.bytes {
        said.read(&bytes[..bytes.len().min(MAX_INDEXED)], &page.mime);
        for (i, block) in said.blocks.iter().enumerate() {
            let field = if block.field == Field::Heading { HEADING } else { BODY };
            words = words.restart(&said.text[block.range.clone()]);
            while let Some(word) = words.next() {
                told.words.push(numbers.count(word.key, field));
                told.lengths[field] += 1;
            }
            let end = told.words.len() as u32;
            match told.parts.last_mut() {
                // The rest is like no other page's.
                Some(last) if i >= MAX_PARTS => *last = (Links::target(&page.path), BODY, end),
                _ => told.parts.push((block.hash, field, end)),
            }
        }
        let targets = said.links().filter_map(|href| text::resolve(&page.path, href));
        // A page that links to itself says nothing of its importance.
        told.links = targets.filter(|target| *target != page.path).map(|t| Links::target(&t)).collect();
        told.links.sort_unstable();
        told.links.dedup();
        let end = borders::floor(&said.text, SAMPLE_OF_PAGE);
        told.sample = said.text[..end].to_string();
    }
    told.counts = numbers.take_page();
    told
}

/// Reads articles while they are packed.
pub struct Indexing {
    inverter: Option<Inverter>,
    links: Links,
    repeats: Repeats,
    batch: Vec<Page>,
    batch_len: usize,
    sender: Sender<(u64, Batch)>,
    receiver: Receiver<(u64, Batch)>,
    submitted: u64,
    done: u64,
    /// The bytes of the batches on their way.
    in_flight: VecDeque<usize>,
    pending: BTreeMap<u64, Batch>,
    languages: HashMap<String, u64>,
    sample: String,
    pairs: Option<Pairs>,
}

/// Pairs of neighbouring words of which one is frequent.
#[derive(Default)]
struct Pairs {
    /// Chosen once enough pages have passed, which wait until then.
    frequent: Option<HashSet<Vec<u8>>>,
    waiting: Vec<Batch>,
    n_pages: usize,
    n_words: usize,
}

impl Indexing {
    /// Begins an index of words, and of pairs of frequent ones if asked for, or of links alone.
    pub fn new(words: bool, pairs: bool, budget: usize, folder: &Path) -> Self {
        let (sender, receiver) = channel();
        Self {
            inverter: words.then(|| Inverter::new(budget, folder)),
            links: Links::default(),
            repeats: Repeats::default(),
            batch: vec![],
            batch_len: 0,
            sender,
            receiver,
            submitted: 0,
            done: 0,
            in_flight: VecDeque::new(),
            pending: BTreeMap::new(),
            languages: HashMap::new(),
            sample: String::new(),
            pairs: (words && pairs).then(Pairs::default),
        }
    }

    /// Takes the next article; its number in the index is how many came before.
    pub fn add(
        &mut self,
        page: Page,
        language: Option<&str>,
        pool: &rayon::ThreadPool,
        observer: &dyn Observer,
    ) -> Result<()> {
        if let Some(language) = language
            && (self.languages.len() < MAX_TAGS || self.languages.contains_key(language))
        {
            *self.languages.entry(language.to_string()).or_default() += 1;
        }
        self.batch_len += page.bytes.as_ref().map_or(0, |b| b.len()) + 64;
        self.batch.push(page);
        if self.batch_len >= BATCH || self.batch.len() >= BATCH_PAGES {
            self.submit(pool, observer)?;
        }
        Ok(())
    }

    fn submit(&mut self, pool: &rayon::ThreadPool, observer: &dyn Observer) -> Result<()> {
        let is_full = |in_flight: &VecDeque<usize>| {
            in_flight.len() >= IN_FLIGHT || in_flight.iter().sum::<usize>() >= IN_FLIGHT_LEN
        };
        while is_full(&self.in_flight) {
            self.receive(observer)?;
        }
        self.in_flight.push_back(self.batch_len);
        let (number, pages, sender) = (self.submitted, std::mem::take(&mut self.batch), self.sender.clone());
        self.submitted += 1;
        self.batch_len = 0;
        pool.spawn(move || {
            // The receiver is gone only if packing was given up.
            let _ = sender.send((number, read(pages)));
        });
        // What is done meanwhile does not wait for memory's sake.
        while let Ok((number, batch)) = self.receiver.try_recv() {
            self.pending.insert(number, batch);
        }
        self.take_pending()
    }

    fn receive(&mut self, observer: &dyn Observer) -> Result<()> {
        loop {
            match self.receiver.recv_timeout(Duration::from_millis(100)) {
                Ok((number, batch)) => {
                    self.pending.insert(number, batch);
                    return self.take_pending();
                }
                Err(RecvTimeoutError::Timeout) if !observer.is_cancelled() => {}
                Err(_) => return Err(Error::Interrupted),
            }
        }
    }

    fn take_pending(&mut self) -> Result<()> {
        while let Some(batch) = self.pending.remove(&self.done) {
            self.done += 1;
            self.in_flight.pop_front();
            self.take(batch)?;
        }
        Ok(())
    }

    fn take(&mut self, mut batch: Batch) -> Result<()> {
        for page in &mut batch.pages {
            self.links.add(&page.links);
            page.links = vec![];
            if self.sample.len() < SAMPLE {
                self.sample.push_str(&page.sample);
                self.sample.push('\n');
            }
        }
        let Some(pairs) = &mut self.pairs else { return self.invert(&batch) };
        if pairs.frequent.is_some() {
            return self.invert(&batch);
        }
        pairs.n_pages += batch.pages.len();
        pairs.n_words += batch.pages.iter().map(|p| p.words.len()).sum::<usize>();
        pairs.waiting.push(batch);
        if pairs.n_pages >= CHOSEN_FROM_PAGES || pairs.n_words >= CHOSEN_FROM_WORDS {
            return self.choose();
        }
        Ok(())
    }

    /// Chooses the frequent words from the pages that wait, and indexes those.
    fn choose(&mut self) -> Result<()> {
        let Some(pairs) = &mut self.pairs else { return Ok(()) };
        let waiting = std::mem::take(&mut pairs.waiting);
        let mut pages_with: HashMap<&[u8], u32> = HashMap::new();
        for batch in &waiting {
            for (word, _) in batch.pages.iter().flat_map(|p| &p.counts) {
                *pages_with.entry(words::folded(batch.word(*word))).or_default() += 1;
            }
        }
        let mut all: Vec<(u32, &[u8])> = pages_with.into_iter().map(|(word, n)| (n, word)).collect();
        all.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        pairs.frequent = Some(all.into_iter().take(FREQUENT).map(|(_, word)| word.to_vec()).collect());
        waiting.iter().try_for_each(|batch| self.invert(batch))
    }

    fn invert(&mut self, batch: &Batch) -> Result<()> {
        let Some(inverter) = &mut self.inverter else { return Ok(()) };
        for page in &batch.pages {
            let mut counts = page.counts.clone();
            let mut lengths = page.lengths;
            // What titles share is told by their suffix, and weighs little since all have it.
            let (title, parts) = page.parts.split_at(page.parts.len().min(1));
            let repeated = self.repeats.page(parts.iter().map(|p| p.0));
            let mut start = title.first().map_or(0, |p| p.2 as usize);
            for (&(_, field, end), repeated) in parts.iter().zip(&repeated) {
                if *repeated {
                    for word in &page.words[start..end as usize] {
                        if let Ok(i) = counts.binary_search_by_key(word, |c| c.0) {
                            counts[i].1[field] = counts[i].1[field].saturating_sub(1);
                        }
                    }
                    lengths[field] -= end - start as u32;
                }
                start = end as usize;
            }
            let words = counts.iter().map(|(word, counts)| (batch.word(*word), *counts));
            match self.pairs.as_ref().and_then(|p| p.frequent.as_ref()) {
                None => inverter.add(words, lengths)?,
                Some(frequent) => {
                    let pairs = pairs_of(page, batch, frequent);
                    inverter.add(words.chain(pairs.iter().map(|p| (&p[..], [0, 0, 1]))), lengths)?;
                }
            }
        }
        Ok(())
    }

    /// Reads what is left, and hands over.
    pub fn finish(
        &mut self,
        own_languages: &[&str],
        pool: &rayon::ThreadPool,
        observer: &dyn Observer,
    ) -> Result<(Option<Inverter>, Facts)> {
        if !self.batch.is_empty() {
            self.submit(pool, observer)?;
        }
        while self.done < self.submitted {
            self.receive(observer)?;
        }
        if self.pairs.as_ref().is_some_and(|p| p.frequent.is_none()) {
            self.choose()?;
        }
        let frequent = self.pairs.take().and_then(|p| p.frequent).unwrap_or_default();
        let mut frequent: Vec<String> =
            frequent.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        frequent.sort_unstable();
        let languages = languages(own_languages, &self.languages, &self.sample);
        let links = std::mem::take(&mut self.links).finish();
        Ok((self.inverter.take(), Facts { links, languages, frequent }))
    }
}

/// What was learned beside the words.
#[derive(Default)]
pub struct Facts {
    /// Links by their targets.
    pub links: Counted,
    /// The languages of the articles: the archive's own, then those of pages by how many have them.
    pub languages: Vec<String>,
    /// The words whose pairs are indexed, in order.
    pub frequent: Vec<String>,
}

/// Returns the pairs of neighbouring words of which one is frequent, each once.
fn pairs_of(page: &Told, batch: &Batch, frequent: &HashSet<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut pairs: Vec<(u32, u32)> = vec![];
    let mut start = 0;
    for &(_, _, end) in &page.parts {
        for pair in page.words[start..end as usize].windows(2) {
            if pair.iter().any(|&w| frequent.contains(words::folded(batch.word(w)))) {
                pairs.push((pair[0], pair[1]));
            }
        }
        start = end as usize;
    }
    let key = |(a, b)| pair_key(words::folded(batch.word(a)), words::folded(batch.word(b)));
    let mut keys: Vec<Vec<u8>> = pairs.into_iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn languages(own: &[&str], of_pages: &HashMap<String, u64>, sample: &str) -> Vec<String> {
    let mut of_pages: Vec<(u64, &str)> = of_pages.iter().map(|(l, n)| (*n, l.as_str())).collect();
    of_pages.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let mut out: Vec<String> = vec![];
    for language in own.iter().copied().chain(of_pages.iter().map(|l| l.1)) {
        if (1..=MAX_TAG).contains(&language.len())
            && !out.iter().any(|l| l == language)
            && out.len() < MAX_LANGUAGES
        {
            out.push(language.to_string());
        }
    }
    if out.is_empty() {
        out.extend(language::detect(sample).map(str::to_string));
    }
    out
}
