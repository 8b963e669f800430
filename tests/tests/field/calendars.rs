//! Microsoft Graph, Google Calendar and Meta: lots of items, and channels.

use bytes::Bytes;
use hooktide_model::names::SubscriptionState;
use hooktide_model::tenant::Tenant;
use hooktide_store::records::subscription::Subscription;
use hooktide_store::records::{self, Upkeep};
use hooktide_tests::connected::Connected;
use hooktide_tests::world::World;
use http::{HeaderValue, Method, Request};
use serde_json::{Value, json};

use crate::Case;
use crate::requests::{Step, asked, mac16, posted, rewritten, send};

const META: &[u8] = b"hush-meta-app-secret";

/// A delivery of Meta's with the MAC of what `signed` makes of the body.
fn meta(body: &'static str, signed: fn(&str) -> Vec<u8>) -> Step {
    send(move |to| {
        let mac = format!("sha256={}", mac16(META, &[&signed(body)]));
        posted(to, &[("x-hub-signature-256", &*mac)], body)
    })
}

/// Bytes as they were sent.
fn as_sent(body: &str) -> Vec<u8> {
    body.as_bytes().to_vec()
}

/// One of the items of a sample, changed.
fn item(request: Request<Bytes>, change: fn(&mut Value)) -> Request<Bytes> {
    rewritten(request, |body| change(&mut body["value"][0]))
}

fn with_header(mut request: Request<Bytes>, name: &'static str, value: &'static str) -> Request<Bytes> {
    request.headers_mut().insert(name, HeaderValue::from_static(value));
    request
}

/// Our reference of the channel or the subscription that samples are about.
async fn reference(world: &World, to: &Connected) -> String {
    if to.provider == "google-calendar" {
        let sample = world.sample_of(to, "exists", 1).await;
        return sample.headers()["x-goog-channel-id"].to_str().expect("a text").to_owned();
    }
    let sample = world.sample_of(to, "updated", 1).await;
    let body: Value = serde_json::from_slice(sample.body()).expect("a lot");
    let state = body["value"][0]["clientState"].as_str().expect("a text");
    state.split_once('.').expect("a reference").0.to_owned()
}

/// Opens the channel, or makes the subscription, that samples are about.
pub(crate) async fn open(world: &World, to: &Connected) {
    let tenant = Tenant::default_local();
    let row = Subscription {
        id: reference(world, to).await,
        connection: to.id.clone(),
        resource: "calendar".to_owned(),
        part: Some("owner@example.com".to_owned()),
        topic: "events".to_owned(),
        url: to.path.clone(),
        state: SubscriptionState::Active,
        failures: 0,
        since: world.now(),
        reason: None,
        provider_id: None,
        expires_at: None,
        renew_at: None,
        next_at: world.now(),
        checked_at: None,
        replaced_by: None,
    };
    let write = records::insert(&row.key(&tenant), &row, Upkeep::default()).expect("a row");
    world.host.ports.table.write(write).await.expect("the row is new");
}

const ESCAPED: &str = r#"{"object":"catalog","entry":[{"id":"104582371493610","time":1793605140,"changes":[{"field":"items_batch","value":{"catalog_id":"104582371493610","handle":"\u00e4\u00f6\u00e5 \ud83d\ude0a","status":"Finished"}}]}]}"#;
const BATCHED: &str = r#"{"object":"catalog","entry":[{"id":"104582371493610","time":1793605140,"changes":[{"field":"items_batch","value":{"catalog_id":"104582371493610","handle":"one","status":"Finished"}},{"field":"product_feed","value":{"catalog_id":"104582371493610","product_feed_id":"11","status":"Finished"}}]},{"id":"104582371493610","time":1793605141,"changes":[{"field":"items_batch","value":{"catalog_id":"104582371493610","handle":"two","status":"Finished"}}]}]}"#;
const ODD: &str = r#"{"object":"catalog","entry":[{"id":353349,"time":"soon","changes":null},{"id":"104582371493610","time":1793605140,"changes":[{"field":"items_batch","value":{"catalog_id":"104582371493610","handle":"one","status":"Finished"}}]}]}"#;

pub(crate) fn cases() -> Vec<Case> {
    let graph =
        |name, steps: Vec<Step>, right: Vec<(&'static str, Value)>| Case::new("microsoft-graph", name, steps, right);
    let google =
        |name, steps: Vec<Step>, right: Vec<(&'static str, Value)>| Case::new("google-calendar", name, steps, right);
    let to_meta = |name, steps: Vec<Step>, right: Vec<(&'static str, Value)>| Case::new("meta", name, steps, right);
    let numbered = |number| {
        Step::Bend(
            "exists",
            match number {
                1 => |request| with_header(request, "x-goog-message-number", "100001"),
                2 => |request| with_header(request, "x-goog-message-number", "100007"),
                _ => |request| with_header(request, "x-goog-message-number", "100031"),
            },
        )
    };
    vec![
        graph(
            "a validation token that is a sentence is given back decoded, as plain text",
            vec![send(|to| {
                let token =
                    "Validation%3A+Testing+client+application+reachability+for+subscription+Request-Id%3A+877cb92e";
                asked(to, Method::POST, &format!("?validationToken={token}"))
            })],
            vec![
                ("/statuses", json!([200])),
                (
                    "/bodies/0",
                    json!("Validation: Testing client application reachability for subscription Request-Id: 877cb92e"),
                ),
                ("/outcomes", json!([])),
            ],
        ),
        graph(
            "a lifecycle notification with other fields than the page has is understood",
            vec![Step::Bend("reauthorizationRequired", |request| {
                let request = item(request, |item| {
                    let fields = item.as_object_mut().expect("an item");
                    let tenant = fields.remove("tenantId").unwrap_or_default();
                    fields.insert("organizationId".into(), tenant);
                    fields.insert("resource".into(), json!(""));
                    fields.insert("sequence".into(), Value::Null);
                    fields.insert("resourceData".into(), json!({}));
                    fields.insert("encryptedContent".into(), Value::Null);
                });
                rewritten(request, |body| body["validationTokens"] = json!(["a.b.c"]))
            })],
            vec![("/statuses", json!([202])), ("/outcomes", json!(["waiting"])), ("/letters", json!(0))],
        )
        .with_channel(),
        graph(
            "the end of a subscription is told",
            vec![Step::Bend("subscriptionRemoved", |request| request)],
            vec![("/statuses", json!([202])), ("/outcomes", json!(["waiting"]))],
        )
        .with_channel(),
        graph(
            "a notification whose client state was stripped proves nothing, and is answered all the same",
            vec![Step::Bend("updated", |request| item(request, |item| item["clientState"] = Value::Null))],
            vec![("/statuses", json!([202])), ("/outcomes", json!([])), ("/letters", json!(0))],
        ),
        google(
            "the message that opens a channel is no change",
            vec![Step::Bend("sync", |request| request)],
            vec![("/statuses", json!([200])), ("/ops", json!([])), ("/letters", json!(0))],
        ),
        google(
            "a message without a body is a hint to ask for what changed",
            vec![Step::Bend("exists", |request| request)],
            vec![("/statuses", json!([200])), ("/ops", json!([])), ("/outcomes", json!(["waiting"]))],
        )
        .with_channel(),
        google(
            "several messages for one edit are hints to one sync",
            vec![numbered(1), numbered(2), numbered(3)],
            vec![("/statuses", json!([200, 200, 200])), ("/ops", json!([])), ("/waiting", json!(3))],
        )
        .with_channel()
        .at_once(),
        google(
            "a message with another channel's token is refused",
            vec![Step::Bend("exists", |request| {
                with_header(request, "x-goog-channel-id", "00000000-6a47-11e2-bcfd-0800200c9a66")
            })],
            vec![("/statuses", json!([401])), ("/outcomes", json!([]))],
        ),
        to_meta(
            "escaped characters are signed as they are sent",
            vec![meta(ESCAPED, as_sent)],
            vec![("/statuses", json!([200])), ("/waiting", json!(1))],
        ),
        to_meta(
            "a signature over the characters themselves is refused",
            vec![meta(ESCAPED, |body| serde_json::from_str::<Value>(body).expect("JSON").to_string().into_bytes())],
            vec![("/statuses", json!([401])), ("/outcomes", json!([]))],
        ),
        to_meta(
            "of a batch of entries and changes each one counts",
            vec![meta(BATCHED, as_sent)],
            vec![("/statuses", json!([200])), ("/waiting", json!(3))],
        ),
        to_meta(
            "an odd entry spoils none of the others",
            vec![meta(ODD, as_sent)],
            vec![("/statuses", json!([200])), ("/waiting", json!(1))],
        ),
    ]
}
