//! What the simulator does to programs that write.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Account;
use crate::simulator::Simulator;
use crate::square::{ACCESS_TOKEN, PROFILE};

/// An account, and the time at which it is asked; each question comes a second later.
struct Client(Account, Timestamp);

impl Client {
    fn new() -> Self {
        Self(Account::new(7), "2026-11-28T12:00:00Z".parse().unwrap())
    }

    fn at_once(&mut self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let (_, token) = PROFILE.sample_credentials.iter().find(|(name, _)| *name == ACCESS_TOKEN).unwrap();
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {token}"));
        let answer = self.0.answer(&request.body(Bytes::from(body.to_string())).unwrap(), self.1);
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
    }

    fn ask(&mut self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        self.1 += SignedDuration::from_secs(1);
        self.at_once(method, path, body)
    }

    fn upsert(&mut self, key: &str, object: &Value) -> (u16, Value) {
        self.ask(Method::POST, "/v2/catalog/object", &json!({ "idempotency_key": key, "object": object }))
    }
}

fn item(name: &str) -> Value {
    let variation = json!({ "type": "ITEM_VARIATION", "id": "#v", "item_variation_data": { "name": "Regular" } });
    json!({ "type": "ITEM", "id": "#i", "item_data": { "name": name, "variations": [variation] } })
}

fn code(body: &Value) -> &str {
    body["errors"][0]["code"].as_str().unwrap_or_default()
}

#[test]
fn a_write_is_done_once_under_its_key_and_of_the_latest_version() {
    let mut client = Client::new();
    let (status, made) = client.upsert("a", &item("Oolong"));
    assert_eq!((status, made["id_mappings"].as_array().map(Vec::len)), (200, Some(2)), "{made}");
    assert_eq!(client.upsert("a", &item("Oolong")), (200, made.clone()), "the first answer again");
    assert_eq!(code(&client.upsert("a", &item("Other")).1), "IDEMPOTENCY_KEY_REUSED");

    let mut object = made["catalog_object"].clone();
    object["item_data"]["name"] = json!("Green oolong");
    let (status, changed) = client.upsert("b", &object);
    assert_eq!((status, &changed["catalog_object"]["item_data"]["name"]), (200, &json!("Green oolong")));
    assert_eq!(code(&client.upsert("c", &object).1), "VERSION_MISMATCH");
    object.as_object_mut().unwrap().remove("version");
    object["item_data"]["variations"][0].as_object_mut().unwrap().remove("version");
    assert_eq!(client.upsert("d", &object).0, 200, "without a version nothing is checked");
    for (key, odd) in [("e", json!({ "type": "ITEM", "id": "#i" })), ("f", json!({ "type": "TAX", "id": "#i" }))] {
        assert_eq!(client.upsert(key, &odd).0, 400, "{odd}");
    }
}

#[test]
fn one_write_at_a_time_is_taken_and_others_wait() {
    let mut client = Client::new();
    assert_eq!(client.upsert("a", &item("Oolong")).0, 200);
    let body = json!({ "idempotency_key": "b", "object": item("Other") });
    let (status, locked) = client.at_once(Method::POST, "/v2/catalog/object", &body);
    assert_eq!((status, code(&locked)), (429, "RATE_LIMITED"), "{locked}");
    assert_eq!(client.ask(Method::POST, "/v2/catalog/object", &body).0, 200);
}

#[test]
fn a_deletion_takes_variations_with_it_and_leaves_a_tombstone() {
    let mut client = Client::new();
    let (_, made) = client.upsert("a", &item("Oolong"));
    let id = made["catalog_object"]["id"].as_str().unwrap().to_owned();
    let (status, deleted) = client.ask(Method::DELETE, &format!("/v2/catalog/object/{id}"), &json!({}));
    assert_eq!((status, deleted["deleted_object_ids"].as_array().map(Vec::len)), (200, Some(2)));
    assert_eq!(client.ask(Method::DELETE, &format!("/v2/catalog/object/{id}"), &json!({})).0, 404);
    assert_eq!(code(&client.upsert("b", &made["catalog_object"]).1), "INVALID_VALUE", "nothing brings it back");
    let search = json!({ "object_types": ["ITEM"], "begin_time": made["catalog_object"]["updated_at"] });
    let (_, found) = client.ask(Method::POST, "/v2/catalog/search", &search);
    assert_eq!((&found["objects"][0]["id"], &found["objects"][0]["is_deleted"]), (&json!(id), &json!(true)));
    let search = json!({ "object_types": ["ITEM"], "begin_time": found["latest_time"] });
    let (_, found) = client.ask(Method::POST, "/v2/catalog/search", &search);
    assert!(found.get("objects").is_none(), "what has exactly that time is left out: {found}");
}

#[test]
fn what_is_malformed_is_refused() {
    let mut client = Client::new();
    for (path, body, expected) in [
        ("/v2/catalog/search", json!([]), "EXPECTED_JSON_BODY"),
        ("/v2/catalog/search", json!({ "object_type": "ITEM" }), "UNKNOWN_BODY_PARAMETER"),
        ("/v2/catalog/search", json!({ "object_types": ["THING"] }), "INVALID_ENUM_VALUE"),
        ("/v2/catalog/search", json!({ "begin_time": "yesterday" }), "INVALID_TIME"),
        ("/v2/catalog/search", json!({ "limit": 1001 }), "INVALID_VALUE"),
        ("/v2/catalog/search", json!({ "cursor": "odd" }), "INVALID_CURSOR"),
        ("/v2/catalog/object", json!({ "object": item("Oolong") }), "MISSING_REQUIRED_PARAMETER"),
        ("/v2/catalog/object", json!({ "idempotency_key": "x".repeat(129), "object": {} }), "VALUE_TOO_LONG"),
        ("/v2/inventory/counts/batch-retrieve", json!({ "location_ids": "L" }), "EXPECTED_ARRAY"),
        ("/v2/elsewhere", json!({}), "NOT_FOUND"),
    ] {
        let (status, answer) = client.ask(Method::POST, path, &body);
        assert!(status >= 400 && code(&answer) == expected, "{path} {body}: {answer}");
    }
}
