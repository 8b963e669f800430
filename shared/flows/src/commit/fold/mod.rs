//! Fold: several facts about one entity, and its known state, become one state. Pure.
//!
//! States are ordered by (version, as-of, content); the greatest is current. *As-of* is when the delivery was accepted, so
//! among states with one version, where the provider's clock did not move, the one reported last is current. A repeat of
//! a delivery keeps the as-of of its first receipt: it lifts nothing. Content equal to the known content only moves
//! version and as-of.
//!
//! Invariants, whatever the order of arrival and the batches:
//!
//! - Distinct deliveries, and any repeats of them that come after their original, end in the state with the greatest
//!   (version, as-of, content), as long as no more than [`MOST`](hooktide_store::records::entity::MOST) of them report the
//!   greatest version within the time for which their provider repeats them. Beyond that, a tie changes nothing, and the
//!   source is asked.
//! - An original that comes after its repeat lowers the as-of to its own. States that lost against the repeat in between
//!   are not considered again: if there was another state of that version, the source is asked.
//! - A state that loses against one with a date after its own receipt asks the source: the other clock may be ahead.
//! - A state that is dated by receipt does not count once its provider is known to have reported a state with a date of its
//!   own after that receipt, in whatever order the two come: our clock may be ahead, and hide whatever is older than it.
//!   If both came at the same time, as in one sync, the one that is committed later counts. Whether the entity exists never
//!   depends on the order of others. Which of several present states is current may depend on it, if a newer one lost
//!   against such a state before the later report came: each state that loses against one dated by receipt asks the
//!   source, and so does a state that ends one.

use std::time::Duration;

use jiff::Timestamp;

use hooktide_model::names::Operation;
use hooktide_model::notice::{ContentHash, Version};
use hooktide_model::place::JournalPlace;
use hooktide_store::records::entity::{Entity, Identity, Part, Rank, Seen};

/// A state that a fact reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// The delivery's identity.
    pub(super) identity: Identity,
    /// The id of the origin that it came in.
    pub(super) envelope: String,
    /// Its place in the order of states.
    pub(super) rank: Rank,
    /// The key of its document.
    pub(super) hash: ContentHash,
    /// Whether the entity was deleted.
    pub(super) deleted: bool,
    /// Whether its version is the time of its receipt.
    pub(super) by_receipt: bool,
    /// Whether it ends states that are dated by an earlier receipt: the entity was restored, or existed when it was read
    /// later. A state that is itself dated by receipt ends none.
    pub(super) lifts: bool,
}

/// The verdict on a fact, against the known state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its state is the newest, and different from the known one.
    Stands,
    /// Its state is the newest: a deletion of an entity that was never known.
    Guards,
    /// The known state, reported by another delivery.
    Same,
    /// A repeat of a delivery.
    Repeat,
    /// The known state is newer, or was reported later.
    Stale,
    /// The queue delivered its envelope again; it was journaled there.
    Redelivered(JournalPlace),
}

/// The verdict on a fact, with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Judged {
    /// The verdict.
    pub(super) verdict: Verdict,
    /// The reason, where it is not obvious.
    pub(super) why: Option<&'static str>,
    /// Whether it leaves the state open, so that its source must be asked.
    pub(super) asks: bool,
}

/// The result of folding.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Folded {
    /// The verdict on each fact, in order.
    pub(super) judged: Vec<Judged>,
    /// What happened to the entity, if anything did.
    pub(super) operation: Option<Operation>,
    /// The new entity, if it must be written.
    after: Option<After>,
}

impl Folded {
    /// The version of the current state, if anything must be written.
    pub(super) fn version(&self) -> Option<Version> {
        self.after.as_ref().map(|after| after.rank.version)
    }
}

/// The new form of an entity.
#[derive(Debug, Clone, PartialEq)]
struct After {
    rank: Rank,
    by_receipt: bool,
    restored: Option<i64>,
    /// The fact that reported the current state, if none did before.
    current: Option<usize>,
    /// The parts of the facts that are remembered.
    parts: Vec<Option<Part>>,
}

const REPEAT: &str = "the same delivery was processed before";
const FIRST_TOLD: &str = "the same delivery was processed before, and was told earlier than that";
const SAME: &str = "the same state, told again";
const EARLIER: &str = "same version, told earlier";
const LATER: &str = "same version as another state, told later";
const TOO_MANY: &str = "same version, and so many told it that a repeat would not be known";
const NEWER: &str = "a newer state is known";
const NEWER_BESIDE: &str = "a newer state came at the same time";
const SINCE: &str = "older than the receipt of what is known";
const RESTORED: &str = "the entity was restored since";
const DATED: &str = "its provider has told a state with a date since";
const NEVER_KNOWN: &str = "deleted, and was never known";

/// A fact among those of its batch.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sight {
    /// A new delivery.
    New(Rank),
    /// A repeat of a delivery.
    Repeat,
    /// The queue delivered it again.
    Redelivered(JournalPlace),
}

/// Folds what facts report into what is known. With `crowded`, deliveries at the known version were forgotten that may be
/// repeated.
pub(super) fn fold(known: Option<&Entity>, told: &[Told], crowded: bool) -> Folded {
    let sights = sights(known, told);
    let new = |index: usize| match sights[index] {
        Sight::New(rank) => Some(rank),
        Sight::Repeat | Sight::Redelivered(_) => None,
    };
    let lifting = |index: &usize| told[*index].lifts && !told[*index].by_receipt;
    let lifting: Vec<(i64, usize)> =
        (0..told.len()).filter(lifting).filter_map(|index| Some((new(index)?.as_of, index))).collect();
    let last_lifting = lifting.iter().map(|(as_of, _)| *as_of).max();
    let restored_before = known.and_then(|known| known.restored);
    let restored = last_lifting.max(restored_before);
    let is_lifted = |index: usize, as_of: i64| {
        let by_other = |(at, other): &(i64, usize)| (*at, *other) > (as_of, index);
        told[index].by_receipt && (Some(as_of) < restored_before || lifting.iter().any(by_other))
    };
    let lowered = known.and_then(|known| lowered(known, told, &sights));
    let before = known.map(|known| lowered.unwrap_or(known.rank())).map(|rank| {
        // Before versions had ranks, the state was ordered by its time alone: so it is compared with what is told now.
        let told = told.iter().map(|one| one.rank.version).find(|version| version.has_rank());
        let version = told.filter(|_| !rank.version.has_rank()).map(|told| told.at(rank.version.milliseconds()));
        Rank { version: version.unwrap_or(rank.version), ..rank }
    });
    let standing = before.filter(|rank| {
        // What is known came before all that is told now.
        let is_lifted = last_lifting >= Some(rank.as_of) || restored_before > Some(rank.as_of);
        known.is_none_or(|known| !(known.counts_by_receipt() && is_lifted))
    });
    // A delivery at a crowded version may be a repeat that is not recognised any more.
    let is_doubtful = |rank: Rank| crowded && standing.is_some_and(|known| known.version == rank.version);
    let counts = |index: &usize| new(*index).filter(|rank| !is_doubtful(*rank) && !is_lifted(*index, rank.as_of));
    let mut top: Option<(Rank, Option<usize>)> = standing.map(|rank| (rank, None));
    for index in 0..told.len() {
        if let Some(rank) = counts(&index)
            && top.is_none_or(|(top, _)| rank > top)
        {
            top = Some((rank, Some(index)));
        }
    }
    let Some((top, current)) = top.or(before.map(|rank| (rank, None))) else {
        let judged = sights.iter().map(|sight| judge_seen(*sight, false, false)).collect();
        return Folded { judged, operation: None, after: None };
    };
    let by_receipt =
        current.map_or(known.is_some_and(|known| known.counts_by_receipt()), |index| told[index].by_receipt);
    let is_same = |index: usize| {
        known.is_some_and(|known| known.deleted == told[index].deleted && known.rank().content == top.content)
    };
    let differs = |rank: Rank| rank.version == top.version && rank.content != top.content;
    let is_tie = standing.is_some_and(differs) || (0..told.len()).filter_map(new).any(differs);
    let judge = |index: usize| {
        let one = &told[index];
        let (verdict, why, asks) = match sights[index] {
            Sight::Repeat | Sight::Redelivered(_) => {
                let lowers = known.is_some_and(|known| known.is_current(one.identity)) && lowered.is_some();
                let doubts = known.is_some_and(|known| known.counts_by_receipt() || known.had_rivals());
                return judge_seen(sights[index], lowers, doubts);
            }
            Sight::New(_) if current == Some(index) => {
                let why = is_tie.then_some(LATER);
                let (verdict, why) = match known {
                    _ if is_same(index) => (Verdict::Same, Some(SAME)),
                    None if one.deleted => (Verdict::Guards, Some(NEVER_KNOWN)),
                    Some(_) | None => (Verdict::Stands, why),
                };
                // Not every provider signs that an entity was restored, so the source is asked.
                let lifts = known.is_some() && standing.is_none();
                (verdict, why, is_tie || one.by_receipt || lifts)
            }
            Sight::New(rank) if is_lifted(index, rank.as_of) => {
                (Verdict::Stale, Some(if one.deleted { RESTORED } else { DATED }), true)
            }
            Sight::New(rank) if rank.version == top.version && rank.content == top.content => {
                (Verdict::Same, Some(SAME), false)
            }
            Sight::New(rank) if is_doubtful(rank) => (Verdict::Stale, Some(TOO_MANY), true),
            Sight::New(rank) if rank.version == top.version => (Verdict::Stale, Some(EARLIER), true),
            Sight::New(_) if by_receipt => (Verdict::Stale, Some(SINCE), true),
            Sight::New(rank) => {
                let newer = if standing.is_some_and(|known| rank < known) { NEWER } else { NEWER_BESIDE };
                // A state dated after this report may come from a clock that is ahead, and need not be newer.
                let is_ahead = top.version != Version::FINAL && top.version.milliseconds() > rank.as_of;
                (Verdict::Stale, Some(newer), one.by_receipt || is_ahead)
            }
        };
        Judged { verdict, why, asks }
    };
    let judged: Vec<Judged> = (0..told.len()).map(judge).collect();
    let part = |index: usize| {
        let (rank, one) = (new(index)?, &told[index]);
        (!is_doubtful(rank)).then(|| {
            (Part::STOOD.when(judged[index].verdict == Verdict::Stands))
                .and(Part::CURRENT.when(current == Some(index)))
                .and(Part::LEVEL.when(rank.version == top.version))
                .and(Part::ALWAYS.when(one.by_receipt || one.lifts))
        })
    };
    let parts: Vec<Option<Part>> = (0..told.len()).map(part).collect();
    let matters = parts.iter().flatten().any(|part| *part != Part::NONE) || lowered.is_some();
    let after = matters.then_some(After { rank: top, by_receipt, restored, current, parts });
    let stands = judged.iter().position(|judged| judged.verdict == Verdict::Stands);
    let operation = stands.map(|index| match known {
        _ if told[index].deleted => Operation::Deleted,
        Some(entity) if !entity.deleted => Operation::Updated,
        _ => Operation::Created,
    });
    Folded { judged, operation, after }
}

/// Finds the new facts and their places in the order of states: a delivery counts as reported when it was first accepted.
fn sights(known: Option<&Entity>, told: &[Told]) -> Vec<Sight> {
    let sight = |(index, one): (usize, &Told)| {
        match known.map_or(Seen::Never, |entity| entity.seen(one.identity, &one.envelope)) {
            Seen::SameEnvelope(at) => return Sight::Redelivered(at),
            Seen::OtherEnvelope => return Sight::Repeat,
            Seen::Never => {}
        }
        if told[..index].iter().any(|earlier| earlier.identity == one.identity) {
            return Sight::Repeat;
        }
        let all = told.iter().filter(|other| other.identity == one.identity);
        let as_of = all.map(|other| other.rank.as_of).min().unwrap_or(one.rank.as_of);
        Sight::New(first_told(one.rank, one.by_receipt, as_of))
    };
    told.iter().enumerate().map(sight).collect()
}

fn first_told(rank: Rank, by_receipt: bool, as_of: i64) -> Rank {
    Rank { as_of, version: if by_receipt { rank.version.at(as_of) } else { rank.version }, ..rank }
}

/// The place of the known state in the order of states, if its delivery turns out to have been accepted earlier.
fn lowered(known: &Entity, told: &[Told], sights: &[Sight]) -> Option<Rank> {
    let repeats =
        told.iter().zip(sights).filter(|(one, sight)| **sight == Sight::Repeat && known.is_current(one.identity));
    let as_of = repeats.map(|(one, _)| one.rank.as_of).min()?;
    let rank = known.rank();
    (as_of < rank.as_of).then(|| first_told(rank, known.counts_by_receipt(), as_of))
}

/// The verdict on a fact that was reported before. If it `lowers` the time of the known state, there are `doubts` if
/// another state may have lost to the time that counted so far.
fn judge_seen(sight: Sight, lowers: bool, doubts: bool) -> Judged {
    match sight {
        Sight::Redelivered(at) => Judged { verdict: Verdict::Redelivered(at), why: None, asks: false },
        Sight::New(_) | Sight::Repeat => {
            let why = Some(if lowers { FIRST_TOLD } else { REPEAT });
            Judged { verdict: Verdict::Repeat, why, asks: lowers && doubts }
        }
    }
}

/// The entity after folding, with the new deliveries remembered, and those forgotten that are older than `window`; `None`
/// if nothing must be written.
pub(super) fn entity_after(
    known: Option<&Entity>,
    told: &[Told],
    folded: &Folded,
    at: JournalPlace,
    window: Duration,
    now: Timestamp,
) -> Option<Entity> {
    let After { rank, by_receipt, restored, current, parts } = folded.after.as_ref()?;
    let changes = |index: &usize| matches!(folded.judged[*index].verdict, Verdict::Stands | Verdict::Guards);
    let mut entity = match (current.filter(changes), known) {
        (Some(index), _) => {
            let entity = Entity::new(*rank, told[index].hash, told[index].deleted, now);
            // A guard without a change is not in the journal.
            if folded.operation.is_some() { entity.changed_at_place(at) } else { entity }
        }
        (None, Some(known)) => Entity { version: rank.version, as_of: Some(rank.as_of), ..known.clone() },
        (None, None) => return None,
    };
    (entity.by_receipt, entity.restored) = (*by_receipt, *restored);
    if let Some(known) = known {
        (entity.deliveries, entity.crowded) = (known.deliveries.clone(), known.crowded);
        entity.forget(window, now);
        // If a state dated by receipt is lifted, the former version counts again.
        if rank.version > known.rank().version && !by_receipt {
            entity.relieve(Part::LEVEL);
            entity.crowded = None;
        }
        if current.is_some() {
            entity.relieve(Part::CURRENT);
        }
    }
    // The most important delivery comes last and so is remembered longest: if it is not published, it is reported again.
    let mut order: Vec<(Part, usize)> =
        parts.iter().enumerate().filter_map(|(index, part)| Some(((*part)?, index))).collect();
    order.sort_by_key(|(part, _)| (part.is_any(Part::CURRENT), *part != Part::NONE));
    for (part, index) in order {
        entity.remember(told[index].identity, &told[index].envelope, part, at, now);
    }
    Some(entity)
}

#[cfg(test)]
mod tests;
