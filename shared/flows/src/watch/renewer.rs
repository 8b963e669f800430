//! The renewer: each minute, it takes the connections whose subscriptions are due.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::stream;
use futures::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::context::Context;
use super::{WATCH, looks, part};
use crate::commit::Committer;
use crate::commit::journal::Journal;
use crate::jobs::hold::{Hold, Next};
use crate::{Ports, Settings};
use hooktide_model::fault::Fault;
use hooktide_store::key::{DUE_SHARDS, Due, due_partition};
use hooktide_store::ports::WriteFault;
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::{self, Stored};

/// How many connections of a shard are looked at in one tick, at the most.
const PAGE: usize = 50;
/// How often a connection is looked at, whatever is due.
const DAILY: SignedDuration = SignedDuration::from_hours(24);

/// Keeps subscriptions as they should be.
pub struct Renewer {
    ports: Ports,
    settings: Settings,
    committer: Committer,
    at_once: usize,
}

impl Renewer {
    /// A renewer that has done nothing yet, and looks at so many connections at once: one whose provider does not answer holds
    /// up few others.
    pub fn new(ports: Ports, settings: &Settings, at_once: usize) -> Self {
        let journal = Arc::new(Journal::new(&ports, settings));
        let committer = Committer::new(ports.clone(), settings, journal);
        Self { ports, settings: settings.clone(), committer, at_once }
    }

    /// Looks at the connections that are due, as long as there is time; returns how many they were. A failure of one holds up
    /// no other.
    pub async fn tick(&self, now: Timestamp, is_over: &(dyn Fn() -> bool + Sync)) -> Result<usize, Fault> {
        let due = self.due(now).await?;
        let looks = stream::iter(due).map(|mark| self.try_look(mark, now, is_over));
        let mut looks = looks.buffer_unordered(self.at_once.max(1));
        let (mut looked, mut first) = (0, None);
        while let Some(look) = looks.next().await {
            match look {
                Ok(did) => looked += usize::from(did),
                Err(fault) => first = first.or(Some(fault)),
            }
        }
        first.map_or(Ok(looked), Err)
    }

    /// The marks that are due, whatever shard they are in, the one that waits for longest first.
    async fn due(&self, now: Timestamp) -> Result<Vec<Mark>, Fault> {
        let mut due: Vec<Mark> = Vec::new();
        for shard in 0..DUE_SHARDS {
            let partition = due_partition(Due::Job(&WATCH), shard);
            let items = self.ports.table.due(&partition, now.as_millisecond(), PAGE).await?;
            due.extend(
                items.into_iter().filter_map(|item| records::decode(item).ok()).map(|Stored { record, .. }| record),
            );
        }
        due.sort_by_key(|mark| mark.due_at);
        Ok(due)
    }

    /// Looks at one connection, if there is time left.
    async fn try_look(&self, due: Mark, now: Timestamp, is_over: &(dyn Fn() -> bool + Sync)) -> Result<bool, Fault> {
        if is_over() {
            return Ok(false);
        }
        self.look_at(&due, now, is_over).await.inspect_err(|fault| {
            warn!(tenant = %due.tenant, connection = due.resource, %fault, "subscriptions are looked at later");
        })
    }

    /// Looks at one connection, under its mark; whether it was due.
    async fn look_at(&self, due: &Mark, now: Timestamp, is_over: &(dyn Fn() -> bool + Sync)) -> Result<bool, Fault> {
        let Self { ports, settings, committer, .. } = self;
        // The index lags, so the mark itself is read again.
        let key = job::key(&due.tenant, &WATCH, &due.resource);
        let Some(stored) = records::get::<Mark>(&*ports.table, &key).await? else { return Ok(false) };
        if !stored.record.running && stored.record.due_at > now.as_millisecond() {
            return Ok(false);
        }
        let Some(claimed) = job::claimed(&stored.record, now) else { return Ok(false) };
        match ports.table.write(job::store(Some(stored.rev), &claimed)?).await {
            Ok(_) => {}
            Err(WriteFault::Condition(_) | WriteFault::Conflict) => return Ok(false),
            Err(WriteFault::Fault(fault)) => return Err(fault),
        }
        let context = Context { ports, settings, committer, tenant: &due.tenant, is_over, now };
        // A connection whose look panics holds up no other.
        let look = AssertUnwindSafe(looks::connection(&context, &due.resource)).catch_unwind();
        let looked = look.await.unwrap_or_else(|_| Err(Fault::failed("the look panicked")));
        let next = match looked {
            Ok(None) => part::settle(ports, &due.tenant, &due.resource, now).await.map(|()| None),
            next => next,
        };
        let becomes = match &next {
            Ok(Some(at)) => Next::Parked((*at).min(now + DAILY)),
            Ok(None) => Next::Over,
            Err(_) => Next::Parked(now + SignedDuration::from_mins(1)),
        };
        let held = Stored { rev: stored.rev + 1, record: claimed };
        let ended = Hold { ports, held: &held, debounce: Duration::ZERO, now }.end(becomes).await;
        next.and(ended).map(|_| true)
    }
}
