//! Room for the bodies of all requests together. When there is none left, the body goes that has been on its way for
//! longest: who holds a body back does not hold others up.
//!
//! The beginning of each body takes no room, since the number of connections bounds it already. So ordinary deliveries never
//! wait for whoever fills the room with large ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a body waits for room.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// For how long a body may be on its way, when others wait for room.
const SPARED: Duration = Duration::from_secs(1);
/// How often a body that waits looks for one that goes.
const LOOK: Duration = Duration::from_millis(100);

/// How much of each body takes no room, in bytes.
const FREE: usize = 16 * 1024;
/// How long lies between two that are cut off: what one of them frees may be enough.
const BETWEEN: Duration = Duration::from_millis(20);

/// Room for so many bytes.
#[derive(Debug)]
pub(super) struct Room {
    bytes: Arc<Semaphore>,
    coming: Mutex<Coming>,
}

/// Bodies that are on their way and take room.
#[derive(Debug, Default)]
struct Coming {
    /// By when they began; the number tells those apart that began at once.
    bodies: BTreeMap<(Instant, u64), Arc<Notify>>,
    next: u64,
    /// When one was last cut off.
    cut_at: Option<Instant>,
}

impl Room {
    /// Room for so many bytes.
    pub(super) fn new(bytes: usize) -> Arc<Self> {
        let bytes = Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)));
        Arc::new(Self { bytes, coming: Mutex::default() })
    }

    /// Notes that a body on its way takes room.
    pub(super) fn enter(self: &Arc<Self>, now: Instant) -> OnItsWay {
        let mut coming = self.coming();
        coming.next += 1;
        let (key, cut) = ((now, coming.next), Arc::new(Notify::new()));
        coming.bodies.insert(key, Arc::clone(&cut));
        OnItsWay { room: Arc::clone(self), key, cut }
    }

    /// Room for so many bytes more of a body of which so many have come; `None` if there is none, though the slowest were cut
    /// off.
    pub(super) async fn hold(&self, before: usize, more: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(more.saturating_sub(FREE.saturating_sub(before))).ok()?;
        if let Ok(held) = Arc::clone(&self.bytes).try_acquire_many_owned(bytes) {
            return Some(held);
        }
        let waiting = async {
            let mut acquiring = std::pin::pin!(Arc::clone(&self.bytes).acquire_many_owned(bytes));
            loop {
                self.cut(Instant::now());
                if let Ok(held) = timeout(LOOK, acquiring.as_mut()).await {
                    return held.ok();
                }
            }
        };
        timeout_at(Instant::now() + PATIENCE, waiting).await.ok().flatten()
    }

    /// Cuts off the body that has been on its way for longest, unless all are new.
    fn cut(&self, now: Instant) {
        let mut coming = self.coming();
        if coming.cut_at.is_some_and(|at| now.saturating_duration_since(at) < BETWEEN) {
            return;
        }
        if let Some(oldest) = coming.bodies.first_entry()
            && now.saturating_duration_since(oldest.key().0) >= SPARED
        {
            oldest.remove().notify_one();
            coming.cut_at = Some(now);
        }
    }

    fn coming(&self) -> MutexGuard<'_, Coming> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body on its way, until this is dropped.
#[derive(Debug)]
pub(super) struct OnItsWay {
    room: Arc<Room>,
    key: (Instant, u64),
    cut: Arc<Notify>,
}

impl OnItsWay {
    /// What is notified when it is cut off.
    pub(super) fn signal(&self) -> Arc<Notify> {
        Arc::clone(&self.cut)
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.room.coming().bodies.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_body_that_was_on_its_way_for_longest_makes_room() {
        let room = Room::new(100);
        let began = Instant::now();
        let (first, second) = (room.enter(began), room.enter(began + Duration::from_millis(600)));
        let held = room.hold(FREE, 60).await.unwrap();
        assert!(
            room.hold(FREE, 60).await.is_none(),
            "who is cut off may take its time, and another waits for no longer"
        );
        let signal = second.signal();
        first.signal().notified().await;
        tokio::select! {
            () = signal.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(1)) => panic!("the second goes after the first"),
        }
        drop(held);
        assert!(room.hold(FREE, 100).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn ordinary_bodies_do_not_wait_for_room_that_large_ones_have_filled() {
        let (room, began) = (Room::new(100), Instant::now());
        let large = room.hold(0, FREE + 100).await.unwrap();
        for (before, more) in [(0, FREE), (FREE - 1, 1), (FREE, 0), (0, 0)] {
            assert!(room.hold(before, more).await.is_some(), "{before} {more}");
        }
        assert_eq!(began.elapsed(), Duration::ZERO, "nor was anybody cut off for them");
        for (before, more) in [(0, FREE + 1), (FREE - 1, 2), (FREE, 1)] {
            assert!(room.hold(before, more).await.is_none(), "{before} {more}");
        }
        drop(large);
        assert!(room.hold(FREE + 1, 100).await.is_some());
    }
}
