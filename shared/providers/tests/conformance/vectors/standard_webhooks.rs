//! What the reference libraries of Standard Webhooks test themselves with, and what they refuse.

use bytes::Bytes;
use hooktide_model::fault::AuthFault;
use hooktide_model::secret::{KeyId, Secret, Secrets};
use http::Request;
use jiff::{SignedDuration, Timestamp};

use crate::attempt::live;

/// From `libraries/javascript/src/webhook.test.ts` of standard-webhooks/standard-webhooks, at b2fa7b87.
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIME: &str = "1614265330";
const SENT_AT: Timestamp = Timestamp::constant(1_614_265_330, 0);
const BODY: &str = r#"{"test": 2432232314}"#;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const V1: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
/// Well-formed and wrong.
const WRONG: &str = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";

/// From `libraries/go/webhook_asymmetric_test.go`, at 5fb2ce93: the test gives the seed, this is its public key.
const PUBLIC_KEY: &str = "whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=";
const V1A: &str = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";

/// The headers of the vector, with this signature.
fn headers(signature: &str) -> [(&str, &str); 3] {
    [("webhook-id", ID), ("webhook-timestamp", TIME), ("webhook-signature", signature)]
}

fn verify_at(
    secrets: &[&str],
    headers: &[(&str, &str)],
    body: &'static str,
    now: Timestamp,
) -> Result<KeyId, AuthFault> {
    let provider = hooktide_providers::webhooks_by_id("standard-webhooks").unwrap();
    let secrets = Secrets::new(secrets.iter().map(|text| live("secret", text, *text)).collect());
    let mut request = Request::post("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    super::verify(provider, &request.body(Bytes::from_static(body.as_bytes())).unwrap(), "", &secrets, now)
}

fn verify(secret: &str, headers: &[(&str, &str)]) -> Result<KeyId, AuthFault> {
    verify_at(&[secret], headers, BODY, SENT_AT)
}

fn by(secret: &str) -> Result<KeyId, AuthFault> {
    Ok(KeyId(secret.into()))
}

#[test]
fn accepts_the_published_vector_of_v1() {
    assert_eq!(verify(SECRET, &headers(V1)), by(SECRET));
    let bare = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert_eq!(verify(bare, &headers(V1)), by(bare), "with a secret without its prefix");
    assert_eq!(verify_at(&[SECRET], &headers(V1), r#"{"test":2432232314}"#, SENT_AT), Err(AuthFault::Mismatch));
}

#[test]
fn accepts_the_published_vector_of_v1a() {
    assert_eq!(verify(PUBLIC_KEY, &headers(V1A)), by(PUBLIC_KEY));
    assert_eq!(verify_at(&[PUBLIC_KEY], &headers(V1A), "{}", SENT_AT), Err(AuthFault::Mismatch));
}

/// From `libraries/rust/src/lib.rs`: `test_sign`.
#[test]
fn accepts_the_vector_of_the_rust_library() {
    let headers = [
        ("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
        ("webhook-timestamp", "1649367553"),
        ("webhook-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
    ];
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let body = r#"{"email":"test@example.com","username":"test_user"}"#;
    assert_eq!(verify_at(&[secret], &headers, body, Timestamp::constant(1_649_367_553, 0)), by(secret));
}

#[test]
fn signs_the_published_vectors_itself() {
    let provider = hooktide_providers::webhooks_by_id("standard-webhooks").unwrap();
    for (secret, expected) in [(SECRET, V1), ("whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=", V1A)] {
        let request = provider
            .sign(hooktide_providers::Unsigned {
                topic: "",
                body: Bytes::from_static(BODY.as_bytes()),
                account: "",
                delivery: ID,
                secrets: &Secrets::new(vec![live("secret", "published", secret)]),
                url: "/",
                now: SENT_AT,
            })
            .unwrap();
        assert_eq!(request.headers()["webhook-signature"], expected);
        assert_eq!(request.headers()["webhook-timestamp"], TIME);
    }
}

#[test]
fn refuses_a_signature_that_is_well_formed_and_wrong() {
    assert_eq!(verify(SECRET, &headers(WRONG)), Err(AuthFault::Mismatch));
    assert_eq!(verify(PUBLIC_KEY, &headers(&V1A.replacen("tQ9V", "tQ9W", 1))), Err(AuthFault::Mismatch));
}

#[test]
fn refuses_an_empty_or_partial_signature() {
    for signature in ["v1,", "v1a,", &V1[..8], "v1", "v1,dawfeoifkpqwoekfpqoekf", &WRONG.replacen("v1", "v1a", 1)] {
        assert_eq!(verify(SECRET, &headers(signature)), Err(AuthFault::Malformed), "{signature}");
    }
}

#[test]
fn refuses_a_signature_without_its_version_or_under_another() {
    for signature in [&V1[3..], &V1.replacen("v1", "v2", 1), &V1.replacen("v1", "V1", 1), &V1.replacen("v1,", "v1", 1)]
    {
        assert_eq!(verify(SECRET, &headers(signature)), Err(AuthFault::Malformed), "{signature}");
    }
}

#[test]
fn refuses_what_lacks_a_header() {
    for missing in 0..3 {
        let mut left = headers(V1).to_vec();
        left.remove(missing);
        assert_eq!(verify(SECRET, &left), Err(AuthFault::Missing), "{:?}", headers(V1)[missing].0);
    }
}

#[test]
fn refuses_a_time_one_second_beyond_five_minutes_both_ways() {
    let after =
        |seconds| verify_at(&[SECRET], &headers(V1), BODY, SENT_AT + SignedDuration::from_secs(seconds)).map(|id| id.0);
    for seconds in [-300, 0, 300] {
        assert_eq!(after(seconds), Ok(SECRET.into()), "{seconds} s after it was sent");
    }
    for seconds in [-301, 301] {
        assert_eq!(after(seconds), Err(AuthFault::Expired), "{seconds} s after it was sent");
    }
}

#[test]
fn refuses_a_time_that_is_none() {
    for time in ["hello", "1614265330.0", " 1614265330", "+1614265330", "01614265330", "99999999999999999999"] {
        let headers = [("webhook-id", ID), ("webhook-timestamp", time), ("webhook-signature", V1)];
        assert_eq!(verify(SECRET, &headers), Err(AuthFault::Malformed), "{time:?}");
    }
}

/// The reference libraries' list: wrong entries and one of another version around the right one.
#[test]
fn accepts_a_list_with_wrong_entries_around_the_right_one() {
    let other = WRONG.replacen("v1", "v2", 1);
    for right in [V1, V1A] {
        let list = format!("{WRONG} {other} {right} {WRONG}");
        let secret = if right == V1 { SECRET } else { PUBLIC_KEY };
        assert_eq!(verify(secret, &headers(&list)), by(secret), "{list}");
    }
    assert_eq!(verify(SECRET, &headers(&format!("{WRONG} {other}"))), Err(AuthFault::Mismatch));
}

#[test]
fn accepts_either_of_two_versions_by_the_key_that_there_is() {
    let both = format!("{V1A} {V1}");
    assert_eq!(verify(SECRET, &headers(&both)), by(SECRET));
    assert_eq!(verify(PUBLIC_KEY, &headers(&both)), by(PUBLIC_KEY));
    assert_eq!(verify_at(&[PUBLIC_KEY, SECRET], &headers(V1), BODY, SENT_AT), by(SECRET));
    assert_eq!(verify(PUBLIC_KEY, &headers(V1)), Err(AuthFault::Mismatch), "a version that there is no key for");
}

#[test]
fn refuses_a_list_that_is_longer_than_any_sender_makes() {
    let list = format!("{}{V1}", format!("{WRONG} ").repeat(10));
    assert_eq!(verify(SECRET, &headers(&list)), Err(AuthFault::Malformed));
}

/// The same bytes are signed, whichever of the dots ends the id.
#[test]
fn refuses_an_id_with_a_dot() {
    let moved = [("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330"), ("webhook-timestamp", TIME)];
    let headers = [moved[0], moved[1], ("webhook-signature", V1)];
    assert_eq!(verify(SECRET, &headers), Err(AuthFault::Malformed));
}

#[test]
fn takes_the_names_of_svix_but_never_a_header_of_each() {
    let svix = [("svix-id", ID), ("svix-timestamp", TIME), ("svix-signature", V1)];
    assert_eq!(verify(SECRET, &svix), by(SECRET));
    for (at, standard) in headers(V1).into_iter().enumerate() {
        let mut mixed = svix;
        mixed[at] = standard;
        assert_eq!(verify(SECRET, &mixed), Err(AuthFault::Missing), "{mixed:?}");
        let beside = [svix.as_slice(), &[standard]].concat();
        assert_eq!(verify(SECRET, &beside), Err(AuthFault::Missing), "{beside:?}");
    }
    let both = [headers(V1), [("svix-id", "another"), ("svix-timestamp", "0"), ("svix-signature", WRONG)]].concat();
    assert_eq!(verify(SECRET, &both), by(SECRET), "whole sets of both: the specification's");
}

#[test]
fn checks_secrets_by_their_form() {
    let provider = hooktide_providers::webhooks_by_id("standard-webhooks").unwrap();
    let check = |text: &str| provider.profile().check_secret("secret", &Secret::new(text));
    assert_eq!(check(SECRET), Ok(()));
    assert_eq!(check(PUBLIC_KEY), Ok(()));
    for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "hush", "whpk_AAAA"] {
        assert!(check(wrong).is_err(), "{wrong}");
        assert_eq!(verify(wrong, &headers(V1)), Err(AuthFault::NoSecret), "{wrong}");
    }
    let seed = check("whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=");
    assert!(seed.is_err_and(|text| text.contains("whpk_")), "the sender's own key");
}
