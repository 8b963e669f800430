//! The way to all accounts: whose account a call is for, what fails on the way, and how many calls there are.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use hooktide_local::clock::ManualClock;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Call, Clock, Http};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, Request, Response};

use super::account::{Account, Kind};
use super::flaw::{self, Flaw};
use crate::seasons::account::LOST_ANSWERS;
use crate::seasons::mortal::Chance;

/// The hosts that all accounts of a provider share.
pub const SHARED: [(Kind, &str); 2] = [(Kind::Google, "google.example.com"), (Kind::Graph, "graph.example.com")];

/// All accounts, and the way to them.
#[derive(Clone)]
pub struct Way {
    accounts: Arc<Vec<Mutex<Account>>>,
    clock: ManualClock,
    chance: Arc<Chance>,
    is_rough: Arc<AtomicBool>,
    flaw: Option<Flaw>,
    /// The accounts of which answers to writes got lost since somebody looked.
    lost: Arc<Mutex<Vec<usize>>>,
    counts: Arc<Mutex<BTreeMap<&'static str, u64>>>,
}

impl Way {
    /// The way to these.
    pub fn new(accounts: Vec<Account>, clock: ManualClock, chance: Arc<Chance>, flaw: Option<Flaw>) -> Self {
        let accounts = Arc::new(accounts.into_iter().map(Mutex::new).collect());
        Self { accounts, clock, chance, is_rough: Arc::default(), flaw, lost: Arc::default(), counts: Arc::default() }
    }

    /// Whether answers may get lost, from now on.
    pub fn set_rough(&self, is_rough: bool) {
        self.is_rough.store(is_rough, Ordering::Relaxed);
    }

    /// An account.
    pub fn at(&self, account: usize) -> MutexGuard<'_, Account> {
        self.accounts[account].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many accounts there are.
    pub fn count(&self) -> usize {
        self.accounts.len()
    }

    /// How many calls of each sort there were.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, sort: &'static str) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(sort).or_default() += 1;
    }

    /// The accounts of which answers to writes got lost since this was asked.
    pub fn take_lost(&self) -> Vec<usize> {
        std::mem::take(&mut self.lost.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many answers of a million get lost: enough of them for a flaw that only shows then.
    fn rate(&self) -> u32 {
        if self.flaw == Some(Flaw::NoIntent) { 20 * LOST_ANSWERS } else { LOST_ANSWERS }
    }

    /// An empty feed in place of the one that there is.
    fn empty(&self) -> Response<Bytes> {
        let event = "BEGIN:VEVENT\r\nUID:only@example.com\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20200101T080000Z\r\n\
                     DTEND:20200101T090000Z\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\n";
        let event = if self.flaw == Some(Flaw::EmptyFeed) { event } else { "" };
        let body = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Feeds//EN\r\n{event}END:VCALENDAR\r\n");
        let mut answer = Response::new(Bytes::from(body));
        answer.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/calendar"));
        answer
    }
}

/// The account that a request is for, and the request as the provider knows it.
fn routed(mut request: Request<Bytes>) -> Option<(usize, Request<Bytes>)> {
    let host = request.uri().host().unwrap_or_default();
    if let Some(number) = host.strip_prefix('c').and_then(|rest| rest.split('.').next()?.parse().ok()) {
        return Some((number, request));
    }
    SHARED.iter().find(|(_, shared)| *shared == host)?;
    if let Some(given) = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        let (number, token) = given.strip_prefix("Bearer ")?.split_once('.')?;
        let (number, token) = (number.parse().ok()?, HeaderValue::from_str(&format!("Bearer {token}")).ok()?);
        request.headers_mut().insert(AUTHORIZATION, token);
        return Some((number, request));
    }
    let body = String::from_utf8(request.body().to_vec()).ok()?;
    let (before, after) = body.split_once("refresh_token=a")?;
    let (number, token) = after.split_once('.')?;
    let number = number.parse().ok()?;
    let body = format!("{before}refresh_token={token}");
    Some((number, request.map(|_| Bytes::from(body))))
}

/// An answer whose tokens say whose they are.
fn named(answer: Response<Bytes>, account: usize) -> Response<Bytes> {
    answer.map(|body| {
        let text = String::from_utf8_lossy(&body).into_owned();
        let text = text.replace("\"access_token\":\"", &format!("\"access_token\":\"{account}."));
        Bytes::from(text.replace("\"refresh_token\":\"", &format!("\"refresh_token\":\"a{account}.")))
    })
}

/// The sort of a call.
fn sort(kind: Kind, request: &Request<Bytes>) -> &'static str {
    let path = request.uri().path();
    match (kind, request.method()) {
        (Kind::Google | Kind::Graph, _) if path.ends_with("/token") => "token",
        (Kind::Google | Kind::Graph, &Method::GET) if path.contains("/subscriptions") => "subscription",
        (Kind::Google | Kind::Graph, &Method::GET) | (Kind::Ics, _) => "read",
        (Kind::Google, _) if path.contains("/channels/") || path.ends_with("/watch") => "subscription",
        (Kind::Graph, _) if path.contains("/subscriptions") => "subscription",
        (Kind::Caldav, &Method::PUT | &Method::DELETE) | (Kind::Google | Kind::Graph, _) => "write",
        (Kind::Caldav, _) => "read",
    }
}

#[async_trait]
impl Http for Way {
    async fn send(&self, call: Call) -> Result<Response<Bytes>, Fault> {
        let Some((number, request)) = routed(call.request) else {
            // Our own address, which is looked at before it is registered.
            return Ok(Response::new(Bytes::from_static(b"{}")));
        };
        let now = self.clock.now();
        let is_rough = self.is_rough.load(Ordering::Relaxed);
        let (answer, is_write) = {
            let mut account = self.at(number);
            if account.is_out {
                return Err(Fault::retryable("the request took too long"));
            }
            let sort = sort(account.kind, &request);
            self.note(sort);
            if account.kind == Kind::Ics && now < account.is_empty_until {
                return Ok(self.empty());
            }
            let answer = match self.flaw {
                Some(Flaw::NoMark) => flaw::answered(account.answer(&flaw::asked(request), now)),
                _ => account.answer(&request, now),
            };
            if sort == "write" && answer.status().is_success() {
                self.note("written");
            }
            (if sort == "token" { named(answer, number) } else { answer }, sort == "write")
        };
        if is_rough && self.chance.happens(self.rate()) {
            self.note("lost answers");
            if is_write {
                self.lost.lock().unwrap_or_else(PoisonError::into_inner).push(number);
            }
            return Err(Fault::retryable("the answer took too long"));
        }
        Ok(answer)
    }
}
