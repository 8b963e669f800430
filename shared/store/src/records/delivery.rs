//! Deliveries: the memory of notices that have no entity.
//!
//! A delivery is settled in the commit of its effect if the effect is entirely in the table. If the effect reaches other
//! systems, the delivery is claimed first, with a lease and a fencing number: a processor that dies blocks nothing for
//! longer than the lease, and one that wakes up late cannot finish over its successor. Conditions compare times
//! themselves, since the store deletes late.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::entity::Identity;
use super::{Record, Stored, Upkeep};
use crate::key::{Area, Key, Partition};
use crate::ports::Write;
use crate::times;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;

/// How long a claim holds.
pub const LEASE: Duration = times::PROCESSOR.lease;

/// The record of a delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The envelope that it came in.
    pub envelope: String,
    /// Whether its effect is done.
    pub done: bool,
    /// The number of claims so far; a holder of an older number finishes nothing.
    pub fence: u64,
    /// The time until which a claim holds, in milliseconds.
    pub lease_until: i64,
    /// The time until which the delivery is remembered, in seconds.
    pub window_until: i64,
}

impl Record for Delivery {
    const NAME: &'static str = "delivery";
}

/// The standing of a delivery that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The delivery is new or forgotten, or its claim has lapsed.
    Open,
    /// The delivery is done, and was in the same envelope: the queue delivered that again.
    Redelivered,
    /// The delivery is done, and was in another envelope: the provider sent it again.
    Duplicate,
    /// Another run holds a claim until then.
    Claimed(Timestamp),
}

/// The key of a delivery's record. `part` tells the notices of one delivery apart.
pub fn key(tenant: &Tenant, identity: Identity, part: &str) -> Key {
    Partition::of(tenant, Area::Delivery(&format!("{}#{part}", identity.to_hex()))).key("delivery")
}

/// The standing of a delivery that arrived in `envelope`.
pub fn progress(stored: Option<&Stored<Delivery>>, envelope: &str, now: Timestamp) -> Progress {
    let Some(Stored { record, .. }) = stored else { return Progress::Open };
    if record.window_until <= now.as_second() {
        return Progress::Open;
    }
    match (record.done, record.envelope == envelope) {
        (true, true) => Progress::Redelivered,
        (true, false) => Progress::Duplicate,
        (false, _) if record.lease_until <= now.as_millisecond() => Progress::Open,
        // No lease lasts that long, so a clock that was ahead gave it.
        (false, _) if record.lease_until > (now + 2 * LEASE).as_millisecond() => Progress::Open,
        (false, _) => Progress::Claimed(Timestamp::from_millisecond(record.lease_until).unwrap_or(now)),
    }
}

/// An attempt at an open delivery.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The record, as it was read.
    pub stored: Option<&'a Stored<Delivery>>,
    /// The envelope that it arrived in.
    pub envelope: &'a str,
    /// How long it is remembered.
    pub window: Duration,
    /// The time.
    pub now: Timestamp,
}

impl Attempt<'_> {
    /// The write that settles the delivery in one step, within the commit of its effect.
    pub fn settle(&self, key: &Key) -> Result<Write, Fault> {
        self.write(key, true)
    }

    /// The write that claims the delivery; its success is the claim, and [`Self::claimed`] is its record.
    pub fn claim(&self, key: &Key) -> Result<Write, Fault> {
        self.write(key, false)
    }

    /// The record that a claim leaves; [`finish`] takes it.
    pub fn claimed(&self) -> Stored<Delivery> {
        Stored { rev: self.stored.map_or(0, |stored| stored.rev) + 1, record: self.record(false) }
    }

    fn write(&self, key: &Key, done: bool) -> Result<Write, Fault> {
        let record = self.record(done);
        super::replace(key, self.stored.map(|stored| stored.rev), &record, upkeep(&record))
    }

    fn record(&self, done: bool) -> Delivery {
        Delivery {
            envelope: self.envelope.to_owned(),
            done,
            fence: self.stored.map_or(0, |stored| stored.record.fence) + 1,
            lease_until: if done { 0 } else { (self.now + LEASE).as_millisecond() },
            window_until: (self.now + self.window).as_second(),
        }
    }
}

/// The write that finishes a claim; it fails if somebody claimed the delivery since.
pub fn finish(key: &Key, claim: &Stored<Delivery>) -> Result<Write, Fault> {
    let done = Delivery { done: true, ..claim.record.clone() };
    super::replace(key, Some(claim.rev), &done, upkeep(&done))
}

fn upkeep(record: &Delivery) -> Upkeep {
    Upkeep { expires_at: Timestamp::from_second(record.window_until).ok(), due: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(3600);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn claimed(stored: Option<&Stored<Delivery>>, envelope: &str, now: Timestamp) -> Stored<Delivery> {
        Attempt { stored, envelope, window: WINDOW, now }.claimed()
    }

    #[test]
    fn a_lapsed_claim_is_open_again_and_fences_its_former_holder() {
        let first = claimed(None, "a", at(0));
        assert_eq!(progress(Some(&first), "b", at(39)), Progress::Claimed(at(40)));
        assert_eq!(progress(Some(&first), "b", at(40)), Progress::Open);
        let second = claimed(Some(&first), "b", at(40));
        assert_eq!((first.record.fence, second.record.fence), (1, 2));
        assert!(second.rev > first.rev, "finishing with the first claim meets another rev");
    }

    #[test]
    fn a_claim_by_a_clock_that_was_ahead_blocks_nothing() {
        let claim = claimed(None, "a", at(1_000_000));
        assert_eq!(progress(Some(&claim), "a", at(0)), Progress::Open);
    }

    #[test]
    fn a_done_delivery_is_remembered_for_its_window_and_no_longer() {
        let mut done = claimed(None, "a", at(0));
        done.record.done = true;
        assert_eq!(progress(Some(&done), "a", at(3599)), Progress::Redelivered);
        assert_eq!(progress(Some(&done), "b", at(3599)), Progress::Duplicate);
        assert_eq!(progress(Some(&done), "b", at(3600)), Progress::Open);
    }
}
