//! The bytes of a response: at hand, or read from an archive while the client takes them.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::held::{Held, Progress, Taker};
use super::library::Volume;
use super::metrics::Metrics;
use crate::book::{Book, Content, Entry};
use crate::error::Error;

/// Bytes that are read at a time.
const STEP: u64 = 256 << 10;

/// Bytes that are given at a time of what is at hand; that the next ones are asked for tells that the client
/// takes them.
const FRAME: usize = 64 << 10;

/// How long what is at hand waits for room among what is not taken yet.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a long entry that is being read does so: others take theirs slowly.
const LONG_PATIENCE: Duration = Duration::from_secs(600);

/// The body of a response.
pub struct Body {
    matter: Matter,
    left: u64,
    progress: Option<Progress>,
    /// The length of the frame that was given last: taken, once the next one is asked for.
    given: u64,
    /// Where the bytes sent are counted.
    pub count: Option<Arc<Metrics>>,
}

enum Matter {
    Ready(Bytes),
    Read(Reading),
}

/// An archive from which a body is read.
#[derive(Clone)]
pub struct Source {
    /// It, open.
    pub book: Arc<Book>,
    /// It, as the library has it.
    pub volume: Arc<Volume>,
}

/// Something of an archive that is read piece by piece.
struct Reading {
    source: Source,
    what: What,
    at: u64,
    piece: Option<JoinHandle<Result<Bytes, String>>>,
    /// Where its pieces are counted.
    counted: Option<(Arc<Held>, Taker)>,
}

/// What of an archive is read.
#[derive(Clone)]
enum What {
    Entry(Entry),
    /// The file of a ZIM, its parts as one.
    File,
}

impl What {
    fn read(&self, book: &Book, range: Range<u64>) -> Result<Vec<u8>, Error> {
        match self {
            Self::Entry(entry) => book.content_range(entry, range).map(Content::into_vec),
            Self::File => match book.as_zim() {
                Some(zim) => {
                    let bytes = zim.storage().read(range)?.into_owned();
                    // A mapped file that failed gives zeros.
                    zim.storage().check_fault()?;
                    Ok(bytes)
                }
                None => Ok(vec![]),
            },
        }
    }
}

impl Body {
    /// Returns bytes that are at hand.
    pub fn of(bytes: Bytes) -> Self {
        Self { left: bytes.len() as u64, matter: Matter::Ready(bytes), progress: None, given: 0, count: None }
    }

    /// Returns a part of an entry, which is within it.
    pub fn of_entry(source: Source, entry: Entry, range: Range<u64>) -> Self {
        Self::reading(source, What::Entry(entry), range)
    }

    /// Returns a part of the file of a ZIM, which is within it.
    pub fn of_file(source: Source, range: Range<u64>) -> Self {
        Self::reading(source, What::File, range)
    }

    fn reading(source: Source, what: What, range: Range<u64>) -> Self {
        let left = range.end - range.start;
        let reading = Reading { source, what, at: range.start, piece: None, counted: None };
        Self { left, matter: Matter::Read(reading), progress: None, given: 0, count: None }
    }

    /// Counts what is held of it until it is taken; waits a moment for room, and returns false if there is
    /// none.
    #[must_use]
    pub async fn count_held(&mut self, held: &Arc<Held>, taker: Taker) -> bool {
        match &mut self.matter {
            Matter::Ready(bytes) if bytes.is_empty() => true,
            Matter::Ready(bytes) => match held.count(&taker, std::mem::take(bytes), PATIENCE).await {
                Some((counted, progress)) => {
                    // One frame is taken or not.
                    self.progress = Some(progress).filter(|_| counted.len() > FRAME);
                    *bytes = counted;
                    true
                }
                None => false,
            },
            // Of this nothing is held yet.
            Matter::Read(reading) => {
                reading.counted = Some((Arc::clone(held), taker));
                true
            }
        }
    }

    /// Returns the number of bytes to come.
    pub fn len(&self) -> u64 {
        self.left
    }
}

impl Reading {
    fn begin(&mut self, left: u64) {
        let (source, what, counted) = (self.source.clone(), self.what.clone(), self.counted.clone());
        let range = self.at..self.at + left.min(STEP);
        let len = range.end - range.start;
        let read = async move {
            // Whoever takes an answer waits in line with all others who read the archive.
            let Some(place) = source.volume.place().await else {
                return Err("the archive is closed".into());
            };
            let read = move || {
                // Also where the client is gone by now.
                let _place = place;
                let bytes = what.read(&source.book, range).map_err(|e| e.to_string())?;
                if source.volume.is_rewritten() {
                    return Err("the archive was rewritten while it was read".to_owned());
                }
                Ok(bytes)
            };
            tokio::task::spawn_blocking(read).await.map_err(|e| e.to_string())?
        };
        self.piece = Some(tokio::spawn(async move {
            match counted {
                Some((held, taker)) => {
                    let read = held.count_made(&taker, len, LONG_PATIENCE, read).await;
                    read.unwrap_or_else(|| Err("too much waits to be taken".to_owned()))
                }
                None => read.await.map(Bytes::from),
            }
        }));
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // Nobody waits for it any more.
        if let Some(piece) = &self.piece {
            piece.abort();
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let this = &mut *self;
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let piece = match &mut this.matter {
            Matter::Ready(bytes) => bytes.split_to(bytes.len().min(FRAME)),
            Matter::Read(reading) => {
                if reading.piece.is_none() {
                    reading.begin(this.left);
                }
                let Some(piece) = &mut reading.piece else { return Poll::Ready(None) };
                let Poll::Ready(read) = Pin::new(piece).poll(context) else { return Poll::Pending };
                reading.piece = None;
                // The head has gone out: all that is left is to break off, so that nobody takes a part
                // for the whole.
                let failed = |what: String| Poll::Ready(Some(Err(std::io::Error::other(what))));
                let bytes = match read {
                    Ok(Ok(bytes)) if bytes.is_empty() => {
                        return failed("the entry is shorter than it says".into());
                    }
                    Ok(Ok(bytes)) => bytes,
                    Ok(Err(error)) => return failed(error),
                    Err(error) => return failed(error.to_string()),
                };
                reading.at += bytes.len() as u64;
                let is_at_ease = |(held, taker): &(Arc<Held>, Taker)| held.is_at_ease(taker.client);
                if this.left > bytes.len() as u64 && reading.counted.as_ref().is_none_or(is_at_ease) {
                    // The next piece is read while this one is sent.
                    reading.begin(this.left - bytes.len() as u64);
                }
                bytes
            }
        };
        this.left = this.left.saturating_sub(piece.len() as u64);
        if let Some(progress) = &this.progress {
            progress.taken(std::mem::replace(&mut this.given, piece.len() as u64));
        }
        if let Some(metrics) = &this.count {
            metrics.sent(piece.len() as u64);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
