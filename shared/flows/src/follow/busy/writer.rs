//! The job that writes the blocks that lie in a connection's calendars, one after the other, as its provider allows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::person::Manner;
use super::planner::BUSY;
use super::write::{Done, Pen, failed};
use super::{pieces, wake};
use crate::Ports;
use crate::asking::Failure;
use crate::asking::account::{self, Account};
use crate::jobs::hold::Next;
use crate::jobs::task::{Runner, Task};
use crate::told::{Note, tell};
use crate::watch::part::is_over;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{BlockState, Outcome};
use hooktide_model::part;
use hooktide_providers::Refusal;
use hooktide_store::ports::{Query, Range};
use hooktide_store::records::block::{self, Block, Stem};
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::{self, Stored};

/// The job's kind. Its resource is the connection that the blocks lie in.
pub(crate) const BLOCKS: JobKind = JobKind::named("blocks");

/// The job in the table of jobs.
pub(crate) static RUNNER: Runner = Runner { kind: BLOCKS, step: |ports, _, task| Box::pin(step(ports, task)) };

/// What an account is asked about here.
const ABOUT: &str = "blocks";
/// How many blocks are read at once.
const PAGE: usize = 100;
/// How often a write is tried that the provider does not accept.
const MOST_REFUSED: u32 = 3;
/// The reason where a calendar may be read only.
const NOT_ALLOWED: &str =
    "the credentials do not allow to write to a calendar; choose another one, or let its owner allow it";
/// How many blocks a calendar may not let be written before no other one is tried in this run.
const MOST_CLOSED: usize = 10;
/// The shortest and the longest pause after a failure that may pass.
const PAUSES: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(900));

/// How many pieces of merged blocks are settled at once.
const MOST_PIECES: usize = 500;

/// What a run did.
#[derive(Debug, Default)]
pub(super) struct Tally {
    made: usize,
    changed: usize,
    removed: usize,
    left: usize,
    /// Whether some were refused, and are to be tried again.
    pub(super) again: bool,
    /// How many blocks calendars did not let be written, by the calendar, and the reason of the last one.
    closed: BTreeMap<String, (usize, &'static str)>,
    /// The occurrences whose blocks are gone: they may be wanted again.
    pub(super) gone: Vec<Stem>,
}

impl Tally {
    fn count(&mut self, done: Done, stem: Stem) {
        match done {
            Done::Made => self.made += 1,
            Done::Changed => self.changed += 1,
            Done::Found => {}
            Done::Removed => {
                self.removed += 1;
                // A merged block is made anew by its pieces.
                self.gone.extend(Some(stem).filter(|stem| !stem.event.is_empty()));
            }
            Done::Left => self.left += 1,
        }
    }

    /// Whether a calendar let so few blocks be written that no other one is tried.
    pub(super) fn is_closed(&self, calendar: &str) -> bool {
        self.closed.get(calendar).is_some_and(|(count, _)| *count >= MOST_CLOSED)
    }

    /// Whether a calendar did not let a block be written.
    pub(super) fn has_refused(&self, calendar: &str) -> bool {
        self.closed.contains_key(calendar)
    }

    /// Notes that a calendar did not let a block be written.
    pub(super) fn close(&mut self, calendar: String, why: &'static str) {
        let closed = self.closed.entry(calendar).or_default();
        *closed = (closed.0 + 1, why);
    }

    /// What was done, in words; `None` if it was nothing.
    fn told(&self) -> Option<String> {
        let parts =
            [(self.made, "made"), (self.changed, "moved"), (self.removed, "removed"), (self.left, "left alone")];
        let parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        (!parts.is_empty()).then(|| format!("blocks: {}", parts.join(", ")))
    }
}

/// Writes what is to be written.
async fn step(ports: &Ports, task: Task<'_>) -> Result<(), Fault> {
    // What writing lacks says nothing of reading.
    let account = account_of(ports, &task).await?.map(|account| account.about(ABOUT));
    let subject = account.as_ref().and_then(|account| Some((account, account.provider.target()?)));
    let Some((account, target)) = subject else { return task.finish(ports).await };
    let manner = Manner::of(&account.connection.settings);
    let pen = Pen { ports, tenant: task.tenant, account, target, manner, now: task.now };
    let mut tally = Tally::default();
    let ended = all(&pen, &task, &mut tally).await;
    note(ports, &task, &account.connection.provider, &tally).await?;
    let mut gone: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for Stem { from, event, .. } in &tally.gone {
        gone.entry(&from.connection).or_default().insert(part::entity_id(&from.calendar, event));
    }
    for (connection, entities) in gone {
        wake(ports, task.tenant, (BUSY, connection), entities, task.now).await?;
    }
    if let Some((_, reason)) = tally.closed.values().next() {
        refused(ports, &task, &account.connection.provider, reason).await?;
    }
    match ended {
        Ok(true) if tally.again => task.rest(ports, PAUSES.0).await,
        Ok(true) if !tally.closed.is_empty() => task.rest(ports, PAUSES.1).await,
        Ok(true) => task.finish(ports).await,
        Ok(false) => task.rest(ports, Duration::ZERO).await,
        Err(Failure::Fault(fault)) => Err(fault),
        Err(Failure::Reauthorize(reason, rests)) => {
            refused(ports, &task, &account.connection.provider, &reason).await?;
            let at = task.now + rests.unwrap_or(PAUSES.1);
            task.end(ports, Next::Parked(at)).await.map(drop)
        }
        // Where a password proves us, a refusal of a write comes as it is.
        Err(failure @ Failure::Refused(Refusal::Refused)) => {
            refused(ports, &task, &account.connection.provider, &failure.to_string()).await?;
            task.end(ports, Next::Parked(task.now + PAUSES.1)).await.map(drop)
        }
        Err(Failure::NoCredentials | Failure::NoAddress(_)) => {
            task.end(ports, Next::Parked(task.now + PAUSES.1)).await.map(drop)
        }
        Err(failure) => {
            let until = failure.until(task.now).map(|until| until.duration_since(task.now));
            let pause = until.and_then(|pause| Duration::try_from(pause).ok()).unwrap_or(PAUSES.0 * 2);
            task.rest(ports, pause.clamp(PAUSES.0, PAUSES.1)).await
        }
    }
}

/// The account whose calendars the blocks lie in: of a connection that is deleted as well, while its credentials are there.
async fn account_of(ports: &Ports, task: &Task<'_>) -> Result<Option<Account>, Fault> {
    let key = connection::key(task.tenant, task.id);
    let stored = records::get::<Connection>(&*ports.table, &key).await?;
    let usable = |one: &Connection| one.deleted_at.is_none() || !one.credentials.is_empty() && !is_over(one, task.now);
    match stored.map(|stored| stored.record).filter(usable) {
        Some(connection) => account::whole(ports, task.settings, task.tenant, connection, task.now).await,
        None => Ok(None),
    }
}

/// Goes through the blocks that the mark names, or through all of the connection; whether that was all.
async fn all(pen: &Pen<'_>, task: &Task<'_>, tally: &mut Tally) -> Result<bool, Failure> {
    let mut pieces = Vec::new();
    if let Some(named) = task.held.record.named() {
        for sort in named {
            let key = block::partition(task.tenant).key(sort.as_str());
            match records::get::<Block>(&*pen.ports.table, &key).await? {
                Some(stored) if stored.record.piece.is_some() => pieces.push(stored),
                Some(stored) => one(pen, stored, tally).await?,
                None => {}
            }
            if (task.is_over)() {
                return Ok(false);
            }
        }
        return pieces::settle(pen, pieces, tally, task.is_over).await;
    }
    let prefix = block::prefix_in(task.id);
    let mut range = Range::Prefix(prefix.clone());
    loop {
        let query = Query { partition: block::partition(task.tenant), range, descending: false, limit: PAGE };
        let (found, more) = records::list::<Block>(&*pen.ports.table, &query).await?;
        let last = found.last().map(|(sort, _)| sort.clone());
        for (_, stored) in found {
            let is_unsettled = !matches!(stored.record.state, BlockState::There | BlockState::Left);
            if is_unsettled && stored.record.piece.is_some() {
                pieces.push(stored);
            } else if is_unsettled {
                one(pen, stored, tally).await?;
                if (task.is_over)() {
                    return Ok(false);
                }
            }
        }
        if pieces.len() >= MOST_PIECES && !pieces::settle(pen, std::mem::take(&mut pieces), tally, task.is_over).await?
        {
            return Ok(false);
        }
        let Some(last) = last.filter(|_| more) else { break };
        range = records::after(&prefix, &last);
    }
    pieces::settle(pen, pieces, tally, task.is_over).await
}

/// Does what is to be done about a block. One that the provider does not take holds up no other.
pub(super) async fn one(pen: &Pen<'_>, stored: Stored<Block>, tally: &mut Tally) -> Result<(), Failure> {
    let Block { stem, lies_in, .. } = stored.record.clone();
    if tally.is_closed(&lies_in.calendar) {
        return Ok(());
    }
    match pen.settle(stored.clone()).await {
        Ok(done) => {
            done.into_iter().for_each(|done| tally.count(done, stem.clone()));
            Ok(())
        }
        // Whoever may not write to one calendar may write to others.
        Err(Failure::Refused(Refusal::Closed(why))) => {
            tally.close(lies_in.calendar, why);
            Ok(())
        }
        Err(Failure::Refused(Refusal::Forbidden)) => {
            tally.close(lies_in.calendar, NOT_ALLOWED);
            Ok(())
        }
        Err(failure) if failure.spoils_one() => {
            let key = stored.record.record_key(pen.tenant);
            let Some(current) = records::get::<Block>(&*pen.ports.table, &key).await? else { return Ok(()) };
            let next = failed(current.record, failure.to_string(), MOST_REFUSED);
            let write = records::replace(&key, Some(current.rev), &next, next.upkeep())?;
            pen.ports.table.write(write).await.map_err(records::raced)?;
            match next.state {
                BlockState::Left => tally.left += 1,
                BlockState::Wanted | BlockState::Writing | BlockState::There | BlockState::Removing => {
                    tally.again = true
                }
            }
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}

/// Tells the activity what was done.
async fn note(ports: &Ports, task: &Task<'_>, provider: &str, tally: &Tally) -> Result<(), Fault> {
    let Some(text) = tally.told() else { return Ok(()) };
    let id = format!("blocks-{}-{}-{}", task.id, task.held.record.fence, task.now.as_millisecond());
    tell_of(ports, task, provider, (id, Outcome::Processed, text)).await
}

/// Tells the activity, once a day, that the credentials are refused.
async fn refused(ports: &Ports, task: &Task<'_>, provider: &str, reason: &str) -> Result<(), Fault> {
    let id = format!("blocks-refused-{}-{}", task.id, task.now.strftime("%Y-%m-%d"));
    tell_of(ports, task, provider, (id, Outcome::Failed, format!("blocks wait: {reason}"))).await
}

async fn tell_of(
    ports: &Ports,
    task: &Task<'_>,
    provider: &str,
    (id, outcome, text): (String, Outcome, String),
) -> Result<(), Fault> {
    let note = Note { id, provider, topic: "busy", about: task.id, connection: Some(task.id), outcome, text };
    tell(ports, task.committer, task.tenant, note, task.now).await
}
