//! The world of a season: accounts, the functions that serve them, and what goes wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use hooktide_api::Options;
use hooktide_flows::connect::{self, Context, NewConnection, Repeat};
use hooktide_flows::follow::busy::{self, Chosen};
use hooktide_flows::jobs::due;
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_flows::process::Processor;
use hooktide_flows::receive::Receiver;
use hooktide_flows::watch::Renewer;
use hooktide_flows::{Ports, Settings};
use hooktide_local::clock::ManualClock;
use hooktide_local::host::Host;
use hooktide_model::names::{MarkReason, ResourceMode};
use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Clock, QueueName, Source, Table};
use hooktide_store::records;
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::resource::{self, Resource};
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::account::{Account, Accounts};
use super::mortal::{Chance, MortalTable, Rates};
use super::queue::{Queues, SOURCES};
use super::{Outcome, Season, seconds_between, start};
use crate::plain_table::PlainTable;
use crate::world::World as Reader;

/// The providers of a season. The agenda has those of calendars that block each other.
const PROVIDERS: [&str; 4] = ["google-calendar", "shopify", "square", "woocommerce"];

/// How many notifications of a million get lost, and how many come twice.
const LOST: u64 = 10_000;
/// See [`LOST`].
const DOUBLED: u64 = 20_000;
/// The end of the id of a calendar about which nothing is sent.
const UNWATCHED: &str = "@group.v.calendar.google.com";
/// The longest that a notification is on its way, in seconds.
const LATEST: u64 = 20;
/// After how many seconds an edit is known at the latest, whose notification arrived: several runs may be cut off.
const LATEST_IF_TOLD: u64 = 3600;
/// After how many seconds an edit is known at the latest, whose notification was lost.
const LATEST_IF_LOST: u64 = 8 * 3600;
/// How many messages are taken at once.
const BATCH: usize = 25;
/// How long no mark of a resource may be beyond now: the next night, with all of its hours.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(30);

/// Runs that may be cut off at any call, without the memory of the ones before.
struct Functions {
    receiver: Receiver,
    processor: Processor,
    syncer: Syncer,
    renewer: Renewer,
}

impl Functions {
    fn new(ports: &Ports, settings: &Settings) -> Self {
        Self {
            receiver: Receiver::new(ports.clone(), settings.clone()),
            processor: Processor::new(ports.clone(), settings.clone()),
            syncer: Syncer::new(ports.clone(), settings),
            renewer: Renewer::new(ports.clone(), settings, 1),
        }
    }
}

/// Something that a provider sends.
struct Notification {
    host: String,
    sent_at: Timestamp,
    request: Request<Bytes>,
}

/// The world of a season.
pub struct World {
    season: Season,
    clock: ManualClock,
    chance: Arc<Chance>,
    ports: Ports,
    settings: Settings,
    table: Arc<dyn Table>,
    queues: Arc<Queues>,
    accounts: Accounts,
    functions: Functions,
    reader: Reader,
    /// The connections, by the host of their account.
    connections: BTreeMap<String, String>,
    /// Whether people have chosen their calendars.
    have_chosen: bool,
    /// What is under way.
    on_their_way: Vec<(Timestamp, Notification)>,
    next_edit: Timestamp,
    /// From when until when somebody is out: the accounts at these hosts, or we ourselves.
    outages: Vec<(Timestamp, Timestamp, Option<String>)>,
    /// The cursor in the feed of changes, and that of the activity.
    read: [String; 2],
    known: BTreeMap<String, Option<String>>,
    is_calm: bool,
    outcome: Outcome,
}

impl World {
    /// A world with all accounts connected.
    pub async fn new(season: Season) -> Self {
        let clock = ManualClock::at(start());
        let chance = Arc::new(Chance::new(season.seed));
        let mut settings = Settings { public_url: "https://hooks.example.com".to_owned(), ..Settings::default() };
        let mut all = BTreeMap::new();
        for provider in PROVIDERS.iter().filter_map(|id| hooktide_providers::by_id(id)) {
            if season.only.is_some_and(|only| only != provider.id()) {
                continue;
            }
            let entities = if provider.id() == "square" { season.items } else { season.items.min(40) };
            let host = format!("{}.example.com", provider.id());
            if !has_site(provider) {
                settings.apis.insert(provider.id(), format!("https://{host}"));
                settings.oauths.insert(provider.id(), format!("https://{host}"));
            }
            all.insert(host, Account::new(provider, season.seed, (entities, season.calendars), clock.now()));
        }
        let accounts = Accounts::new(all, clock.clone(), Arc::clone(&chance));
        let mut host = Host::in_memory(season.seed, settings.clone(), Arc::new(clock.clone())).expect("a host");
        host.ports.table = Arc::new(PlainTable::default());
        let host = Arc::new(host);
        let reader = Reader::over(
            Arc::clone(&host),
            clock.clone(),
            Options { stream_life: Duration::ZERO, ..Options::default() },
        );
        let queues = Arc::new(Queues::new(clock.clone()));
        let table = Arc::clone(&host.ports.table);
        let mortal = MortalTable { inner: Arc::clone(&table), chance: Arc::clone(&chance), flaw: season.flaw };
        let ports = Ports {
            table: Arc::new(mortal),
            queue: Arc::clone(&queues) as Arc<_>,
            http: Arc::new(accounts.clone()),
            ..host.ports.clone()
        };
        let mut world = Self {
            season,
            chance,
            functions: Functions::new(&ports, &settings),
            ports,
            settings,
            table,
            queues,
            accounts,
            reader: reader.await,
            connections: BTreeMap::new(),
            have_chosen: false,
            on_their_way: Vec::new(),
            next_edit: clock.now() + SignedDuration::from_hours(2),
            outages: Vec::new(),
            read: [String::new(), String::new()],
            known: BTreeMap::new(),
            is_calm: !season.rough,
            outcome: Outcome::default(),
            clock,
        };
        world.connect().await;
        world.choose().await;
        if season.rough {
            world.plan_outages();
            world.chance.set(Rates { ends_before: 300, ends_after: 300, fails: 300 });
            world.accounts.set_rough(true);
        }
        world
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn count(&mut self, name: &str) {
        *self.outcome.counts.entry(name.to_owned()).or_default() += 1;
    }

    async fn connect(&mut self) {
        let tenant = Tenant::default_local();
        let hosts: Vec<String> = self.accounts.hosts().map(str::to_owned).collect();
        for host in hosts {
            let provider = self.accounts.at(&host).provider;
            let profile = provider.profile();
            let secrets = profile.sample_secrets.iter().chain(profile.sample_credentials);
            let secrets = secrets.map(|(name, text)| ((*name).to_owned(), vec![Secret::new(*text)])).collect();
            let site = has_site(provider).then(|| ("site".to_owned(), Value::from(format!("https://{host}"))));
            let new = NewConnection {
                provider: provider.id().to_owned(),
                account: Some(profile.sample_account.to_owned()),
                secrets,
                settings: site.into_iter().collect(),
                ..NewConnection::default()
            };
            let ports = Ports { table: Arc::clone(&self.table), ..self.ports.clone() };
            let context = Context { ports: &ports, settings: &self.settings, tenant: &tenant, now: self.clock.now() };
            let made = connect::create(context, new, &Repeat::default()).await.expect("a connection");
            self.connections.insert(host, made.id);
        }
    }

    /// Once all calendars are listed, people choose each of them.
    async fn choose(&mut self) {
        self.settle().await;
        let tenant = Tenant::default_local();
        let ports = Ports { table: Arc::clone(&self.table), ..self.ports.clone() };
        let context = Context { ports: &ports, settings: &self.settings, tenant: &tenant, now: self.clock.now() };
        for connection in self.connections.values() {
            for calendar in busy::calendars(context, connection).await.expect("calendars") {
                let chosen = Chosen { included: Some(true), ..Chosen::default() };
                busy::choose(context, connection, &calendar.id, chosen).await.expect("a choice");
            }
        }
        self.settle().await;
        self.have_chosen = true;
    }

    /// Lets ten minutes pass.
    async fn settle(&mut self) {
        let until = self.now() + SignedDuration::from_mins(10);
        while self.now() < until {
            self.step(until).await;
        }
    }

    /// One outage of six hours at one provider, and one of a day of our own, if the season is long enough.
    fn plan_outages(&mut self) {
        let hours = u64::from(self.season.days) * 24;
        if hours < 72 {
            return;
        }
        let hosts: Vec<String> = self.accounts.hosts().map(str::to_owned).collect();
        for host in hosts {
            let from =
                start() + SignedDuration::from_hours(i64::try_from(12 + self.chance.below(hours - 48)).expect("few"));
            self.outages.push((from, from + SignedDuration::from_hours(6), Some(host)));
        }
        let from =
            start() + SignedDuration::from_hours(i64::try_from(24 + self.chance.below(hours - 60)).expect("few"));
        self.outages.push((from, from + SignedDuration::from_hours(24), None));
    }

    /// Nothing is edited any more, and nothing fails.
    pub fn calm_down(&mut self) {
        self.is_calm = true;
        self.outages.clear();
        self.chance.set(Rates::default());
        self.accounts.set_rough(false);
        self.next_edit = Timestamp::MAX;
    }

    /// Goes to what happens next, at the latest until then, and lets it happen.
    pub async fn step(&mut self, latest: Timestamp) {
        let now = self.now();
        let marks = self.marks().await;
        let due = marks.iter().filter_map(|mark| Timestamp::from_millisecond(mark.due_at).ok());
        let edges = self.outages.iter().flat_map(|(from, to, _)| [*from, *to]);
        let next = due
            .chain(self.queues.next_visible())
            .chain(self.on_their_way.iter().map(|(at, _)| *at))
            .chain([self.next_edit])
            .chain(edges)
            .filter(|at| *at > now)
            .min()
            .unwrap_or(latest);
        let soonest = now + SignedDuration::from_secs(1);
        self.clock.set(next.max(soonest).min(now + SignedDuration::from_hours(1)).min(latest.max(soonest)));
        self.look_at_outages();
        self.edit();
        self.take_notifications();
        self.deliver().await;
        if !self.are_we_out() {
            self.work().await;
        }
        self.read_feed().await;
        self.check_marks().await;
    }

    fn look_at_outages(&mut self) {
        let now = self.now();
        let hosts: Vec<String> = self.accounts.hosts().map(str::to_owned).collect();
        for host in hosts {
            let is_out =
                self.outages.iter().any(|(from, to, at)| *from <= now && now < *to && at.as_ref() == Some(&host));
            let was_out = std::mem::replace(&mut self.accounts.at(&host).is_out, is_out);
            if is_out && !was_out {
                self.count("fault: a provider is out");
            }
        }
    }

    fn are_we_out(&self) -> bool {
        let now = self.now();
        self.outages.iter().any(|(from, to, at)| *from <= now && now < *to && at.is_none())
    }

    fn edit(&mut self) {
        let now = self.now();
        if now < self.next_edit {
            return;
        }
        let hosts: Vec<String> = self.accounts.hosts().map(str::to_owned).collect();
        let host = &hosts[usize::try_from(self.chance.below(hosts.len() as u64)).expect("small")];
        self.accounts.at(host).edit_one(&self.chance, now);
        self.count("edits");
        if !self.is_calm && self.chance.below(40) == 0 && self.accounts.at(host).expire_credentials() {
            self.count("fault: credentials expire");
        }
        let pause = 2 * 24 * 3600 / u64::from(self.season.edits_a_day.max(1));
        let pause = i64::try_from(1 + self.chance.below(pause)).expect("a day at most");
        self.next_edit = now + SignedDuration::from_secs(pause);
    }

    fn take_notifications(&mut self) {
        let now = self.now();
        let hosts: Vec<String> = self.accounts.hosts().map(str::to_owned).collect();
        for host in hosts {
            let sent = self.accounts.at(&host).notifications(now);
            for request in sent {
                self.count("notifications");
                let delay = if self.is_calm { 0 } else { self.chance.below(LATEST) };
                let at = now + SignedDuration::from_secs(i64::try_from(delay).expect("few"));
                if !self.is_calm && self.chance.below(1_000_000) < LOST {
                    self.count("fault: a notification is lost");
                    self.accounts.at(&host).is_lost(now);
                    continue;
                }
                if !self.is_calm && self.chance.below(1_000_000) < DOUBLED {
                    self.count("fault: a notification comes twice");
                    self.on_their_way
                        .push((at, Notification { host: host.clone(), sent_at: now, request: request.clone() }));
                }
                self.on_their_way.push((at, Notification { host: host.clone(), sent_at: now, request }));
            }
        }
    }

    async fn deliver(&mut self) {
        let now = self.now();
        let (due, later) = std::mem::take(&mut self.on_their_way).into_iter().partition(|(at, _)| *at <= now);
        self.on_their_way = later;
        let due: Vec<(Timestamp, Notification)> = due;
        for (_, Notification { host, sent_at, mut request }) in due {
            let whole = request.clone();
            let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
            *request.uri_mut() = path.parse().expect("a path");
            let answer = match self.are_we_out() {
                true => None,
                false => self.functions.receiver.receive(request, "192.0.2.1", now).now_or_never(),
            };
            let status = answer.map(|answer| answer.status());
            if status.is_none_or(|status| status.is_server_error()) {
                self.count("notifications that we did not take");
                self.restart_after(status.is_none());
                self.accounts.at(&host).is_lost(sent_at);
            } else if status.is_some_and(|status| status.is_client_error()) {
                self.count("notifications that we refused");
            }
            let status = status.filter(|_| !self.are_we_out()).or(Some(StatusCode::BAD_GATEWAY));
            self.accounts.at(&host).delivered(&whole, status, now);
        }
    }

    /// A run that was cut off leaves nothing in memory.
    fn restart_after(&mut self, is_cut_off: bool) {
        if is_cut_off && !self.are_we_out() {
            self.count("fault: a run is cut off");
            self.functions = Functions::new(&self.ports, &self.settings);
        }
    }

    /// What schedules and queues make run now.
    async fn work(&mut self) {
        let now = self.now();
        let over = || false;
        let ticked = self.functions.renewer.tick(now, &over).now_or_never();
        self.restart_after(ticked.is_none());
        let swept = due::jobs(&self.ports, now).now_or_never();
        self.restart_after(swept.is_none());
        let deferred = due::deferred(&self.ports, now).now_or_never();
        self.restart_after(deferred.is_none());
        let mut rounds = 0;
        loop {
            let mut took = false;
            for source in SOURCES {
                let jobs = source == Source::Queue(QueueName::Jobs);
                let taken = self.queues.take(source, if jobs { 1 } else { BATCH });
                if taken.is_empty() {
                    continue;
                }
                took = true;
                let first = taken.iter().filter(|(_, times)| *times == 1).count() as u64;
                let (messages, handles): (Vec<_>, Vec<_>) =
                    taken.into_iter().map(|(message, _)| (message.clone(), message.handle)).unzip();
                let failed = match jobs {
                    true => self.functions.syncer.run(messages, now).now_or_never(),
                    false => self.functions.processor.process(messages, now).now_or_never(),
                };
                let Some(failed) = failed else {
                    self.restart_after(true);
                    continue;
                };
                let done = handles.iter().filter(|handle| !failed.contains(handle));
                done.for_each(|handle| self.queues.delete(handle));
                if !jobs {
                    *self.outcome.counts.entry("notices at the first try".to_owned()).or_default() +=
                        first - (failed.len() as u64).min(first);
                    *self.outcome.counts.entry("notices".to_owned()).or_default() += first;
                }
            }
            rounds += 1;
            if !took || rounds > 2_000 {
                return;
            }
        }
    }

    /// The marks of all jobs.
    async fn marks(&self) -> Vec<Mark> {
        let partition = Partition::of(&Tenant::default_local(), Area::Jobs);
        let marks = records::list_all::<Mark>(&*self.table, partition, "", 10_000).await.expect("marks");
        marks.into_iter().map(|(_, stored)| stored.record).collect()
    }

    /// Reads what is new, as somebody who watches does.
    async fn read_feed(&mut self) {
        for (number, path) in ["/v1/changes", "/v1/activity"].into_iter().enumerate() {
            loop {
                let after = match self.read[number].as_str() {
                    "" => String::new(),
                    cursor => format!("&after={cursor}"),
                };
                let answer = self.reader.get(&format!("{path}?limit=1000{after}")).await;
                if answer.status == StatusCode::GONE {
                    self.break_(format!("{path} has a gap"));
                    self.read[number] = String::new();
                    break;
                }
                let page = answer.expect(200);
                self.read[number] = page["next"].as_str().expect("a cursor").to_owned();
                for item in page["items"].as_array().into_iter().flatten() {
                    if number == 0 { self.see_change(item) } else { self.see_activity(item) }
                }
                if page["more"] != true {
                    break;
                }
            }
        }
    }

    fn see_change(&mut self, change: &Value) {
        let (entity, via) = (change["entity"].as_str().expect("an entity"), change["via"].as_str().unwrap_or_default());
        self.count(&format!("changes via {via}"));
        let mark = match change["op"].as_str() {
            Some("deleted") => None,
            _ => ["title", "start"].iter().find_map(|name| change["document"][name].as_str()).map(str::to_owned),
        };
        let is_deleted = change["op"] == "deleted";
        let Some((host, id)) = self.connections.iter().find_map(|(host, connection)| {
            Some((host.clone(), entity.split_once(&format!("/{connection}/"))?.1.to_owned()))
        }) else {
            return;
        };
        let at: Timestamp = change["processed_at"].as_str().and_then(|text| text.parse().ok()).expect("a time");
        if mark.is_some() || is_deleted {
            self.known.insert(format!("{host} {id}"), mark.clone());
        }
        let is_there = self.accounts.at(&host).expected.get(&id).is_some_and(|expected| expected.mark.is_some());
        if is_deleted && is_there {
            self.break_(format!("{entity} is told to be deleted, and is there"));
        }
        let took = {
            let mut account = self.accounts.at(&host);
            let Some(expected) = account.expected.get_mut(&id).filter(|one| !one.is_known && one.mark == mark) else {
                return;
            };
            expected.is_known = true;
            (seconds_between(expected.at, at), expected.is_lost, expected.at)
        };
        let is_first = took.2 == start();
        let longest = if took.1 { LATEST_IF_LOST } else { LATEST_IF_TOLD };
        // What happens while somebody is out, or so soon before that it need not be known by then, has no bound but the outage.
        let is_disturbed = self.outages.iter().any(|(from, to, _)| {
            took.2 >= *from - Duration::from_secs(longest) && took.2 < *to + SignedDuration::from_hours(1)
        });
        if !is_first && !is_disturbed && took.0 > longest {
            self.break_(format!("{entity} was edited at {}, and is known only now", took.2));
        }
        match took {
            _ if is_first || is_disturbed => {}
            (seconds, true, _) => self.outcome.lost.push(seconds),
            (seconds, false, _) => self.outcome.told.push(seconds),
        }
    }

    fn see_activity(&mut self, entry: &Value) {
        let reason = entry["reason"].as_str().unwrap_or_default();
        let kinds = ["full sync of", "poll of", "probe of", "sync of", "the subscription to"];
        if let Some(kind) = kinds.into_iter().find(|kind| reason.starts_with(kind)) {
            let failed = if entry["outcome"] == "failed" { " (failed)" } else { "" };
            // A calendar that Google makes itself is polled by design.
            let by_design = if reason.contains(UNWATCHED) { " (by design)" } else { "" };
            self.count(&format!("activity: {kind}{by_design}{failed}"));
        }
        if entry["outcome"] == "dead" {
            let text = format!("{}: a dead letter: {reason}", self.now());
            self.outcome.broken.push(text);
        }
    }

    /// What holds at any time: every resource is due, and none is polled that webhooks tell of.
    async fn check_marks(&mut self) {
        let tenant = Tenant::default_local();
        let now = self.now();
        for connection in self.connections.values().cloned().collect::<Vec<_>>() {
            let (partition, prefix) = (resource::partition(&tenant), resource::prefix(&connection));
            let resources =
                records::list_all::<Resource>(&*self.table, partition, &prefix, 1_000).await.expect("resources");
            for (_, stored) in resources {
                let resource = stored.record;
                let key = job::key(&tenant, &hooktide_model::job_kind::JobKind::SYNC, &resource.id().to_string());
                let mark = records::get::<Mark>(&*self.table, &key).await.expect("a mark").map(|stored| stored.record);
                let Some(mark) = mark else {
                    // Until people choose, the main calendar alone is read.
                    let is_read = resource.part.is_none() || resource.is_primary || self.have_chosen;
                    if is_read && resource.mode != ResourceMode::Off {
                        self.break_(format!("{} is watched by nobody", resource.id()));
                    }
                    continue;
                };
                let rests = Timestamp::from_millisecond(mark.due_at).unwrap_or(Timestamp::MAX).duration_since(now);
                if rests > LONGEST_REST {
                    self.break_(format!("{} rests for {rests}", resource.id()));
                }
                let is_scheduled = mark.is_scheduled() && mark.reasons.contains_key(&MarkReason::Poll);
                if is_scheduled && resource.mode == ResourceMode::Webhook {
                    self.break_(format!("{} is polled in mode webhook", resource.id()));
                }
            }
        }
    }

    fn break_(&mut self, what: String) {
        if self.outcome.broken.len() < 50 {
            let text = format!("{}: {what}", self.now());
            self.outcome.broken.push(text);
        }
    }

    /// How it ended.
    pub async fn outcome(mut self) -> Outcome {
        let hosts: Vec<String> = self.accounts.hosts().map(str::to_owned).collect();
        for host in hosts {
            let (expected, calls, empty) = {
                let mut account = self.accounts.at(&host);
                (account.expected.clone(), account.take_calls(), account.empty_listings())
            };
            *self.outcome.counts.entry("fault: a listing is empty".to_owned()).or_default() += empty;
            self.outcome.counts.insert(format!("calls of {host}"), calls);
            for (id, expected) in expected {
                let known = self.known.get(&format!("{host} {id}")).cloned();
                let is_right = match (&expected.mark, known) {
                    (None, known) => known.is_none_or(|known| known.is_none()),
                    (Some(mark), known) => known.flatten().as_ref() == Some(mark),
                };
                if !is_right {
                    self.break_(format!("{host} {id}: {expected:?} is lost"));
                }
            }
        }
        self.outcome
    }
}

fn has_site(provider: &dyn hooktide_providers::Provider) -> bool {
    provider.profile().settings.contains(&"site")
}
