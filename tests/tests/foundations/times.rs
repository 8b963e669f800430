//! Times: each outlasts the one that it contains.

use std::time::Duration;

use hooktide_local::queue::QueueSettings;
use hooktide_store::ports::{QueueName, Source};
use hooktide_store::records::{delivery, job};
use hooktide_store::times::{PROCESSOR, SYNCER, Times};

/// The longest batching window of a mapping.
const WINDOW: Duration = Duration::from_secs(2);

#[test]
fn a_function_ends_before_its_lease_and_the_lease_before_the_message_comes_again() {
    for (name, times) in [("processor", PROCESSOR), ("syncer", SYNCER)] {
        assert!(times.run < times.lease && times.lease < times.visibility, "{name}");
        assert!(times.busy() + times.reserve == times.run && times.reserve < times.run, "{name}");
        assert!(times.visibility >= 6 * times.run + WINDOW, "{name}");
    }
    assert_eq!((delivery::LEASE, job::LEASE), (PROCESSOR.lease, SYNCER.lease));
}

#[test]
fn the_local_host_hides_messages_for_as_long_as_the_table_of_times_says() {
    for source in Source::ALL {
        assert_eq!(QueueSettings::default().visibility_of(source), Times::of(source).visibility, "{}", source.as_str());
    }
    assert_eq!(Times::of(Source::Queue(QueueName::Jobs)), SYNCER);
    assert_eq!(Times::of(Source::Dead), PROCESSOR, "the processor files what the queues gave up on");
}
