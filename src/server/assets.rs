//! Files of our own that pages need, and the policy under which pages run our script.

use super::answer::Answer;
use hyper::StatusCode;

/// Returns the policy of pages that have our script.
pub fn page_policy() -> &'static str {
    "default-src 'none'; img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; \
     style-src 'self' 'unsafe-inline'; connect-src 'self'; frame-src 'self'; object-src 'self'; \
     script-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
}

/// Answers with one of them.
pub fn answer(_name: &str) -> Answer {
    Answer::text(StatusCode::NOT_FOUND, "there is no such file\n")
}
