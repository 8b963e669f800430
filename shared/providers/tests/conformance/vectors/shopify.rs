//! What Shopify published.

use bytes::Bytes;
use hooktide_model::fault::AuthFault;
use hooktide_model::secret::{KeyId, Secrets};
use http::Request;
use jiff::Timestamp;

use crate::attempt::live;

/// From `packages/apps/shopify-api/lib/webhooks/__tests__/validate.test.ts` of Shopify/shopify-app-js.
#[test]
fn accepts_the_published_vector_of_shopify_api_js() {
    let provider = hooktide_providers::webhooks_by_id("shopify").unwrap();
    let secrets = Secrets::new(vec![live("client_secret", "published", "test_secret_key")]);
    let verify = |body: &'static str, signature: &str| {
        let request = Request::post("/").header("x-shopify-hmac-sha256", signature);
        let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
        super::verify(provider, &request, "", &secrets, Timestamp::UNIX_EPOCH)
    };
    let signature = "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=";
    assert_eq!(verify(r#"{"foo": "bar"}"#, signature), Ok(KeyId("published".into())));
    assert_eq!(verify(r#"{"foo":"bar"}"#, signature), Err(AuthFault::Mismatch), "without the space");
    assert_eq!(verify(r#"{"foo": "bar"}"#, "invalid"), Err(AuthFault::Malformed));
}
