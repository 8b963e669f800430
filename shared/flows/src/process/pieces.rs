//! Pieces: in which order works are committed, and how many at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use tracing::warn;

use super::commit::{Committed, Uncommitted};
use super::work::Work;
use super::{Processor, unpublished};
use crate::publish;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::records::entity::Journaled;

/// How much of letters one transaction takes, in bytes: DynamoDB's has four megabytes.
const COMMIT_BYTES: usize = 2 * 1024 * 1024;
/// How many notices one transaction takes: with their tags and the journal, well under DynamoDB's hundred items.
const COMMIT: usize = 25;

/// An envelope that has to come again.
pub(super) struct Unfinished {
    /// Its place in the batch.
    pub(super) envelope: usize,
    /// Why.
    pub(super) fault: Fault,
    /// Where its entries are in the journal, if they are.
    pub(super) at: Option<Journaled>,
}

impl Processor {
    /// Commits some works of one tenant; each envelope that has to come again, and why.
    pub(super) async fn commit_chunk(&self, tenant: &Tenant, works: &[Work], now: Timestamp) -> Vec<Unfinished> {
        let Uncommitted { fault, perhaps_at } = match self.commit(tenant, works, now).await {
            Ok(Committed { changes, waiting }) => {
                let waiting = waiting.into_iter().map(|(envelope, fault)| Unfinished { envelope, fault, at: None });
                let mut unfinished: Vec<Unfinished> = waiting.collect();
                let told: HashMap<String, Journaled> =
                    changes.iter().map(|change| (change.entry.id.clone(), change.at)).collect();
                if let Err(fault) = publish::publish(&*self.ports.bus, tenant, changes).await {
                    // Taken up again, the same changes are published from where they are journaled, and nothing else
                    // happens. What is committed is done with but for that, so it uses up no try.
                    let fault = unpublished(fault);
                    let untold = works.iter().filter_map(|work| Some((work, *told.get(&work.id)?)));
                    unfinished.extend(untold.map(|(work, at)| Unfinished {
                        envelope: work.envelope,
                        fault: fault.clone(),
                        at: Some(at),
                    }));
                }
                return unfinished;
            }
            Err(uncommitted) => uncommitted,
        };
        let envelopes: BTreeSet<usize> = works.iter().map(|work| work.envelope).collect();
        // A throttled store fails all alike; anything else may be the fault of one, which must not take the rest along.
        if works.len() == 1 || matches!(fault, Fault::Retryable { .. }) {
            let fault = refused(works, fault);
            let unfinished = |envelope| Unfinished { envelope, fault: fault.clone(), at: perhaps_at };
            return envelopes.into_iter().map(unfinished).collect();
        }
        let parts: Vec<Vec<Work>> = if envelopes.len() > 1 {
            warn!(%tenant, %fault, "a batch failed; its messages are tried one by one");
            let of = |index| works.iter().filter(|work| work.envelope == index).cloned().collect();
            envelopes.into_iter().map(of).collect()
        } else {
            // What one message tells may be too much for a transaction: what can be committed is.
            let (first, second) = works.split_at(works.len() / 2);
            warn!(%tenant, %fault, works = works.len(), "a message was refused; its halves are tried one by one");
            vec![first.to_vec(), second.to_vec()]
        };
        let mut faults = Vec::new();
        for part in parts {
            faults.extend(Box::pin(self.commit_chunk(tenant, &part, now)).await);
        }
        faults
    }
}

/// The works in the order in which they are committed, in pieces that fit into a transaction: what tells so much that it does
/// not fit comes last, so that the others do not wait for it.
pub(super) fn in_turn(by_tenant: &mut BTreeMap<Tenant, Vec<Work>>) -> Vec<(&Tenant, &[Work])> {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for work in by_tenant.values().flatten() {
        *counts.entry(work.envelope).or_default() += 1;
    }
    let is_large = |work: &Work| counts.get(&work.envelope).is_some_and(|count| *count > COMMIT);
    by_tenant.values_mut().for_each(|works| works.sort_by_key(is_large));
    let mut pieces: Vec<(&Tenant, &[Work])> = Vec::new();
    for (tenant, works) in &*by_tenant {
        pieces.extend(pieces_of(works).into_iter().map(|piece| (tenant, piece)));
    }
    pieces.sort_by_key(|(_, piece)| piece.first().is_some_and(is_large));
    pieces
}

/// Works in pieces of so many, and of so many bytes, as one transaction takes.
fn pieces_of(mut works: &[Work]) -> Vec<&[Work]> {
    let mut pieces = Vec::new();
    while !works.is_empty() {
        let mut bytes = 0;
        let fits = works.iter().take(COMMIT).take_while(|work| {
            bytes += work.bytes();
            bytes <= COMMIT_BYTES
        });
        let (piece, rest) = works.split_at(fits.count().max(1));
        pieces.push(piece);
        works = rest;
    }
    pieces
}

/// A fault of a commit that was refused for what one notice tells, with which it was.
fn refused(works: &[Work], fault: Fault) -> Fault {
    match (works, fault) {
        ([work], Fault::Failed { detail }) => {
            Fault::failed(format!("what {} tells could not be committed: {detail}", work.id))
        }
        (_, fault) => fault,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::commit::origin::Origin;
    use crate::process::work::{Effect, Unclaimed};
    use hooktide_model::envelope::{Envelope, EnvelopeKind, Handshake};
    use hooktide_model::fault::ErrorClass;
    use hooktide_store::records::dead_letter::DeadLetter;
    use hooktide_store::records::endpoint;
    use hooktide_store::records::entity::Identity;

    /// A work that keeps so many bytes.
    fn work(envelope: usize, bytes: usize) -> Work {
        let handshake = Handshake { provider: "p".into(), endpoint: "e".into(), code: String::new() };
        let of = Envelope::new("id".into(), EnvelopeKind::Handshake(handshake), Timestamp::UNIX_EPOCH);
        let letter = DeadLetter::of(&of, ErrorClass::UnknownAccount, "", Timestamp::UNIX_EPOCH).unwrap();
        let letter = Arc::new(DeadLetter { message: "x".repeat(bytes), ..letter });
        let unclaimed = Unclaimed { key: endpoint::route_key("p", "e", "a"), rev: None };
        Work {
            envelope,
            id: String::new(),
            origin: Arc::new(Origin::of(&of, Duration::ZERO)),
            connection: None,
            warning: None,
            identity: Identity::new("p", "c", "d"),
            effect: Effect::Hold { account: "a".into(), letter, unclaimed },
        }
    }

    #[test]
    fn a_piece_has_so_many_works_and_so_many_bytes_at_the_most() {
        let sizes = |works: &[Work]| pieces_of(works).into_iter().map(<[Work]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&(0..60).map(|n| work(n, 10)).collect::<Vec<_>>()), [25, 25, 10]);
        assert_eq!(sizes(&(0..20).map(|n| work(n, 300 * 1024)).collect::<Vec<_>>()), [6, 6, 6, 2]);
        assert_eq!(
            sizes(&[work(0, COMMIT_BYTES + 1), work(1, 1)]),
            [1, 1],
            "one that never fits is tried all the same"
        );
    }

    #[test]
    fn what_tells_more_than_fits_into_a_transaction_comes_after_everything_else() {
        let of = |name: &str, works: Vec<Work>| (Tenant::parse(name).unwrap(), works);
        let large = (0..60).map(|_| work(0, 10));
        let mut works = BTreeMap::from([
            of("anna", large.chain([work(1, 10)]).collect()),
            of("bert", vec![work(2, 10), work(3, 10)]),
        ]);
        let turns: Vec<(String, usize)> =
            in_turn(&mut works).into_iter().map(|(tenant, piece)| (tenant.to_string(), piece[0].envelope)).collect();
        let expected = [("anna", 1), ("bert", 2), ("anna", 0), ("anna", 0)];
        assert_eq!(turns.iter().map(|(tenant, first)| (tenant.as_str(), *first)).collect::<Vec<_>>(), expected);
    }
}
