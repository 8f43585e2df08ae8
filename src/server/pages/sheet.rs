//! What all pages of ours have in common: their head and their bar.

use askama::Template;
use hyper::StatusCode;

use super::bar;
use crate::server::State;
use crate::server::answer::Answer;
use crate::server::words::{ENGLISH, Words};

/// The frame of a page of ours.
pub struct Sheet<'a> {
    /// The words.
    pub w: &'static Words,
    /// What stands before every path.
    pub root: &'a str,
    /// The address of the style.
    pub css: String,
    /// The address of our own icon.
    pub icon: String,
    /// What stands in the head.
    pub head: String,
    /// The bar.
    pub bar: String,
    /// True for a page to be read rather than looked over.
    pub is_narrow: bool,
}

impl<'a> Sheet<'a> {
    /// Makes it for a page about an archive, by name and title, or about none.
    pub fn new(state: &'a State, archive: Option<(&str, &str)>) -> Self {
        let (w, root) = (words(), state.options.root.as_str());
        Self {
            w,
            root,
            css: state.assets.address("page.css"),
            icon: state.assets.address("tome.svg"),
            head: bar::own_head(&state.assets),
            bar: bar::own_bar(w, &state.assets, root, archive, true),
            is_narrow: true,
        }
    }

    /// Leaves the search out of the bar, for a page that has one.
    #[must_use]
    pub fn without_search(mut self, state: &State) -> Self {
        self.bar = bar::own_bar(self.w, &state.assets, self.root, None, false);
        self
    }

    /// Makes the page wide.
    #[must_use]
    pub fn wide(mut self) -> Self {
        self.is_narrow = false;
        self
    }
}

/// Returns the words of the interface.
pub fn words() -> &'static Words {
    &ENGLISH
}

/// Answers with a page of ours.
pub fn page(state: &State, status: StatusCode, template: &impl Template) -> Answer {
    // Writing to a string does not fail.
    Answer::own_page(&state.assets, status, template.render().unwrap_or_default())
}
