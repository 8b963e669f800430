//! What stands in front of the functions, and its secret in Secrets Manager, against MiniStack.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use hooktide_aws::secret::StoredSecret;
use hooktide_functions::front::{Front, FrontSecret};
use hooktide_model::problem::Problem;
use hooktide_tests::emulator::Emulator;
use hooktide_tests::world::clock;
use http::{HeaderMap, HeaderValue};
use serde_json::json;

const OLD: &str = "0123456789abcdef0123456789abcdef";
const NEW: &str = "fedcba9876543210fedcba9876543210";
const PEER: &str = "192.0.2.1";

/// What becomes of a request with that proof; the source that it is counted by.
async fn admit(front: &Front, proof: Option<&str>) -> Result<String, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert("cloudfront-viewer-address", HeaderValue::from_static("2001:db8::10:46532"));
    if let Some(proof) = proof {
        headers.insert("x-hooktide-front", HeaderValue::from_str(proof).expect("a header"));
    }
    front.admit(&mut headers, PEER.into()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_around_the_front_is_refused_and_a_replaced_secret_counts_at_once() {
    let emulator = Emulator::start().await;
    let client = Client::new(&emulator.configuration().await);
    let stored = json!({ "former": "", "current": OLD }).to_string();
    client.create_secret().name("front").secret_string(stored).send().await.expect("a secret");
    let clock = clock();
    let front = |name: &str| {
        Front(Some(StoredSecret::new(client.clone(), name, Arc::new(clock.clone()), FrontSecret::from_json)))
    };
    let known = front("front");
    assert_eq!(admit(&known, Some(OLD)).await, Ok("2001:db8::10".into()), "counted by who sent it");
    for proof in [None, Some(""), Some(NEW)] {
        let problem = admit(&known, proof).await.expect_err("it went around");
        assert_eq!(problem.status, 403, "{proof:?}");
    }

    let replaced = json!({ "former": OLD, "current": NEW }).to_string();
    client.put_secret_value().secret_id("front").secret_string(replaced).send().await.expect("a new version");
    clock.advance(Duration::from_secs(11));
    for proof in [NEW, OLD] {
        assert!(admit(&known, Some(proof)).await.is_ok(), "both count until the distribution has the new one");
    }
    let problem = admit(&front("another"), Some(NEW)).await.expect_err("no secret, no proof");
    assert!(problem.status >= 500, "the sender tries again: {problem:?}");
}
