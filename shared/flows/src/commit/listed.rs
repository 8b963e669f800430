//! What lists and totals have of the entities that a commit changes: its writes make them what the entities are.

use std::collections::{BTreeMap, BTreeSet};

use super::Batch;
use super::plan::{EntityPlan, Plan};
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, State};
use hooktide_model::payment::is_failure;
use hooktide_store::ports::{Key, Write};
use hooktide_store::records::entity::EntityId;
use hooktide_store::records::payment::{
    ById, Company, CompanyId, ListedAccount, ListedTransaction, Listing, TotalId, rolled,
};
use hooktide_store::records::{self, Upkeep, tag};

use crate::rollup::mark;

/// How many writes most transactions need: its entity, where it is listed, its id, and its total. Where several of a batch
/// are in other places than before, the batch is cut.
pub(super) const WRITES: usize = 5;

/// What lists have of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listed {
    /// A transaction, and how it is listed and counted.
    Transaction(Box<(ListedTransaction, Listing)>),
    /// An account.
    Account(Box<ListedAccount>),
}

impl Listed {
    /// What lists have of a state that a connection of a provider reports.
    pub(super) fn of(state: &State, connection: &str, provider: &str, entity: &str) -> Option<Self> {
        let State::Present(document) = state else { return None };
        match document {
            Document::Transaction(transaction) => {
                let listed = ListedTransaction {
                    connection: connection.to_owned(),
                    provider: provider.to_owned(),
                    entity: entity.to_owned(),
                    transaction: (**transaction).clone(),
                };
                Some(Self::Transaction(Box::new((listed, Listing::of(transaction, connection)))))
            }
            Document::Account(account) => {
                let (connection, provider) = (connection.to_owned(), provider.to_owned());
                Some(Self::Account(Box::new(ListedAccount { connection, provider, account: account.clone() })))
            }
            Document::Product(_) | Document::Stock(_) | Document::CalendarEvent(_) => None,
        }
    }

    /// How it is listed and counted, if it is a transaction.
    pub(super) fn listing(&self) -> Option<&Listing> {
        match self {
            Self::Transaction(listed) => Some(&listed.1),
            Self::Account(_) => None,
        }
    }
}

/// What is added to a total.
#[derive(Debug, Default)]
struct Added {
    count: i64,
    sum: i64,
    /// Whether a transaction of it is in another place of the list than before, or counts in another way.
    moved: bool,
}

/// The writes that lists and totals need for the entities that a plan changes, by a commit in `lane`; the plan knows the
/// companies that have a record.
pub(super) fn writes(plan: &Plan<'_>, batch: Batch<'_>, lane: u8) -> Result<Vec<Write>, Fault> {
    let mut writes = Vec::new();
    let (mut totals, mut companies) = (BTreeMap::<TotalId, Added>::new(), BTreeSet::new());
    for entity in plan.entities.iter().filter(|entity| entity.winner.is_some()) {
        match entity.id.kind {
            Kind::Transaction => transaction(entity, batch, &mut writes, &mut totals)?,
            Kind::Account => account(entity, batch, &mut writes)?,
            Kind::Product
            | Kind::Stock
            | Kind::Order
            | Kind::Customer
            | Kind::CalendarEvent
            | Kind::Image
            | Kind::Cart
            | Kind::Privacy => {}
        }
        let is_known = |id: &CompanyId| plan.companies.is_some_and(|known| known.contains(&id.key(batch.tenant)));
        companies.extend(entity.company().filter(|company| !is_known(company)));
    }
    let mut late = BTreeSet::new();
    for (id, Added { count, sum, moved }) in totals {
        let changes = (count, sum) != (0, 0);
        // Where transactions changed within it and the sums did not, its revision alone changes: whoever counts the list anew has to see that.
        if changes || moved {
            writes.push(id.add(batch.tenant, lane, count, sum));
        }
        let day = rolled::day_of(id.quarter);
        if changes && rolled::is_late(day, batch.now.as_second()) {
            late.insert((id.company, day));
        }
    }
    writes.extend(late.into_iter().map(|(company, day)| company.count_late(batch.tenant, day, lane)));
    for id in companies {
        let key = id.key(batch.tenant);
        writes.push(mark::begin(batch.tenant, &id, batch.now)?);
        writes.push(records::insert(&key, &Company { id, since: batch.now }, Upkeep::default())?);
    }
    Ok(writes)
}

/// Takes a transaction out of where it was listed and counted, and puts it where it is.
fn transaction(
    plan: &EntityPlan<'_>,
    batch: Batch<'_>,
    writes: &mut Vec<Write>,
    totals: &mut BTreeMap<TotalId, Added>,
) -> Result<(), Fault> {
    let (id, tenant) = (plan.id, batch.tenant);
    let former = plan.known.and_then(|known| known.record.listing.as_ref());
    let current = plan.listed.and_then(|listed| match listed {
        Listed::Transaction(listed) => Some(&**listed),
        Listed::Account(_) => None,
    });
    let keys = |listing: &Listing| [listing.key(tenant, id), ById::key(tenant, &listing.id, id)];
    let stay: Vec<Key> = current.iter().flat_map(|(_, listing)| keys(listing)).collect();
    let gone = former.iter().flat_map(|listing| keys(listing)).filter(|key| !stay.contains(key));
    writes.extend(gone.map(|key| Write::Delete { key, condition: None }));
    if let Some((listed, listing)) = current {
        writes.push(records::put(&listing.key(tenant, id), listed, Upkeep::default())?);
        if former.is_none_or(|former| former.id != listing.id) {
            let by_id = ById { connection: id.connection.clone(), entity: id.id.clone() };
            writes.push(records::put(&ById::key(tenant, &listing.id, id), &by_id, Upkeep::default())?);
        }
    }
    let counted = |listing: Option<&Listing>| listing.map(|listing| (listing.key(tenant, id), listing.counted.clone()));
    let moved = counted(former) != counted(current.map(|(_, listing)| listing));
    let mut add = |listing: Option<&Listing>, sign: i64| {
        if let Some((total, amount)) = listing.and_then(|listing| listing.total(&id.connection)) {
            let sums = totals.entry(total).or_default();
            (sums.count, sums.sum, sums.moved) = (sums.count + sign, sums.sum + sign * amount, sums.moved || moved);
        }
    };
    add(former, -1);
    add(current.map(|(_, listing)| listing), 1);
    Ok(())
}

fn account(plan: &EntityPlan<'_>, batch: Batch<'_>, writes: &mut Vec<Write>) -> Result<(), Fault> {
    let EntityId { connection, id, .. } = plan.id;
    let key = ListedAccount::key(batch.tenant, id, connection);
    writes.push(match plan.listed {
        Some(Listed::Account(listed)) => records::put(&key, &**listed, Upkeep::default())?,
        Some(Listed::Transaction(_)) | None => Write::Delete { key, condition: None },
    });
    Ok(())
}

/// The tags of answers that a change makes stale, besides those that changes of every kind raise.
pub(super) fn tags(plan: &EntityPlan<'_>) -> Vec<String> {
    let connection = &plan.id.connection;
    let former = plan.known.and_then(|known| known.record.listing.as_ref());
    let current = plan.listed.and_then(Listed::listing);
    let mut tags: Vec<String> =
        former.into_iter().chain(current).map(|listing| tag::company(&listing.company)).collect();
    let status = plan.listed.and_then(|listed| match listed {
        Listed::Transaction(listed) => Some(listed.0.transaction.status.as_str()),
        Listed::Account(_) => None,
    });
    if status.is_some_and(is_failure) {
        tags.extend([tag::FAILURES.to_owned(), tag::failures(connection)]);
    }
    tags
}

impl EntityPlan<'_> {
    /// The company that it counts for.
    fn company(&self) -> Option<CompanyId> {
        Some(self.listed?.listing()?.company(&self.id.connection))
    }
}
