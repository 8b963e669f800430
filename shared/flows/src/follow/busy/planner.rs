//! The job that finds out which blocks there should be: it looks at the events that changed, or each night at all of them, and
//! writes down what is to be made, moved and removed, before anybody is called. Where a connection is deleted or becomes another
//! person's, it first lets all of its blocks go.

use std::time::Duration;

use super::look::{Found, Look};
use super::person::{self, Person};
use super::{choose, parting, room};
use crate::Ports;
use crate::connect::Context;
use crate::jobs::hold::Next;
use crate::jobs::task::{Runner, Task};
use crate::sync::nightly;
use crate::told::{Note, tell};
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{MarkReason, Outcome};
use hooktide_store::records::block::{self, Block, CalendarId};
use hooktide_store::records::calendars::{Crowd, Progress};

/// The job's kind. Its resource is the connection whose events changed.
pub(crate) const BUSY: JobKind = JobKind::named("busy");

/// The time between two nights.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long after its time a night's look may begin.
const NIGHT_LOOK: Duration = Duration::from_secs(120);

/// The job in the table of jobs.
pub(crate) static RUNNER: Runner = Runner { kind: BUSY, step: |ports, _, task| Box::pin(step(ports, task)) };

/// Looks at the events of a connection that changed, or at all of them.
async fn step(ports: &Ports, task: Task<'_>) -> Result<(), Fault> {
    if !parting::go_on((ports, task.tenant), task.id, task.is_over, task.now).await? {
        return task.rest(ports, Duration::ZERO).await;
    }
    let person = Person::of(ports, task.tenant, task.id).await?;
    let connection = person::connection(ports, task.tenant, task.id).await?;
    let (Some(person), Some(connection)) = (person, connection) else { return task.finish(ports).await };
    // The connection became another person's, and whoever changed it did not come to the end.
    if connection.user().unwrap_or_default() != person.user {
        let context = Context { ports, settings: task.settings, tenant: task.tenant, now: task.now };
        choose::follow(context, &connection).await?;
        return task.rest(ports, Duration::ZERO).await;
    }
    let (subject, found) = ((&person, task.id), Found::Left(Vec::new()));
    let mut look = Look::new((ports, task.tenant), subject, found, task.is_over, task.now).await?;
    let mark = &task.held.record;
    let next = nightly(&format!("busy/{}", task.id), task.now);
    // What changed right when the night's look was due does not take its place.
    let is_night = mark.reasons.contains_key(&MarkReason::Nightly) && next - DAY + NIGHT_LOOK > task.now;
    let cut_off = look.progress().await?;
    // A look at everything that was cut off goes on until its end, whatever the time is by then; one of another job begins anew.
    let named = mark.named().filter(|_| !is_night && cut_off.is_none());
    let begun = cut_off.filter(|progress| progress.job == mark.first_hint_at);
    let begun = begun.unwrap_or(Progress { job: mark.first_hint_at, ..Progress::default() });
    let told = begun.crowded.clone();
    let ended = match named {
        None => look.at_everything(begun).await,
        Some(entities) => look.at(entities).await.map(|()| true),
    };
    // What is written down is done, also where the look was cut off.
    for lies_in in look.wake().await? {
        parting::again((ports, task.tenant), &lies_in, &person.user, task.now).await?;
    }
    if let Found::Left(left) = &look.found {
        for block in left {
            tell_of(ports, &task, block).await?;
        }
    }
    for crowd in look.crowded().difference(&told) {
        tell_of_crowd(ports, &task, crowd).await?;
    }
    if !ended? {
        return task.rest(ports, Duration::ZERO).await;
    }
    match person.choices.iter().any(|choices| choices.connection == task.id && choices.are_blocking()) {
        true => task.end(ports, Next::Scheduled(next, MarkReason::Nightly)).await.map(drop),
        false => task.finish(ports).await,
    }
}

/// Tells the activity, once a day, of a calendar whose events make more blocks than there is room for.
async fn tell_of_crowd(ports: &Ports, task: &Task<'_>, crowd: &Crowd) -> Result<(), Fault> {
    let Crowd { calendar, lies_in } = crowd;
    let from = CalendarId { connection: task.id.to_owned(), calendar: calendar.clone() };
    let note = Note {
        id: format!("crowded-{}{}", block::prefix_of(lies_in, &from, ""), task.now.strftime("%Y-%m-%d")),
        provider: "hooktide",
        topic: "busy",
        about: calendar,
        connection: Some(task.id),
        outcome: Outcome::Failed,
        text: format!("blocks: {}", room::told(lies_in)),
    };
    tell(ports, task.committer, task.tenant, note, task.now).await
}

/// Tells the activity of a block that is left alone.
async fn tell_of(ports: &Ports, task: &Task<'_>, block: &Block) -> Result<(), Fault> {
    let CalendarId { connection, calendar } = &block.lies_in;
    let note = Note {
        id: format!("left-{}-{}", block.key(task.tenant), block.written_at),
        provider: "hooktide",
        topic: "busy",
        about: calendar,
        connection: Some(connection),
        outcome: Outcome::Ignored,
        text: format!("{} to {}: {}", block.start, block.end, block.reason.as_deref().unwrap_or_default()),
    };
    tell(ports, task.committer, task.tenant, note, task.now).await
}
