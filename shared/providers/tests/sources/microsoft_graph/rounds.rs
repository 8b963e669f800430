//! Rounds: what a window has, what changed in it since, and how it rolls.

use serde_json::json;

use hooktide_model::notice::{Dated, State};
use hooktide_model::part;
use hooktide_providers::{Next, Reach, Refusal};

use super::*;

#[test]
fn the_calendars_are_named_and_the_default_one_is_the_main_one() {
    let mut driver = driver();
    let all = driver.read(LIST, Reach::Everything, None).unwrap();
    let mut named: Vec<(&str, bool)> =
        all.parts.iter().map(|part| (part.name.as_str(), part.is_primary == Some(true))).collect();
    named.sort_unstable();
    assert_eq!(named, [("Calendar", true), ("Holidays in Austria", false), ("Team", false)]);
    let choir = driver.edit("calendar", None, Some(json!({ "name": "Choir" })));
    let again = driver.read(LIST, Reach::Changes, Some(&all.cursor)).unwrap();
    assert_eq!(again.parts.len(), 4, "each reading has all of them");
    let one = driver.read(LIST, Reach::One(&choir), None).unwrap();
    assert_eq!((one.parts[0].name.as_str(), one.parts[0].is_gone), ("Choir", false));
    driver.edit("calendar", Some(&choir), None);
    let gone = driver.read(LIST, Reach::One(&choir), None).unwrap();
    assert!(gone.parts[0].is_gone, "{gone:?}");
    (0..150).for_each(|number| drop(driver.edit("calendar", None, Some(json!({ "name": format!("{number}") })))));
    let many = driver.read(LIST, Reach::Everything, None).unwrap();
    assert_eq!((many.parts.len(), many.pages), (153, 2));
}

#[test]
fn a_window_is_read_with_what_takes_time_and_what_does_not() {
    let mut driver = driver();
    let all = everything(&mut driver);
    assert_eq!(events(&all).len(), 8, "what is long past is not in it: {all:#?}");
    for (start, end, all_day, busy, tentative, status) in [
        ("2026-12-02T08:30:00Z", "2026-12-02T09:15:00Z", false, true, false, "busy"),
        ("2026-12-03", "2026-12-06", true, true, false, "oof"),
        ("2026-12-04T18:30:00Z", "2026-12-04T21:00:00Z", false, false, false, "free"),
        ("2026-12-09T16:00:00Z", "2026-12-09T17:00:00Z", false, false, false, "busy"),
        ("2026-12-09T18:00:00Z", "2026-12-09T19:00:00Z", false, true, true, "tentative"),
        ("2026-12-11T08:00:00Z", "2026-12-11T09:00:00Z", false, false, false, "cancelled"),
        ("2026-12-10", "2026-12-11", true, false, false, "workingElsewhere"),
    ] {
        let event = beginning(&all, start);
        assert_eq!((event.end.as_deref(), event.all_day), (Some(end), all_day), "{start}");
        assert_eq!((event.busy, event.tentative, event.status.as_deref()), (busy, tentative, Some(status)), "{start}");
        assert_eq!((event.title.as_deref(), event.own_block), (None, false), "{start}");
        assert!(event.uid.is_some() && event.occurrences.is_empty() && event.series.is_none(), "{start}");
    }
    assert_eq!(beginning(&all, "2026-12-02T08:30:00Z").visibility.as_deref(), Some("private"));
    assert_eq!(beginning(&all, "2026-12-09T16:00:00Z").response.as_deref(), Some("declined"));
    assert!(all.notices().all(|notice| notice.unread.is_empty() && notice.dated == Dated::ByProvider), "{all:#?}");
}

#[test]
fn a_series_is_one_entity_with_its_occurrences_in_the_window() {
    let mut driver = driver();
    let all = everything(&mut driver);
    let series = beginning(&all, "2026-11-30T08:00:00Z");
    assert_eq!((series.event_type.as_deref(), series.recurrence.len(), series.busy), (Some("seriesMaster"), 0, true));
    let expected = [
        "2026-11-30T08:00:00Z",
        // One is on another day, and one does not take place.
        "2026-12-08T10:00:00Z",
        "2026-12-21T08:00:00Z",
        "2026-12-28T08:00:00Z",
        "2027-01-04T08:00:00Z",
        "2027-01-11T08:00:00Z",
        "2027-01-18T08:00:00Z",
        "2027-01-25T08:00:00Z",
    ];
    assert_eq!(starts(series), expected);
    assert!(series.occurrences.iter().all(|one| one.busy && !one.tentative && one.original_start.is_none()));
    let id = entity(series);
    driver.edit("occurrence", Some(&occurrence(&id, "2026-12-21")), Some(json!({ "showAs": "free" })));
    driver.edit("occurrence", Some(&occurrence(&id, "2026-12-28")), None);
    let read = changes(&mut driver, &all);
    let series = event(&read, &id);
    assert_eq!(read.entities(), [(id.as_str(), true)]);
    assert_eq!(starts(series).len(), expected.len() - 1);
    let free: Vec<_> = series.occurrences.iter().filter(|one| !one.busy).map(|one| one.start.as_deref()).collect();
    assert_eq!(free, [Some("2026-12-21T08:00:00Z")]);
    assert_eq!(event(&everything(&mut driver), &id), series, "a fresh round says the same");
    driver.edit("event", Some(&id), Some(json!({ "showAs": "free" })));
    let read = changes(&mut driver, &read);
    assert!(event(&read, &id).occurrences.iter().all(|one| !one.busy), "what they do not say, the series does");
    driver.edit("event", Some(&id), None);
    assert_eq!(changes(&mut driver, &read).entities(), [(id.as_str(), false)]);
}

#[test]
fn what_changed_is_read_since_the_last_round() {
    let mut driver = driver();
    let all = everything(&mut driver);
    assert_eq!(changes(&mut driver, &all).facts, []);
    let id = made(&mut driver, "2026-12-01T12:00:00", "2026-12-01T13:00:00");
    let read = changes(&mut driver, &all);
    assert_eq!(event(&read, &id).start.as_deref(), Some("2026-12-01T12:00:00Z"));
    assert!(read.notices().all(|notice| notice.occurred_at.is_some()), "it is news");
    driver.edit("event", Some(&id), Some(json!({ "end": time("2026-12-01T14:00:00") })));
    let read = changes(&mut driver, &read);
    assert_eq!(event(&read, &id).end.as_deref(), Some("2026-12-01T14:00:00Z"));
    // Out of the window, and back.
    let far = json!({ "start": time("2027-06-01T12:00:00"), "end": time("2027-06-01T13:00:00") });
    driver.edit("event", Some(&id), Some(far));
    let read = changes(&mut driver, &read);
    assert_eq!(read.entities(), [(id.as_str(), false)]);
    let near = json!({ "start": time("2026-12-02T12:00:00"), "end": time("2026-12-02T13:00:00") });
    driver.edit("event", Some(&id), Some(near));
    let read = changes(&mut driver, &read);
    assert_eq!(read.entities(), [(id.as_str(), true)]);
    driver.edit("event", Some(&id), None);
    let read = changes(&mut driver, &read);
    assert_eq!(read.entities(), [(id.as_str(), false)]);
    assert!(read.notices().all(|notice| notice.dated == Dated::ByReceipt));
    assert_eq!(changes(&mut driver, &read).facts, []);
}

#[test]
fn an_event_that_is_moved_to_another_calendar_ends_in_one_and_keeps_its_id_in_the_other() {
    let mut driver = driver();
    let (main, team) = (driver.part.clone(), calendar(&mut driver, "Team"));
    let id = made(&mut driver, "2026-12-01T12:00:00", "2026-12-01T13:00:00");
    let here = everything(&mut driver);
    driver.part = Some(team.clone());
    let there = everything(&mut driver);
    driver.edit("event", Some(&id), Some(json!({ "calendar": team })));
    let moved = part::entity_id(&team, &part::ids_of(&id).unwrap().1);
    assert_eq!(changes(&mut driver, &there).entities(), [(moved.as_str(), true)]);
    assert_eq!(driver.read(EVENTS, Reach::One(&moved), None).unwrap().entities(), [(moved.as_str(), true)]);
    driver.part = main;
    assert_eq!(changes(&mut driver, &here).entities(), [(id.as_str(), false)]);
    assert_eq!(driver.read(EVENTS, Reach::One(&id), None).unwrap().entities(), [(id.as_str(), false)]);
}

#[test]
fn titles_are_kept_only_where_the_connection_shares_them() {
    let mut driver = driver();
    driver.settings.share_titles = Some(true);
    let all = everything(&mut driver);
    let dentist = beginning(&all, "2026-12-02T08:30:00Z");
    assert_eq!(dentist.title.as_deref(), Some("Dentist"));
    let id = entity(dentist);
    let one = driver.read(EVENTS, Reach::One(&id), None).unwrap();
    assert_eq!(event(&one, &id), dentist);
    driver.settings.share_titles = Some(false);
    let bare = driver.read(EVENTS, Reach::One(&id), None).unwrap();
    assert_eq!(event(&bare, &id).title, None);
}

#[test]
fn a_large_window_comes_in_pages_and_what_a_page_repeats_is_the_same() {
    let mut driver = driver();
    let before = everything(&mut driver);
    (0..450).for_each(|_| drop(made(&mut driver, "2026-12-01T12:00:00", "2026-12-01T13:00:00")));
    let all = everything(&mut driver);
    let ids: std::collections::BTreeSet<&str> = all.entities().into_iter().map(|(id, _)| id).collect();
    assert_eq!((ids.len(), all.pages), (events(&before).len() + 450, 5));
    let read = changes(&mut driver, &before);
    assert_eq!((read.entities().len() >= 450, read.pages), (true, 5));
}

#[test]
fn a_series_of_which_pages_have_parts_is_asked_for_as_a_whole() {
    let mut driver = driver();
    let before = everything(&mut driver);
    let more: Vec<String> = (0..7).map(|_| made_series(&mut driver)).collect();
    let whole = changes(&mut driver, &before);
    driver.edit("delta", Some("splits"), Some(json!({ "splits": true })));
    for reach in [Reach::Everything, Reach::Changes] {
        let cursor = (reach == Reach::Changes).then_some(before.cursor.as_str());
        let split = driver.read(EVENTS, reach, cursor).unwrap();
        assert!(split.pages > whole.pages, "{reach:?}: {}", split.pages);
        for id in &more {
            assert_eq!(event(&split, id), event(&whole, id), "{reach:?}");
            assert_eq!(starts(event(&split, id)).len(), 4);
        }
        assert_eq!(changes(&mut driver, &split).facts, [], "{reach:?}");
    }
}

#[test]
fn the_window_rolls_once_it_is_old_and_what_was_deleted_meanwhile_is_known() {
    let mut driver = driver();
    let late = made(&mut driver, "2027-02-01T12:00:00", "2027-02-01T13:00:00");
    let soon = made(&mut driver, "2026-12-01T12:00:00", "2026-12-01T13:00:00");
    let all = everything(&mut driver);
    assert!(all.entities().iter().all(|(id, _)| *id != late), "it is beyond the window");
    driver.pass(20 * 3600);
    assert_eq!(changes(&mut driver, &all).facts, [], "the window serves for two days");
    driver.edit("event", Some(&soon), None);
    driver.pass(24 * 3600);
    let rolled = changes(&mut driver, &all);
    let entities = rolled.entities();
    assert!(entities.contains(&(late.as_str(), true)) && entities.contains(&(soon.as_str(), false)), "{entities:?}");
    let notice = rolled.notices().find(|notice| notice.id == late).unwrap();
    assert_eq!(notice.occurred_at, None, "that it is in the window is no news of it");
    assert_eq!(changes(&mut driver, &rolled).facts, []);
    // A fresh listing has the same window.
    let fresh = everything(&mut driver);
    let there = |reading: &Reading| {
        let mut all: Vec<String> = events(reading).into_iter().map(entity).collect();
        all.sort();
        all
    };
    assert_eq!(there(&rolled), there(&fresh));
}

#[test]
fn what_has_passed_out_of_the_window_is_not_there_any_more() {
    let mut driver = driver();
    let series = made_series(&mut driver);
    let all = everything(&mut driver);
    let dentist = entity(beginning(&all, "2026-12-02T08:30:00Z"));
    driver.pass(8 * 24 * 3600);
    for (id, expected) in [(&dentist, false), (&series, true)] {
        let one = driver.read(EVENTS, Reach::One(id), None).unwrap();
        assert_eq!(one.entities(), [(id.as_str(), expected)]);
    }
    driver.pass(30 * 24 * 3600);
    let one = driver.read(EVENTS, Reach::One(&series), None).unwrap();
    assert_eq!(one.entities(), [(series.as_str(), false)], "none of its occurrences is ahead");
    assert!(everything(&mut driver).entities().iter().all(|(id, _)| *id != series && *id != dentist));
}

#[test]
fn a_cursor_that_leads_nowhere_has_expired_and_a_page_that_does_lets_the_round_begin_anew() {
    let mut driver = driver();
    let all = everything(&mut driver);
    driver.edit("tokens", None, None);
    assert_eq!(driver.read(EVENTS, Reach::Changes, Some(&all.cursor)).unwrap_err(), Refusal::Expired);
    (0..250).for_each(|_| drop(made(&mut driver, "2026-12-01T12:00:00", "2026-12-01T13:00:00")));
    let first = driver.step(EVENTS, Reach::Everything, None).unwrap();
    let Next::More(cursor) = first.next else { panic!("one page") };
    driver.edit("tokens", None, None);
    let rest = driver.read(EVENTS, Reach::Everything, Some(&cursor)).unwrap();
    assert!(rest.entities().len() >= 258 && rest.pages == 4, "{}", rest.pages);
}

#[test]
fn one_event_is_read_by_its_id_as_a_round_has_it() {
    let mut driver = driver();
    let all = everything(&mut driver);
    read_by_their_ids(&mut driver, &all, &["2026-12-02T08:30:00Z", "2026-12-03", "2026-11-30T08:00:00Z"]);
    let series = entity(beginning(&all, "2026-11-30T08:00:00Z"));
    let id = entity(beginning(&all, "2026-12-03"));
    driver.edit("event", Some(&id), None);
    let never = part::entity_id(driver.part.as_deref().unwrap(), "never");
    // An occurrence is nothing by itself.
    for gone in [id, never, occurrence(&series, "2026-12-21")] {
        let one = driver.read(EVENTS, Reach::One(&gone), None).unwrap();
        assert_eq!(one.entities(), [(gone.as_str(), false)]);
        assert!(one.notices().all(|notice| notice.state == State::Deleted && notice.dated == Dated::ByReceipt));
    }
    assert_eq!(driver.read(EVENTS, Reach::One("other/a"), None).unwrap_err(), Refusal::Invalid);
}
