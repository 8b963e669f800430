//! A feed of very many fast series: no more blocks come of it than there is room for, that is said, and those that are there stay.

use std::collections::BTreeSet;

use hooktide_tests::bent::Bend;
use hooktide_tests::blocking::{Blocked, Blocking};
use serde_json::Value;

/// How many blocks the events of one calendar make in another one.
const MOST: usize = 20_000;

/// A feed with so many series that recur each second, and one event.
fn feed(fast: usize) -> String {
    let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n");
    let mut add = |uid: &str, start: &str, more: &str| {
        text.push_str(&format!(
            "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:{start}\r\n{more}\r\nEND:VEVENT\r\n"
        ));
    };
    add("plain", "20261217T090000Z", "DURATION:PT1H");
    for number in 0..fast {
        add(&format!("fast-{number}"), "20261101T000000Z", "DURATION:PT1S\r\nRRULE:FREQ=SECONDLY");
    }
    text.push_str("END:VCALENDAR\r\n");
    text
}

async fn read(blocking: &Blocking, fast: usize) -> Vec<Blocked> {
    blocking.sides[0].bends.set(Bend::Text(feed(fast).leak()));
    blocking.hours(2).await;
    let blocks = blocking.blocks().await.into_iter();
    blocks.filter(|one| one.source.contains("fast-") || one.source.contains("plain")).collect()
}

async fn crowded(blocking: &Blocking, path: &str) -> Value {
    blocking.world().get(path).await.expect(200)["crowded"].clone()
}

#[tokio::test]
async fn what_one_feed_makes_is_bounded_and_said_and_what_is_there_stays() {
    let blocking = Blocking::between(&["ics", "caldav"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    for habit in ["no-etag", "no-date"] {
        source.control("edit", serde_json::json!({ "what": "habit", "id": habit, "fields": {} })).await;
    }
    let first = read(&blocking, 0).await;
    assert_eq!(first.len(), 1, "{first:#?}");
    let state = format!("/v1/connections/{}/sync", source.connection);
    assert_eq!(crowded(&blocking, &state).await, Value::Null);
    // Nothing is written from now on: that takes longer than anybody waits for here.
    target.bends.set(Bend::Status(503));
    let full = read(&blocking, 22).await;
    assert!((MOST - 100..=MOST).contains(&full.len()), "{}", full.len());
    assert!(full.contains(&first[0]), "what was there stays");
    for path in [state.as_str(), "/v1/busy/plan"] {
        let crowded = crowded(&blocking, path).await;
        let one = crowded.get(0).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(
            (&one["connection"], &one["blocked_calendar"]),
            (&source.connection.clone().into(), &target.main.clone().into())
        );
        assert!(one["reason"].as_str().unwrap().contains("block_days_ahead"), "{one}");
    }
    assert!(blocking.told().await.contains("more than 20000 blocks"), "{}", blocking.told().await);
    let more = read(&blocking, 24).await;
    let names = |blocks: &[Blocked]| -> BTreeSet<(String, String)> {
        blocks.iter().map(|one| (one.source.clone(), one.start.clone())).collect()
    };
    assert!(names(&full).is_subset(&names(&more)), "the first ones are kept");
    assert!(more.len() <= MOST, "{}", more.len());
    // Once the series are gone, there is room again.
    let after = read(&blocking, 0).await;
    assert!(after.len() <= more.len(), "{} of {}", after.len(), more.len());
    blocking.hours(48).await;
    assert_eq!(crowded(&blocking, &state).await, Value::Null);
}
