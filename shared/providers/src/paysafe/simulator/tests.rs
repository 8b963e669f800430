//! The simulator under programs that ask, and the notifications that it sends.

use bytes::Bytes;
use data_encoding::BASE64;
use http::header::AUTHORIZATION;
use http::{Method, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Account;
use crate::paysafe::{PASSWORD, PROFILE, USERNAME};
use crate::simulator::outbox::sample;
use crate::simulator::{Edit, Simulator};

const API: &str = "/paymenthub/v1";
const RECEIVER: &str = "https://hooks.example.com/webhooks/paysafe/endpoint";

/// An account, and the time at which it is asked; each question comes a second later.
struct Client(Account, Timestamp);

impl Client {
    fn new() -> Self {
        Self(Account::new(7), "2026-11-28T12:00:00.5Z".parse().unwrap())
    }

    fn as_user(&mut self, password: &str, method: Method, path: &str, body: &Value) -> (u16, Value) {
        self.1 += SignedDuration::from_secs(1);
        let pair = BASE64.encode(format!("{}:{password}", sample(&PROFILE, USERNAME)).as_bytes());
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Basic {pair}"));
        let answer = self.0.answer(&request.body(Bytes::from(body.to_string())).unwrap(), self.1);
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
    }

    fn get(&mut self, path: &str) -> (u16, Value) {
        self.as_user(sample(&PROFILE, PASSWORD), Method::GET, &format!("{API}/{path}"), &Value::Null)
    }

    fn put(&mut self, path: &str, body: &Value) -> (u16, Value) {
        self.as_user(sample(&PROFILE, PASSWORD), Method::PUT, &format!("{API}/{path}"), body)
    }

    fn edit(&mut self, what: &str, id: Option<&str>, fields: Option<Value>) -> Result<String, String> {
        self.1 += SignedDuration::from_secs(1);
        let fields = fields.map(|fields| fields.as_object().cloned().unwrap());
        self.0.edit(&Edit { what: what.to_owned(), id: id.map(str::to_owned), fields }, self.1)
    }

    /// The notifications that are sent now, each with its body.
    fn sent(&mut self) -> Vec<(Request<Bytes>, Value)> {
        let sent = self.0.take_notifications(self.1);
        let with_body = |request: Request<Bytes>| {
            let body = serde_json::from_slice(request.body()).unwrap();
            (request, body)
        };
        sent.into_iter().map(with_body).collect()
    }
}

fn code(body: &Value) -> &str {
    body["error"]["code"].as_str().unwrap_or_default()
}

#[test]
fn each_is_answered_by_its_id_without_the_account_and_nothing_is_listed_without_a_reference() {
    let mut client = Client::new();
    let fields = json!({ "amount": 4250, "merchantRefNum": "tea-1", "status": "COMPLETED" });
    let id = client.edit("payment", None, Some(fields)).unwrap();
    let (status, payment) = client.get(&format!("payments/{id}"));
    assert_eq!((status, &payment["amount"], &payment["accountId"]), (200, &json!(4250), &Value::Null), "{payment}");
    assert_eq!(payment["updatedTime"], "2026-11-28T12:00:01Z", "times have whole seconds");
    assert_eq!(client.get(&format!("settlements/{id}")).0, 404, "an id is one of its sort");
    let settlement = client.edit("settlement", None, Some(json!({}))).unwrap();
    assert_eq!(client.get(&format!("settlements/{settlement}")).1["currencyCode"], Value::Null);

    let (status, found) = client.get("payments?merchantRefNum=tea-1");
    assert_eq!((status, &found["payments"][0]["id"], &found["meta"]["numberOfRecords"]), (200, &json!(id), &json!(1)));
    assert_eq!(client.get("payments?merchantRefNum=tea-1&offset=1").1["payments"], json!([]));
    assert_eq!(client.get("payments?merchantRefNum=tea-1&endDate=2026-11-01T00:00:00Z").1["payments"], json!([]));
    assert_eq!(client.get("monitor").1, json!({ "status": "READY" }));
    for (path, status, expected) in [
        ("payments", 400, "5068"),
        ("payments?startDate=2026-11-01T00:00:00Z", 400, "5068"),
        ("payments?merchantRefNum=tea-1&limit=51", 400, "5068"),
        ("payments?merchantRefNum=tea-1&limit=many", 400, "5068"),
        ("payments?merchantRefNum=tea-1&startDate=yesterday", 400, "5068"),
        ("payments?merchantRefNum=tea-1&status=COMPLETED", 400, "5068"),
        ("payments/none", 404, "5269"),
        ("payments/none/settlements", 404, "5273"),
        ("accounts", 404, "5273"),
    ] {
        let (answered, body) = client.get(path);
        assert_eq!((answered, code(&body)), (status, expected), "{path}: {body}");
    }
}

#[test]
fn who_is_not_the_user_is_refused_and_so_is_too_much() {
    let mut client = Client::new();
    let path = format!("{API}/monitor");
    let (status, body) = client.as_user("wrong", Method::GET, &path, &Value::Null);
    assert_eq!((status, code(&body)), (401, "5279"), "{body}");
    client.0.expire_credentials();
    assert_eq!(client.get("monitor").0, 401);
    let state = client.0.state();
    let password = state["credentials"]["password"].as_str().unwrap();
    assert_eq!(client.as_user(password, Method::GET, &path, &Value::Null).0, 200);
    client.0.limit(Some(0));
    let (status, body) = client.as_user(password, Method::GET, &path, &Value::Null);
    assert_eq!((status, code(&body)), (429, "1200"), "{body}");
}

#[test]
fn only_what_is_not_done_is_cancelled_and_each_change_is_sent() {
    let mut client = Client::new();
    client.edit("webhook", None, Some(json!({ "url": RECEIVER }))).unwrap();
    let id = client.edit("refund", None, Some(json!({ "status": "INITIATED" }))).unwrap();
    assert_eq!(client.sent().len(), 0, "there is no event of this status");
    for body in [json!({}), json!({ "status": "COMPLETED" }), json!({ "status": "CANCELLED", "amount": 1 }), json!([])]
    {
        assert_eq!(client.put(&format!("refunds/{id}"), &body).0, 400, "{body}");
    }
    let cancel = json!({ "status": "CANCELLED" });
    let (status, cancelled) = client.put(&format!("refunds/{id}"), &cancel);
    assert_eq!((status, &cancelled["status"]), (200, &json!("CANCELLED")));
    assert_eq!(client.put(&format!("refunds/{id}"), &cancel).0, 409);
    assert!(client.edit("refund", Some(&id), None).is_err());
    let handle = client.edit("payment-handle", None, Some(json!({ "amount": 700 }))).unwrap();
    client.edit("payment-handle", Some(&handle), None).unwrap();
    let names: Vec<Value> = client.sent().into_iter().map(|(_, body)| body["eventName"].clone()).collect();
    assert_eq!(names, ["REFUND_CANCELLED", "PAYMENT_HANDLE_PAYABLE", "PAYMENT_HANDLE_EXPIRED"]);
}

#[test]
fn what_is_sent_has_the_documented_form_and_comes_again_until_it_is_accepted() {
    let mut client = Client::new();
    let hook = client.edit("webhook", None, Some(json!({ "url": RECEIVER }))).unwrap();
    let id = client.edit("payment", None, Some(json!({ "status": "PROCESSING" }))).unwrap();
    client.edit("payment", Some(&id), Some(json!({ "status": "COMPLETED" }))).unwrap();
    let sent = client.sent();
    let [(_, first), (refused, second)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(
        (&first["eventName"], &second["eventName"]),
        (&json!("PAYMENT_PROCESSING"), &json!("PAYMENT_COMPLETED"))
    );
    assert_eq!((&second["resourceId"], &second["payload"]["id"]), (&json!(id), &json!(id)));
    assert_eq!(second["payload"]["accountId"], PROFILE.sample_account);
    assert_eq!((&first["eventDate"], &second["payload"]["txnTime"]), (&second["eventDate"], &second["eventDate"]));
    assert_ne!(first["payload"]["updatedTime"], second["payload"]["updatedTime"]);

    client.0.delivered(refused, Some(StatusCode::OK), client.1);
    client.0.delivered(refused, None, client.1);
    assert_eq!(client.sent().len(), 0);
    client.1 += SignedDuration::from_mins(1);
    let again = client.sent();
    assert_eq!((again.len(), &again[0].1["attemptNumber"]), (1, &json!("2")));
    assert_ne!(again[0].0.headers()["signature"], refused.headers()["signature"]);
    client.edit("webhook", Some(&hook), None).unwrap();
    client.0.delivered(&again[0].0, Some(StatusCode::BAD_REQUEST), client.1);
    client.1 += SignedDuration::from_hours(2);
    assert_eq!(client.sent().len(), 0, "nothing is sent to an address that is gone");
}

#[test]
fn an_edit_that_fits_nothing_is_refused() {
    let mut client = Client::new();
    for (what, id, fields) in [
        ("account", None, Some(json!({}))),
        ("payment", None, None),
        ("payment", Some("none"), None),
        ("payment", Some("none"), Some(json!({}))),
        ("payment", None, Some(json!({ "amount": 18.5 }))),
        ("payment", None, Some(json!({ "amount": 100_000_000_000_u64 }))),
        ("payment", None, Some(json!({ "currencyCode": "euro" }))),
        ("payment", None, Some(json!({ "status": "PAYABLE" }))),
        ("payment", None, Some(json!({ "id": "mine" }))),
        ("webhook", None, Some(json!({}))),
        ("webhook", None, Some(json!({ "url": "http://hooks.example.com/" }))),
        ("webhook", None, Some(json!({ "url": RECEIVER, "hmac_key": "not base64" }))),
        ("webhook", Some("none"), None),
    ] {
        assert!(client.edit(what, id, fields.clone()).is_err(), "{what} {id:?} {fields:?}");
    }
}
