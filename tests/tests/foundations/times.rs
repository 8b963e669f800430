//! Times: each outlasts the one that it contains.

use std::time::Duration;

use hooktide_local::queue::QueueSettings;
use hooktide_store::records::{delivery, job};

#[test]
fn a_function_ends_before_its_lease_and_the_lease_before_the_message_comes_again() {
    const FUNCTION: Duration = Duration::from_secs(30);
    const WINDOW: Duration = Duration::from_secs(2);
    let visibility = QueueSettings::default().visibility;
    for lease in [job::LEASE, delivery::LEASE] {
        assert!(FUNCTION < lease && lease < visibility);
    }
    assert!(visibility >= 6 * FUNCTION + WINDOW);
}
