//! States that are dated by their receipt, and what ends them.

use super::*;

#[test]
fn what_is_read_or_restored_later_counts_before_what_is_dated_by_its_receipt() {
    let (created, updated, deleted) = (Operation::Created, Operation::Updated, Operation::Deleted);
    for (name, before, next, expected) in [
        ("gone, and restored", gone(1, 11), restored(2, 8, 12, 1), Ok(created)),
        ("gone, and restored at that time", gone(1, 12), restored(2, 8, 12, 1), Ok(created)),
        ("gone, and restored before", gone(1, 11), restored(2, 8, 10, 1), Err(SINCE)),
        ("undated, and read later with an older date", undated(1, 11, 1), restored(2, 8, 12, 2), Ok(updated)),
        ("undated, and read at that time", undated(1, 12, 1), restored(2, 8, 12, 2), Ok(updated)),
        ("undated, and read before", undated(1, 11, 1), restored(2, 8, 10, 2), Err(SINCE)),
        ("undated, and told later with an older date", undated(1, 11, 1), told(2, 8, 12, 2), Err(SINCE)),
        ("restored, and gone", restored(1, 8, 12, 1), gone(2, 13), Ok(deleted)),
        ("restored, and gone at that time", restored(1, 8, 12, 1), gone(2, 12), Ok(deleted)),
        ("restored, and gone before", restored(1, 8, 12, 1), gone(2, 11), Err(RESTORED)),
        ("read, and undated", restored(1, 8, 12, 1), undated(2, 13, 2), Ok(updated)),
        ("read, and undated before", restored(1, 8, 12, 1), undated(2, 11, 2), Err(DATED)),
    ] {
        let (judged, operation) = then(&[before], &next);
        match expected {
            Ok(expected) => assert_eq!((judged.verdict, operation), (Verdict::Stands, Some(expected)), "{name}"),
            Err(why) => {
                assert_eq!((judged.verdict, judged.why, operation), (Verdict::Stale, Some(why), None), "{name}")
            }
        }
        assert!(judged.asks, "{name}: not every provider signs that it is so");
    }
}

#[test]
fn a_state_whose_date_is_disbelieved_ends_no_other_and_is_not_ended_by_itself() {
    let disbelieved = Told { lifts: true, ..undated(1, 12, 1) };
    let later = told(2, 8, 13, 2);
    assert_eq!(then(std::slice::from_ref(&disbelieved), &later).0.verdict, Verdict::Stale, "it stands");
    let (judged, operation) = then(&[gone(3, 11)], &disbelieved);
    assert_eq!((judged.verdict, operation), (Verdict::Stands, Some(Operation::Created)), "by its receipt alone");
    assert_eq!(then(&[gone(3, 13)], &disbelieved).0.verdict, Verdict::Stale);
    let read = restored(4, 8, 14, 2);
    assert_eq!(then(&[disbelieved], &read).0.verdict, Verdict::Stands, "a date that is believed ends it");
}

#[test]
fn of_what_came_at_the_same_time_in_one_batch_the_later_counts() {
    let (lifts, ends) = (restored(1, 8, 12, 1), gone(2, 12));
    for (batch, deleted) in [([lifts.clone(), ends.clone()], true), ([ends, lifts], false)] {
        let entity = after(None, &batch).unwrap();
        assert_eq!((entity.deleted, entity.restored), (deleted, Some(12)), "{batch:?}");
        let stale = told(3, 9, 13, 2);
        assert_eq!(after(Some(entity), &[stale]).unwrap().deleted, deleted, "which a later report does not change");
    }
}
