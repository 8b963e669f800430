//! The calendars of an account, their events, the channels that tell of them, and the blocks that are written.

mod blocks;

use serde_json::{Value, json};

use hooktide_model::calendar::CalendarEvent;
use hooktide_model::notice::{Dated, What};
use hooktide_model::part;
use hooktide_model::secret::{Secret, Secrets};
use hooktide_providers::{Next, Part, Reach, Refusal, Registered, Subscribed, SubscriptionStep};

use crate::calendars::{
    EVENTS, LIST, beginning, changes, entity, event, everything, one_among_odd_ids, read_by_their_ids, unread,
};
use crate::driver::{Driver, Reading, live};

/// The main calendar of the account.
const MAIN: &str = "owner@example.com";

/// A driver that reads the main calendar.
fn driver() -> Driver {
    Driver { part: Some(MAIN.to_owned()), ..Driver::new("google-calendar") }
}

/// Makes an event in the main calendar; returns the id of its entity.
fn made(driver: &mut Driver, summary: &str) -> String {
    driver.edit("event", None, Some(json!({ "summary": summary })))
}

#[test]
fn the_calendars_are_named_by_their_own_ids_and_one_that_is_hidden_is_there_too() {
    let mut driver = Driver::new("google-calendar");
    let all = driver.read(LIST, Reach::Everything, None).unwrap();
    let named = |part: &Part| (part.id.clone(), part.name.clone(), part.is_primary == Some(true), part.is_gone);
    let holidays = "en.austrian#holiday@group.v.calendar.google.com";
    let team = all.parts.iter().find(|part| part.name == "The team").expect("its own name for it");
    assert_eq!(all.parts.len(), 3, "{all:#?}");
    for (id, name, is_primary) in [(MAIN, MAIN, true), (holidays, "Holidays in Austria", false)] {
        let found = all.parts.iter().find(|part| part.id == id).map(named);
        assert_eq!(found, Some((id.to_owned(), name.to_owned(), is_primary, false)));
    }

    let new = driver.edit("calendar", None, Some(json!({ "summary": "Choir", "timeZone": "Europe/Vienna" })));
    driver.edit("calendar", Some(&team.id), None);
    let after = driver.read(LIST, Reach::Changes, Some(&all.cursor)).unwrap();
    let mut told: Vec<(&str, bool)> = after.parts.iter().map(|part| (part.id.as_str(), part.is_gone)).collect();
    told.sort_unstable_by_key(|(_, gone)| *gone);
    assert_eq!(told, [(new.as_str(), false), (team.id.as_str(), true)]);

    // What a calendar's owner changes, no list of changes tells.
    driver.edit("calendar", Some(holidays), Some(json!({ "accessRole": "none" })));
    assert_eq!(driver.read(LIST, Reach::Changes, Some(&after.cursor)).unwrap().parts, []);
    for (id, gone) in [(holidays, true), (team.id.as_str(), true), (new.as_str(), false)] {
        let one = driver.read(LIST, Reach::One(id), None).unwrap();
        assert_eq!(one.parts.iter().map(|part| part.is_gone).collect::<Vec<_>>(), [gone], "{id}");
    }
}

#[test]
fn a_first_listing_goes_on_over_an_empty_page_and_what_changed_meanwhile_follows() {
    let mut driver = driver();
    let before = everything(&mut driver).facts.len();
    let new: Vec<String> = (0..2500).map(|number| made(&mut driver, &format!("Meeting {number}"))).collect();
    let first = driver.step(EVENTS, Reach::Everything, None).unwrap();
    assert_eq!(first.facts.len(), 2500);
    driver.edit("event", Some(&new[0]), Some(json!({ "transparency": "transparent" })));
    let Next::More(cursor) = first.next else { panic!("one page") };
    let empty = driver.step(EVENTS, Reach::Everything, Some(&cursor)).unwrap();
    let Next::More(cursor) = empty.next else { panic!("two pages") };
    assert_eq!(empty.facts, [], "and yet it goes on");
    let rest = driver.read(EVENTS, Reach::Everything, Some(&cursor)).unwrap();
    assert_eq!((rest.pages, rest.facts.len()), (1, before));
    let after = changes(&mut driver, &rest);
    assert_eq!(after.entities(), [(new[0].as_str(), true)]);
    assert!(!event(&after, &new[0]).busy);
    assert_eq!(changes(&mut driver, &after).facts, []);
}

#[test]
fn a_series_stays_whole_with_the_occurrences_that_differ_from_it() {
    let mut driver = driver();
    let all = everything(&mut driver);
    assert!(all.notices().all(|notice| notice.unread.is_empty()), "{all:#?}");
    let series = beginning(&all, "2026-11-30T08:00:00Z");
    assert_eq!(series.recurrence, ["RRULE:FREQ=WEEKLY;BYDAY=MO"]);
    assert_eq!((series.time_zone.as_deref(), series.busy), (Some("Europe/Vienna"), true));
    let moved = beginning(&all, "2026-12-08T10:00:00Z");
    assert_eq!(moved.original_start.as_deref(), Some("2026-12-07T08:00:00Z"));
    assert_eq!((moved.series.as_deref(), moved.recurrence.len()), (Some(series.id.as_str()), 0));
    let hole = event(&all, &format!("{}_20261214T080000Z", entity(series)));
    assert_eq!((hole.status.as_deref(), hole.busy, hole.start.as_deref()), (Some("cancelled"), false, None));
    assert_eq!(hole.original_start.as_deref(), Some("2026-12-14T08:00:00Z"));

    // Another occurrence is moved, and the series ends with all of them.
    let id = format!("{}_20261221T080000Z", entity(series));
    let start = json!({ "dateTime": "2026-12-22T08:00:00Z" });
    let end = json!({ "dateTime": "2026-12-22T09:00:00Z" });
    driver.edit("event", Some(&id), Some(json!({ "start": start, "end": end })));
    let after = changes(&mut driver, &all);
    assert_eq!(after.entities(), [(id.as_str(), true)]);
    assert_eq!(event(&after, &id).series.as_deref(), Some(series.id.as_str()));
    driver.edit("event", Some(&entity(series)), None);
    let ended = changes(&mut driver, &after);
    assert_eq!((ended.facts.len(), ended.entities().iter().filter(|(_, there)| *there).count()), (4, 0), "{ended:#?}");
    let series = entity(series);
    assert_eq!(ended.ended, [series.as_str()], "what is known of its occurrences goes with it");
    let source = driver.provider.source().unwrap();
    assert!(source.goes_with(&id, &series) && !source.goes_with(&series, &series));
    let one = driver.read(EVENTS, Reach::One(&series), None).unwrap();
    assert_eq!((one.entities(), &one.ended), (vec![(series.as_str(), false)], &ended.ended));
}

#[test]
fn what_takes_no_time_does_not_block_and_a_day_is_a_day_of_its_calendar() {
    let mut driver = driver();
    let all = everything(&mut driver);
    let taken = ["2026-12-02T08:30:00Z", "2026-12-03"];
    let free = ["2026-12-04T18:30:00Z", "2026-12-09T16:00:00Z", "2026-12-10", "2026-12-12"];
    for start in taken.iter().chain(&free) {
        assert_eq!(beginning(&all, start).busy, taken.contains(start), "{start}");
    }
    let fair = beginning(&all, "2026-12-03");
    assert_eq!(
        (fair.all_day, fair.time_zone.as_deref(), fair.end.as_deref()),
        (true, Some("Europe/Vienna"), Some("2026-12-06"))
    );
    let shown = format!("{all:?}");
    assert!(
        !shown.contains("Tea fair") && !shown.contains("somebody@example.com"),
        "titles and people are not asked for"
    );
}

#[test]
fn an_event_says_what_it_is_and_what_its_owner_answered() {
    let mut driver = driver();
    let all = everything(&mut driver);
    let said = |event: &CalendarEvent| {
        let text = |field: &Option<String>| field.clone().unwrap_or_else(|| "-".to_owned());
        let (response, sort, visibility) = (text(&event.response), text(&event.event_type), text(&event.visibility));
        format!("{} {} {response} {sort} {visibility}", event.busy, event.tentative)
    };
    assert_eq!(said(beginning(&all, "2026-12-09T16:00:00Z")), "false false declined default -");
    assert_eq!(said(beginning(&all, "2026-12-10")), "false false - workingLocation public");
    let [mut invited, mut perhaps] = [json!({}), json!({ "visibility": "private" })];
    for (event, response) in [(&mut invited, "needsAction"), (&mut perhaps, "tentative")] {
        event["attendees"] = json!([
            { "email": "somebody@example.com", "responseStatus": "accepted" },
            { "email": MAIN, "responseStatus": response },
        ]);
    }
    for (fields, expected) in [
        (json!({ "eventType": "outOfOffice" }), "true false - outOfOffice -"),
        (json!({ "eventType": "focusTime", "transparency": "opaque" }), "true false - focusTime -"),
        (json!({ "status": "tentative" }), "true true - default -"),
        (invited, "true true needsAction default -"),
        (perhaps, "true true tentative default private"),
    ] {
        let id = driver.edit("event", None, Some(fields));
        let one = driver.read(EVENTS, Reach::One(&id), None).unwrap();
        assert_eq!(said(event(&one, &id)), expected);
        let uid = format!("{}@google.com", part::ids_of(&id).unwrap().1);
        assert_eq!(event(&one, &id).uid, Some(uid));
    }
}

#[test]
fn titles_are_asked_for_only_where_they_are_shared() {
    let mut driver = driver();
    let id = made(&mut driver, &"Dentist ".repeat(100));
    for (shares, expected) in [(None, None), (Some(false), None), (Some(true), Some(500))] {
        driver.settings.share_titles = shares;
        for read in [everything(&mut driver), driver.read(EVENTS, Reach::One(&id), None).unwrap()] {
            let title = event(&read, &id).title.as_ref();
            assert_eq!(title.map(String::len), expected, "{shares:?}");
            assert_eq!(format!("{read:?}").contains("Dentist"), shares == Some(true));
        }
    }
}

#[test]
fn a_block_of_our_own_is_known_by_the_property_of_its_calendars_copy() {
    let mut driver = driver();
    let all = everything(&mut driver);
    let own = json!({
        "extendedProperties": { "private": { "hooktide": "7" } },
        "attendees": [{ "email": driver.edit("calendar", None, Some(json!({ "summary": "Choir" }))) }],
    });
    let choir = own["attendees"][0]["email"].as_str().unwrap().to_owned();
    let id = driver.edit("event", None, Some(own));
    let after = changes(&mut driver, &all);
    assert!(event(&after, &id).own_block && event(&after, &id).busy);
    driver.part = Some(choir.clone());
    let copy = everything(&mut driver);
    let (_, event_id) = part::ids_of(&id).unwrap();
    assert!(!event(&copy, &part::entity_id(&choir, &event_id)).own_block, "guests do not get the property");
}

#[test]
fn an_edit_and_a_deletion_are_found_and_nothing_else_is_fetched() {
    let mut driver = driver();
    let (edited, deleted) = (made(&mut driver, "Lunch"), made(&mut driver, "Dinner"));
    let all = everything(&mut driver);
    assert_eq!(changes(&mut driver, &all).facts, []);
    driver.edit("event", Some(&edited), Some(json!({ "status": "tentative" })));
    driver.edit("event", Some(&deleted), None);
    let after = changes(&mut driver, &all);
    let mut entities = after.entities();
    entities.sort_unstable_by_key(|(_, there)| *there);
    assert_eq!(entities, [(deleted.as_str(), false), (edited.as_str(), true)]);
    assert_eq!(event(&after, &edited).status.as_deref(), Some("tentative"));
    let dated: Vec<Dated> = [&deleted, &edited]
        .map(|id| after.notices().find(|notice| notice.id == **id).unwrap().dated)
        .into_iter()
        .collect();
    assert_eq!(dated, [Dated::ByReceipt, Dated::ByProvider], "a deletion has no date of Google's");
    assert_eq!(changes(&mut driver, &after).facts, []);
}

#[test]
fn a_token_that_is_no_longer_valid_or_of_another_calendar_leads_to_a_full_listing() {
    let mut driver = driver();
    let all = everything(&mut driver);
    let calendars = driver.read(LIST, Reach::Everything, None).unwrap();
    driver.part = calendars.parts.iter().find(|part| part.name == "The team").map(|part| part.id.clone());
    assert_eq!(driver.read(EVENTS, Reach::Changes, Some(&all.cursor)).unwrap_err(), Refusal::Expired);
    driver.part = Some(MAIN.to_owned());
    assert_eq!(driver.read(EVENTS, Reach::Changes, Some(r#"{"sync":"odd"}"#)).unwrap_err(), Refusal::Expired);
    changes(&mut driver, &all);
    driver.edit("tokens", None, None);
    for (resource, cursor) in [(EVENTS, &all.cursor), (LIST, &calendars.cursor)] {
        assert_eq!(driver.read(resource, Reach::Changes, Some(cursor)).unwrap_err(), Refusal::Expired, "{resource}");
    }
    let again = everything(&mut driver);
    assert_eq!(again.facts.len(), all.facts.len());
    assert_eq!(changes(&mut driver, &again).facts, []);
}

#[test]
fn a_page_that_is_no_longer_kept_lets_the_listing_start_over() {
    let mut driver = driver();
    let before = everything(&mut driver);
    (0..2600).for_each(|number| drop(made(&mut driver, &format!("Meeting {number}"))));
    for (reach, cursor, expected) in
        [(Reach::Everything, None, before.facts.len() + 2600), (Reach::Changes, Some(before.cursor.as_str()), 2600)]
    {
        let first = driver.step(EVENTS, reach, cursor).unwrap();
        let Next::More(cursor) = first.next else { panic!("one page") };
        driver.pass(3601);
        let rest = driver.read(EVENTS, reach, Some(&cursor)).unwrap();
        assert_eq!((rest.facts.len(), rest.pages), (expected, 4), "{reach:?}");
    }
}

#[test]
fn one_event_is_read_by_its_id_as_a_list_has_it() {
    let mut driver = driver();
    let all = everything(&mut driver);
    read_by_their_ids(&mut driver, &all, &["2026-12-02T08:30:00Z", "2026-12-03", "2026-12-08T10:00:00Z"]);
    let id = entity(beginning(&all, "2026-12-03"));
    driver.edit("event", Some(&id), None);
    for gone in [id.as_str(), "owner@example.com/never"] {
        let one = driver.read(EVENTS, Reach::One(gone), None).unwrap();
        assert_eq!(one.entities(), [(gone, false)]);
        assert!(one.notices().all(|notice| notice.dated == Dated::ByReceipt));
    }
    assert_eq!(driver.read(EVENTS, Reach::One("other@example.com/a"), None).unwrap_err(), Refusal::Invalid);
}

#[test]
fn what_cannot_be_used_is_sorted_by_what_to_do_next() {
    let mut driver = driver();
    let all = everything(&mut driver);
    driver.simulator.limit(Some(0));
    for round in 0..4 {
        let limited = driver.read(EVENTS, Reach::Changes, Some(&all.cursor));
        assert_eq!(limited.unwrap_err(), Refusal::Limited { after: None }, "the {round}th of Google's words for it");
    }
    driver.simulator.limit(None);
    driver.edit("scope", Some("https://www.googleapis.com/auth/calendar.events"), None);
    assert_eq!(driver.read(EVENTS, Reach::Everything, None).unwrap_err(), Refusal::Forbidden);
    assert!(driver.read(LIST, Reach::Everything, None).is_ok());
    driver.edit("domain", None, None);
    let address = driver.subscribe("calendarList", SubscriptionStep::Register);
    assert!(matches!(address, Err(Refusal::Closed(why)) if why.contains("certificate")), "{address:?}");
    driver.simulator.expire_credentials();
    assert_eq!(driver.read(EVENTS, Reach::Everything, None).unwrap_err(), Refusal::Refused);
    driver.secrets = Secrets::new(vec![live("access_token", Secret::new("wrong"))]);
    assert_eq!(driver.read(LIST, Reach::One(MAIN), None).unwrap_err(), Refusal::Refused);
    let one = Reach::One("owner@example.com/a");
    for (resource, reach) in [
        (LIST, Reach::Changes),
        (LIST, Reach::Everything),
        (EVENTS, Reach::Changes),
        (EVENTS, Reach::Everything),
        (EVENTS, one),
    ] {
        for body in ["<html>", "", "[]", "7", "null"] {
            let given = driver.given(resource, reach, None, (200, body));
            assert!(matches!(given, Err(Refusal::Unreadable(_))), "{resource} {reach:?} {body}: {given:?}");
        }
    }
    for body in [r#"{"kind":"x"}"#, r#"{"items":7,"nextSyncToken":"a"}"#, r#"{"items":[],"nextPageToken":[7]}"#] {
        let given = driver.given(EVENTS, Reach::Everything, None, (200, body));
        assert!(matches!(given, Err(Refusal::Unreadable(_))), "{body}: {given:?}");
    }
    let again = driver.given(EVENTS, Reach::Changes, Some(r#"{"page":"a"}"#), (200, r#"{"nextPageToken":"a"}"#));
    assert!(matches!(again, Err(Refusal::Unreadable("the same page again"))), "{again:?}");
}

#[test]
fn a_bent_item_costs_only_itself() {
    let driver = driver();
    let time = json!({ "dateTime": "2026-12-01T10:00:00+01:00", "timeZone": "Europe/Vienna" });
    let whole = |id: Value| json!({ "id": id, "status": "confirmed", "start": time, "end": time, "updated": "2026-11-28T12:00:00.000Z" });
    let with = |id: &str, name: &str, value: Value| {
        let mut event = whole(id.into());
        event[name] = value;
        event
    };
    let odd = vec![
        with("series", "recurringEventId", json!({ "odd": 1 })),
        with("rules", "recurrence", json!(["RRULE:FREQ=DAILY", 7.5, {}])),
        with("start", "start", json!({ "date": "2026-02-30" })),
        with("state", "status", json!([])),
        with("guests", "attendees", json!("many")),
        with("zone", "end", json!({ "dateTime": "2026-12-01T10:00:00+01:00", "timeZone": [] })),
        json!({ "id": "deleted", "status": "cancelled" }),
    ];
    let items = [one_among_odd_ids(whole), odd].concat();
    let body = json!({ "timeZone": "Europe/Vienna", "items": items, "nextSyncToken": "s" }).to_string();
    let read = Reading::of(driver.given(EVENTS, Reach::Everything, None, (200, &body)).unwrap());
    assert_eq!(
        unread(&read),
        "good[], rules[recurrence], start[start.date], state[status], guests[attendees], zone[end.timeZone], deleted[]"
    );
    assert_eq!(read.facts.iter().filter(|what| matches!(what, What::Ignored { .. })).count(), 5);
    let seen: Vec<usize> = read.seen.iter().map(String::len).collect();
    assert_eq!(seen, [MAIN.len() + 1025, MAIN.len() + 7], "they are there, so no comparison deletes them");
}

/// Opens a channel under a reference of its own.
fn opened(driver: &mut Driver, topic: &str, reference: &str) -> Registered {
    driver.reference = reference.to_owned();
    match driver.subscribe(topic, SubscriptionStep::Register).unwrap() {
        Subscribed::Active(registered) => registered,
        other => panic!("{other:?}"),
    }
}

/// What the messages that were sent meanwhile are, and about which channel.
fn told(driver: &mut Driver) -> Vec<(String, Option<String>)> {
    let told = driver.notices().expect("each is proved by its token").into_iter();
    told.map(|(topic, notices)| match &notices[0].what {
        What::Hint { resource: EVENTS, of, .. } => (topic, of.clone()),
        _ => (topic, None),
    })
    .collect()
}

#[test]
fn a_channel_is_opened_told_probed_and_stopped() {
    let mut driver = driver();
    let channel = opened(&mut driver, "events", "first");
    let week = driver.now + jiff::SignedDuration::from_hours(7 * 24);
    assert_eq!(channel.expires_at, Some(week));
    assert_eq!(told(&mut driver), [("sync".to_owned(), None)], "the handshake");
    let list = opened(&mut driver, "calendarList", "second");
    assert_eq!(told(&mut driver).len(), 1);

    let id = made(&mut driver, "Lunch");
    let hint = [("exists".to_owned(), Some("first".to_owned()))];
    assert_eq!(told(&mut driver), hint);
    driver.edit("event", Some(&id), None);
    assert_eq!(told(&mut driver), hint);
    let other = driver.edit("calendar", None, Some(json!({ "summary": "Choir" })));
    assert_eq!(told(&mut driver), [("exists".to_owned(), Some("second".to_owned()))]);
    driver.edit("event", None, Some(json!({ "summary": "Rehearsal", "calendar": other })));
    assert_eq!(told(&mut driver), [], "nobody watches that calendar");

    let probe = |driver: &mut Driver, topic: &str, id: &str| driver.subscribe(topic, SubscriptionStep::Probe { id });
    for (topic, id) in [("events", &channel.id), ("calendarList", &list.id)] {
        assert!(matches!(probe(&mut driver, topic, id), Ok(Subscribed::Active(one)) if one.id == *id), "{topic}");
    }
    for _ in 0..2 {
        let ended = driver.subscribe("events", SubscriptionStep::End { id: &channel.id });
        assert!(matches!(ended, Ok(Subscribed::Gone)), "{ended:?}");
    }
    made(&mut driver, "Dinner");
    assert_eq!(told(&mut driver), []);
}

#[test]
fn two_channels_overlap_where_one_takes_the_others_place_and_one_that_has_ended_is_silent() {
    let mut driver = driver();
    let old = opened(&mut driver, "events", "old");
    driver.pass(6 * 24 * 3600);
    let new = opened(&mut driver, "events", "new");
    told(&mut driver);
    made(&mut driver, "Lunch");
    assert_eq!(told(&mut driver).len(), 2);
    driver.pass(2 * 24 * 3600);
    let probed = driver.subscribe("events", SubscriptionStep::Probe { id: &old.id });
    assert!(matches!(probed, Ok(Subscribed::Gone)), "{probed:?}");
    let ended = driver.subscribe("events", SubscriptionStep::End { id: &old.id });
    assert!(matches!(ended, Ok(Subscribed::Gone)), "Google knows it no more: {ended:?}");
    made(&mut driver, "Dinner");
    assert_eq!(told(&mut driver), [("exists".to_owned(), Some("new".to_owned()))]);
    driver.pass(6 * 24 * 3600);
    made(&mut driver, "Supper");
    assert_eq!((told(&mut driver), new.expires_at < Some(driver.now)), (Vec::new(), true));
}

#[test]
fn a_channel_whose_answer_was_lost_is_not_opened_twice() {
    let mut driver = driver();
    opened(&mut driver, "events", "only");
    let again = opened(&mut driver, "events", "only");
    assert!(again.id.starts_with("only/"), "{again:?}");
    made(&mut driver, "Lunch");
    assert_eq!(told(&mut driver).len(), 2, "the handshake, and one message");
}

#[test]
fn a_channel_whose_answer_was_lost_is_ended_by_what_its_messages_say() {
    let mut driver = driver();
    opened(&mut driver, "events", "only");
    let known = opened(&mut driver, "events", "only").id;
    told(&mut driver);
    let facet = driver.provider.subscriptions().unwrap();
    assert!(!facet.is_whole(&known), "nobody knows what it watches: {known}");
    made(&mut driver, "Lunch");
    let messages = driver.notices().unwrap();
    let What::Hint { subscription: Some(id), .. } = &messages[0].1[0].what else { panic!("{messages:?}") };
    assert!(facet.is_whole(id) && id.starts_with("only/"), "{id}");
    let ended = driver.subscribe("events", SubscriptionStep::End { id });
    assert!(matches!(ended, Ok(Subscribed::Gone)), "{ended:?}");
    made(&mut driver, "Dinner");
    assert_eq!(told(&mut driver), []);
}

#[test]
fn nothing_is_sent_about_the_calendars_that_google_makes_itself() {
    let mut driver = driver();
    driver.part = Some("en.austrian#holiday@group.v.calendar.google.com".to_owned());
    let asked = driver.subscribe("events", SubscriptionStep::Register);
    assert!(matches!(asked, Ok(Subscribed::Unsupported)), "{asked:?}");
    assert!(driver.read(EVENTS, Reach::Everything, None).is_ok(), "they are read all the same");
}

#[test]
fn a_calendar_that_is_gone_says_so_and_ends_its_channel() {
    let mut driver = driver();
    driver.part = Some(driver.edit("calendar", None, Some(json!({ "summary": "Choir" }))));
    let channel = opened(&mut driver, "events", "choir");
    told(&mut driver);
    let calendar = driver.part.clone().unwrap();
    driver.edit("calendar", Some(&calendar), None);
    assert_eq!(told(&mut driver), [("not_exists".to_owned(), Some("choir".to_owned()))]);
    let probed = driver.subscribe("events", SubscriptionStep::Probe { id: &channel.id });
    assert!(matches!(probed, Ok(Subscribed::Disabled(_))), "{probed:?}");
    assert_eq!(driver.read(EVENTS, Reach::Everything, None).unwrap_err(), Refusal::Invalid);
    assert_eq!(driver.subscribe("events", SubscriptionStep::Register).unwrap_err(), Refusal::Invalid);
}

#[test]
fn a_message_comes_again_after_a_passing_trouble_only() {
    let mut driver = driver();
    opened(&mut driver, "events", "first");
    assert_eq!(driver.answered(503), 1);
    assert_eq!(driver.answered(503), 0, "not at once");
    driver.pass(10);
    assert_eq!(told(&mut driver), [("sync".to_owned(), None)]);
    made(&mut driver, "Lunch");
    assert_eq!(driver.answered(404), 1);
    driver.pass(3600);
    assert_eq!(driver.answered(200), 0, "what is refused for good is lost");
}

#[test]
fn what_is_asked_stays_within_the_scopes_that_the_owner_consents_to() {
    let mut driver = driver();
    let all = everything(&mut driver);
    let id = entity(beginning(&all, "2026-12-03"));
    driver.read(EVENTS, Reach::One(&id), None).unwrap();
    driver.read(LIST, Reach::One(MAIN), None).unwrap();
    driver.read(LIST, Reach::Everything, None).unwrap();
    for topic in ["events", "calendarList"] {
        let channel = opened(&mut driver, topic, topic);
        driver.subscribe(topic, SubscriptionStep::Probe { id: &channel.id }).unwrap();
        driver.subscribe(topic, SubscriptionStep::End { id: &channel.id }).unwrap();
    }
    let state = driver.simulator.state();
    let calls: Vec<&str> = state["calls"].as_object().unwrap().keys().map(String::as_str).collect();
    let of_list = ["GET users/me/calendarList", "GET users/me/calendarList/{id}", "POST users/me/calendarList/watch"];
    let of_events = ["GET calendars/{id}/events", "GET calendars/{id}/events/{id}", "POST calendars/{id}/events/watch"];
    let within = |call: &&str| of_list.contains(call) || of_events.contains(call) || *call == "POST channels/stop";
    assert!(calls.len() == 7 && calls.iter().all(within), "{calls:?}");
}
