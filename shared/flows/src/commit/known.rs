//! The known records of everything that a batch of facts touches, read before the plan is made.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use super::Batch;
use super::fact::{EntityFact, FactKind};
use super::listed::Listed;
use crate::follow::{FOLLOWERS, Follower};
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_store::ports::{Item, Key, Table};
use hooktide_store::records::delivery::Delivery;
use hooktide_store::records::endpoint::{Belonging, Handshake};
use hooktide_store::records::entity::{Entity, EntityId};
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::{self, Record, Stored};

/// The places of facts in their batch, by the resource that they ask to sync.
pub(super) type Asked = BTreeMap<String, Vec<usize>>;

/// A job: its kind, and what it works on.
pub(super) type JobOf = (JobKind, String);

/// The known records of everything that a batch touches.
#[derive(Default)]
pub(super) struct Known {
    pub(super) entities: HashMap<EntityId, Stored<Entity>>,
    pub(super) deliveries: HashMap<Key, Stored<Delivery>>,
    pub(super) marks: HashMap<JobOf, Stored<Mark>>,
    /// The jobs whose marks were looked up, whether or not they have one.
    pub(super) marked: HashSet<JobOf>,
    /// The followers of entities of connections, by the jobs that follow them.
    pub(super) followed: HashSet<JobOf>,
    pub(super) belongings: HashMap<Key, Stored<Belonging>>,
    pub(super) handshakes: HashMap<Key, Stored<Handshake>>,
    /// The letters that are already kept for accounts that nobody has connected.
    pub(super) held: HashSet<Key>,
    /// The companies that have a record.
    pub(super) companies: HashSet<Key>,
    /// The facts that touch an unreadable record.
    pub(super) unreadable: HashMap<usize, Fault>,
}

/// A record to look up.
enum Lookup {
    Entity(EntityId),
    Delivery,
    Belonging,
    Handshake,
    Held,
    Company,
    Mark(JobOf),
    /// What says whether a follower follows the entities of a connection.
    Rule(&'static Follower, String),
}

impl Known {
    /// Reads everything that facts touch, in one batch. A record that cannot be read only fails the facts that touch it.
    ///
    /// `asked` are the resources that must be synced besides those that hints name.
    pub(super) async fn read(table: &dyn Table, batch: Batch<'_>, asked: &Asked) -> Result<Self, Fault> {
        let lookups = lookups(batch, asked);
        let mut known = Self::default();
        known.marked.extend(lookups.values().filter_map(|(lookup, _)| match lookup {
            Lookup::Mark(job) => Some(job.clone()),
            Lookup::Entity(_)
            | Lookup::Delivery
            | Lookup::Belonging
            | Lookup::Handshake
            | Lookup::Held
            | Lookup::Company
            | Lookup::Rule(..) => None,
        }));
        let keys: Vec<Key> = lookups.keys().cloned().collect();
        if keys.is_empty() {
            return Ok(known);
        }
        let items = table.get_many(&keys).await?;
        for ((key, (lookup, touching)), item) in lookups.into_iter().zip(items) {
            let Some(item) = item else { continue };
            if let Err(fault) = known.add(batch, key, lookup, &touching, item) {
                known.unreadable.extend(touching.into_iter().map(|index| (index, fault.clone())));
            }
        }
        Ok(known)
    }

    fn add(&mut self, batch: Batch<'_>, key: Key, lookup: Lookup, touching: &[usize], item: Item) -> Result<(), Fault> {
        match lookup {
            Lookup::Held => {
                self.held.insert(key);
                Ok(())
            }
            Lookup::Company => {
                self.companies.insert(key);
                Ok(())
            }
            Lookup::Entity(id) => {
                let mut stored: Stored<Entity> = records::decode(item)?;
                for fact in touching.iter().filter_map(|index| batch.facts[*index].entity()) {
                    if let Some(text) = &fact.document {
                        stored.record.recognise(text, fact.told.rank.content);
                    }
                }
                self.entities.insert(id, stored);
                Ok(())
            }
            Lookup::Delivery => decode(&mut self.deliveries, key, item),
            Lookup::Belonging => decode(&mut self.belongings, key, item),
            Lookup::Handshake => decode(&mut self.handshakes, key, item),
            Lookup::Mark(job) => decode(&mut self.marks, job, item),
            Lookup::Rule(follower, connection) => {
                if (follower.follows)(item)? {
                    self.followed.insert((follower.kind.clone(), connection));
                }
                Ok(())
            }
        }
    }
}

fn decode<K: Eq + Hash, R: Record>(into: &mut HashMap<K, Stored<R>>, key: K, item: Item) -> Result<(), Fault> {
    into.insert(key, records::decode(item)?);
    Ok(())
}

/// The records to look up, with the places of the facts that touch them.
fn lookups(batch: Batch<'_>, asked: &Asked) -> BTreeMap<Key, (Lookup, Vec<usize>)> {
    let tenant = batch.tenant;
    let mut lookups: BTreeMap<Key, (Lookup, Vec<usize>)> = BTreeMap::new();
    for (index, fact) in batch.facts.iter().enumerate() {
        let mut add = |key, lookup| lookups.entry(key).or_insert((lookup, Vec::new())).1.push(index);
        match &fact.what {
            FactKind::Entity(entity) => {
                add(entity.entity.key(tenant), Lookup::Entity(entity.entity.clone()));
                if let Some(belonging) = &entity.belonging {
                    add(belonging.key.clone(), Lookup::Belonging);
                }
                if let Some(resource) = &entity.brings {
                    let job = (JobKind::SYNC, resource.clone());
                    add(job::key(tenant, &JobKind::SYNC, resource), Lookup::Mark(job));
                }
                if let Some(listing) = entity.listed.as_ref().and_then(Listed::listing) {
                    add(listing.company(&entity.entity.connection).key(tenant), Lookup::Company);
                }
                for follower in followers(entity) {
                    let connection = &entity.entity.connection;
                    let job = (follower.kind.clone(), connection.clone());
                    add((follower.rule)(tenant, connection), Lookup::Rule(follower, connection.clone()));
                    add(job::key(tenant, &follower.kind, connection), Lookup::Mark(job));
                }
            }
            FactKind::Hint { delivery, resource, .. } => {
                add(job::key(tenant, &JobKind::SYNC, resource), Lookup::Mark((JobKind::SYNC, resource.clone())));
                add(delivery.key(tenant), Lookup::Delivery);
            }
            FactKind::Privacy { delivery, .. } => add(delivery.key(tenant), Lookup::Delivery),
            FactKind::Handshake { .. } => add(fact.handshake_key(), Lookup::Handshake),
            FactKind::Held { account, .. } => {
                add(fact.shelf(account).key(tenant, &fact.origin.id), Lookup::Held);
            }
            FactKind::Ignored { .. } | FactKind::Noted { .. } => {}
        }
    }
    for (resource, indices) in asked {
        let key = job::key(tenant, &JobKind::SYNC, resource);
        let mark = || Lookup::Mark((JobKind::SYNC, resource.clone()));
        lookups.entry(key).or_insert_with(|| (mark(), Vec::new())).1.extend(indices);
    }
    lookups
}

/// The followers of entities of this kind.
pub(super) fn followers(entity: &EntityFact) -> impl Iterator<Item = &'static Follower> {
    FOLLOWERS.iter().copied().filter(|follower| follower.of == entity.entity.kind)
}
