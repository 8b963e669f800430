//! Instructions of acceptance, counted by valgrind: they repeat where times do not.

use std::process::Command;

use crate::acceptance::Acceptance;

/// How often acceptance is run under valgrind: the difference of two runs is without the start.
const TIMES: [u32; 2] = [20, 120];

/// Runs the floor or the own share so many times; what [`compare`] lets valgrind run.
pub(crate) fn repeat(which: &str, size: &str, times: &str) {
    let (size, times): (usize, u32) = (size.parse().expect("a size"), times.parse().expect("a number"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let acceptance = runtime.block_on(Acceptance::new(size));
    for _ in 0..times {
        if which == "own" { acceptance.own() } else { acceptance.floor() }
    }
}

/// The instructions of the floor and of the own share, or why they were not counted.
pub(crate) fn compare(size: usize) -> Result<[f64; 2], String> {
    Ok([per_call("floor", size)?, per_call("own", size)?])
}

fn per_call(which: &str, size: usize) -> Result<f64, String> {
    let [few, many] = TIMES.map(|times| counted(which, size, times));
    Ok((many? - few?) / f64::from(TIMES[1] - TIMES[0]))
}

fn counted(which: &str, size: usize, times: u32) -> Result<f64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["accept", which, &size.to_string(), &times.to_string()])
        .output()
        .map_err(|_| "valgrind is not installed".to_owned())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let figure = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    figure.ok_or_else(|| format!("valgrind counted nothing: {}", said.lines().last().unwrap_or_default()))
}
