//! The one table of who does which kind of job: a kind more is a file and a line here.

use jiff::Timestamp;

use super::announce;
use super::task::Runner;
use crate::Ports;
use hooktide_model::job_kind::JobKind;
use hooktide_store::records::job::Mark;

/// All kinds of jobs that this code does. A job of any other kind waits for code that knows it.
pub static RUNNERS: &[&Runner] = &[
    &crate::erase::RUNNER,
    &crate::follow::busy::planner::RUNNER,
    &crate::follow::busy::writer::RUNNER,
    &crate::privacy::RUNNER,
    &crate::publish::RUNNER,
    &crate::recount::RUNNER,
    &crate::replay::RUNNER,
    &crate::rollup::RUNNER,
    &crate::steer::RUNNER,
    &crate::sync::RUNNER,
];

/// The runner of a kind, if this code has one.
pub(crate) fn runner(kind: &JobKind) -> Option<&'static Runner> {
    RUNNERS.iter().copied().find(|runner| runner.kind == *kind)
}

/// Announces the jobs of stored marks, except those of kinds that no code does yet: their marks wait.
pub(crate) async fn announce_all(ports: &Ports, marks: &[Mark], now: Timestamp) {
    for mark in marks.iter().filter(|mark| runner(&mark.job).is_some()) {
        announce::announce(ports, mark, now).await;
    }
}
