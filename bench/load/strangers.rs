//! Strangers at the door of the local mode: half-open connections, forged deliveries from the same address, and many
//! open streams of events. Genuine deliveries come through, at half of their undisturbed rate at least.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hooktide_tests::server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::deliveries::Deliveries;
use super::generator::{Connection, Sent, send};
use super::{CONNECTIONS, REST, WARMING, Watch, per_second};
use crate::report::{Report, Verdict};
use crate::rounds::middle;

/// How many send forged ones: enough to keep up, and few, since they share the machine with the server.
const FORGERS: usize = 4;
/// How many rounds there are.
const ROUNDS: usize = 5;
/// How many deliveries measure a rate.
const MEASURED: u64 = 12_000;
/// How many connections are half open.
const HALF_OPEN: usize = 1_500;
/// How many streams of events are open.
const STREAMS: usize = 500;

/// Measures.
pub(crate) fn measure(report: &mut Report) {
    let runtime = super::runtime();
    runtime.block_on(compare(report));
}

async fn compare(report: &mut Report) {
    let server = Server::start().await;
    let shop = server.client.shop().await;
    let deliveries = Deliveries::of(shop);
    let address = server.address();
    let mut watch = Watch::over(&server);
    send(address, &deliveries.requests(0..WARMING, |_| String::new()), CONNECTIONS, None);
    watch.until(WARMING).await;
    tokio::time::sleep(REST).await;
    let mut numbers = (0..).map(|nth: u64| WARMING + nth * MEASURED..WARMING + (nth + 1) * MEASURED);
    let mut next = || deliveries.requests(numbers.next().expect("there is always one more"), |_| String::new());
    let (mut rounds, mut sent) = (Vec::new(), WARMING);
    let (mut told, mut ended) = (0, 0);
    for _ in 0..ROUNDS {
        let alone = send(address, &next(), CONNECTIONS, None);
        sent += MEASURED;
        watch.until(sent).await;
        let crowd = Crowd::gather(address, &server.client.token);
        tokio::time::sleep(REST).await;
        let (genuine, forged) = (next(), next().into_iter().map(forge).collect::<Vec<_>>());
        let (disturbed, refused) = beside(address, &genuine, &forged);
        let left = crowd.leave();
        (told, ended) = (told + left.0, ended + left.1);
        sent += MEASURED;
        watch.until(sent).await;
        tokio::time::sleep(REST).await;
        rounds.push((alone, disturbed, refused));
    }

    let middle_of = |figure: fn(&(Sent, Sent, usize)) -> f64| middle(rounds.iter().map(figure).collect());
    let what = format!("undisturbed: accepted at {CONNECTIONS} connections, median of {ROUNDS} rounds");
    report.show("N3", &what, per_second(middle_of(|(alone, ..)| alone.per_second())));
    let refused: usize = rounds.iter().map(|(.., refused)| refused).sum();
    let what = format!(
        "among {HALF_OPEN} half-open connections, {refused} forged deliveries, {STREAMS} streams ({ended} ended, {:.0} MB \
         told): accepted",
        told as f64 / 1e6
    );
    report.show("N3", &what, per_second(middle_of(|(_, disturbed, _)| disturbed.per_second())));
    let [half, most, nearly_all] = [
        middle_of(|(_, disturbed, _)| disturbed.milliseconds(0.5)),
        middle_of(|(_, disturbed, _)| disturbed.milliseconds(0.99)),
        middle_of(|(_, disturbed, _)| disturbed.milliseconds(0.999)),
    ];
    report.show("N3", "  p50 / p99 / p99.9", format!("{half:.2} / {most:.2} / {nearly_all:.2} ms"));
    let ratio = middle_of(|(alone, disturbed, _)| disturbed.per_second() / alone.per_second());
    let turned_away: usize = rounds.iter().map(|(alone, disturbed, _)| alone.refused + disturbed.refused).sum();
    let holds = ratio >= 0.5 && turned_away == 0;
    let figure = format!("{ratio:.2}, {turned_away} refused");
    report.judge("N3", "  part of the undisturbed rate", figure, "at least 0.50, 0 refused", Verdict::Required(holds));
}

/// The strangers that are there all the time.
struct Crowd {
    half_open: std::thread::JoinHandle<()>,
    runtime: tokio::runtime::Runtime,
    streams: Vec<tokio::task::JoinHandle<()>>,
    told: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Crowd {
    /// Connects them.
    fn gather(address: SocketAddr, token: &str) -> Self {
        let (over, told) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let half_open = std::thread::spawn({
            let over = Arc::clone(&over);
            move || keep_half_open(address, &over)
        });
        let runtime = super::runtime();
        let streams = (0..STREAMS).map(|_| runtime.spawn(follow(address, token.to_owned(), Arc::clone(&told))));
        Self { half_open, streams: streams.collect(), runtime, told, over }
    }

    /// Disconnects them; how many bytes the streams were told, and how many streams had ended before.
    fn leave(self) -> (usize, usize) {
        let ended = self.streams.iter().filter(|stream| stream.is_finished()).count();
        self.over.store(true, Ordering::Relaxed);
        self.half_open.join().expect("the half-open ones end");
        self.runtime.shutdown_background();
        (self.told.load(Ordering::Relaxed), ended)
    }
}

/// Sends genuine deliveries, and for each that was answered a forged one; how many of those were refused.
fn beside(address: SocketAddr, genuine: &[Vec<u8>], forged: &[Vec<u8>]) -> (Sent, usize) {
    let (answered, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (next, began, refused) = (AtomicUsize::new(0), Instant::now(), AtomicUsize::new(0));
    let nth = AtomicUsize::new(0);
    let forge = || {
        let mut connection = Connection::open(address);
        while let Some(request) = forged.get(nth.fetch_add(1, Ordering::Relaxed)) {
            while nth.load(Ordering::Relaxed) > answered.load(Ordering::Relaxed) + CONNECTIONS {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            refused.fetch_add(usize::from([401, 429].contains(&connection.send(request))), Ordering::Relaxed);
        }
    };
    let deliver = || {
        let (mut latencies, mut connection) = (Vec::new(), Connection::open(address));
        let mut turned_away = 0;
        while let Some(request) = genuine.get(next.fetch_add(1, Ordering::Relaxed)) {
            let from = Instant::now();
            match connection.send(request) {
                200 => latencies.push(from.elapsed()),
                _ => turned_away += 1,
            }
            answered.fetch_add(1, Ordering::Relaxed);
        }
        (latencies, turned_away)
    };
    let sent = std::thread::scope(|scope| {
        (0..FORGERS).for_each(|_| drop(scope.spawn(forge)));
        let sent = Sent::join(began, (0..CONNECTIONS).map(|_| scope.spawn(deliver)).collect());
        over.store(true, Ordering::Relaxed);
        sent
    });
    (sent, refused.into_inner())
}

/// The same request with another body, of the same length.
fn forge(mut request: Vec<u8>) -> Vec<u8> {
    if let Some(last) = request.iter_mut().rev().find(|byte| byte.is_ascii_alphabetic()) {
        *last = if *last == b'x' { b'y' } else { b'x' };
    }
    request
}

/// Keeps connections that send a byte of their header now and then; those that the server closes are opened again.
fn keep_half_open(address: SocketAddr, over: &AtomicBool) {
    let open = || {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.write_all(b"POST /webhooks/shopify/x HTTP/1.1\r\nhost: a\r\nx: ").expect("half a header");
        stream
    };
    let mut all: Vec<TcpStream> = (0..HALF_OPEN).map(|_| open()).collect();
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_secs(1));
        for stream in &mut all {
            // The first byte to a closed one is taken, the second is not.
            if stream.write_all(b"a").is_err() {
                *stream = open();
            }
        }
    }
}

/// Reads a stream of events as long as it lasts.
async fn follow(address: SocketAddr, token: String, told: Arc<AtomicUsize>) {
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let head = format!("GET /v1/events HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("a request");
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        told.fetch_add(read, Ordering::Relaxed);
    }
}
