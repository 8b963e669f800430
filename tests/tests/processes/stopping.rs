//! The server stops when it is asked to, whoever still listens.

use std::collections::BTreeSet;
use std::time::Duration;

use hooktide_tests::server::Server;

use crate::crash::all_is_told;

/// How long the end may take while somebody reads events.
const END: Duration = Duration::from_secs(9);

#[tokio::test]
async fn the_server_stops_cleanly_on_sigterm_and_sigint() {
    tokio::join!(stops_on("TERM"), stops_on("INT"));
}

async fn stops_on(signal: &str) {
    let mut server = Server::start().await;
    let shop = server.client.shop().await;
    let mut events = server.client.events(None).await.expect("a stream of events");
    assert!(events.chunk().await.unwrap().is_some(), "the stream has begun");
    let accepted: BTreeSet<usize> = (0..40).collect();
    for number in &accepted {
        let answer = server.client.send(shop.product(*number as u64, 0)).await.expect("an answer");
        assert_eq!(answer.status, 200);
    }
    let status = tokio::time::timeout(END, server.stop(signal)).await;
    let status = status.unwrap_or_else(|_| panic!("SIG{signal} did not end the server in time"));
    assert_eq!(status.code(), Some(0), "{}", server.log());
    // What was read by then is all there is: the stream ends, and says no more.
    while let Ok(Some(_)) = events.chunk().await {}
    server.start_again().await;
    all_is_told(&server, &accepted).await;
}
