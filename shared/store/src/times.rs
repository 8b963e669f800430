//! Times: how long a run of a function may take, and what follows from that for leases and messages.
//!
//! A lease outlasts the run that holds it, so that nobody takes over what is still worked on. A message stays hidden for
//! longer than the lease, and for at least six runs and the batching window, as Lambda asks for. The template and the
//! local host are compared with this table by tests.

use std::time::Duration;

use crate::ports::{QueueName, Source};

/// The times of one function, and of the queues that it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The longest time that a run may take.
    pub run: Duration,
    /// How long before its end a run takes up nothing more, so that what it took up before ends in time.
    pub reserve: Duration,
    /// How long a run holds what it works on.
    pub lease: Duration,
    /// How long a message that was received stays hidden from others.
    pub visibility: Duration,
}

/// The processor, and everything that commits beside jobs.
pub const PROCESSOR: Times =
    Times { run: seconds(30), reserve: seconds(5), lease: seconds(40), visibility: seconds(200) };
/// The syncer, which does jobs. A question to a provider may take fifteen seconds, and what came is then committed.
pub const SYNCER: Times =
    Times { run: seconds(60), reserve: seconds(20), lease: seconds(70), visibility: seconds(380) };

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Times {
    /// How long a run takes up more.
    pub const fn busy(&self) -> Duration {
        self.run.saturating_sub(self.reserve)
    }

    /// The times of whatever works on messages of this source.
    pub const fn of(source: Source) -> Self {
        match source {
            Source::Queue(QueueName::Jobs) => SYNCER,
            Source::Queue(QueueName::Notices | QueueName::Priority) | Source::Dead => PROCESSOR,
        }
    }
}
