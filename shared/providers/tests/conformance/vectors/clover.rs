//! Clover publishes no vector that can be made again: its page prints a signature that is not even hexadecimal. These
//! are our own, made with Python's `hmac`.

use bytes::Bytes;
use hooktide_model::fault::AuthFault;
use hooktide_model::notice::What;
use hooktide_model::secret::{KeyId, Secrets};
use http::Request;
use jiff::Timestamp;

use crate::attempt::live;

const CODE: &str = "0307e264-b33a-4913-88aa-37b10014a0b8";
const SIGNATURE: &str = "t=1700000000,v1=ff6970faa1dc67a9fa5a149541fec6ff33853a0c89dbeec72522094028fca2b8";
const SIGNED_AT: i64 = 1_700_000_000;

fn secrets() -> Secrets {
    Secrets::new(vec![live("auth_code", "code", CODE), live("signing_secret", "secret", "sec")])
}

fn request(headers: &[(&'static str, &str)], body: &str) -> Request<Bytes> {
    let mut request = Request::post("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::from(body.to_owned())).unwrap()
}

fn verify(headers: &[(&'static str, &str)], seconds: i64) -> Result<KeyId, AuthFault> {
    let now = Timestamp::from_second(seconds).unwrap();
    super::verify(hooktide_providers::webhooks_by_id("clover").unwrap(), &request(headers, "{}"), "", &secrets(), now)
}

#[test]
fn accepts_a_signature_within_five_minutes_both_ways() {
    for (seconds, expected) in [
        (SIGNED_AT, Ok(KeyId("secret".into()))),
        (SIGNED_AT + 300, Ok(KeyId("secret".into()))),
        (SIGNED_AT - 300, Ok(KeyId("secret".into()))),
        (SIGNED_AT + 301, Err(AuthFault::Expired)),
        (SIGNED_AT - 301, Err(AuthFault::Expired)),
    ] {
        assert_eq!(verify(&[("clover-signature", SIGNATURE)], seconds), expected, "{seconds}");
    }
}

#[test]
fn refuses_a_signature_of_another_form() {
    let mac = SIGNATURE.split_once("v1=").unwrap().1;
    for header in [
        // From docs.clover.com/docs/ecomm-hosted-checkout-webhook.
        "t=1642599079,v1=tf1535bddbf8923d77ca9665eed5fc89b8b5506bbad137cd4ca76aa2a8d2a342",
        "t=1700000000,v1=/2lw+qHcZ6n6WhSVQf7G/zOFOgyJ2+7HJSIJQCj8org=",
        &format!("v1={mac},t=1700000000"),
        &format!("t=1700000000, v1={mac}"),
        &format!("t=+1700000000,v1={mac}"),
        &format!("t=-1700000000,v1={mac}"),
        &format!("t=,v1={mac}"),
        &format!("t=99999999999999999999,v1={mac}"),
        &format!("t=999999999999999999,v1={mac}"),
        &format!("t=1700000000,v0={mac}"),
        &format!("t=1700000000,v1={mac},v1={mac}"),
        &format!("t=1700000000,v1={}", mac.to_uppercase()),
    ] {
        assert_eq!(verify(&[("clover-signature", header)], SIGNED_AT), Err(AuthFault::Malformed), "{header}");
    }
    let wrong = SIGNATURE.replace("b8", "b9");
    assert_eq!(verify(&[("clover-signature", &wrong)], SIGNED_AT), Err(AuthFault::Mismatch));
    let empty = "t=1700000000,v1=";
    assert_eq!(verify(&[("clover-signature", empty)], SIGNED_AT), Err(AuthFault::Mismatch));
}

#[test]
fn refuses_both_proofs_at_once() {
    assert_eq!(verify(&[("x-clover-auth", CODE)], SIGNED_AT), Ok(KeyId("code".into())));
    for code in [CODE, "", "wrong"] {
        let both = [("x-clover-auth", code), ("clover-signature", SIGNATURE)];
        assert_eq!(verify(&both, SIGNED_AT), Err(AuthFault::Malformed), "{code}");
    }
}

/// Whoever knows the code must not be able to tell of a payment with it, nor may a merchant with its signing secret
/// tell of what happened at others.
#[test]
fn takes_each_form_by_its_own_proof_only() {
    let provider = hooktide_providers::webhooks_by_id("clover").unwrap();
    let now = Timestamp::from_second(SIGNED_AT).unwrap();
    let payment = r#"{"type":"PAYMENT","status":"APPROVED","id":"1","merchantId":"M"}"#;
    let by_code = request(&[("x-clover-auth", CODE)], payment);
    let by_code = super::open(provider, &by_code, "", &secrets(), now).unwrap();
    assert!(provider.parse(&by_code).is_err());
    assert_eq!(provider.label(&by_code), hooktide_providers::Label::default());

    let events = r#"{"merchants":{"M":[{"objectId":"I:1","type":"UPDATE","ts":1}]}}"#;
    let signed = hooktide_model::signing::hmac_sha256(b"sec", &[b"1700000000.", events.as_bytes()]);
    let header = format!("t=1700000000,v1={}", signed.map(|byte| format!("{byte:02x}")).concat());
    let by_secret = request(&[("clover-signature", &header)], events);
    let by_secret = super::open(provider, &by_secret, "", &secrets(), now).unwrap();
    assert!(provider.parse(&by_secret).is_err());
}

/// Beyond a thousand events, one notice for each merchant and resource stands for the rest.
#[test]
fn folds_what_is_too_much_and_loses_no_merchant_and_no_resource() {
    let provider = hooktide_providers::webhooks_by_id("clover").unwrap();
    let event = |number: usize| {
        let key = ["I", "O", "C", "IC"][number % 4];
        format!(r#"{{"objectId":"{key}:{number}","type":"UPDATE","ts":{number}}}"#)
    };
    let events = |from: usize| (from..from + 2_000).map(event).collect::<Vec<_>>().join(",");
    let body = format!(r#"{{"merchants":{{"A":[{}],"B":[{}]}}}}"#, events(0), events(5_000));
    let request = request(&[("x-clover-auth", CODE)], &body);
    let opened = super::open(provider, &request, "", &secrets(), Timestamp::UNIX_EPOCH).unwrap();
    let notices = provider.parse(&opened).unwrap();
    assert_eq!(notices.len(), 1_000 + 2 * 3, "three sorts of each merchant");
    let identities = notices.iter().map(|notice| &notice.identity).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(identities.len(), notices.len());
    for what in [What::hint("catalog"), What::hint("orders"), What::ignored("customers are not used")] {
        let of_b = notices.iter().filter(|notice| notice.account.as_deref() == Some("B") && notice.what == what);
        assert_eq!(of_b.count(), 1, "{what:?}");
    }
}
