//! Measures Hooktide, as ratios within one run, and fails where a required figure is missed.
//!
//! `make bench` runs all sections; `cargo bench -p hooktide-bench -- acceptance load` runs some. The figures' names (N1,
//! N3, ...) are those of the table that is printed at the end.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot measure ends")]
#![expect(clippy::disallowed_methods, reason = "a benchmark asks what time it is, and how it is to be run")]

mod acceptance;
mod answers;
mod blocks;
mod bodies;
mod costs;
mod document;
mod flat;
mod growth;
mod instructions;
mod load;
mod planning;
mod plot;
mod providers;
mod report;
mod rounds;
mod size;
mod syncs;

use std::process::ExitCode;

use self::report::Report;

/// All sections, in the order in which they are run.
const SECTIONS: [&str; 10] =
    ["acceptance", "providers", "load", "strangers", "costs", "growth", "syncs", "blocks", "answers", "reads"];

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // What a benchmark runs as a process of its own.
    match words.as_slice() {
        ["bare"] => {
            load::bare::serve();
            return ExitCode::SUCCESS;
        }
        ["bytes", file] => {
            load::bare::serve_bytes(file);
            return ExitCode::SUCCESS;
        }
        ["redis", address, file] => {
            answers::redis::serve(address, file);
            return ExitCode::SUCCESS;
        }
        ["accept", size, which, times] => {
            instructions::accept(size, which, times);
            return ExitCode::SUCCESS;
        }
        ["provide", id, which, times] => {
            instructions::provide(id, which, times);
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    if let Some(unknown) = words.iter().find(|word| !SECTIONS.contains(word)) {
        println!("there is no section {unknown}; there are {}", SECTIONS.join(", "));
        return ExitCode::from(2);
    }
    let mut report = Report::default();
    for section in SECTIONS.iter().filter(|section| words.is_empty() || words.contains(section)) {
        println!("measuring: {section}");
        match *section {
            "acceptance" => acceptance::measure(&mut report),
            "providers" => providers::measure(&mut report),
            "load" => load::measure(&mut report),
            "strangers" => load::strangers::measure(&mut report),
            "costs" => costs::measure(&mut report),
            "growth" => growth::measure(&mut report),
            "syncs" => syncs::measure(&mut report),
            "blocks" => blocks::measure(&mut report),
            "answers" => answers::measure(&mut report),
            "reads" => answers::measure_rates(&mut report),
            other => unreachable!("{other} is no section"),
        }
    }
    for (title, table) in &report.tables {
        println!("\n{title}\n{table}");
    }
    println!("\n{}", report.table());
    // As the other generated files.
    if words.is_empty() && std::env::var_os("HOOKTIDE_GENERATE").is_some() {
        document::write(&report, jiff::Timestamp::now());
    }
    if report.missed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
