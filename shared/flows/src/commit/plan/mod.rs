//! Plan: the changes of a batch of facts, decided against the known records. Pure.

mod entity;
mod once;

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub(super) use self::entity::EntityPlan;
use super::Batch;
use super::claims::Claims;
use super::fact::{EntityFact, Fact, FactKind, Unclaimed};
use super::known::{Asked, JobOf, Known};
use crate::Settings;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{MarkReason, Outcome, Via};
use hooktide_model::place::JournalPlace;
use hooktide_store::ports::{Key, Write};
use hooktide_store::records::dead_letter::DeadLetter;
use hooktide_store::records::endpoint::{Belonging, Handshake};
use hooktide_store::records::entity::{EntityId, Seen};
use hooktide_store::records::job::{self, Mark, Raise};
use hooktide_store::records::journal::Entry;
use hooktide_store::records::{self, Upkeep};

/// The writes of a commit, except their place in the journal.
#[derive(Default)]
pub(super) struct Plan<'a> {
    pub(super) entries: Vec<Entry>,
    pub(super) entities: Vec<EntityPlan<'a>>,
    pub(super) writes: Vec<Write>,
    /// The records that show the accounts of held deliveries to be unclaimed: checked in the commit.
    pub(super) unclaimed: Vec<&'a Unclaimed>,
    /// Facts that were committed before, with their places.
    pub(super) redelivered: Vec<(&'a Fact, JournalPlace)>,
    /// Facts whose deliveries must be claimed first, with their keys.
    pub(super) claims: Vec<(Key, &'a Fact)>,
    /// The places of facts that must wait, with the reasons.
    pub(super) waiting: Vec<(usize, Fault)>,
    /// The marks whose jobs are announced once this is committed.
    pub(super) raised: Vec<Mark>,
    /// Resources that must be synced and whose marks were not looked up.
    pub(super) unmarked: Asked,
    /// The companies that have a record.
    pub(super) companies: Option<&'a HashSet<Key>>,
    /// The tags that it raises besides those of what changes.
    pub(super) tags: BTreeSet<&'static str>,
    /// When the last state was committed that a reading says and that a webhook had reported, in milliseconds since 1970.
    pub(super) reported_at: Option<i64>,
}

/// Makes the plan of a batch.
pub(super) fn plan<'a>(
    batch: Batch<'a>,
    known: &'a Known,
    claims: &'a Claims,
    settings: &'a Settings,
) -> Result<Plan<'a>, Fault> {
    let mut planner = Planner {
        batch,
        known,
        claims,
        settings,
        plan: Plan { companies: Some(&known.companies), ..Plan::default() },
        entities: BTreeMap::new(),
        belongings: HashMap::new(),
        settled: HashSet::new(),
        kept: HashSet::new(),
        handshakes: BTreeMap::new(),
        hints: BTreeMap::new(),
        privacy: HashSet::new(),
    };
    for (index, fact) in batch.facts.iter().enumerate() {
        planner.add(index, fact)?;
    }
    planner.finish()
}

/// A plan in the making.
struct Planner<'a> {
    batch: Batch<'a>,
    known: &'a Known,
    claims: &'a Claims,
    settings: &'a Settings,
    plan: Plan<'a>,
    /// The places of the facts of each entity.
    entities: BTreeMap<&'a EntityId, Vec<usize>>,
    /// The accounts that entities of this batch belong to from now on.
    belongings: HashMap<&'a Key, &'a str>,
    /// The deliveries that are settled in this commit.
    settled: HashSet<Key>,
    /// The letters that are kept, and the records that are checked, in this commit.
    kept: HashSet<Key>,
    handshakes: BTreeMap<Key, Handshake>,
    /// The hints at each resource that must be synced, and at each follower that must look.
    hints: BTreeMap<JobOf, Hints>,
    /// The requests about personal data that this commit accepts, by the ids of their origins.
    privacy: HashSet<&'a str>,
}

/// The hints at a resource.
#[derive(Default)]
struct Hints {
    /// How many there are for each reason.
    reasons: BTreeMap<MarkReason, u64>,
    /// The entities that they are about, as far as they say so.
    entities: BTreeSet<String>,
}

impl<'a> Planner<'a> {
    fn now(&self) -> Timestamp {
        self.batch.now
    }

    fn add(&mut self, index: usize, fact: &'a Fact) -> Result<(), Fault> {
        if let Some(fault) = self.known.unreadable.get(&index) {
            self.plan.waiting.push((index, fault.clone()));
            return Ok(());
        }
        match &fact.what {
            FactKind::Entity(entity) if fact.origin.is_read() && self.is_known(entity) => {
                let known = self.known.entities.get(&entity.entity).map(|stored| &stored.record);
                let reported = known.filter(|known| known.via == Some(Via::Webhook)).map(|known| known.changed_at);
                self.plan.reported_at = self.plan.reported_at.max(reported);
                Ok(())
            }
            FactKind::Entity(entity) if self.belongs(entity)? => {
                self.entities.entry(&entity.entity).or_default().push(index);
                Ok(())
            }
            FactKind::Entity(_) => {
                self.ignore(fact, "the entity belongs to another account of this endpoint");
                Ok(())
            }
            FactKind::Ignored { reason } => {
                self.ignore(fact, reason);
                Ok(())
            }
            FactKind::Noted { outcome, reason } => {
                self.plan.entries.push(fact.entry(*outcome, Some(reason.clone()), self.now()));
                Ok(())
            }
            FactKind::Handshake { code } => {
                self.receive_code(fact, code);
                Ok(())
            }
            FactKind::Held { account, letter, unclaimed } => self.hold(fact, account, letter, unclaimed),
            FactKind::Hint { delivery, .. } | FactKind::Privacy { delivery, .. } => self.once(index, fact, delivery),
        }
    }

    /// Whether a reading says of an entity what is known already. Whoever reads reports what did not change as well.
    fn is_known(&self, fact: &EntityFact) -> bool {
        let known = self.known.entities.get(&fact.entity).map(|stored| &stored.record);
        known.map_or(fact.told.deleted, |known| {
            let (rank, told) = (known.rank(), fact.told.rank);
            let same = rank.content == told.content && (rank.version == told.version || known.deleted);
            // A state that was committed from the same page is published again.
            same && known.seen(fact.told.identity, &fact.told.envelope) == Seen::Never
        })
    }

    fn ignore(&mut self, fact: &Fact, reason: &str) {
        self.plan.entries.push(fact.entry(Outcome::Ignored, Some(reason.to_owned()), self.now()));
    }

    /// Whether an entity belongs to the account that it was reported for. One without an account is now given this one.
    fn belongs(&mut self, fact: &'a EntityFact) -> Result<bool, Fault> {
        let Some(belonging) = &fact.belonging else { return Ok(true) };
        let owner = self.known.belongings.get(&belonging.key).map(|stored| stored.record.account.as_str());
        if let Some(owner) = owner.or(self.belongings.get(&belonging.key).copied()) {
            return Ok(owner == belonging.account);
        }
        self.belongings.insert(&belonging.key, &belonging.account);
        let record = Belonging { account: belonging.account.clone() };
        self.plan.writes.push(records::insert(&belonging.key, &record, Upkeep::default())?);
        Ok(true)
    }

    fn receive_code(&mut self, fact: &Fact, code: &str) {
        let key = fact.handshake_key();
        let handshake = Handshake::new(code, fact.origin.received_at);
        let all = match self.handshakes.remove(&key) {
            Some(others) => others.and(handshake),
            None => handshake,
        };
        self.handshakes.insert(key, all);
        let reason = format!("the verification code is {code}; enter it at the provider");
        self.plan.entries.push(fact.entry(Outcome::Processed, Some(reason), self.now()));
    }

    /// Keeps a delivery for an account: one letter for all facts of its origin about the account.
    fn hold(&mut self, fact: &Fact, account: &str, letter: &DeadLetter, unclaimed: &'a Unclaimed) -> Result<(), Fault> {
        let now = self.now();
        let shelf = fact.shelf(account);
        let held = shelf.key(self.batch.tenant, &fact.origin.id);
        // If it is already kept, the queue delivered its envelope again, or there was more than one transaction takes.
        if self.known.held.contains(&held) || !self.kept.insert(held) {
            return Ok(());
        }
        let reason = format!("unknown account {account}; kept until it is connected");
        // A separate id: when the account connects, the delivery is reported again, and not as a repeat.
        let entry = fact.entry(Outcome::Ignored, Some(reason), now);
        self.plan.entries.push(Entry { id: format!("{}-held", entry.id), ..entry });
        let until = records::kept_until(fact.origin.received_at, now, self.settings.keep_held);
        let letter = DeadLetter { account: Some(account.to_owned()), dead_at: now, ..letter.clone() };
        self.plan.writes.push(letter.put(self.batch.tenant, &shelf, &fact.origin.id, until)?);
        if self.kept.insert(unclaimed.key.clone()) {
            self.plan.unclaimed.push(unclaimed);
        }
        Ok(())
    }

    /// Counts a hint at a resource, or at an entity of it.
    fn count_hint(&mut self, resource: &str, reason: MarkReason, entity: Option<&str>) {
        self.count((JobKind::SYNC, resource.to_owned()), reason, entity);
    }

    /// Counts a hint at what a job works on.
    fn count(&mut self, job: JobOf, reason: MarkReason, entity: Option<&str>) {
        let hints = self.hints.entry(job).or_default();
        *hints.reasons.entry(reason).or_default() += 1;
        hints.entities.extend(entity.map(str::to_owned));
    }

    /// Plans what several facts decide together.
    fn finish(mut self) -> Result<Plan<'a>, Fault> {
        for (key, handshake) in std::mem::take(&mut self.handshakes) {
            let stored = self.known.handshakes.get(&key);
            let all = stored.map_or_else(|| handshake.clone(), |stored| stored.record.clone().and(handshake.clone()));
            if stored.is_none_or(|stored| stored.record != all) {
                let read = stored.map(|stored| stored.rev);
                self.plan.writes.push(records::replace(&key, read, &all, Upkeep::default())?);
            }
        }
        for (id, indices) in std::mem::take(&mut self.entities) {
            self.entity(id, &indices)?;
        }
        for (of, Hints { reasons, entities }) in &self.hints {
            let (stored, (job, resource)) = (self.known.marks.get(of), of);
            let raise = Raise { tenant: self.batch.tenant, job: job.clone(), resource, reasons, entities };
            let mark = job::raised(stored, &raise, self.settings.debounce, self.batch.now);
            self.plan.writes.push(job::store(stored.map(|stored| stored.rev), &mark)?);
            self.plan.raised.extend(Some(mark).filter(|mark| mark.is_news(stored.map(|stored| &stored.record))));
        }
        Ok(self.plan)
    }
}
