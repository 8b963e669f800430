use proptest::prelude::*;

use super::*;

mod receipts;

const AT: JournalPlace = JournalPlace { lane: 0, position: 1 };
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A state that delivery `delivery` told at `as_of`, in an envelope of its own.
fn told(delivery: u32, version: i64, as_of: i64, content: u8) -> Told {
    Told {
        identity: Identity::new("p", "c", &delivery.to_string()),
        envelope: format!("{delivery} at {as_of}"),
        rank: Rank { version: Version(version), as_of, content: ContentHash([content; 16]) },
        hash: ContentHash([content; 16]),
        deleted: false,
        by_receipt: false,
        lifts: false,
    }
}

/// A deletion that is dated by its receipt.
fn gone(delivery: u32, as_of: i64) -> Told {
    let told = told(delivery, as_of, as_of, 0xff);
    Told { hash: ContentHash::DELETED, deleted: true, by_receipt: true, ..told }
}

/// A deletion that has a date.
fn dated(delivery: u32, version: i64) -> Told {
    Told { hash: ContentHash::DELETED, deleted: true, ..told(delivery, version, 10, 0xff) }
}

fn restored(delivery: u32, version: i64, as_of: i64, content: u8) -> Told {
    Told { lifts: true, ..told(delivery, version, as_of, content) }
}

/// A state that is dated by its receipt, although the entity is there.
fn undated(delivery: u32, as_of: i64, content: u8) -> Told {
    Told { by_receipt: true, ..told(delivery, as_of, as_of, content) }
}

fn after(known: Option<Entity>, told: &[Told]) -> Option<Entity> {
    let crowded = known.as_ref().is_some_and(|known| known.is_crowded(Duration::MAX, NOW));
    let folded = fold(known.as_ref(), told, crowded);
    entity_after(known.as_ref(), told, &folded, AT, Duration::MAX, NOW).or(known)
}

fn all(batches: &[&[Told]]) -> Option<Entity> {
    batches.iter().fold(None, |known, batch| after(known, batch))
}

/// What is said of a notice that comes after others.
fn then(before: &[Told], next: &Told) -> (Judged, Option<Operation>) {
    let known = before.iter().fold(None, |known, one| after(known, std::slice::from_ref(one)));
    let folded = fold(known.as_ref(), std::slice::from_ref(next), false);
    (folded.judged[0], folded.operation)
}

#[test]
fn what_comes_after_others_is_judged_by_version_then_by_when_it_was_told() {
    let first = told(1, 5, 10, 1);
    let (processed, updated) = (Verdict::Stands, Some(Operation::Updated));
    for (name, before, next, verdict, operation, why, asks) in [
        ("first", vec![], first.clone(), processed, Some(Operation::Created), None, false),
        ("newer", vec![first.clone()], told(2, 6, 11, 2), processed, updated, None, false),
        (
            "older than what is dated ahead",
            vec![told(1, 50, 10, 1)],
            told(2, 11, 11, 2),
            Verdict::Stale,
            None,
            Some(NEWER),
            true,
        ),
        (
            "older than what is dated now",
            vec![told(1, 11, 11, 1)],
            told(2, 9, 11, 2),
            Verdict::Stale,
            None,
            Some(NEWER),
            false,
        ),
        ("older", vec![first.clone()], told(2, 4, 11, 2), Verdict::Stale, None, Some(NEWER), false),
        ("a tie, told later", vec![first.clone()], told(2, 5, 11, 0), processed, updated, Some(LATER), true),
        ("a tie, told earlier", vec![first.clone()], told(2, 5, 9, 2), Verdict::Stale, None, Some(EARLIER), true),
        ("a tie, told at once", vec![first.clone()], told(2, 5, 10, 2), processed, updated, Some(LATER), true),
        ("a repeat", vec![first.clone()], told(1, 5, 99, 1), Verdict::Repeat, None, Some(REPEAT), false),
        ("told again", vec![first.clone()], told(2, 5, 11, 1), Verdict::Same, None, Some(SAME), false),
        ("a newer time only", vec![first.clone()], told(2, 6, 11, 1), Verdict::Same, None, Some(SAME), false),
        ("deleted", vec![first.clone()], gone(2, 11), processed, Some(Operation::Deleted), None, true),
        ("deleted, and unknown", vec![], gone(1, 11), Verdict::Guards, None, Some(NEVER_KNOWN), true),
        ("deleted with a date, and unknown", vec![], dated(1, 5), Verdict::Guards, None, Some(NEVER_KNOWN), false),
        ("deleted for ever, and unknown", vec![], dated(1, i64::MAX), Verdict::Guards, None, Some(NEVER_KNOWN), false),
        (
            "there before a date of deletion",
            vec![dated(1, 8)],
            told(2, 5, 11, 1),
            Verdict::Stale,
            None,
            Some(NEWER),
            false,
        ),
        (
            "there after a date of deletion",
            vec![dated(1, 5)],
            told(2, 6, 11, 1),
            processed,
            Some(Operation::Created),
            None,
            false,
        ),
        ("deleted again", vec![gone(1, 11)], gone(2, 12), Verdict::Same, None, Some(SAME), true),
        ("deleted before a newer state", vec![told(1, 20, 9, 1)], gone(2, 11), Verdict::Stale, None, Some(NEWER), true),
        (
            "there before the deletion",
            vec![first.clone(), gone(2, 11)],
            told(3, 8, 12, 1),
            Verdict::Stale,
            None,
            Some(SINCE),
            true,
        ),
        (
            "there after the deletion",
            vec![first.clone(), gone(2, 11)],
            told(3, 12, 13, 1),
            processed,
            Some(Operation::Created),
            None,
            false,
        ),
        (
            "restored",
            vec![first.clone(), gone(2, 11)],
            restored(3, 8, 12, 1),
            processed,
            Some(Operation::Created),
            None,
            true,
        ),
        (
            "restored before",
            vec![first.clone(), gone(2, 11)],
            restored(3, 8, 10, 1),
            Verdict::Stale,
            None,
            Some(SINCE),
            true,
        ),
        (
            "deleted before it was restored",
            vec![restored(1, 8, 12, 1)],
            gone(2, 11),
            Verdict::Stale,
            None,
            Some(RESTORED),
            true,
        ),
        (
            "deleted after it was restored",
            vec![restored(1, 8, 12, 1)],
            gone(2, 13),
            processed,
            Some(Operation::Deleted),
            None,
            true,
        ),
    ] {
        assert_eq!(then(&before, &next), (Judged { verdict, why, asks }, operation), "{name}");
    }
}

#[test]
fn the_newest_of_a_batch_stands_and_the_others_are_stale() {
    let folded = fold(None, &[told(1, 1, 1, 1), told(2, 3, 2, 1), told(3, 2, 3, 1)], false);
    let verdicts: Vec<Verdict> = folded.judged.iter().map(|judged| judged.verdict).collect();
    assert_eq!(verdicts, [Verdict::Stale, Verdict::Stands, Verdict::Stale]);
    assert_eq!(folded.operation, Some(Operation::Created));
}

#[test]
fn a_repeat_in_the_same_batch_is_a_duplicate_and_counts_from_the_first() {
    let batch = [told(1, 1, 9, 1), told(1, 1, 3, 1)];
    let folded = fold(None, &batch, false);
    assert_eq!((folded.judged[0].verdict, folded.judged[1].verdict), (Verdict::Stands, Verdict::Repeat));
    assert_eq!(after(None, &batch).unwrap().rank().as_of, 3);
}

#[test]
fn what_stands_is_remembered_however_much_came_with_it() {
    let batch: Vec<Told> = (0..25).map(|n| told(n, if n == 0 { 100 } else { i64::from(n) }, 1, 1)).collect();
    let entity = after(None, &batch).unwrap();
    assert_eq!(entity.seen(batch[0].identity, &batch[0].envelope), Seen::SameEnvelope(AT));
    assert_eq!(entity.seen(batch[1].identity, &batch[1].envelope), Seen::Never, "of the others, the last");
}

#[test]
fn what_differs_only_in_its_time_moves_the_guard_and_not_the_document() {
    let first = told(1, 5, 10, 1);
    let again = Told { hash: ContentHash([7; 16]), ..told(2, 6, 11, 1) };
    let entity = all(&[std::slice::from_ref(&first), &[again]]).unwrap();
    assert_eq!((entity.version, entity.rank().as_of, entity.document_hash()), (Version(6), 11, first.hash));
    let entity = after(Some(entity), &[told(3, 5, 12, 2)]).unwrap();
    assert_eq!(entity.version, Version(6), "what lies in between is stale");
}

#[test]
fn a_guard_keeps_the_place_of_the_last_change() {
    let entity = all(&[&[told(1, 5, 10, 1)], &[gone(2, 11)], &[gone(3, 12)]]).unwrap();
    assert_eq!(entity.last_change(), Some(AT), "the next change comes after the deletion");
}

#[test]
fn a_repeat_lifts_no_state_over_another() {
    let (one, other) = (told(1, 5, 10, 1), told(2, 5, 11, 2));
    let entity = all(&[&[one], &[other], &[told(1, 5, 99, 1)]]).unwrap();
    assert_eq!(entity.rank().content, ContentHash([2; 16]));
    // The other one lost, and is remembered all the same.
    let entity = all(&[&[told(2, 5, 11, 2)], &[told(1, 5, 10, 1)], &[told(1, 5, 99, 1)]]).unwrap();
    assert_eq!(entity.rank().content, ContentHash([2; 16]));
}

#[test]
fn an_original_that_comes_after_its_repeat_counts_and_asks_where_another_state_may_have_lost() {
    let (repeat, original) = (told(1, 5, 99, 1), told(1, 5, 10, 1));
    let judged = |before: &[Told]| then(before, &original).0;
    let counts = |asks| Judged { verdict: Verdict::Repeat, why: Some(FIRST_TOLD), asks };
    assert_eq!(judged(std::slice::from_ref(&repeat)), counts(false), "nobody told anything else");
    assert_eq!(judged(&[told(2, 4, 50, 0), repeat.clone()]), counts(false), "nor at its version");
    assert_eq!(judged(&[repeat.clone(), told(2, 5, 50, 0)]), counts(true), "it lost to the repeat");
    assert_eq!(then(&[gone(1, 99)], &gone(1, 10)).0, counts(true), "what came in between may have lost to its receipt");
    let entity = all(&[&[repeat], &[original], &[told(2, 5, 50, 0)]]).unwrap();
    assert_eq!(entity.rank().content, ContentHash([0; 16]));
}

#[test]
fn ties_beyond_what_is_remembered_change_nothing_and_ask() {
    let many = u32::try_from(hooktide_store::records::entity::MOST).unwrap();
    let mut known = None;
    for n in 0..=many {
        known = after(known, &[told(n, 5, i64::from(n), u8::try_from(n % 200).unwrap())]);
    }
    let stands = known.as_ref().unwrap().rank();
    assert_eq!(stands.as_of, i64::from(many));
    let folded = fold(known.as_ref(), &[told(0, 5, 9_999, 0)], true);
    assert_eq!(folded.judged[0], Judged { verdict: Verdict::Stale, why: Some(TOO_MANY), asks: true });
    let known = after(known, &[told(0, 5, 9_999, 0)]).unwrap();
    assert_eq!(known.rank(), stands, "it was a repeat that nobody could tell from another tie");
    let known = after(Some(known), &[told(9_000, 6, 10_000, 1)]).unwrap();
    let known = after(Some(known), &[told(9_001, 6, 10_001, 2)]).unwrap();
    assert_eq!(known.rank().as_of, 10_001, "at the next version ties count again");
}

#[test]
fn nothing_comes_after_a_final_deletion() {
    let deleted = told(1, i64::MAX, 1, 0xff);
    let deleted = Told { hash: ContentHash::DELETED, deleted: true, ..deleted };
    for late in [told(2, i64::MAX - 1, 9, 9), restored(3, 8, 9, 9)] {
        let (judged, _) = then(std::slice::from_ref(&deleted), &late);
        assert_eq!((judged.verdict, judged.why), (Verdict::Stale, Some(NEWER)));
    }
}

/// Deliveries as (version, content), each told at a time of its own; which is a deletion or another state dated by receipt, or
/// restores.
fn deliveries(kinds: u8) -> impl Strategy<Value = Vec<Told>> {
    prop::collection::vec((0_i64..12, 0_u8..3, 0..kinds), 1..12).prop_map(move |all| {
        let delivery = |(n, (version, content, kind)): (usize, (i64, u8, u8))| {
            let (id, as_of) = (u32::try_from(n).unwrap(), i64::try_from(n).unwrap());
            match kind {
                1 => gone(id, as_of),
                2 => restored(id, version, as_of, content),
                3 => undated(id, as_of, content),
                _ => told(id, if kinds == 1 { version % 3 } else { version }, as_of, content),
            }
        };
        all.into_iter().enumerate().map(delivery).collect()
    })
}

/// In the order of `keys`, with repeats of some after their original, cut into batches.
fn arrive(told: &[Told], keys: &[u16], repeats: &[(u8, u8)], cuts: &[usize]) -> Option<Entity> {
    let mut order: Vec<(u16, Told)> = keys.iter().copied().zip(told.iter().cloned()).collect();
    order.sort_by_key(|(key, _)| *key);
    let mut order: Vec<Told> = order.into_iter().map(|(_, told)| told).collect();
    for (number, (which, later)) in repeats.iter().enumerate() {
        let original = usize::from(*which) % order.len();
        let place = original + 1 + usize::from(*later) % (order.len() - original);
        let as_of = 100 + i64::try_from(number).unwrap();
        let first = order[original].clone();
        let version = if first.by_receipt { Version(as_of) } else { first.rank.version };
        let repeat =
            Told { envelope: format!("repeat {number}"), rank: Rank { version, as_of, ..first.rank }, ..first };
        order.insert(place, repeat);
    }
    let mut known = None;
    let (mut rest, mut cuts) = (&order[..], cuts.iter().cycle());
    while !rest.is_empty() {
        let (batch, later) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
        known = after(known, batch);
        rest = later;
    }
    known
}

proptest! {
    #[test]
    fn any_order_batching_and_duplication_ends_in_the_same_state(
        told in deliveries(1),
        keys in prop::collection::vec(any::<u16>(), 12),
        repeats in prop::collection::vec(any::<(u8, u8)>(), 0..8),
        cuts in prop::collection::vec(1_usize..4, 12),
    ) {
        let greatest = told.iter().map(|told| told.rank).max();
        let entity = arrive(&told, &keys, &repeats, &cuts);
        prop_assert_eq!(entity.map(|entity| entity.rank()), greatest);
    }

    #[test]
    fn whether_an_entity_is_there_or_gone_never_depends_on_the_order(
        told in deliveries(5),
        keys in prop::collection::vec(any::<u16>(), 12),
        repeats in prop::collection::vec(any::<(u8, u8)>(), 0..8),
        cuts in prop::collection::vec(1_usize..4, 12),
    ) {
        let restored = told.iter().filter(|told| told.lifts).map(|told| told.rank.as_of).max();
        let counts = |told: &&Told| !told.by_receipt || Some(told.rank.as_of) > restored;
        let deleted = told.iter().filter(counts).max_by_key(|told| told.rank).is_some_and(|told| told.deleted);
        let entity = arrive(&told, &keys, &repeats, &cuts).unwrap();
        prop_assert_eq!(entity.deleted, deleted);
    }
}
