//! Runs the simulation: `simulate SEED STEPS [--hash]`. Exit 1 where something is broken, with the shortest failing prefix
//! and the command that repeats it.

#![expect(clippy::print_stdout, reason = "a command prints")]

use std::process::ExitCode;

use hooktide_tests::simulation::{Run, run, shortest_failing};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut number = |name: &str| {
        let text = arguments.next().unwrap_or_default();
        text.parse::<u64>().map_err(|_| format!("{name} is {text:?}; use: simulate SEED STEPS [--hash]"))
    };
    let (seed, steps) = match (number("SEED"), number("STEPS")) {
        (Ok(seed), Ok(steps)) => (seed, steps),
        (Err(wrong), _) | (_, Err(wrong)) => {
            println!("{wrong}");
            return ExitCode::from(2);
        }
    };
    let only_hash = arguments.next().is_some();
    let what = Run { seed, steps, mutation: None };
    let outcome = run(what);
    if only_hash {
        println!("{}", outcome.hash);
    } else {
        for (name, count) in &outcome.counts {
            println!("{count:>9}  {name}");
        }
        println!("seed {seed}, {steps} steps, trace {}", outcome.hash);
    }
    if outcome.broken.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nbroken:");
    for broken in outcome.broken.iter().take(20) {
        println!("  {broken}");
    }
    println!("\nthe shortest prefix that fails: make simulate SEED={seed} STEPS={}", shortest_failing(what));
    ExitCode::FAILURE
}
