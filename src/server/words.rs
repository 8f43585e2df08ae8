//! The words of the interface: every sentence that people see stands in this table, once a language.
//!
//! A `{}` in a sentence is a place for a value; see [`fill`].

/// The words of one language.
pub struct Words {
    /// The language, as a tag of BCP 47.
    pub lang: &'static str,
    /// The direction of its script, `ltr` or `rtl`.
    pub dir: &'static str,
    /// What parts groups of three digits.
    pub thousands: &'static str,
    /// What parts a number from its fraction.
    pub point: &'static str,

    // The bar
    /// The name of the bar for screen readers.
    pub bar: &'static str,
    /// The way to the library.
    pub library: &'static str,
    /// The way to an archive's main page.
    pub main_page: &'static str,
    /// Search, as a verb on a button and a name for the form.
    pub search: &'static str,
    /// What the search field says while it is empty, in an archive.
    pub search_in: &'static str,
    /// The same over all archives.
    pub search_all: &'static str,
    /// The list under the search field.
    pub suggestions: &'static str,
    /// The last row of that list; the place is for what was typed.
    pub search_text: &'static str,
    /// Says where a redirect came from.
    pub redirected: &'static str,
    /// Marks a title that was found in spite of a slip.
    pub typo: &'static str,
    /// Said to screen readers: so many suggestions.
    pub n_suggestions: &'static str,
    /// The headings of a page.
    pub contents: &'static str,
    /// An article by chance.
    pub random: &'static str,
    /// A button that is pressed while the page is a bookmark.
    pub bookmark: &'static str,
    /// The way to a bookmark from a page on an origin of its own.
    pub bookmark_there: &'static str,
    /// The settings.
    pub settings: &'static str,
    /// The choice of colours.
    pub theme: &'static str,
    /// As the system has it.
    pub theme_auto: &'static str,
    /// Dark on light.
    pub theme_light: &'static str,
    /// Light on dark.
    pub theme_dark: &'static str,
    /// Brown on yellowish.
    pub theme_sepia: &'static str,
    /// The choice of the size of letters.
    pub size: &'static str,
    /// The choice of the width of the column.
    pub width: &'static str,
    /// As the page has it.
    pub width_page: &'static str,
    /// A small one.
    pub width_narrow: &'static str,
    /// One between.
    pub width_medium: &'static str,
    /// All there is.
    pub width_full: &'static str,

    // The library
    /// Said where there is no archive.
    pub no_archives: &'static str,
    /// Said where the filter leaves none.
    pub none_match: &'static str,
    /// The filter by text.
    pub filter: &'static str,
    /// The filter by language.
    pub language: &'static str,
    /// The choice of every language.
    pub all_languages: &'static str,
    /// The button that applies the filter.
    pub show: &'static str,
    /// One article.
    pub one_article: &'static str,
    /// Articles.
    pub articles: &'static str,
    /// One file of media.
    pub one_media: &'static str,
    /// Media.
    pub media: &'static str,
    /// One archive.
    pub one_archive: &'static str,
    /// Archives.
    pub archives: &'static str,
    /// How many are shown; places for their number and for the count of all.
    pub archives_of: &'static str,
    /// An archive that is still being opened.
    pub opening: &'static str,
    /// An archive that cannot be read.
    pub broken: &'static str,

    // The search
    /// The title of the page of hits.
    pub hits_title: &'static str,
    /// The field of the query.
    pub query: &'static str,
    /// The field of the archive.
    pub archive: &'static str,
    /// All of them.
    pub all_archives: &'static str,
    /// Nothing was found.
    pub no_hits: &'static str,
    /// Hits from a number to a number of at least so many, in so long.
    pub hits: &'static str,
    /// The same where all are known.
    pub hits_exactly: &'static str,
    /// The time ran out.
    pub partial: &'static str,
    /// None has all words.
    pub relaxed: &'static str,
    /// The query as it may have been meant.
    pub did_you_mean: &'static str,
    /// The index of an archive is being made, so much of it.
    pub indexing: &'static str,
    /// The same where the share is not known.
    pub indexing_soon: &'static str,
    /// A large archive that nobody has searched by name; with its title.
    pub unprepared: &'static str,
    /// The index of an archive could not be made.
    pub no_index: &'static str,
    /// An archive was not searched.
    pub not_searched: &'static str,
    /// The hits before.
    pub previous: &'static str,
    /// The hits after.
    pub next: &'static str,
    /// The pages of hits.
    pub pages: &'static str,
    /// Seconds, in short.
    pub seconds: &'static str,
    /// The query cannot be looked for.
    pub bad_query: &'static str,

    // What is kept
    /// The page of history and bookmarks.
    pub saved: &'static str,
    /// Explains where they are kept.
    pub saved_where: &'static str,
    /// Said where no script runs.
    pub needs_script: &'static str,
    /// The bookmarks.
    pub bookmarks: &'static str,
    /// No bookmarks.
    pub no_bookmarks: &'static str,
    /// Asks whether a page shall be one; the place is for its title.
    pub add_question: &'static str,
    /// The button that makes it one.
    pub add: &'static str,
    /// The history.
    pub history: &'static str,
    /// No history.
    pub no_history: &'static str,
    /// Takes one from a list; the place is for its title.
    pub remove: &'static str,
    /// Empties the history.
    pub forget: &'static str,
    /// Writes all to a file.
    pub export: &'static str,
    /// Reads such a file.
    pub import: &'static str,
    /// It was read.
    pub imported: &'static str,
    /// It was no such file.
    pub not_imported: &'static str,

    // What is not there, or not now
    /// The title of the page of what is missing.
    pub missing: &'static str,
    /// Nothing is at that address.
    pub missing_here: &'static str,
    /// An archive has no such page; places for the path and the archive's title.
    pub missing_in: &'static str,
    /// Titles that are near.
    pub near: &'static str,
    /// Search an archive for the missing.
    pub search_missing: &'static str,
    /// The title of the page of what is busy.
    pub busy: &'static str,
    /// An archive has too much to do.
    pub busy_archive: &'static str,
    /// The server has too much to do.
    pub busy_search: &'static str,
    /// The title of the page of what is broken.
    pub broken_title: &'static str,
    /// An archive cannot be opened; places for its name and the reason.
    pub broken_archive: &'static str,
    /// The title of the page of what failed.
    pub failed: &'static str,
    /// Reading failed; places for the archive's name and the reason.
    pub failed_archive: &'static str,

    // Links out
    /// The title of the page before a link out.
    pub external: &'static str,
    /// What it means.
    pub external_means: &'static str,
    /// The link itself.
    pub external_go: &'static str,
    /// What is no address of the web.
    pub external_bad: &'static str,
    /// An address of another server's is being looked up.
    pub moving: &'static str,
    /// Said there if no script runs.
    pub needs_script_here: &'static str,

    // The interface for programs
    /// What a request may say.
    pub parameter: &'static str,
    /// Of what type it is.
    pub kind: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// It may be left out.
    pub optional: &'static str,
    /// Before an example.
    pub for_instance: &'static str,
}

/// English.
pub static ENGLISH: Words = Words {
    lang: "en",
    dir: "ltr",
    thousands: ",",
    point: ".",
    bar: "Tome",
    library: "Library",
    main_page: "Main page of {}",
    search: "Search",
    search_in: "Search {}",
    search_all: "Search all archives",
    suggestions: "Suggestions",
    search_text: "Search all text for “{}”",
    redirected: "from {}",
    typo: "similar",
    n_suggestions: "{} suggestions",
    contents: "Contents",
    random: "Random article",
    bookmark: "Bookmark",
    bookmark_there: "Bookmark in the library",
    settings: "Settings",
    theme: "Colours",
    theme_auto: "Auto",
    theme_light: "Light",
    theme_dark: "Dark",
    theme_sepia: "Sepia",
    size: "Text size",
    width: "Column",
    width_page: "Auto",
    width_narrow: "Narrow",
    width_medium: "Medium",
    width_full: "Full",
    no_archives: "There are no archives here yet. Put .tome or .zim files into a folder that is served, \
        and they appear.",
    none_match: "No archive matches.",
    filter: "Title, description or language",
    language: "Language",
    all_languages: "All languages",
    show: "Show",
    one_article: "{} article",
    articles: "{} articles",
    one_media: "{} file",
    media: "{} files",
    one_archive: "{} archive",
    archives: "{} archives",
    archives_of: "{} of {}",
    opening: "being opened",
    broken: "Cannot be opened: {}",
    hits_title: "Search: {}",
    query: "Words to look for",
    archive: "Archive",
    all_archives: "All archives",
    no_hits: "Nothing was found.",
    hits: "{}–{} of at least {} ({})",
    hits_exactly: "{}–{} of {} ({})",
    partial: "There was no time to look at everything; fewer or rarer words may find more.",
    relaxed: "No article has all of these words. These have most of them.",
    did_you_mean: "Did you mean",
    indexing: "{} is being prepared for its first search: {} % done. Its articles are not among these yet.",
    indexing_soon: "{} is being prepared for its first search. Its articles are not among these yet.",
    unprepared: "{} is large and has not been prepared for searching. Choose it alone to have that done.",
    no_index: "{} cannot be searched: {}",
    not_searched: "{} has too much to do and was not searched.",
    previous: "Previous",
    next: "Next",
    pages: "Pages of results",
    seconds: "{} s",
    bad_query: "This cannot be looked for: {}",
    saved: "History and bookmarks",
    saved_where: "Kept by this browser alone, and sent to nobody.",
    needs_script: "History and bookmarks are kept by your browser, which needs JavaScript for it.",
    bookmarks: "Bookmarks",
    no_bookmarks: "None yet. The star in the bar of an article makes one.",
    add_question: "Add “{}” to the bookmarks?",
    add: "Add",
    history: "History",
    no_history: "Nothing was read yet.",
    remove: "Remove {}",
    forget: "Clear history",
    export: "Save to a file",
    import: "Read a file",
    imported: "The file was read.",
    not_imported: "This is no file of history and bookmarks.",
    missing: "Not found",
    missing_here: "There is nothing at this address.",
    missing_in: "{} has no page “{}”.",
    near: "Perhaps one of these was meant:",
    search_missing: "Search {} for it",
    busy: "Too much to do",
    busy_archive: "{} has too many readers at this moment. Try again in a few seconds.",
    busy_search: "There are too many searches at this moment. Try again in a few seconds.",
    broken_title: "An archive that cannot be read",
    broken_archive: "{} cannot be opened: {}",
    failed: "Something went wrong",
    failed_archive: "{} could not be read here: {}",
    external: "A link to the web",
    external_means: "This link leaves the library, and needs a connection to the internet:",
    external_go: "Follow the link",
    external_bad: "This is not an address of the web, so it is not made a link.",
    moving: "One moment",
    needs_script_here: "This address was made for another server. To follow it your browser needs JavaScript; \
        the library has all there is.",
    parameter: "Parameter",
    kind: "Type",
    meaning: "Meaning",
    optional: "optional",
    for_instance: "For instance",
};

/// Puts values into the places of a sentence, in their order.
pub fn fill(sentence: &str, values: &[&str]) -> String {
    let mut out = String::with_capacity(sentence.len() + values.iter().map(|v| v.len()).sum::<usize>());
    let mut values = values.iter();
    let mut parts = sentence.split("{}");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push_str(values.next().copied().unwrap_or_default());
        out.push_str(part);
    }
    out
}

impl Words {
    /// Returns a number with its digits in groups of three.
    pub fn number(&self, n: u64) -> String {
        let digits = n.to_string();
        let mut out = String::with_capacity(digits.len() * 2);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out.push_str(self.thousands);
            }
            out.push(digit);
        }
        out
    }

    /// Returns a sentence for a number of things.
    pub fn count(&self, n: u64, one: &str, more: &str) -> String {
        fill(if n == 1 { one } else { more }, &[&self.number(n)])
    }

    /// Returns a length in bytes as people say it.
    pub fn size(&self, bytes: u64) -> String {
        let mut value = bytes as f64;
        let mut unit = "B";
        for larger in ["kB", "MB", "GB", "TB"] {
            if value < 1000.0 {
                break;
            }
            (value, unit) = (value / 1000.0, larger);
        }
        let digits = usize::from(unit != "B" && value < 10.0);
        format!("{value:.digits$}").replace('.', self.point) + "\u{a0}" + unit
    }

    /// Returns how long something took.
    pub fn took(&self, time: std::time::Duration) -> String {
        let seconds = time.as_secs_f64();
        let digits = if seconds < 0.1 { 3 } else { 1 };
        fill(self.seconds, &[&format!("{seconds:.digits$}").replace('.', self.point)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_their_places_and_make_no_new_ones() {
        assert_eq!(fill("{} of {}", &["{}", "b"]), "{} of b");
        assert_eq!(fill("{} {}", &["a"]), "a ");
        assert_eq!(fill("none", &["a"]), "none");
    }

    #[test]
    fn numbers_are_written_as_people_read_them() {
        assert_eq!(ENGLISH.number(0), "0");
        assert_eq!(ENGLISH.number(1_234_567), "1,234,567");
        assert_eq!(ENGLISH.size(999), "999\u{a0}B");
        assert_eq!(ENGLISH.size(4_952_064), "5.0\u{a0}MB");
        assert_eq!(ENGLISH.size(20_713_472), "21\u{a0}MB");
        assert_eq!(ENGLISH.count(1, ENGLISH.one_article, ENGLISH.articles), "1 article");
    }
}
