//! Kept answers over HTTP: how many a second, as parts of what a bare server gives that has the same bytes at hand.

use std::ffi::OsStr;
use std::io::Write;
use std::net::SocketAddr;

use hooktide_tests::connected::signed;
use hooktide_tests::server::Server;
use http::Method;
use serde_json::json;

use super::redis;
use crate::load::generator::send;
use crate::load::start_own;
use crate::report::{Report, Verdict, grouped};
use crate::rounds::middle;

/// How many connections ask.
const CONNECTIONS: usize = 16;
/// How many requests a round has.
const REQUESTS: usize = 60_000;
/// How many rounds all take turns in.
const ROUNDS: usize = 3;
/// How many payments there are, of which a page has some.
const PAYMENTS: u64 = 60;
const PATH: &str = "/v1/transactions?limit=20";

/// Measures.
pub(super) async fn measure(report: &mut Report) {
    let server = Server::start().await;
    let made = server.client.call(
        Method::POST,
        "/v1/connections",
        Some(json!({ "provider": "paysafe", "secrets": secrets() })),
    );
    let id = made.await.expect(201)["id"].as_str().expect("an id").to_owned();
    for number in 0..PAYMENTS {
        let body = json!({ "connection": id, "number": number });
        let told = server.client.call(Method::POST, "/test/events/paysafe/PAYMENT_COMPLETED", Some(body)).await;
        let sent = server.client.send(signed(&told.expect(200))).await.expect("an answer");
        assert!(sent.status.is_success());
    }
    let page = hooktide_tests::server::eventually("payments are listed", async || {
        let all = server.client.call(Method::GET, "/v1/transactions?limit=1000", None).await.expect(200);
        let count = all["items"].as_array().map_or(0, Vec::len);
        if count < usize::try_from(PAYMENTS).ok()? {
            return None;
        }
        Some(server.client.call(Method::GET, PATH, None).await)
    })
    .await;
    let etag = page.headers["etag"].to_str().expect("an entity tag").to_owned();
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&page.body).expect("the page is written");
    let (bare, _bare) = start_own(&[OsStr::new("bytes"), file.path().as_os_str()]);
    let peer = redis::start().map(|(address, running)| {
        let address = address.to_string();
        (start_own(&[OsStr::new("redis"), OsStr::new(&address), file.path().as_os_str()]), running)
    });
    let request = |condition: String| {
        let token = &server.client.token;
        format!("GET {PATH} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{condition}\r\n")
            .into_bytes()
    };
    let whole = vec![request(String::new()); REQUESTS];
    let known = vec![request(format!("if-none-match: {etag}\r\n")); REQUESTS];
    let rate = |address: SocketAddr, requests: &[Vec<u8>]| {
        let sent = send(address, requests, CONNECTIONS, None);
        assert_eq!(sent.refused, 0, "every request is answered");
        sent.per_second()
    };
    let mut rounds: Vec<[f64; 5]> = Vec::new();
    for _ in 0..=ROUNDS {
        let of_peer = peer.as_ref().map_or(f64::NAN, |((address, _), _)| rate(*address, &whole));
        let (floor, empty) = (rate(bare, &whole), rate(bare, &known));
        let (hit, unchanged) = (rate(server.address(), &whole), rate(server.address(), &known));
        rounds.push([floor, empty, hit, unchanged, of_peer]);
    }
    // The first one warms up.
    rounds.remove(0);
    let of = |place: usize| middle(rounds.iter().map(|round| round[place]).collect());
    let per_second = |rate: f64| format!("{}/s", grouped(rate));
    let what = format!("kept answers over HTTP, {} bytes, {CONNECTIONS} connections", grouped(page.body.len() as f64));
    report.show("N5", &what, per_second(of(2)));
    report.show("N5", "  a bare server with the same bytes", per_second(of(0)));
    for (what, own, floor) in [("a kept answer", 2, 0), ("a 304", 3, 1)] {
        let part = middle(rounds.iter().map(|round: &[f64; 5]| round[own] / round[floor]).collect());
        let text = format!("{what}: {}; part of the bare server's rate", per_second(of(own)));
        report.judge("N5", &text, format!("1 / {:.1}", 1.0 / part), "at least 1 / 4", Verdict::Required(part >= 0.25));
    }
    let peers =
        if peer.is_some() { per_second(of(4)) } else { "not measured: redis-server is not installed".to_owned() };
    report.show("N5", "  the same bytes through Redis", peers);
}

/// The sample secrets of the provider.
fn secrets() -> serde_json::Value {
    hooktide_tests::connected::sample_secrets(hooktide_providers::by_id("paysafe").expect("a provider"))
}
