//! Fold: several notices of one thing, and what is known of it, become one state. Pure.
//!
//! States are ordered by version, then by content hash; the largest ever seen stands. That makes folding commutative,
//! associative and idempotent: any order and any duplication of the same notices ends in the same state.

use std::time::Duration;

use jiff::Timestamp;

use crate::names::Operation;
use crate::notice::{ContentHash, Version};
use crate::records::entity::{Entity, Identity, Journaled, Seen};

/// A state that a notice told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// The delivery's identity.
    pub(super) identity: Identity,
    /// The envelope that it came in.
    pub(super) envelope: String,
    /// Where the state stands.
    pub(super) version: Version,
    /// The hash of its content.
    pub(super) hash: ContentHash,
    /// Whether the thing is gone.
    pub(super) deleted: bool,
}

/// What a notice is, against what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its state is the newest and stands.
    Stands,
    /// It is a repeat; says of what.
    Duplicate(&'static str),
    /// A newer state is known; says since when.
    Stale(&'static str),
    /// The queue delivered its envelope again; it was journaled there.
    Redelivered(Journaled),
}

/// What comes of folding.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Folded {
    /// What each notice is, in order.
    pub(super) verdicts: Vec<Verdict>,
    /// What happened to the thing, if anything did.
    pub(super) operation: Option<Operation>,
}

/// Folds what notices told into what is known.
pub(super) fn fold(known: Option<&Entity>, told: &[Told]) -> Folded {
    let mut best = known.map(|entity| (entity.version, entity.content_hash()));
    let mut standing: Option<usize> = None;
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(told.len());
    for (index, notice) in told.iter().enumerate() {
        let seen = known.map_or(Seen::Never, |entity| entity.seen(notice.identity, &notice.envelope));
        let repeated = told[..index].iter().any(|earlier| earlier.identity == notice.identity);
        let state = (notice.version, notice.hash);
        let verdict = match (seen, best) {
            (Seen::SameEnvelope(journaled), _) => Verdict::Redelivered(journaled),
            (Seen::OtherEnvelope, _) => Verdict::Duplicate("the same delivery was processed before"),
            (Seen::Never, _) if repeated => Verdict::Duplicate("the same delivery was processed before"),
            (Seen::Never, Some(best)) if state == best => Verdict::Duplicate("the same state is known"),
            (Seen::Never, Some(best)) if state < best => Verdict::Stale("a newer state is known"),
            (Seen::Never, _) => {
                best = Some(state);
                if let Some(earlier) = standing.replace(index) {
                    verdicts[earlier] = Verdict::Stale("a newer state came at the same time");
                }
                Verdict::Stands
            }
        };
        verdicts.push(verdict);
    }
    let operation = standing.map(|index| match known {
        _ if told[index].deleted => Operation::Deleted,
        Some(entity) if !entity.deleted => Operation::Updated,
        _ => Operation::Created,
    });
    Folded { verdicts, operation }
}

/// The entity after folding, with the new deliveries remembered, and those forgotten that are older than `window`; `None` if nothing new stands.
pub(super) fn entity_after(
    known: Option<&Entity>,
    told: &[Told],
    folded: &Folded,
    at: Journaled,
    window: Duration,
    now: Timestamp,
) -> Option<Entity> {
    let standing = folded.verdicts.iter().position(|verdict| *verdict == Verdict::Stands)?;
    let state = &told[standing];
    let mut entity = Entity::new(state.version, state.hash, state.deleted, now);
    if let Some(known) = known {
        entity.deliveries = known.deliveries.clone();
        entity.forget(window, now);
    }
    // The one that stands comes last and so is remembered longest: should the bus not hear of it, it is told again.
    let others = (0..told.len()).filter(|index| *index != standing);
    for index in others.chain([standing]) {
        let notice = &told[index];
        let repeated = told[..index].iter().any(|earlier| earlier.identity == notice.identity);
        let known_before = known.is_some_and(|entity| entity.seen(notice.identity, &notice.envelope) != Seen::Never);
        if !repeated && !known_before {
            entity.remember(notice.identity, &notice.envelope, index == standing, at, now);
        }
    }
    Some(entity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AT: Journaled = Journaled { lane: 0, position: 1 };

    fn told(delivery: u32, envelope: u32, version: i64, content: u8) -> Told {
        Told {
            identity: Identity::new("p", "c", &delivery.to_string()),
            envelope: format!("e{envelope}"),
            version: Version(version),
            hash: ContentHash([content; 16]),
            deleted: false,
        }
    }

    fn after(known: Option<Entity>, told: &[Told]) -> Option<Entity> {
        let folded = fold(known.as_ref(), told);
        entity_after(known.as_ref(), told, &folded, AT, Duration::MAX, Timestamp::UNIX_EPOCH).or(known)
    }

    #[test]
    fn the_newest_of_a_batch_stands_and_the_others_are_stale() {
        let folded = fold(None, &[told(1, 1, 1, 1), told(2, 2, 3, 1), told(3, 3, 2, 1)]);
        assert!(matches!(folded.verdicts[..], [Verdict::Stale(_), Verdict::Stands, Verdict::Stale(_)]));
        assert_eq!(folded.operation, Some(Operation::Created));
    }

    #[test]
    fn a_repeat_in_the_same_batch_is_a_duplicate() {
        let folded = fold(None, &[told(1, 1, 1, 1), told(1, 2, 1, 1)]);
        assert!(matches!(folded.verdicts[..], [Verdict::Stands, Verdict::Duplicate(_)]));
    }

    #[test]
    fn what_stands_is_remembered_however_much_came_with_it() {
        let batch: Vec<Told> = (0..25).map(|n| told(n, n, if n == 0 { 100 } else { i64::from(n) }, 1)).collect();
        let entity = after(None, &batch).unwrap();
        assert_eq!(entity.seen(batch[0].identity, &batch[0].envelope), Seen::SameEnvelope(AT));
        assert_eq!(entity.seen(batch[1].identity, &batch[1].envelope), Seen::Never, "of the others, the last");
    }

    #[test]
    fn of_equal_versions_the_larger_content_hash_stands() {
        let known = after(None, &[told(1, 1, 5, 1)]);
        let larger = fold(known.as_ref(), &[told(2, 2, 5, 2)]);
        assert_eq!((larger.verdicts[0], larger.operation), (Verdict::Stands, Some(Operation::Updated)));
        let known = after(None, &[told(2, 2, 5, 2)]);
        assert!(matches!(fold(known.as_ref(), &[told(1, 1, 5, 1)]).verdicts[0], Verdict::Stale(_)));
    }

    #[test]
    fn nothing_comes_after_a_final_deletion() {
        let gone = Told { version: Version::FINAL, hash: ContentHash::DELETED, deleted: true, ..told(1, 1, 0, 0) };
        let known = after(None, &[gone]);
        assert!(matches!(fold(known.as_ref(), &[told(2, 2, i64::MAX - 1, 9)]).verdicts[0], Verdict::Stale(_)));
    }

    proptest! {
        #[test]
        fn any_order_batching_and_duplication_ends_in_the_same_state(
            mut notices in prop::collection::vec((0_u32..8, 0_i64..4, 0_u8..3), 1..12),
            cuts in prop::collection::vec(1_usize..4, 12),
            seed in any::<u64>(),
        ) {
            let newest = notices.iter().map(|(_, version, content)| (*version, *content)).max();
            notices.extend(notices.clone());
            let count = notices.len();
            for index in 0..count {
                notices.swap(index, (seed as usize).wrapping_mul(31).wrapping_add(index * 7) % count);
            }
            let mut known = None;
            let mut rest = &notices[..];
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (batch, later) = rest.split_at((*cut).min(rest.len()));
                // The identity stands for the signed bytes, so it determines version and content.
                let batch: Vec<Told> = batch.iter().enumerate()
                    .map(|(n, (_, version, content))| {
                        told(u32::try_from(*version * 8).unwrap() + u32::from(*content), u32::try_from(later.len() * 100 + n).unwrap(), *version, *content)
                    })
                    .collect();
                known = after(known, &batch);
                rest = later;
            }
            let known = known.unwrap();
            prop_assert_eq!(Some((known.version.0, known.hash[0])), newest);
        }
    }
}
