//! How many files the system lets this process open, and so how many connections it can hold.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is kept for the data folder, the log, the way out and blobs.
const OTHERS: u64 = 64;
/// The fewest connections that are worth serving.
const LEAST: u64 = 16;

/// As many connections as are wanted, or as the system allows. Its limit is raised first, as far as it may be.
pub(super) fn connections(wanted: u32) -> u32 {
    let needed = u64::from(wanted) + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    let raised = raised(limit, needed);
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(_) => limit.current,
    };
    let bound = fitting(u64::from(wanted), allowed);
    if bound < u64::from(wanted) {
        tracing::info!(
            connections = bound,
            files = allowed,
            "fewer connections than set can be held; raise the limit of open files (`ulimit -n`) for more"
        );
    }
    u32::try_from(bound).unwrap_or(wanted)
}

/// The limit with as many open files as are needed, or as may be.
fn raised(limit: Rlimit, needed: u64) -> Rlimit {
    let possible = limit.maximum.map_or(needed, |most| most.min(needed));
    Rlimit { current: limit.current.map(|current| current.max(possible)), ..limit }
}

fn fitting(wanted: u64, allowed: Option<u64>) -> u64 {
    allowed.map_or(wanted, |files| wanted.min(files.saturating_sub(OTHERS).max(LEAST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_bounds_connections() {
        let limit = |current, maximum| Rlimit { current, maximum };
        for (before, after, connections) in [
            (limit(Some(1_024), Some(1_048_576)), Some(4_160), 4_096),
            (limit(Some(1_024), Some(2_048)), Some(2_048), 1_984),
            (limit(Some(256), Some(256)), Some(256), 192),
            (limit(Some(20_000), Some(20_000)), Some(20_000), 4_096),
            (limit(Some(70), Some(70)), Some(70), 16),
            (limit(Some(1_024), None), Some(4_160), 4_096),
            (limit(None, None), None, 4_096),
        ] {
            let raised = raised(before, 4_096 + OTHERS);
            assert_eq!((raised.current, raised.maximum), (after, before.maximum));
            assert_eq!(fitting(4_096, raised.current), connections);
        }
    }
}
