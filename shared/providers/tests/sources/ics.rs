//! A feed, with the habits of those who serve feeds.

use serde_json::json;

use hooktide_model::notice::{ContentHash, Document};
use hooktide_model::part;
use hooktide_providers::{Next, Part, Reach, Refusal};

use crate::calendars::{EVENTS, LIST, everything};
use crate::driver::{Driver, Reading};

fn driver() -> Driver {
    let mut driver = Driver::new("ics");
    driver.settings.url = Some("webcal://feeds.example.com/club.ics?token=secret".to_owned());
    driver.part = Some("feed".to_owned());
    driver
}

fn changes(driver: &mut Driver, since: &Reading) -> Result<Reading, Refusal> {
    driver.read(EVENTS, Reach::Changes, Some(&since.cursor))
}

fn habit(driver: &mut Driver, name: &str, on: bool) {
    driver.edit("habit", Some(name), on.then(|| json!({})));
}

#[test]
fn a_feed_is_one_calendar_that_names_itself() {
    let mut driver = driver();
    driver.part = None;
    let all = driver.read(LIST, Reach::Everything, None).unwrap();
    let feed = Part { id: "feed".into(), name: "Club nights".into(), is_primary: Some(true), is_gone: false };
    assert_eq!(all.parts, [feed]);
    assert!(!all.cursor.contains("secret"), "{}", all.cursor);
    assert!(driver.read(LIST, Reach::Changes, Some(&all.cursor)).is_ok());
    assert!(driver.provider.webhooks().is_none() && driver.provider.profile().is_open());
}

#[test]
fn a_feed_is_read_whole_when_it_says_something_else_and_only_then() {
    for habits in [&[][..], &["no-etag"], &["no-etag", "no-date"], &["no-etag", "no-date", "stamps"], &["moved"]] {
        let mut driver = driver();
        habits.iter().for_each(|name| habit(&mut driver, name, true));
        let all = everything(&mut driver);
        assert_eq!((all.facts.len(), all.entities().len()), (4, 4), "{all:#?}");
        driver.pass(600);
        let same = changes(&mut driver, &all).unwrap();
        assert_eq!(same.facts, [], "{habits:?}");

        let uid = driver.edit(
            "event",
            None,
            Some(json!({ "DTSTART;VALUE=DATE": "20261224", "DTEND;VALUE=DATE": "20261227" })),
        );
        assert_eq!(changes(&mut driver, &same).unwrap_err(), Refusal::Expired, "{habits:?}");
        let after = everything(&mut driver);
        let id = part::entity_id("feed", &uid);
        let Document::CalendarEvent(event) = after.document(&id) else { panic!("no event") };
        assert_eq!(
            (event.id.as_str(), event.all_day, event.start.as_deref()),
            (uid.as_str(), true, Some("2026-12-24"))
        );
        assert_eq!((after.entities().len(), event.end.as_deref()), (5, Some("2026-12-27")));
        let old = all.entities()[0].0.to_owned();
        let content = |reading: &Reading| ContentHash::of(reading.document(&old), &[]).unwrap();
        assert_eq!(content(&all), content(&after), "{habits:?}");

        driver.edit("event", Some(&uid), None);
        assert_eq!(everything(&mut driver).entities().len(), 4);
        for (id, there) in [(&id, false), (&old, true)] {
            let one = driver.read(EVENTS, Reach::One(id), None).unwrap();
            assert_eq!(one.entities(), [(id.as_str(), there)]);
        }
    }
}

#[test]
fn what_is_no_whole_calendar_says_so_and_nothing_is_concluded_from_it() {
    let mut driver = driver();
    let all = everything(&mut driver);
    habit(&mut driver, "no-etag", true);
    habit(&mut driver, "no-date", true);
    for (name, why) in [("html", "no calendar"), ("empty", "is empty"), ("cut", "cut off")] {
        habit(&mut driver, name, true);
        for reach in [Reach::Changes, Reach::Everything, Reach::One("feed/x")] {
            let cursor = (reach == Reach::Changes).then_some(all.cursor.as_str());
            let refused = driver.read(EVENTS, reach, cursor).unwrap_err();
            assert!(matches!(refused, Refusal::Unreadable(said) if said.contains(why)), "{name}: {refused:?}");
        }
        habit(&mut driver, name, false);
    }
    // A calendar without events is one; whether to believe it is not decided here.
    habit(&mut driver, "no-events", true);
    assert_eq!(changes(&mut driver, &all).unwrap_err(), Refusal::Expired);
    assert_eq!(everything(&mut driver).facts, []);
    habit(&mut driver, "no-events", false);
    assert_eq!(changes(&mut driver, &all).unwrap().facts, []);
    driver.simulator.expire_credentials();
    let refused = driver.read(EVENTS, Reach::Everything, None).unwrap_err();
    assert!(matches!(refused, Refusal::Closed(said) if said.contains("not open")), "{refused:?}");
}

#[test]
fn a_feed_that_leads_elsewhere_is_followed_within_its_site_and_not_without_an_end() {
    let driver = driver();
    let led = |cursor: Option<&str>, to: &str| {
        let answer = http::Response::builder().status(302).header("location", to).body(bytes::Bytes::new()).unwrap();
        driver.answered_by(EVENTS, Reach::Everything, cursor, &answer)
    };
    for (to, follows) in [
        ("/other.ics", true),
        ("https://cdn.example.com/club.ics", true),
        ("http://feeds.example.com/club.ics", false),
        ("https://evil.example/club.ics", false),
    ] {
        assert_eq!(led(None, to).is_ok(), follows, "{to}");
    }
    let (mut cursor, mut hops) = (None, 0);
    let refused = loop {
        match led(cursor.as_deref(), &format!("/{hops}")) {
            Ok(page) => match page.next {
                Next::More(next) => cursor = Some(next),
                Next::Done(_) => panic!("it ends"),
            },
            Err(refusal) => break refusal,
        }
        hops += 1;
    };
    assert!(matches!(refused, Refusal::Unreadable(_)) && hops == 5, "{refused:?} after {hops}");
}
