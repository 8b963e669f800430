//! The root keys in Secrets Manager, against MiniStack.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use hooktide_aws::keys::SecretsManagerKeys;
use hooktide_local::keys::LocalKeys;
use hooktide_model::entropy::Entropy;
use hooktide_model::fault::Fault;
use hooktide_model::sealing::RootKeys;
use hooktide_store::ports::Keys;
use hooktide_tests::contracts::keys::keep_their_promises;
use hooktide_tests::emulator::Emulator;
use hooktide_tests::world::clock;
use serde_json::json;

#[tokio::test]
async fn the_local_keys_keep_their_promises() {
    keep_their_promises(&LocalKeys::generate(&Entropy::seeded(1))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn root_keys_in_a_secret_are_cached_and_a_rotation_is_noticed() {
    let emulator = Emulator::start().await;
    let client = Client::new(&emulator.configuration().await);
    // As the template has the secret generated.
    let first = "0123456789abcdefABCDEF".repeat(3);
    let text = json!({ "rotated": [], "first": first }).to_string();
    client.create_secret().name("root").secret_string(&text).send().await.expect("a secret");
    let clock = clock();
    let keys = SecretsManagerKeys::new(client.clone(), "root", Arc::new(clock.clone()));
    keep_their_promises(&keys).await;

    let before = keys.root().await.expect("keys");
    let rotated = json!({ "rotated": ["z".repeat(64)], "first": first }).to_string();
    client.put_secret_value().secret_id("root").secret_string(&rotated).send().await.expect("a new version");
    let newer = RootKeys::from_json(&rotated).expect("root keys").current_id().to_owned();
    clock.advance(Duration::from_secs(11));
    assert_eq!(keys.root().await.expect("keys").current_id(), before.current_id(), "cached");
    let with = keys.root_with(&newer).await.expect("keys");
    assert!(with.knows(&newer) && with.knows(before.current_id()), "read anew, and the older key still opens");
    assert_eq!(keys.root().await.expect("keys").current_id(), newer);

    client.delete_secret().secret_id("root").force_delete_without_recovery(true).send().await.expect("it is gone");
    clock.advance(Duration::from_secs(301));
    assert_eq!(keys.root().await.expect("the older keys serve").current_id(), newer);
    let cold = SecretsManagerKeys::new(client, "root", Arc::new(clock));
    assert!(matches!(cold.root().await, Err(Fault::Retryable { .. })), "nobody is let in without keys");
}

#[tokio::test]
async fn a_mistake_in_the_root_keys_is_told_without_them() {
    for text in [
        "\"a-pasted-key\"",
        "{\"first\":\"a-pasted-key\",\"rotated\":\"a-pasted-key\"}",
        "{\"first\":\"a-pasted-key\",\"rotated\":[]}",
    ] {
        let fault = RootKeys::from_json(text).expect_err("no root keys").to_string();
        assert!(!fault.contains("pasted"), "{fault}");
    }
}
