//! Invariants, whatever went wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use hooktide_flows::feed::{self, Cursor, FeedFault};
use hooktide_flows::jobs::due;
use hooktide_flows::{Ports, replay};
use hooktide_model::envelope::Envelope;
use hooktide_model::fault::ErrorClass;
use hooktide_model::names::{Channel, Kind, Outcome};
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};
use hooktide_store::records::document;
use hooktide_store::records::entity::{Entity, EntityId, MOST};
use hooktide_store::records::journal::{self, Entry};
use hooktide_store::records::replay::{Filter, Replay};
use hooktide_store::records::{self, tag};

use super::actors::Actor;
use super::ties;
use super::world::{Tells, World};

/// More letters than a run makes.
const MANY: usize = 100_000;

/// The current journal of a tenant: each entry with its lane and position.
fn journal_of(world: &World, shop: usize) -> Vec<(u8, u64, Entry)> {
    journal_of_tenant(world, &world.shops[shop].tenant)
}

fn journal_of_tenant(world: &World, tenant: &Tenant) -> Vec<(u8, u64, Entry)> {
    let mut all = Vec::new();
    for lane in 0..world.settings.lanes {
        let mut from = 0;
        loop {
            let read = journal::read(&*world.table, tenant, lane, from, 100).now_or_never().expect("ready");
            let (positions, more) = read.expect("the journal reads");
            for read in &positions {
                all.extend(read.entries.iter().cloned().map(|entry| (lane, read.position, entry)));
            }
            match positions.last() {
                Some(last) if more => from = last.position + 1,
                _ => break,
            }
        }
    }
    all
}

/// Checks the invariants that hold at any moment, and describes each one that is broken.
pub fn at_any_time(world: &World) -> Vec<String> {
    let mut broken = Vec::new();
    for shop in 0..world.shops.len() {
        let journal = journal_of(world, shop);
        changes_are_journaled_once(world, shop, &journal, &mut broken);
        tags_count_the_commits(world, shop, &journal, &mut broken);
        entities_are_what_was_journaled(world, shop, &journal, &mut broken);
    }
    broken
}

/// Checks the invariants that hold once all work has ended.
pub fn at_the_end(world: &World) -> Vec<String> {
    let mut broken = at_any_time(world);
    let ledger = world.ledger();
    let mut traces: BTreeSet<String> = BTreeSet::new();
    let mut deliveries: BTreeSet<String> = BTreeSet::new();
    for shop in 0..world.shops.len() {
        let journal = journal_of(world, shop);
        // A failed try is not the end of a delivery.
        let ends = journal.iter().filter(|(_, _, entry)| entry.outcome != Outcome::Failed);
        traces.extend(ends.map(|(_, _, entry)| entry.trace.clone()));
        deliveries.extend(journal.iter().filter_map(|(_, _, entry)| entry.delivery.clone()));
        the_bus_heard_of_every_change(world, shop, &journal, &mut broken);
        nothing_is_dead_and_processed(world, shop, &journal, &mut broken);
        requests_about_personal_data_are_settled_once(world, shop, &journal, &mut broken);
        newest_stands(world, shop, &ledger.accepted, &mut broken);
        ties::the_last_told_stands(world, shop, &ledger, &journal, &mut broken);
    }
    for (trace, accepted) in &ledger.accepted {
        if !traces.contains(trace) {
            broken.push(format!("accepted is journaled: {trace} of {:?} is nowhere", accepted.tells));
        }
    }
    for refused in ledger.refused.intersection(&deliveries) {
        broken.push(format!("refused leaves no trace: {refused} is in the journal"));
    }
    drop(ledger);
    readers_missed_nothing(world, &mut broken);
    readers_saw_each_entity_in_its_order(world, &mut broken);
    absent_is_not_removed(world, &mut broken);
    broken
}

fn changes_are_journaled_once(world: &World, shop: usize, journal: &[(u8, u64, Entry)], broken: &mut Vec<String>) {
    let tenant = &world.shops[shop].tenant;
    let mut ids = BTreeMap::new();
    let mut states = BTreeMap::new();
    for (lane, position, entry) in journal {
        let Some(change) = &entry.change else { continue };
        if let Some(before) = ids.insert(entry.id.clone(), (lane, position)) {
            broken.push(format!(
                "a change is journaled once: {} of {tenant} at {before:?} and {lane} {position}",
                entry.id
            ));
        }
        let state = (change.entity.clone(), change.version.0, change.document.clone());
        if let Some(before) = states.insert(state, entry.id.clone()) {
            broken
                .push(format!("a state is journaled once: {} of {tenant} by {before} and {}", change.entity, entry.id));
        }
    }
}

fn tags_count_the_commits(world: &World, shop: usize, journal: &[(u8, u64, Entry)], broken: &mut Vec<String>) {
    let of = &world.shops[shop];
    let commits: BTreeSet<(u8, u64)> = journal
        .iter()
        .filter(|(_, _, entry)| entry.change.as_ref().is_some_and(|change| change.kind == Kind::Product))
        .map(|(lane, position, _)| (*lane, *position))
        .collect();
    let tags = ["products".to_owned(), tag::prefix(Kind::Product, &of.connection)];
    let versions = tag::versions(&*world.table, &of.tenant, &tags, world.settings.lanes);
    let versions = versions.now_or_never().expect("ready").expect("tags read");
    for (tag, version) in tags.iter().zip(versions) {
        if version != commits.len() as u64 {
            let tenant = &of.tenant;
            broken.push(format!(
                "tags count the commits: {tag} of {tenant} is {version}, and there are {}",
                commits.len()
            ));
        }
    }
}

pub(super) fn entity(world: &World, shop: usize, id: &str) -> Option<Entity> {
    let of = &world.shops[shop];
    let id = EntityId { kind: Kind::Product, connection: of.connection.clone(), id: id.to_owned() };
    let read = records::get::<Entity>(&*world.table, &id.key(&of.tenant)).now_or_never().expect("ready");
    read.expect("an entity reads").map(|stored| stored.record)
}

fn entities_are_what_was_journaled(world: &World, shop: usize, journal: &[(u8, u64, Entry)], broken: &mut Vec<String>) {
    let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
    for change in journal.iter().filter_map(|(_, _, entry)| entry.change.as_ref()) {
        let version = newest.entry(&change.entity).or_insert(i64::MIN);
        *version = change.version.0.max(*version);
    }
    for (id, version) in newest {
        let stands = entity(world, shop, id).map(|entity| entity.version.0);
        if stands != Some(version) {
            let tenant = &world.shops[shop].tenant;
            broken.push(format!(
                "entities are what was journaled: {id} of {tenant} is at {stands:?}, journaled is {version}"
            ));
        }
    }
    for (_, _, entry) in journal {
        let Some(wanted) = entry.document() else { continue };
        let stands = entity(world, shop, &wanted.entity.id).map(|entity| entity.document_hash());
        let (table, blobs, tenant) = (&*world.table, &*world.ports.blobs, &world.shops[shop].tenant);
        if stands == Some(wanted.hash) {
            let load = document::load(table, blobs, tenant, std::slice::from_ref(&wanted));
            let found = load.now_or_never().expect("ready").expect("a document reads").pop().flatten();
            if found.is_none() {
                broken.push(format!("what stands has its document: {} of {tenant} has none", wanted.entity));
            }
        }
    }
}

/// The newest accepted version is current, unless the entity was deleted.
fn newest_stands(
    world: &World,
    shop: usize,
    accepted: &BTreeMap<String, super::world::Accepted>,
    broken: &mut Vec<String>,
) {
    let mut newest: BTreeMap<u64, i64> = BTreeMap::new();
    for one in accepted.values().filter(|one| one.shop == shop) {
        match one.tells {
            Tells::Update(number, version, _) => {
                let newest = newest.entry(number).or_insert(i64::MIN);
                *newest = version.max(*newest);
            }
            Tells::Delete(number) => drop(newest.insert(number, i64::MAX)),
            Tells::Hint | Tells::Privacy | Tells::Unreadable | Tells::Tampered => {}
        }
    }
    for (number, version) in newest {
        let sample = world.deliver(shop, Tells::Delete(number));
        let body: serde_json::Value = serde_json::from_slice(sample.request.body()).expect("a sample");
        let stands = entity(world, shop, &body["id"].to_string()).map(|entity| entity.version.0);
        if stands.is_none_or(|stands| stands < version) {
            let tenant = &world.shops[shop].tenant;
            let told = |tells: Tells| matches!(tells, Tells::Update(of, at, _) if (of, at) == (number, version));
            let newest = accepted.iter().filter(|(_, one)| one.shop == shop && told(one.tells));
            let traces: Vec<&String> = newest.map(|(trace, _)| trace).collect();
            let journal = journal_of(world, shop).into_iter().filter(|(_, _, entry)| traces.contains(&&entry.trace));
            let became: Vec<_> = journal.map(|(_, _, entry)| (entry.id, entry.outcome, entry.reason)).collect();
            broken.push(format!(
                "entities hold the newest: thing {number} of {tenant} is at {stands:?}, accepted was {version}: {became:?}"
            ));
        }
    }
}

fn the_bus_heard_of_every_change(world: &World, shop: usize, journal: &[(u8, u64, Entry)], broken: &mut Vec<String>) {
    let tenant = world.shops[shop].tenant.as_str();
    for (_, _, entry) in journal {
        let Some(change) = &entry.change else { continue };
        let untold = |channel: &&Channel| world.bus.told(tenant, **channel, &entry.id) == 0;
        let Some(channel) = change.kind.channels().iter().find(untold) else { continue };
        let is_newer = |other: &Entry| {
            let of = other.change.as_ref().filter(|of| of.entity == change.entity);
            of.is_some_and(|of| (of.version, other.received_at) > (change.version, entry.received_at))
        };
        let newer = journal.iter().filter(|(_, _, other)| is_newer(other)).count();
        // The memory of an entity is bounded (docs/adr/0002).
        if newer >= MOST {
            world.scheduler.note("bound: overtaken by too many newer states to be told", "");
        } else {
            broken.push(format!("the bus hears of every change: not of {} on {channel}, {newer} are newer", entry.id));
        }
    }
}

fn nothing_is_dead_and_processed(world: &World, shop: usize, journal: &[(u8, u64, Entry)], broken: &mut Vec<String>) {
    let tenant = &world.shops[shop].tenant;
    let partition = Partition::of(tenant, Area::DeadLetters);
    let letters = records::list_all::<DeadLetter>(&*world.table, partition, "", MANY).now_or_never().expect("ready");
    for (id, letter) in letters.expect("letters read") {
        let envelope = Envelope::decode(&letter.record.message).map(|envelope| envelope.id);
        let id = envelope.unwrap_or(id);
        let processed = journal.iter().find(|(_, _, entry)| {
            entry.id.starts_with(&id) && matches!(entry.outcome, Outcome::Processed | Outcome::Waiting)
        });
        match processed {
            // The queue counts receives and knows nothing of commits (docs/adr/0002).
            Some(_) if letter.record.class == ErrorClass::QueueGaveUp => {
                world.scheduler.note("bound: given up by the queue after its commit", "");
            }
            Some((_, _, entry)) => broken.push(format!("nothing is both dead and processed: {}", entry.id)),
            None => {}
        }
    }
}

fn requests_about_personal_data_are_settled_once(
    world: &World,
    shop: usize,
    journal: &[(u8, u64, Entry)],
    broken: &mut Vec<String>,
) {
    let tenant = &world.shops[shop].tenant;
    let mut settled = BTreeMap::new();
    for (_, _, entry) in journal {
        let waits = entry.outcome == Outcome::Waiting && entry.topic.as_deref() == Some("customers/redact");
        if waits && let Some(before) = settled.insert(entry.delivery.clone(), entry.id.clone()) {
            broken.push(format!(
                "a claim has one holder: {:?} of {tenant} is settled by {before} and {}",
                entry.delivery, entry.id
            ));
        }
    }
}

fn readers_saw_each_entity_in_its_order(world: &World, broken: &mut Vec<String>) {
    for (number, (_, seen)) in &world.ledger().seen {
        let name = "each entity's changes are read in their order";
        broken.extend(seen.disordered.iter().map(|what| format!("{name}: reader {number}: {what}")));
    }
}

/// No endpoint is ever removed here.
fn absent_is_not_removed(world: &World, broken: &mut Vec<String>) {
    let system = Tenant::system();
    for tenant in world.shops.iter().map(|shop| &shop.tenant).chain([&system]) {
        for (_, _, entry) in journal_of_tenant(world, tenant) {
            if entry.reason.as_deref() == Some("the connection was removed") {
                broken.push(format!("absent is not removed: {} of {tenant} was ignored", entry.id));
            }
        }
    }
}

fn readers_missed_nothing(world: &World, broken: &mut Vec<String>) {
    for (number, (shop, seen)) in &world.ledger().seen {
        if seen.is_expired {
            broken
                .push(format!("no reader misses a change: the cursor of reader {number}, which never rested, expired"));
        }
        let journal = journal_of(world, *shop);
        let changes: BTreeMap<&String, (u8, u64)> = journal
            .iter()
            .filter(|(_, _, entry)| entry.change.is_some())
            .map(|(lane, position, entry)| (&entry.id, (*lane, *position)))
            .collect();
        for (id, (lane, position)) in &changes {
            if !seen.changes.contains(*id) {
                broken.push(format!("no reader misses a change: reader {number} not {id} at {lane} {position}"));
            }
        }
        for id in seen.changes.iter().filter(|id| !changes.contains_key(id)) {
            broken.push(format!("a reader sees only its own: reader {number} saw {id}"));
        }
    }
}

/// Runs the sweeper and the readers when nothing else happens any more, and returns how much there was to do.
pub fn sweep_and_read(world: &Arc<World>, actors: &[(Actor, Option<super::scheduler::Activity>)]) -> usize {
    let ports =
        Ports { table: Arc::clone(&world.table), queue: Arc::new(Direct(world.queue.clone())), ..world.ports.clone() };
    // A lost job is seen as such only a minute after it was due, a deferred message within the hour.
    let later = world.scheduler.now() + Duration::from_secs(3600);
    let mut done = due::deferred(&ports, later).now_or_never().expect("ready").expect("deferred messages are sent");
    done += due::jobs(&ports, later).now_or_never().expect("ready").expect("lost jobs are sent");
    if done > 0 {
        world.scheduler.advance(Duration::from_secs(3600));
        world.sync_clock();
        return done;
    }
    let replayed = replay_what_was_absent(world, &ports);
    if replayed > 0 {
        return replayed;
    }
    for (actor, _) in actors {
        let Actor::Reader { number, shop, cursor } = actor else { continue };
        let mut place: Cursor = cursor.lock().expect("one thread only").clone();
        let tenant = &world.shops[*shop].tenant;
        loop {
            let (keep, now) = (world.settings.keep_journal, world.scheduler.now());
            let reading = feed::read(&*world.table, tenant, &place, 100, keep, now).now_or_never().expect("ready");
            let reading = match reading {
                Err(FeedFault::Expired) => {
                    world.ledger().reader(*number, *shop).is_expired = true;
                    break;
                }
                reading => reading.expect("the feed reads"),
            };
            let flawed = world.mutation == Some(super::mutations::Mutation::CursorFromTheClock);
            let mut ledger = world.ledger();
            let seen = ledger.reader(*number, *shop);
            let new = reading.items.iter().filter(|item| item.entry.change.is_some() && !flawed);
            new.for_each(|item| seen.see(item, tenant, &world.observed));
            place = reading.next;
            if !reading.more {
                break;
            }
        }
        *cursor.lock().expect("one thread only") = place;
    }
    0
}

/// Brings the endpoints back and replays the letters that came while they were absent; returns their number.
fn replay_what_was_absent(world: &World, ports: &Ports) -> usize {
    let (mut found, now) = (0, world.scheduler.now());
    let filter = Filter { class: Some(ErrorClass::EndpointMissing), ..Filter::default() };
    for tenant in world.shops.iter().map(|shop| &shop.tenant).chain([&Tenant::system()]) {
        let count = replay::count(ports, tenant, &Shelf::Dead, &filter, MANY).now_or_never().expect("ready");
        let count = count.expect("letters are counted");
        if count == 0 {
            continue;
        }
        found += usize::try_from(count).expect("few");
        let replay = Replay {
            shelf: Shelf::Dead,
            filter: filter.clone(),
            rate_per_second: 1_000,
            started_at: now,
            after: None,
            sent: 0,
            finished_at: None,
        };
        let id = world.ports.entropy.time_ordered_id(now);
        let started = replay::start(ports, tenant, &id, &replay, now).now_or_never().expect("ready");
        started.expect("a replay starts");
    }
    found
}

/// The queue without its gate.
struct Direct(super::queue::ModelQueue);

#[async_trait::async_trait]
impl hooktide_store::ports::Queue for Direct {
    async fn send(
        &self,
        messages: Vec<hooktide_store::ports::Outgoing>,
    ) -> Vec<Result<(), hooktide_model::fault::Fault>> {
        let count = messages.len();
        messages.into_iter().for_each(|message| self.0.put(message));
        vec![Ok(()); count]
    }
}
