//! What eBay published in its libraries, and what else must hold of its keys.

use bytes::Bytes;
use data_encoding::BASE64;
use hooktide_model::fault::{AuthFault, ErrorClass, Fault};
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};
use hooktide_providers::{Arrival, HandshakeReply, Unsigned, Webhooks};
use http::Request;
use jiff::Timestamp;

use crate::attempt::live;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const KID: &str = "9936261a-7d7b-4621-a0f1-96ccb428af49";
const PEM: &str = "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhhxXKtR+TOvtDbgTPCkSof02qgBB7IsYOyf76ilExJ/upAa/vKIKheOoCyOpcLmi4t0b4uepb7LLjmMr90FUg==-----END PUBLIC KEY-----";
const SIGNATURE: &str =
    "MEYCIQCfxfIWuxmWcIBQJ9c5/X7iGDJqs2RCGsBEaAjinyrrfAIhAIV6wGcTiBuV5KJUif2hokyrL+Q9ssHkad+mx2nEE25w";
const BODY: &str = r#"{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION","schemaVersion":"1.0","deprecated":false},"notification":{"notificationId":"49feeaeb-4982-42d9-a377-9645b8479411_33f7e043-fed8-442b-9d44-791923bd9a6d","eventDate":"2021-03-19T20:43:59.462Z","publishDate":"2021-03-19T20:43:59.679Z","publishAttemptCount":1,"data":{"username":"test_user","userId":"ma8vp1jySJC","eiasToken":"nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6wJnY+gAZGEpwmdj6x9nY+seQ=="}}}"#;

fn provider() -> &'static dyn Webhooks {
    hooktide_providers::webhooks_by_id("ebay").unwrap()
}

/// eBay's answer about a key.
fn answer(digest: &str) -> String {
    format!(r#"{{"key":"{PEM}","algorithm":"ECDSA","digest":"{digest}"}}"#)
}

fn header(json: &str) -> String {
    BASE64.encode(json.as_bytes())
}

fn published(alg: &str, kid: &str, digest: &str) -> String {
    header(&format!(r#"{{"alg":"{alg}","kid":"{kid}","signature":"{SIGNATURE}","digest":"{digest}"}}"#))
}

fn verify(keys: Vec<LiveSecret>, header: &str, body: &str) -> Result<KeyId, AuthFault> {
    let request = Request::post("/").header("x-ebay-signature", header);
    let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    super::verify(provider(), &request, "", &Secrets::new(keys), NOW)
}

fn fetched(digest: &str) -> Vec<LiveSecret> {
    vec![live("public_key", KID, answer(digest))]
}

/// From `test/test.json` of eBay/event-notification-nodejs-sdk: `VALID`.
#[test]
fn accepts_the_published_vector_of_ebay() {
    let published = "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FWUNJUUNmeGZJV3V4bVdjSUJRSjljNS9YN2lHREpxczJSQ0dzQkVhQWppbnlycmZBSWhBSVY2d0djVGlCdVY1S0pVaWYyaG9reXJMK1E5c3NIa2FkK214Mm5FRTI1dyIsImRpZ2VzdCI6IlNIQTEifQ==";
    assert_eq!(self::published("ecdsa", KID, "SHA1"), published);
    assert_eq!(verify(fetched("SHA1"), published, BODY), Ok(KeyId(KID.into())));
    for other in [BODY.replace("test_user", "test_uses"), format!("{BODY}\n"), BODY.replace(":1,", ": 1,")] {
        assert_eq!(verify(fetched("SHA1"), published, &other), Err(AuthFault::Mismatch), "{other}");
    }
}

#[test]
fn takes_the_algorithm_in_any_letter_case() {
    for alg in ["ecdsa", "ECDSA", "Ecdsa"] {
        assert_eq!(verify(fetched("SHA1"), &published(alg, KID, "SHA1"), BODY), Ok(KeyId(KID.into())), "{alg}");
    }
}

#[test]
fn takes_the_hash_of_ebays_key_and_no_other() {
    for (header, key) in [("SHA1", "SHA256"), ("SHA256", "SHA1"), ("SHA256", "SHA256")] {
        let refused = verify(fetched(key), &published("ecdsa", KID, header), BODY);
        assert_eq!(refused, Err(AuthFault::Mismatch), "{header} {key}");
    }
    for key in ["SHA512", "sha1", "", "none"] {
        assert_eq!(verify(fetched(key), &published("ecdsa", KID, "SHA1"), BODY), Err(AuthFault::Mismatch), "{key}");
    }
    for (alg, digest) in [("ecdsa", "SHA512"), ("ecdsa", "sha1"), ("ecdsa", ""), ("none", "SHA1"), ("", "SHA1")] {
        assert_eq!(
            verify(fetched("SHA1"), &published(alg, KID, digest), BODY),
            Err(AuthFault::Malformed),
            "{alg} {digest}"
        );
    }
}

#[test]
fn takes_the_key_that_ebay_names_and_no_other() {
    let good = published("ecdsa", KID, "SHA1");
    let pinned = answer("SHA1").replacen('{', &format!(r#"{{"kid":"{KID}","#), 1);
    assert_eq!(verify(vec![live("public_key", "stored", pinned.as_str())], &good, BODY), Ok(KeyId("stored".into())));
    // One that says its own id does not go by the secret's.
    let other = pinned.replace(KID, "00000000-7d7b-4621-a0f1-96ccb428af49");
    assert_eq!(verify(vec![live("public_key", KID, other.as_str())], &good, BODY), Err(AuthFault::Mismatch));
    assert_eq!(verify(vec![live("public_key", "stored", answer("SHA1"))], &good, BODY), Err(AuthFault::Mismatch));
    assert_eq!(verify(vec![live("public_key", KID, "no key")], &good, BODY), Err(AuthFault::Mismatch));
    assert_eq!(verify(vec![live("public_key", KID, "")], &good, BODY), Err(AuthFault::NoSecret));
    assert_eq!(verify(vec![live("sample_key", KID, answer("SHA1"))], &good, BODY), Err(AuthFault::NoSecret));
    assert_eq!(verify(Vec::new(), &good, BODY), Err(AuthFault::NoSecret));
    for kid in ["", "a/b", "..", "a b", "a%2Fb", "ä", &"a".repeat(65)] {
        assert_eq!(verify(fetched("SHA1"), &published("ecdsa", kid, "SHA1"), BODY), Err(AuthFault::Malformed), "{kid}");
    }
}

#[test]
fn reads_ebays_header_strictly() {
    let good = format!(r#""alg":"ecdsa","kid":"{KID}","signature":"{SIGNATURE}","digest":"SHA1""#);
    assert!(verify(fetched("SHA1"), &header(&format!("{{{good}}}")), BODY).is_ok());
    for json in [
        format!(r#"{{{good},"more":1}}"#),
        format!(r#"{{{good},"kid":"{KID}"}}"#),
        format!(r#"{{{good}}}x"#),
        format!("\u{feff}{{{good}}}"),
        format!("{{{}}}", good.replace(r#","digest":"SHA1""#, "")),
        format!("{{{}}}", good.replace("SHA1\"", "SHA1\",")),
        format!("{{{}}}", good.replace("E25w", "E25w=")),
        format!("{{{}}}", good.replace("E25w", "E25w ")),
        format!("{{{}}}", good.replace(SIGNATURE, "7")),
        format!(r#"["ecdsa","{KID}","{SIGNATURE}"]"#),
        "null".to_owned(),
        String::new(),
    ] {
        assert!(
            matches!(verify(fetched("SHA1"), &header(&json), BODY), Err(AuthFault::Malformed | AuthFault::Missing)),
            "{json}"
        );
    }
    let raw = format!("{{{}}}", good.replace(SIGNATURE, &BASE64.encode(&[7; 64])));
    assert_eq!(verify(fetched("SHA1"), &header(&raw), BODY), Err(AuthFault::Mismatch), "r and s without DER");
}

/// The id that is fetched is the one in the header, read as strictly.
#[test]
fn wants_the_key_that_ebay_names() {
    let keys = provider().api().and_then(|api| api.keys()).unwrap();
    let wanted = |header: String| {
        let request = Request::post("/").header("x-ebay-signature", header).body(Bytes::new()).unwrap();
        keys.wanted(&Arrival { request: &request, url: "/", secrets: &Secrets::default(), now: NOW })
    };
    assert_eq!(wanted(published("ecdsa", KID, "SHA1")), Ok(KID.to_owned()));
    assert_eq!(wanted(published("ecdsa", "../topic", "SHA1")), Err(AuthFault::Malformed));
    assert_eq!(wanted(String::new()), Err(AuthFault::Missing));
}

/// From the tests of the same library; they have one text for code and token, which would not tell their order.
#[test]
fn answers_ebays_challenge_with_the_newest_token() {
    let answer = |code: &str, tokens: &[&str], url: &str| {
        let secrets = Secrets::new(tokens.iter().map(|token| live("verification_token", token, *token)).collect());
        let request = Request::get(format!("/webhook?challenge_code={code}")).body(Bytes::new()).unwrap();
        match provider().handshake(&Arrival { request: &request, url, secrets: &secrets, now: NOW }) {
            Some(HandshakeReply::Answer(answer)) => String::from_utf8(answer.body().to_vec()).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    let same = "71745723-d031-455c-bfa5-f90d11b4f20a";
    let published = r#"{"challengeResponse":"048de9ffd0e35021fefc0388d5c52e0f475324f582f3778ca81a53354ccbbc97"}"#;
    assert_eq!(answer(same, &[same], "http://www.testendpoint.com/webhook"), published);
    let (code, url) = ("a1b2c3", "https://hooks.example.com/webhooks/ebay/1");
    let token = "hooktide-sample-verification-token_1";
    let own = r#"{"challengeResponse":"ac68cdcc601a3a37519d4eec16ef42f508f14ba96bab7cd91f85d2ac544a6383"}"#;
    assert_eq!(answer(code, &[token], url), own);
    assert_eq!(answer(code, &[token, "hooktide-sample-verification-token_0"], url), own);
    assert_ne!(answer(code, &["hooktide-sample-verification-token_0", token], url), own);
}

#[test]
fn says_what_ebays_secrets_look_like() {
    let check = |name: &str, text: &str| provider().profile().check_secret(name, &Secret::new(text)).is_ok();
    let token = "hooktide-sample-verification-token_1";
    for (name, text, expected) in [
        ("verification_token", token, true),
        ("verification_token", &token[..31], false),
        ("verification_token", "a".repeat(80).as_str(), true),
        ("verification_token", "a".repeat(81).as_str(), false),
        ("verification_token", token.replace('_', " ").as_str(), false),
        ("client_secret", "PRD-1", true),
        ("client_secret", "PRD-1\n", false),
        ("client_id", "", false),
        ("public_key", answer("SHA1").replacen('{', r#"{"kid":"a-1","#, 1).as_str(), true),
        ("public_key", answer("SHA1").as_str(), false),
        ("public_key", PEM, false),
        ("sample_key", sample_key().as_str(), true),
        ("sample_key", sample_key().replace(SCALAR, &"0".repeat(64)).as_str(), false),
        ("sample_key", SCALAR, false),
    ] {
        assert_eq!(check(name, text), expected, "{name} {text}");
    }
}

const SCALAR: &str = "6f2433064387ef5fb03afd8233ebf2733b4e509827e96ede8df47d67aaa86185";
const SAMPLE_PEM: &str = "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOOiMskVOk7lsDRl54kLJRt0vskm62Cq0Y9iybslSsGBcNPK3eE0m68NDY4VfjlHvNlBZEIn5Hj23E6hPXqlgJw==-----END PUBLIC KEY-----";

fn sample_key() -> String {
    format!(r#"{{"kid":"sample","key":"{SCALAR}"}}"#)
}

/// What is signed by eBay but not as it documents is kept whole, and never passed over.
#[test]
fn finds_what_ebay_does_not_document_unreadable() {
    let public = format!(r#"{{"kid":"sample","key":"{SAMPLE_PEM}","algorithm":"ECDSA","digest":"SHA1"}}"#);
    let secrets = Secrets::new(vec![live("sample_key", "s", sample_key()), live("public_key", "p", public)]);
    let read = |body: String| {
        let (topic, account, delivery, url, now) = ("", "", "", "/", NOW);
        let unsigned = Unsigned { topic, body: body.into(), account, delivery, secrets: &secrets, url, now };
        let request = provider().sign(unsigned).unwrap();
        provider().parse(&super::open(provider(), &request, url, &secrets, now).unwrap())
    };
    let message = |topic: &str, id: &str, data: &str| {
        format!(r#"{{"metadata":{{"topic":"{topic}"}},"notification":{{"notificationId":"{id}","data":{data}}}}}"#)
    };
    assert!(read(message("MARKETPLACE_ACCOUNT_DELETION", "1", r#"{"username":"a"}"#)).is_ok());
    assert!(read(message("FEEDBACK_LEFT", "1", "null")).is_ok(), "what is ignored may be of any form");
    for body in [
        message("MARKETPLACE_ACCOUNT_DELETION", "1", "null"),
        message("MARKETPLACE_ACCOUNT_DELETION", "1", r#"{"username":"","userId":null}"#),
        message("MARKETPLACE_ACCOUNT_DELETION", "1", r#"{"userId":[7]}"#),
        message("ORDER_CONFIRMATION", "1", "null"),
        message("ORDER_CONFIRMATION", "1", r#"{"user":"a"}"#),
        message("ORDER_CONFIRMATION", "", "{}"),
        message("", "1", "{}"),
        message("ORDER_CONFIRMATION", &"1".repeat(257), "{}"),
        r#"{"metadata":{"topic":"ORDER_CONFIRMATION"}}"#.to_owned(),
        "[]".to_owned(),
    ] {
        let unreadable = matches!(read(body.clone()), Err(Fault::Permanent { class: ErrorClass::Unreadable, .. }));
        assert!(unreadable, "{body:.200}");
    }
}
