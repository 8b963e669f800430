//! Ticks: the minute's look at what is due reads in proportion to what is due, however many connections there are.

use std::sync::Arc;

use hooktide_flows::jobs::due;
use hooktide_flows::watch::{Renewer, WATCH};
use hooktide_flows::{Ports, Settings};
use hooktide_local::host::Host;
use hooktide_model::job_kind::JobKind;
use hooktide_model::tenant::Tenant;
use hooktide_store::metering::Metered;
use hooktide_store::ports::{QueueName, Source, Write};
use hooktide_store::records::job::{self, Mark};
use hooktide_tests::faults::FaultyTable;
use hooktide_tests::world::clock;
use jiff::{SignedDuration, Timestamp};

/// How much more may be read for one connection that is due.
const MOST: f64 = 1.10;
/// How many connections there are, and how many of them are due.
const CASES: [(usize, usize); 3] = [(100, 100), (1_000, 100), (10_000, 500)];

/// Who ticks.
#[derive(Debug, Clone, Copy)]
enum Ticker {
    Poller,
    Renewer,
}

/// The marks of connections, some of which are due now, and the others in an hour.
struct Marks {
    ticker: Ticker,
    host: Host,
    table: Arc<Metered<FaultyTable>>,
    now: Timestamp,
}

impl Marks {
    async fn of(ticker: Ticker, (connections, due): (usize, usize)) -> Self {
        let clock = clock();
        let mut host = Host::in_memory(7, Settings::default(), Arc::new(clock.clone())).unwrap();
        let table = Arc::new(Metered::new(FaultyTable::new(Arc::clone(&host.ports.table), Arc::default())));
        let now = host.clock.now();
        let marks: Vec<Write> = (0..connections).map(|number| mark(ticker, number, number < due, now)).collect();
        for some in marks.chunks(1_000) {
            for written in host.ports.table.write_many(some.to_vec()).await {
                written.unwrap();
            }
        }
        host.ports = Ports { table: Arc::clone(&table) as Arc<_>, ..host.ports };
        Self { ticker, host, table, now }
    }

    /// How many connections a tick at that time does something for, and how many records it looks at.
    async fn tick(&self, at: Timestamp) -> (usize, u64) {
        self.table.reset();
        let Self { ticker, host, .. } = self;
        let done = match ticker {
            Ticker::Poller => due::jobs(&host.ports, at).await.unwrap(),
            Ticker::Renewer => Renewer::new(host.ports.clone(), &host.settings, 1).tick(at, &|| false).await.unwrap(),
        };
        let counts = self.table.counts();
        // The pages of the index are the same for all; what is in them is not.
        (done, counts.due.items + counts.get.calls + counts.get_many.items + counts.query.calls)
    }
}

/// The write of a connection's mark, in a batch, which has no conditions.
fn mark(ticker: Ticker, number: usize, is_due: bool, now: Timestamp) -> Write {
    let (job, resource) = match ticker {
        Ticker::Poller => (JobKind::SYNC, format!("products/connection-{number}")),
        Ticker::Renewer => (WATCH, format!("connection-{number}")),
    };
    let at = if is_due { now } else { now + SignedDuration::from_hours(1) };
    let mark = Mark { hints: 0, ..Mark::asked(&Tenant::default_local(), job, &resource, at, now) };
    match job::store(None, &mark).unwrap() {
        Write::Put { item, .. } => Write::Put { item, condition: None },
        other => panic!("{other:?} puts no mark"),
    }
}

#[tokio::test]
async fn a_tick_reads_in_proportion_to_what_is_due_with_a_hundred_connections_as_with_ten_thousand() {
    for ticker in [Ticker::Poller, Ticker::Renewer] {
        let mut each = Vec::new();
        for (connections, due) in CASES {
            let marks = Marks::of(ticker, (connections, due)).await;
            let before = marks.tick(marks.now - SignedDuration::from_secs(1)).await;
            assert_eq!(before, (0, 0), "{ticker:?}: what is not due is not read");
            let (done, reads) = marks.tick(marks.now).await;
            assert_eq!(done, due, "{ticker:?} does what is due of {connections}");
            let reads = reads as f64 / due as f64;
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
    let marks = Marks::of(Ticker::Poller, (6_000, 6_000)).await;
    assert_eq!(marks.tick(marks.now).await.0, 6_000);
    let queues = marks.host.ports.queue.waiting().await.unwrap();
    let jobs = queues.iter().find(|queue| queue.source == Source::Queue(QueueName::Jobs)).unwrap();
    assert_eq!(jobs.ready, 6_000);
}
