//! The calendars of a CalDAV server, their events, and blocks in them.

use jiff::Timestamp;
use serde_json::{Value, json};

use hooktide_model::notice::ContentHash;
use hooktide_model::part;
use hooktide_providers::{Ask, Block, Moment, Next, Part, Reach, Refusal, There, WriteStep, WriteTask, Written};

use crate::calendars::{EVENTS, LIST, event, everything};
use crate::driver::{Driver, Reading};

/// A server that keeps everything at one host.
const PLAIN: &str = "http://127.0.0.1:5232";
/// A server that keeps accounts at other hosts.
const SPREAD: &str = "https://dav.example.com";

fn at(url: &str) -> Driver {
    let mut driver = Driver::new("caldav");
    driver.settings.url = Some(url.to_owned());
    driver
}

fn calendars(driver: &mut Driver) -> Vec<Part> {
    driver.read(LIST, Reach::Everything, None).unwrap().parts
}

/// A driver that reads the calendar of that name.
fn reading(url: &str, name: &str) -> Driver {
    let mut driver = at(url);
    let part = calendars(&mut driver).into_iter().find(|part| part.name == name).expect("a calendar");
    driver.part = Some(part.id);
    driver
}

fn changes(driver: &mut Driver, since: &Reading) -> Result<Reading, Refusal> {
    driver.read(EVENTS, Reach::Changes, Some(&since.cursor))
}

/// Makes an event in the calendar that is read; returns the id of its entity.
fn made(driver: &mut Driver, mut fields: Value) -> String {
    let calendar = driver.part.clone().expect("a calendar");
    fields["calendar"] = calendar.into();
    driver.edit("event", None, Some(fields))
}

fn habit(driver: &mut Driver, name: &str) {
    driver.edit("habit", Some(name), Some(json!({})));
}

#[test]
fn calendars_are_found_wherever_the_search_begins_and_tasks_are_none() {
    for url in
        [PLAIN, SPREAD, "https://dav.example.com/", "https://dav.example.com/nowhere/", "http://127.0.0.1:5232/x"]
    {
        let mut driver = at(url);
        let mut parts = calendars(&mut driver);
        parts.sort_by(|one, other| one.name.cmp(&other.name));
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["Home", "Work & more"], "{url}");
        let below = if url.contains("dav.example.com") { "https://p07-dav.example.com/" } else { "/" };
        assert!(parts.iter().all(|part| part.id.starts_with(below) && !part.is_gone), "{parts:#?}");
    }
}

#[test]
fn the_address_of_one_calendar_means_that_calendar_alone() {
    let mut driver = at(PLAIN);
    let home = calendars(&mut driver).into_iter().find(|part| part.name == "Home").unwrap();
    driver.settings.url = Some(format!("{PLAIN}{}", home.id));
    let all = driver.read(LIST, Reach::Everything, None).unwrap();
    assert_eq!(all.parts, [Part { is_primary: Some(true), ..home }]);
    assert_eq!(driver.read(LIST, Reach::Changes, Some(&all.cursor)).unwrap().parts, all.parts);
}

#[test]
fn the_main_calendar_is_the_one_that_the_server_names() {
    for url in [PLAIN, SPREAD] {
        let mut driver = at(url);
        let mains = |parts: Vec<Part>| parts.into_iter().map(|part| (part.name, part.is_primary)).collect::<Vec<_>>();
        let named = |home, work| vec![("Home".to_owned(), home), ("Work & more".to_owned(), work)];
        let all = driver.read(LIST, Reach::Everything, None).unwrap();
        assert_eq!(mains(all.parts), named(Some(true), Some(false)), "{url}");
        habit(&mut driver, "no-main");
        let again = driver.read(LIST, Reach::Changes, Some(&all.cursor)).unwrap();
        assert_eq!(mains(again.parts), named(Some(true), Some(false)), "{url}: it is remembered");
        assert_eq!(mains(calendars(&mut driver)), named(None, None), "{url}");
    }
}

#[test]
fn a_list_of_calendars_is_read_anew_from_where_they_were_found() {
    let mut driver = at(SPREAD);
    let all = driver.read(LIST, Reach::Everything, None).unwrap();
    let new = driver.edit("calendar", None, Some(json!({ "name": "Choir" })));
    let after = driver.read(LIST, Reach::Changes, Some(&all.cursor)).unwrap();
    assert_eq!((after.pages, after.parts.len()), (1, 3));
    let choir = after.parts.iter().find(|part| part.name == "Choir").unwrap().clone();
    assert!(choir.id.ends_with(&new), "{choir:?}");
    driver.edit("calendar", Some(&choir.id), None);
    let gone = driver.read(LIST, Reach::One(&choir.id), None).unwrap();
    assert_eq!(
        gone.parts.iter().map(|part| (part.id.as_str(), part.is_gone)).collect::<Vec<_>>(),
        [(choir.id.as_str(), true)]
    );
    let there = driver.read(LIST, Reach::One(&all.parts[0].id), None).unwrap();
    assert_eq!(
        there.parts.iter().map(|part| (&part.id, part.is_gone)).collect::<Vec<_>>(),
        [(&all.parts[0].id, false)]
    );
}

#[test]
fn a_calendar_is_read_whole_and_then_by_its_changes() {
    for url in [PLAIN, SPREAD] {
        let mut driver = reading(url, "Home");
        habit(&mut driver, "whole-addresses");
        let all = everything(&mut driver);
        assert_eq!((all.facts.len(), all.entities().len(), &all.seen[..]), (4, 4, &[][..]), "{all:#?}");
        let calendar = driver.part.clone().unwrap();
        let yoga = part::entity_id(&calendar, "yoga on fridays@home.ics");
        let series = event(&all, &yoga);
        assert_eq!((series.id.as_str(), series.calendar.as_str()), ("yoga on fridays@home.ics", calendar.as_str()));
        assert_eq!((&series.recurrence[..], series.occurrences.len()), (&["RRULE:FREQ=WEEKLY".to_owned()][..], 1));
        assert_eq!(series.occurrences[0].start.as_deref(), Some("2026-12-12T17:00:00Z"));
        assert_eq!((series.title.as_deref(), series.busy), (None, true));
        assert_eq!(changes(&mut driver, &all).unwrap().facts, []);

        let new = made(&mut driver, json!({ "DTSTART": "20261215T090000Z", "DTEND": "20261215T100000Z" }));
        driver.edit("event", Some(&yoga), Some(json!({ "TRANSP": "TRANSPARENT" })));
        let after = changes(&mut driver, &all).unwrap();
        let mut told = after.entities();
        told.sort_unstable();
        let mut expected = [(new.as_str(), true), (yoga.as_str(), true)];
        expected.sort_unstable();
        assert_eq!(told, expected);
        assert_eq!(
            (event(&after, &new).start.as_deref(), event(&after, &yoga).busy),
            (Some("2026-12-15T09:00:00Z"), false)
        );
        driver.edit("event", Some(&new), None);
        let gone = changes(&mut driver, &after).unwrap();
        assert_eq!(gone.entities(), [(new.as_str(), false)]);
        for (id, there) in [(&new, false), (&yoga, true)] {
            let one = driver.read(EVENTS, Reach::One(id), None).unwrap();
            assert_eq!(one.entities(), [(id.as_str(), there)]);
        }
        driver.settings.share_titles = Some(true);
        let one = driver.read(EVENTS, Reach::One(&yoga), None).unwrap();
        assert_eq!(event(&one, &yoga).title.as_deref(), Some("Yoga"));
    }
}

#[test]
fn what_is_touched_and_says_the_same_has_the_same_content() {
    let mut driver = reading(PLAIN, "Home");
    let all = everything(&mut driver);
    let id = all.entities()[0].0.to_owned();
    driver.pass(60);
    driver.edit("event", Some(&id), Some(json!({ "X-CLIENT": "touched" })));
    let after = changes(&mut driver, &all).unwrap();
    let content = |reading: &Reading| ContentHash::of(reading.document(&id), &[]).unwrap();
    assert_eq!((after.entities(), content(&after)), (vec![(id.as_str(), true)], content(&all)));
}

#[test]
fn many_events_are_read_in_parts_and_changes_that_are_cut_off_go_on() {
    let mut driver = reading(SPREAD, "Work & more");
    let mut ids: Vec<String> = (0..700).map(|_| made(&mut driver, json!({ "SUMMARY": "Meeting" }))).collect();
    let all = everything(&mut driver);
    let mut listed: Vec<&str> = all.entities().into_iter().map(|(id, _)| id).collect();
    listed.sort_unstable();
    listed.dedup();
    ids.sort_unstable();
    assert_eq!((listed.len(), all.facts.len()), (700, 700));
    assert!(listed.iter().eq(ids.iter()), "each once");
    assert!(all.pages >= 16, "{} pages", all.pages);

    for id in &ids[..90] {
        driver.edit("event", Some(id), Some(json!({ "SUMMARY": "Moved" })));
    }
    for id in &ids[90..100] {
        driver.edit("event", Some(id), None);
    }
    let after = changes(&mut driver, &all).unwrap();
    let there = after.entities().iter().filter(|(_, there)| *there).count();
    assert_eq!((there, after.entities().len()), (90, 100));
    assert_eq!(changes(&mut driver, &after).unwrap().facts, []);
}

#[test]
fn a_token_that_is_refused_has_expired_however_the_server_says_it() {
    for habits in [&[][..], &["odd-refusals"]] {
        let mut driver = reading(PLAIN, "Home");
        let all = everything(&mut driver);
        habits.iter().for_each(|name| habit(&mut driver, name));
        driver.edit("tokens", None, None);
        assert_eq!(changes(&mut driver, &all).unwrap_err(), Refusal::Expired, "{habits:?}");
        let again = everything(&mut driver);
        assert_eq!(changes(&mut driver, &again).unwrap().facts, []);
    }
    let mut driver = reading(PLAIN, "Home");
    let all = everything(&mut driver);
    for (status, expected) in [
        (400, Refusal::Expired),
        (401, Refusal::Refused),
        (403, Refusal::Expired),
        (409, Refusal::Expired),
        (410, Refusal::Expired),
        (429, Refusal::Limited { after: None }),
        (500, Refusal::Expired),
        (503, Refusal::Unavailable { after: None }),
    ] {
        let given = driver.given(EVENTS, Reach::Changes, Some(&all.cursor), (status, ""));
        assert_eq!(given.unwrap_err(), expected, "{status}");
    }
}

#[test]
fn a_server_without_tokens_is_read_whole_when_anything_changed() {
    let mut driver = reading(PLAIN, "Home");
    habit(&mut driver, "no-sync");
    let all = everything(&mut driver);
    let same = changes(&mut driver, &all).unwrap();
    assert_eq!((same.facts.len(), same.pages), (0, 1));
    made(&mut driver, json!({}));
    assert_eq!(changes(&mut driver, &same).unwrap_err(), Refusal::Expired);
    habit(&mut driver, "no-ctag");
    let all = everything(&mut driver);
    assert_eq!(all.facts.len(), 5);
    assert_eq!(changes(&mut driver, &all).unwrap_err(), Refusal::Expired, "nothing says that it is the same");
}

#[test]
fn one_odd_event_spoils_no_other() {
    let mut driver = reading(PLAIN, "Home");
    let odd = made(&mut driver, json!({ "text": "BEGIN:VCALENDAR\r\nnonsense" }));
    let all = everything(&mut driver);
    assert_eq!((all.entities().len(), all.facts.len(), &all.seen[..]), (4, 5, &[odd.clone()][..]), "{all:#?}");
    driver.edit("event", Some(&odd), Some(json!({ "text": "nonsense" })));
    let after = changes(&mut driver, &all).unwrap();
    assert_eq!((after.entities().len(), after.seen), (0, vec![odd.clone()]));
    driver.edit("event", Some(&odd), None);
    assert_eq!(
        changes(&mut driver, &Reading { cursor: after.cursor, ..Reading::default() }).unwrap().entities(),
        [(odd.as_str(), false)]
    );
}

#[test]
fn what_cannot_be_used_is_sorted_by_what_to_do_next() {
    let mut driver = reading(PLAIN, "Home");
    for resource in [LIST, EVENTS] {
        for body in ["<html>", "", "{}", "<multistatus/>"] {
            if resource == EVENTS {
                let given = driver.given(resource, Reach::Everything, None, (207, body));
                assert!(matches!(given, Err(Refusal::Unreadable(_))), "{resource} {body}: {given:?}");
            }
        }
        let given = driver.given(resource, Reach::Everything, None, (401, ""));
        assert_eq!(given.unwrap_err(), Refusal::Refused);
        let given = driver.given(resource, Reach::Everything, None, (503, ""));
        assert_eq!(given.unwrap_err(), Refusal::Unavailable { after: None });
    }
    driver.simulator.limit(Some(0));
    assert!(matches!(driver.read(EVENTS, Reach::Everything, None), Err(Refusal::Limited { after: Some(_) })));
    driver.simulator.limit(None);
    driver.simulator.expire_credentials();
    assert_eq!(driver.read(LIST, Reach::Everything, None).unwrap_err(), Refusal::Refused);
    // A server that is none of calendars, after all places were looked at.
    let mut cursor = None;
    let refused = loop {
        match driver.given(LIST, Reach::Everything, cursor.as_deref(), (404, "")) {
            Ok(page) => match page.next {
                Next::More(next) => cursor = Some(next),
                Next::Done(_) => panic!("nothing was found"),
            },
            Err(refusal) => break refusal,
        }
    };
    assert!(matches!(refused, Refusal::Closed(why) if why.contains("`url`")), "{refused:?}");
    driver.part = Some("https://evil.example/1/".to_owned());
    assert_eq!(driver.read(EVENTS, Reach::Everything, None).unwrap_err(), Refusal::Invalid, "nothing is asked there");
}

/// Takes a step of a block in the calendar that is read.
fn write(driver: &mut Driver, step: &WriteStep<'_>) -> Result<Written, Refusal> {
    let target = driver.provider.target().unwrap();
    let (settings, calendar, url) =
        (driver.settings.clone(), driver.part.clone().unwrap(), driver.settings.url.clone().unwrap());
    let task = WriteTask {
        account: Some(driver.provider.profile().sample_account),
        settings: &settings,
        calendar: &calendar,
        api: &url,
        now: driver.now,
    };
    let Ask::Http(request) = target.ask(&task, step);
    let request = driver.provider.api().unwrap().authorise(request, &driver.secrets, driver.now).expect("credentials");
    let answer = driver.simulator.answer(&request, driver.now);
    target.read(&task, step, &answer)
}

fn block(day: u8) -> Block {
    let at = |hour: u8| Moment::At(format!("2026-12-{day:02}T{hour:02}:00:00Z").parse::<Timestamp>().unwrap());
    Block {
        key: "hooktide0123456789abcdefghijklmnopqrstuv".to_owned(),
        start: at(9),
        end: at(10),
        title: "Busy".to_owned(),
    }
}

fn there(written: Result<Written, Refusal>) -> There {
    match written {
        Ok(Written::There(there)) => there,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_block_is_made_once_changed_if_nobody_else_did_and_removed() {
    for (url, etags) in [(PLAIN, true), (SPREAD, false)] {
        let mut driver = reading(url, "Work & more");
        if etags {
            habit(&mut driver, "etag-on-put");
        }
        let first = block(1);
        let look = WriteStep::Look { id: None, block: &first };
        assert_eq!(write(&mut driver, &look), Ok(Written::Gone));
        let made = write(&mut driver, &WriteStep::Create(&first));
        // A server that does not say what it kept has to be asked.
        assert_eq!(made == Ok(Written::Taken), !etags, "{made:?}");
        assert_eq!(write(&mut driver, &WriteStep::Create(&first)), Ok(Written::Taken));
        let looked = there(write(&mut driver, &look));
        assert!(looked.is_as_wanted && looked.etag.is_some(), "{looked:?}");
        assert!(!etags || made == Ok(Written::There(looked.clone())));

        let all = everything(&mut driver);
        let entity = part::entity_id(driver.part.as_deref().unwrap(), &looked.id);
        let found = event(&all, &entity);
        assert!(found.own_block && found.busy && found.title.is_none(), "{found:?}");
        assert_eq!(found.uid.as_deref(), Some(first.key.as_str()));

        let second = block(2);
        let change = WriteStep::Change { id: &looked.id, etag: looked.etag.as_deref(), block: &second };
        let changed = write(&mut driver, &change);
        assert_eq!(changed == Ok(Written::Changed), !etags, "{changed:?}");
        assert_eq!(write(&mut driver, &change), Ok(Written::Changed), "by ourselves, meanwhile");
        let id = Some(looked.id.as_str());
        assert!(!there(write(&mut driver, &WriteStep::Look { id, block: &first })).is_as_wanted);
        let looked = there(write(&mut driver, &WriteStep::Look { id, block: &second }));
        assert!(looked.is_as_wanted);

        driver.edit("event", Some(&entity), Some(json!({ "TRANSP": "TRANSPARENT" })));
        let etag = looked.etag.as_deref();
        assert_eq!(write(&mut driver, &WriteStep::Remove { id: &looked.id, etag }), Ok(Written::Changed));
        assert!(!there(write(&mut driver, &WriteStep::Look { id, block: &second })).is_as_wanted, "it is free now");
        for _ in 0..2 {
            assert_eq!(write(&mut driver, &WriteStep::Remove { id: &looked.id, etag: None }), Ok(Written::Gone));
        }
        assert_eq!(write(&mut driver, &WriteStep::Look { id, block: &second }), Ok(Written::Gone));
    }
}

#[test]
fn a_block_of_days_is_as_wanted_and_one_that_is_elsewhere_is_said() {
    let mut driver = reading(PLAIN, "Work & more");
    let day = |text: &str| Moment::Day(text.parse().unwrap());
    let days = Block { start: day("2026-12-24"), end: day("2026-12-27"), ..block(1) };
    write(&mut driver, &WriteStep::Create(&days)).unwrap();
    assert!(there(write(&mut driver, &WriteStep::Look { id: None, block: &days })).is_as_wanted);
    let home = calendars(&mut driver).into_iter().find(|part| part.name == "Home").unwrap().id;
    let work = driver.part.replace(home);
    let refused = write(&mut driver, &WriteStep::Create(&days)).unwrap_err();
    assert!(matches!(refused, Refusal::Closed(why) if why.contains("remove it there")), "{refused:?}");
    driver.part = work;
    driver.simulator.expire_credentials();
    assert_eq!(write(&mut driver, &WriteStep::Create(&days)), Err(Refusal::Refused));
}
