//! What a client does with an answer, as far as it says.

use hyper::header::{ACCEPT, HeaderName, HeaderValue, USER_AGENT, VARY};

use super::answer::Answer;
use super::request::Request;

/// Where an answer is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Before a reader's eyes.
    Reader,
    /// Into another page, as a page of its own.
    Frame,
    /// Into another page as a part of it: a picture, a sound, a style.
    Part,
    /// Into another page, which takes pieces out of it by their names: a filter, a mask, a symbol. Firefox
    /// makes a document of it, and asks no policy for what that fetches.
    Pieces,
    /// To a script, which wants it as it is, or to be stored.
    Script,
    /// It is not said. Browsers tell in words only whom they trust with it, not a server in the house.
    Unknown,
}

impl Destination {
    /// Reads what a request says of it.
    pub fn of(request: &Request) -> Self {
        match request.header(HeaderName::from_static("sec-fetch-dest")) {
            Some("document") => Self::Reader,
            Some("iframe" | "frame" | "embed" | "object") => Self::Frame,
            Some("empty") => Self::Script,
            Some("image") if mode(request) == Some("same-origin") => Self::Pieces,
            Some(_) => Self::Part,
            None if wants_page(request) => Self::Reader,
            None if is_browser(request) => match request.header(ACCEPT) {
                Some("*/*") => Self::Pieces,
                _ => Self::Part,
            },
            None => Self::Unknown,
        }
    }

    /// Returns true if a browser shows the answer as a page, whether or not in another one.
    pub const fn shows(self) -> bool {
        matches!(self, Self::Reader | Self::Frame)
    }
}

/// Returns true if whoever asks wants to see a page: pictures and programs do not.
pub fn wants_page(request: &Request) -> bool {
    request.header(ACCEPT).is_some_and(|accept| accept.contains("text/html"))
}

fn mode(request: &Request) -> Option<&str> {
    request.header(HeaderName::from_static("sec-fetch-mode"))
}

/// Returns true for what calls itself a browser, as all of them do.
fn is_browser(request: &Request) -> bool {
    request.header(USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/"))
}

/// Says that an answer is another one where it is going elsewhere.
pub fn by_place(answer: Answer) -> Answer {
    answer.with(VARY, HeaderValue::from_static("sec-fetch-dest, sec-fetch-mode, accept"))
}
