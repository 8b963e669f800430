//! Lets a season go by: `seasons SEED DAYS ITEMS EDITS_A_DAY`. Exit 1 where something is broken.

#![expect(clippy::print_stdout, reason = "a command prints")]

use std::process::ExitCode;

use hooktide_tests::seasons::{Season, percentile, run};

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
    for broken in outcome.broken.iter().take(20) {
        println!("broken: {broken}");
    }
    if outcome.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
