//! Pieces: the order in which facts are committed, and how many at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use tracing::warn;

use super::{Processor, unpublished};
use crate::commit::{Committed, FACTS, Fact, Uncommitted, parts};
use crate::jobs::run::announce_all;
use crate::publish;
use hooktide_model::envelope::Unpublished;
use hooktide_model::fault::Fault;
use hooktide_model::place::JournalPlace;
use hooktide_model::tenant::Tenant;

/// A fact, and the case that reports it.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    /// The place of the case in the batch.
    pub(super) case: usize,
    fact: &'a Fact,
}

/// A case that could not be finished.
pub(super) struct Unfinished {
    /// The place of the case in the batch.
    pub(super) case: usize,
    /// The reason.
    pub(super) fault: Fault,
    /// The place of its entries in the journal, if they may be there.
    pub(super) at: Option<Unpublished>,
}

impl Processor {
    /// Commits facts of one tenant and publishes their changes. Returns the cases that could not be finished.
    pub(super) async fn commit_piece(&self, tenant: &Tenant, tasks: &[Task<'_>], now: Timestamp) -> Vec<Unfinished> {
        let facts: Vec<&Fact> = tasks.iter().map(|task| task.fact).collect();
        let Uncommitted { fault, perhaps_at } = match self.committer.commit(tenant, &facts, &[], now).await {
            Ok(committed) => return self.publish(tenant, tasks, committed, now).await,
            Err(uncommitted) => uncommitted,
        };
        let cases: BTreeSet<usize> = tasks.iter().map(|task| task.case).collect();
        // A throttled store fails all alike; any other fault may be due to one fact, which must not fail the rest.
        if tasks.len() == 1 || matches!(fault, Fault::Retryable { .. }) {
            let fault = refused(tasks, fault);
            let at = perhaps_at.map(|at| Unpublished { tenant: tenant.clone(), at });
            let unfinished = |case| Unfinished { case, fault: fault.clone(), at: at.clone() };
            return cases.into_iter().map(unfinished).collect();
        }
        let smaller: Vec<Vec<Task<'_>>> = if cases.len() > 1 {
            warn!(%tenant, %fault, "a batch failed; its messages are tried one by one");
            let tasks_of = |case| tasks.iter().filter(|task| task.case == case).copied().collect();
            cases.into_iter().map(tasks_of).collect()
        } else {
            // The facts of one message may be too much for a transaction: as many as possible are committed.
            let (first, second) = tasks.split_at(tasks.len() / 2);
            warn!(%tenant, %fault, facts = tasks.len(), "a message was refused; its halves are tried one by one");
            vec![first.to_vec(), second.to_vec()]
        };
        let mut unfinished = Vec::new();
        for tasks in smaller {
            unfinished.extend(Box::pin(self.commit_piece(tenant, &tasks, now)).await);
        }
        unfinished
    }

    /// Announces the jobs of a commit, and publishes its changes.
    async fn publish(
        &self,
        tenant: &Tenant,
        tasks: &[Task<'_>],
        committed: Committed,
        now: Timestamp,
    ) -> Vec<Unfinished> {
        let Committed { changes, waiting, raised, .. } = committed;
        announce_all(&self.ports, &raised, now).await;
        let waits = |(index, fault): (usize, Fault)| Unfinished { case: tasks[index].case, fault, at: None };
        let mut unfinished: Vec<Unfinished> = waiting.into_iter().map(waits).collect();
        let places: HashMap<String, JournalPlace> =
            changes.iter().map(|change| (change.entry.id.clone(), change.at)).collect();
        if let Err(fault) = publish::publish(&*self.ports.bus, tenant, changes).await {
            // When redelivered, the same changes are published from the journal, and nothing else happens. The rest is done
            // once the facts are committed, so this uses up no try.
            let fault = unpublished(fault);
            unfinished.extend(tasks.iter().filter_map(|task| {
                let at = Unpublished { tenant: tenant.clone(), at: *places.get(&task.fact.id)? };
                Some(Unfinished { case: task.case, fault: fault.clone(), at: Some(at) })
            }));
        }
        unfinished
    }
}

/// The facts of all cases in the order in which they are committed, in pieces that fit into a transaction. Cases with more
/// facts than fit come last, so that the others do not wait for them.
pub(super) fn in_turn<'a>(cases: &[&'a [(Tenant, Fact)]]) -> Vec<(&'a Tenant, Vec<Task<'a>>)> {
    let is_large = |task: &Task<'_>| cases[task.case].len() > FACTS;
    let mut by_tenant: BTreeMap<&Tenant, Vec<Task<'_>>> = BTreeMap::new();
    for (case, facts) in cases.iter().enumerate() {
        for (tenant, fact) in *facts {
            by_tenant.entry(tenant).or_default().push(Task { case, fact });
        }
    }
    let mut pieces: Vec<(&Tenant, Vec<Task<'_>>)> = Vec::new();
    for (tenant, mut tasks) in by_tenant {
        tasks.sort_by_key(is_large);
        let facts: Vec<&Fact> = tasks.iter().map(|task| task.fact).collect();
        pieces.extend(parts(&facts).into_iter().map(|part| (tenant, tasks[part].to_vec())));
    }
    pieces.sort_by_key(|(_, tasks)| tasks.first().is_some_and(is_large));
    pieces
}

/// Names the fact for which a commit was refused, if there is only one.
fn refused(tasks: &[Task<'_>], fault: Fault) -> Fault {
    match (tasks, fault) {
        ([task], Fault::Failed { detail }) => {
            Fault::failed(format!("what {} tells could not be committed: {detail}", task.fact.id))
        }
        (_, fault) => fault,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::commit::fact::FactKind;
    use crate::commit::origin::Origin;
    use hooktide_model::names::Via;

    fn fact() -> Fact {
        Fact {
            id: String::new(),
            origin: Arc::new(Origin::once("id".into(), "p", Timestamp::UNIX_EPOCH)),
            via: Via::Webhook,
            connection: None,
            what: FactKind::Ignored { reason: String::new() },
            warning: None,
        }
    }

    #[test]
    fn what_tells_more_than_fits_into_a_transaction_comes_after_everything_else() {
        let facts = |name: &str, count: usize| vec![(Tenant::parse(name).unwrap(), fact()); count];
        let cases = [facts("anna", 60), facts("anna", 1), facts("bert", 1), facts("bert", 1)];
        let pieces = in_turn(&cases.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let turns: Vec<(&str, usize)> = pieces.iter().map(|(tenant, tasks)| (tenant.as_str(), tasks[0].case)).collect();
        assert_eq!(turns, [("anna", 1), ("bert", 2), ("anna", 0), ("anna", 0)]);
    }
}
