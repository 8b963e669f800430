//! Lets a season go by: `seasons SEED DAYS ITEMS EDITS_A_DAY`. Exit 1 where something is broken.

#![expect(clippy::print_stdout, reason = "a command prints")]

use std::process::ExitCode;

use hooktide_tests::memory;
use hooktide_tests::seasons::{Outcome, Season, percentile, run};

/// What syncs cost, and which of them webhooks saved.
fn show_shares(outcome: &Outcome, days: u64) {
    let kinds = ["activity: full sync of", "activity: poll of", "activity: probe of", "activity: sync of"];
    // What no provider tells of is polled by design, and no part of this.
    let told = |kind: &str| outcome.sum(kind) - outcome.sum(&format!("{kind} (by design)"));
    let syncs: u64 = kinds.iter().map(|kind| told(kind)).sum();
    let share = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
    let (first, notices) = (outcome.count("notices at the first try"), outcome.count("notices"));
    println!("{:.2} % of {notices} notices processed at the first try", share(first, notices));
    println!("{:.2} % of {syncs} syncs by polling", share(told("activity: poll of"), syncs));
    println!("{} calls a day", outcome.sum("calls of ") / days.max(1));
    if let (Some(seconds), Some(peak)) = (memory::processor_seconds(), memory::peak(std::process::id())) {
        println!(
            "{:.2} ms of a processor for each sync, its share of all else included; {peak:.0} MB at the peak",
            1000.0 * seconds / syncs.max(1) as f64
        );
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let [seed, days, items, edits_a_day] = numbers[..] else {
        println!("use: seasons SEED DAYS ITEMS EDITS_A_DAY");
        return ExitCode::from(2);
    };
    let season = Season {
        seed,
        days: u32::try_from(days).unwrap_or(90),
        only: None,
        calendars: 9,
        items: usize::try_from(items).unwrap_or(5_000),
        edits_a_day: u32::try_from(edits_a_day).unwrap_or(50),
        rough: true,
        flaw: None,
    };
    let outcome = run(season).await;
    for (name, count) in &outcome.counts {
        println!("{count:>9}  {name}");
    }
    for (name, list) in [("told", &outcome.told), ("lost", &outcome.lost)] {
        let [half, most, all] = [50, 99, 100].map(|percent| percentile(list, percent));
        println!(
            "seconds from an edit to its change, {name} ({}): median {half}, p99 {most}, longest {all}",
            list.len()
        );
    }
    show_shares(&outcome, days);
    for broken in outcome.broken.iter().take(20) {
        println!("broken: {broken}");
    }
    if outcome.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
