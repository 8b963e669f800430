//! SQS: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>.

use std::time::Duration;

use aws_sdk_sqs::Client;
use hooktide_aws::queue::{QueueUrls, SqsQueue};
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Outgoing, Queue, QueueName};
use hooktide_tests::wire::{Recorded, Wire};
use serde_json::{Value, json};

async fn queue(answers: impl IntoIterator<Item = Recorded>) -> (Wire, SqsQueue) {
    let wire = Wire::answering(answers).await;
    let url = |name: &str| format!("http://queue/{name}");
    let urls = QueueUrls { notices: url("notices"), priority: url("priority"), jobs: url("jobs"), dead: url("dead") };
    let queue = SqsQueue::new(Client::new(&wire.configuration().await), urls);
    (wire, queue)
}

fn message(body: &str) -> Outgoing {
    Outgoing { queue: QueueName::Notices, body: body.to_owned(), delay: Duration::ZERO, group: "endpoint".into() }
}

/// Everything of a batch of so many was sent.
fn all(count: usize) -> Recorded {
    (200, json!({ "Successful": (0..count).map(sent).collect::<Vec<_>>(), "Failed": [] }))
}

fn sent(id: usize) -> Value {
    json!({ "Id": id.to_string(), "MessageId": format!("m{id}"), "MD5OfMessageBody": "d41d8cd98f00b204e9800998ecf8427e" })
}

fn failed(id: usize, code: &str, sender: bool) -> Value {
    json!({ "Id": id.to_string(), "Code": code, "SenderFault": sender, "Message": "so it is" })
}

fn bodies_of(call: &Value) -> Vec<&str> {
    call["Entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| entry["MessageBody"].as_str().expect("a body"))
        .collect()
}

#[tokio::test]
async fn a_message_travels_with_its_group_and_its_delay() {
    let (wire, queue) = queue([all(1)]).await;
    let message = Outgoing { delay: Duration::from_millis(1200), queue: QueueName::Priority, ..message("{}") };
    assert_eq!(queue.send(vec![message]).await, [Ok(())]);
    let expected = json!({
        "QueueUrl": "http://queue/priority",
        "Entries": [{ "Id": "0", "MessageBody": "{}", "DelaySeconds": 2, "MessageGroupId": "endpoint" }],
    });
    assert_eq!((&*wire.calls()[0].target, &wire.bodies()[0]), ("AmazonSQS.SendMessageBatch", &expected));
}

#[tokio::test]
async fn batches_have_at_most_ten_messages_and_a_mebibyte() {
    let (wire, queue) = queue([all(10), all(10), all(3)]).await;
    assert_eq!(queue.send((0..23).map(|n| message(&n.to_string())).collect()).await, vec![Ok(()); 23]);
    assert_eq!(wire.bodies().iter().map(|call| bodies_of(call).len()).collect::<Vec<_>>(), [10, 10, 3]);

    let (wire, queue) = queue_of_large().await;
    assert_eq!(queue.send((0..5).map(|_| message(&"x".repeat(400 * 1024))).collect()).await, vec![Ok(()); 5]);
    assert_eq!(wire.bodies().iter().map(|call| bodies_of(call).len()).collect::<Vec<_>>(), [2, 2, 1]);
}

async fn queue_of_large() -> (Wire, SqsQueue) {
    queue([all(2), all(2), all(1)]).await
}

#[tokio::test]
async fn only_what_failed_by_the_services_fault_is_sent_again() {
    let first = json!({
        "Successful": [sent(0)],
        "Failed": [failed(1, "InternalError", false), failed(2, "InvalidMessageContents", true), failed(3, "RequestThrottled", true)],
    });
    let (wire, queue) = queue([(200, first), all(2)]).await;
    let results = queue.send(["a", "b", "c", "d"].map(message).to_vec()).await;
    assert!(matches!(&results[..], [Ok(()), Ok(()), Err(Fault::Failed { .. }), Ok(())]), "{results:?}");
    assert_eq!(wire.bodies().iter().map(|call| bodies_of(call).join("")).collect::<Vec<_>>(), ["abcd", "bd"]);
}

#[tokio::test]
async fn a_message_that_nothing_is_said_of_is_not_taken_for_sent() {
    let silent: Recorded = (200, json!({ "Successful": [sent(0)], "Failed": [] }));
    let again: Recorded = (200, json!({ "Successful": [], "Failed": [] }));
    let (_wire, queue) = queue([silent, again.clone(), again.clone(), again]).await;
    let results = queue.send(["a", "b"].map(message).to_vec()).await;
    assert!(matches!(&results[..], [Ok(()), Err(Fault::Retryable { .. })]), "{results:?}");
}

#[tokio::test]
async fn a_queue_that_is_gone_is_the_deployments_fault_and_waits() {
    let gone =
        json!({ "__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "The specified queue does not exist." });
    let (wire, queue) = queue(std::iter::repeat_n((400, gone), 9)).await;
    let results = queue.send(vec![message("a")]).await;
    assert!(matches!(&results[..], [Err(Fault::Retryable { .. })]), "{results:?}");
    assert_eq!(wire.calls().len(), 1, "the SDK's own repetitions are enough, and switched off here");
}
