//! The API as the simulator has it, call by call.

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE};

use super::*;
use crate::microsoft_graph::PROFILE;
use crate::simulator::outbox;

fn now() -> Timestamp {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

/// An account, with the id of its default calendar.
fn account() -> (Account, String) {
    let account = Account::new(7);
    let id = account.mailbox.calendar(None).unwrap();
    (account, id)
}

fn call_with(
    account: &mut Account,
    (method, path): (Method, &str),
    body: Option<Value>,
    headers: &[(&str, &str)],
) -> (u16, Value) {
    let token = format!("Bearer {}", outbox::sample(&PROFILE, "access_token"));
    let mut request = Request::builder().method(method).uri(path).header(AUTHORIZATION, token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let answer = account.answer(&request.body(body).unwrap(), now());
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default())
}

fn get(account: &mut Account, path: &str) -> (u16, Value) {
    call_with(account, (Method::GET, path), None, &[])
}

fn post(account: &mut Account, path: &str, body: Value) -> (u16, Value) {
    call_with(account, (Method::POST, path), Some(body), &[])
}

fn event(more: Value) -> Value {
    let time = |time: &str| json!({ "dateTime": time, "timeZone": "Europe/Vienna" });
    let mut event = json!({
        "subject": "Lunch",
        "start": time("2026-12-01T12:00:00"),
        "end": time("2026-12-01T13:00:00"),
    });
    event.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    event
}

#[test]
fn requests_that_graph_would_refuse_are_refused() {
    let (mut account, calendar) = account();
    let delta = format!("/v1.0/me/calendars/{calendar}/calendarView/delta");
    let window = "startDateTime=2026-12-01T00:00:00Z&endDateTime=2026-12-08T00:00:00Z";
    for (path, expected) in [
        ("/v1.0/me/calendars".to_owned(), 200),
        (format!("{delta}?{window}"), 200),
        (format!("{delta}?{window}&$select=id"), 400),
        (format!("{delta}?{window}&$filter=a"), 400),
        (format!("{delta}?startDateTime=2026-12-01T00:00:00Z"), 400),
        (format!("{delta}?startDateTime=2026-12-08T00:00:00Z&endDateTime=2026-12-01T00:00:00Z"), 400),
        (format!("{delta}?$deltatoken=odd"), 400),
        (format!("/v1.0/me/calendarView?{window}&$top=5"), 200),
        ("/v1.0/me/calendarView".to_owned(), 400),
        ("/v1.0/me/events?$filter=transactionId%20eq%20'a'".to_owned(), 400),
        ("/v1.0/me/events?$select=id,odd".to_owned(), 400),
        ("/v1.0/me/events/never".to_owned(), 404),
        ("/v1.0/me/calendars/never/events".to_owned(), 404),
        ("/v1.0/me/messages".to_owned(), 404),
        ("/beta/me/calendars".to_owned(), 404),
    ] {
        assert_eq!(get(&mut account, &path).0, expected, "{path}");
    }
    let bare = Request::get("/v1.0/me/calendars").body(Bytes::new()).unwrap();
    assert_eq!(account.answer(&bare, now()).status(), 401);
    let midnight = json!({ "dateTime": "2026-12-01T00:30:00", "timeZone": "UTC" });
    for (more, expected) in [
        (json!({}), 201),
        (json!({ "start": null }), 400),
        (json!({ "start": { "dateTime": "2026-12-02T12:00:00", "timeZone": "UTC" } }), 400),
        (json!({ "start": { "dateTime": "2026-12-01T12:00:00", "timeZone": "Moon/Crater" } }), 400),
        (json!({ "isAllDay": true }), 400),
        (json!({ "isAllDay": true, "start": midnight, "end": midnight }), 400),
        (json!({ "showAs": "away" }), 400),
        (json!({ "id": "mine" }), 400),
        (json!({ "isCancelled": true }), 400),
        (json!({ "recurrence": { "pattern": {}, "range": {} } }), 400),
        (json!({ "singleValueExtendedProperties": [{ "id": "hooktide", "value": "a" }] }), 400),
    ] {
        assert_eq!(post(&mut account, "/v1.0/me/events", event(more.clone())).0, expected, "{more}");
    }
}

#[test]
fn an_event_is_shown_with_texts_rewritten_times_padded_and_ids_of_the_kind_that_is_preferred() {
    let (mut account, calendar) = account();
    let path = format!("/v1.0/me/calendars/{calendar}/events");
    let immutable = [("prefer", r#"IdType="ImmutableId", outlook.timezone="W. Europe Standard Time""#)];
    let body = event(json!({ "body": { "contentType": "text", "content": "Tea" } }));
    let (status, made) = call_with(&mut account, (Method::POST, &path), Some(body), &immutable);
    assert_eq!((status, &made["start"]["dateTime"]), (201, &json!("2026-12-01T12:00:00.0000000")));
    let text = made["body"]["content"].as_str().unwrap();
    assert!(text.starts_with("<html>\r\n") && text.contains("Tea"), "{text}");
    let id = made["id"].as_str().unwrap();
    let (_, usual) = get(&mut account, &format!("{path}/{id}"));
    assert_eq!(usual["start"], json!({ "dateTime": "2026-12-01T11:00:00.0000000", "timeZone": "UTC" }));
    assert_ne!(usual["id"], made["id"]);
    let (_, again) = get(&mut account, &format!("/v1.0/me/events/{}", usual["id"].as_str().unwrap()));
    assert_eq!(again, usual, "either id serves");
    assert_eq!(usual["@odata.etag"], made["@odata.etag"]);
}

#[test]
fn a_transaction_counts_once_and_a_property_is_found() {
    let (mut account, _) = account();
    let property = json!([{ "id": "String {a} Name b", "value": "c" }]);
    let mine = event(json!({ "transactionId": "t", "singleValueExtendedProperties": property }));
    assert_eq!(post(&mut account, "/v1.0/me/events", mine.clone()).0, 201);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let (status, refused) = post(&mut account, "/v1.0/me/events", mine.clone());
        assert_eq!(refused["error"]["code"], "ErrorDuplicateTransactionId");
        seen.insert(status);
        post(&mut account, "/v1.0/me/events", event(json!({})));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [400, 409], "both were seen");
    let by =
        "singleValueExtendedProperties/Any(ep:%20ep/id%20eq%20'string%20{A}%20name%20b'%20and%20ep/value%20eq%20'c')";
    let by = by.replace('{', "%7B").replace('}', "%7D");
    let (_, found) = get(&mut account, &format!("/v1.0/me/events?$filter={by}"));
    assert_eq!(found["value"].as_array().map(Vec::len), Some(1), "{found}");
    let expand = "singleValueExtendedProperties($filter=id%20eq%20'String%20%7Ba%7D%20Name%20b')";
    let (_, found) = get(&mut account, &format!("/v1.0/me/events?$filter={by}&$expand={expand}"));
    assert_eq!(found["value"][0]["singleValueExtendedProperties"][0]["value"], "c");
}

#[test]
fn lists_have_pages_with_links_to_the_address_that_was_called() {
    let (mut account, calendar) = account();
    let window = "startDateTime=2026-12-01T00:00:00Z&endDateTime=2026-12-20T00:00:00Z";
    let path = format!("http://127.0.0.1:1/v1.0/me/calendars/{calendar}/calendarView?{window}&$top=3");
    let (mut next, mut starts) = (Some(path), Vec::new());
    while let Some(path) = next {
        let (status, page) = get(&mut account, &path);
        assert_eq!(status, 200, "{page}");
        let of = page["value"].as_array().unwrap().iter();
        starts.extend(of.map(|event| event["start"]["dateTime"].as_str().unwrap().to_owned()));
        next = page["@odata.nextLink"].as_str().map(str::to_owned);
        assert!(next.as_ref().is_none_or(|next| next.starts_with("http://127.0.0.1:1/v1.0/")), "{next:?}");
    }
    assert!(starts.is_sorted() && starts.len() == 8, "{starts:?}");
    let (_, view) = get(&mut account, &format!("/v1.0/me/calendarView?{window}&$top=50"));
    let moved = view["value"].as_array().unwrap().iter().find(|event| event["type"] == "exception").unwrap();
    assert_eq!(moved["start"]["dateTime"], "2026-12-08T10:00:00.0000000");
    let master = moved["seriesMasterId"].as_str().unwrap();
    let (_, instances) = get(&mut account, &format!("/v1.0/me/events/{master}/instances?{window}"));
    assert_eq!(instances["value"].as_array().map(Vec::len), Some(1), "one does not take place");
    let single = view["value"].as_array().unwrap().iter().find(|event| event["type"] == "singleInstance").unwrap();
    let path = format!("/v1.0/me/events/{}/instances?{window}", single["id"].as_str().unwrap());
    assert_eq!(get(&mut account, &path).0, 400);
}

#[test]
fn every_use_of_a_token_to_renew_with_gives_another_and_the_old_one_stays_good() {
    let (mut account, _) = account();
    let give = |account: &mut Account, token: &str| {
        let form = format!(
            "client_id={}&client_secret={}&grant_type=refresh_token&refresh_token={token}",
            outbox::sample(&PROFILE, "client_id"),
            outbox::sample(&PROFILE, "client_secret"),
        );
        let request = Request::post(Access::TOKEN_PATH).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = account.answer(&request.body(Bytes::from(form)).unwrap(), now());
        (answer.status().as_u16(), serde_json::from_slice::<Value>(answer.body()).unwrap())
    };
    let old = outbox::sample(&PROFILE, "refresh_token");
    let (status, first) = give(&mut account, old);
    assert_eq!((status, first["scope"].as_str()), (200, Some("Calendars.ReadWrite")), "{first}");
    let new = first["refresh_token"].as_str().unwrap();
    for token in [old, new] {
        let (status, next) = give(&mut account, token);
        assert_eq!(status, 200);
        assert!(next["refresh_token"] != first["refresh_token"] && next["access_token"] != first["access_token"]);
    }
    account.edit(&Edit { what: "consent".to_owned(), id: None, fields: None }, now()).unwrap();
    let (status, refused) = give(&mut account, new);
    assert_eq!((status, refused["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(get(&mut account, "/v1.0/me/calendars").0, 401);
}

#[test]
fn a_subscription_has_two_addresses_that_are_asked_for_a_sign() {
    let (mut account, calendar) = account();
    let whole = json!({
        "changeType": "created,updated,deleted",
        "notificationUrl": "https://hooks.example.com/a?b=c",
        "lifecycleNotificationUrl": "https://hooks.example.com/b",
        "resource": format!("/me/calendars/{calendar}/events"),
        "expirationDateTime": "2026-12-05T11:00:00Z",
        "clientState": "proof",
    });
    for (name, value) in [
        ("changeType", json!("moved")),
        ("notificationUrl", json!("http://hooks.example.com/a")),
        ("resource", json!("/me/messages")),
        ("resource", json!("/me/calendars/never/events")),
        ("expirationDateTime", json!("2026-12-05T12:00:01Z")),
        ("expirationDateTime", json!("2026-11-28T12:00:00Z")),
        ("clientState", json!("x".repeat(129))),
        ("odd", json!(1)),
    ] {
        let mut bent = whole.clone();
        bent[name] = value;
        let (status, refused) = post(&mut account, "/v1.0/subscriptions", bent);
        assert!(status == 400 || status == 404, "{name}: {refused}");
    }
    let (status, made) = post(&mut account, "/v1.0/subscriptions", whole);
    assert_eq!((status, &made["clientState"]), (201, &json!("proof")));
    let signs = account.take_notifications(now());
    let urls: Vec<String> = signs.iter().map(|sign| sign.uri().to_string()).collect();
    assert!(urls[0].starts_with("https://hooks.example.com/a?b=c&validationToken=Validation%3A%20"), "{urls:?}");
    assert!(urls[1].starts_with("https://hooks.example.com/b?validationToken=") && urls.len() == 2, "{urls:?}");
    let (_, listed) = get(&mut account, "/v1.0/subscriptions");
    assert_eq!((&listed["value"][0]["id"], &listed["value"][0]["clientState"]), (&made["id"], &Value::Null));
    account.delivered(&signs[1], Some(StatusCode::BAD_REQUEST), now());
    assert_eq!(get(&mut account, &format!("/v1.0/subscriptions/{}", made["id"].as_str().unwrap())).0, 404);
}
