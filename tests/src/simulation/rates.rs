//! Rates of faults, per mille of the occasions.

/// How often each fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// An actor ends right before a call.
    pub crash_before: u32,
    /// An actor ends right after a call had its effect.
    pub crash_after: u32,
    /// A call does not happen, and says so.
    pub throttled: u32,
    /// A call happens, and its answer says that it failed.
    pub answer_lost: u32,
    /// A transaction is cancelled for another one at the same items.
    pub conflict: u32,
    /// Some entries of a batch fail.
    pub half: u32,
    /// A call takes long: up to two minutes, longer than any lease.
    pub held: u32,
    /// The queue hands a message out again although it is being worked on.
    pub twice: u32,
    /// The provider sends an accepted delivery again.
    pub sent_again: u32,
    /// A delivery was changed on its way.
    pub tampered: u32,
    /// A delivery is signed, but not JSON.
    pub unreadable: u32,
    /// A delivery is about the entity that everybody edits.
    pub storm: u32,
    /// The provider's clock did not move: the newest version is sent with other content.
    pub tie: u32,
    /// An older version is sent.
    pub old: u32,
    /// The records of all endpoints are absent for a while, as when a table is restored.
    pub absent: u32,
    /// A run comes near the end of its time, and takes up no more work.
    pub over: u32,
    /// A worker starts again with the other version of the code.
    pub other_version: u32,
}

impl Rates {
    /// The rates of a bad day, with all faults at once.
    pub const ROUGH: Self = Self {
        crash_before: 4,
        crash_after: 4,
        throttled: 8,
        answer_lost: 6,
        conflict: 20,
        half: 20,
        held: 6,
        twice: 15,
        sent_again: 100,
        tampered: 20,
        unreadable: 15,
        storm: 250,
        tie: 250,
        old: 150,
        absent: 10,
        over: 4,
        other_version: 20,
    };

    /// The rates without faults, and without deliveries that would fail.
    pub const CALM: Self = Self {
        crash_before: 0,
        crash_after: 0,
        throttled: 0,
        answer_lost: 0,
        conflict: 0,
        half: 0,
        held: 0,
        twice: 0,
        sent_again: 0,
        tampered: 0,
        unreadable: 0,
        storm: 0,
        tie: 0,
        old: 0,
        absent: 0,
        over: 0,
        other_version: 0,
    };
}
