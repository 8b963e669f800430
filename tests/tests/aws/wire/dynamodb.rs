//! DynamoDB: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/Welcome.html>.

use aws_sdk_dynamodb::Client;
use hooktide_aws::table::DynamoTable;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Key, Partition};
use hooktide_store::ports::{
    AttributeValue, Cancellation, Condition, Item, Query, Range, Table, TransactFault, Write, WriteFault,
};
use hooktide_store::statement::key_item;
use hooktide_tests::wire::{Recorded, Wire};
use serde_json::{Value, json};

async fn table(answers: impl IntoIterator<Item = Recorded>) -> (Wire, DynamoTable) {
    let wire = Wire::answering(answers).await;
    let table = DynamoTable::new(Client::new(&wire.configuration().await), "hooktide-table");
    (wire, table)
}

fn key(sort: &str) -> Key {
    Partition::of(&Tenant::system(), Area::Jobs).key(sort)
}

fn keyed(sort: &str) -> Value {
    json!({ "pk": { "S": "T#system#B" }, "sk": { "S": sort } })
}

fn item(sort: &str, n: i64) -> Item {
    let mut item = key_item(&key(sort));
    item.insert("n".to_owned(), AttributeValue::N(n.to_string()));
    item
}

fn put_if_absent(sort: &str) -> Write {
    Write::Put { item: item(sort, 1), condition: Some(Condition::Absent) }
}

fn refusal(code: &str) -> Recorded {
    let message = "a message that repeats: whose-secret-is-this";
    (400, json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": message }))
}

#[tokio::test]
async fn a_read_of_one_item_is_consistent() {
    let (wire, table) = table([(200, json!({}))]).await;
    assert_eq!(table.get(&key("a")).await, Ok(None));
    let expected = json!({ "TableName": "hooktide-table", "Key": keyed("a"), "ConsistentRead": true });
    assert_eq!((&*wire.calls()[0].target, &wire.bodies()[0]), ("DynamoDB_20120810.GetItem", &expected));
}

#[tokio::test]
async fn a_conditional_put_asks_for_what_is_there_instead() {
    let there = json!({ "pk": { "S": "T#system#B" }, "sk": { "S": "a" }, "n": { "N": "7" } });
    let mut answer = refusal("ConditionalCheckFailedException");
    answer.1["Item"] = there;
    let (wire, table) = table([answer]).await;
    let result = table.write(put_if_absent("a")).await;
    assert_eq!(result, Err(WriteFault::Condition(Some(Box::new(item("a", 7))))));
    let expected = json!({
        "TableName": "hooktide-table",
        "Item": { "pk": { "S": "T#system#B" }, "sk": { "S": "a" }, "n": { "N": "1" } },
        "ConditionExpression": "attribute_not_exists(#pk)",
        "ExpressionAttributeNames": { "#pk": "pk" },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    assert_eq!((&*wire.calls()[0].target, &wire.bodies()[0]), ("DynamoDB_20120810.PutItem", &expected));
}

#[tokio::test]
async fn an_update_says_set_add_and_remove_in_one_expression() {
    let (wire, table) = table([(200, json!({ "Attributes": keyed("a") }))]).await;
    let update = Write::Update {
        key: key("a"),
        set: vec![("state", AttributeValue::S("done".into()))],
        add: vec![("rev", 1)],
        remove: vec!["lease_until"],
        condition: Some(Condition::Equals("rev", AttributeValue::N("3".into()))),
    };
    assert_eq!(table.write(update).await, Ok(Some(key_item(&key("a")))));
    let expected = json!({
        "TableName": "hooktide-table",
        "Key": keyed("a"),
        "UpdateExpression": "SET #state = :0 ADD #rev :1 REMOVE #lease_until",
        "ConditionExpression": "#rev = :2",
        "ExpressionAttributeNames": { "#state": "state", "#rev": "rev", "#lease_until": "lease_until" },
        "ExpressionAttributeValues": { ":0": { "S": "done" }, ":1": { "N": "1" }, ":2": { "N": "3" } },
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    assert_eq!(wire.bodies(), [expected]);
}

#[tokio::test]
async fn a_transaction_is_one_call_and_says_what_spoke_against_each_write() {
    let reasons = json!([
        { "Code": "None" },
        { "Code": "ConditionalCheckFailed", "Item": { "pk": { "S": "T#system#B" }, "sk": { "S": "b" }, "n": { "N": "2" } } },
        { "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" },
    ]);
    let mut answer = refusal("TransactionCanceledException");
    answer.1["CancellationReasons"] = reasons;
    let (wire, table) = table([answer]).await;
    let check = Write::Check { key: key("c"), condition: Condition::Present };
    let delete =
        Write::Delete { key: key("b"), condition: Some(Condition::Equals("n", AttributeValue::N("1".into()))) };
    let result = table.transact(vec![put_if_absent("a"), delete, check]).await;
    let expected =
        vec![Cancellation::None, Cancellation::Condition(Some(Box::new(item("b", 2)))), Cancellation::Conflict];
    assert_eq!(result, Err(TransactFault::Cancelled(expected)));
    let call = &wire.calls()[0];
    assert_eq!(call.target, "DynamoDB_20120810.TransactWriteItems");
    assert!(call.body["ClientRequestToken"].is_string(), "so that only a repetition of this call counts as one");
    let actions: Vec<&String> = call.body["TransactItems"]
        .as_array()
        .expect("items")
        .iter()
        .flat_map(|item| item.as_object().expect("an action").keys())
        .collect();
    assert_eq!(actions, ["Put", "Delete", "ConditionCheck"]);
    for (item, condition) in call.body["TransactItems"].as_array().expect("items").iter().zip([
        "attribute_not_exists(#pk)",
        "#n = :0",
        "attribute_exists(#pk)",
    ]) {
        let action = item.as_object().and_then(|item| item.values().next()).expect("an action");
        assert_eq!(action["ConditionExpression"], condition);
        assert_eq!(action["TableName"], "hooktide-table");
        assert_eq!(action["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
    }
}

#[tokio::test]
async fn a_transaction_at_the_same_item_is_a_conflict_for_a_single_write() {
    let (_wire, table) = table([refusal("TransactionConflictException")]).await;
    assert_eq!(table.write(put_if_absent("a")).await, Err(WriteFault::Conflict));
}

#[tokio::test]
async fn independent_writes_fail_alone() {
    let (wire, table) = table([(200, json!({})), refusal("ConditionalCheckFailedException"), (200, json!({}))]).await;
    let results = table.write_many(vec![put_if_absent("a"); 3]).await;
    assert_eq!(wire.calls().len(), 3);
    assert_eq!(results.iter().filter(|result| **result == Err(WriteFault::Condition(None))).count(), 1);
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2);
}

#[tokio::test]
async fn what_passes_is_retryable_and_what_does_not_is_a_failure_and_neither_repeats_what_was_said() {
    for code in [
        "AccessDeniedException",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ResourceNotFoundException",
        "ThrottlingException",
        "UnrecognizedClientException",
    ] {
        let (_wire, table) = table([refusal(code)]).await;
        let fault = table.get(&key("a")).await.expect_err("a fault");
        assert!(matches!(fault, Fault::Retryable { .. }), "{code}: {fault:?}");
        assert!(fault.to_string().contains(code), "{fault}");
    }
    let (_wire, table) = table([refusal("ValidationException")]).await;
    let fault = table.get(&key("a")).await.expect_err("a fault");
    assert!(matches!(fault, Fault::Failed { .. }), "{fault:?}");
    assert!(!fault.to_string().contains("whose-secret"), "{fault}");
}

#[tokio::test]
async fn the_sdk_repeats_what_was_throttled() {
    let wire = Wire::answering([refusal("ThrottlingException"), (500, json!({})), (200, json!({}))]).await;
    let table = DynamoTable::new(Client::new(&wire.repeating().await), "hooktide-table");
    assert_eq!(table.get(&key("a")).await, Ok(None));
    assert_eq!(wire.calls().len(), 3);
}

#[tokio::test]
async fn keys_that_stay_unprocessed_are_asked_for_again_and_only_those() {
    let of = |sorts: &[&str]| sorts.iter().map(|sort| keyed(sort)).collect::<Vec<_>>();
    let partly = json!({
        "Responses": { "hooktide-table": of(&["b"]) },
        "UnprocessedKeys": { "hooktide-table": { "Keys": of(&["a", "c"]), "ConsistentRead": true } },
    });
    let nothing = json!({
        "Responses": { "hooktide-table": [] },
        "UnprocessedKeys": { "hooktide-table": { "Keys": of(&["a", "c"]), "ConsistentRead": true } },
    });
    let rest = json!({ "Responses": { "hooktide-table": of(&["c"]) }, "UnprocessedKeys": {} });
    let (wire, table) = table([(200, partly), (200, nothing), (200, rest)]).await;
    let items = table.get_many(&[key("a"), key("b"), key("c")]).await.expect("items");
    assert_eq!(items, [None, Some(key_item(&key("b"))), Some(key_item(&key("c")))]);
    let asked: Vec<Value> =
        wire.bodies().iter().map(|body| body["RequestItems"]["hooktide-table"]["Keys"].clone()).collect();
    assert_eq!(asked, [json!(of(&["a", "b", "c"])), json!(of(&["a", "c"])), json!(of(&["a", "c"]))]);
    assert!(wire.bodies().iter().all(|body| body["RequestItems"]["hooktide-table"]["ConsistentRead"] == true));
}

#[tokio::test]
async fn keys_that_are_never_processed_end_in_a_fault_that_passes() {
    let nothing = json!({ "UnprocessedKeys": { "hooktide-table": { "Keys": [keyed("a")] } } });
    let (wire, table) = table(std::iter::repeat_n((200, nothing), 20)).await;
    let result = table.get_many(&[key("a")]).await;
    assert!(matches!(result, Err(Fault::Retryable { .. })), "{result:?}");
    assert!(wire.calls().len() < 20, "bounded");
}

#[tokio::test]
async fn more_than_a_hundred_keys_take_another_call() {
    let (wire, table) = table(std::iter::repeat_n((200, json!({ "Responses": {} })), 3)).await;
    let keys: Vec<Key> = (0..201).map(|n| key(&n.to_string())).collect();
    assert_eq!(table.get_many(&keys).await.expect("items").len(), 201);
    let counts: Vec<usize> = wire
        .bodies()
        .iter()
        .map(|body| body["RequestItems"]["hooktide-table"]["Keys"].as_array().expect("keys").len())
        .collect();
    assert_eq!(counts, [100, 100, 1]);
}

#[tokio::test]
async fn a_query_reads_on_from_where_a_page_ended_until_it_has_enough() {
    let first = json!({ "Items": [keyed("a")], "LastEvaluatedKey": keyed("a") });
    let second = json!({ "Items": [keyed("b")], "LastEvaluatedKey": keyed("b") });
    let (wire, table) = table([(200, first), (200, second)]).await;
    let partition = Partition::of(&Tenant::system(), Area::Jobs);
    let query = Query { partition, range: Range::Prefix("x".into()), descending: true, limit: 2 };
    let page = table.query(&query).await.expect("a page");
    assert_eq!((page.items.len(), page.more), (2, true));
    let expected = json!({
        "TableName": "hooktide-table",
        "KeyConditionExpression": "#pk = :0 AND begins_with(#sk, :1)",
        "ExpressionAttributeNames": { "#pk": "pk", "#sk": "sk" },
        "ExpressionAttributeValues": { ":0": { "S": "T#system#B" }, ":1": { "S": "x" } },
        "ScanIndexForward": false,
        "ConsistentRead": true,
        "Limit": 2,
    });
    assert_eq!(wire.bodies()[0], expected);
    assert_eq!((&wire.bodies()[1]["ExclusiveStartKey"], &wire.bodies()[1]["Limit"]), (&keyed("a"), &json!(1)));
}

#[tokio::test]
async fn what_is_due_is_read_from_the_index() {
    let (wire, table) = table([(200, json!({ "Items": [] }))]).await;
    assert_eq!(table.due("D#deferred#00", 9, 5).await, Ok(Vec::new()));
    let body = &wire.bodies()[0];
    assert_eq!((&body["IndexName"], &body["ConsistentRead"]), (&json!("due"), &json!(false)));
}
