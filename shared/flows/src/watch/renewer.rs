//! The renewer: each minute, it takes the connections whose subscriptions are due.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::{WATCH, step};
use crate::commit::Committer;
use crate::commit::journal::Journal;
use crate::jobs::hold::{Hold, Next};
use crate::{Ports, Settings};
use hooktide_model::fault::Fault;
use hooktide_store::key::{DUE_SHARDS, Due, due_partition};
use hooktide_store::ports::WriteFault;
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::{self, Stored};

/// How many connections of a shard are looked at in one tick.
const PAGE: usize = 50;
/// How often a connection is looked at, whatever is due.
const DAILY: SignedDuration = SignedDuration::from_hours(24);

/// Keeps subscriptions as they should be.
pub struct Renewer {
    ports: Ports,
    settings: Settings,
    committer: Committer,
}

impl Renewer {
    /// A renewer that has done nothing yet.
    pub fn new(ports: Ports, settings: &Settings) -> Self {
        let journal = Arc::new(Journal::new(&ports, settings));
        let committer = Committer::new(ports.clone(), settings, journal);
        Self { ports, settings: settings.clone(), committer }
    }

    /// Looks at the connections that are due, as long as there is time; returns how many they were. A failure of one holds up
    /// no other.
    pub async fn tick(&self, now: Timestamp, is_over: &(dyn Fn() -> bool + Sync)) -> Result<usize, Fault> {
        let (mut looked, mut first) = (0, None);
        for shard in 0..DUE_SHARDS {
            let partition = due_partition(Due::Job(&WATCH), shard);
            for item in self.ports.table.due(&partition, now.as_millisecond(), PAGE).await? {
                if is_over() {
                    return Ok(looked);
                }
                // The index lags, so the mark itself is read again where it is claimed.
                let Ok(Stored { record: due, .. }) = records::decode::<Mark>(item) else { continue };
                match self.look_at(&due, now).await {
                    Ok(()) => looked += 1,
                    Err(fault) => {
                        warn!(tenant = %due.tenant, connection = due.resource, %fault, "subscriptions are looked at later");
                        first = first.or(Some(fault));
                    }
                }
            }
        }
        first.map_or(Ok(looked), Err)
    }

    /// Looks at one connection, under its mark.
    async fn look_at(&self, due: &Mark, now: Timestamp) -> Result<(), Fault> {
        let Self { ports, settings, committer } = self;
        let key = job::key(&due.tenant, &WATCH, &due.resource);
        let Some(stored) = records::get::<Mark>(&*ports.table, &key).await? else { return Ok(()) };
        if !stored.record.running && stored.record.due_at > now.as_millisecond() {
            return Ok(());
        }
        let Some(claimed) = job::claimed(&stored.record, now) else { return Ok(()) };
        match ports.table.write(job::store(Some(stored.rev), &claimed)?).await {
            Ok(_) => {}
            Err(WriteFault::Condition(_) | WriteFault::Conflict) => return Ok(()),
            Err(WriteFault::Fault(fault)) => return Err(fault),
        }
        let context = step::Context { ports, settings, committer, tenant: &due.tenant, now };
        let next = context.connection(&due.resource).await;
        let becomes = match &next {
            Ok(Some(at)) => Next::Parked((*at).min(now + DAILY)),
            Ok(None) => Next::Over,
            Err(_) => Next::Parked(now + SignedDuration::from_mins(1)),
        };
        let held = Stored { rev: stored.rev + 1, record: claimed };
        let ended = Hold { ports, held: &held, debounce: Duration::ZERO, now }.end(becomes).await;
        next.and(ended).map(drop)
    }
}
