//! Commit: facts that are learnt together about a tenant become one transaction.
//!
//! Entities, tags, deliveries, job marks and the journal's entry change together or not at all, and with them whatever
//! belongs to the facts: a cursor, a job's mark, an intent. There is no moment in which the guard says "done" and the feed
//! does not know, and none in which a cursor has moved and its page is lost. The records that the facts touch are read
//! first and `plan` decides; each write is on the condition that nobody changed the record since. If somebody did,
//! everything is read and decided again. Documents that do not fit into their entity are put before, keyed by content,
//! and are found only through the committed records.

mod claims;
pub mod committed;
mod documents;
pub mod fact;
mod fold;
mod heads;
pub mod journal;
mod known;
mod listed;
pub mod origin;
mod parts;
mod plan;
mod redelivered;
mod write;

use std::sync::Arc;

use jiff::Timestamp;

use self::claims::Claims;
pub use self::committed::{Committed, Uncommitted};
use self::documents::Documents;
pub use self::fact::Fact;
use self::journal::{ATTEMPTS, Appended, Journal};
use self::known::{Asked, Known};
pub(crate) use self::parts::{FACTS, parts};
use self::plan::{Plan, plan};
use crate::publish::mark;
use crate::{Ports, Settings};
use hooktide_model::fault::Fault;
use hooktide_model::place::JournalPlace;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Cancellation, TransactFault, Write};
use hooktide_store::records::{self, job};

/// How many writes may belong to one commit besides those of its facts.
const MOST_EXTRA: usize = 10;

/// Facts about one tenant that are committed at once.
#[derive(Clone, Copy)]
struct Batch<'a> {
    tenant: &'a Tenant,
    facts: &'a [&'a Fact],
    now: Timestamp,
}

impl Batch<'_> {
    /// Whether nobody delivers the facts again until the bus has heard of them.
    fn comes_once(self) -> bool {
        self.facts.iter().any(|fact| !fact.origin.is_delivered_again)
    }
}

/// How an attempt to commit ended.
enum Attempt {
    /// The commit is done, at this place in the journal.
    Done(JournalPlace),
    /// The store failed, and it is unknown whether the commit is done.
    Unknown(JournalPlace, Fault),
    /// Another commit changed one of the records at the same time.
    Raced,
    /// An account that deliveries were to be held for may have been connected.
    Connected,
    /// Another writer changed an item of the writes that belong to the commit.
    Overtaken,
    /// The facts need more writes than one transaction takes.
    TooLarge,
}

/// Commits facts.
pub struct Committer {
    ports: Ports,
    journal: Arc<Journal>,
    settings: Settings,
}

impl Committer {
    /// A committer that appends to a journal.
    pub fn new(ports: Ports, settings: &Settings, journal: Arc<Journal>) -> Self {
        Self { ports, journal, settings: settings.clone() }
    }

    /// Commits facts about a tenant together with the writes that belong to them, of other items than the facts'.
    ///
    /// More facts than one transaction takes are committed in parts, `extra` with the last. A crash in between leaves
    /// `extra` unchanged, so the same facts come again, and those that are already committed change nothing. As long as one
    /// of the facts must wait, `extra` is not written either.
    pub async fn commit(
        &self,
        tenant: &Tenant,
        facts: &[&Fact],
        extra: &[Write],
        now: Timestamp,
    ) -> Result<Committed, Uncommitted> {
        if extra.len() > MOST_EXTRA {
            return Err(Fault::failed(format!("{} writes belong to one commit", extra.len())).into());
        }
        let mut parts = parts(facts);
        if parts.is_empty() {
            parts.push(0..0);
        }
        parts.reverse();
        let mut committed = Committed::default();
        while let Some(part) = parts.pop() {
            let is_last = parts.is_empty();
            if let Some((_, fault)) = committed.waiting.first().filter(|_| is_last && !extra.is_empty()) {
                return Err(fault.clone().into());
            }
            let batch = Batch { tenant, facts: &facts[part.clone()], now };
            match self.commit_part(batch, if is_last { extra } else { &[] }).await? {
                Some(done) => committed.add(part.start, done),
                None if part.len() > 1 => {
                    let middle = part.start + part.len() / 2;
                    parts.extend([middle..part.end, part.start..middle]);
                }
                None => return Err(Fault::failed("a fact needs more writes than a transaction takes").into()),
            }
        }
        Ok(committed)
    }

    /// Commits facts in one transaction; `None` if they need more than one.
    async fn commit_part(&self, batch: Batch<'_>, extra: &[Write]) -> Result<Option<Committed>, Uncommitted> {
        let Batch { tenant, now, .. } = batch;
        let table = &*self.ports.table;
        let mut documents = Documents::new(&self.ports, tenant, now + self.settings.keep_journal);
        let (mut claims, mut asked) = (Claims::default(), Asked::new());
        for _ in 0..ATTEMPTS {
            let known = Known::read(table, batch, &asked).await?;
            let mut plan = plan(batch, &known, &claims, &self.settings)?;
            if !plan.unmarked.is_empty() {
                asked.append(&mut plan.unmarked);
                continue;
            }
            if !plan.claims.is_empty() {
                let needed = claims::needed(&plan, &known);
                claims.take(table, needed, now).await?;
                continue;
            }
            if let Some((_, fault)) = plan.waiting.first().filter(|_| !extra.is_empty()) {
                return Err(fault.clone().into());
            }
            let changes = redelivered::changes(table, tenant, &plan.redelivered).await?;
            let mut committed = Committed {
                waiting: std::mem::take(&mut plan.waiting),
                changes,
                reported_at: plan.reported_at,
                ..Committed::default()
            };
            if plan.entries.is_empty() {
                self.write_alone(extra).await?;
                documents.let_lost_go(&plan).await;
                return Ok(Some(committed));
            }
            documents.store(&plan).await?;
            match self.attempt(batch, &plan, extra).await? {
                Attempt::Done(at) => {
                    documents.let_replaced_go(&plan).await;
                    documents.let_lost_go(&plan).await;
                    committed.changes.extend(plan.changes(at));
                    committed.raised = std::mem::take(&mut plan.raised);
                    committed.announced.extend(announces(batch, &plan).then_some(at));
                    return Ok(Some(committed));
                }
                Attempt::Unknown(at, fault) => return Err(Uncommitted { fault, perhaps_at: Some(at) }),
                Attempt::Connected => return Err(Fault::retryable("an account was connected at the same time").into()),
                Attempt::Overtaken => return Err(overtaken().into()),
                Attempt::TooLarge => return Ok(None),
                Attempt::Raced => {}
            }
        }
        Err(Fault::retryable("others change the same records all the time").into())
    }

    async fn attempt(&self, batch: Batch<'_>, plan: &Plan<'_>, extra: &[Write]) -> Result<Attempt, Fault> {
        let seed = batch.facts.first().map_or("", |fact| fact.origin.id.as_str());
        let writes = |at| {
            let mut writes = extra.to_vec();
            writes.extend(plan.writes(batch, at)?);
            if announces(batch, plan) {
                writes.push(job::store(None, &mark::of(batch.tenant, at, batch.now))?);
            }
            Ok(writes)
        };
        match self.journal.try_append(batch.tenant, seed, &plan.entries, writes, batch.now).await? {
            Appended::TooLarge => Ok(Attempt::TooLarge),
            Appended::Done(at) => Ok(Attempt::Done(at)),
            Appended::Unknown(at, fault) => Ok(Attempt::Unknown(at, fault)),
            Appended::Raced(reasons) if records::exists(&reasons[..extra.len().min(reasons.len())]) => {
                Ok(Attempt::Overtaken)
            }
            Appended::Raced(_) if self.is_claimed(plan).await? => Ok(Attempt::Connected),
            Appended::Raced(_) => Ok(Attempt::Raced),
        }
    }

    /// Writes what belongs to facts that need no writes themselves.
    async fn write_alone(&self, extra: &[Write]) -> Result<(), Fault> {
        match self.journal.write(extra.to_vec()).await {
            Ok(()) => Ok(()),
            Err(TransactFault::Cancelled(reasons)) if reasons.contains(&Cancellation::Conflict) => {
                Err(Fault::retryable("somebody else changes what belongs to this commit"))
            }
            Err(TransactFault::Cancelled(_)) => Err(overtaken()),
            Err(TransactFault::Fault(fault)) => Err(fault),
        }
    }

    /// Whether an account that deliveries were to be held for may have been connected by now.
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

/// Whether a commit writes that its place is still to be published.
fn announces(batch: Batch<'_>, plan: &Plan<'_>) -> bool {
    batch.comes_once() && plan.has_changes()
}

fn overtaken() -> Fault {
    Fault::retryable("somebody else changed what belongs to this commit")
}
