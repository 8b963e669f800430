//! Syncs: what a large first one costs beside the commits that it ends in, and what a bulk edit leaves to others.

mod canned;
mod fairness;
mod first;

use crate::report::Report;

/// Measures.
pub(crate) fn measure(report: &mut Report) {
    first::measure(report);
    fairness::measure(report);
}
