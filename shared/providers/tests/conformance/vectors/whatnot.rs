//! Whatnot published no vector: its deliveries follow Standard Webhooks, whose vectors must hold for it as well.

use bytes::Bytes;
use hooktide_model::fault::AuthFault;
use hooktide_model::secret::{KeyId, Secrets};
use http::Request;
use jiff::{SignedDuration, Timestamp};

use crate::attempt::live;

const SENT_AT: Timestamp = Timestamp::constant(1_614_265_330, 0);

fn verify(prefix: &str, signature: &str, now: Timestamp) -> Result<KeyId, AuthFault> {
    let request = Request::post("/")
        .header(format!("{prefix}-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek")
        .header(format!("{prefix}-timestamp"), "1614265330")
        .header(format!("{prefix}-signature"), signature);
    let request = request.body(Bytes::from_static(br#"{"test": 2432232314}"#)).unwrap();
    let secrets = Secrets::new(vec![live("secret", "published", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]);
    super::verify(hooktide_providers::webhooks_by_id("whatnot").unwrap(), &request, "", &secrets, now)
}

const RIGHT: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

#[test]
fn accepts_the_published_vector_of_standard_webhooks() {
    assert_eq!(verify("webhook", RIGHT, SENT_AT), Ok(KeyId("published".into())));
    let list = format!("v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= {RIGHT}");
    assert_eq!(verify("webhook", &list, SENT_AT), Ok(KeyId("published".into())));
}

#[test]
fn refuses_the_published_negatives_of_standard_webhooks() {
    let wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
    assert_eq!(verify("webhook", wrong, SENT_AT), Err(AuthFault::Mismatch));
    assert_eq!(verify("webhook", "v1,", SENT_AT), Err(AuthFault::Malformed));
    assert_eq!(verify("webhook", &RIGHT[3..], SENT_AT), Err(AuthFault::Malformed));
    for seconds in [-301, 301] {
        assert_eq!(verify("webhook", RIGHT, SENT_AT + SignedDuration::from_secs(seconds)), Err(AuthFault::Expired));
    }
}

/// Whatnot documents the names of the specification only.
#[test]
fn knows_no_other_names_of_the_headers() {
    assert_eq!(verify("svix", RIGHT, SENT_AT), Err(AuthFault::Missing));
}
