//! Seasons: accounts at simulated providers, over days of virtual time. See `hooktide_tests::seasons`.

use hooktide_tests::seasons::{Flaw, Outcome, Season, percentile, run};

fn season(seed: u64) -> Season {
    Season { seed, days: 4, only: None, items: 20, calendars: 3, edits_a_day: 60, rough: true, flaw: None }
}

/// Faults that every season of some length has.
const FAULTS: [&str; 6] = [
    "fault: credentials expire",
    "fault: a listing is empty",
    "fault: a notification comes twice",
    "fault: a notification is lost",
    "fault: a provider is out",
    "fault: a run is cut off",
];

#[tokio::test]
async fn nothing_is_lost_and_nothing_unwatched_whatever_is_lost_cut_off_or_out() {
    let mut all = Outcome::default();
    for seed in [1, 2, 3, 4] {
        let outcome = run(season(seed)).await;
        assert_eq!(outcome.broken, [""; 0], "seed {seed}");
        for (name, count) in outcome.counts {
            *all.counts.entry(name).or_default() += count;
        }
        all.told.extend(outcome.told);
        all.lost.extend(outcome.lost);
    }
    for fault in FAULTS {
        assert!(all.count(fault) > 0, "{fault} never happened: {:#?}", all.counts);
    }
    assert!(percentile(&all.told, 95) <= 30, "what was told is known within 30 s: {:?}", all.told);
    assert!(!all.lost.is_empty() && percentile(&all.lost, 100) <= 8 * 3600, "{:?}", all.lost);
    assert!(all.count("notices at the first try") * 100 > all.count("notices") * 90, "{:#?}", all.counts);
}

#[tokio::test]
async fn the_same_seed_does_the_same() {
    let [one, other] = [run(Season { days: 1, ..season(5) }).await, run(Season { days: 1, ..season(5) }).await];
    assert_eq!((one.counts, one.told), (other.counts, other.told));
}

#[tokio::test]
async fn flaws_are_found() {
    for flaw in Flaw::ALL {
        let mut found = None;
        for seed in 1..=4 {
            let outcome = run(Season { flaw: Some(flaw), days: 3, ..season(seed) }).await;
            if let Some(broken) = outcome.broken.first() {
                found = Some(broken.clone());
                break;
            }
        }
        assert!(found.is_some(), "{flaw:?} is not found");
    }
}

/// Ten calendars with fifty changes a day: polled each quarter of an hour by the three others that each is compared with, they would
/// cost 2,880 reads a day.
#[tokio::test]
async fn webhooks_cost_a_twentieth_of_the_reads_that_polling_would() {
    let season = Season {
        days: 4,
        only: Some("google-calendar"),
        items: 30,
        calendars: 9,
        edits_a_day: 50,
        rough: false,
        ..season(1)
    };
    let outcome = run(season).await;
    assert_eq!(outcome.broken, [""; 0]);
    let days = u64::from(season.days) + 1;
    let calls = outcome.sum("calls of ") / days;
    let polled = outcome.count("activity: poll of") + outcome.count("activity: poll of (failed)");
    let by_design = outcome.count("activity: poll of (by design)");
    println!("{calls} reads a day in place of 2,880; {} edits, {polled} polls", outcome.count("edits"));
    println!("{by_design} polls of the calendar of holidays, about which Google sends nothing");
    assert!(outcome.count("edits") > 40 * u64::from(season.days), "{:#?}", outcome.counts);
    assert!(calls * 20 <= 2_880, "{calls} reads a day: {:#?}", outcome.counts);
    assert_eq!(polled, 0, "nothing is polled in mode webhook");
    assert!(by_design > 8 * days, "a poll every two hours at the least: {by_design}");
    assert!(percentile(&outcome.told, 100) <= 30, "{:?}", outcome.told);
}

/// Webhooks that carry the state ring no sync. That they come has to count all the same: a few that got lost over weeks must not
/// add up to a subscription that is given up.
#[tokio::test]
async fn a_resource_that_webhooks_tell_of_is_hardly_ever_polled_though_some_get_lost() {
    let season = Season { days: 60, only: Some("shopify"), items: 10, edits_a_day: 12, ..season(1) };
    let outcome = run(season).await;
    assert_eq!(outcome.broken, [""; 0]);
    let syncs: u64 = ["poll of", "probe of", "full sync of", "sync of"]
        .iter()
        .map(|kind| outcome.sum(&format!("activity: {kind}")))
        .sum();
    let polls = outcome.sum("activity: poll of");
    assert!(outcome.count("fault: a notification is lost") > 4, "{:#?}", outcome.counts);
    assert!(polls * 20 < syncs, "{polls} polls among {syncs} syncs: {:#?}", outcome.counts);
}
