//! What the core keeps of what it was told: nothing. In a process of its own, since memory is a process's.

use std::fs;

use hooktide_core::ports::Clock;
use hooktide_core::verified;
use hooktide_tests::deliveries::Sender;
use hooktide_tests::world;

/// How many deliveries are verified and parsed before memory is looked at.
const WARMING: usize = 20_000;
/// How many at the end.
const ALL: usize = 100_000;
/// How much memory may have grown meanwhile.
const FLAT: f64 = 1.10;

/// The resident memory of this process, in kB.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

#[test]
fn memory_stays_flat_over_mixed_deliveries() {
    let now = world::clock().now();
    let (senders, mut deliveries) = (Sender::all(), Vec::new());
    // One of each topic, in turn by provider, so that each provider has its share.
    let most = senders.iter().map(|sender| sender.provider.topics().len()).max().unwrap();
    for turn in 0..most {
        for sender in &senders {
            let topics = sender.provider.topics();
            deliveries.push((sender, sender.opened(), sender.delivery(topics[turn % topics.len()].name, 1, now)));
        }
    }
    let mut before = 0.0;
    for (index, (sender, secrets, request)) in deliveries.iter().cycle().take(ALL).enumerate() {
        if index == WARMING {
            before = resident();
        }
        let verified = verified::open(sender.provider, request, &sender.url, secrets, now);
        let notices = sender.provider.parse(&verified.unwrap()).unwrap();
        assert!(!notices.is_empty(), "{}: a delivery tells something", sender.provider.id());
    }
    let after = resident();
    assert!(after <= before * FLAT, "{before} kB after {WARMING} deliveries, {after} kB after {ALL}");
}
