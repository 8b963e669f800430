//! K2: what finding out costs which blocks a person needs, for five calendars that block each other, and that an edit of one event
//! costs as much among 2,000 events as among 200.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_flows::commit::fact::{EntityFact, FactKind};
use hooktide_flows::commit::journal::Journal;
use hooktide_flows::commit::origin::Origin;
use hooktide_flows::commit::{Committer, Fact};
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_local::clock::ManualClock;
use hooktide_local::host::Host;
use hooktide_model::envelope::{Envelope, EnvelopeKind};
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{Kind, ResourceMode, Via};
use hooktide_model::notice::{Document, EntityNotice, State, Version};
use hooktide_model::part;
use hooktide_model::tenant::Tenant;
use hooktide_store::metering::Metered;
use hooktide_store::ports::{Clock, QueueName, Table};
use hooktide_store::records::entity::Identity;
use hooktide_store::records::resource::{Resource, ResourceId};
use hooktide_store::records::{self, Upkeep};
use hooktide_tests::plain_table::PlainTable;
use hooktide_tests::simulated::connection;
use hooktide_tests::world::{World, clock};
use jiff::SignedDuration;
use serde_json::json;

use crate::report::{Report, Verdict, grouped};

/// How many calendars the person has.
const CALENDARS: usize = 5;
/// How many events each of them has, at first and later.
const EVENTS: [usize; 2] = [200, 2_000];
/// How many days they are spread over.
const DAYS: usize = 55;
/// How many facts are committed at once.
const PAGE: usize = 100;
/// How much more an edit may read among more events.
const MOST: f64 = 1.10;

/// The job that looks at events.
const LOOKS: JobKind = JobKind::named("busy");
/// The calendar of each account.
const CALENDAR: &str = "/calendars/anna/main/";

/// Measures.
pub(crate) fn measure(report: &mut Report) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let edits = EVENTS.map(|events| runtime.block_on(one_size(report, events)));
    let ratio = edits[1] / edits[0];
    let figure = format!("{ratio:.2} times as much");
    report.judge(
        "K2",
        "read for an edit, among ten times as many events",
        figure,
        "at most 1.10",
        Verdict::Required(ratio <= MOST),
    );
}

/// Plans for a person with so many events in each calendar; what is read for an edit of one of them.
async fn one_size(report: &mut Report, events: usize) -> f64 {
    let mut place = Place::new().await;
    for calendar in 0..CALENDARS {
        place.fill(calendar, events).await;
    }
    let first = place.look().await;
    place.clock.advance(Duration::from_secs(26 * 3600));
    let night = place.look().await;
    place.commit(0, vec![event(0, 1)]).await;
    place.clock.advance(Duration::from_secs(60));
    let edit = place.look().await;
    let told =
        |spent: &Spent| format!("{:.0} ms, {} records read", spent.took.as_secs_f64() * 1e3, grouped(spent.read));
    let of = format!("{CALENDARS} calendars of {} events", grouped(events as f64));
    report.show("K2", &format!("planning all blocks of {of}"), told(&first));
    report.show("K2", "  the same in a night in which nothing changed", told(&night));
    report.show("K2", "  one event that moved", told(&edit));
    edit.read
}

/// What looks at events cost.
#[derive(Debug, Default)]
struct Spent {
    took: Duration,
    read: f64,
}

/// A person whose calendars block each other; nothing is written there.
struct Place {
    world: World,
    clock: ManualClock,
    table: Arc<Metered<PlainTable>>,
    committer: Committer,
    connections: Vec<String>,
    version: i64,
}

impl Place {
    async fn new() -> Self {
        let (clock, settings) = (clock(), Settings::default());
        let mut host = Host::in_memory(7, settings.clone(), Arc::new(clock.clone())).expect("a host");
        let table = Arc::new(Metered::new(PlainTable::default()));
        host.ports.table = Arc::clone(&table) as Arc<dyn Table>;
        host.syncer = Arc::new(Syncer::new(host.ports.clone(), &settings));
        let committer = Committer::new(host.ports.clone(), &settings, Arc::new(Journal::new(&host.ports, &settings)));
        let world = World::over(Arc::new(host), clock.clone(), Options::default()).await;
        let caldav = hooktide_providers::by_id("caldav").expect("a provider");
        let mut connections = Vec::with_capacity(CALENDARS);
        for number in 0..CALENDARS {
            let url = json!({ "url": format!("https://calendars{number}.example.com/") });
            let made = world.post("/v1/connections", connection(caldav, &url)).await.expect(201);
            let id = made["id"].as_str().expect("an id").to_owned();
            let resource_id = ResourceId::new(&id, "calendar").part(CALENDAR);
            let resource = Resource { is_primary: true, ..Resource::new(&resource_id, ResourceMode::Polling) };
            let key = resource_id.key(&Tenant::default_local());
            let write = records::replace(&key, None, &resource, Upkeep::default()).expect("a record");
            table.write(write).await.expect("a write");
            let path = format!("/v1/connections/{id}/calendars/{}", CALENDAR.replace('/', "%2F"));
            world.put(&path, json!({ "blocks_others": true, "is_blocked": true })).await.expect(200);
            connections.push(id);
        }
        Self { world, clock, table, committer, connections, version: 0 }
    }

    /// Commits the events of a calendar.
    async fn fill(&mut self, calendar: usize, events: usize) {
        for first in (0..events).step_by(PAGE) {
            let page = (first..events.min(first + PAGE)).map(|number| event(number, 0)).collect();
            self.commit(calendar, page).await;
        }
    }

    async fn commit(&mut self, calendar: usize, events: Vec<(String, Document)>) {
        self.version += 1;
        let (now, connection) = (self.clock.now(), self.connections[calendar].clone());
        let origin = Arc::new(Origin::once(format!("plan-{connection}-{}", self.version), "caldav", now));
        let facts = events.into_iter().map(|(id, document)| {
            let entity = part::entity_id(CALENDAR, &id);
            let version = Version::from_time(now + SignedDuration::from_secs(self.version));
            let notice = EntityNotice::new(Kind::CalendarEvent, entity, version, State::Present(document));
            let identity = Identity::new("caldav", &connection, &format!("{}/{id}", self.version));
            let entity = EntityFact::new(notice, &connection, identity, &origin).expect("a fact");
            Fact {
                id: format!("{}-{id}", origin.id),
                origin: Arc::clone(&origin),
                via: Via::Polling,
                connection: Some(connection.clone()),
                what: FactKind::Entity(Box::new(entity)),
                warning: None,
            }
        });
        let facts: Vec<Fact> = facts.collect();
        let facts: Vec<&Fact> = facts.iter().collect();
        let committed = self.committer.commit(&Tenant::default_local(), &facts, &[], now).await;
        assert!(committed.is_ok(), "a commit");
    }

    /// Does the looks at events that are due, and nothing else; what that costs.
    async fn look(&self) -> Spent {
        let mut spent = Spent::default();
        for _ in 0..1_000 {
            self.clock.advance(Duration::from_secs(15));
            self.world.host.sweep_jobs().await.expect("jobs are sent");
            let mut messages = self.world.take_messages(QueueName::Jobs).await;
            messages.retain(|message| match Envelope::decode(&message.body).expect("an envelope").kind {
                EnvelopeKind::Job(job) => job.job == LOOKS,
                _ => false,
            });
            if messages.is_empty() {
                return spent;
            }
            self.table.reset();
            let began = Instant::now();
            let failed = self.world.host.syncer.run(messages, self.clock.now()).await;
            assert_eq!(failed, Vec::<String>::new());
            spent.took += began.elapsed();
            let counts = self.table.counts();
            spent.read +=
                [counts.get, counts.get_many, counts.query].iter().map(|usage| usage.items as f64).sum::<f64>();
        }
        panic!("the looks never end");
    }
}

/// An event of half an hour; later by some minutes.
fn event(number: usize, minutes: usize) -> (String, Document) {
    let id = format!("e{number}.ics");
    let begin: jiff::Timestamp = "2026-11-03T00:00:00Z".parse().expect("a time");
    let start = begin + SignedDuration::from_mins((number % DAYS * 1_440 + number / DAYS * 37 + minutes) as i64);
    let document = json!({
        "id": id,
        "calendar": CALENDAR,
        "uid": id,
        "start": start.to_string(),
        "end": (start + SignedDuration::from_mins(30)).to_string(),
        "all_day": false,
        "status": "confirmed",
        "busy": true,
        "own_block": false,
        "updated_at": "2026-11-02T08:00:00Z",
    });
    (id, Document::CalendarEvent(serde_json::from_value(document).expect("an event")))
}
