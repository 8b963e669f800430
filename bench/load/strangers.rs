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
use super::{Watch, per_second};
use crate::report::{Report, Verdict};

/// How many connections send genuine deliveries.
const CONNECTIONS: usize = 16;
/// How many send forged ones: enough to keep up, and few, since they share the machine with the server.
const FORGERS: usize = 4;
/// How many deliveries measure a rate.
const MEASURED: u64 = 20_000;
/// How many warm up.
const WARMING: u64 = 4_000;
/// How long everything rests before a rate is measured, with nothing left to process: acceptance goes before processing
/// only for some seconds at a stretch.
const REST: Duration = Duration::from_secs(6);
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
    let mut watch = Watch { server: &server, after: None, seen: 0 };
    send(address, &deliveries.requests(0..WARMING, |_| String::new()), CONNECTIONS, None);
    watch.until(WARMING).await;
    tokio::time::sleep(REST).await;
    let numbers = |nth: u64| WARMING + nth * MEASURED..WARMING + (nth + 1) * MEASURED;
    let alone = send(address, &deliveries.requests(numbers(0), |_| String::new()), CONNECTIONS, None);
    watch.until(WARMING + MEASURED).await;

    let over = Arc::new(AtomicBool::new(false));
    let half_open = std::thread::spawn({
        let over = Arc::clone(&over);
        move || keep_half_open(address, &over)
    });
    let told = Arc::new(AtomicUsize::new(0));
    let streams = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let streams = streams.expect("a runtime");
    let open: Vec<_> =
        (0..STREAMS).map(|_| streams.spawn(follow(address, server.client.token.clone(), Arc::clone(&told)))).collect();
    tokio::time::sleep(REST).await;
    let genuine = deliveries.requests(numbers(1), |_| String::new());
    let forged: Vec<Vec<u8>> = deliveries.requests(numbers(2), |_| String::new()).into_iter().map(forge).collect();
    let (disturbed, refused) = beside(address, &genuine, &forged);
    let ended = open.iter().filter(|stream| stream.is_finished()).count();
    over.store(true, Ordering::Relaxed);
    half_open.join().expect("the half-open ones end");
    streams.shutdown_background();

    let ratio = disturbed.per_second() / alone.per_second();
    report.show("N3", "undisturbed: accepted at 16 connections", per_second(alone.per_second()));
    let what = format!(
        "among {HALF_OPEN} half-open connections, {refused} forged deliveries, {STREAMS} streams ({ended} ended, {:.0} MB \
         told): accepted",
        told.load(Ordering::Relaxed) as f64 / 1e6
    );
    report.show("N3", &what, per_second(disturbed.per_second()));
    report.show("N3", "  p50 / p99 / p99.9", disturbed.in_words());
    let holds = ratio >= 0.5 && disturbed.refused == 0;
    let figure = format!("{ratio:.2}, {} refused", disturbed.refused);
    report.judge("N3", "  part of the undisturbed rate", figure, "at least 0.50, 0 refused", Verdict::Required(holds));
}

/// Sends genuine deliveries, and for each that was answered a forged one; how many of those were refused.
fn beside(address: SocketAddr, genuine: &[Vec<u8>], forged: &[Vec<u8>]) -> (Sent, usize) {
    let (answered, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (next, began, refused) = (AtomicUsize::new(0), Instant::now(), AtomicUsize::new(0));
    let (nth, mut sent) = (AtomicUsize::new(0), Sent::default());
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
    std::thread::scope(|scope| {
        (0..FORGERS).for_each(|_| drop(scope.spawn(forge)));
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(deliver)).collect();
        for thread in threads {
            let (latencies, turned_away) = thread.join().expect("a thread ends");
            sent.latencies.extend(latencies);
            sent.refused += turned_away;
        }
        sent.took = began.elapsed();
        over.store(true, Ordering::Relaxed);
    });
    sent.latencies.sort();
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
