//! Privacy: lists or erases the data of an account or a person, and leaves a record of it.
//!
//! An account has its entities with their documents, and deliveries that are kept: dead letters, and those that wait for an
//! account to connect. A person has only the latter: entities are products, quantities and payments, whose documents name
//! nobody. The journal has ids of entities and deliveries, and expires by itself.
//!
//! A request is a job, whose record holds its progress. A step that is cut off is repeated, and erased data stays erased.
//! Entities are searched for twice: the second time when no commit can be under way that began before the request.

mod mentions;
mod search;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use self::search::Search;
use super::commit::journal::Journal;
use super::jobs::task::{Runner, Task};
use super::{Ports, erase};
use hooktide_model::envelope::{Delivery, Envelope, EnvelopeKind};
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{Outcome, PrivacyAct};
use hooktide_model::notice::{PrivacyRequest, What};
use hooktide_model::tenant::Tenant;
use hooktide_providers::verified;
use hooktide_store::bodies;
use hooktide_store::ports::Write;
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};
use hooktide_store::records::job::Mark;
use hooktide_store::records::journal::Entry;
use hooktide_store::records::privacy::{self, Done, Found};
use hooktide_store::records::{self, Stored, Upkeep};

/// The job, in the table of jobs.
pub(crate) static RUNNER: Runner =
    Runner { kind: JobKind::named("privacy"), step: |ports, journal, task| Box::pin(step(ports, journal, task)) };

/// How long the record of a request is kept.
const KEPT: Duration = Duration::from_secs(3 * 365 * 24 * 3600);

/// The mark of a request that was accepted.
pub(crate) fn mark(tenant: &Tenant, id: &str, now: Timestamp) -> Mark {
    Mark::asked(tenant, RUNNER.kind.clone(), id, now, now)
}

/// Does the work of a request, or a part of it that fits into one run.
async fn step(ports: &Ports, journal: &Journal, task: Task<'_>) -> Result<(), Fault> {
    let (tenant, id, now) = (task.tenant, task.id, task.now);
    let letter: Option<Stored<DeadLetter>> = records::get(&*ports.table, &Shelf::Privacy.key(tenant, id)).await?;
    let Some(Stored { record: letter, .. }) = letter else { return task.finish(ports).await };
    let begun = records::get::<Done>(&*ports.table, &privacy::key(tenant, id)).await?.map(|stored| stored.record);
    let done = match begun {
        Some(done) if done.done_at.is_some() => done,
        begun => {
            let done = look(ports, journal, &task, &letter, begun).await?;
            if done.done_at.is_none() {
                let due = done.settles_at.filter(|settles_at| *settles_at > now).unwrap_or(now);
                let pause = Duration::try_from(due.duration_since(now)).unwrap_or_default();
                return task.rest(ports, pause).await;
            }
            done
        }
    };
    // The letter names the person or account. From here on it is not read again.
    if let Ok(request) = Envelope::decode(&letter.message) {
        bodies::erase(&request, tenant, &*ports.blobs).await?;
    }
    if done.act != PrivacyAct::Disclose {
        erase::answers(ports, tenant).await?;
    }
    let delete = Write::Delete { key: Shelf::Privacy.key(tenant, id), condition: None };
    let entry = [entry(&done, format!("{id}-done"), done.found, &task)];
    task.finish_in(ports, |end| journal.append(tenant, id, &entry, vec![delete.clone(), end], now)).await
}

/// Continues the search for the data that a letter is about, as far as one run goes, and records the progress, even if it
/// fails.
async fn look(
    ports: &Ports,
    journal: &Journal,
    task: &Task<'_>,
    letter: &DeadLetter,
    begun: Option<Done>,
) -> Result<Done, Fault> {
    let Some((delivery, request)) = request_of(ports, letter).await? else {
        return Err(Fault::failed("a request about personal data does not read as one any more"));
    };
    let mut search = Search::new(ports, task.tenant, letter, (&delivery, &request)).await?;
    let mut done = begun.unwrap_or_else(|| record(letter, &delivery, request.act));
    if done.settles_at.is_some() {
        search.only_entities();
    }
    let mut found = BTreeMap::new();
    let all = search.run(&mut done, &mut found).await;
    tell_others(journal, task, &found, &done).await?;
    for here in found.into_values() {
        done.found += here;
    }
    if matches!(all, Ok(true)) {
        // A commit that was under way may add entities behind the search, so it runs once more when none can be.
        let again = done.settles_at.is_none() && search.erases_entities();
        (done.settles_at, done.done_at) =
            if again { (Some(task.now + erase::SETTLES), None) } else { (done.settles_at, Some(task.now)) };
    }
    let progress = records::put(&privacy::key(task.tenant, task.id), &done, Upkeep::until(task.now + KEPT))?;
    ports.table.write(progress).await.map_err(records::raced)?;
    all.map(|_| done)
}

/// Notes in the activity of other tenants that their letters were erased, since the request is not theirs. A run that ends
/// in between notes nothing.
async fn tell_others(
    journal: &Journal,
    task: &Task<'_>,
    found: &BTreeMap<Tenant, Found>,
    done: &Done,
) -> Result<(), Fault> {
    if done.act == PrivacyAct::Disclose {
        return Ok(());
    }
    let others = found.iter().filter(|(other, found)| *other != task.tenant && **found != Found::default());
    for (other, found) in others {
        // The other tenant may not learn which tenant's request this is.
        let id = format!("{}-erased-{}", task.id, task.held.record.fence);
        let entry = Entry { connection: None, ..entry(done, id, *found, task) };
        journal.append(other, task.id, &[entry], Vec::new(), task.now).await?;
    }
    Ok(())
}

/// The record of a request that is begun.
fn record(letter: &DeadLetter, delivery: &Delivery, act: PrivacyAct) -> Done {
    Done {
        provider: delivery.provider.clone(),
        endpoint: delivery.endpoint.clone(),
        connection: letter.connection.clone(),
        topic: letter.topic.clone(),
        act,
        received_at: letter.received_at,
        done_at: None,
        settles_at: None,
        place: None,
        last: None,
        found: Found::default(),
        listed: Vec::new(),
    }
}

/// The delivery that a letter keeps, and the request in it.
async fn request_of(ports: &Ports, letter: &DeadLetter) -> Result<Option<(Delivery, PrivacyRequest)>, Fault> {
    let Ok(Envelope { kind: EnvelopeKind::Notice(delivery), received_at, .. }) = Envelope::decode(&letter.message)
    else {
        return Ok(None);
    };
    let Some(webhooks) = hooktide_providers::webhooks_by_id(&delivery.provider) else { return Ok(None) };
    let body = bodies::read(&delivery, &*ports.blobs).await?;
    let notices = webhooks.parse(&verified::reopen(&delivery, body, received_at))?;
    let request = notices.into_iter().find_map(|notice| match notice.what {
        What::Privacy(request) => Some(request),
        What::Entity(_) | What::Hint { .. } | What::Ignored { .. } | What::Kept { .. } => None,
    });
    Ok(request.map(|request| (delivery, request)))
}

/// The entry of the activity.
fn entry(done: &Done, id: String, found: Found, task: &Task<'_>) -> Entry {
    let Found { entities, documents, deliveries } = found;
    let reason = match done.act {
        PrivacyAct::Erase => {
            format!("erased: {entities} entities, {documents} documents, {deliveries} kept deliveries")
        }
        PrivacyAct::Disclose => format!("listed: {deliveries} kept deliveries, in the record of the request"),
    };
    Entry {
        id,
        connection: done.connection.clone(),
        provider: done.provider.clone(),
        topic: done.topic.clone(),
        delivery: None,
        outcome: Outcome::Processed,
        reason: Some(reason),
        received_at: done.received_at,
        processed_at: task.now,
        verified_with: None,
        trace: task.envelope.trace().to_owned(),
        change: None,
    }
}
