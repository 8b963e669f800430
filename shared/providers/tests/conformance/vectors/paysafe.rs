//! Paysafe publishes no vector that can be made again: its pages print a signature without the key and the body. These
//! are our own, made with Python's `hmac`.

use bytes::Bytes;
use hooktide_model::fault::AuthFault;
use hooktide_model::secret::{KeyId, Secret, Secrets};
use http::Request;
use jiff::Timestamp;

use crate::attempt::live;

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const BODY: &str = r#"{"eventType":"PAYMENT_HANDLE_PAYABLE","attemptNumber":"1","resourceId":"r-1","mode":"test"}"#;
const SIGNATURE: &str = "IAXEUDSbbecMAboTt7dO2zkRrmgVG9rNIXrEj9gHqf0=";

fn verify(key: &str, body: &'static str, signature: &str) -> Result<KeyId, AuthFault> {
    let secrets = Secrets::new(vec![live("hmac_key", "ours", key)]);
    let request = Request::post("/").header("signature", signature);
    let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
    super::verify(hooktide_providers::webhooks_by_id("paysafe").unwrap(), &request, "", &secrets, Timestamp::UNIX_EPOCH)
}

#[test]
fn accepts_what_the_decoded_key_signed() {
    assert_eq!(verify(KEY, BODY, SIGNATURE), Ok(KeyId("ours".into())));
}

#[test]
fn refuses_what_the_text_of_the_key_signed() {
    let undecoded = "EQRXO+8rKoL6ys4Orwn2lmTmcFajd3IJjvssyO6AWoc=";
    assert_eq!(verify(KEY, BODY, undecoded), Err(AuthFault::Mismatch));
}

/// The official plugin for WooCommerce would accept it: it trims the body before it signs.
#[test]
fn refuses_a_body_with_white_space_that_was_not_signed() {
    let body =
        "{\"eventType\":\"PAYMENT_HANDLE_PAYABLE\",\"attemptNumber\":\"1\",\"resourceId\":\"r-1\",\"mode\":\"test\"}\n";
    assert_eq!(verify(KEY, body, SIGNATURE), Err(AuthFault::Mismatch));
}

/// From the pages on webhooks: of another key and body.
#[test]
fn refuses_the_signature_that_the_documentation_prints() {
    assert_eq!(verify(KEY, BODY, "UMaQ4h635wUc4hp60Z5ASBC/5UtqKybAldOkLv6ngc0="), Err(AuthFault::Mismatch));
}

/// Neither what an empty key signs nor zeros.
#[test]
fn has_no_key_in_a_secret_that_is_not_base64() {
    let empty = "rKD3huSXX9c7mib98SKLvQ7ielI9hEm4R85xWp18R2Q=";
    let zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for key in ["not base64", "MDEy ", "MDEyMw", "====", "\u{fffd}"] {
        for signature in [SIGNATURE, empty, zeros] {
            assert_eq!(verify(key, BODY, signature), Err(AuthFault::NoSecret), "{key}");
        }
    }
}

#[test]
fn takes_no_secret_that_cannot_be_a_key() {
    let check = |secret: &str| {
        hooktide_providers::webhooks_by_id("paysafe").unwrap().profile().check_secret("hmac_key", &Secret::new(secret))
    };
    assert_eq!(check(KEY), Ok(()));
    for secret in ["", "not base64", " MDEyMw==", "MDEyMw==\n", "MDEyMw", "MDEyMw==MDEyMw=="] {
        assert!(check(secret).is_err(), "{secret:?}");
    }
}
