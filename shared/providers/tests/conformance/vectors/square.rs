//! The vectors that Square published.

use bytes::Bytes;
use hooktide_model::fault::{AuthFault, ErrorClass, Fault};
use hooktide_model::secret::{KeyId, Secrets};
use http::Request;
use jiff::Timestamp;

use crate::attempt::live;

const KEY: &str = "Ibxx_5AKakO-3qeNVR61Dw";
const URL: &str = "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9";
const BODY: &str = r#"{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f","created_at":"2022-07-13T20:30:59.037339943Z","data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}"#;
const SIGNATURE: &str = "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=";

fn request(header: &str, signature: &str, body: &str) -> Request<Bytes> {
    Request::post("/").header(header, signature).body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn verify(key: &str, url: &str, body: &str, signature: &str) -> Result<KeyId, AuthFault> {
    let secrets = Secrets::new(vec![live("signature_key", "published", key)]);
    let request = request("x-square-hmacsha256-signature", signature, body);
    super::verify(hooktide_providers::webhooks_by_id("square").unwrap(), &request, url, &secrets, Timestamp::UNIX_EPOCH)
}

/// From `tests/integration/test_webhooks_helper.py` of square/square-python-sdk, as are those below.
#[test]
fn accepts_the_published_vector_of_square_python_sdk() {
    assert_eq!(verify(KEY, URL, BODY, SIGNATURE), Ok(KeyId("published".into())));
}

#[test]
fn refuses_what_square_python_sdk_refuses() {
    let indented = serde_json::from_str::<serde_json::Value>(BODY).unwrap();
    let indented = serde_json::to_string_pretty(&indented).unwrap();
    let mismatch = Err(AuthFault::Mismatch);
    assert_eq!(verify(KEY, URL, &indented, SIGNATURE), mismatch, "the body printed again");
    assert_eq!(verify(KEY, "https://webhook.site/79a4f3a", BODY, SIGNATURE), mismatch, "another URL");
    assert_eq!(verify("MCmhFRxGX82xMwg5FsaoQA", URL, BODY, SIGNATURE), mismatch, "another key");
    assert_eq!(verify(KEY, URL, "", SIGNATURE), mismatch, "no body");
    assert_eq!(verify("", URL, BODY, SIGNATURE), Err(AuthFault::NoSecret), "an empty key");
    assert_eq!(verify(KEY, "", BODY, SIGNATURE), mismatch, "no URL");
}

#[test]
fn refuses_a_url_that_is_given_as_part_of_the_body() {
    assert_eq!(verify(KEY, "", &format!("{URL}{BODY}"), SIGNATURE), Err(AuthFault::Mismatch));
}

/// The vector has neither a type nor an id: it is signed, but reports no event.
#[test]
fn accepts_the_published_vector_with_angle_brackets() {
    let (key, url) = ("signature-key", "https://webhook.site/webhooks");
    let (body, signature) =
        (r#"{"data":{"type":"webhooks","id":">id<"}}"#, "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=");
    assert_eq!(verify(key, url, body, signature), Ok(KeyId("published".into())));
    let escaped = body.replace('>', "\\u003e").replace('<', "\\u003c");
    assert_eq!(verify(key, url, &escaped, signature), Err(AuthFault::Mismatch));

    let provider = hooktide_providers::webhooks_by_id("square").unwrap();
    let secrets = Secrets::new(vec![live("signature_key", "published", key)]);
    let request = request("x-square-hmacsha256-signature", signature, body);
    let verified = super::open(provider, &request, url, &secrets, Timestamp::UNIX_EPOCH).unwrap();
    let parsed = provider.parse(&verified);
    assert!(matches!(parsed, Err(Fault::Permanent { class: ErrorClass::Unreadable, .. })), "{parsed:?}");
}

/// HMAC-SHA1 of the same text under the same key, which older libraries check.
#[test]
fn refuses_the_older_signature() {
    let secrets = Secrets::new(vec![live("signature_key", "published", KEY)]);
    let provider = hooktide_providers::webhooks_by_id("square").unwrap();
    for signature in [SIGNATURE, "+9Qzy6LPYs08yM75TiRwUupYoS0="] {
        let request = request("x-square-signature", signature, BODY);
        assert_eq!(super::verify(provider, &request, URL, &secrets, Timestamp::UNIX_EPOCH), Err(AuthFault::Missing));
    }
    assert_eq!(verify(KEY, URL, BODY, "+9Qzy6LPYs08yM75TiRwUupYoS0="), Err(AuthFault::Mismatch));
}
