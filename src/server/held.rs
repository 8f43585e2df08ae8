//! Answers that wait to be taken: how many bytes of them there may be.
//!
//! An answer is in memory until its client has taken all of it. One that asks again and again and takes
//! nothing, or a byte now and then, would have more and more of the memory; so the bytes are counted, of
//! each client and of all. Where there is no room for one more it is not given, and the connections of
//! those who are far behind are broken off, so that there soon is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;

use super::Limits;

/// What a client is expected to take where others wait for room, in bytes a second: less than the slowest
/// of networks carry in a house.
const RATE: u64 = 16 << 10;

/// How often somebody who waits for room looks whether there is some.
const LOOK: Duration = Duration::from_millis(20);

/// The answers that are held.
pub struct Held {
    limits: Limits,
    answers: Mutex<Answers>,
}

#[derive(Default)]
struct Answers {
    bytes: u64,
    by_client: HashMap<IpAddr, u64>,
    all: HashMap<u64, Answer>,
    next: u64,
}

/// Bytes that wait to be taken.
struct Answer {
    taker: Taker,
    len: u64,
    /// When they should have been taken.
    due: Instant,
}

/// Who takes an answer.
#[derive(Clone)]
pub struct Taker {
    /// The client.
    pub client: IpAddr,
    /// Told if its connection is to be broken off.
    pub let_go: Arc<Notify>,
}

/// Room for bytes, until this is dropped.
struct Hold {
    held: Arc<Held>,
    number: u64,
}

/// Bytes with the room that they have.
struct Counted {
    bytes: Bytes,
    _hold: Hold,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Held {
    /// Returns the count of nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, answers: Mutex::default() }
    }

    /// Returns how many bytes are held.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// Counts bytes until they are taken and dropped, wherever they are meanwhile; nothing if there is no
    /// room for them.
    pub fn count(self: &Arc<Self>, taker: &Taker, bytes: Bytes) -> Option<Bytes> {
        let hold = self.hold(taker, bytes.len() as u64)?;
        Some(Bytes::from_owner(Counted { bytes, _hold: hold }))
    }

    /// The same for bytes that are yet to be made, of a known length: waits for room, for as long as
    /// clients are waited for.
    pub async fn count_made<E>(
        self: &Arc<Self>,
        taker: &Taker,
        len: u64,
        make: impl Future<Output = Result<Vec<u8>, E>>,
    ) -> Option<Result<Bytes, E>> {
        let end = Instant::now() + self.limits.stalled;
        let hold = loop {
            match self.hold(taker, len) {
                Some(hold) => break hold,
                None if Instant::now() >= end => return None,
                None => tokio::time::sleep(LOOK).await,
            }
        };
        Some(make.await.map(|bytes| Bytes::from_owner(Counted { bytes: bytes.into(), _hold: hold })))
    }

    fn hold(self: &Arc<Self>, taker: &Taker, len: u64) -> Option<Hold> {
        let now = Instant::now();
        let mut answers = self.lock();
        let of_one = answers.by_client.get(&taker.client).copied().unwrap_or(0);
        // One answer alone may be of any length: that it can be made at all is bounded elsewhere.
        let has_room = |held: u64, most: u64| held == 0 || held.saturating_add(len) <= most;
        let is_fair = has_room(of_one, self.limits.held_of_one);
        if !is_fair || !has_room(answers.bytes, self.limits.held) {
            // Nobody else has to make room for who has too much.
            let late = answers.all.values().filter(|answer| answer.due < now);
            for answer in late.filter(|answer| is_fair || answer.taker.client == taker.client) {
                answer.taker.let_go.notify_one();
            }
            return None;
        }
        let number = answers.next;
        answers.next += 1;
        answers.bytes += len;
        *answers.by_client.entry(taker.client).or_default() += len;
        let due = now + self.limits.stalled + Duration::from_secs(len / RATE);
        answers.all.insert(number, Answer { taker: taker.clone(), len, due });
        Some(Hold { held: Arc::clone(self), number })
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut answers = self.held.lock();
        let Some(Answer { taker, len, .. }) = answers.all.remove(&self.number) else { return };
        answers.bytes -= len;
        if let Some(bytes) = answers.by_client.get_mut(&taker.client) {
            *bytes -= len;
            if *bytes == 0 {
                answers.by_client.remove(&taker.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(all: u64, of_one: u64, stalled: Duration) -> Arc<Held> {
        Arc::new(Held::new(Limits { held: all, held_of_one: of_one, stalled, ..Limits::default() }))
    }

    fn taker(last: u8) -> Taker {
        Taker { client: IpAddr::from([192, 0, 2, last]), let_go: Arc::default() }
    }

    fn zeros(len: usize) -> Bytes {
        Bytes::from(vec![0; len])
    }

    #[test]
    fn bytes_are_counted_until_the_last_piece_of_them_is_dropped() {
        let held = held(100, 60, Duration::from_secs(9));
        let one = taker(1);
        let first = held.count(&one, zeros(50)).unwrap();
        assert!(held.count(&one, zeros(11)).is_none());
        let piece = first.slice(10..20);
        drop(first);
        assert!(held.count(&one, zeros(11)).is_none());
        assert!(held.count(&taker(2), zeros(51)).is_none(), "there is no room for all");
        assert!(held.count(&taker(2), zeros(50)).is_some());
        drop(piece);
        assert_eq!(held.bytes(), 0);
        assert!(held.lock().by_client.is_empty());
        // Whatever its length, one alone is given.
        assert!(held.count(&one, zeros(1000)).is_some());
    }

    fn is_let_go(taker: &Taker) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            tokio::time::timeout(Duration::from_millis(1), taker.let_go.notified()).await.is_ok()
        })
    }

    #[test]
    fn who_is_late_is_let_go_once_others_need_the_room() {
        for (stalled, expected) in [(Duration::ZERO, true), (Duration::from_secs(99), false)] {
            let held = held(100, 100, stalled);
            let (late, other) = (taker(1), taker(2));
            let _held = held.count(&late, zeros(80)).unwrap();
            std::thread::sleep(Duration::from_millis(2));
            assert!(held.count(&other, zeros(10)).is_some());
            assert!(!is_let_go(&late), "nobody needs the room");
            assert!(held.count(&other, zeros(30)).is_none());
            assert_eq!(is_let_go(&late), expected);
        }
    }

    #[test]
    fn nobody_makes_room_for_who_has_too_much() {
        let held = held(1000, 100, Duration::ZERO);
        let (other, greedy) = (taker(1), taker(2));
        let _others = held.count(&other, zeros(80)).unwrap();
        let _own = held.count(&greedy, zeros(80)).unwrap();
        std::thread::sleep(Duration::from_millis(2));
        assert!(held.count(&greedy, zeros(80)).is_none());
        assert!(!is_let_go(&other) && is_let_go(&greedy));
    }

    #[test]
    fn what_is_yet_to_be_made_waits_for_room() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let held = held(100, 100, Duration::from_secs(99));
            let one = taker(1);
            let first = held.count(&one, zeros(80)).unwrap();
            let make = async { Ok::<_, ()>(vec![1; 60]) };
            let (own, asked) = (Arc::clone(&held), one.clone());
            let waits = tokio::spawn(async move { own.count_made(&asked, 60, make).await });
            tokio::time::sleep(3 * LOOK).await;
            assert!(!waits.is_finished());
            drop(first);
            assert_eq!(waits.await.unwrap().unwrap().unwrap().len(), 60);
            assert_eq!(held.bytes(), 0);
        });
    }
}
