//! Blocks: created once, changed and removed only as long as nobody else did, and known wherever they turn up.

use http::Method;
use serde_json::json;

use hooktide_providers::{Ask, Block, Moment, Refusal, There, WriteStep, WriteTask, Written};

use super::*;

const API: &str = "https://graph.microsoft.com";

fn at(text: &str) -> Moment {
    Moment::At(text.parse().unwrap())
}

fn day(text: &str) -> Moment {
    Moment::Day(text.parse().unwrap())
}

/// A block under a key of its own.
fn block(digit: char, start: Moment, end: Moment) -> Block {
    let key = format!("hooktide{}", digit.to_string().repeat(32));
    Block { key, start, end, title: "Busy".to_owned() }
}

fn usual(digit: char) -> Block {
    block(digit, at("2026-12-01T09:30:00Z"), at("2026-12-01T10:00:00Z"))
}

/// Takes a step in the calendar of the driver.
fn take(driver: &mut Driver, step: &WriteStep<'_>) -> Result<Written, Refusal> {
    let (settings, calendar) = (driver.settings.clone(), driver.part.clone().unwrap());
    let account = Some(driver.provider.profile().sample_account);
    let task = WriteTask { account, settings: &settings, calendar: &calendar, api: API, now: driver.now };
    let target = driver.provider.target().unwrap();
    let Ask::Http(request) = target.ask(&task, step);
    let request = driver.provider.api().unwrap().authorise(request, &driver.secrets, driver.now).unwrap();
    let answer = driver.simulator.answer(&request, driver.now);
    target.read(&task, step, &answer)
}

fn there(written: Result<Written, Refusal>) -> There {
    match written {
        Ok(Written::There(there)) => there,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_block_is_created_once_changed_and_removed() {
    for (start, end, later) in [
        (at("2026-12-01T09:30:00Z"), at("2026-12-01T10:00:00Z"), at("2026-12-01T11:00:00Z")),
        (day("2026-12-01"), day("2026-12-02"), day("2026-12-03")),
    ] {
        let mut driver = driver();
        let all = everything(&mut driver);
        let block = block('0', start, end);
        let made = there(take(&mut driver, &WriteStep::Create(&block)));
        assert!(made.is_as_wanted && made.etag.is_some() && made.uid.is_some(), "{made:?}");
        for _ in 0..2 {
            assert_eq!(take(&mut driver, &WriteStep::Create(&block)), Ok(Written::Taken), "whatever its status");
            made_elsewhere(&mut driver);
        }
        for id in [Some(made.id.as_str()), None] {
            assert_eq!(there(take(&mut driver, &WriteStep::Look { id, block: &block })), made, "{id:?}");
        }
        let read = changes(&mut driver, &all);
        let own: Vec<_> = events(&read).into_iter().filter(|event| event.own_block).collect();
        assert_eq!(own.len(), 1, "{read:#?}");
        assert_eq!((own[0].id.as_str(), own[0].busy, own[0].uid.clone()), (made.id.as_str(), true, made.uid.clone()));
        assert_eq!(own[0].visibility.as_deref(), Some("private"));

        let moved = Block { end: later, ..block.clone() };
        let step = WriteStep::Change { id: &made.id, etag: made.etag.as_deref(), block: &moved };
        let changed = there(take(&mut driver, &step));
        assert!(changed.is_as_wanted && changed.etag != made.etag, "{changed:?}");
        let found = there(take(&mut driver, &WriteStep::Look { id: None, block: &block }));
        assert!(!found.is_as_wanted && found.id == made.id, "{found:?}");
        let step = WriteStep::Remove { id: &made.id, etag: changed.etag.as_deref() };
        for _ in 0..2 {
            assert_eq!(take(&mut driver, &step), Ok(Written::Gone));
        }
        for id in [Some(made.id.as_str()), None] {
            assert_eq!(take(&mut driver, &WriteStep::Look { id, block: &moved }), Ok(Written::Gone), "{id:?}");
        }
        assert_eq!(take(&mut driver, &WriteStep::Create(&block)), Ok(Written::Taken), "its key stays taken");
    }
}

/// Lets something else change, so that the simulator's next refusal of a repeat has the other status.
fn made_elsewhere(driver: &mut Driver) {
    made(driver, "2026-12-01T12:00:00", "2026-12-01T13:00:00");
}

#[test]
fn a_block_that_somebody_changed_is_left_alone_and_one_that_somebody_deleted_is_gone() {
    let mut driver = driver();
    let block = usual('1');
    let made = there(take(&mut driver, &WriteStep::Create(&block)));
    driver.edit("event", Some(&made.id), Some(json!({ "showAs": "free" })));
    let etag = made.etag.as_deref();
    for step in [WriteStep::Change { id: &made.id, etag, block: &block }, WriteStep::Remove { id: &made.id, etag }] {
        assert_eq!(take(&mut driver, &step), Ok(Written::Changed), "{step:?}");
    }
    let found = there(take(&mut driver, &WriteStep::Look { id: Some(&made.id), block: &block }));
    assert!(!found.is_as_wanted && found.etag.as_deref() != etag, "{found:?}");
    let again = WriteStep::Change { id: &made.id, etag: found.etag.as_deref(), block: &block };
    assert!(there(take(&mut driver, &again)).is_as_wanted);
    driver.edit("event", Some(&made.id), None);
    for step in [
        again,
        WriteStep::Remove { id: &made.id, etag: None },
        WriteStep::Look { id: Some(&made.id), block: &block },
        WriteStep::Look { id: None, block: &block },
    ] {
        assert_eq!(take(&mut driver, &step), Ok(Written::Gone), "{step:?}");
    }
    let another = there(take(&mut driver, &WriteStep::Create(&usual('2'))));
    driver.edit("event", Some(&another.id), Some(json!({ "subject": "Mine" })));
    let step = WriteStep::Remove { id: &another.id, etag: None };
    assert_eq!(take(&mut driver, &step), Ok(Written::Gone), "whatever became of it");
}

#[test]
fn what_is_created_invites_reminds_and_asks_nobody() {
    let driver = driver();
    let (settings, block) = (driver.settings.clone(), usual('3'));
    let task = WriteTask { account: None, settings: &settings, calendar: "AQ==", api: API, now: driver.now };
    let Ask::Http(request) = driver.provider.target().unwrap().ask(&task, &WriteStep::Create(&block));
    assert_eq!((request.method(), request.uri().path()), (&Method::POST, "/v1.0/me/calendars/AQ%3D%3D/events"));
    assert_eq!(request.headers()["prefer"], r#"IdType="ImmutableId", outlook.timezone="UTC""#);
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let expected = json!({
        "subject": "Busy",
        "start": { "dateTime": "2026-12-01T09:30:00", "timeZone": "UTC" },
        "end": { "dateTime": "2026-12-01T10:00:00", "timeZone": "UTC" },
        "isAllDay": false,
        "showAs": "busy",
        "sensitivity": "private",
        "isReminderOn": false,
        "responseRequested": false,
        "transactionId": block.key,
        "singleValueExtendedProperties": [{
            "id": "String {6d70a3b5-7a1c-4d2b-9f0e-3b6c5f0c8e21} Name hooktide",
            "value": block.key,
        }],
    });
    assert_eq!(body, expected);
}

#[test]
fn a_calendar_that_is_gone_or_closed_takes_no_block() {
    let mut driver = driver();
    driver.part = Some(calendar(&mut driver, "Holidays in Austria"));
    let closed = take(&mut driver, &WriteStep::Create(&usual('4')));
    assert!(matches!(closed, Err(Refusal::Closed(why)) if why.contains("choose")), "{closed:?}");
    driver.part = Some("gone".to_owned());
    assert_eq!(take(&mut driver, &WriteStep::Create(&usual('4'))), Err(Refusal::Invalid));
    assert_eq!(take(&mut driver, &WriteStep::Look { id: Some("a"), block: &usual('4') }), Ok(Written::Gone));
}
