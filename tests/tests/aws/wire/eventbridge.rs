//! EventBridge: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.

use aws_sdk_eventbridge::Client;
use hooktide_aws::bus::EventBridgeBus;
use hooktide_model::fault::Fault;
use hooktide_model::names::Channel;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Bus, BusEntry};
use hooktide_tests::wire::{Recorded, Wire};
use serde_json::{Value, json};

async fn bus(answers: impl IntoIterator<Item = Recorded>) -> (Wire, EventBridgeBus) {
    let wire = Wire::answering(answers).await;
    let bus = EventBridgeBus::new(Client::new(&wire.configuration().await), "hooktide-bus");
    (wire, bus)
}

fn entry(text: &str) -> BusEntry {
    BusEntry {
        tenant: Tenant::system(),
        channel: Channel::ProductUpdates,
        detail: json!({ "tenant": "system", "changes": [text] }).to_string(),
    }
}

fn all(count: usize) -> Recorded {
    let entries: Vec<Value> = (0..count).map(|n| json!({ "EventId": format!("e{n}") })).collect();
    (200, json!({ "FailedEntryCount": 0, "Entries": entries }))
}

fn counts(wire: &Wire) -> Vec<usize> {
    wire.bodies().iter().map(|body| body["Entries"].as_array().expect("entries").len()).collect()
}

#[tokio::test]
async fn an_entry_names_bus_source_and_channel() {
    let (wire, bus) = bus([all(1)]).await;
    assert_eq!(bus.publish(vec![entry("a")]).await, [Ok(())]);
    let expected = json!({ "Entries": [{
        "EventBusName": "hooktide-bus",
        "Source": "hooktide",
        "DetailType": "product-updates",
        "Detail": "{\"changes\":[\"a\"],\"tenant\":\"system\"}",
    }] });
    assert_eq!((&*wire.calls()[0].target, &wire.bodies()[0]), ("AWSEvents.PutEvents", &expected));
}

#[tokio::test]
async fn calls_have_at_most_ten_entries_and_256_kilobytes() {
    let (wire, small) = bus([all(10), all(2)]).await;
    assert_eq!(small.publish(vec![entry("a"); 12]).await, vec![Ok(()); 12]);
    assert_eq!(counts(&wire), [10, 2]);
    let (wire, large) = bus([all(4), all(1)]).await;
    assert_eq!(large.publish(vec![entry(&"x".repeat(60 * 1024)); 5]).await, vec![Ok(()); 5]);
    assert_eq!(counts(&wire), [4, 1]);
}

#[tokio::test]
async fn only_entries_that_failed_are_sent_again() {
    let partly = json!({
        "FailedEntryCount": 3,
        "Entries": [
            { "EventId": "e0" },
            { "ErrorCode": "InternalFailure", "ErrorMessage": "no" },
            { "ErrorCode": "ThrottlingException", "ErrorMessage": "no" },
            { "ErrorCode": "MalformedDetail", "ErrorMessage": "no" },
        ],
    });
    let (wire, bus) = bus([(200, partly), all(2)]).await;
    let results = bus.publish(["a", "b", "c", "d"].map(entry).to_vec()).await;
    assert!(matches!(&results[..], [Ok(()), Ok(()), Ok(()), Err(Fault::Failed { .. })]), "{results:?}");
    let again: Vec<Value> =
        wire.bodies()[1]["Entries"].as_array().expect("entries").iter().map(|entry| entry["Detail"].clone()).collect();
    assert_eq!(again, ["{\"changes\":[\"b\"],\"tenant\":\"system\"}", "{\"changes\":[\"c\"],\"tenant\":\"system\"}"]);
}

#[tokio::test]
async fn a_bus_that_takes_nothing_says_so() {
    let denied = json!({ "__type": "AccessDeniedException", "message": "not allowed to perform events:PutEvents" });
    let (wire, bus) = bus(std::iter::repeat_n((400, denied), 9)).await;
    let results = bus.publish(vec![entry("a")]).await;
    assert!(matches!(&results[..], [Err(Fault::Retryable { .. })]), "{results:?}");
    assert_eq!(wire.calls().len(), 1);
}
