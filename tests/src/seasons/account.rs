//! Accounts at simulated providers: what their owners edit, what they send, and what happens to our calls on the way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use hooktide_local::clock::ManualClock;
use hooktide_model::fault::Fault;
use hooktide_providers::Provider;
use hooktide_providers::simulator::{Edit, Simulator};
use hooktide_store::ports::{Call, Clock, Http};
use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::mortal::Chance;

/// How many of a million listings of everything come back empty, and how long none does after one.
const EMPTY_LISTINGS: u32 = 300_000;
/// See [`EMPTY_LISTINGS`].
const BETWEEN_EMPTY_LISTINGS: SignedDuration = SignedDuration::from_hours(20);
/// How long, from an empty listing on, nothing is there that is asked for by its id.
const EMPTY_FOR: SignedDuration = SignedDuration::from_mins(1);
/// How many of a million answers get lost after the provider did what was asked.
pub const LOST_ANSWERS: u32 = 2_000;

/// What an edit makes of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The text that tells this state from all others, as its document has it; absent if it was deleted.
    pub mark: Option<String>,
    /// When it was edited.
    pub at: Timestamp,
    /// Whether a notification of it was lost.
    pub is_lost: bool,
    /// Whether it is known by now.
    pub is_known: bool,
}

/// An account at a simulated provider.
pub struct Account {
    /// The provider.
    pub provider: &'static dyn Provider,
    /// The kind of what is edited, by the simulator's name.
    what: &'static str,
    simulator: Box<dyn Simulator>,
    /// What was edited, by the provider's ids.
    pub expected: BTreeMap<String, Expected>,
    /// Whether it answers nothing.
    pub is_out: bool,
    /// The calendars of its own, besides the main one.
    calendars: Vec<String>,
    /// How many edits there were.
    number: u64,
    calls: u64,
    /// When a listing of everything came back empty last, and how many did.
    emptied_at: Timestamp,
    empty: u64,
    /// Whether there was a whole listing since: two that are empty one after the other would be believed.
    is_whole: bool,
}

impl Account {
    /// An account, with so many entities and calendars of its own besides those that every account begins with.
    pub fn new(
        provider: &'static dyn Provider,
        seed: u64,
        (entities, calendars): (usize, usize),
        now: Timestamp,
    ) -> Self {
        let simulator = provider.simulator(seed).expect("a simulator");
        let what = if provider.id() == "google-calendar" { "event" } else { "product" };
        let (expected, is_out, number, calls) = (BTreeMap::new(), false, 0, 0);
        let mut account = Self {
            provider,
            what,
            simulator,
            expected,
            is_out,
            calendars: Vec::new(),
            number,
            calls,
            emptied_at: Timestamp::UNIX_EPOCH,
            empty: 0,
            is_whole: true,
        };
        for number in 0..if what == "event" { calendars } else { 0 } {
            let fields = json!({ "summary": format!("Calendar {number}") }).as_object().cloned();
            let edit = Edit { what: "calendar".to_owned(), id: None, fields };
            account.calendars.push(account.simulator.edit(&edit, now).expect("a calendar"));
        }
        for _ in 0..entities {
            account.make(now);
        }
        account.simulator.take_notifications(now);
        account
    }

    /// The fields that make a state like no other, and the text that its document then has.
    fn fields(&mut self, now: Timestamp) -> (Map<String, Value>, String) {
        self.number += 1;
        let name = format!("Edit {}", self.number);
        let fields = match self.provider.id() {
            "google-calendar" => {
                let start = Timestamp::from_second(now.as_second() + 60 * i64::try_from(self.number).expect("few"));
                let start = start.expect("a time");
                let end = Timestamp::from_second(start.as_second() + 1800).expect("a time");
                let mark = start.to_string();
                let fields = json!({ "start": { "dateTime": mark }, "end": { "dateTime": end.to_string() } });
                return (fields.as_object().cloned().expect("an object"), mark);
            }
            "shopify" => json!({ "title": name }),
            _ => json!({ "name": name }),
        };
        (fields.as_object().cloned().expect("an object"), name)
    }

    fn edit(&mut self, id: Option<String>, fields: Option<Map<String, Value>>, now: Timestamp) -> String {
        let edit = Edit { what: self.what.to_owned(), id, fields };
        self.simulator.edit(&edit, now).expect("an edit that fits")
    }

    fn expect(&mut self, id: String, mark: Option<String>, now: Timestamp) {
        self.expected.insert(id, Expected { mark, at: now, is_lost: false, is_known: false });
    }

    fn make(&mut self, now: Timestamp) -> String {
        let (mut fields, mark) = self.fields(now);
        if !self.calendars.is_empty() {
            let place = usize::try_from(self.number).expect("few") % self.calendars.len();
            fields.insert("calendar".to_owned(), self.calendars[place].clone().into());
        }
        let id = self.edit(None, Some(fields), now);
        self.expect(id.clone(), Some(mark), now);
        id
    }

    /// Makes, changes or deletes an entity, as chance has it; returns its id.
    pub fn edit_one(&mut self, chance: &Chance, now: Timestamp) -> String {
        let there: Vec<String> =
            self.expected.iter().filter(|(_, one)| one.mark.is_some()).map(|(id, _)| id.clone()).collect();
        let act = chance.below(10);
        if there.is_empty() || act < 2 {
            return self.make(now);
        }
        let id = there[usize::try_from(chance.below(there.len() as u64)).expect("small")].clone();
        if act == 2 && there.len() > 3 {
            self.edit(Some(id.clone()), None, now);
            self.expect(id.clone(), None, now);
        } else {
            let (fields, mark) = self.fields(now);
            self.edit(Some(id.clone()), Some(fields), now);
            self.expect(id.clone(), Some(mark), now);
        }
        id
    }

    /// Notes that a notification of what was edited then did not arrive.
    pub fn is_lost(&mut self, edited_at: Timestamp) {
        self.expected.values_mut().filter(|one| one.at == edited_at).for_each(|one| one.is_lost = true);
    }

    /// Ends its access tokens, where they can be had anew without a person; whether it did.
    pub fn expire_credentials(&mut self) -> bool {
        let renews = self.provider.profile().sample_credentials.iter().any(|(name, _)| *name == "refresh_token");
        if renews {
            self.simulator.expire_credentials();
        }
        renews
    }

    /// What it has to send by now.
    pub fn notifications(&mut self, now: Timestamp) -> Vec<Request<Bytes>> {
        self.simulator.take_notifications(now)
    }

    /// Tells it how a notification was answered.
    pub fn delivered(&mut self, request: &Request<Bytes>, status: Option<StatusCode>, now: Timestamp) {
        self.simulator.delivered(request, status, now);
    }

    /// How many calls were made, and that they are counted from here on.
    pub fn take_calls(&mut self) -> u64 {
        std::mem::take(&mut self.calls)
    }

    /// How many listings of everything came back empty.
    pub fn empty_listings(&self) -> u64 {
        self.empty
    }

    /// An empty list, in place of everything that there is, and the same of what is asked for by its id.
    fn empty_listing(&mut self, request: &Request<Bytes>, chance: &Chance, now: Timestamp) -> Option<Response<Bytes>> {
        if request.uri().path().contains("/v2/catalog/object/") && now < self.emptied_at + EMPTY_FOR {
            let body = r#"{"errors":[{"category":"INVALID_REQUEST_ERROR","code":"NOT_FOUND"}]}"#;
            let mut answer = Response::new(Bytes::from_static(body.as_bytes()));
            *answer.status_mut() = StatusCode::NOT_FOUND;
            return Some(answer);
        }
        let body = String::from_utf8_lossy(request.body());
        let is_first = !body.contains("begin_time") && !body.contains("\"cursor\"");
        if !request.uri().path().ends_with("/v2/catalog/search") || !is_first {
            return None;
        }
        let may_be_empty =
            std::mem::replace(&mut self.is_whole, true) && now >= self.emptied_at + BETWEEN_EMPTY_LISTINGS;
        if !may_be_empty || !chance.happens(EMPTY_LISTINGS) {
            return None;
        }
        (self.emptied_at, self.empty, self.is_whole) = (now, self.empty + 1, false);
        Some(Response::new(Bytes::from_static(b"{}")))
    }

    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        self.calls += 1;
        self.simulator.answer(request, now)
    }
}

/// All accounts, each at an origin of its own.
#[derive(Clone)]
pub struct Accounts {
    /// The accounts, by the host of their API.
    all: Arc<BTreeMap<String, Mutex<Account>>>,
    clock: ManualClock,
    chance: Arc<Chance>,
    /// Whether answers may get lost.
    is_rough: Arc<std::sync::atomic::AtomicBool>,
}

impl Accounts {
    /// Accounts by the host of their API.
    pub fn new(all: BTreeMap<String, Account>, clock: ManualClock, chance: Arc<Chance>) -> Self {
        let all = all.into_iter().map(|(host, account)| (host, Mutex::new(account))).collect();
        Self { all: Arc::new(all), clock, chance, is_rough: Arc::default() }
    }

    /// Whether answers may get lost, from now on.
    pub fn set_rough(&self, is_rough: bool) {
        self.is_rough.store(is_rough, std::sync::atomic::Ordering::Relaxed);
    }

    /// The account at a host.
    pub fn at(&self, host: &str) -> MutexGuard<'_, Account> {
        self.all[host].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hosts of all accounts.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }
}

#[async_trait]
impl Http for Accounts {
    async fn send(&self, call: Call) -> Result<Response<Bytes>, Fault> {
        let host = call.request.uri().host().unwrap_or_default().to_owned();
        let Some(account) = self.all.get(&host) else {
            // Our own address, which is looked at before it is registered.
            return Ok(Response::new(Bytes::from_static(b"{}")));
        };
        let now = self.clock.now();
        let is_rough = self.is_rough.load(std::sync::atomic::Ordering::Relaxed);
        let answer = {
            let mut account = account.lock().unwrap_or_else(PoisonError::into_inner);
            if account.is_out {
                return Err(Fault::retryable(format!("the request to {host} took too long")));
            }
            if is_rough && let Some(empty) = account.empty_listing(&call.request, &self.chance, now) {
                return Ok(empty);
            }
            account.answer(&call.request, now)
        };
        if is_rough && self.chance.happens(LOST_ANSWERS) {
            return Err(Fault::retryable(format!("the answer of {host} took too long")));
        }
        Ok(answer)
    }
}
