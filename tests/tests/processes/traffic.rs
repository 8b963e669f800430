//! Deliveries by many senders at once, and their outcomes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::future::join_all;
use hooktide_model::entropy::Entropy;
use hooktide_tests::client::Client;
use http::Request;
use serde_json::Value;

/// Products' numbers start here in their entities' ids.
const IDS_OF_A_SHOP: u64 = 1_000_000_000;

/// Requests that are still to be sent, each with its place in the order.
type Waiting = VecDeque<(usize, Request<Bytes>)>;

/// Deliveries on their way.
#[derive(Clone)]
pub struct Traffic {
    waiting: Arc<Mutex<Waiting>>,
    answers: Arc<Mutex<BTreeMap<usize, Option<u16>>>>,
    answered: Arc<AtomicUsize>,
}

impl Traffic {
    pub fn new(deliveries: Vec<Request<Bytes>>) -> Self {
        let waiting = Arc::new(Mutex::new(deliveries.into_iter().enumerate().collect()));
        Self { waiting, answers: Arc::default(), answered: Arc::default() }
    }

    /// Sends with this many senders, each until nothing waits or one delivery of its own got no answer.
    pub async fn flow(&self, client: &Client, senders: usize) {
        let sender = || {
            let (traffic, client) = (self.clone(), client.clone());
            tokio::spawn(async move { while traffic.send_one(&client).await == Some(true) {} })
        };
        for sent in join_all((0..senders).map(|_| sender())).await {
            sent.expect("a sender");
        }
    }

    /// Sends the next request, and returns whether an answer came; `None` if nothing waits.
    async fn send_one(&self, client: &Client) -> Option<bool> {
        let (place, request) = self.waiting.lock().unwrap().pop_front()?;
        let status = client.send(request).await.map(|answer| answer.status.as_u16());
        self.answers.lock().unwrap().insert(place, status);
        self.answered.fetch_add(usize::from(status.is_some()), Ordering::Relaxed);
        Some(status.is_some())
    }

    /// How many deliveries got an answer so far.
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// The deliveries that got this answer, or no answer.
    pub fn with(&self, status: Option<u16>) -> BTreeSet<usize> {
        self.answers.lock().unwrap().iter().filter(|(_, got)| **got == status).map(|(place, _)| *place).collect()
    }

    /// All answers that came.
    pub fn statuses(&self) -> BTreeSet<u16> {
        self.answers.lock().unwrap().values().flatten().copied().collect()
    }
}

/// The number of the product that a change is about.
pub fn number_of(change: &Value) -> u64 {
    let id = change["entity"].as_str().and_then(|entity| entity.rsplit('/').next());
    id.and_then(|id| id.parse::<u64>().ok()).expect("a product's entity") % IDS_OF_A_SHOP
}

/// How often a change of each product was published.
pub fn told(changes: &[Value]) -> BTreeMap<u64, usize> {
    let mut told = BTreeMap::new();
    for change in changes {
        *told.entry(number_of(change)).or_default() += 1;
    }
    told
}

/// The distinct ids.
pub fn ids(items: &[Value]) -> BTreeSet<&str> {
    items.iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

/// A repeatable source of chance.
pub struct Dice(Entropy);

impl Dice {
    pub fn seeded(seed: u64) -> Self {
        Self(Entropy::seeded(seed))
    }

    /// A number of `0..sides`.
    pub fn roll(&self, sides: usize) -> usize {
        usize::try_from(u64::from_le_bytes(self.0.bytes()) % sides as u64).expect("a small number")
    }

    pub fn shuffle<T>(&self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.roll(last + 1));
        }
    }

    /// A unique text of letters and digits.
    pub fn text(&self, length: usize) -> String {
        let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        (0..length).map(|_| char::from(letters[self.roll(letters.len())])).collect()
    }
}
