//! Blocks in the main calendar: written once, known when they come home, and left to whoever changed them.

use http::header::IF_MATCH;
use serde_json::{Value, json};

use super::{EVENTS, MAIN, changes, driver, event, everything};
use crate::driver::Driver;
use hooktide_model::part;
use hooktide_providers::{Ask, Block, Moment, Reach, Refusal, There, WriteStep, Written};

const KEY: &str = "hooktide0123456789abcdefghijklmnopqr";

fn at(day: u8, hour: u8) -> Moment {
    Moment::At(format!("2026-12-{day:02}T{hour:02}:00:00Z").parse().unwrap())
}

/// A block of an hour.
fn block(day: u8, hour: u8) -> Block {
    Block { key: KEY.to_owned(), start: at(day, hour), end: at(day, hour + 1), title: "Busy".to_owned() }
}

/// The block that a step finds or leaves.
fn there(written: Result<Written, Refusal>) -> There {
    match written {
        Ok(Written::There(there)) => there,
        other => panic!("{other:?}"),
    }
}

fn created(driver: &mut Driver, block: &Block) -> There {
    there(driver.write(&WriteStep::Create(block)))
}

fn changed(driver: &mut Driver, from: &There, block: &Block) -> Result<Written, Refusal> {
    driver.write(&WriteStep::Change { id: &from.id, etag: from.etag.as_deref(), block })
}

fn removed(driver: &mut Driver, from: &There) -> Result<Written, Refusal> {
    driver.write(&WriteStep::Remove { id: &from.id, etag: from.etag.as_deref() })
}

/// What is under the id of a block that was there.
fn looked(driver: &mut Driver, id: &str, block: &Block) -> Result<Written, Refusal> {
    driver.write(&WriteStep::Look { id: Some(id), block })
}

/// What is under the key of a block that is being created.
fn looked_by_key(driver: &mut Driver, block: &Block) -> Result<Written, Refusal> {
    driver.write(&WriteStep::Look { id: None, block })
}

fn entity() -> String {
    part::entity_id(MAIN, KEY)
}

/// Changes the block as a person does, who has the calendar before them.
fn edited(driver: &mut Driver, fields: Value) {
    driver.edit("event", Some(&entity()), Some(fields));
}

#[test]
fn a_block_is_created_once_however_often_it_is_sent_and_whatever_answer_is_lost() {
    let (mut driver, block) = (driver(), block(1, 9));
    let before = everything(&mut driver).facts.len();
    driver.written(&WriteStep::Create(&block));
    assert_eq!(driver.write(&WriteStep::Create(&block)), Ok(Written::Taken));
    let found = there(looked_by_key(&mut driver, &block));
    assert_eq!((found.id.as_str(), found.is_as_wanted), (KEY, true));
    assert_eq!(found.uid, Some(format!("{KEY}@google.com")));
    assert_eq!(driver.write(&WriteStep::Create(&block)), Ok(Written::Taken));
    assert_eq!(there(looked(&mut driver, KEY, &block)), found, "nothing was done to it");
    assert_eq!(everything(&mut driver).facts.len(), before + 1);
    let others = Block { key: format!("{KEY}0"), ..block.clone() };
    assert_eq!(looked_by_key(&mut driver, &others), Ok(Written::Gone));
}

#[test]
fn a_block_comes_home_as_our_own_also_where_a_copy_lost_its_property() {
    let (mut driver, block) = (driver(), block(1, 9));
    let before = everything(&mut driver);
    created(&mut driver, &block);
    let after = changes(&mut driver, &before);
    let own = event(&after, &entity());
    assert!(own.own_block && own.busy, "{own:?}");
    assert_eq!((own.visibility.as_deref(), own.start.as_deref()), (Some("private"), Some("2026-12-01T09:00:00Z")));
    for uid in [KEY.to_owned(), format!("{KEY}@google.com")] {
        let copy = driver.edit("event", None, Some(json!({ "summary": "Busy", "iCalUID": uid })));
        let read = driver.read(EVENTS, Reach::One(&copy), None).unwrap();
        assert!(event(&read, &copy).own_block, "{uid}");
    }
    edited(&mut driver, json!({ "extendedProperties": { "private": { "hooktide": null } } }));
    let read = driver.read(EVENTS, Reach::One(&entity()), None).unwrap();
    assert!(event(&read, &entity()).own_block, "by its id");
}

#[test]
fn a_block_moves_between_times_and_days() {
    let mut driver = driver();
    let mut last = created(&mut driver, &block(1, 9));
    let day = |day: &str| Moment::Day(day.parse().unwrap());
    let days = Block { start: day("2026-12-02"), end: day("2026-12-04"), ..block(1, 9) };
    for (block, start) in
        [(block(2, 10), "2026-12-02T10:00:00Z"), (days, "2026-12-02"), (block(3, 8), "2026-12-03T08:00:00Z")]
    {
        let next = there(changed(&mut driver, &last, &block));
        assert!(next.is_as_wanted && next.etag != last.etag, "{next:?}");
        assert_eq!(there(looked(&mut driver, KEY, &block)), next);
        let read = driver.read(EVENTS, Reach::One(&entity()), None).unwrap();
        let read = event(&read, &entity());
        assert_eq!((read.start.as_deref(), read.own_block), (Some(start), true));
        last = next;
    }
}

#[test]
fn the_lost_answer_to_a_change_or_a_removal_is_made_good_by_a_look() {
    let (mut driver, moved) = (driver(), block(2, 9));
    let first = created(&mut driver, &block(1, 9));
    driver.written(&WriteStep::Change { id: KEY, etag: first.etag.as_deref(), block: &moved });
    assert_eq!(changed(&mut driver, &first, &moved), Ok(Written::Changed), "by ourselves, which nobody knows yet");
    let second = there(looked(&mut driver, KEY, &moved));
    assert!(second.is_as_wanted);
    driver.written(&WriteStep::Remove { id: KEY, etag: second.etag.as_deref() });
    assert!(matches!(removed(&mut driver, &second), Ok(Written::Changed | Written::Gone)));
    assert_eq!(looked(&mut driver, KEY, &moved), Ok(Written::Gone));
}

#[test]
fn a_removed_block_is_gone_and_comes_back_the_way_that_every_block_comes_to_be() {
    let (mut driver, block) = (driver(), block(1, 9));
    let first = created(&mut driver, &block);
    assert_eq!(removed(&mut driver, &first), Ok(Written::Gone));
    let again = WriteStep::Remove { id: KEY, etag: None };
    assert_eq!(driver.write(&again), Ok(Written::Gone), "a removal that is sent again");
    assert_eq!(looked(&mut driver, KEY, &block), Ok(Written::Gone));
    let read = driver.read(EVENTS, Reach::One(&entity()), None).unwrap();
    assert_eq!(read.entities(), [(entity().as_str(), false)]);

    assert_eq!(driver.write(&WriteStep::Create(&block)), Ok(Written::Taken));
    let found = there(looked_by_key(&mut driver, &block));
    assert!(!found.is_as_wanted, "it was removed");
    let back = there(changed(&mut driver, &found, &block));
    assert!(back.is_as_wanted);
    assert_eq!(there(looked(&mut driver, KEY, &block)), back);
}

#[test]
fn a_name_of_which_nothing_else_is_left_is_used_up() {
    let (mut driver, block) = (driver(), block(1, 9));
    created(&mut driver, &block);
    driver.edit("event", Some(&entity()), None);
    driver.edit("bin", None, None);
    assert_eq!(driver.write(&WriteStep::Create(&block)), Ok(Written::Taken));
    assert_eq!(looked_by_key(&mut driver, &block), Ok(Written::Gone));
    let another = Block { key: KEY.replace('0', "1"), ..block };
    assert!(created(&mut driver, &another).is_as_wanted);
}

#[test]
fn a_block_that_a_person_deleted_is_gone_and_no_write_brings_it_back_unasked() {
    let (mut driver, moved) = (driver(), block(2, 9));
    let first = created(&mut driver, &block(1, 9));
    driver.edit("event", Some(&entity()), None);
    assert_eq!(changed(&mut driver, &first, &moved), Ok(Written::Changed));
    assert_eq!(looked(&mut driver, KEY, &moved), Ok(Written::Gone));
    assert!(matches!(removed(&mut driver, &first), Ok(Written::Changed | Written::Gone)));
    assert_eq!(looked(&mut driver, KEY, &moved), Ok(Written::Gone));
    // Where blocks are restored, it comes to be as a new one does.
    assert_eq!(driver.write(&WriteStep::Create(&moved)), Ok(Written::Taken));
    let found = there(looked_by_key(&mut driver, &moved));
    assert!(there(changed(&mut driver, &found, &moved)).is_as_wanted);
}

#[test]
fn a_block_that_a_person_changed_is_left_alone_until_it_is_to_be_restored() {
    let time = |time: &str| json!({ "dateTime": time });
    for edit in [
        json!({ "start": time("2026-12-05T12:00:00Z"), "end": time("2026-12-05T13:00:00Z") }),
        json!({ "start": { "date": "2026-12-05" }, "end": { "date": "2026-12-06" } }),
        json!({ "transparency": "transparent" }),
        json!({ "status": "tentative" }),
        json!({ "recurrence": ["RRULE:FREQ=DAILY"] }),
    ] {
        let (mut driver, wanted) = (driver(), block(1, 9));
        let first = created(&mut driver, &wanted);
        edited(&mut driver, edit.clone());
        assert_eq!(changed(&mut driver, &first, &block(2, 9)), Ok(Written::Changed), "{edit}");
        assert_eq!(removed(&mut driver, &first), Ok(Written::Changed), "{edit}");
        let found = there(looked(&mut driver, KEY, &wanted));
        assert!(!found.is_as_wanted, "{edit}");
        assert!(there(changed(&mut driver, &found, &wanted)).is_as_wanted, "{edit}");
        assert!(there(looked(&mut driver, KEY, &wanted)).is_as_wanted, "{edit}");
        assert_eq!(driver.write(&WriteStep::Remove { id: KEY, etag: None }), Ok(Written::Gone), "{edit}");
    }
    let (mut driver, wanted) = (driver(), block(1, 9));
    let first = created(&mut driver, &wanted);
    edited(&mut driver, json!({ "summary": "Ours" }));
    let renamed = there(looked(&mut driver, KEY, &wanted));
    assert!(renamed.is_as_wanted && renamed.etag != first.etag, "its time is still taken");
}

#[test]
fn every_write_names_the_state_that_it_was_decided_by_and_sends_nobody_an_e_mail() {
    let (driver, block) = (driver(), block(1, 9));
    let target = driver.provider.target().unwrap();
    for (step, etag) in [
        (WriteStep::Create(&block), None),
        (WriteStep::Change { id: KEY, etag: Some("\"7\""), block: &block }, Some("\"7\"")),
        (WriteStep::Change { id: KEY, etag: None, block: &block }, None),
        (WriteStep::Remove { id: KEY, etag: Some("\"7\"") }, Some("\"7\"")),
        (WriteStep::Remove { id: KEY, etag: Some("a\n") }, Some("\"\"")),
    ] {
        let Ask::Http(request) = driver.in_calendar(|task| target.ask(task, &step));
        assert!(request.uri().query().unwrap().contains("sendUpdates=none"), "{step:?}");
        assert_eq!(request.headers().get(IF_MATCH).map(|etag| etag.to_str().unwrap()), etag, "{step:?}");
    }
}

#[test]
fn what_cannot_be_written_is_sorted_by_what_to_do_next() {
    let (mut driver, block) = (driver(), block(1, 9));
    let create = WriteStep::Create(&block);
    for calendar in ["en.austrian#holiday@group.v.calendar.google.com", "nobody@example.com"] {
        driver.part = Some(calendar.to_owned());
        assert_eq!(driver.write(&create), Err(Refusal::Invalid), "{calendar}");
    }
    driver.part = Some(MAIN.to_owned());
    driver.simulator.limit(Some(0));
    assert_eq!(driver.write(&create), Err(Refusal::Limited { after: None }));
    driver.simulator.limit(None);
    driver.edit("scope", Some("https://www.googleapis.com/auth/calendar.events"), None);
    assert_eq!(driver.write(&create), Err(Refusal::Forbidden));
    driver.simulator.expire_credentials();
    assert_eq!(driver.write(&create), Err(Refusal::Refused));
    let steps = [
        WriteStep::Create(&block),
        WriteStep::Change { id: KEY, etag: None, block: &block },
        WriteStep::Look { id: Some(KEY), block: &block },
        WriteStep::Look { id: None, block: &block },
    ];
    for step in &steps {
        for body in ["<html>", "", "[]", "{}", r#"{"id":"another"}"#] {
            let given = driver.write_given(step, (200, body));
            assert!(matches!(given, Err(Refusal::Unreadable(_))), "{step:?} {body}: {given:?}");
        }
    }
    let remove = WriteStep::Remove { id: KEY, etag: None };
    for step in steps.iter().chain([&remove]) {
        for (status, expected) in [
            (404, Refusal::Invalid),
            (409, Refusal::Invalid),
            (412, Refusal::Invalid),
            (503, Refusal::Unavailable { after: None }),
        ] {
            let given = driver.write_given(step, (status, "<html>a proxy</html>"));
            assert_eq!(given, Err(expected), "{step:?} {status}: a proxy knows nothing of blocks");
        }
    }
}
