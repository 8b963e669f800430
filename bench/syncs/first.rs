//! The first sync of a large catalog: its memory is flat, and it takes little longer than committing the same facts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_flows::commit::fact::{EntityFact, FactKind};
use hooktide_flows::commit::journal::Journal;
use hooktide_flows::commit::origin::Origin;
use hooktide_flows::commit::{Committer, Fact};
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_flows::publish;
use hooktide_local::clock::ManualClock;
use hooktide_local::host::Host;
use hooktide_model::names::{ResourceMode, Via};
use hooktide_model::notice::{EntityNotice, What};
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Reach, Task};
use hooktide_store::ports::Clock;
use hooktide_store::records::entity::Identity;
use hooktide_store::records::resource::{Resource, ResourceId};
use hooktide_store::records::{self, Upkeep};
use hooktide_tests::memory::{anonymous, resident};
use hooktide_tests::simulated::connection;
use hooktide_tests::world::{World, clock};
use serde_json::json;
use tempfile::TempDir;

use super::canned::{Canned, PAGE};
use crate::report::{Report, Verdict, grouped};

/// How many pages the catalog has.
const PAGES: usize = 1_000;
/// After how many of them memory is looked at first.
const FIRST_LOOK: usize = PAGES / 4;
/// How much more memory there may be at the end.
const FLAT: f64 = 1.10;
/// How much longer the sync may take than the commits.
const MOST: f64 = 1.5;
/// Between two looks at what is due.
const SOON: Duration = Duration::from_secs(3);

/// Measures.
pub(super) fn measure(report: &mut Report) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let clock = clock();
    let canned = Arc::new(Canned::new(PAGES, clock.clone()));
    // The first run makes the pages.
    runtime.block_on(async { Place::new(&canned, &clock).await.sync(&canned, Some(1)).await });
    let (committed, facts) = runtime.block_on(async { Place::new(&canned, &clock).await.commit(&canned).await });
    let (synced, looks) = runtime.block_on(async { Place::new(&canned, &clock).await.sync(&canned, None).await });
    let items = grouped((PAGES * PAGE) as f64);
    let seconds = |took: Duration| format!("{:.1} s", took.as_secs_f64());
    report.show("S3", &format!("committing {} facts from memory", grouped(facts as f64)), seconds(committed));
    report.show("S3", &format!("first sync of {items} items"), seconds(synced));
    let ratio = synced.as_secs_f64() / committed.as_secs_f64();
    report.judge("S3", "  times as long", format!("{ratio:.2}"), "at most 1.50", Verdict::Required(ratio <= MOST));
    let what = format!("  memory after a quarter, and at the end of {items} items (of it no file's)");
    match looks.as_slice() {
        [(first, first_anonymous), (last, last_anonymous)] => {
            let figure = format!("{first:.1} ({first_anonymous:.1}), {last:.1} ({last_anonymous:.1}) MB");
            let flat = *last <= first * FLAT;
            report.judge("S3", &what, figure, "flat: at most 10 % more", Verdict::Required(flat));
        }
        _ => report.show("S3", &what, "not measured: there is no /proc".to_owned()),
    }
}

/// A world on disk that is connected to a catalog and has not read it yet.
struct Place {
    world: World,
    clock: ManualClock,
    id: ResourceId,
    _folder: TempDir,
}

impl Place {
    async fn new(canned: &Arc<Canned>, clock: &ManualClock) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Calls are not what is measured.
        let settings = Settings::default();
        let opened = Host::open(folder.path(), settings.clone(), Arc::new(clock.clone()));
        let mut host = opened.unwrap_or_else(|error| panic!("{error}"));
        host.ports.http = Arc::clone(canned) as Arc<_>;
        host.syncer = Arc::new(Syncer::new(host.ports.clone(), &settings));
        let world = World::over(Arc::new(host), clock.clone(), Options::default()).await;
        let square = hooktide_providers::by_id("square").expect("a provider");
        let made = world.post("/v1/connections", connection(square, &json!({}))).await.expect(201);
        let id = ResourceId::new(made["id"].as_str().expect("an id"), "catalog");
        Self { world, clock: clock.clone(), id, _folder: folder }
    }

    async fn resource(&self) -> Option<Resource> {
        let key = self.id.key(&Tenant::default_local());
        let stored = records::get::<Resource>(&*self.world.host.ports.table, &key).await.expect("a table");
        stored.map(|stored| stored.record)
    }

    /// Syncs until the catalog is read, or so many pages of it; the time that the runs took, and the memory on the way.
    async fn sync(self, _canned: &Canned, pages: Option<usize>) -> (Duration, Vec<(f64, f64)>) {
        let (mut took, mut looks) = (Duration::ZERO, Vec::new());
        loop {
            let began = Instant::now();
            self.world.host.sweep_jobs().await.expect("jobs are sent");
            self.world.tick().await;
            took += began.elapsed();
            self.clock.advance(SOON);
            let resource = self.resource().await;
            let is_done = resource.as_ref().is_some_and(|resource| resource.cursor.is_some());
            let read = resource.and_then(|resource| resource.reading).map_or(0, |reading| reading.pages as usize);
            if is_done || (looks.is_empty() && read >= FIRST_LOOK) {
                let process = std::process::id();
                looks.extend(resident(process).zip(anonymous(process)));
            }
            if is_done || pages.is_some_and(|pages| read >= pages) {
                return (took, looks);
            }
        }
    }

    /// Commits the facts of all pages, page by page with the record of the resource; the time that it took, and the number of
    /// facts.
    async fn commit(self, canned: &Canned) -> (Duration, usize) {
        let host = &self.world.host;
        let (tenant, now) = (Tenant::default_local(), self.clock.now());
        let journal = Arc::new(Journal::new(&host.ports, &host.settings));
        let committer = Committer::new(host.ports.clone(), &host.settings, journal);
        let (mut took, mut count) = (Duration::ZERO, 0);
        let mut resource = Resource::new(&self.id, ResourceMode::Polling);
        for (number, page) in canned.pages().iter().enumerate() {
            let facts = self.facts(number, page);
            count += facts.len();
            let facts: Vec<&Fact> = facts.iter().collect();
            resource.count_calls(1, now);
            let rev = (number > 0).then_some(number as u64);
            let record = records::replace(&self.id.key(&tenant), rev, &resource, Upkeep::default()).expect("a write");
            let began = Instant::now();
            let committed =
                committer.commit(&tenant, &facts, &[record], now).await.unwrap_or_else(|_| panic!("a commit"));
            publish::announce(&host.ports, &tenant, committed).await.expect("the bus takes it");
            took += began.elapsed();
        }
        (took, count)
    }

    fn facts(&self, number: usize, page: &bytes::Bytes) -> Vec<Fact> {
        let now = self.clock.now();
        let square = hooktide_providers::by_id("square").expect("a provider");
        let settings = Default::default();
        let task = Task {
            account: Some(square.profile().sample_account),
            settings: &settings,
            resource: &self.id.name,
            part: None,
            reach: Reach::Everything,
            cursor: None,
            api: "",
            now,
        };
        let source = square.source().expect("a source");
        let read = source.read(&task, &[http::Response::new(page.clone())]).expect("a page");
        let origin = Arc::new(Origin::once(format!("commit-{}-{number}", self.id), square.id(), now));
        let facts = read.facts.into_iter().filter_map(|what| match what {
            What::Entity(notice) => Some(notice),
            _ => None,
        });
        let fact = |(place, notice): (usize, EntityNotice)| {
            let identity = Identity::new(square.id(), &self.id.connection, &format!("{number}/{place}"));
            let entity = EntityFact::new(notice, &self.id.connection, identity, &origin).expect("a fact");
            Fact {
                id: format!("{}-{place}", origin.id),
                origin: Arc::clone(&origin),
                via: Via::Full,
                connection: Some(self.id.connection.clone()),
                what: FactKind::Entity(Box::new(entity)),
                warning: None,
            }
        };
        facts.enumerate().map(fact).collect()
    }
}
