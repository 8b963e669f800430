//! Google published no vector: there is no signature. These messages and tokens are our own.

use bytes::Bytes;
use hooktide_model::fault::AuthFault;
use hooktide_model::secret::{KeyId, Secrets};
use hooktide_model::signing::SUBSCRIPTION_KEY;
use http::Request;
use http::request::Builder;
use jiff::Timestamp;

use crate::attempt::live;

const CHANNEL: &str = "4ba78bf0-6a47-11e2-bcfd-0800200c9a66";
/// `printf %s "$CHANNEL" | openssl dgst -sha256 -hmac key-of-the-vector`, after the key's id.
const TOKEN: &str = "k7.d20612f99c87b1bc89a19b5ebcf8e35cf1d8656b01bf66c075a6c8396972852b";

fn verify(request: Builder, body: &'static str) -> Result<KeyId, AuthFault> {
    let keys = vec![live(SUBSCRIPTION_KEY, "k8", "a newer key"), live(SUBSCRIPTION_KEY, "k7", "key-of-the-vector")];
    let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
    let provider = hooktide_providers::webhooks_by_id("google-calendar").unwrap();
    super::verify(provider, &request, "", &Secrets::new(keys), Timestamp::UNIX_EPOCH)
}

fn message(channel: &str, token: &str) -> Builder {
    Request::post("/").header("x-goog-channel-id", channel).header("x-goog-channel-token", token)
}

#[test]
fn accepts_a_channels_own_token_whatever_the_message_says() {
    let key = Ok(KeyId("k7".into()));
    assert_eq!(verify(message(CHANNEL, TOKEN), ""), key);
    let first = message(CHANNEL, TOKEN).header("x-goog-resource-state", "sync").header("x-goog-message-number", "1");
    assert_eq!(verify(first, ""), key, "before the watch call was answered: nothing is looked up");
    assert_eq!(verify(message(CHANNEL, TOKEN), "a body"), key, "which is not looked at");
}

#[test]
fn refuses_a_token_of_another_channel_or_of_another_key() {
    let other = CHANNEL.replace("9a66", "9a67");
    assert_eq!(verify(message(&other, TOKEN), ""), Err(AuthFault::Mismatch));
    assert_eq!(verify(message(&CHANNEL.to_uppercase(), TOKEN), ""), Err(AuthFault::Mismatch));
    for key in ["k8", "k9", "K7", ""] {
        let token = TOKEN.replace("k7", key);
        assert_eq!(verify(message(CHANNEL, &token), ""), Err(AuthFault::Mismatch), "{key}");
    }
    // The documentation's own token is of no form of ours.
    assert_eq!(verify(message(CHANNEL, "398348u3tu83ut8uu38"), ""), Err(AuthFault::Malformed));
    assert_eq!(verify(message(CHANNEL, "k7."), ""), Err(AuthFault::Mismatch));
}

#[test]
fn refuses_a_message_that_names_no_channel_or_two() {
    let token = || Request::post("/").header("x-goog-channel-token", TOKEN);
    assert_eq!(verify(token(), ""), Err(AuthFault::Missing));
    for channel in ["", " ", "a channel", &"c".repeat(65)] {
        let refused = verify(token().header("x-goog-channel-id", channel), "");
        assert!(matches!(refused, Err(AuthFault::Missing | AuthFault::Malformed)), "{channel}: {refused:?}");
    }
    let twice = message(CHANNEL, TOKEN).header("x-goog-channel-id", CHANNEL);
    assert_eq!(verify(twice, ""), Err(AuthFault::Malformed));
    assert_eq!(verify(Request::post("/").header("x-goog-channel-id", CHANNEL), ""), Err(AuthFault::Missing));
}
