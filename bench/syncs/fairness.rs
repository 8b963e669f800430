//! Fairness: while a bulk edit of one account is read, another account's hint becomes a change nearly as soon as without it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{StreamExt, stream};
use hooktide_local::clock::SystemClock;
use hooktide_local::simulators;
use hooktide_tests::server::Server;
use hooktide_tests::simulated::connection;
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::report::{Report, Verdict, grouped};
use crate::rounds::median;

/// How many items a bulk edit has, at the least, and at the most.
const BULK: usize = 5_000;
const MOST_BULK: usize = 20_000;
/// How long anything may take before the measurement counts as broken.
const PATIENCE: Duration = Duration::from_secs(240);
/// How many edits are sent at once.
const AT_ONCE: usize = 8;
/// How many rounds there are, each without and with a bulk edit.
const ROUNDS: usize = 3;
/// How far a bulk edit has come when the other account is edited.
const UNDER_WAY: usize = BULK / 4;
/// How much longer the other account may have to wait.
const MOST: f64 = 2.0;

/// The account that is edited in bulk, and the one that waits for its change.
const BULKY: (&str, &str) = ("square", "product");
const OTHER: (&str, &str) = ("google-calendar", "event");

/// Measures.
pub(super) fn measure(report: &mut Report) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let (alone, beside) = runtime.block_on(compare());
    let seconds = |took: Duration| format!("{:.2} s", took.as_secs_f64());
    let (alone, beside) = (median(alone), median(beside));
    report.show("S3", "from a hint to its change, 2 s of debounce included", seconds(alone));
    let what = format!("  while a bulk edit of {} items of another account is read", grouped(BULK as f64));
    report.show("S3", &what, seconds(beside));
    let ratio = beside.as_secs_f64() / alone.as_secs_f64();
    report.judge("S3", "  times as long", format!("{ratio:.2}"), "at most 2.00", Verdict::Required(ratio <= MOST));
}

async fn compare() -> (Vec<Duration>, Vec<Duration>) {
    let (bulky, other) = (serve(BULKY.0), serve(OTHER.0));
    let at = |provider: &str, address: SocketAddr| {
        ["API", "OAUTH"].map(|way| {
            let name = format!("HOOKTIDE_{}_{way}", provider.replace('-', "_").to_ascii_uppercase());
            (&*name.leak(), OsString::from(format!("http://{address}")))
        })
    };
    let server = Server::start_with(|_| [at(BULKY.0, bulky), at(OTHER.0, other)].concat()).await;
    let mut feed = Feed { server: &server, after: None, seen: 0 };
    for (provider, _) in [BULKY, OTHER] {
        let provider = hooktide_providers::by_id(provider).expect("a provider");
        let body = connection(provider, &json!({}));
        server.client.call(Method::POST, "/v1/connections", Some(body)).await.expect(201);
    }
    // The first syncs.
    feed.rest().await;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        alone.push(feed.time(other, 2 * round).await);
        let before = feed.seen;
        let client = server.client.clone();
        let known = Arc::new(AtomicBool::new(false));
        let is_known = Arc::clone(&known);
        // A fast machine reads them sooner than the other's change can come, so it goes on until that is known.
        let goes_on =
            move |number: &usize| *number < BULK || (*number < MOST_BULK && !is_known.load(Ordering::Relaxed));
        let bulk = tokio::spawn(async move {
            let edits = stream::iter((0..).take_while(goes_on)).map(|number| {
                let client = client.clone();
                let fields = json!({ "name": format!("Tea {round} {number}") });
                async move { edit(&client, bulky, BULKY.1, fields).await }
            });
            edits.buffer_unordered(AT_ONCE).count().await
        });
        feed.until(before + UNDER_WAY).await;
        beside.push(feed.time(other, 2 * round + 1).await);
        known.store(true, Ordering::Relaxed);
        let edited = bulk.await.expect("the edits end");
        feed.until(before + edited + 1).await;
        feed.rest().await;
    }
    (alone, beside)
}

/// Serves the simulator of a provider on a thread of its own, as a provider does not share the reader's.
fn serve(provider: &'static str) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    listener.set_nonblocking(true).expect("a listener");
    let provider = hooktide_providers::by_id(provider).expect("a provider");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            simulators::serve(provider, 1, Arc::new(SystemClock), listener, std::future::pending()).await
        })
    });
    address
}

async fn edit(client: &hooktide_tests::client::Client, simulator: SocketAddr, what: &str, fields: Value) {
    let body = json!({ "what": what, "id": null, "fields": fields });
    let request = Request::post(format!("http://{simulator}/_control/edit")).header("content-type", "application/json");
    let request = request.body(Bytes::from(body.to_string())).expect("a request");
    client.send(request).await.expect("an answer").expect(200);
    client.forget_since(0);
}

/// Follows the feed of changes.
struct Feed<'a> {
    server: &'a Server,
    after: Option<String>,
    seen: usize,
}

impl Feed<'_> {
    /// The changes that are new.
    async fn news(&mut self) -> Vec<Value> {
        let client = &self.server.client;
        let after = self.after.as_ref().map(|after| format!("&after={after}")).unwrap_or_default();
        let page = client.call(Method::GET, &format!("/v1/changes?limit=1000{after}"), None).await.expect(200);
        client.forget_since(0);
        self.after = page["next"].as_str().map(str::to_owned).or_else(|| self.after.take());
        let items = page["items"].as_array().cloned().unwrap_or_default();
        self.seen += items.len();
        items
    }

    /// Waits until so many were seen.
    async fn until(&mut self, count: usize) {
        let began = Instant::now();
        while self.seen < count {
            assert!(began.elapsed() < PATIENCE, "{} of {count} changes came", self.seen);
            self.news().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until nothing comes any more.
    async fn rest(&mut self) {
        let began = Instant::now();
        let mut quiet = began;
        while quiet.elapsed() < Duration::from_secs(8) {
            assert!(began.elapsed() < PATIENCE, "changes do not end: {} came", self.seen);
            if !self.news().await.is_empty() {
                quiet = Instant::now();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The time from an edit of the other account, an event at that hour, until its change is in the feed.
    async fn time(&mut self, simulator: SocketAddr, hour: usize) -> Duration {
        let [start, end] = [hour, hour + 1].map(|hour| format!("2027-01-04T{hour:02}:00:00Z"));
        let fields = json!({ "start": { "dateTime": start }, "end": { "dateTime": end } });
        let began = Instant::now();
        edit(&self.server.client, simulator, OTHER.1, fields).await;
        loop {
            assert!(began.elapsed() < PATIENCE, "the change of {start} does not come");
            if self.news().await.iter().any(|change| change["document"]["start"] == start) {
                return began.elapsed();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
