//! Instructions of an own share and of its floor, counted by valgrind: they repeat where times do not.

use std::process::Command;

use crate::acceptance::Acceptance;
use crate::providers::Typical;

/// How often it is run under valgrind: the difference of two runs is without the start.
const TIMES: [u32; 2] = [20, 120];

/// Runs the floor or the own share of acceptance so many times; what [`compare`] lets valgrind run.
pub(crate) fn accept(size: &str, which: &str, times: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let acceptance = runtime.block_on(Acceptance::new(size.parse().expect("a size")));
    repeat(times, || if which == "own" { acceptance.own() } else { acceptance.floor() });
}

/// The same of a provider's typical delivery.
pub(crate) fn provide(id: &str, which: &str, times: &str) {
    let typical = Typical::of_provider(id).expect("a provider");
    repeat(times, || if which == "own" { typical.own() } else { typical.floor() });
}

fn repeat(times: &str, call: impl Fn()) {
    (0..times.parse::<u32>().expect("a number")).for_each(|_| call());
}

/// The instructions of the floor and of the own share of that work, or why they were not counted.
pub(crate) fn compare(work: [&str; 2]) -> Result<[f64; 2], String> {
    Ok([per_call(work, "floor")?, per_call(work, "own")?])
}

fn per_call(work: [&str; 2], which: &str) -> Result<f64, String> {
    let [few, many] = TIMES.map(|times| counted(work, which, times));
    Ok((many? - few?) / f64::from(TIMES[1] - TIMES[0]))
}

fn counted(work: [&str; 2], which: &str, times: u32) -> Result<f64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(work)
        .args([which, &times.to_string()])
        .output()
        .map_err(|_| "valgrind is not installed".to_owned())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let figure = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    figure.ok_or_else(|| format!("valgrind counted nothing: {}", said.lines().last().unwrap_or_default()))
}
