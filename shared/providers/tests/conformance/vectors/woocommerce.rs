//! WooCommerce publishes no vector. Its scheme is Shopify's, whose vector checks it; the others here were computed with
//! Python's `hmac`.

use bytes::Bytes;
use hooktide_model::fault::AuthFault;
use hooktide_model::secret::{KeyId, Secrets};
use http::Request;
use jiff::Timestamp;

use crate::attempt::live;

fn verify(secret: &str, body: &str, signature: &str) -> Result<KeyId, AuthFault> {
    let secrets = Secrets::new(vec![live("secret", "right", secret)]);
    let request = Request::post("/").header("x-wc-webhook-signature", signature);
    let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    super::verify(
        hooktide_providers::webhooks_by_id("woocommerce").unwrap(),
        &request,
        "",
        &secrets,
        Timestamp::UNIX_EPOCH,
    )
}

#[test]
fn accepts_the_vector_that_shopify_published_for_the_same_scheme() {
    let signature = "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=";
    assert_eq!(verify("test_secret_key", r#"{"foo": "bar"}"#, signature), Ok(KeyId("right".into())));
    assert_eq!(verify("test_secret_key", r#"{"foo":"bar"}"#, signature), Err(AuthFault::Mismatch));
}

#[test]
fn accepts_a_deletion_signed_with_a_plain_secret() {
    let signature = "31697GFxvxDyNS/yeV/ZGTePLRZjZz15ORa6W37BYoY=";
    assert_eq!(verify("woo-secret", r#"{"id":799}"#, signature), Ok(KeyId("right".into())));
    assert_eq!(verify("woo-secret", r#"{"id":"799"}"#, signature), Err(AuthFault::Mismatch));
    assert_eq!(verify("", r#"{"id":799}"#, signature), Err(AuthFault::NoSecret));
}

#[test]
fn accepts_a_secret_whichever_way_its_ampersand_was_kept() {
    let signature = "m2DH6agLvurIxGfYnpXr2D6ux0buma/CDEcYCnOHq1Q=";
    for secret in ["a&b", "a&amp;b", "a&#038;b", "a&#38;b", "a&#x26;b"] {
        assert_eq!(verify(secret, r#"{"id":799}"#, signature), Ok(KeyId("right".into())), "{secret}");
    }
    for secret in ["a&amp;amp;b", "a&AMP;b", "a&ampb", "ab"] {
        assert_eq!(verify(secret, r#"{"id":799}"#, signature), Err(AuthFault::Mismatch), "{secret}");
    }
}
