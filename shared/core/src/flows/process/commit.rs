//! Commit: one transaction for what a batch tells one tenant.
//!
//! Entities, tags, deliveries, job marks and the journal's entry change together or not at all, so there is no moment
//! in which the guard says "done" and the feed does not know. Each write is on the condition that nobody changed the
//! record since it was read; where somebody did, everything is read and sorted again. Documents are put before, keyed
//! by content, and are only found through what the commit says.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::Processor;
use super::fold::{self, Folded, Told, Verdict};
use super::work::{Effect, EntityWork, Work};
use crate::fault::Fault;
use crate::names::{JobKind, Operation, Outcome, Via};
use crate::notice::ContentHash;
use crate::ports::{Cancellation, Condition, Key, TransactFault, Write, WriteFault};
use crate::records::dead_letter::Shelf;
use crate::records::delivery::{self, Delivery, Standing};
use crate::records::document;
use crate::records::endpoint::route_key;
use crate::records::entity::{Entity, EntityId, Journaled};
use crate::records::job::{self, Mark};
use crate::records::journal::{self, Change, Entry};
use crate::records::{self, Stored, tag};
use crate::tenant::Tenant;

/// How often a commit is tried when others change the same records at the same time.
const ATTEMPTS: usize = 12;

/// What a commit did.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// Changes to publish, with the canonical texts of their documents.
    pub(super) changes: Vec<(Entry, Option<Vec<u8>>)>,
    /// Works that have to wait, by the envelope they came in.
    pub(super) waiting: Vec<(usize, Fault)>,
}

/// What is known of everything that a batch touches.
#[derive(Default)]
struct Known {
    entities: HashMap<EntityId, Stored<Entity>>,
    deliveries: HashMap<Key, Stored<Delivery>>,
    marks: HashMap<String, Stored<Mark>>,
}

/// What is to be written, except where in the journal.
#[derive(Default)]
struct Plan<'a> {
    entries: Vec<Entry>,
    entities: Vec<EntityPlan<'a>>,
    writes: Vec<Write>,
    /// Writes of this plan from here on are checks that a held account still has no route.
    routes_absent: Vec<Write>,
    redelivered: Vec<(&'a EntityWork, Journaled)>,
    claims: Vec<(Key, &'a Work)>,
    waiting: Vec<(usize, Fault)>,
}

struct EntityPlan<'a> {
    id: &'a EntityId,
    known: Option<&'a Stored<Entity>>,
    told: Vec<Told>,
    folded: Folded,
    /// The work whose state stands, and its change.
    standing: Option<(&'a EntityWork, Change, usize)>,
}

/// How a try to commit ended.
enum Tried {
    /// It is done.
    Done,
    /// Somebody else changed something at the same time.
    Raced,
    /// An account that was to be held for has been connected.
    Connected,
}

impl Processor {
    /// Commits what works tell a tenant.
    pub(super) async fn commit(&self, tenant: &Tenant, works: &[Work], now: Timestamp) -> Result<Committed, Fault> {
        let mut stored_documents = HashSet::new();
        let mut claims: HashMap<Key, Stored<Delivery>> = HashMap::new();
        for _ in 0..ATTEMPTS {
            let known = self.known(tenant, works).await?;
            let mut plan = plan(tenant, works, &known, &claims, self.settings.keep_held, now)?;
            if self.claim(&plan, &known, &mut claims, now).await? {
                continue;
            }
            let mut committed = Committed { waiting: std::mem::take(&mut plan.waiting), ..Committed::default() };
            for (work, at) in &plan.redelivered {
                committed.changes.extend(self.journaled_change(tenant, work, *at).await?);
            }
            if plan.entries.is_empty() {
                return Ok(committed);
            }
            self.store_documents(tenant, &plan, &mut stored_documents).await?;
            match self.try_commit(tenant, works, &plan, now).await? {
                Tried::Done => {
                    self.let_documents_go(tenant, &plan, now).await;
                    committed.changes.extend(changes(&plan));
                    return Ok(committed);
                }
                Tried::Connected => return Err(Fault::retryable("an account was connected at the same time")),
                Tried::Raced => {}
            }
        }
        Err(Fault::retryable("others change the same records all the time"))
    }

    /// Appends entries to the journal together with `writes`, in one transaction.
    pub(super) async fn journal(
        &self,
        tenant: &Tenant,
        seed: &str,
        entries: &[Entry],
        writes: Vec<Write>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        for _ in 0..ATTEMPTS {
            match self.append(tenant, seed, entries, |_| Ok(writes.clone()), now).await? {
                Tried::Done => return Ok(()),
                Tried::Raced | Tried::Connected => {}
            }
        }
        Err(Fault::retryable("others append to the journal all the time"))
    }

    async fn try_commit(
        &self,
        tenant: &Tenant,
        works: &[Work],
        plan: &Plan<'_>,
        now: Timestamp,
    ) -> Result<Tried, Fault> {
        let seed = works.first().map_or("", Work::envelope_id);
        let writes = |at| plan.writes(tenant, at, now);
        match self.append(tenant, seed, &plan.entries, writes, now).await? {
            Tried::Raced if !plan.routes_absent.is_empty() && self.connected(plan).await? => Ok(Tried::Connected),
            tried => Ok(tried),
        }
    }

    async fn append(
        &self,
        tenant: &Tenant,
        seed: &str,
        entries: &[Entry],
        writes: impl Fn(Journaled) -> Result<Vec<Write>, Fault>,
        now: Timestamp,
    ) -> Result<Tried, Fault> {
        let table = &*self.ports.table;
        let lane = journal::lane_of(seed, self.settings.lanes);
        let head = self.heads.of(table, tenant, lane, now).await?;
        let at = Journaled { lane, position: head.next(now) };
        let mut all = writes(at)?;
        all.extend(journal::append(tenant, lane, &head, entries, self.settings.keep_journal, now)?);
        let result = match (all.len(), all.pop()) {
            // A write on its own costs half of what it costs in a transaction.
            (1, Some(only)) => match table.write(only).await {
                Ok(_) => Ok(()),
                Err(WriteFault::Condition(item)) => Err(TransactFault::Cancelled(vec![Cancellation::Condition(item)])),
                Err(WriteFault::Fault(fault)) => Err(TransactFault::Fault(fault)),
            },
            (_, last) => {
                all.extend(last);
                table.transact(all).await
            }
        };
        match result {
            Ok(()) => {
                self.heads.remember(tenant, lane, at.position, now);
                Ok(Tried::Done)
            }
            Err(TransactFault::Cancelled(_)) => {
                self.heads.forget(tenant, lane);
                Ok(Tried::Raced)
            }
            Err(TransactFault::Fault(fault)) => {
                self.heads.forget(tenant, lane);
                Err(fault)
            }
        }
    }

    /// Reads everything that works touch, in one batch.
    async fn known(&self, tenant: &Tenant, works: &[Work]) -> Result<Known, Fault> {
        let mut wanted: BTreeMap<Key, Place> = BTreeMap::new();
        for work in works {
            match &work.effect {
                Effect::Entity(entity) => {
                    wanted.insert(entity.entity.key(tenant), Place::Entity(entity.entity.clone()));
                }
                Effect::Hint { resource } => {
                    let mark = job::key(tenant, JobKind::Sync, resource);
                    wanted.insert(mark, Place::Mark(resource.clone()));
                    wanted.insert(delivery_key(tenant, work), Place::Delivery);
                }
                Effect::Privacy => {
                    wanted.insert(delivery_key(tenant, work), Place::Delivery);
                }
                Effect::Ignored { .. } | Effect::Hold { .. } => {}
            }
        }
        let keys: Vec<Key> = wanted.keys().cloned().collect();
        let mut known = Known::default();
        if keys.is_empty() {
            return Ok(known);
        }
        let items = self.ports.table.get_many(&keys).await?;
        for ((key, place), item) in wanted.into_iter().zip(items) {
            let Some(item) = item else { continue };
            match place {
                Place::Entity(id) => drop(known.entities.insert(id, records::decode(item)?)),
                Place::Delivery => drop(known.deliveries.insert(key, records::decode(item)?)),
                Place::Mark(resource) => drop(known.marks.insert(resource, records::decode(item)?)),
            }
        }
        Ok(known)
    }

    /// Claims the deliveries whose effect reaches beyond the table; whether anything changed by that.
    async fn claim(
        &self,
        plan: &Plan<'_>,
        known: &Known,
        claims: &mut HashMap<Key, Stored<Delivery>>,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        for (key, work) in &plan.claims {
            let stored = known.deliveries.get(key);
            let (envelope, window) = (work.envelope_id(), work.origin.window);
            match self.ports.table.write(delivery::claim(key, stored, envelope, window, now)?).await {
                Ok(_) => drop(claims.insert(key.clone(), delivery::claimed(stored, envelope, window, now))),
                Err(WriteFault::Condition(_)) => {}
                Err(WriteFault::Fault(fault)) => return Err(fault),
            }
        }
        Ok(!plan.claims.is_empty())
    }

    async fn store_documents(
        &self,
        tenant: &Tenant,
        plan: &Plan<'_>,
        stored: &mut HashSet<(EntityId, ContentHash)>,
    ) -> Result<(), Fault> {
        let mut writes = Vec::new();
        for (work, _, _) in plan.entities.iter().filter_map(|entity| entity.standing.as_ref()) {
            let Some(text) = &work.document else { continue };
            if stored.insert((work.entity.clone(), work.told.hash)) {
                let blobs = &*self.ports.blobs;
                writes.push(document::store(blobs, tenant, &work.entity, work.told.hash, text).await?);
            }
        }
        for result in self.ports.table.write_many(writes).await {
            result.map_err(records::raced)?;
        }
        Ok(())
    }

    /// Lets the documents go that newer ones replaced, when the journal no longer refers to them.
    async fn let_documents_go(&self, tenant: &Tenant, plan: &Plan<'_>, now: Timestamp) {
        let at = now + self.settings.keep_journal;
        let replaced = plan.entities.iter().filter(|entity| entity.standing.is_some()).filter_map(|entity| {
            let known = entity.known.filter(|known| !known.record.deleted)?;
            Some(document::let_go(tenant, entity.id, known.record.content_hash(), at))
        });
        for result in self.ports.table.write_many(replaced.collect()).await {
            // At worst an old document stays for ever.
            if let Err(WriteFault::Fault(fault)) = result {
                warn!(%tenant, %fault, "a replaced document was not let go");
            }
        }
    }

    /// The change that was journaled when a redelivered work was committed, to be published again.
    async fn journaled_change(
        &self,
        tenant: &Tenant,
        work: &EntityWork,
        at: Journaled,
    ) -> Result<Option<(Entry, Option<Vec<u8>>)>, Fault> {
        let entries = journal::at(&*self.ports.table, tenant, at.lane, at.position).await?;
        let entry = journal::find(&entries, &work.told.envelope, &work.entity);
        Ok(entry.map(|entry| (entry.clone(), work.document.clone())))
    }

    async fn connected(&self, plan: &Plan<'_>) -> Result<bool, Fault> {
        for check in &plan.routes_absent {
            if let Write::Check { key, .. } = check
                && self.ports.table.get(key).await?.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

enum Place {
    Entity(EntityId),
    Delivery,
    Mark(String),
}

/// Sorts works against what is known. Pure.
fn plan<'a>(
    tenant: &Tenant,
    works: &'a [Work],
    known: &'a Known,
    claims: &HashMap<Key, Stored<Delivery>>,
    keep_held: Duration,
    now: Timestamp,
) -> Result<Plan<'a>, Fault> {
    let mut plan = Plan::default();
    let mut entities: BTreeMap<&EntityId, Vec<usize>> = BTreeMap::new();
    let mut hints: BTreeMap<&String, u64> = BTreeMap::new();
    let mut settled: HashSet<Key> = HashSet::new();
    let mut kept: HashSet<Key> = HashSet::new();
    for (index, work) in works.iter().enumerate() {
        match &work.effect {
            Effect::Entity(entity) => entities.entry(&entity.entity).or_default().push(index),
            Effect::Ignored { reason } => {
                plan.entries.push(work.entry((Outcome::Ignored, Some(reason.clone())), None, now));
            }
            Effect::Hold { account, letter } => {
                let reason = format!("unknown account {account}; kept until it is connected");
                plan.entries.push(work.entry((Outcome::Ignored, Some(reason)), None, now));
                let shelf = Shelf::Held { endpoint: work.origin.endpoint.clone(), account: account.clone() };
                if kept.insert(shelf.key(tenant, work.envelope_id())) {
                    let until = work.origin.envelope.received_at + keep_held;
                    plan.writes.push(letter.put(tenant, &shelf, work.envelope_id(), until)?);
                }
                let key = route_key(&work.origin.provider, &work.origin.endpoint, account);
                if kept.insert(key.clone()) {
                    plan.routes_absent.push(Write::Check { key, condition: Condition::Absent });
                }
            }
            Effect::Hint { .. } | Effect::Privacy => {
                let key = delivery_key(tenant, work);
                let stored = known.deliveries.get(&key);
                match delivery::standing(stored, work.envelope_id(), now) {
                    Standing::Redelivered => {}
                    _ if settled.contains(&key) => plan.entries.push(repeated(work, now)),
                    Standing::Duplicate => plan.entries.push(repeated(work, now)),
                    standing => {
                        plan.settle(work, key.clone(), stored, standing, claims, &mut hints, now)?;
                        settled.insert(key);
                    }
                }
            }
        }
    }
    for (resource, count) in hints {
        let stored = known.marks.get(resource);
        let mark = job::raised(stored, tenant, JobKind::Sync, resource, count, now);
        plan.writes.push(job::store(stored.map(|stored| stored.rev), &mark)?);
    }
    for (id, indices) in entities {
        plan.entity(id, &indices, works, known.entities.get(id), now);
    }
    Ok(plan)
}

impl<'a> Plan<'a> {
    /// A notice without an entity: settled in this commit, or claimed before it.
    #[expect(clippy::too_many_arguments, reason = "it is one arm of `plan`, which holds all of this")]
    fn settle(
        &mut self,
        work: &'a Work,
        key: Key,
        stored: Option<&Stored<Delivery>>,
        standing: Standing,
        claims: &HashMap<Key, Stored<Delivery>>,
        hints: &mut BTreeMap<&'a String, u64>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        match (&work.effect, claims.get(&key), standing) {
            (Effect::Hint { resource }, _, _) => {
                *hints.entry(resource).or_default() += 1;
                self.writes.push(delivery::settle(&key, stored, work.envelope_id(), work.origin.window, now)?);
                let reason = format!("a sync of {resource} is due");
                self.entries.push(work.entry((Outcome::Waiting, Some(reason)), None, now));
            }
            (_, Some(claim), _) => {
                self.writes.push(delivery::finish(&key, claim)?);
                let reason = "a request about personal data; it waits for its handler".to_owned();
                self.entries.push(work.entry((Outcome::Waiting, Some(reason)), None, now));
            }
            (_, None, Standing::Claimed(until)) => {
                let after = Duration::try_from(until.duration_since(now)).ok();
                let detail = "another processor works on the same delivery".to_owned();
                self.waiting.push((work.envelope, Fault::Retryable { detail, after }));
            }
            (_, None, Standing::Open | Standing::Redelivered | Standing::Duplicate) => self.claims.push((key, work)),
        }
        Ok(())
    }

    /// Everything that a batch tells of one thing.
    fn entity(
        &mut self,
        id: &'a EntityId,
        indices: &[usize],
        works: &'a [Work],
        known: Option<&'a Stored<Entity>>,
        now: Timestamp,
    ) {
        let of: Vec<(&Work, &EntityWork)> = indices
            .iter()
            .filter_map(|index| match &works[*index].effect {
                Effect::Entity(entity) => Some((&works[*index], &**entity)),
                Effect::Hint { .. } | Effect::Privacy | Effect::Ignored { .. } | Effect::Hold { .. } => None,
            })
            .collect();
        let told: Vec<Told> = of.iter().map(|(_, entity)| entity.told.clone()).collect();
        let folded = fold::fold(known.map(|known| &known.record), &told);
        let mut standing = None;
        for ((work, entity), verdict) in of.into_iter().zip(&folded.verdicts) {
            let (became, change) = match verdict {
                Verdict::Stands => {
                    let change = change(entity, folded.operation.unwrap_or(Operation::Updated));
                    standing = Some((entity, change.clone(), self.entries.len()));
                    ((Outcome::Processed, None), Some(change))
                }
                Verdict::Duplicate(reason) => ((Outcome::Duplicate, Some((*reason).to_owned())), None),
                Verdict::Stale(reason) => ((Outcome::Stale, Some((*reason).to_owned())), None),
                Verdict::Redelivered(at) => {
                    self.redelivered.push((entity, *at));
                    continue;
                }
            };
            self.entries.push(work.entry(became, change, now));
        }
        self.entities.push(EntityPlan { id, known, told, folded, standing });
    }

    /// All writes but the journal's own, each of a different item.
    fn writes(&self, tenant: &Tenant, at: Journaled, now: Timestamp) -> Result<Vec<Write>, Fault> {
        let mut writes = self.writes.clone();
        writes.extend(self.routes_absent.iter().cloned());
        let mut tags = Vec::new();
        for plan in &self.entities {
            let known = plan.known.map(|known| &known.record);
            let Some(entity) = fold::entity_after(known, &plan.told, &plan.folded, at, now) else { continue };
            let rev = plan.known.map(|known| known.rev);
            writes.push(records::replace(&plan.id.key(tenant), rev, &entity, records::Upkeep::default())?);
            tags.extend(tag::collections(plan.id));
        }
        tags.sort();
        tags.dedup();
        writes.extend(tags.iter().map(|name| tag::raise(tenant, name)));
        Ok(writes)
    }
}

/// The changes of a plan that was committed, with their documents.
fn changes(plan: &Plan<'_>) -> Vec<(Entry, Option<Vec<u8>>)> {
    let standing = plan.entities.iter().filter_map(|entity| entity.standing.as_ref());
    standing.map(|(work, _, index)| (plan.entries[*index].clone(), work.document.clone())).collect()
}

fn change(work: &EntityWork, op: Operation) -> Change {
    Change {
        kind: work.entity.kind,
        entity: work.entity.id.clone(),
        op,
        version: work.told.version,
        document: work.document.is_some().then(|| work.told.hash.to_hex()),
        occurred_at: work.notice.occurred_at,
        via: Via::Webhook,
    }
}

fn repeated(work: &Work, now: Timestamp) -> Entry {
    work.entry((Outcome::Duplicate, Some("the same delivery was processed before".into())), None, now)
}

fn delivery_key(tenant: &Tenant, work: &Work) -> Key {
    let part = match &work.effect {
        Effect::Hint { resource } => resource,
        Effect::Privacy | Effect::Entity(_) | Effect::Ignored { .. } | Effect::Hold { .. } => "privacy",
    };
    delivery::key(tenant, work.identity, part)
}
