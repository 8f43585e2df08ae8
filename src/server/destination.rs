//! What a client does with an answer, as far as it says.

use hyper::header::{ACCEPT, HeaderName, HeaderValue, VARY};

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
            Some(_) => Self::Part,
            None if wants_page(request) => Self::Reader,
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

/// Says that an answer is another one where it is going elsewhere.
pub fn by_place(answer: Answer) -> Answer {
    answer.with(VARY, HeaderValue::from_static("sec-fetch-dest, accept"))
}
