//! Meta publishes no vector; its scheme is GitHub's, which does.

use bytes::Bytes;
use hooktide_model::fault::AuthFault;
use hooktide_model::secret::{KeyId, Secrets};
use http::Request;
use jiff::Timestamp;

use crate::attempt::live;

fn verify(secret: &str, body: &'static str, signature: &str) -> Result<KeyId, AuthFault> {
    let secrets = Secrets::new(vec![live("app_secret", "vector", secret)]);
    let request = Request::post("/").header("x-hub-signature-256", signature);
    let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
    super::verify(hooktide_providers::webhooks_by_id("meta").unwrap(), &request, "", &secrets, Timestamp::UNIX_EPOCH)
}

fn accepted() -> Result<KeyId, AuthFault> {
    Ok(KeyId("vector".into()))
}

/// From GitHub's "Validating webhook deliveries".
#[test]
fn accepts_the_published_vector_of_github() {
    let (secret, body) = ("It's a Secret to Everybody", "Hello, World!");
    let mac = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(verify(secret, body, &format!("sha256={mac}")), accepted());
    assert_eq!(verify(secret, "Hello, World", &format!("sha256={mac}")), Err(AuthFault::Mismatch));
    assert_eq!(verify("It's a secret to everybody", body, &format!("sha256={mac}")), Err(AuthFault::Mismatch));
    for malformed in
        [mac.to_owned(), format!("sha1={mac}"), format!("SHA256={mac}"), format!("sha256={}", mac.to_uppercase())]
    {
        assert_eq!(verify(secret, body, &malformed), Err(AuthFault::Malformed), "{malformed}");
    }
    assert_eq!(verify(secret, body, ""), Err(AuthFault::Missing));
    assert_eq!(verify(secret, body, "sha256="), Err(AuthFault::Mismatch));
}

/// Self-made.
#[test]
fn accepts_a_vector_of_our_own_for_meta() {
    let signature = "sha256=e6e9d7a842a48e17f43a34d6125d0d933e2aab92ee37f0993a4d493b50e3d438";
    assert_eq!(verify("app-secret", r#"{"object":"page","entry":[]}"#, signature), accepted());
}

/// What is signed is the escaped form, as it comes; the same text written otherwise has another signature.
#[test]
fn takes_escaped_text_as_it_comes_from_meta() {
    let signature = "sha256=43e6fa3b9fcd58a5a45bc36c3416b6c10e2d927681cf92aa6cd601b78c3c7f05";
    assert_eq!(
        verify("app-secret", r#"{"object":"page","entry":[],"x":"\u00e4\/\ud83c\udf75"}"#, signature),
        accepted()
    );
    for other in
        [r#"{"object":"page","entry":[],"x":"ä/🍵"}"#, r#"{"object":"page","entry":[],"x":"\u00E4\/\uD83C\uDF75"}"#]
    {
        assert_eq!(verify("app-secret", other, signature), Err(AuthFault::Mismatch), "{other}");
    }
}
