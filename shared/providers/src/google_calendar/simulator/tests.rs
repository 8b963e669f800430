//! What the simulator refuses, and what it does to programs that write.

use bytes::Bytes;
use http::header::{AUTHORIZATION, IF_MATCH, IF_NONE_MATCH, LOCATION};
use http::{HeaderValue, Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Account;
use crate::google_calendar::{ACCESS_TOKEN, NUMBER, PROFILE, STATE, TOKEN};
use crate::protocols::percent::encoded;
use crate::simulator::{Edit, Simulator, outbox};

const MAIN: &str = "calendars/primary/events";

/// An account, and the time at which it is asked; each question comes a second later.
struct Client(Account, Timestamp);

impl Client {
    fn new() -> Self {
        Self(Account::new(7), "2026-11-28T12:00:00Z".parse().unwrap())
    }

    fn ask(&mut self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        self.ask_with(method, path, body, None)
    }

    fn ask_with(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
        header: Option<(http::HeaderName, &str)>,
    ) -> (u16, Value) {
        self.1 += SignedDuration::from_secs(1);
        let token = outbox::sample(&PROFILE, ACCESS_TOKEN);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder().method(method).uri(format!("/calendar/v3/{path}"));
        let mut request = request.header(AUTHORIZATION, format!("Bearer {token}")).body(Bytes::from(body)).unwrap();
        if let Some((name, value)) = header {
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        let answer = self.0.answer(&request, self.1);
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default())
    }

    fn get(&mut self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, &Value::Null)
    }

    fn post(&mut self, path: &str, body: &Value) -> (u16, Value) {
        self.ask(Method::POST, path, body)
    }

    /// The status and the reason of a refusal.
    fn refusal(&mut self, path: &str) -> (u16, String) {
        refusal(&self.get(path))
    }

    /// The token for what changes from now on.
    fn token(&mut self, path: &str) -> String {
        self.get(path).1["nextSyncToken"].as_str().unwrap().to_owned()
    }
}

fn refusal((status, body): &(u16, Value)) -> (u16, String) {
    let error = &body["error"];
    assert_eq!((&error["code"], &error["message"]), (&json!(status), &error["errors"][0]["message"]), "{body}");
    (*status, error["errors"][0]["reason"].as_str().unwrap_or_default().to_owned())
}

fn timed(day: &str, more: Value) -> Value {
    let mut event = json!({
        "start": { "dateTime": format!("{day}T10:00:00Z") },
        "end": { "dateTime": format!("{day}T11:00:00Z") },
    });
    if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
        event.extend(more);
    }
    event
}

#[test]
fn what_cannot_go_together_is_refused() {
    let mut client = Client::new();
    let token = client.token(MAIN);
    for (query, expected) in [
        ("q=a", (400, "invalid")),
        ("orderBy=updated", (400, "invalid")),
        ("timeMin=2026-11-01T00:00:00Z", (400, "invalid")),
        ("timeMax=2026-11-01T00:00:00Z", (400, "invalid")),
        ("updatedMin=2026-11-27T00:00:00Z", (400, "invalid")),
        ("iCalUID=a", (400, "invalid")),
        ("privateExtendedProperty=a%3Db", (400, "invalid")),
        ("sharedExtendedProperty=a%3Db", (400, "invalid")),
        ("showDeleted=false", (400, "invalid")),
        ("pageToken=odd", (400, "invalid")),
    ] {
        let path = format!("{MAIN}?{query}");
        let with_token = format!("{path}&syncToken={token}");
        assert_eq!(client.refusal(&with_token), (expected.0, expected.1.to_owned()), "{query}");
        if !query.starts_with("pageToken") {
            assert_eq!(client.get(&path).0, 200, "{query} without a token");
        }
    }
    for (path, expected) in [
        (format!("{MAIN}?syncToken=odd"), (400, "invalid")),
        (format!("users/me/calendarList?syncToken={token}"), (410, "fullSyncRequired")),
        (format!("{MAIN}?updatedMin=2026-10-01T00:00:00Z"), (410, "updatedMinTooLongAgo")),
        (format!("{MAIN}?timeMin=2026-12-02T00:00:00Z&timeMax=2026-12-01T00:00:00Z"), (400, "timeRangeEmpty")),
        (format!("{MAIN}?timeMin=2026-12-02"), (400, "invalid")),
        (format!("{MAIN}?orderBy=startTime"), (400, "invalid")),
        (format!("{MAIN}?singleEvents=true"), (400, "invalid")),
        (format!("{MAIN}?maxResults=0"), (400, "invalid")),
        (format!("{MAIN}?showDeleted=perhaps"), (400, "invalid")),
        (format!("{MAIN}?fields=items(ids)"), (400, "invalid")),
        (format!("{MAIN}?pageSize=7"), (400, "badRequest")),
        ("calendars/nobody@example.com/events".to_owned(), (404, "notFound")),
        ("calendars/primary/events/never".to_owned(), (404, "notFound")),
        ("calendars".to_owned(), (404, "notFound")),
    ] {
        assert_eq!(client.refusal(&path), (expected.0, expected.1.to_owned()), "{path}");
    }
    let list = client.token("users/me/calendarList");
    for query in ["minAccessRole=owner", "showHidden=false", "showDeleted=false"] {
        let path = format!("users/me/calendarList?{query}&syncToken={list}");
        assert_eq!(client.refusal(&path), (400, "invalid".to_owned()), "{query}");
    }
}

#[test]
fn a_page_belongs_to_its_question_and_only_the_last_has_a_token_for_changes() {
    let mut client = Client::new();
    let (mut ids, mut page, mut pages) = (Vec::new(), String::new(), 0);
    let token = loop {
        let (status, list) = client.get(&format!("{MAIN}?maxResults=3{page}"));
        assert_eq!(status, 200, "{list}");
        ids.extend(list["items"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        pages += 1;
        match (list["nextPageToken"].as_str(), list["nextSyncToken"].as_str()) {
            (Some(next), None) => page = format!("&pageToken={next}"),
            (None, Some(token)) => break token.to_owned(),
            other => panic!("{other:?}"),
        }
        assert_eq!(client.refusal(&format!("{MAIN}?maxResults=2{page}")), (400, "invalid".to_owned()));
    };
    // The cancelled occurrence is there: it belongs to a series that lives.
    assert_eq!((ids.len(), pages), (10, 5), "one page is empty");
    let changed = client.get(&format!("{MAIN}?syncToken={token}")).1;
    assert_eq!(changed["items"], json!([]));
}

#[test]
fn an_id_is_taken_for_ever_and_a_deleted_event_comes_back_by_a_patch() {
    let mut client = Client::new();
    let (status, made) = client.post(MAIN, &timed("2026-12-01", json!({ "id": "abcde" })));
    assert_eq!((status, &made["id"], &made["sequence"]), (200, &json!("abcde"), &json!(0)), "{made}");
    assert_eq!(made["start"]["dateTime"], "2026-12-01T11:00:00+01:00", "with the offset of the calendar");
    let again = timed("2026-12-02", json!({ "id": "abcde" }));
    assert_eq!(refusal(&client.post(MAIN, &again)), (409, "duplicate".to_owned()));
    let one = format!("{MAIN}/abcde");
    assert_eq!(client.ask(Method::DELETE, &one, &Value::Null), (204, Value::Null));
    assert_eq!(refusal(&client.ask(Method::DELETE, &one, &Value::Null)), (410, "deleted".to_owned()));
    assert_eq!(refusal(&client.post(MAIN, &again)), (409, "duplicate".to_owned()));
    let (status, stub) = client.get(&one);
    let names: Vec<&str> = stub.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((status, names), (200, vec!["etag", "id", "kind", "status"]), "no more than is promised");
    let (status, back) = client.ask(Method::PATCH, &one, &json!({ "status": "confirmed" }));
    assert_eq!((status, &back["start"]), (200, &made["start"]));
    assert_eq!(client.ask(Method::DELETE, &one, &Value::Null), (204, Value::Null));
    client.0.edit(&Edit { what: "bin".to_owned(), id: None, fields: None }, client.1).unwrap();
    assert_eq!(client.refusal(&one), (404, "notFound".to_owned()), "nothing is left of it");
    assert_eq!(refusal(&client.post(MAIN, &again)), (409, "duplicate".to_owned()), "but its id");
    for id in ["abcd", "ABCDE", "abcdz", "ab-cd", ""] {
        let refused = client.post(MAIN, &timed("2026-12-01", json!({ "id": id })));
        assert_eq!(refusal(&refused), (400, "invalid".to_owned()), "{id}");
    }
}

#[test]
fn each_write_has_an_etag_of_its_own_and_reminders_leave_the_date() {
    let mut client = Client::new();
    let made = client.post(MAIN, &timed("2026-12-01", json!({ "summary": "Tea", "location": "Here" }))).1;
    let one = format!("{MAIN}/{}", made["id"].as_str().unwrap());
    let first = made["etag"].as_str().unwrap();
    let minutes = json!({ "reminders": { "useDefault": false, "overrides": [{ "method": "popup", "minutes": 5 }] } });
    let (_, reminded) = client.ask(Method::PATCH, &one, &minutes);
    assert_ne!(reminded["etag"], made["etag"]);
    assert_eq!(reminded["updated"], made["updated"]);

    let body = json!({ "summary": "Other tea" });
    let stale = client.ask_with(Method::PATCH, &one, &body, Some((IF_MATCH, first)));
    assert_eq!(refusal(&stale), (412, "conditionNotMet".to_owned()));
    let (status, renamed) =
        client.ask_with(Method::PATCH, &one, &body, reminded["etag"].as_str().map(|it| (IF_MATCH, it)));
    assert_eq!((status, &renamed["summary"], &renamed["sequence"]), (200, &json!("Other tea"), &json!(0)));
    assert_ne!(renamed["updated"], made["updated"]);
    assert_eq!(renamed["location"], "Here", "a patch leaves what it does not name");
    let (_, whole) = client.ask(Method::PUT, &one, &timed("2026-12-02", json!({})));
    assert_eq!((whole.get("location"), &whole["sequence"]), (None, &json!(1)), "an update drops it");
    let etag = whole["etag"].as_str().map(|it| (IF_NONE_MATCH, it));
    assert_eq!(client.ask_with(Method::GET, &one, &Value::Null, etag), (304, Value::Null));
}

#[test]
fn malformed_writes_are_refused() {
    let mut client = Client::new();
    let date = json!({ "date": "2026-12-01" });
    for (body, expected) in [
        (json!({}), (400, "required")),
        (json!({ "start": date }), (400, "required")),
        (json!({ "start": date, "end": { "dateTime": "2026-12-01T10:00:00Z" } }), (400, "invalid")),
        (json!({ "start": date, "end": { "date": "2026-11-01" } }), (400, "timeRangeEmpty")),
        (timed("2026-12-01", json!({ "title": "Tea" })), (400, "badRequest")),
        (timed("2026-12-01", json!({ "recurrence": ["FREQ=DAILY"] })), (400, "invalid")),
        (timed("2026-12-01", json!({ "status": "perhaps" })), (400, "invalid")),
        (timed("2026-12-01", json!({ "attendees": [{ "name": "Anna" }] })), (400, "required")),
        (timed("2026-12-01", json!({ "extendedProperties": { "private": { "a": 7 } } })), (400, "invalid")),
        (json!([]), (400, "parseError")),
    ] {
        assert_eq!(refusal(&client.post(MAIN, &body)), (expected.0, expected.1.to_owned()), "{body}");
    }
    let to_some = client.post(&format!("{MAIN}?sendUpdates=some"), &timed("2026-12-01", json!({})));
    assert_eq!(refusal(&to_some), (400, "invalid".to_owned()));
    let holidays = "calendars/en.austrian%23holiday%40group.v.calendar.google.com/events";
    let refused = client.post(holidays, &timed("2026-12-01", json!({})));
    assert_eq!(refusal(&refused), (403, "requiredAccessLevel".to_owned()));
}

#[test]
fn a_channel_must_be_whole_and_ends_when_google_says() {
    let mut client = Client::new();
    let watch = format!("{MAIN}/watch");
    let good = |more: Value| {
        let mut body = json!({ "id": "a-1", "type": "web_hook", "address": "https://example.com/hook" });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        body
    };
    let past = json!({ "expiration": "1700000000000" });
    for (body, expected) in [
        (good(json!({ "id": null })), "required"),
        (good(json!({ "id": "a b" })), "invalid"),
        (good(json!({ "id": "a".repeat(65) })), "invalid"),
        (good(json!({ "type": null })), "required"),
        (good(json!({ "type": "email" })), "invalid"),
        (good(json!({ "address": null })), "required"),
        (good(json!({ "address": "http://example.com/hook" })), "push.webhookUrlNotHttps"),
        (good(json!({ "token": "t".repeat(257) })), "invalid"),
        (good(json!({ "expiration": "tomorrow" })), "invalid"),
        (good(past), "invalid"),
        (good(json!({ "secret": "a" })), "badRequest"),
    ] {
        assert_eq!(refusal(&client.post(&watch, &body)), (400, expected.to_owned()), "{body}");
    }
    assert!(client.0.take_notifications(client.1).is_empty());

    let (status, channel) = client.post(&watch, &good(json!({ "token": "ours", "params": { "ttl": "999999999" } })));
    let ends_at: i64 = channel["expiration"].as_str().unwrap().parse().unwrap();
    let days = (ends_at - client.1.as_millisecond()) / 86_400_000;
    assert_eq!((status, days, &channel["token"]), (200, 30, &json!("ours")), "{channel}");
    assert_eq!(refusal(&client.post(&watch, &good(json!({})))), (400, "channelIdNotUnique".to_owned()));
    let sent = client.0.take_notifications(client.1);
    let header = |at: usize, name| sent[at].headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header(0, STATE), header(0, NUMBER), header(0, TOKEN)), ("sync".into(), "1".into(), "ours".into()));
    assert!(sent[0].body().is_empty());

    for (body, expected) in [
        (json!({ "id": "a-1" }), (400, "required")),
        (json!({ "id": "a-1", "resourceId": "other" }), (404, "notFound")),
        (json!({ "id": "a-2", "resourceId": channel["resourceId"] }), (404, "notFound")),
    ] {
        assert_eq!(refusal(&client.post("channels/stop", &body)), (expected.0, expected.1.to_owned()), "{body}");
    }
    let stop = json!({ "id": "a-1", "resourceId": channel["resourceId"] });
    assert_eq!(client.post("channels/stop", &stop), (204, Value::Null));
}

#[test]
fn a_guests_copy_has_private_properties_of_its_own() {
    let mut client = Client::new();
    let edit =
        Edit { what: "calendar".to_owned(), id: None, fields: json!({ "summary": "Choir" }).as_object().cloned() };
    let choir = client.0.edit(&edit, client.1).unwrap();
    let properties = |text: &str| json!({ "extendedProperties": { "private": { "room": text } } });
    let mut invited = timed("2026-12-01", properties("ours"));
    (invited["id"], invited["attendees"]) = (json!("abcde"), json!([{ "email": choir }]));
    client.post(MAIN, &invited);
    let copy = format!("calendars/{choir}/events/abcde");
    let private = |event: &Value| event["extendedProperties"]["private"]["room"].clone();
    assert_eq!(private(&client.get(&copy).1), Value::Null);
    client.ask(Method::PATCH, &copy, &properties("theirs"));
    let (_, moved) = client.ask(Method::PATCH, &format!("{MAIN}/abcde"), &timed("2026-12-02", json!({})));
    let theirs = client.get(&copy).1;
    assert_eq!((private(&moved), private(&theirs)), (json!("ours"), json!("theirs")));
    assert_eq!(theirs["start"]["dateTime"], moved["start"]["dateTime"], "it moved all the same");
}

#[test]
fn who_let_the_app_read_alone_did_not_let_it_write() {
    let mut client = Client::new();
    let scope = "https://www.googleapis.com/auth/calendar.events";
    let edit = |client: &mut Client, fields| {
        let edit = Edit { what: "scope".to_owned(), id: Some(scope.to_owned()), fields };
        client.0.edit(&edit, client.1).unwrap();
    };
    edit(&mut client, None);
    let block = timed("2026-12-01", json!({}));
    assert_eq!(client.refusal(MAIN), (403, "insufficientPermissions".to_owned()));
    edit(&mut client, Some(serde_json::Map::new()));
    assert_eq!(client.post(MAIN, &block).0, 200);
    let back = "http://127.0.0.1:1/back";
    let reading = format!("{scope}.readonly");
    let page = format!(
        "/o/oauth2/v2/auth?response_type=code&client_id={}&scope={}&redirect_uri={}",
        outbox::sample(&PROFILE, "client_id"),
        encoded(&reading),
        encoded(back)
    );
    let answer = client.0.answer(&Request::get(page).body(Bytes::new()).unwrap(), client.1);
    let place = answer.headers()[LOCATION].to_str().unwrap().to_owned();
    let code = place.split_once("code=").and_then(|(_, rest)| rest.split('&').next()).unwrap();
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={}&client_id={}&client_secret={}",
        encoded(back),
        outbox::sample(&PROFILE, "client_id"),
        outbox::sample(&PROFILE, "client_secret"),
    );
    let answer = client.0.answer(&Request::post("/token").body(Bytes::from(form)).unwrap(), client.1);
    assert_eq!(answer.status(), 200, "{answer:?}");
    assert_eq!(client.get(MAIN).0, 200);
    assert_eq!(refusal(&client.post(MAIN, &block)), (403, "insufficientPermissions".to_owned()));
}

#[test]
fn a_renewed_token_is_another_and_the_old_one_lives_on_until_all_expire() {
    let mut client = Client::new();
    let renew = |client: &mut Client, refresh: &str| {
        let form = format!(
            "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={refresh}",
            outbox::sample(&PROFILE, "client_id"),
            outbox::sample(&PROFILE, "client_secret"),
        );
        let request = Request::post("/token").body(Bytes::from(form)).unwrap();
        let answer = client.0.answer(&request, client.1);
        (answer.status().as_u16(), serde_json::from_slice::<Value>(answer.body()).unwrap())
    };
    let refresh = outbox::sample(&PROFILE, "refresh_token");
    let (status, renewed) = renew(&mut client, refresh);
    assert_eq!((status, &renewed["expires_in"], renewed.get("refresh_token")), (200, &json!(3599), None), "{renewed}");
    assert_eq!(client.get(MAIN).0, 200, "the former token");
    client.0.expire_credentials();
    assert_eq!(client.refusal(MAIN), (401, "authError".to_owned()));
    assert_eq!(renew(&mut client, "other").1["error"], "invalid_grant");
    assert_eq!(renew(&mut client, refresh).0, 200);
    let edit = Edit { what: "consent".to_owned(), id: None, fields: None };
    client.0.edit(&edit, client.1).unwrap();
    assert_eq!(renew(&mut client, refresh).1["error"], "invalid_grant");
}
