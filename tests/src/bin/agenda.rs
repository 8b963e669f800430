//! Lets weeks of calendars that block each other go by: `agenda SEED DAYS`, or `agenda reference SEED DAYS` for the scenario whose
//! reads and delays are measured. Exit 1 where something is broken.

#![expect(clippy::print_stdout, reason = "a command prints")]

use std::process::ExitCode;

use hooktide_tests::agenda::flaw::Flaw;
use hooktide_tests::agenda::{Agenda, Outcome, POLLED, people, run};
use hooktide_tests::memory;
use hooktide_tests::seasons::percentile;

fn show(outcome: &Outcome, days: u64, is_reference: bool) {
    for (name, count) in &outcome.counts {
        println!("{count:>9}  {name}");
    }
    let (written, edits) = (outcome.count("calls: written"), outcome.count("edits").max(1));
    let allowed = outcome.count("writes that are allowed").max(1);
    println!("{:.2} writes for each of {edits} edits", written as f64 / edits as f64);
    println!("{:.2} writes for each target calendar and changed instance", written as f64 / allowed as f64);
    if is_reference {
        let reads = outcome.reads() / days.max(1);
        let share = 100.0 - 100.0 * reads as f64 / POLLED as f64;
        println!("{reads} reads a day in place of {POLLED}: {share:.1} % fewer");
        for (name, list) in [("the notification", &outcome.told), ("the edit, if it was lost,", &outcome.lost)] {
            let [half, most, all] = [50, 99, 100].map(|percent| percentile(list, percent));
            println!("seconds from {name} to all blocks ({}): median {half}, p99 {most}, longest {all}", list.len());
        }
    }
    if let (Some(seconds), Some(peak)) = (memory::processor_seconds(), memory::peak(std::process::id())) {
        println!("{seconds:.0} s of a processor; {peak:.0} MB at the peak");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let is_reference = std::env::args().any(|text| text == "reference");
    let people = std::env::args().find_map(|text| match text.as_str() {
        "thin" => Some(people::thin()),
        "each" => Some(people::each()),
        "merging" => Some(people::merging()),
        other => Some(people::six().into_iter().skip(other.strip_prefix("person=")?.parse().ok()?).take(1).collect()),
    });
    let is_calm = std::env::args().any(|text| text == "calm");
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let [seed, days] = numbers[..] else {
        println!("use: agenda [reference] SEED DAYS");
        return ExitCode::from(2);
    };
    let long = u32::try_from(days).unwrap_or(90);
    let flaw = Flaw::ALL.into_iter().find(|flaw| std::env::args().any(|text| text == format!("{flaw:?}")));
    let people = people.unwrap_or_else(people::six);
    let agenda = match is_reference {
        true => Agenda::reference(seed, long),
        false => {
            let lost = if is_calm { 0 } else { 10_000 };
            let rough = Agenda { rough: !is_calm, lost, ..Agenda::rough(seed, long, people) };
            flaw.map_or(rough, |flaw| Agenda::flawed(seed, flaw))
        }
    };
    let outcome = run(agenda).await;
    show(&outcome, days, is_reference);
    for broken in &outcome.broken {
        println!("broken: {broken}");
    }
    if outcome.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
