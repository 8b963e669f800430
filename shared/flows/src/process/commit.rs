//! Commit: one transaction for what a batch tells one tenant.
//!
//! Entities, tags, deliveries, job marks and the journal's entry change together or not at all, so there is no moment
//! in which the guard says "done" and the feed does not know. Each write is on the condition that nobody changed the
//! record since it was read; where somebody did, everything is read and sorted again. Documents that do
//! not fit into their entity are put before, keyed by content, and are only found through what the commit says.

use std::collections::{BTreeMap, HashMap, HashSet, hash_map};
use std::hash::Hash;

use jiff::Timestamp;
use tracing::warn;

use super::Processor;
use super::plan::{Known, Plan, changes, delivery_key, held_shelf, plan};
use super::work::{Effect, Work};
use crate::commit::CommittedChange;
use crate::commit::journal::{ATTEMPTS, Appended};
use crate::jobs::run::announce_all;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::notice::ContentHash;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Item, Key, Write, WriteFault};
use hooktide_store::records::delivery::{self, Delivery};
use hooktide_store::records::document;
use hooktide_store::records::endpoint;
use hooktide_store::records::entity::{Entity, EntityId, Journaled};
use hooktide_store::records::job::{self};
use hooktide_store::records::journal::{self, Entry};
use hooktide_store::records::{self, Record, Stored};

/// What a commit did.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// Changes to publish.
    pub(super) changes: Vec<CommittedChange>,
    /// Works that have to wait, by the envelope they came in.
    pub(super) waiting: Vec<(usize, Fault)>,
}

/// Why there was no commit, as far as anybody knows.
#[derive(Debug)]
pub(super) struct Uncommitted {
    pub(super) fault: Fault,
    /// Where it is if it happened after all.
    pub(super) perhaps_at: Option<Journaled>,
}

impl From<Fault> for Uncommitted {
    fn from(fault: Fault) -> Self {
        Self { fault, perhaps_at: None }
    }
}

/// How a try to commit ended.
enum Tried {
    /// It is done, and stands there.
    Done(Journaled),
    /// The store failed; whether it is done nobody knows.
    Unknown(Journaled, Fault),
    /// Somebody else changed something at the same time.
    Raced,
    /// An account that was to be held for may have been connected.
    Connected,
}

impl Processor {
    /// Commits what works tell a tenant.
    pub(super) async fn commit(
        &self,
        tenant: &Tenant,
        works: &[Work],
        now: Timestamp,
    ) -> Result<Committed, Uncommitted> {
        let mut stored_documents = HashSet::new();
        let mut claims: HashMap<Key, Stored<Delivery>> = HashMap::new();
        let mut asked = BTreeMap::new();
        for _ in 0..ATTEMPTS {
            let known = self.known(tenant, works, &asked).await?;
            let mut plan = plan(tenant, works, &known, &claims, &self.settings, now)?;
            if !plan.unmarked.is_empty() {
                asked.append(&mut plan.unmarked);
                continue;
            }
            if self.claim(&plan, &known, &mut claims, now).await? {
                continue;
            }
            let mut committed = Committed { waiting: std::mem::take(&mut plan.waiting), ..Committed::default() };
            committed.changes.extend(self.journaled_changes(tenant, &plan.redelivered).await?);
            if plan.entries.is_empty() {
                self.let_lost_documents_go(tenant, &plan, &stored_documents, now).await;
                return Ok(committed);
            }
            self.store_documents(tenant, &plan, &mut stored_documents).await?;
            match self.try_commit(tenant, works, &plan, now).await? {
                Tried::Done(at) => {
                    self.let_documents_go(tenant, &plan, now).await;
                    self.let_lost_documents_go(tenant, &plan, &stored_documents, now).await;
                    announce_all(&self.ports, &plan.raised, now).await;
                    let told = |(entry, text)| CommittedChange { entry, text, at };
                    committed.changes.extend(changes(&plan).into_iter().map(told));
                    return Ok(committed);
                }
                Tried::Unknown(at, fault) => return Err(Uncommitted { fault, perhaps_at: Some(at) }),
                Tried::Connected => return Err(Fault::retryable("an account was connected at the same time").into()),
                Tried::Raced => {}
            }
        }
        Err(Fault::retryable("others change the same records all the time").into())
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
        match self.journal.try_append(tenant, seed, &plan.entries, writes, now).await? {
            Appended::Done(at) => Ok(Tried::Done(at)),
            Appended::Unknown(at, fault) => Ok(Tried::Unknown(at, fault)),
            Appended::Raced if self.is_claimed(plan).await? => Ok(Tried::Connected),
            Appended::Raced => Ok(Tried::Raced),
        }
    }

    /// Reads everything that works touch, in one batch. What cannot be read fails no other works than its own.
    ///
    /// `asked` are the resources that have to be synced besides those that hints name, with the places of the works.
    async fn known(
        &self,
        tenant: &Tenant,
        works: &[Work],
        asked: &BTreeMap<String, Vec<usize>>,
    ) -> Result<Known, Fault> {
        let mut wanted: BTreeMap<Key, (Place, Vec<usize>)> = BTreeMap::new();
        for (index, work) in works.iter().enumerate() {
            let mut want = |key, place| wanted.entry(key).or_insert((place, Vec::new())).1.push(index);
            match &work.effect {
                Effect::Entity(entity) => {
                    want(entity.entity.key(tenant), Place::Entity(entity.entity.clone()));
                    if let Some((key, _)) = &entity.belonging {
                        want(key.clone(), Place::Belonging);
                    }
                }
                Effect::Hint { resource, .. } => {
                    want(job::key(tenant, &JobKind::SYNC, resource), Place::Mark(resource.clone()));
                    want(delivery_key(tenant, work), Place::Delivery);
                }
                Effect::Privacy { .. } => want(delivery_key(tenant, work), Place::Delivery),
                Effect::Handshake { .. } => {
                    let key = endpoint::handshake_key(&work.origin.provider, &work.origin.endpoint);
                    want(key, Place::Handshake);
                }
                Effect::Hold { account, .. } => {
                    want(held_shelf(work, account).key(tenant, work.envelope_id()), Place::Held);
                }
                Effect::Ignored { .. } => {}
            }
        }
        for (resource, indices) in asked {
            let key = job::key(tenant, &JobKind::SYNC, resource);
            wanted.entry(key).or_insert_with(|| (Place::Mark(resource.clone()), Vec::new())).1.extend(indices);
        }
        let keys: Vec<Key> = wanted.keys().cloned().collect();
        let mut known = Known::default();
        known.marked.extend(wanted.values().filter_map(|(place, _)| match place {
            Place::Mark(resource) => Some(resource.clone()),
            Place::Entity(_) | Place::Delivery | Place::Belonging | Place::Handshake | Place::Held => None,
        }));
        if keys.is_empty() {
            return Ok(known);
        }
        let items = self.ports.table.get_many(&keys).await?;
        for ((key, (place, touching)), item) in wanted.into_iter().zip(items) {
            let Some(item) = item else { continue };
            let read = match place {
                Place::Held => {
                    known.held.insert(key);
                    Ok(())
                }
                Place::Entity(id) => records::decode(item).map(|mut stored: Stored<Entity>| {
                    for entity in touching.iter().filter_map(|index| works[*index].entity()) {
                        if let Some(text) = &entity.document {
                            stored.record.recognise(text, entity.told.rank.content);
                        }
                    }
                    known.entities.insert(id, stored);
                }),
                Place::Delivery => read(&mut known.deliveries, key, item),
                Place::Belonging => read(&mut known.belongings, key, item),
                Place::Handshake => read(&mut known.handshakes, key, item),
                Place::Mark(resource) => read(&mut known.marks, resource, item),
            };
            if let Err(fault) = read {
                known.unreadable.extend(touching.into_iter().map(|index| (index, fault.clone())));
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
                Err(WriteFault::Condition(_) | WriteFault::Conflict) => {}
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
        for standing in plan.entities.iter().filter_map(|entity| entity.standing.as_ref()) {
            let (Some(compressed), work) = (standing.document(), standing.work) else { continue };
            if stored.insert((work.entity.clone(), work.told.hash)) {
                let blobs = &*self.ports.blobs;
                writes.push(document::store(blobs, tenant, &work.entity, work.told.hash, compressed).await?);
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
            // One that was in the entity went with the state.
            let known = entity.known.filter(|known| !known.record.deleted && known.record.document.is_none())?;
            Some(document::let_go(tenant, entity.id, known.record.document_hash(), at))
        });
        self.expire_documents(tenant, replaced.collect()).await;
    }

    /// Lets the documents go that were put for a commit which lost its race: those that do not stand now. A key covers when
    /// its state was told, so only the same envelope can make it stand later; that puts the document again before, which
    /// keeps it, and commits only if the entity is as it is now.
    async fn let_lost_documents_go(
        &self,
        tenant: &Tenant,
        plan: &Plan<'_>,
        stored: &HashSet<(EntityId, ContentHash)>,
        now: Timestamp,
    ) {
        let at = now + self.settings.keep_journal;
        let lost = stored.iter().filter_map(|(id, hash)| {
            let entity = plan.entities.iter().find(|entity| entity.id == id)?;
            let stands = match &entity.standing {
                Some(standing) => Some(standing.work.told.hash),
                None => entity.known.map(|known| known.record.document_hash()),
            };
            (stands != Some(*hash)).then(|| document::let_go(tenant, id, *hash, at))
        });
        self.expire_documents(tenant, lost.collect()).await;
    }

    async fn expire_documents(&self, tenant: &Tenant, writes: Vec<Write>) {
        for result in self.ports.table.write_many(writes).await {
            // At worst an old document stays for ever.
            if let Err(WriteFault::Fault(fault)) = result {
                warn!(%tenant, %fault, "a replaced document was not let go");
            }
        }
    }

    /// The changes that were journaled when redelivered works were committed, to be published again; none where another state
    /// of the same message stood.
    async fn journaled_changes(
        &self,
        tenant: &Tenant,
        redelivered: &[(&Work, Journaled)],
    ) -> Result<Vec<CommittedChange>, Fault> {
        // A batch that comes again was journaled at one place, or a few.
        let mut places: HashMap<(u8, u64), Vec<Entry>> = HashMap::new();
        let mut changes = Vec::new();
        for (work, at) in redelivered {
            let entries = match places.entry((at.lane, at.position)) {
                hash_map::Entry::Occupied(read) => read.into_mut(),
                hash_map::Entry::Vacant(place) => {
                    place.insert(journal::at(&*self.ports.table, tenant, at.lane, at.position).await?)
                }
            };
            let text = work.entity().and_then(|entity| entity.document.clone());
            let change = |entry: &Entry| CommittedChange { entry: entry.clone(), text, at: *at };
            changes.extend(journal::find(entries, &work.id).map(change));
        }
        Ok(changes)
    }

    /// Whether an account that something was to be held for may be somebody's by now.
    async fn is_claimed(&self, plan: &Plan<'_>) -> Result<bool, Fault> {
        for unclaimed in &plan.unclaimed {
            let item = self.ports.table.get(&unclaimed.key).await?;
            if item.as_ref().map(records::rev_of) != unclaimed.rev {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

enum Place {
    Entity(EntityId),
    Delivery,
    Belonging,
    Handshake,
    Held,
    Mark(String),
}

fn read<K: Eq + Hash, R: Record>(into: &mut HashMap<K, Stored<R>>, key: K, item: Item) -> Result<(), Fault> {
    into.insert(key, records::decode(item)?);
    Ok(())
}
