//! Ticks: the minute's look at what is due reads in proportion to what is due, however many connections there are.

use std::sync::Arc;

use hooktide_flows::jobs::due;
use hooktide_flows::watch::{Renewer, WATCH};
use hooktide_flows::{Ports, Settings};
use hooktide_local::host::Host;
use hooktide_model::job_kind::JobKind;
use hooktide_model::tenant::Tenant;
use hooktide_store::metering::Metered;
use hooktide_store::ports::{QueueName, Write};
use hooktide_store::records::job::{self, Mark};
use hooktide_tests::faults::FaultyTable;
use hooktide_tests::world::clock;
use jiff::{SignedDuration, Timestamp};

/// How much more may be read for one connection that is due.
const MOST: f64 = 1.10;

/// Who ticks.
#[derive(Debug, Clone, Copy)]
enum Ticker {
    Poller,
    Renewer,
}

impl Ticker {
    /// A connection's job.
    fn job(self) -> JobKind {
        match self {
            Self::Poller => JobKind::SYNC,
            Self::Renewer => WATCH,
        }
    }

    async fn tick(self, ports: &Ports, settings: &Settings, now: Timestamp) -> usize {
        match self {
            Self::Poller => due::jobs(ports, now).await.unwrap(),
            Self::Renewer => Renewer::new(ports.clone(), settings, 1).tick(now, &|| false).await.unwrap(),
        }
    }
}

/// How many records a tick looks at with so many connections, so many of which are due.
async fn read(ticker: Ticker, connections: usize, due: usize) -> f64 {
    let clock = clock();
    let mut host = Host::in_memory(7, Settings::default(), Arc::new(clock.clone())).unwrap();
    let table = Arc::new(Metered::new(FaultyTable::new(Arc::clone(&host.ports.table), Arc::default())));
    host.ports = Ports { table: Arc::clone(&table) as Arc<_>, ..host.ports };
    let (tenant, now) = (Tenant::default_local(), host.clock.now());
    let marks = (0..connections).map(|number| {
        let resource = match ticker {
            Ticker::Poller => format!("products/connection-{number}"),
            Ticker::Renewer => format!("connection-{number}"),
        };
        let at = if number < due { now } else { now + SignedDuration::from_hours(1) };
        let mark = Mark { hints: 0, ..Mark::asked(&tenant, ticker.job(), &resource, at, now) };
        job::store(None, &mark).unwrap()
    });
    let marks: Vec<Write> = marks.collect();
    for some in marks.chunks(1_000) {
        for written in host.ports.table.write_many(some.iter().cloned().map(unconditional).collect()).await {
            written.unwrap();
        }
    }
    table.reset();
    let done = ticker.tick(&host.ports, &host.settings, now).await;
    assert_eq!(done, due, "{ticker:?} does what is due of {connections}");
    if matches!(ticker, Ticker::Poller) {
        assert_eq!(host.ports.queue.waiting().await.unwrap()[place_of_jobs()].ready, due as u64);
    }
    // The pages of the index are the same for all; what is in them is not.
    let counts = table.counts();
    (counts.due.items + counts.get.calls + counts.get_many.items + counts.query.calls) as f64
}

/// Batches of writes have no conditions.
fn unconditional(write: Write) -> Write {
    match write {
        Write::Put { item, .. } => Write::Put { item, condition: None },
        other => other,
    }
}

fn place_of_jobs() -> usize {
    use hooktide_store::ports::Source;
    Source::ALL.iter().position(|source| *source == Source::Queue(QueueName::Jobs)).unwrap()
}

#[tokio::test]
async fn a_tick_reads_in_proportion_to_what_is_due_with_a_hundred_connections_as_with_ten_thousand() {
    for ticker in [Ticker::Poller, Ticker::Renewer] {
        for connections in [100, 10_000] {
            assert_eq!(read(ticker, connections, 0).await, 0.0, "{ticker:?}: what is not due is not read");
        }
        let mut each = Vec::new();
        for (connections, due) in [(100, 100), (1_000, 100), (1_000, 500), (10_000, 100), (10_000, 500)] {
            let reads = read(ticker, connections, due).await / due as f64;
            println!("{ticker:?}: {due} of {connections} due: {reads:.3} reads each");
            each.push(reads);
        }
        let least = each.iter().copied().fold(f64::MAX, f64::min);
        let most = each.iter().copied().fold(0.0, f64::max);
        assert!(most <= least * MOST, "{ticker:?}: {each:?}");
    }
}

#[tokio::test]
async fn as_many_as_are_polled_each_minute_are_sent_in_one_tick() {
    assert!(read(Ticker::Poller, 6_000, 6_000).await > 0.0);
}
