//! What an address that a user gives may lead to: nothing in the operator's own network, however it is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hooktide_model::fault::Fault;
use hooktide_model::network::is_public;
use hooktide_outbound::Outbound;
use hooktide_store::ports::{Call, Destination, Http, Limits};
use http::{Request, Response};
use serde_json::{Map, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::Tried;

/// A server on this machine, which counts who comes.
struct Private {
    port: u16,
    visits: Arc<AtomicUsize>,
}

impl Private {
    /// A server that gives everybody this answer.
    async fn with(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let visits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&visits);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut request = [0; 4096];
                let _read = stream.read(&mut request).await;
                let _written = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { port, visits }
    }

    async fn new() -> Self {
        Self::with("HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret".to_owned()).await
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}

/// The answer to a request with a token.
async fn ask(outbound: &Outbound, address: &str) -> Result<Response<Bytes>, Fault> {
    let request = Request::get(address).header("authorization", "Bearer hush").body(Bytes::new()).expect("a request");
    let limits = Limits { time: Duration::from_secs(5), size: 1024 };
    outbound.send(Call { request, limits, to: Destination::Public }).await
}

/// Asks these hosts for what only this machine may see: each is refused, and nobody comes to the server.
async fn are_refused(hosts: &[&str]) -> Map<String, serde_json::Value> {
    let mut wrong = Map::new();
    for host in hosts {
        let server = Private::new().await;
        let answer = ask(&Outbound::new(Vec::new(), Vec::new()), &format!("http://{host}:{}/", server.port)).await;
        if server.visits() > 0 || !matches!(answer, Err(Fault::Failed { .. })) {
            wrong.insert((*host).to_owned(), json!([server.visits(), format!("{answer:?}")]));
        }
    }
    wrong
}

/// Asks a server that the operator listed and that sends everybody on: nobody follows.
async fn is_not_followed() -> Map<String, serde_json::Value> {
    let private = Private::new().await;
    let mut wrong = Map::new();
    for to in [format!("http://127.0.0.1:{}/", private.port), "http://169.254.169.254/latest/meta-data/".to_owned()] {
        let answer = format!("HTTP/1.1 307 Away\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let first = Private::with(answer).await;
        let listed = format!("127.0.0.1:{}", first.port).parse().expect("a host");
        let answer = ask(&Outbound::new(Vec::new(), vec![listed]), &format!("http://127.0.0.1:{}/", first.port)).await;
        let status = answer.as_ref().map(|answer| answer.status().as_u16()).ok();
        if (status, first.visits(), private.visits()) != (Some(307), 1, 0) {
            wrong.insert(to, json!([status, first.visits(), private.visits()]));
        }
    }
    wrong
}

/// Whether each of these addresses is public.
fn are_public(expected: bool, addresses: &[&str]) -> Map<String, serde_json::Value> {
    let is_wrong = |text: &&&str| text.parse::<std::net::IpAddr>().is_ok_and(|address| is_public(address) != expected);
    addresses.iter().filter(is_wrong).map(|text| ((*text).to_owned(), json!(!expected))).collect()
}

pub(crate) async fn tried() -> Vec<Tried> {
    let mapped = ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]"];
    let numbers = ["2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001"];
    let translated = ["[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001::1]"];
    vec![
        ("an address written as IPv6 leads to no private server", are_refused(&mapped).await),
        ("an address in the former form of IPv6 leads to no private server", are_refused(&["[::127.0.0.1]"]).await),
        (
            "an address written as one number, in octal or in hexadecimal leads to no private server",
            are_refused(&numbers).await,
        ),
        ("an address written short leads to no private server", are_refused(&["127.1", "127.0.1"]).await),
        ("the address of no host leads to no private server", are_refused(&["0", "0.0.0.0", "[::]"]).await),
        ("an address that carries another one leads to no private server", are_refused(&translated).await),
        (
            "on a network that translates addresses, public servers are reachable and private ones are not",
            [
                are_public(true, &["64:ff9b::8d5f:accd", "64:ff9b::808:808"]),
                are_public(false, &["64:ff9b::a9fe:a9fe", "64:ff9b::a00:1"]),
            ]
            .into_iter()
            .flatten()
            .collect(),
        ),
        ("a name is judged by the address that is connected to", are_refused(&["localhost"]).await),
        (
            "the metadata of a cloud are out of reach, whichever cloud",
            are_public(false, &["169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254"]),
        ),
        ("a redirect leads nowhere, nor takes the token along", is_not_followed().await),
    ]
}
