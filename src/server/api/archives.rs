//! `/api/archives`.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{Fault, json};
use crate::json;
use crate::server::State;
use crate::server::answer::Answer;
use crate::server::library::{Shelf, Volume};

/// How long the list waits for archives that are still being read.
const PATIENCE: Duration = Duration::from_secs(2);

/// An archive of the library.
#[derive(Serialize)]
#[serde(untagged)]
enum Archive<'a> {
    Ready {
        name: &'a str,
        state: &'static str,
        error: Option<&'a str>,
        #[serde(flatten)]
        info: Box<json::Info<'a>>,
    },
    Other {
        name: &'a str,
        state: &'static str,
        error: Option<&'a str>,
        title: &'a str,
    },
}

impl<'a> Archive<'a> {
    fn new(volume: &'a Volume) -> Self {
        let (name, title) = (volume.name.as_str(), volume.title());
        if let Some((book, about)) = volume.book().zip(volume.about()) {
            let main = about.main.as_deref();
            let mut info = Box::new(json::Info::new(book, &about.metadata, main, about.counts));
            // As on its card: never empty.
            info.title = title;
            return Self::Ready { name, state: "ready", error: None, info };
        }
        match volume.fault() {
            Some(fault) => Self::Other { name, state: "broken", error: Some(fault), title },
            None => Self::Other { name, state: "opening", error: None, title },
        }
    }
}

pub(super) async fn list(state: &Arc<State>) -> Result<Answer, Fault> {
    let shelf = state.library.shelf();
    // One that is on a slow disk is listed as it is then.
    let _ = tokio::time::timeout(PATIENCE, all_known(&shelf)).await;
    // Whether a ZIM has an index is looked up in the cache folder.
    let list = move || json(&shelf.volumes().iter().map(|volume| Archive::new(volume)).collect::<Vec<_>>());
    state.lists.run(list).await.ok_or_else(Fault::busy)
}

async fn all_known(shelf: &Shelf) {
    for volume in shelf.volumes() {
        volume.known().await;
    }
}
