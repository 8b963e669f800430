//! Microsoft published no vector: basic notifications have no signature. These vectors are our own, in its documented
//! forms.

use bytes::Bytes;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::names::MarkReason;
use hooktide_model::notice::{Notice, What};
use hooktide_model::secret::{KeyId, Secrets};
use hooktide_model::signing::SUBSCRIPTION_KEY;
use hooktide_providers::{Arrival, HandshakeReply, Webhooks};
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};

use crate::attempt::live;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const ONE: &str = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07";
const TWO: &str = "5cfe2387-163c-4006-81bb-1b5e1e060afe";
/// A reference, the key's id, and `printf %s reference-one | openssl dgst -sha256 -hmac key-of-the-vector`.
const STATE_OF_ONE: &str = "reference-one.k7.fcd2752b1445a5f4e248475f79ec2a4961ed2019e36565ebf942e187f4fc421a";
/// The same of `reference-two`.
const STATE_OF_TWO: &str = "reference-two.k7.134035a336fca3727dfc93e7ae1b1c4382929a19f9cda7f87688aaf22a9b4040";

fn provider() -> &'static dyn Webhooks {
    hooktide_providers::webhooks_by_id("microsoft-graph").unwrap()
}

fn keys() -> Secrets {
    Secrets::new(vec![live(SUBSCRIPTION_KEY, "k8", "a newer key"), live(SUBSCRIPTION_KEY, "k7", "key-of-the-vector")])
}

/// A change of an entity, with its version.
fn change(subscription: &str, state: &str, thing: &str, version: &str) -> String {
    format!(
        r#"{{"subscriptionId":"{subscription}","clientState":"{state}","changeType":"updated","resourceData":{{"id":"{thing}","@odata.etag":"{version}"}}}}"#
    )
}

/// A token that is well formed, but made without the key.
fn forged() -> String {
    STATE_OF_ONE.replace("reference-one", "reference-six")
}

fn lifecycle(event: &str) -> String {
    format!(r#"{{"subscriptionId":"{ONE}","clientState":"{STATE_OF_ONE}","lifecycleEvent":"{event}"}}"#)
}

fn request(items: &[String]) -> Request<Bytes> {
    Request::post("/").body(format!(r#"{{"value":[{}]}}"#, items.join(",")).into()).unwrap()
}

fn verify(body: &str) -> Result<KeyId, AuthFault> {
    let request = Request::post("/").body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    super::verify(provider(), &request, "", &keys(), NOW)
}

fn verify_items(items: &[String]) -> Result<KeyId, AuthFault> {
    super::verify(provider(), &request(items), "", &keys(), NOW)
}

fn dropped(items: &[String]) -> Vec<usize> {
    super::open(provider(), &request(items), "", &keys(), NOW).unwrap().dropped().to_vec()
}

fn notices(items: &[String], now: Timestamp) -> Result<Vec<Notice>, Fault> {
    provider().parse(&super::open(provider(), &request(items), "", &keys(), now).expect("a proved item"))
}

fn identities(items: &[String], now: Timestamp) -> Vec<String> {
    notices(items, now).unwrap().into_iter().map(|notice| notice.identity).collect()
}

#[test]
fn each_item_is_proved_by_its_own_state() {
    let own = [change(ONE, STATE_OF_ONE, "a", "1"), change(TWO, STATE_OF_TWO, "b", "1")];
    assert_eq!(verify_items(&own), Ok(KeyId("k7".into())));
    assert!(dropped(&own).is_empty());
    // The MAC of another reference does not verify this one.
    let swapped = STATE_OF_ONE.replace("reference-one", "reference-two");
    assert_eq!(verify_items(&[change(ONE, &swapped, "a", "1")]), Err(AuthFault::Mismatch));
}

#[test]
fn an_item_that_is_not_proved_is_never_told_of() {
    let items = [
        change(ONE, "secretClientValue", "forged", "1"),
        change(ONE, STATE_OF_ONE, "a", "1"),
        change(TWO, &forged(), "forged", "1"),
        r#"{"subscriptionId":7}"#.to_owned(),
        "null".to_owned(),
        format!(r#"["{TWO}","{STATE_OF_TWO}"]"#),
        change(TWO, STATE_OF_TWO, "b", "1"),
        lifecycle("missed").replace(STATE_OF_ONE, &STATE_OF_ONE.to_uppercase()),
    ];
    assert_eq!(verify_items(&items), Ok(KeyId("k7".into())));
    assert_eq!(dropped(&items), [0, 2, 3, 4, 5, 7]);
    let told = notices(&items, NOW).unwrap().into_iter().map(|notice| notice.what).collect::<Vec<_>>();
    assert_eq!(told, [hint("reference-one", ONE), hint("reference-two", TWO)]);
}

#[test]
fn what_is_refused_says_why() {
    let of_one = change(ONE, STATE_OF_ONE, "a", "1");
    let without = |text: &str| of_one.replace(text, "");
    let state = format!(r#""clientState":"{STATE_OF_ONE}""#);
    for (body, fault) in [
        (String::new(), AuthFault::Malformed),
        ("{}".into(), AuthFault::Malformed),
        ("[[]]".into(), AuthFault::Malformed),
        (r#"{"value":null}"#.into(), AuthFault::Malformed),
        (format!(r#"{{"value":[{of_one}],"value":[{of_one}]}}"#), AuthFault::Malformed),
        (format!(r#"{{"value":[{of_one}]}}x"#), AuthFault::Malformed),
        (r#"{"value":[]}"#.into(), AuthFault::Missing),
        (format!(r#"{{"value":[{}]}}"#, of_one.replace(&state, r#""clientState":null"#)), AuthFault::Missing),
        (format!(r#"{{"value":[{}]}}"#, without(STATE_OF_ONE)), AuthFault::Missing),
        (format!(r#"{{"value":[{}]}}"#, without(&format!("{state},"))), AuthFault::Missing),
        (format!(r#"{{"value":[{}]}}"#, of_one.replace(&state, &format!("{state},{state}"))), AuthFault::Malformed),
        (
            format!(r#"{{"value":[{}]}}"#, of_one.replace(&state, &format!(r#"{state},"client\u0053tate":"x""#))),
            AuthFault::Malformed,
        ),
        (format!(r#"{{"value":[{}]}}"#, without(&format!(r#""subscriptionId":"{ONE}","#))), AuthFault::Malformed),
        (format!(r#"{{"value":[{}]}}"#, change("", STATE_OF_ONE, "a", "1")), AuthFault::Malformed),
        (format!(r#"{{"value":[{}]}}"#, change(&"s".repeat(65), STATE_OF_ONE, "a", "1")), AuthFault::Malformed),
        (format!(r#"{{"value":[{}]}}"#, change(ONE, "secretClientValue", "a", "1")), AuthFault::Malformed),
        (format!(r#"{{"value":[{}]}}"#, change(TWO, &forged(), "a", "1")), AuthFault::Mismatch),
        (format!(r#"{{"value":[null,{}]}}"#, change(TWO, &forged(), "a", "1")), AuthFault::Mismatch),
    ] {
        assert_eq!(verify(&body), Err(fault), "{body}");
    }
    let no_keys = super::verify(provider(), &request(&[of_one]), "", &Secrets::default(), NOW);
    assert_eq!(no_keys, Err(AuthFault::NoSecret));
}

#[test]
fn of_more_items_than_a_real_body_has_the_rest_is_told_of_as_one() {
    let ignored = |items: &[String]| {
        let told = notices(items, NOW).unwrap();
        let ignored = told.iter().filter(|notice| matches!(notice.what, What::Ignored { .. })).count();
        (told.len(), ignored)
    };
    let items = |count: usize| vec![change(ONE, STATE_OF_ONE, "a", "1"); count];
    for (count, beyond, told) in
        [(2_000, &[][..], (2_000, 0)), (2_001, &[2_000], (2_001, 1)), (3_000, &[2_000], (2_001, 1))]
    {
        assert_eq!((dropped(&items(count)).as_slice(), ignored(&items(count))), (beyond, told), "{count}");
    }
    let proved_beyond = [vec![change(TWO, &forged(), "a", "1"); 2_000], items(1)].concat();
    assert_eq!(verify_items(&proved_beyond), Err(AuthFault::Mismatch));
}

#[test]
fn both_answers_are_202() {
    assert_eq!(
        (provider().profile().accepted, provider().profile().refused),
        (StatusCode::ACCEPTED, StatusCode::ACCEPTED)
    );
}

#[test]
fn a_handshakes_answer_is_never_a_page() {
    let request = Request::post("/?validationToken=%3Cb%3E").body(Bytes::new()).unwrap();
    let Some(HandshakeReply::Answer(answer)) =
        provider().handshake(&Arrival { request: &request, url: "", secrets: &keys(), now: NOW })
    else {
        panic!("no answer")
    };
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
    assert_eq!((header("content-type"), header("x-content-type-options")), (Some("text/plain"), Some("nosniff")));
    assert_eq!((answer.status(), &answer.body()[..]), (StatusCode::OK, &b"<b>"[..]));
}

#[test]
fn a_change_is_known_again_at_any_time_and_its_next_version_is_another() {
    let item = |thing, version| [change(ONE, STATE_OF_ONE, thing, version)];
    let later = NOW + SignedDuration::from_hours(4);
    assert_eq!(identities(&item("a", "1"), NOW), identities(&item("a", "1"), later));
    assert_ne!(identities(&item("a", "1"), NOW), identities(&item("a", "2"), NOW));
    assert_ne!(identities(&item("a", "1"), NOW), identities(&item("b", "1"), NOW));
    let deleted = item("a", "1").map(|item| item.replace("updated", "deleted"));
    assert_ne!(identities(&item("a", "1"), NOW), identities(&deleted, NOW));
}

#[test]
fn what_has_no_version_is_told_again_a_quarter_of_an_hour_later() {
    let later = NOW + SignedDuration::from_mins(15);
    for item in [[lifecycle("missed")], [change(ONE, STATE_OF_ONE, "a", "")]] {
        assert_eq!(identities(&item, NOW), identities(&item, NOW + SignedDuration::from_mins(14)));
        assert_ne!(identities(&item, NOW), identities(&item, later));
    }
    assert_ne!(identities(&[lifecycle("missed")], NOW), identities(&[lifecycle("subscriptionRemoved")], NOW));
    let with_id = |id: &str| [lifecycle("missed").replace('{', &format!(r#"{{"id":"{id}","#))];
    assert_ne!(identities(&with_id("one"), NOW), identities(&with_id("two"), NOW));
}

/// The hint of a subscription of ours, by the reference that its proof carries, and by Microsoft's id.
fn hint(reference: &str, subscription: &str) -> What {
    What::hint("calendar").about(reference).through(Some(subscription.to_owned()))
}

#[test]
fn each_lifecycle_event_asks_for_its_own_reason() {
    for (event, reason) in [
        ("reauthorizationRequired", MarkReason::Reauthorize),
        ("subscriptionRemoved", MarkReason::Removed),
        ("missed", MarkReason::Missed),
    ] {
        let told = notices(&[lifecycle(event)], NOW).unwrap();
        assert_eq!(told[0].what, hint("reference-one", ONE).because(reason), "{event}");
    }
    let told = notices(&[change(ONE, STATE_OF_ONE, "a", "1")], NOW).unwrap();
    assert_eq!(told[0].what, hint("reference-one", ONE));
}

#[test]
fn a_lifecycle_event_counts_more_than_a_change_in_the_same_item() {
    let events = r#""updated","lifecycleEvent":"missed""#;
    let both = change(ONE, STATE_OF_ONE, "a", "1").replace(r#""updated""#, events);
    let told = notices(&[both], NOW).unwrap();
    assert!(matches!(&told[0].what, What::Hint { reason: MarkReason::Missed, .. }), "{told:?}");
}

#[test]
fn a_proved_item_that_says_twice_what_happened_counts_as_it_says_last() {
    let odd = change(ONE, STATE_OF_ONE, "a", "1").replace(r#""changeType""#, r#""changeType":"x","changeType""#);
    let items = [change(ONE, "forged", "x", "1"), odd, change(TWO, STATE_OF_TWO, "b", "1")];
    let told = notices(&items, NOW).unwrap();
    let what = told.iter().map(|notice| notice.what.clone()).collect::<Vec<_>>();
    assert_eq!(what, [hint("reference-one", ONE), hint("reference-two", TWO)]);
    assert_eq!(told[0].identity, notices(&[change(ONE, STATE_OF_ONE, "a", "1")], NOW).unwrap()[0].identity);
}

#[test]
fn a_proved_item_that_does_not_say_what_happened_asks() {
    for kind in ["7", "[]", "null,\"lifecycleEvent\":7"] {
        let odd = change(ONE, STATE_OF_ONE, "a", "1").replace(r#""updated""#, kind);
        let told = notices(&[odd], NOW).unwrap();
        assert_eq!(told[0].what, hint("reference-one", ONE), "{kind}");
    }
}
