//! Answers that wait to be taken: how many bytes of them there may be.
//!
//! An answer is in memory until its client has taken all of it. One that asks again and again and takes
//! nothing, or a byte now and then, would have more and more of the memory; so the bytes are counted, of
//! each client and of all. Where there is no room for one more it waits for its turn, and the connections
//! of those who are far behind are broken off, so that there soon is. Small answers have room of their own:
//! however many download slowly from behind one address, the others there can read on.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::Limits;

/// What a client is expected to take where others wait for room, in bytes a second: less than the slowest
/// of networks carry in a house.
const RATE: u64 = 16 << 10;

/// How often those who wait look for somebody who is far behind.
const LOOK: Duration = Duration::from_millis(200);

/// How long somebody may take nothing at all though nobody needs the room: what is held may be an archive
/// that was taken away, whose file is gone only when the last has let go of it. Who pauses a film for longer
/// asks anew for the rest.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// The longest small answer.
const SMALL: u64 = 64 << 10;

/// The share of the room that is for small answers, beside the rest.
const SHARE: u64 = 4;

/// How many times sooner who holds the most of all is let go.
const SOONER: u32 = 6;

/// What room is counted in, in bytes.
const UNIT: u64 = 1 << 10;

/// The answers that are held.
pub struct Held {
    limits: Limits,
    room: Room,
    answers: Mutex<Answers>,
}

/// Room for large answers and for small ones.
#[derive(Clone)]
struct Room {
    large: Places,
    small: Places,
}

/// Places for so many units.
#[derive(Clone)]
struct Places {
    units: u32,
    free: Arc<Semaphore>,
}

#[derive(Default)]
struct Answers {
    bytes: u64,
    by_client: HashMap<IpAddr, Client>,
    all: HashMap<u64, Answer>,
    next: u64,
    /// When somebody last looked for those who are far behind.
    looked: Option<Instant>,
}

/// What one client has.
struct Client {
    room: Room,
    /// Answers that are held or wait for room.
    answers: usize,
    bytes: u64,
}

/// Bytes that wait to be taken.
struct Answer {
    taker: Taker,
    len: u64,
    taken: u64,
    since: Instant,
    /// When something was last taken.
    last: Instant,
}

/// Who takes an answer.
#[derive(Clone)]
pub struct Taker {
    /// The client.
    pub client: IpAddr,
    /// Told if its connection is to be broken off.
    pub let_go: Arc<Notify>,
}

/// One who has something of a client's room, or waits for it.
struct Guest {
    held: Arc<Held>,
    client: IpAddr,
}

/// Room for bytes, until this is dropped.
struct Hold {
    number: u64,
    _room: [OwnedSemaphorePermit; 2],
    guest: Guest,
}

/// Bytes with the room that they have.
struct Counted {
    bytes: Bytes,
    _hold: Hold,
}

/// Tells how much of an answer is taken.
pub struct Progress {
    held: Arc<Held>,
    number: u64,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Room {
    fn new(bytes: u64) -> Self {
        Self { large: Places::new(bytes), small: Places::new(bytes / SHARE) }
    }

    fn of(&self, len: u64) -> &Places {
        if len <= SMALL { &self.small } else { &self.large }
    }
}

impl Places {
    fn new(bytes: u64) -> Self {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).clamp(1, MAX_UNITS);
        Self { units, free: Arc::new(Semaphore::new(units as usize)) }
    }
}

/// More room than there is memory.
const MAX_UNITS: u32 = 1 << 28;

impl Held {
    /// Returns the count of nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self { room: Room::new(limits.held), limits, answers: Mutex::default() }
    }

    /// Returns how many bytes are held.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// Returns true if a client has less than half of what it may have: then it may have more than it needs
    /// at once.
    pub fn is_at_ease(&self, client: IpAddr) -> bool {
        let answers = self.lock();
        answers.by_client.get(&client).is_none_or(|client| client.bytes < self.limits.held_of_one / 2)
            && answers.bytes < self.limits.held / 2
    }

    /// Counts bytes until they are taken and dropped, wherever they are meanwhile. Waits so long for room;
    /// nothing if there is none then.
    pub async fn count(
        self: &Arc<Self>,
        taker: &Taker,
        bytes: Bytes,
        patience: Duration,
    ) -> Option<(Bytes, Progress)> {
        let hold = self.hold(taker, bytes.len() as u64, patience).await?;
        let progress = Progress { held: Arc::clone(self), number: hold.number };
        Some((Bytes::from_owner(Counted { bytes, _hold: hold }), progress))
    }

    /// The same for bytes that are made once there is room for them, of a known length.
    pub async fn count_made<E>(
        self: &Arc<Self>,
        taker: &Taker,
        len: u64,
        patience: Duration,
        make: impl Future<Output = Result<Vec<u8>, E>>,
    ) -> Option<Result<Bytes, E>> {
        let hold = self.hold(taker, len, patience).await?;
        Some(make.await.map(|bytes| Bytes::from_owner(Counted { bytes: bytes.into(), _hold: hold })))
    }

    async fn hold(self: &Arc<Self>, taker: &Taker, len: u64, patience: Duration) -> Option<Hold> {
        let (guest, room) = self.enter(taker.client);
        let (own, all) = (room.of(len), self.room.of(len));
        // One answer alone may be of any length: that it can be made at all is bounded elsewhere.
        let units = len.div_ceil(UNIT).clamp(1, own.units.min(all.units).into()) as u32;
        let (own, all) = (&own.free, &all.free);
        let at_once = || {
            let own = Arc::clone(own).try_acquire_many_owned(units).ok()?;
            Some([own, Arc::clone(all).try_acquire_many_owned(units).ok()?])
        };
        let permits = match at_once() {
            Some(permits) => permits,
            None => {
                let wait = async {
                    let own = Arc::clone(own).acquire_many_owned(units).await.ok()?;
                    Some([own, Arc::clone(all).acquire_many_owned(units).await.ok()?])
                };
                let mut wait = std::pin::pin!(tokio::time::timeout(patience, wait));
                loop {
                    // Nobody else has to make room for who has too much.
                    let is_own = own.available_permits() < units as usize;
                    self.let_go(is_own.then_some(taker.client));
                    if let Ok(permits) = tokio::time::timeout(LOOK, wait.as_mut()).await {
                        break permits.ok()??;
                    }
                }
            }
        };
        let mut answers = self.lock();
        let number = answers.next;
        answers.next += 1;
        answers.bytes += len;
        if let Some(client) = answers.by_client.get_mut(&taker.client) {
            client.bytes += len;
        }
        let now = Instant::now();
        let answer = Answer { taker: taker.clone(), len, taken: 0, since: now, last: now };
        answers.all.insert(number, answer);
        Some(Hold { number, _room: permits, guest })
    }

    fn enter(self: &Arc<Self>, client: IpAddr) -> (Guest, Room) {
        let mut answers = self.lock();
        let own = answers.by_client.entry(client).or_insert_with(|| Client {
            room: Room::new(self.limits.held_of_one),
            answers: 0,
            bytes: 0,
        });
        own.answers += 1;
        (Guest { held: Arc::clone(self), client }, own.room.clone())
    }

    /// Breaks the connections off, of one client or of all, that take less of an answer than can be expected.
    fn let_go(&self, client: Option<IpAddr>) {
        let now = Instant::now();
        let mut answers = self.lock();
        // Each look is at all of them, and who looks may be many.
        if client.is_none() && answers.looked.is_some_and(|looked| looked + LOOK / 2 > now) {
            return;
        }
        answers.looked = client.map_or(Some(now), |_| answers.looked);
        let largest = answers.by_client.iter().max_by_key(|(_, client)| client.bytes).map(|(ip, _)| *ip);
        for answer in answers.all.values().filter(|a| client.is_none_or(|client| a.taker.client == client)) {
            let is_largest = client.is_none() && Some(answer.taker.client) == largest;
            let patience = if is_largest { self.limits.stalled / SOONER } else { self.limits.stalled };
            // Who takes a little now and then is late, too; and nobody has saved up time by having been fast.
            let due = answer.since + patience + Duration::from_secs(answer.taken / RATE);
            if answer.last + patience < now || due < now {
                answer.taker.let_go.notify_one();
            }
        }
    }

    /// Breaks the connections off on which nothing has been taken for so long, again and again.
    pub async fn let_go_of_the_forgotten(self: Arc<Self>) {
        loop {
            tokio::time::sleep(FORGOTTEN / 10).await;
            self.let_go_after(FORGOTTEN);
        }
    }

    fn let_go_after(&self, patience: Duration) {
        let now = Instant::now();
        for answer in self.lock().all.values().filter(|answer| answer.last + patience < now) {
            answer.taker.let_go.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    /// Says that so many bytes more are taken.
    pub fn taken(&self, bytes: u64) {
        if let Some(answer) = self.held.lock().all.get_mut(&self.number) {
            answer.taken += bytes;
            answer.last = Instant::now();
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut answers = self.guest.held.lock();
        let Some(Answer { len, .. }) = answers.all.remove(&self.number) else { return };
        answers.bytes -= len;
        if let Some(client) = answers.by_client.get_mut(&self.guest.client) {
            client.bytes -= len;
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut answers = self.held.lock();
        if let Some(client) = answers.by_client.get_mut(&self.client) {
            client.answers -= 1;
            if client.answers == 0 {
                answers.by_client.remove(&self.client);
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

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(test);
    }

    async fn count(held: &Arc<Held>, taker: &Taker, kib: usize) -> Option<(Bytes, Progress)> {
        held.count(taker, Bytes::from(vec![0; kib << 10]), Duration::ZERO).await
    }

    async fn is_let_go(taker: &Taker) -> bool {
        tokio::time::timeout(Duration::from_millis(1), taker.let_go.notified()).await.is_ok()
    }

    const LONG: Duration = Duration::from_secs(99);

    #[test]
    fn bytes_are_counted_until_the_last_piece_of_them_is_dropped() {
        run(async {
            let held = held(1000 << 10, 600 << 10, LONG);
            let one = taker(1);
            let (first, _) = count(&held, &one, 500).await.unwrap();
            assert!(count(&held, &one, 101).await.is_none());
            let piece = first.slice(10..20);
            drop(first);
            assert!(count(&held, &one, 101).await.is_none());
            assert!(count(&held, &taker(2), 501).await.is_none(), "there is no room for all");
            assert!(count(&held, &taker(2), 500).await.is_some());
            drop(piece);
            assert_eq!(held.bytes(), 0);
            assert!(held.lock().by_client.is_empty());
            // Whatever its length, one alone is given.
            assert!(count(&held, &one, 5000).await.is_some());
        });
    }

    #[test]
    fn small_answers_have_room_of_their_own() {
        run(async {
            let held = held(1000 << 10, 400 << 10, LONG);
            let one = taker(1);
            let _large = count(&held, &one, 400).await.unwrap();
            assert!(count(&held, &one, 100).await.is_none());
            let mut small = vec![];
            for _ in 0..4 {
                small.push(count(&held, &one, 25).await.unwrap());
            }
            assert!(count(&held, &one, 1).await.is_none());
        });
    }

    #[test]
    fn who_is_late_is_let_go_once_others_need_the_room() {
        run(async {
            for (stalled, expected) in [(Duration::ZERO, true), (LONG, false)] {
                let held = held(1000 << 10, 1000 << 10, stalled);
                let (late, other) = (taker(1), taker(2));
                let (_held, progress) = count(&held, &late, 800).await.unwrap();
                // However fast it was before.
                progress.taken(99 * RATE);
                tokio::time::sleep(Duration::from_millis(2)).await;
                assert!(count(&held, &other, 100).await.is_some());
                assert!(!is_let_go(&late).await, "nobody needs the room");
                assert!(count(&held, &other, 300).await.is_none());
                assert_eq!(is_let_go(&late).await, expected);
            }
        });
    }

    #[test]
    fn who_has_forgotten_an_answer_is_let_go_though_nobody_needs_the_room() {
        run(async {
            let held = held(1000 << 10, 1000 << 10, LONG);
            let (forgotten, other) = (taker(1), taker(2));
            let (_first, _) = count(&held, &forgotten, 1).await.unwrap();
            let (_second, progress) = count(&held, &other, 1).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            progress.taken(1);
            held.let_go_after(Duration::from_millis(10));
            assert!(is_let_go(&forgotten).await && !is_let_go(&other).await);
        });
    }

    #[test]
    fn nobody_makes_room_for_who_has_too_much() {
        run(async {
            let held = held(10_000 << 10, 1000 << 10, Duration::ZERO);
            let (other, greedy) = (taker(1), taker(2));
            let _others = count(&held, &other, 800).await.unwrap();
            let _own = count(&held, &greedy, 800).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
            assert!(count(&held, &greedy, 800).await.is_none());
            assert!(!is_let_go(&other).await && is_let_go(&greedy).await);
        });
    }

    #[test]
    fn what_waits_for_room_comes_in_its_turn() {
        run(async {
            let held = held(1000 << 10, 1000 << 10, LONG);
            let one = taker(1);
            let (first, _) = count(&held, &one, 800).await.unwrap();
            let make = async { Ok::<_, ()>(vec![1; 600 << 10]) };
            let (own, asked) = (Arc::clone(&held), one.clone());
            let waits = tokio::spawn(async move { own.count_made(&asked, 600 << 10, LONG, make).await });
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(!waits.is_finished());
            // Whoever comes later does not go before it.
            assert!(count(&held, &one, 100).await.is_none());
            drop(first);
            assert_eq!(waits.await.unwrap().unwrap().unwrap().len(), 600 << 10);
            assert_eq!(held.bytes(), 0);
            assert!(held.lock().by_client.is_empty());
        });
    }
}
