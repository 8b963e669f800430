//! The journal as flows write it: entries and the writes that belong to them, in one transaction at the end of a lane.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::heads::Heads;
use crate::{Ports, Settings};
use hooktide_model::fault::Fault;
use hooktide_model::place::JournalPlace;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Cancellation, Meter, Table, TransactFault, Write, WriteFault};
use hooktide_store::records;
use hooktide_store::records::journal::{self, Entry};
use hooktide_store::statement::MOST_WRITES;

/// How often an operation is tried when others change the same records at the same time.
pub(crate) const ATTEMPTS: usize = 12;

/// The lanes of all tenants' journals.
pub struct Journal {
    table: Arc<dyn Table>,
    meter: Arc<dyn Meter>,
    lanes: u8,
    keep: Duration,
    heads: Heads,
}

/// How an attempt to append ended.
pub(crate) enum Appended {
    /// The entries are in the journal, at this place.
    Done(JournalPlace),
    /// The store failed, and it is unknown whether the entries are at this place.
    Unknown(JournalPlace, Fault),
    /// Another writer changed something at the same time; carries the objection to each write, in order.
    Raced(Vec<Cancellation>),
    /// There are more writes than one transaction takes; nothing was written.
    TooLarge,
}

impl Journal {
    /// A journal without remembered ends.
    pub fn new(ports: &Ports, settings: &Settings) -> Self {
        Self {
            table: Arc::clone(&ports.table),
            meter: Arc::clone(&ports.meter),
            lanes: settings.lanes,
            keep: settings.keep_journal,
            heads: Heads::default(),
        }
    }

    /// Appends entries together with `writes`, in one transaction. The hash of `seed` chooses the lane.
    pub(crate) async fn append(
        &self,
        tenant: &Tenant,
        seed: &str,
        entries: &[Entry],
        writes: Vec<Write>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        for _ in 0..ATTEMPTS {
            match self.try_append(tenant, seed, entries, |_| Ok(writes.clone()), now).await? {
                Appended::Done(_) => return Ok(()),
                Appended::Unknown(_, fault) => return Err(fault),
                // The lane may be free the next time; what the caller expects will not be there.
                Appended::Raced(reasons) if records::exists(&reasons[..writes.len().min(reasons.len())]) => {
                    return Err(records::overtaken(TransactFault::Cancelled(reasons)));
                }
                Appended::Raced(_) => {}
                Appended::TooLarge => return Err(Fault::failed("more writes than a transaction takes")),
            }
        }
        Err(Fault::retryable("others append to the journal all the time"))
    }

    /// Tries once to append entries together with the writes for the place that they take.
    pub(crate) async fn try_append(
        &self,
        tenant: &Tenant,
        seed: &str,
        entries: &[Entry],
        writes: impl Fn(JournalPlace) -> Result<Vec<Write>, Fault>,
        now: Timestamp,
    ) -> Result<Appended, Fault> {
        let lane = journal::lane_of(seed, self.lanes);
        let _turn = self.heads.turn(tenant, lane).await;
        let head = self.heads.find(&*self.table, tenant, lane, now).await?;
        let at = JournalPlace { lane, position: head.next(now) };
        let mut all = writes(at)?;
        all.extend(journal::append(tenant, lane, &head, entries, self.keep, now)?);
        if all.len() > MOST_WRITES {
            return Ok(Appended::TooLarge);
        }
        match self.write(all).await {
            Ok(()) => {
                self.heads.remember(tenant, at, now);
                for entry in entries {
                    self.meter.count(&entry.provider, entry.outcome, &entry.trace);
                }
                Ok(Appended::Done(at))
            }
            Err(TransactFault::Cancelled(reasons)) => {
                self.heads.forget(tenant, lane);
                Ok(Appended::Raced(reasons))
            }
            Err(TransactFault::Fault(fault)) => {
                self.heads.forget(tenant, lane);
                match fault {
                    Fault::Retryable { .. } => Ok(Appended::Unknown(at, fault)),
                    Fault::Failed { .. } | Fault::Permanent { .. } => Err(fault),
                }
            }
        }
    }

    /// Carries out writes in one transaction.
    pub(super) async fn write(&self, mut writes: Vec<Write>) -> Result<(), TransactFault> {
        if writes.len() > 1 {
            return self.table.transact(writes).await;
        }
        // A single write costs half as much as one in a transaction.
        let Some(only) = writes.pop() else { return Ok(()) };
        self.table.write(only).await.map(drop).map_err(|fault| match fault {
            WriteFault::Condition(item) => TransactFault::Cancelled(vec![Cancellation::Condition(item)]),
            WriteFault::Conflict => TransactFault::Cancelled(vec![Cancellation::Conflict]),
            WriteFault::Fault(fault) => TransactFault::Fault(fault),
        })
    }
}
