//! The log cannot be written: whoever sends or asks does not notice.

use std::fs::OpenOptions;
use std::io::pipe;
use std::process::Stdio;

use hooktide_tests::server::{Launch, Server, eventually};
use http::Method;

/// How many requests are made that are logged: more than fit into a pipe.
const LOGGED: u64 = 600;

/// A pipe that nobody reads any more.
fn closed() -> Stdio {
    pipe().expect("a pipe").1.into()
}

/// A pipe that nobody reads, and that is not closed.
fn unread() -> Stdio {
    let (reader, writer) = pipe().expect("a pipe");
    // For as long as the test runs.
    std::mem::forget(reader);
    writer.into()
}

/// A disk without any room.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("/dev/full").into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_whose_reader_is_gone_swallows_no_request_and_no_dead_letter() {
    serves_on(closed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_holds_no_request_up() {
    serves_on(unread).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_on_a_full_disk_does_not_end_the_process() {
    serves_on(full).await;
}

async fn serves_on(stderr: fn() -> Stdio) {
    let launch = Launch { stderr: Some(stderr), ..Launch::default() };
    // Every forged delivery is a line, none is turned away uncounted.
    let environment = |_: &_| vec![("HOOKTIDE_FAILURES_PER_MINUTE", "100000".into())];
    let mut server = Server::launch(environment, launch).await;
    let shop = server.client.shop().await;
    for number in 0..LOGGED {
        let mut forged = shop.product(number, 0);
        *forged.body_mut() = shop.body(number, 1);
        let answer = server.client.send(forged).await.expect("an answer");
        assert_eq!(answer.status, 401);
    }
    let unreadable = shop.signed("products/update", "unreadable", "not json");
    assert_eq!(server.client.send(unreadable).await.expect("an answer").status, 200);
    eventually("the dead letter", async || {
        let letters = server.client.call(Method::GET, "/v1/dead-letters", None).await.expect(200);
        letters["items"].as_array().filter(|items| items.len() == 1).map(drop)
    })
    .await;
    assert_eq!(server.stop("TERM").await.code(), Some(0));
}
