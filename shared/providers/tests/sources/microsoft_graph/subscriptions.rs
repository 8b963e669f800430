//! Subscriptions: made, told, renewed and ended, and what Graph says of them.

use serde_json::json;

use hooktide_model::names::MarkReason;
use hooktide_model::notice::What;
use hooktide_providers::{Listed, Refusal, Registered, Subscribed, SubscriptionStep};

use super::*;
use crate::driver::URL;

const TOPIC: &str = "events";
const REFERENCE: &str = "0123456789abcdef0123456789abcdef";

fn registered(driver: &mut Driver) -> Registered {
    match driver.subscribe(TOPIC, SubscriptionStep::Register).unwrap() {
        Subscribed::Active(registered) => registered,
        other => panic!("{other:?}"),
    }
}

/// The hints that were sent since they were last taken: the reference, the subscription's id, and why.
fn hints(driver: &mut Driver) -> Vec<(String, String, MarkReason)> {
    let told = driver.notices().expect("each is proved by its token").into_iter().flat_map(|(_, notices)| notices);
    let hint = |what: What| match what {
        What::Hint { resource: EVENTS, of: Some(of), subscription: Some(id), reason, .. } => Some((of, id, reason)),
        _ => None,
    };
    told.filter_map(|notice| hint(notice.what)).collect()
}

#[test]
fn a_subscription_is_made_told_probed_renewed_and_ended() {
    let mut driver = driver();
    let one = registered(&mut driver);
    let hours = |hours: i64| jiff::SignedDuration::from_hours(hours);
    assert_eq!(one.expires_at, Some(driver.now + hours(7 * 24 - 2)));
    let signs = driver.simulator.take_notifications(driver.now);
    assert_eq!(signs.len(), 2, "both addresses are asked for a sign");
    for sign in &signs {
        let arrival =
            hooktide_providers::Arrival { request: sign, url: URL, secrets: &driver.secrets, now: driver.now };
        assert!(driver.provider.webhooks().unwrap().handshake(&arrival).is_some());
        driver.simulator.delivered(sign, Some(http::StatusCode::OK), driver.now);
    }
    let hint = [(REFERENCE.to_owned(), one.id.clone(), MarkReason::Hint)];
    let id = made(&mut driver, "2026-12-01T12:00:00", "2026-12-01T13:00:00");
    assert_eq!(hints(&mut driver), hint);
    driver.edit("event", Some(&id), Some(json!({ "showAs": "free" })));
    assert_eq!(hints(&mut driver), hint);
    driver.edit("event", Some(&id), None);
    assert_eq!(hints(&mut driver), hint);
    let team = calendar(&mut driver, "Team");
    driver.edit("event", None, Some(json!({ "subject": "Rehearsal", "calendar": team })));
    assert_eq!(hints(&mut driver), [], "nobody watches that calendar");

    driver.pass(5 * 24 * 3600);
    let probed = driver.subscribe(TOPIC, SubscriptionStep::Probe { id: &one.id }).unwrap();
    assert!(matches!(probed, Subscribed::Active(again) if again.expires_at == one.expires_at));
    let renewed = driver.subscribe(TOPIC, SubscriptionStep::Renew { id: &one.id }).unwrap();
    let expected = Some(driver.now + hours(7 * 24 - 2));
    assert!(matches!(renewed, Subscribed::Active(again) if again.expires_at == expected && again.id == one.id));
    driver.pass(6 * 24 * 3600);
    made(&mut driver, "2026-12-01T12:00:00", "2026-12-01T13:00:00");
    assert_eq!(hints(&mut driver).len(), 1, "it was renewed");
    for _ in 0..2 {
        let ended = driver.subscribe(TOPIC, SubscriptionStep::End { id: &one.id });
        assert!(matches!(ended, Ok(Subscribed::Gone)), "{ended:?}");
    }
    made(&mut driver, "2026-12-01T12:00:00", "2026-12-01T13:00:00");
    assert_eq!(hints(&mut driver), []);
}

#[test]
fn a_renewal_that_comes_too_late_finds_nothing() {
    let mut driver = driver();
    let one = registered(&mut driver);
    driver.pass(8 * 24 * 3600);
    for step in [SubscriptionStep::Renew { id: &one.id }, SubscriptionStep::Probe { id: &one.id }] {
        let answered = driver.subscribe(TOPIC, step);
        assert!(matches!(answered, Ok(Subscribed::Gone)), "{answered:?}");
    }
}

#[test]
fn a_list_says_which_of_our_subscriptions_each_is() {
    let mut driver = driver();
    let first = registered(&mut driver);
    driver.reference = "fedcba9876543210fedcba9876543210".to_owned();
    driver.part = Some(calendar(&mut driver, "Team"));
    let second = registered(&mut driver);
    let listed = driver.subscribe(TOPIC, SubscriptionStep::List { after: None }).unwrap();
    let Subscribed::Listed(mut all, None) = listed else { panic!("{listed:?}") };
    let listed = |one: Registered, reference: &str| Listed {
        id: one.id,
        topic: TOPIC.to_owned(),
        url: URL.to_owned(),
        enabled: true,
        reference: Some(reference.to_owned()),
    };
    let mut expected = vec![listed(first, REFERENCE), listed(second, &driver.reference)];
    all.sort_by(|one, other| one.id.cmp(&other.id));
    expected.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(all, expected);
}

#[test]
fn what_is_odd_in_a_list_costs_only_itself_and_a_list_is_no_circle() {
    let driver = driver();
    let link = "https://graph.microsoft.com/v1.0/subscriptions?$skiptoken=a%2Bb";
    let others = json!({ "id": "9", "resource": "/me/messages", "notificationUrl": "https://other.example.com/a" });
    let body = json!({ "value": [7, { "id": 8.5 }, {}, others], "@odata.nextLink": link }).to_string();
    let listed = driver.subscribe_given(TOPIC, SubscriptionStep::List { after: None }, &body).unwrap();
    let Subscribed::Listed(all, after) = listed else { panic!("{listed:?}") };
    assert_eq!(after.as_deref(), Some("a+b"));
    let topics: Vec<(&str, &str)> = all.iter().map(|one| (one.id.as_str(), one.topic.as_str())).collect();
    assert_eq!(topics, [("8.5", ""), ("9", "")], "what is for more than we ask for is somebody else's");
    let again = driver.subscribe_given(TOPIC, SubscriptionStep::List { after: Some("a+b") }, &body);
    assert!(matches!(again, Err(Refusal::Unreadable("the same page again"))), "{again:?}");
    for body in ["<html>", "{}", r#"{"id":[]}"#] {
        let made = driver.subscribe_given(TOPIC, SubscriptionStep::Register, body);
        assert!(matches!(made, Err(Refusal::Unreadable(_))), "{body}: {made:?}");
    }
}

#[test]
fn what_becomes_of_a_subscription_is_told_with_its_reason() {
    let mut driver = driver();
    let one = registered(&mut driver);
    let told = |reason: MarkReason| [(REFERENCE.to_owned(), one.id.clone(), reason)];
    hints(&mut driver);
    driver.edit("subscription", Some(&one.id), Some(json!({ "lifecycle": "missed" })));
    assert_eq!(hints(&mut driver), told(MarkReason::Missed));
    driver.edit("subscription", Some(&one.id), Some(json!({ "lifecycle": "reauthorizationRequired" })));
    made(&mut driver, "2026-12-01T12:00:00", "2026-12-01T13:00:00");
    assert_eq!(hints(&mut driver), told(MarkReason::Reauthorize), "nothing else is sent until it is authorised");
    driver.subscribe(TOPIC, SubscriptionStep::Renew { id: &one.id }).unwrap();
    assert_eq!(hints(&mut driver), told(MarkReason::Hint), "what waited comes then");
    driver.edit("subscription", Some(&one.id), None);
    assert_eq!(hints(&mut driver), told(MarkReason::Removed));
    let renewed = driver.subscribe(TOPIC, SubscriptionStep::Renew { id: &one.id });
    assert!(matches!(renewed, Ok(Subscribed::Gone)), "{renewed:?}");
    let anew = registered(&mut driver);
    assert_ne!(anew.id, one.id);
}

#[test]
fn a_subscription_whose_address_gives_no_sign_is_not_kept() {
    let mut driver = driver();
    let one = registered(&mut driver);
    assert_eq!(driver.answered(404), 2);
    let probed = driver.subscribe(TOPIC, SubscriptionStep::Probe { id: &one.id });
    assert!(matches!(probed, Ok(Subscribed::Gone)), "{probed:?}");
}

#[test]
fn a_notification_comes_again_until_it_is_accepted() {
    let mut driver = driver();
    registered(&mut driver);
    assert_eq!(driver.answered(200), 2);
    made(&mut driver, "2026-12-01T12:00:00", "2026-12-01T13:00:00");
    assert_eq!(driver.answered(503), 1);
    assert_eq!(driver.answered(202), 0, "not at once");
    driver.pass(60);
    assert_eq!(driver.answered(202), 1);
    driver.pass(4 * 3600);
    assert_eq!(driver.answered(202), 0);
}
