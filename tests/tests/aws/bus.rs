//! The bus on EventBridge, against MiniStack; a rule takes what it carries to a queue.

use aws_sdk_eventbridge::types::Target;
use hooktide_aws::bus::{EventBridgeBus, SOURCE};
use hooktide_local::bus::LocalBus;
use hooktide_tests::contracts::bus::{heard, keeps_its_promises};
use hooktide_tests::emulator::Emulator;
use hooktide_tests::server::eventually;
use serde_json::Value;

#[tokio::test]
async fn the_local_bus_keeps_its_promises() {
    keeps_its_promises(&LocalBus::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bus_on_eventbridge_keeps_its_promises_and_rules_hear_all_of_it() {
    let emulator = Emulator::start().await;
    let configuration = emulator.configuration().await;
    let queues = aws_sdk_sqs::Client::new(&configuration);
    let events = aws_sdk_eventbridge::Client::new(&configuration);
    let queue =
        queues.create_queue().queue_name("heard").send().await.expect("a queue").queue_url.expect("its address");
    let arn = "arn:aws:sqs:us-east-1:000000000000:heard";
    events.create_event_bus().name("hooktide").send().await.expect("a bus");
    let pattern = format!("{{\"source\":[\"{SOURCE}\"]}}");
    let rule = events.put_rule().name("all").event_bus_name("hooktide").event_pattern(pattern);
    rule.send().await.expect("a rule");
    let target = Target::builder().id("queue").arn(arn).build().expect("a target");
    events.put_targets().rule("all").event_bus_name("hooktide").targets(target).send().await.expect("a target");

    keeps_its_promises(&EventBridgeBus::new(events, "hooktide")).await;

    let expected = heard();
    let mut told: Vec<(String, Value)> = Vec::new();
    eventually("the rule's queue has everything", async || {
        let call = queues.receive_message().queue_url(&queue).max_number_of_messages(10);
        for message in call.send().await.expect("messages").messages.unwrap_or_default() {
            let event: Value = serde_json::from_str(message.body().expect("a body")).expect("JSON");
            assert_eq!(event["source"], SOURCE);
            told.push((event["detail-type"].as_str().expect("a type").to_owned(), event["detail"].clone()));
            let receipt = message.receipt_handle().expect("a receipt");
            queues.delete_message().queue_url(&queue).receipt_handle(receipt).send().await.expect("it is deleted");
        }
        (told.len() >= expected.len()).then_some(())
    })
    .await;
    told.sort_by_key(|(_, detail)| detail["changes"][0]["id"].to_string());
    assert!(told == expected, "something else was heard");
}
