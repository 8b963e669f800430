//! The peer that a user would pick: answers cached in Redis by `GET` and `SETEX`, the keys of each tag in a set, deleted when the tag
//! is invalidated, as the usual middleware does it.

use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use bytes::Bytes;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;

use crate::load::bare::serve_on_free_port;
use crate::load::{Running, free_address};

/// How long it keeps answers, in seconds.
const LIFETIME: u64 = 120;

/// Starts Debian's `redis-server`, which keeps nothing on disk; `None` where it is not installed.
pub(super) fn start() -> Option<(SocketAddr, Running)> {
    let address = free_address();
    let child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--save", "", "--appendonly", "no"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let running = Running(child);
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "redis-server listens");
        std::thread::sleep(Duration::from_millis(50));
    }
    Some((address, running))
}

/// Answers that are cached in Redis.
#[derive(Clone)]
pub(super) struct Cached(MultiplexedConnection);

impl Cached {
    pub(super) async fn at(address: SocketAddr) -> Self {
        let client = redis::Client::open(format!("redis://{address}")).expect("an address");
        Self(client.get_multiplexed_async_connection().await.expect("a connection"))
    }

    /// The cached answer, or what is read now.
    pub(super) async fn answer(&self, question: &str, tag: &str, fill: impl Future<Output = Vec<u8>>) -> Vec<u8> {
        let mut redis = self.0.clone();
        let cached: Option<Vec<u8>> = redis.get(question).await.expect("an answer");
        if let Some(cached) = cached {
            return cached;
        }
        let body = fill.await;
        let mut both = redis::pipe();
        both.atomic().set_ex(question, &body, LIFETIME).ignore().sadd(tag, question).ignore();
        both.exec_async(&mut redis).await.expect("it is stored");
        body
    }

    /// Deletes what depends on a tag.
    pub(super) async fn invalidate(&self, tag: &str) {
        let mut redis = self.0.clone();
        let questions: Vec<String> = redis.smembers(tag).await.expect("a set");
        if questions.is_empty() {
            return;
        }
        let mut all = redis::pipe();
        all.atomic().del(questions).ignore().del(tag).ignore();
        all.exec_async(&mut redis).await.expect("they are deleted");
    }
}

/// Serves a file's bytes through the cache until it is killed; says first where.
pub(crate) fn serve(address: &str, file: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (address, body) = (address.parse().expect("an address"), std::fs::read(file).expect("a file"));
    runtime.block_on(async {
        let cached = Cached::at(address).await;
        let app = Router::new().fallback(answer).with_state((cached, Bytes::from(body)));
        serve_on_free_port(app).await;
    });
}

async fn answer(State((cached, body)): State<(Cached, Bytes)>) -> impl IntoResponse {
    let answer = cached.answer("transactions", "tag", async move { body.to_vec() }).await;
    ([(CONTENT_TYPE, "application/json")], answer)
}
