//! Plan: what a batch is to change, sorted against what is known. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::fold::{self, Folded, Judged, Told, Verdict};
use super::work::{Effect, EntityWork, Unclaimed, Work};
use crate::{Settings, privacy};
use hooktide_model::envelope;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{MarkReason, Operation, Outcome, Via};
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Key, Write};
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};
use hooktide_store::records::delivery::{self, Delivery};
use hooktide_store::records::endpoint::{self, Belonging, Handshake};
use hooktide_store::records::entity::{Entity, EntityId, Journaled};
use hooktide_store::records::job::{self, Mark, Raise};
use hooktide_store::records::journal::{Change, Entry};
use hooktide_store::records::{self, Stored, tag};

/// How long a request about personal data is kept, done or not: beyond every provider's time for it.
const PRIVACY: Duration = Duration::from_secs(90 * 24 * 3600);

/// What is known of everything that a batch touches.
#[derive(Default)]
pub(super) struct Known {
    pub(super) entities: HashMap<EntityId, Stored<Entity>>,
    pub(super) deliveries: HashMap<Key, Stored<Delivery>>,
    pub(super) marks: HashMap<String, Stored<Mark>>,
    /// The resources whose marks were looked up, whether they have one or not.
    pub(super) marked: HashSet<String>,
    pub(super) belongings: HashMap<Key, Stored<Belonging>>,
    pub(super) handshakes: HashMap<Key, Stored<Handshake>>,
    /// What is kept already for accounts that nobody has connected.
    pub(super) held: HashSet<Key>,
    /// Works that touch a record which cannot be read, by their place in the batch.
    pub(super) unreadable: HashMap<usize, Fault>,
}

/// What is to be written, except where in the journal.
#[derive(Default)]
pub(super) struct Plan<'a> {
    pub(super) entries: Vec<Entry>,
    pub(super) entities: Vec<EntityPlan<'a>>,
    pub(super) writes: Vec<Write>,
    /// The records that show the accounts of held deliveries to be unclaimed: checked in the commit.
    pub(super) unclaimed: Vec<&'a Unclaimed>,
    pub(super) redelivered: Vec<(&'a Work, Journaled)>,
    pub(super) claims: Vec<(Key, &'a Work)>,
    pub(super) waiting: Vec<(usize, Fault)>,
    /// Requests about personal data that can be done once this is committed, by their envelopes.
    privacy: Vec<&'a str>,
    /// Resources that have to be synced and whose marks were not looked up, with the places of the works that say so.
    pub(super) unmarked: BTreeMap<String, Vec<usize>>,
    /// The marks whose jobs are announced once this is committed.
    pub(super) raised: Vec<Mark>,
    /// How many hints there are for each reason, at each resource that has to be synced.
    hints: BTreeMap<String, BTreeMap<MarkReason, u64>>,
}

pub(super) struct EntityPlan<'a> {
    pub(super) id: &'a EntityId,
    pub(super) known: Option<&'a Stored<Entity>>,
    pub(super) told: Vec<Told>,
    pub(super) folded: Folded,
    /// How long its deliveries are remembered.
    window: Duration,
    pub(super) standing: Option<Standing<'a>>,
}

/// The work whose state stands.
pub(super) struct Standing<'a> {
    pub(super) work: &'a EntityWork,
    /// Its place among the plan's entries.
    entry: usize,
    /// Its document, compressed.
    compressed: Option<Vec<u8>>,
    /// Whether the document has room in the entity.
    inline: bool,
}

impl Standing<'_> {
    /// The compressed document that has to be stored on its own.
    pub(super) fn document(&self) -> Option<&[u8]> {
        self.compressed.as_deref().filter(|_| !self.inline)
    }
}

impl EntityPlan<'_> {
    /// The entity after the commit, without its document.
    fn after(&self, at: Journaled, now: Timestamp) -> Option<Entity> {
        let known = self.known.map(|known| &known.record);
        fold::entity_after(known, &self.told, &self.folded, at, self.window, now)
    }

    /// The revision that the commit writes.
    fn next_rev(&self) -> u64 {
        self.known.map_or(1, |known| known.rev + 1)
    }
}

/// Sorts works against what is known. Pure.
pub(super) fn plan<'a>(
    tenant: &Tenant,
    works: &'a [Work],
    known: &'a Known,
    claims: &HashMap<Key, Stored<Delivery>>,
    settings: &Settings,
    now: Timestamp,
) -> Result<Plan<'a>, Fault> {
    let mut plan = Plan::default();
    let mut entities: BTreeMap<&EntityId, Vec<usize>> = BTreeMap::new();
    let mut belongings: HashMap<&Key, &String> = HashMap::new();
    let mut settled: HashSet<Key> = HashSet::new();
    let mut kept: HashSet<Key> = HashSet::new();
    let mut handshakes: BTreeMap<Key, Handshake> = BTreeMap::new();
    for (index, work) in works.iter().enumerate() {
        if let Some(fault) = known.unreadable.get(&index) {
            plan.waiting.push((work.envelope, fault.clone()));
            continue;
        }
        match &work.effect {
            Effect::Entity(entity) => {
                if plan.belongs(entity, known, &mut belongings)? {
                    entities.entry(&entity.entity).or_default().push(index);
                } else {
                    let reason = "the thing belongs to another account of this endpoint".to_owned();
                    plan.entries.push(work.entry(Outcome::Ignored, Some(reason), now));
                }
            }
            Effect::Ignored { reason } => {
                plan.entries.push(work.entry(Outcome::Ignored, Some(reason.clone()), now));
            }
            Effect::Handshake { code } => {
                let key = endpoint::handshake_key(&work.origin.provider, &work.origin.endpoint);
                let handshake = Handshake::new(code, work.origin.received_at);
                let all = match handshakes.remove(&key) {
                    Some(others) => others.and(handshake),
                    None => handshake,
                };
                handshakes.insert(key, all);
                let reason = format!("the verification code is {code}; enter it at the provider");
                plan.entries.push(work.entry(Outcome::Processed, Some(reason), now));
            }
            Effect::Hold { account, letter, unclaimed } => {
                let shelf = held_shelf(work, account);
                let held = shelf.key(tenant, work.envelope_id());
                // One letter for all that an envelope tells of an account. Where it is kept already, the queue delivered the
                // envelope again, or there was more than fits into one transaction.
                if known.held.contains(&held) || !kept.insert(held) {
                    continue;
                }
                let reason = format!("unknown account {account}; kept until it is connected");
                // An id of its own: when the account connects, the delivery is told of again, and not as a repeat.
                let entry = work.entry(Outcome::Ignored, Some(reason), now);
                plan.entries.push(Entry { id: format!("{}-held", entry.id), ..entry });
                let until = records::kept_until(work.origin.received_at, now, settings.keep_held);
                let letter = DeadLetter { account: Some(account.clone()), dead_at: now, ..(**letter).clone() };
                plan.writes.push(letter.put(tenant, &shelf, work.envelope_id(), until)?);
                if kept.insert(unclaimed.key.clone()) {
                    plan.unclaimed.push(unclaimed);
                }
            }
            Effect::Hint { .. } | Effect::Privacy { .. } => {
                let key = delivery_key(tenant, work);
                let stored = known.deliveries.get(&key);
                match delivery::standing(stored, work.envelope_id(), now) {
                    delivery::Standing::Redelivered => {}
                    _ if settled.contains(&key) => plan.entries.push(repeated(work, now)),
                    delivery::Standing::Duplicate => plan.entries.push(repeated(work, now)),
                    standing => {
                        plan.settle(tenant, work, key.clone(), stored, standing, claims, now)?;
                        settled.insert(key);
                    }
                }
            }
        }
    }
    for (key, handshake) in handshakes {
        let stored = known.handshakes.get(&key);
        let all = stored.map_or_else(|| handshake.clone(), |stored| stored.record.clone().and(handshake.clone()));
        if stored.is_none_or(|stored| stored.record != all) {
            let read = stored.map(|stored| stored.rev);
            plan.writes.push(records::replace(&key, read, &all, records::Upkeep::default())?);
        }
    }
    for (id, indices) in entities {
        plan.entity(tenant, id, &indices, works, known, now)?;
    }
    for (resource, reasons) in &plan.hints {
        let stored = known.marks.get(resource);
        let raise = Raise { tenant, job: JobKind::SYNC, resource, reasons };
        let mark = job::raised(stored, &raise, settings.debounce, now);
        plan.writes.push(job::store(stored.map(|stored| stored.rev), &mark)?);
        plan.raised.extend(Some(mark).filter(|mark| mark.is_news(stored.map(|stored| &stored.record))));
    }
    Ok(plan)
}

impl<'a> Plan<'a> {
    /// A notice without an entity: settled in this commit, or claimed before it.
    #[expect(clippy::too_many_arguments, reason = "it is one arm of `plan`, which holds all of this")]
    fn settle(
        &mut self,
        tenant: &Tenant,
        work: &'a Work,
        key: Key,
        stored: Option<&Stored<Delivery>>,
        standing: delivery::Standing,
        claims: &HashMap<Key, Stored<Delivery>>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        match (&work.effect, claims.get(&key), standing) {
            (Effect::Hint { resource, reason }, _, _) => {
                self.hint(resource, *reason);
                self.writes.push(delivery::settle(&key, stored, work.envelope_id(), work.origin.window, now)?);
                let reason = format!("a sync of {resource} is due");
                self.entries.push(work.entry(Outcome::Waiting, Some(reason), now));
            }
            (effect, Some(claim), _) => {
                self.writes.push(delivery::finish(&key, claim)?);
                if let Effect::Privacy { request } = effect {
                    let (id, until) = (work.envelope_id(), records::kept_until(request.received_at, now, PRIVACY));
                    if !self.privacy.contains(&id) {
                        self.writes.push(request.put(tenant, &Shelf::Privacy, id, until)?);
                        let mark = privacy::mark(tenant, id, now);
                        self.writes.push(job::store(None, &mark)?);
                        self.raised.push(mark);
                        self.privacy.push(id);
                    }
                }
                let reason = "a request about personal data; it is being done".to_owned();
                self.entries.push(work.entry(Outcome::Waiting, Some(reason), now));
            }
            (_, None, delivery::Standing::Claimed(until)) => {
                let after = Duration::try_from(until.duration_since(now)).ok();
                let detail = "another processor works on the same delivery".to_owned();
                self.waiting.push((work.envelope, Fault::Retryable { detail, after }));
            }
            (_, None, delivery::Standing::Open | delivery::Standing::Redelivered | delivery::Standing::Duplicate) => {
                self.claims.push((key, work))
            }
        }
        Ok(())
    }

    fn hint(&mut self, resource: &str, reason: MarkReason) {
        *self.hints.entry(resource.to_owned()).or_default().entry(reason).or_default() += 1;
    }

    /// Whether a thing belongs to the account that it was told of for; if it belongs to nobody yet, it does now.
    fn belongs(
        &mut self,
        work: &'a EntityWork,
        known: &'a Known,
        belongings: &mut HashMap<&'a Key, &'a String>,
    ) -> Result<bool, Fault> {
        let Some((key, account)) = &work.belonging else { return Ok(true) };
        let owner = known.belongings.get(key).map(|stored| &stored.record.account);
        if let Some(owner) = owner.or(belongings.get(key).copied()) {
            return Ok(owner == account);
        }
        belongings.insert(key, account);
        let belonging = Belonging { account: account.clone() };
        self.writes.push(records::insert(key, &belonging, records::Upkeep::default())?);
        Ok(true)
    }

    /// Everything that a batch tells of one entity.
    fn entity(
        &mut self,
        tenant: &Tenant,
        id: &'a EntityId,
        indices: &[usize],
        works: &'a [Work],
        known: &'a Known,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let of: Vec<(usize, &EntityWork)> =
            indices.iter().filter_map(|index| Some((*index, works[*index].entity()?))).collect();
        let told: Vec<Told> = of.iter().map(|(_, entity)| entity.told(now)).collect();
        let window = indices.iter().map(|index| works[*index].origin.window).max().unwrap_or_default();
        let marked = &known.marked;
        let known = known.entities.get(id);
        let crowded = known.is_some_and(|known| known.record.is_crowded(window, now));
        let folded = fold::fold(known.map(|known| &known.record), &told, crowded);
        let mut standing = None;
        for ((index, entity), judged) in of.into_iter().zip(&folded.judged) {
            let (outcome, change) = match judged.verdict {
                Verdict::Stands => {
                    standing = Some((entity, self.entries.len()));
                    (Outcome::Processed, Some(change(entity, &folded, known)))
                }
                Verdict::Guards => (Outcome::Ignored, None),
                Verdict::Same | Verdict::Repeat => (Outcome::Duplicate, None),
                Verdict::Stale => (Outcome::Stale, None),
                Verdict::Redelivered(at) => {
                    self.redelivered.push((&works[index], at));
                    continue;
                }
            };
            let asked = asks(entity, judged).then_some(entity.source.as_ref()).flatten();
            if let Some(resource) = asked {
                self.hint(resource, MarkReason::Unsettled);
                if !marked.contains(resource) {
                    self.unmarked.entry(resource.clone()).or_default().push(index);
                }
            }
            let entry = works[index].entry(outcome, reason(entity, judged, asked, now), now);
            self.entries.push(Entry { change, ..entry });
        }
        let mut entity = EntityPlan { id, known, told, folded, window, standing: None };
        if let Some((work, entry)) = standing {
            let compressed = work.document.as_deref().map(envelope::compress).transpose()?;
            // Where in the journal it comes to stand changes no size.
            let after = entity.after(Journaled { lane: 0, position: 0 }, now);
            let inline = match (&compressed, after) {
                (Some(text), Some(after)) => after.with_document(&id.key(tenant), entity.next_rev(), text)?.is_some(),
                (None, _) | (_, None) => false,
            };
            if let Some(change) = &mut self.entries[entry].change {
                change.inline = inline;
            }
            entity.standing = Some(Standing { work, entry, compressed, inline });
        }
        self.entities.push(entity);
        Ok(())
    }

    /// All writes but the journal's own, each of a different item.
    pub(super) fn writes(&self, tenant: &Tenant, at: Journaled, now: Timestamp) -> Result<Vec<Write>, Fault> {
        let mut writes = self.writes.clone();
        writes.extend(self.unclaimed.iter().map(|unclaimed| unclaimed.check()));
        let mut tags = Vec::new();
        for plan in &self.entities {
            let Some(mut entity) = plan.after(at, now) else { continue };
            if let Some(Standing { compressed: Some(text), inline: true, .. }) = &plan.standing {
                entity.document = Some(text.clone().into());
            }
            let rev = plan.known.map(|known| known.rev);
            writes.push(records::replace(&plan.id.key(tenant), rev, &entity, records::Upkeep::default())?);
            if plan.standing.is_some() {
                tags.extend(tag::collections(plan.id));
            }
        }
        tags.sort();
        tags.dedup();
        writes.extend(tags.iter().map(|name| tag::raise(tenant, name, at.lane)));
        Ok(writes)
    }
}

/// The changes of a plan that was committed, with their documents.
pub(super) fn changes(plan: &Plan<'_>) -> Vec<(Entry, Option<Vec<u8>>)> {
    let standing = plan.entities.iter().filter_map(|entity| entity.standing.as_ref());
    standing.map(|of| (plan.entries[of.entry].clone(), of.work.document.clone())).collect()
}

/// The change by the work whose state stands.
fn change(work: &EntityWork, folded: &Folded, known: Option<&Stored<Entity>>) -> Change {
    Change {
        kind: work.entity.kind,
        entity: work.entity.id.clone(),
        op: folded.operation.unwrap_or(Operation::Updated),
        version: folded.version().unwrap_or(work.notice.version),
        document: work.document.is_some().then(|| work.told.hash.to_hex()),
        inline: false,
        after: known.and_then(|known| known.record.last_change()),
        occurred_at: work.notice.occurred_at,
        via: Via::Webhook,
        unread: work.notice.unread.clone(),
    }
}

/// Whether what a notice tells leaves open what the state is.
fn asks(work: &EntityWork, judged: &Judged) -> bool {
    judged.asks || leaves_unread(work, judged)
}

/// Whether fields of the newest state could not be read.
fn leaves_unread(work: &EntityWork, judged: &Judged) -> bool {
    matches!(judged.verdict, Verdict::Stands | Verdict::Same) && !work.notice.unread.is_empty()
}

/// What the activity says of a notice besides its outcome.
fn reason(work: &EntityWork, judged: &Judged, asked: Option<&String>, now: Timestamp) -> Option<String> {
    let parts = [
        judged.why.map(str::to_owned),
        leaves_unread(work, judged).then(|| format!("not read: {}", work.notice.unread.join(", "))),
        work.is_ahead(now).then(|| "its time is more than a day ahead, so that of its receipt counts".to_owned()),
        asked.map(|resource| format!("a sync of {resource} is due")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn repeated(work: &Work, now: Timestamp) -> Entry {
    work.entry(Outcome::Duplicate, Some("the same delivery was processed before".into()), now)
}

/// Where a work is kept until its account is connected.
pub(super) fn held_shelf(work: &Work, account: &str) -> Shelf {
    Shelf::Held { endpoint: work.origin.endpoint.clone(), account: account.to_owned() }
}

pub(super) fn delivery_key(tenant: &Tenant, work: &Work) -> Key {
    let part = match &work.effect {
        Effect::Hint { resource, .. } => resource,
        Effect::Privacy { .. }
        | Effect::Entity(_)
        | Effect::Handshake { .. }
        | Effect::Ignored { .. }
        | Effect::Hold { .. } => "privacy",
    };
    delivery::key(tenant, work.identity, part)
}
