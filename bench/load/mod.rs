//! N3: the local mode over HTTP, against a bare server in the same run.

pub(crate) mod bare;
mod deliveries;
pub(crate) mod generator;
mod parts;
mod peers;
pub(crate) mod strangers;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hooktide_tests::memory;
use hooktide_tests::server::Server;
use http::Method;
use jiff::Timestamp;
use serde_json::Value;

use self::deliveries::Deliveries;
use self::generator::{Sent, send};
use self::parts::{Round, middle_of};
use crate::report::{Report, Verdict, grouped};
use crate::rounds::median;

/// How many connections send.
const CONNECTIONS: usize = 16;
/// How many send for comparison: more of them share an fsync.
const MANY_CONNECTIONS: usize = 128;
/// How many rounds the bare server and ours take turns in.
const ROUNDS: usize = 3;
/// How many deliveries measure the rates of a round.
const MEASURED: u64 = 60_000;
/// How long everything rests before a rate is measured, with nothing left to process: acceptance goes before processing
/// only for some seconds at a stretch.
const REST: Duration = Duration::from_secs(6);
/// How many a peer gets.
const PEERS: u64 = 10_000;
/// How many warm up.
const WARMING: u64 = 4_000;
/// How many are made and sent at once when memory is looked at.
const AT_ONCE: u64 = 25_000;
/// How long the open loop runs.
const OPEN: Duration = Duration::from_secs(10);
/// How much memory may grow from the second quarter to the last.
const FLAT: f64 = 1.10;

/// A server's process, which ends with this.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Measures.
pub(crate) fn measure(report: &mut Report) {
    runtime().block_on(compare(report));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

async fn compare(report: &mut Report) {
    let server = Server::start().await;
    let shop = server.client.shop().await;
    let deliveries = Arc::new(Deliveries::of(shop.clone()));
    let mut sender = Sender { deliveries: Arc::clone(&deliveries), sent: 0 };

    let (bare, process) = start_own(&[OsStr::new("bare")]);
    send(bare, &deliveries.requests(0..WARMING, |_| String::new()), CONNECTIONS, None);
    let beside = tempfile::tempdir().expect("a folder");
    let id = url_id(&shop.url);
    let peer = peers::webhook(&id, &deliveries.requests(0..PEERS, peers::signature), CONNECTIONS, beside.path());

    let mut watch = Watch::over(&server);
    sender.send(server.address(), WARMING, None).await;
    watch.until(sender.sent).await;

    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let floor = send(bare, &deliveries.requests(0..MEASURED, |_| String::new()), CONNECTIONS, None);
        tokio::time::sleep(REST).await;
        let requests = sender.make(MEASURED);
        let began = Timestamp::now();
        let accepted = start(server.address(), requests, CONNECTIONS, None);
        let ended = watch.until(sender.sent).await;
        let processed = MEASURED as f64 / ended.duration_since(began).as_secs_f64();
        rounds.push(Round { floor, accepted: accepted.await.expect("the closed loop ends"), processed });
    }
    drop(process);
    let requests = sender.make(MEASURED / 3);
    let wide = start(server.address(), requests, MANY_CONNECTIONS, None).await.expect("the closed loop ends");
    watch.until(sender.sent).await;
    let rate = middle_of(&rounds, |round| round.accepted.per_second()) / 2.0;
    let open = sender.send(server.address(), (rate * OPEN.as_secs_f64()) as u64, Some(rate)).await;
    watch.until(sender.sent).await;
    let refused: usize = rounds.iter().map(|round| round.floor.refused + round.accepted.refused).sum();
    assert_eq!(refused + wide.refused + open.refused, 0, "every delivery is accepted");

    parts::judge(report, &rounds, peer.as_ref());
    report.show("N3", &format!("  accepted at {MANY_CONNECTIONS} connections"), per_second(wide.per_second()));
    let what = format!("open loop at {}: p50 / p99 / p99.9 from the intended time", per_second(rate));
    report.show("N3", &what, open.in_words());
    remember(report, &server, &mut sender, &mut watch).await;
}

/// Measures whether memory stays flat over many more deliveries.
async fn remember(report: &mut Report, server: &Server, sender: &mut Sender, watch: &mut Watch<'_>) {
    let total: u64 = std::env::var("DELIVERIES").ok().and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let (before, mut quarters) = (sender.sent, Vec::new());
    for quarter in 1..=4 {
        while sender.sent < before + total * quarter / 4 {
            let some = AT_ONCE.min(before + total * quarter / 4 - sender.sent);
            sender.send(server.address(), some, None).await;
            watch.until(sender.sent).await;
        }
        let process = server.process().expect("a running server");
        quarters.push(memory::resident(process).zip(memory::anonymous(process)));
    }
    let what = format!("memory after each quarter of {} more deliveries (of it no file's)", grouped(total as f64));
    let Some(quarters) = quarters.into_iter().collect::<Option<Vec<(f64, f64)>>>() else {
        report.show("N3", &what, "not measured: there is no /proc".to_owned());
        return;
    };
    let figures: Vec<String> =
        quarters.iter().map(|(resident, anonymous)| format!("{resident:.0} ({anonymous:.0})")).collect();
    let flat = quarters[3].0 <= FLAT * quarters[1].0;
    report.judge("N3", &what, format!("{} MB", figures.join(", ")), "flat: 2nd to 4th 10 %", Verdict::Required(flat));
}

/// The last part of an address.
fn url_id(url: &str) -> String {
    url.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The median time of an fsync after 64 KB more in a file beside the data folders.
pub(crate) fn sync_time() -> Duration {
    let mut file = tempfile::tempfile().expect("a file");
    let times = (0..41).map(|_| {
        let began = Instant::now();
        file.write_all(&[b'x'; 64 * 1024]).and_then(|()| file.sync_data()).expect("an fsync");
        began.elapsed()
    });
    median(times.collect())
}

/// An address that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("a free port")
}

fn per_second(rate: f64) -> String {
    format!("{}/s", grouped(rate))
}

/// Starts this program as a server of its own; it says first where it listens.
pub(crate) fn start_own(arguments: &[&OsStr]) -> (SocketAddr, Running) {
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().expect("the server starts");
    let mut said = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut said).expect("its address");
    (said.trim().parse().expect("an address"), Running(child))
}

/// Sends deliveries that were not sent yet.
struct Sender {
    deliveries: Arc<Deliveries>,
    sent: u64,
}

impl Sender {
    /// The next deliveries.
    fn make(&mut self, count: u64) -> Vec<Vec<u8>> {
        let requests = self.deliveries.requests(self.sent..self.sent + count, |_| String::new());
        self.sent += count;
        requests
    }

    async fn send(&mut self, address: SocketAddr, count: u64, rate: Option<f64>) -> Sent {
        let requests = self.make(count);
        start(address, requests, CONNECTIONS, rate).await.expect("the sending ends")
    }
}

/// Begins to send.
fn start(
    address: SocketAddr,
    requests: Vec<Vec<u8>>,
    connections: usize,
    rate: Option<f64>,
) -> tokio::task::JoinHandle<Sent> {
    tokio::task::spawn_blocking(move || send(address, &requests, connections, rate))
}

/// Follows the activity. Its times say when something was processed, so it is read once nothing waits any more: a reader takes
/// time from whoever processes.
struct Watch<'a> {
    server: &'a Server,
    after: Option<String>,
    seen: u64,
    last: Timestamp,
}

impl<'a> Watch<'a> {
    /// Nothing was seen yet.
    fn over(server: &'a Server) -> Self {
        Self { server, after: None, seen: 0, last: Timestamp::UNIX_EPOCH }
    }

    /// Waits until the activity has so many deliveries; returns when the last of them was processed.
    async fn until(&mut self, count: u64) -> Timestamp {
        while self.seen < count {
            while self.waiting().await {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            while self.seen < count && self.read().await {}
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.last
    }

    /// Whether deliveries wait.
    async fn waiting(&self) -> bool {
        let queues = self.get("/v1/queues").await;
        let of = |queue: &Value| ["depth", "in_flight"].iter().filter_map(|name| queue[*name].as_u64()).sum::<u64>();
        queues["items"].as_array().into_iter().flatten().any(|queue| queue["name"] == "notices" && of(queue) > 0)
    }

    /// Reads a page; whether there is another.
    async fn read(&mut self) -> bool {
        let after = self.after.as_ref().map(|after| format!("&after={after}")).unwrap_or_default();
        let page = self.get(&format!("/v1/activity?limit=1000{after}")).await;
        for item in page["items"].as_array().into_iter().flatten() {
            self.seen += 1;
            let processed_at = item["processed_at"].as_str().and_then(|text| text.parse().ok());
            self.last = self.last.max(processed_at.expect("when it was processed"));
        }
        self.after = page["next"].as_str().map(str::to_owned).or_else(|| self.after.take());
        page["more"] == Value::Bool(true)
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.server.client.call(Method::GET, path, None).await.expect(200);
        self.server.client.forget_since(0);
        answer
    }
}
