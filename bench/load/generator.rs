//! The load generator: threads with a keep-alive connection each, which send bytes that were made before.
//!
//! In a closed loop each connection sends as soon as it has its answer. In an open loop each request has a time at which
//! it should be sent; its latency counts from then, whether or not a connection was free (no coordinated omission).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use crate::rounds::percentile;

/// What was sent, and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// How long all of it took.
    pub(crate) took: Duration,
    /// The latencies of the accepted ones, sorted.
    pub(crate) latencies: Vec<Duration>,
    /// How many were answered with neither 200 nor 304.
    pub(crate) refused: usize,
}

impl Sent {
    /// What these threads sent since then, once they end.
    pub(crate) fn join(began: Instant, threads: Vec<ScopedJoinHandle<'_, (Vec<Duration>, usize)>>) -> Self {
        let mut sent = Self::default();
        for thread in threads {
            let (latencies, refused) = thread.join().expect("a thread ends");
            sent.latencies.extend(latencies);
            sent.refused += refused;
        }
        sent.took = began.elapsed();
        sent.latencies.sort();
        sent
    }

    /// Accepted ones in a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// The latency in milliseconds that this share does not exceed.
    pub(crate) fn milliseconds(&self, share: f64) -> f64 {
        percentile(&self.latencies, share).as_secs_f64() * 1e3
    }

    /// The usual three in a line.
    pub(crate) fn in_words(&self) -> String {
        let [half, most, nearly_all] = [0.5, 0.99, 0.999].map(|share| self.milliseconds(share));
        format!("{half:.2} / {most:.2} / {nearly_all:.2} ms")
    }
}

/// Sends all requests over so many connections; in an open loop at `rate` a second, else in a closed one.
pub(crate) fn send(address: SocketAddr, requests: &[Vec<u8>], connections: usize, rate: Option<f64>) -> Sent {
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    let work = || {
        let (mut latencies, mut refused) = (Vec::new(), 0);
        let mut connection = Connection::open(address);
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(request) = requests.get(index) else { return (latencies, refused) };
            let from = match rate {
                None => Instant::now(),
                Some(rate) => {
                    let intended = began + Duration::from_secs_f64(index as f64 / rate);
                    std::thread::sleep(intended.saturating_duration_since(Instant::now()));
                    intended
                }
            };
            if matches!(connection.send(request), 200 | 304) {
                latencies.push(from.elapsed());
            } else {
                refused += 1;
            }
        }
    };
    std::thread::scope(|scope| {
        let threads = (0..connections).map(|_| scope.spawn(work)).collect();
        Sent::join(began, threads)
    })
}

/// The largest answer, in bytes.
const LARGEST: usize = 256 * 1024;

/// A keep-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Box<[u8]>,
}

impl Connection {
    /// Opens it.
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
        Self { stream, buffer: vec![0; LARGEST].into() }
    }

    /// Sends a request and reads its answer; the status.
    pub(crate) fn send(&mut self, request: &[u8]) -> u16 {
        self.stream.write_all(request).expect("a request is sent");
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).expect("an answer");
            assert!(read > 0, "the server closed the connection");
            filled += read;
            let answer = &self.buffer[..filled];
            let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let body = filled - head - 4;
            let head = std::str::from_utf8(&answer[..head]).expect("a head");
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            let status: u16 = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
            // What was not modified may say the length that its body would have (RFC 9110, 15.4.5).
            if status == 304 || body >= length.unwrap_or(0) {
                return status;
            }
        }
    }
}
