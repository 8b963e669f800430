//! Blocks: what is busy in one calendar of a person is made busy in the others.
//!
//! A job looks at the events that changed, and writes down which blocks there should be (`planner.rs`); another one, of each
//! connection that blocks lie in, writes them at its provider (`writer.rs`). Blocks come home as events of ours: they block
//! nothing, and one that a person deleted or changed is left alone (`own.rs`). Where blocks are merged, what the first job writes down
//! are pieces, and the second one covers them by merged blocks (`pieces.rs`) before it writes these.

pub(crate) mod choose;
mod diff;
mod events;
mod existing;
pub(crate) mod gone;
pub(crate) mod kept;
mod look;
mod merge;
mod own;
pub(crate) mod parting;
mod person;
mod pieces;
mod plan;
pub(crate) mod planner;
mod remove;
pub(crate) mod room;
mod show;
mod verify;
mod wanted;
mod write;
pub(crate) mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

pub use self::choose::{CalendarView, Chosen, calendars, choose};
pub use self::plan::{Planned, plan};
pub use self::remove::{Removal, remove};
pub use self::room::CrowdView;
pub use self::show::{BlockView, Which, blocks};
use super::Follower;
use crate::Ports;
use crate::jobs::announce::announce;
use crate::jobs::raise::raise;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{Kind, MarkReason};
use hooktide_model::tenant::Tenant;
use hooktide_store::records;
use hooktide_store::records::calendars::{self, Calendars};
use hooktide_store::records::job::Raise;

/// The follower of calendars' events.
pub(super) static FOLLOWER: Follower = Follower {
    kind: planner::BUSY,
    of: Kind::CalendarEvent,
    rule: calendars::key,
    follows: |item| Ok(records::decode::<Calendars>(item)?.record.are_blocking()),
};

/// Raises the mark of a job of a connection, due at once, and announces it. Without `entities` it looks at all of them.
async fn wake(
    ports: &Ports,
    tenant: &Tenant,
    (job, connection): (JobKind, &str),
    entities: BTreeSet<String>,
    now: Timestamp,
) -> Result<(), Fault> {
    let reason = if entities.is_empty() { MarkReason::Full } else { MarkReason::Hint };
    let reasons = BTreeMap::from([(reason, 1)]);
    let asked = Raise { tenant, job, resource: connection, reasons: &reasons, entities: &entities };
    if let Some(mark) = raise(ports, &asked, Duration::ZERO, now).await? {
        announce(ports, &mark, now).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::busy::planner::BUSY;
    use hooktide_store::records::Stored;
    use hooktide_store::records::job::{Mark, raised};

    #[test]
    fn what_is_named_later_does_not_make_a_look_at_all_a_smaller_one() {
        let (tenant, now) = (Tenant::parse("t").unwrap(), Timestamp::UNIX_EPOCH);
        let raise = |stored: Option<&Stored<Mark>>, reason, entities: &[&str]| {
            let entities = entities.iter().map(|one| (*one).to_owned()).collect();
            let reasons = BTreeMap::from([(reason, 1)]);
            let raise = Raise { tenant: &tenant, job: BUSY, resource: "c", reasons: &reasons, entities: &entities };
            Stored { rev: 1, record: raised(stored, &raise, Duration::ZERO, now) }
        };
        let all = raise(None, MarkReason::Full, &[]);
        assert!(all.record.named().is_none());
        assert!(raise(Some(&all), MarkReason::Hint, &["e"]).record.named().is_none());
        let one = raise(None, MarkReason::Hint, &["e"]);
        assert!(one.record.named().is_some());
        assert!(raise(Some(&one), MarkReason::Full, &[]).record.named().is_none());
    }
}
