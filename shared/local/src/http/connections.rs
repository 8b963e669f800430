//! The connections of the server: what each is doing, which of them have had their time, and which goes when there
//! are too many.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hooktide_flows::settings::Serving;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::framing::Framing;

/// How long a peer may take nothing of what it is sent.
const BLOCKED: Duration = Duration::from_secs(30);
/// How long a connection that has not said what it wants is spared, when there are too many.
const SPARED: Duration = Duration::from_secs(1);

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// A request's header is awaited: the connection is new, or the header has begun.
    Header,
    /// The connection rests between two requests.
    Idle,
    /// A request is under way.
    Busy,
}

/// What a connection is doing, and since when.
#[derive(Debug, Clone, Copy)]
struct Doing {
    phase: Phase,
    since: Instant,
    /// Since when its peer takes nothing of what it is sent.
    blocked: Option<Instant>,
    /// Whether it was asked to close.
    closing: bool,
    /// How many requests have begun.
    requests: u64,
}

impl Doing {
    /// Whether it has had its time.
    fn is_overdue(&self, limits: &Serving, now: Instant) -> bool {
        let longer = |since: Instant, time| now.saturating_duration_since(since) >= time;
        let waits = match self.phase {
            Phase::Header => longer(self.since, limits.header_time),
            Phase::Idle => longer(self.since, limits.idle_time),
            Phase::Busy => false,
        };
        waits || self.blocked.is_some_and(|since| longer(since, BLOCKED))
    }

    /// How readily it goes when there are too many, the least first; `None` if it does not. One that was opened just
    /// now is spared, as long as there are others: its header is still on its way.
    fn dispensable(&self, now: Instant) -> Option<(u8, Instant)> {
        let is_new = now.saturating_duration_since(self.since) < SPARED;
        let class = match self.phase {
            Phase::Header if is_new => 2,
            Phase::Header => 0,
            Phase::Idle => 1,
            Phase::Busy => return None,
        };
        (!self.closing && self.blocked.is_none()).then_some((class, self.since))
    }
}

/// A connection, as far as it is watched.
#[derive(Debug)]
pub(super) struct Connection {
    state: Mutex<(Doing, Framing)>,
    close: Notify,
}

impl Connection {
    fn new(now: Instant) -> Self {
        let doing = Doing { phase: Phase::Header, since: now, blocked: None, closing: false, requests: 0 };
        Self { state: Mutex::new((doing, Framing::default())), close: Notify::new() }
    }

    /// Notes what was read from it.
    pub(super) fn heard(&self, bytes: &[u8], now: Instant) {
        let (doing, framing) = &mut *self.state();
        if doing.phase == Phase::Idle {
            (doing.phase, doing.since) = (Phase::Header, now);
        }
        if doing.phase == Phase::Header {
            framing.read(bytes);
        }
    }

    /// Notes whether its peer takes what it is sent.
    pub(super) fn takes(&self, takes: bool, now: Instant) {
        let doing = &mut self.state().0;
        doing.blocked = if takes { None } else { doing.blocked.or(Some(now)) };
    }

    /// Notes that a request is under way until the result is dropped; with whether its header gives two lengths.
    pub(super) fn begin(self: &Arc<Self>, now: Instant) -> (UnderWay, bool) {
        let (doing, framing) = &mut *self.state();
        (doing.phase, doing.since) = (Phase::Busy, now);
        doing.requests += 1;
        (UnderWay(Arc::clone(self), doing.requests), std::mem::take(framing).is_ambiguous())
    }

    /// Waits until it is to close.
    pub(super) async fn closing(&self) {
        self.close.notified().await;
    }

    /// Whether it closes, now that it was asked to: not if a request has begun meanwhile, unless its peer takes nothing.
    pub(super) fn gives_way(&self) -> bool {
        let doing = &mut self.state().0;
        doing.closing = doing.phase != Phase::Busy || doing.blocked.is_some();
        doing.closing
    }

    /// Whether nothing of a request has come that was not answered.
    pub(super) fn is_resting(&self) -> bool {
        let (doing, framing) = &*self.state();
        doing.phase == Phase::Idle || (doing.phase == Phase::Header && framing.is_empty())
    }

    fn close(&self) {
        self.state().0.closing = true;
        self.close.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, (Doing, Framing)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way until this is dropped, and which of its connection's it is.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Connection>, u64);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let doing = &mut self.0.state().0;
        // What is left of an earlier one's body may be heard until the next one has begun.
        if doing.requests == self.1 {
            (doing.phase, doing.since) = (Phase::Idle, Instant::now());
        }
    }
}

/// All connections that are open.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
}

impl Connections {
    /// Notes a new connection; the number is for [`Connections::leave`].
    pub(super) fn enter(&self, now: Instant) -> (u64, Arc<Connection>) {
        let (number, connection) = (self.next.fetch_add(1, Ordering::Relaxed), Arc::new(Connection::new(now)));
        self.open().insert(number, Arc::clone(&connection));
        (number, connection)
    }

    /// Forgets one that is closed.
    pub(super) fn leave(&self, number: u64) {
        self.open().remove(&number);
    }

    /// Asks those to close that have had their time.
    pub(super) fn sweep(&self, limits: &Serving, now: Instant) {
        for connection in self.open().values() {
            if connection.state().0.is_overdue(limits, now) {
                connection.close();
            }
        }
    }

    /// Asks one to close that can be spared; whether there was one.
    pub(super) fn shed(&self, now: Instant) -> bool {
        let open = self.open();
        let rank = |connection: &&Arc<Connection>| connection.state().0.dispensable(now);
        let ranked = open.values().filter_map(|connection| Some((rank(&connection)?, connection)));
        let first = ranked.min_by_key(|(rank, _)| *rank);
        first.inspect(|(_, connection)| connection.close()).is_some()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doing(phase: Phase, since: Instant) -> Doing {
        Doing { phase, since, blocked: None, closing: false, requests: 0 }
    }

    #[test]
    fn each_phase_has_its_time() {
        let (limits, began) = (Serving::default(), Instant::now());
        let overdue = |phase, blocked: Option<Instant>, seconds: u64| {
            Doing { blocked, ..doing(phase, began) }.is_overdue(&limits, began + Duration::from_secs(seconds))
        };
        for (phase, blocked, within, beyond) in [
            (Phase::Header, None, 9, Some(10)),
            (Phase::Idle, None, 59, Some(60)),
            (Phase::Busy, None, 100_000, None),
            (Phase::Busy, Some(began), 29, Some(30)),
        ] {
            assert!(!overdue(phase, blocked, within), "{phase:?} after {within} s");
            assert!(beyond.is_none_or(|beyond| overdue(phase, blocked, beyond)), "{phase:?} after {beyond:?} s");
        }
    }

    #[test]
    fn half_open_ones_go_before_idle_ones_and_those_before_new_ones_and_none_that_is_busy() {
        let connections = Connections::default();
        let began = Instant::now();
        let later = |milliseconds| began + Duration::from_millis(milliseconds);
        let enter = |phase, milliseconds| {
            let (_, connection) = connections.enter(began);
            connection.state().0 = doing(phase, later(milliseconds));
            connection
        };
        enter(Phase::Busy, 0);
        let expected = [
            enter(Phase::Header, 500),
            enter(Phase::Header, 700),
            enter(Phase::Idle, 100),
            enter(Phase::Idle, 1_600),
            enter(Phase::Header, 1_500),
        ];
        for connection in expected {
            assert!(connections.shed(later(2_000)));
            assert!(connection.state().0.closing);
        }
        assert!(!connections.shed(later(2_000)), "who is busy stays");
    }

    #[test]
    fn a_connection_is_busy_until_its_answer_is_gone() {
        let (_, connection) = Connections::default().enter(Instant::now());
        assert!(connection.is_resting());
        connection.heard(b"GET / HT", Instant::now());
        assert!(!connection.is_resting());
        let (under_way, _) = connection.begin(Instant::now());
        assert_eq!(connection.state().0.phase, Phase::Busy);
        connection.close();
        assert!(!connection.gives_way(), "it was asked to before");
        drop(under_way);
        assert!(connection.is_resting());
        connection.heard(b"G", Instant::now());
        assert_eq!(connection.state().0.phase, Phase::Header);
    }

    #[test]
    fn the_end_of_an_earlier_request_does_not_end_the_one_that_has_begun() {
        let (_, connection) = Connections::default().enter(Instant::now());
        let (earlier, _) = connection.begin(Instant::now());
        let (next, _) = connection.begin(Instant::now());
        drop(earlier);
        assert_eq!(connection.state().0.phase, Phase::Busy);
        drop(next);
        assert_eq!(connection.state().0.phase, Phase::Idle);
    }
}
