//! What a book needs of a ZIM and a ZIM does not say by itself.

use std::sync::{Arc, OnceLock};

use super::Section;
use super::index::Indexes;
use super::titles::Titles;
use super::zim_index::{CacheOptions, Kind as IndexKind, is_own_damage};
use crate::error::Result;
use crate::fold::title_key;
use crate::item::{Metadata, Observer, keys};
use crate::reader::{SuggestOptions, Suggestion, Suggestions};
use crate::sources;
use crate::zim::{self, Entry, EntryBody, Header};

/// An open ZIM, and what was found out about it.
pub(super) struct ZimBook {
    pub(super) archive: Arc<zim::Archive>,
    metadata: OnceLock<Metadata>,
    titles: OnceLock<Titles>,
    pub(super) indexes: Indexes,
}

/// How often an article is drawn before a redirect to one is taken for it.
const DRAWS: u64 = 64;

/// What stands for a list that is not there.
const NO_LIST: u64 = u64::MAX;

impl ZimBook {
    pub(super) fn new(archive: Arc<zim::Archive>, index: CacheOptions) -> Self {
        let (metadata, titles) = Default::default();
        Self { archive, metadata, titles, indexes: Indexes::new(index) }
    }

    /// Returns the UUID as it is written.
    pub(super) fn uuid(&self) -> String {
        zim::metadata::uuid_text(&self.archive.header().uuid)
    }

    pub(super) fn metadata(&self) -> Result<&Metadata> {
        if let Some(metadata) = self.metadata.get() {
            return Ok(metadata);
        }
        let mut metadata = zim::metadata::from_zim(self.archive.metadata()?);
        metadata.set_text(keys::UUID, self.uuid());
        Ok(self.metadata.get_or_init(|| metadata))
    }

    pub(super) fn titles(&self) -> &Titles {
        self.titles.get_or_init(|| Titles::read(&self.archive))
    }

    /// Returns the entries that have a title key, in order of title and path: from the index of titles if
    /// it was made before, else from the keys of all titles.
    pub(super) fn entries_by_title_key(&self, title: &str) -> Result<Vec<super::Entry>> {
        if let Some(index) = self.indexes.ready(&self.archive, IndexKind::Titles)
            && let Ok(named) = index.entries_by_title_key(title)
        {
            let own = |path: &str| self.archive.entry_by_path(path).transpose();
            let found: Vec<Entry> = named.iter().filter_map(|e| own(&e.path)).collect::<Result<_>>()?;
            if !found.is_empty() {
                return Ok(found.into_iter().map(super::Entry::from).collect());
            }
        }
        // The index has fewer titles: only those of articles.
        Ok(self.titles().with_key(&self.archive, &title_key(title)))
    }

    /// Suggests titles, from an index that is made if it was not made before; made again if it turns out to
    /// be damaged, or of another ZIM than this.
    pub(super) fn suggest(
        &self,
        query: &str,
        options: &SuggestOptions,
        observer: &dyn Observer,
    ) -> Result<Suggestions> {
        let ask = || -> Result<_> {
            let index = self.indexes.get(&self.archive, IndexKind::Titles, observer)?;
            let found = index.suggest(query, options);
            Ok((index, found))
        };
        let (index, found) = ask()?;
        let is_wrong = match &found {
            Ok(found) => {
                found.damage.as_ref().is_some_and(is_own_damage) || !found.list.iter().all(|s| self.has(s))
            }
            Err(error) => is_own_damage(error),
        };
        if is_wrong && self.indexes.drop_damaged(&self.archive, &index, observer)? {
            return ask()?.1;
        }
        found
    }

    /// Returns false if there is no entry of that path and title. One that cannot be read may be it.
    fn has(&self, suggestion: &Suggestion) -> bool {
        match self.archive.entry_by_path(&suggestion.path) {
            Ok(entry) => entry.is_some_and(|entry| entry.title == suggestion.title),
            Err(_) => true,
        }
    }

    pub(super) fn sections(&self) -> Vec<Section> {
        let Header { n_entries, n_clusters, mime_list, path_pointers, .. } = *self.archive.header();
        let Header { title_pointers, cluster_pointers, checksum, .. } = *self.archive.header();
        let section = |name, offset, len| Section { name, offset, len, is_optional: false };
        let mimes: u64 = self.archive.mime_types().iter().map(|m| m.len() as u64 + 1).sum();
        let mut out = vec![
            section("mime list", mime_list, mimes + 1),
            section("path pointers", path_pointers, 8 * u64::from(n_entries)),
        ];
        if title_pointers != NO_LIST && title_pointers != 0 {
            let len = 4 * u64::from(n_entries);
            out.push(Section { is_optional: true, ..section("title pointers", title_pointers, len) });
        }
        out.push(section("cluster pointers", cluster_pointers, 8 * u64::from(n_clusters)));
        if checksum != 0 {
            out.push(section("checksum", checksum, 16));
        }
        out
    }

    /// Returns an article, each with the same probability. The list that a ZIM has also holds redirects to
    /// them, which are drawn again.
    pub(super) fn random_article(&self, random: u64) -> Result<Option<Entry>> {
        for draw in 0..DRAWS {
            // Numbers that have nothing to do with each other, of one that has nothing to do with anything.
            let random = if draw == 0 { random } else { mixed(random.wrapping_add(draw)) };
            match self.archive.random_article(random)? {
                Some(Entry { body: EntryBody::Redirect { .. }, .. }) => {}
                other => return Ok(other),
            }
        }
        match self.archive.random_article(random)? {
            Some(entry) => self.archive.resolve(entry),
            None => Ok(None),
        }
    }

    pub(super) fn source(&self, options: sources::Options) -> sources::zim::ZimSource {
        sources::zim::ZimSource::new(Arc::clone(&self.archive), options)
    }
}

/// The last step of splitmix64: numbers one apart have nothing in common behind it.
fn mixed(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
