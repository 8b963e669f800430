//! The world of a simulation: people and their accounts, the host that serves them, and what goes wrong.

use std::sync::Arc;

use bytes::Bytes;
use hooktide_flows::connect::{self, Context, NewConnection, Repeat};
use hooktide_flows::follow::busy::{self, Chosen};
use hooktide_flows::{Ports, Settings};
use hooktide_local::clock::ManualClock;
use hooktide_local::host::Host;
use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Clock;
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::account::{Account, Kind};
use super::flaw::FlawedTable;
use super::judge;
use super::machine::Machine;
use super::owner::Owner;
use super::people::Plan;
use super::person::{Person, Place};
use super::way::{SHARED, Way};
use super::{Agenda, Outcome, start};
use crate::plain_table::PlainTable;
use crate::seasons::mortal::{Chance, MortalTable, Rates};
use crate::seasons::queue::Queues;

/// How many notifications of a million come twice.
const DOUBLED: u32 = 20_000;
/// The longest that a notification is on its way, in seconds.
const LATEST: u64 = 20;
/// How many calls of a million fail, or end the run.
const RATES: Rates = Rates { ends_before: 100, ends_after: 100, fails: 100 };

/// How long an account is out after an answer to a write got lost.
const OUT: SignedDuration = SignedDuration::from_hours(3);
/// How many writes there are at the most before nobody waits for the end, beyond ten times those that are allowed.
const MOST_WRITES: u64 = 2_000;
/// How long blocks may take where nothing fails, in seconds.
const LATEST_BLOCK: u64 = 3_600;

/// How long a job that is due may wait until the schedule finds it.
const SWEPT: SignedDuration = SignedDuration::from_mins(1);

/// Something that a provider sends.
struct Notification {
    account: usize,
    request: Request<Bytes>,
}

/// An edit whose blocks are waited for.
struct Pending {
    person: usize,
    account: usize,
    edited_at: Timestamp,
    told_at: Option<Timestamp>,
    is_lost: bool,
}

/// The world of a simulation.
pub struct World {
    agenda: Agenda,
    clock: ManualClock,
    chance: Arc<Chance>,
    ports: Ports,
    settings: Settings,
    table: Arc<PlainTable>,
    queues: Arc<Queues>,
    way: Way,
    machine: Machine,
    people: Vec<Person>,
    /// The connections: what they are to, whose, and their ids once they are made.
    connections: Vec<(usize, usize, String)>,
    on_their_way: Vec<(Timestamp, Notification)>,
    next_edit: Timestamp,
    /// From when until when an account is out, or we ourselves.
    outages: Vec<(Timestamp, Timestamp, Option<usize>)>,
    is_calm: bool,
    pending: Vec<Pending>,
    outcome: Outcome,
}

/// A connection of a person to an account, by their places, and its id.
type Connected = (usize, usize, String);

/// The accounts, connections and places of all people.
fn laid_out(people: &[Vec<Plan>], seed: u64) -> (Vec<Account>, Vec<Connected>, Vec<Person>) {
    let (mut accounts, mut connections, mut persons) = (Vec::new(), Vec::new(), Vec::new());
    for (whose, plans) in people.iter().enumerate() {
        let (first, of) = (accounts.len(), connections.len());
        let number = |of: fn(&Plan) -> usize| plans.iter().map(of).max().unwrap_or_default() + 1;
        for account in 0..number(|plan| plan.account) {
            let own: Vec<&Plan> = plans.iter().filter(|plan| plan.account == account).collect();
            let seed = seed * 1_000 + accounts.len() as u64;
            accounts.push(Account::new(own[0].kind, seed, own.len(), start()));
        }
        for connection in 0..number(|plan| plan.connection) {
            let plan = plans.iter().find(|plan| plan.connection == connection).expect("a plan");
            connections.push((first + plan.account, whose, String::new()));
        }
        let mut taken = vec![0; accounts.len()];
        let places = plans.iter().map(|plan| {
            let account = first + plan.account;
            let calendar = accounts[account].owned.keys().nth(taken[account]).expect("a calendar").clone();
            taken[account] += 1;
            let (blocks_others, is_blocked) = plan.directions;
            let merges = plan.merges;
            Place { account, connection: of + plan.connection, calendar, blocks_others, is_blocked, merges }
        });
        persons.push(Person { places: places.collect(), ..Person::default() });
    }
    (accounts, connections, persons)
}

impl World {
    /// A world in which all calendars are connected and chosen.
    pub async fn new(agenda: Agenda) -> Self {
        let clock = ManualClock::at(start());
        let chance = Arc::new(Chance::new(agenda.seed));
        let mut settings = Settings { public_url: "https://hooks.example.com".to_owned(), ..Settings::default() };
        // Each poll costs time, of which there is little.
        settings.poll_floor = agenda.rough.then_some(std::time::Duration::from_secs(1_800));
        for (kind, host) in SHARED {
            settings.apis.insert(kind.provider(), format!("https://{host}"));
            settings.oauths.insert(kind.provider(), format!("https://{host}"));
        }
        let (accounts, connections, people) = laid_out(&agenda.people, agenda.seed);
        let way = Way::new(accounts, clock.clone(), Arc::clone(&chance), agenda.flaw);
        let mut host = Host::in_memory(agenda.seed, settings.clone(), Arc::new(clock.clone())).expect("a host");
        let table = Arc::new(PlainTable::default());
        host.ports.table = Arc::clone(&table) as Arc<_>;
        let queues = Arc::new(Queues::new(clock.clone()));
        let flawed = FlawedTable { inner: Arc::clone(&host.ports.table), flaw: agenda.flaw };
        let flaw = (agenda.flaw == Some(super::flaw::Flaw::CursorWithoutPage))
            .then_some(crate::seasons::Flaw::CursorWithoutPage);
        let mortal = MortalTable { inner: Arc::new(flawed), chance: Arc::clone(&chance), flaw };
        let ports = Ports {
            table: Arc::new(mortal),
            queue: Arc::clone(&queues) as Arc<_>,
            http: Arc::new(way.clone()),
            ..host.ports.clone()
        };
        let machine = Machine::new(ports.clone(), settings.clone(), Arc::clone(&queues));
        let mut world = Self {
            agenda,
            chance,
            ports,
            settings,
            table,
            queues,
            way,
            machine,
            people,
            connections,
            on_their_way: Vec::new(),
            next_edit: Timestamp::MAX,
            outages: Vec::new(),
            is_calm: true,
            pending: Vec::new(),
            outcome: Outcome::default(),
            clock,
        };
        world.connect().await;
        world.go_until(world.now() + SignedDuration::from_mins(30));
        world.choose().await;
        world.go_until(world.now() + SignedDuration::from_mins(30));
        let before: Vec<(&'static str, u64)> = world.way.calls().into_iter().collect();
        for (sort, count) in before {
            world.outcome.counts.insert(format!("before: {sort}"), count);
        }
        world.plan_outages();
        world.set_calm(false);
        world
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn count(&mut self, name: &str, by: u64) {
        *self.outcome.counts.entry(name.to_owned()).or_default() += by;
    }

    async fn connect(&mut self) {
        let tenant = Tenant::default_local();
        for at in 0..self.connections.len() {
            let (account, whose, _) = self.connections[at];
            let kind = self.way.at(account).kind;
            let profile = hooktide_providers::by_id(kind.provider()).expect("a provider").profile();
            let secrets = profile.sample_secrets.iter().chain(profile.sample_credentials);
            // Tokens say whose they are.
            let secrets = secrets.map(|(name, text)| {
                let text = match *name {
                    "access_token" => format!("{account}.{text}"),
                    "refresh_token" => format!("a{account}.{text}"),
                    _ => (*text).to_owned(),
                };
                ((*name).to_owned(), vec![Secret::new(text)])
            });
            let mut own = Map::from_iter([("user".to_owned(), Value::from(format!("person {whose}")))]);
            if matches!(kind, Kind::Caldav | Kind::Ics) {
                own.insert("url".to_owned(), format!("https://c{account}.example.com/").into());
            }
            if self.people[whose].places.iter().any(|place| place.connection == at && place.merges && place.is_blocked)
            {
                own.insert("block_merge".to_owned(), true.into());
            }
            let new = NewConnection {
                provider: kind.provider().to_owned(),
                account: Some(profile.sample_account.to_owned()),
                secrets: secrets.collect(),
                settings: own,
                ..NewConnection::default()
            };
            let ports = Ports { table: Arc::clone(&self.table) as Arc<_>, ..self.ports.clone() };
            let context = Context { ports: &ports, settings: &self.settings, tenant: &tenant, now: self.clock.now() };
            let made = connect::create(context, new, &Repeat::default()).await.expect("a connection");
            self.connections[at].2 = made.id;
        }
    }

    /// Chooses what blocks, and is blocked; other calendars are not read.
    async fn choose(&mut self) {
        let tenant = Tenant::default_local();
        let ports = Ports { table: Arc::clone(&self.table) as Arc<_>, ..self.ports.clone() };
        let context = Context { ports: &ports, settings: &self.settings, tenant: &tenant, now: self.clock.now() };
        for (at, (_, whose, id)) in self.connections.iter().enumerate() {
            for known in busy::calendars(context, id).await.expect("calendars") {
                let mut places = self.people[*whose].places.iter();
                let place = places.find(|place| place.connection == at && is_of(place, &known.id));
                let chosen = match place {
                    Some(place) => Chosen {
                        included: Some(true),
                        blocks_others: Some(place.blocks_others),
                        is_blocked: Some(place.is_blocked),
                    },
                    None => Chosen { included: Some(false), ..Chosen::default() },
                };
                busy::choose(context, id, &known.id, chosen).await.expect("a choice");
            }
        }
    }

    /// An outage of each account, and one of our own, where it lasts long enough.
    fn plan_outages(&mut self) {
        let hours = u64::from(self.agenda.days) * 24;
        if !self.agenda.rough || hours < 72 {
            return;
        }
        for whose in (0..self.way.count()).map(Some).chain([None]) {
            let after = i64::try_from(12 + self.chance.below(hours - 48)).expect("few");
            let from = start() + SignedDuration::from_hours(after);
            let long = if whose.is_some() { 6 } else { 10 };
            self.outages.push((from, from + SignedDuration::from_hours(long), whose));
        }
    }

    /// Lets nothing fail and nobody edit, or no more.
    pub fn set_calm(&mut self, is_calm: bool) {
        let is_rough = !is_calm && self.agenda.rough;
        self.is_calm = is_calm;
        self.chance.set(if is_rough { RATES } else { Rates::default() });
        self.way.set_rough(is_rough);
        self.next_edit = if is_calm { Timestamp::MAX } else { self.now() + SignedDuration::from_mins(10) };
    }

    /// Goes on until then.
    pub fn go_until(&mut self, until: Timestamp) {
        while self.now() < until && !self.runs_away() {
            self.step(until);
        }
    }

    /// Whether blocks make more and more blocks.
    pub fn runs_away(&self) -> bool {
        let written = self.way.calls().get("written").copied().unwrap_or_default();
        written > MOST_WRITES + 10 * self.outcome.count("writes that are allowed")
    }

    fn step(&mut self, latest: Timestamp) {
        let now = self.now();
        let due = self.table.due_times().into_iter().filter_map(|at| Timestamp::from_millisecond(at).ok());
        let due: Vec<Timestamp> = due.collect();
        // What is due and was not announced is found by the schedule.
        let swept = due.first().is_some_and(|at| *at <= now).then(|| now + SWEPT);
        let next = due
            .iter()
            .copied()
            .chain(swept)
            .chain(self.queues.next_visible())
            .chain(self.on_their_way.iter().map(|(at, _)| *at))
            .chain([self.next_edit])
            .filter(|at| *at > now)
            .min()
            .unwrap_or(latest);
        let soonest = now + SignedDuration::from_secs(1);
        self.clock.set(next.max(soonest).min(now + SignedDuration::from_hours(1)).min(latest.max(soonest)));
        let now = self.now();
        self.outages.extend(self.way.take_lost().into_iter().map(|account| (now, now + OUT, Some(account))));
        for account in 0..self.way.count() {
            self.way.at(account).is_out = self.is_out(Some(account));
        }
        if now >= self.next_edit {
            self.edit();
        }
        self.take_notifications();
        self.deliver();
        if !self.is_out(None) {
            self.machine.work(due.iter().any(|at| *at <= now), now);
        }
        self.look_at_pending();
    }

    fn is_out(&self, whose: Option<usize>) -> bool {
        let now = self.now();
        !self.is_calm && self.outages.iter().any(|(from, to, out)| *from <= now && now < *to && *out == whose)
    }

    fn edit(&mut self) {
        let now = self.now();
        let whose = usize::try_from(self.chance.below(self.people.len() as u64)).expect("small");
        let (way, chance) = (self.way.clone(), Arc::clone(&self.chance));
        let person = &mut self.people[whose];
        // What came into the window meanwhile is not this edit's.
        let rolled = person.expect(&way, now);
        let (account, what) = Owner { person, way: &way, chance: &chance, now }.act();
        let changed = person.expect(&way, now);
        self.count(what, 1);
        self.count("edits", u64::from(what != "edit: none"));
        self.count("writes that are allowed", rolled + changed);
        if self.agenda.measured && changed > 0 {
            let told_at = None;
            self.pending.push(Pending { person: whose, account, edited_at: now, told_at, is_lost: false });
        }
        if self.agenda.rough {
            self.disturb(account, now);
        }
        let pause = 2 * 24 * 3600 / u64::from(self.agenda.edits_a_day.max(1));
        self.next_edit = now + SignedDuration::from_secs(i64::try_from(1 + self.chance.below(pause)).expect("few"));
    }

    /// Ends credentials, or empties a feed for a while.
    fn disturb(&mut self, account: usize, now: Timestamp) {
        let kind = self.way.at(account).kind;
        match kind {
            Kind::Google | Kind::Graph if self.chance.below(40) == 0 => {
                self.way.at(account).simulator.expire_credentials();
                self.count("fault: credentials expire", 1);
            }
            Kind::Ics if self.chance.below(8) == 0 => {
                self.way.at(account).is_empty_until = now + SignedDuration::from_mins(40);
                self.count("fault: a feed is empty", 1);
            }
            Kind::Google | Kind::Graph | Kind::Caldav | Kind::Ics => {}
        }
    }

    fn take_notifications(&mut self) {
        let now = self.now();
        for account in 0..self.way.count() {
            let sent = self.way.at(account).simulator.take_notifications(now);
            for request in sent {
                self.count("notifications", 1);
                let delay = if self.is_calm || !self.agenda.rough { 0 } else { self.chance.below(LATEST) };
                let at = now + SignedDuration::from_secs(i64::try_from(delay).expect("few"));
                if !self.is_calm && self.chance.happens(self.agenda.lost) {
                    self.count("fault: a notification is lost", 1);
                    let lost = self.pending.iter_mut().filter(|one| one.account == account && one.edited_at == now);
                    lost.for_each(|one| one.is_lost = true);
                    continue;
                }
                if !self.is_calm && self.agenda.rough && self.chance.happens(DOUBLED) {
                    self.count("fault: a notification comes twice", 1);
                    self.on_their_way.push((at, Notification { account, request: request.clone() }));
                }
                self.on_their_way.push((at, Notification { account, request }));
            }
        }
    }

    fn deliver(&mut self) {
        let now = self.now();
        let (due, later) = std::mem::take(&mut self.on_their_way).into_iter().partition(|(at, _)| *at <= now);
        self.on_their_way = later;
        let due: Vec<(Timestamp, Notification)> = due;
        for (_, Notification { account, mut request }) in due {
            let whole = request.clone();
            let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
            *request.uri_mut() = path.parse().expect("a path");
            let status = match self.is_out(None) {
                true => None,
                false => self.machine.receive(request, now),
            };
            match status {
                Some(status) if status.is_success() => {
                    let told = self.pending.iter_mut().filter(|one| one.account == account && one.told_at.is_none());
                    told.for_each(|one| one.told_at = Some(now));
                }
                Some(status) if status.is_client_error() => self.count("notifications that we refused", 1),
                _ => self.count("notifications that we did not take", 1),
            }
            let status = status.or(Some(StatusCode::BAD_GATEWAY));
            self.way.at(account).simulator.delivered(&whole, status, now);
        }
    }

    /// Measures how long it took until all blocks of a person were as they should be.
    fn look_at_pending(&mut self) {
        let now = self.now();
        let waiting: std::collections::BTreeSet<usize> = self.pending.iter().map(|one| one.person).collect();
        for whose in waiting {
            if !judge::wrong(&self.people[whose], &self.way, now).is_empty() {
                continue;
            }
            let (settled, rest): (Vec<Pending>, Vec<Pending>) =
                std::mem::take(&mut self.pending).into_iter().partition(|one| one.person == whose);
            self.pending = rest;
            for one in settled {
                let since = if one.is_lost { Some(one.edited_at) } else { one.told_at };
                let seconds = now.duration_since(since.unwrap_or(one.edited_at)).as_secs();
                let list = if one.is_lost { &mut self.outcome.lost } else { &mut self.outcome.told };
                list.push(u64::try_from(seconds).unwrap_or_default());
            }
        }
    }

    /// Looks at the blocks of everybody.
    pub fn judge(&mut self) {
        let now = self.now();
        let way = self.way.clone();
        for whose in 0..self.people.len() {
            let rolled = self.people[whose].expect(&way, now);
            self.count("writes that are allowed", rolled);
            for wrong in judge::wrong(&self.people[whose], &way, now) {
                if self.outcome.broken.len() < 50 {
                    self.outcome.broken.push(format!("{now}: person {whose}: {wrong}"));
                }
            }
            let wanted = self.people[whose].wanted.len() as u64;
            self.count("blocks that were looked for", wanted);
        }
    }

    /// How it ended.
    pub async fn outcome(mut self) -> Outcome {
        for (sort, count) in self.way.calls() {
            self.count(&format!("calls: {sort}"), count);
        }
        for (name, count) in std::mem::take(&mut self.machine.counts) {
            self.count(name, count);
        }
        let (written, allowed) = (self.outcome.count("calls: written"), self.outcome.count("writes that are allowed"));
        if written > allowed {
            self.outcome.broken.push(format!("{written} writes in place of {allowed} at the most"));
        }
        let is_late = |seconds: &&u64| **seconds > LATEST_BLOCK;
        if let Some(seconds) =
            self.outcome.told.iter().find(is_late).filter(|_| !self.agenda.rough && self.agenda.lost == 0)
        {
            self.outcome.broken.push(format!("blocks came {seconds} s after they were told of"));
        }
        if !self.pending.is_empty() {
            self.outcome.broken.push(format!("the blocks of {} edits never came", self.pending.len()));
        }
        self.outcome
    }
}

/// Whether a calendar is this one; a feed has only one.
fn is_of(place: &Place, id: &str) -> bool {
    place.calendar == id || place.calendar == "feed"
}
