//! What a receiver keeps of what it accepted: nothing. In a process of its own, since memory is a process's.

use hooktide_tests::memory::resident;
use hooktide_tests::receiving::Mixed;

/// How many deliveries are accepted before memory is looked at.
const WARMING: usize = 20_000;
/// How many at the end.
const ALL: usize = 100_000;
/// How much memory may have grown meanwhile.
const FLAT: f64 = 1.10;

#[tokio::test]
async fn memory_stays_flat_over_mixed_deliveries() {
    let mixed = Mixed::new().await;
    let mut before = 0.0;
    for number in 0..ALL {
        if number == WARMING {
            before = resident(std::process::id()).unwrap();
        }
        mixed.receive(number).await;
    }
    let after = resident(std::process::id()).unwrap();
    assert!(after <= before * FLAT, "{before} MB after {WARMING} deliveries, {after} MB after {ALL}");
}
