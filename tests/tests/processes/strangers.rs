//! Strangers who connect and then do as little as they can: genuine deliveries come through, and they are closed.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use hooktide_tests::memory;
use hooktide_tests::server::{Launch, PATIENCE, Server, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MEBIBYTE: usize = 1024 * 1024;
const HALF: &str = "POST /webhooks/shopify/x HTTP/1.1\r\nhost: a\r\nx-half: ";

fn set(settings: &[(&'static str, &str)]) -> impl FnOnce(&Path) -> Vec<(&'static str, OsString)> {
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, OsString::from(value))).collect();
    |_| settings
}

/// Opens a connection and says so much.
async fn open(address: SocketAddr, said: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // The server may have closed it already.
    stream.write_all(said).await.ok();
    stream
}

/// What comes until the server closes the connection; `None` if it does not in time.
async fn rest(stream: &mut TcpStream, time: Duration) -> Option<String> {
    let mut heard = Vec::new();
    let ended = tokio::time::timeout(time, stream.read_to_end(&mut heard)).await;
    // A reset is an end as well.
    ended.ok().map(|_| String::from_utf8_lossy(&heard).into_owned())
}

async fn delivers(server: &Server, shop: &hooktide_tests::world::Shop, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let answer = server.client.send(shop.product(number, 0)).await.expect("an answer");
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifteen_hundred_half_headers_stop_no_delivery_and_are_closed() {
    let server = Server::start_with(set(&[("HOOKTIDE_HEADER_SECONDS", "3")])).await;
    let shop = server.client.shop().await;
    let half = join_all((0..1_500).map(|_| open(server.address(), HALF.as_bytes()))).await;
    delivers(&server, &shop, 0..20).await;
    let ends = half.into_iter().map(async |mut stream| rest(&mut stream, PATIENCE).await.is_some());
    assert!(join_all(ends).await.into_iter().all(|ended| ended));
    delivers(&server, &shop, 20..40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_few_files_may_be_open_half_open_connections_give_way_to_deliveries() {
    let launch = Launch { first: Some("ulimit -n 256"), ..Launch::default() };
    let server = Server::launch(set(&[("HOOKTIDE_HEADER_SECONDS", "300")]), launch).await;
    let (shop, client) = (server.client.shop().await, server.client.unpooled());
    for said in ["", HALF] {
        let half = join_all((0..260).map(|_| open(server.address(), said.as_bytes()))).await;
        for number in 0..30 {
            assert_eq!(client.send(shop.product(number, 0)).await.expect("an answer").status, 200);
        }
        drop(half);
    }
}

/// So many requests whose bodies lack their last byte, and by how many megabytes the server grew.
async fn with_bodies(server: &Server, path: &str, count: usize) -> (Vec<TcpStream>, f64) {
    let before = memory::resident(server.process().expect("a process"));
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {MEBIBYTE}\r\n\r\n");
    let said = [head.as_bytes(), &vec![b'a'; MEBIBYTE - 1]].concat();
    let open = join_all((0..count).map(|_| open(server.address(), &said))).await;
    let after = memory::resident(server.process().expect("a process"));
    (open, after.zip(before).map_or(0.0, |(after, before)| after - before))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_for_made_up_addresses_cost_no_memory() {
    let server = Server::start().await;
    let (open, grown) = with_bodies(&server, "/webhooks/nosuch/x", 300).await;
    assert!(grown < 60.0, "{grown} MB");
    drop(open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_bodies_together_are_bounded_and_what_does_not_fit_may_come_again() {
    let settings = [("HOOKTIDE_BODIES_MIB", "16"), ("HOOKTIDE_BODY_SECONDS", "10")];
    let server = Server::start_with(set(&settings)).await;
    let shop = server.client.shop().await;
    let path = http::Uri::try_from(&shop.url).expect("an address").path().to_owned();
    let (open, grown) = with_bodies(&server, &path, 100).await;
    assert!(grown < 80.0, "{grown} MB");
    // Who holds a body back is cut off for them.
    tokio::time::sleep(Duration::from_secs(1)).await;
    delivers(&server, &shop, 0..5).await;
    let answers = join_all(open.into_iter().map(async |mut stream| rest(&mut stream, PATIENCE).await)).await;
    let with = |status: &str| answers.iter().flatten().filter(|answer| answer.starts_with(status)).count();
    assert!(with("HTTP/1.1 503") > 0 && with("HTTP/1.1 408") > 0, "{answers:?}");
    assert!(answers.iter().flatten().all(|answer| !answer.contains(" 503 ") || answer.contains("retry-after: 2\r\n")));
    delivers(&server, &shop, 5..10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_comes_slowly_is_ended() {
    let server = Server::start_with(set(&[("HOOKTIDE_BODY_SECONDS", "1")])).await;
    let shop = server.client.shop().await;
    let webhook = http::Uri::try_from(&shop.url).expect("an address").path().to_owned();
    for path in [&webhook, "/v1/connections"] {
        let token = &server.client.token;
        let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n");
        let mut stream = open(server.address(), format!("{head}content-length: 100\r\n\r\n").as_bytes()).await;
        let (mut reader, mut writer) = stream.split();
        let mut heard = String::new();
        let trickle = async {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                writer.write_all(b" ").await.ok();
            }
        };
        let answered = async {
            tokio::select! {
                read = reader.read_to_string(&mut heard) => drop(read),
                () = trickle => {}
            }
        };
        tokio::time::timeout(Duration::from_secs(9), answered).await.expect("the server ends it");
        assert!(heard.starts_with("HTTP/1.1 408"), "{path}: {heard:?}");
    }
    delivers(&server, &shop, 0..1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_that_says_too_much_is_refused_before_any_body() {
    let server = Server::start().await;
    let shop = server.client.shop().await;
    let path = http::Uri::try_from(&shop.url).expect("an address").path().to_owned();
    let large = "a".repeat(380 * 1024);
    for (lines, status) in [
        ("content-length: 104857600\r\n\r\n", "413"),
        ("content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", "400"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "400"),
        // Its end never comes.
        (&format!("x-large: {large}"), "431"),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\n{lines}");
        let mut stream = open(server.address(), head.as_bytes()).await;
        let mut answer = [0; 12];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await;
        // Whoever still speaks may find the connection reset before the answer is read.
        if status != "431" || matches!(read, Ok(Ok(_))) {
            assert_eq!(std::str::from_utf8(&answer).unwrap(), format!("HTTP/1.1 {status}"));
        }
        assert!(read.is_ok(), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_events_lives_on_however_short_the_times_are() {
    let settings = ["HOOKTIDE_HEADER_SECONDS", "HOOKTIDE_IDLE_SECONDS", "HOOKTIDE_BODY_SECONDS"];
    let server = Server::start_with(set(&settings.map(|name| (name, "1")))).await;
    let shop = server.client.shop().await;
    let mut events = server.client.events(None).await.expect("a stream");
    let mut idle = open(server.address(), b"GET /v1/health HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let rested = rest(&mut idle, Duration::from_secs(9)).await.expect("what rests is closed");
    assert!(rested.starts_with("HTTP/1.1 200"), "{rested}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    delivers(&server, &shop, 0..1).await;
    eventually("the change is told", async || {
        let chunk = events.chunk().await.expect("a stream that lives").expect("a stream that lives");
        String::from_utf8_lossy(&chunk).contains("product-updates").then_some(())
    })
    .await;
}
