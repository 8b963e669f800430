//! Calendars that block each other, over days of virtual time. See `hooktide_tests::agenda`.

use hooktide_tests::agenda::flaw::Flaw;
use hooktide_tests::agenda::{Agenda, people, run};

#[tokio::test]
async fn blocks_are_those_that_there_should_be_whatever_is_lost_cut_off_or_out() {
    let outcome = run(Agenda::rough(1, 7, people::thin())).await;
    assert_eq!(outcome.broken, [""; 0], "{:#?}", outcome.counts);
}

#[tokio::test]
async fn merged_blocks_cover_what_they_should_whatever_is_lost_cut_off_or_out() {
    let outcome = run(Agenda::rough(1, 7, people::merging())).await;
    assert_eq!(outcome.broken, [""; 0], "{:#?}", outcome.counts);
}

#[tokio::test]
async fn flaws_are_found() {
    for flaw in Flaw::ALL {
        let mut found = None;
        for seed in 1..=6 {
            let outcome = run(Agenda::flawed(seed, flaw)).await;
            found = found.or(outcome.broken.first().cloned());
            if found.is_some() {
                break;
            }
        }
        assert!(found.is_some(), "{flaw:?} is not found");
    }
}
