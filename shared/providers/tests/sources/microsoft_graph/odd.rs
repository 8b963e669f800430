//! What cannot be used: answers, links and items of other forms.

use serde_json::{Value, json};

use hooktide_model::notice::What;
use hooktide_model::part;
use hooktide_model::secret::{Secret, Secrets};
use hooktide_providers::{Reach, Refusal};

use super::*;
use crate::calendars::{one_among_odd_ids, unread};
use crate::driver::live;

#[test]
fn what_cannot_be_used_is_sorted_by_what_to_do_next() {
    let mut driver = driver();
    let all = everything(&mut driver);
    driver.simulator.limit(Some(0));
    let limited = driver.read(EVENTS, Reach::Changes, Some(&all.cursor)).unwrap_err();
    assert!(matches!(limited, Refusal::Limited { after: Some(_) }), "{limited:?}");
    driver.simulator.limit(None);
    driver.edit("scope", Some("Calendars.ReadWrite"), None);
    assert_eq!(driver.read(EVENTS, Reach::Everything, None).unwrap_err(), Refusal::Forbidden);
    driver.edit("scope", Some("Calendars.ReadWrite"), Some(json!({})));
    driver.simulator.expire_credentials();
    assert_eq!(driver.read(EVENTS, Reach::Everything, None).unwrap_err(), Refusal::Refused);
    driver.secrets = Secrets::new(vec![live("access_token", Secret::new("wrong"))]);
    assert_eq!(driver.read(LIST, Reach::One("a"), None).unwrap_err(), Refusal::Refused);
    let id = part::entity_id(driver.part.as_deref().unwrap(), "a");
    for (resource, reach) in [
        (LIST, Reach::Changes),
        (LIST, Reach::Everything),
        (EVENTS, Reach::Changes),
        (EVENTS, Reach::Everything),
        (EVENTS, Reach::One(&id)),
    ] {
        for body in ["<html>", "", "[]", "7", "null", r#"{"value":7}"#] {
            let given = driver.given(resource, reach, None, (200, body));
            assert!(matches!(given, Err(Refusal::Unreadable(_))), "{resource} {reach:?} {body}: {given:?}");
        }
    }
}

#[test]
fn a_link_is_followed_only_below_the_api_and_not_in_a_circle() {
    let driver = driver();
    let calendar = driver.part.clone().unwrap();
    let list = |name: &str, link: &str| json!({ "value": [], name: link }).to_string();
    let at =
        |host: &str, query: &str| format!("https://{host}/v1.0/me/calendars/{calendar}/calendarView/delta?{query}");
    let given = |cursor: Option<&str>, body: &str| driver.given(EVENTS, Reach::Everything, cursor, (200, body));
    for link in [
        "https://graph.microsoft.com/v1.0/me/messages/delta?$skiptoken=a".to_owned(),
        "https://graph.microsoft.com/v1.0/me/calendars/other/calendarView/delta?$skiptoken=a".to_owned(),
        "nowhere".to_owned(),
    ] {
        for name in ["@odata.nextLink", "@odata.deltaLink"] {
            let read = given(None, &list(name, &link));
            assert!(matches!(read, Err(Refusal::Unreadable(_))), "{name} {link}: {read:?}");
        }
    }
    assert!(matches!(given(None, r#"{"value":[]}"#), Err(Refusal::Unreadable(_))), "it neither goes on nor ends");
    let page = given(None, &list("@odata.nextLink", &at("elsewhere.example.com", "$skiptoken=a"))).unwrap();
    let hooktide_providers::Next::More(cursor) = page.next else { panic!("{page:?}") };
    assert!(!cursor.contains("elsewhere"), "only what is below the address is kept: {cursor}");
    let again = given(Some(&cursor), &list("@odata.nextLink", &at("graph.microsoft.com", "$skiptoken=a")));
    assert!(matches!(again, Err(Refusal::Unreadable("the same page again"))), "{again:?}");
}

#[test]
fn a_bent_item_costs_only_itself() {
    let driver = driver();
    let calendar = driver.part.clone().unwrap();
    let (start, end) = (time("2026-12-01T10:00:00.0000000"), time("2026-12-01T11:00:00.0000000"));
    let whole = |id: Value| {
        json!({
            "id": id, "type": "singleInstance", "showAs": "busy", "isCancelled": false, "isAllDay": false,
            "start": start, "end": end, "lastModifiedDateTime": "2026-11-28T12:00:00.1234567Z",
        })
    };
    let with = |id: &str, name: &str, value: Value| {
        let mut event = whole(id.into());
        event[name] = value;
        event
    };
    let stripped = |id: &str, start: Value| json!({ "id": id, "type": "occurrence", "seriesMasterId": "weekly", "start": start, "end": end });
    let odd = vec![
        with("series", "seriesMasterId", json!({ "odd": 1 })),
        with("start", "start", json!({ "dateTime": "2026-02-30T00:00:00" })),
        with("zone", "start", json!({ "dateTime": "2026-12-01T10:00:00", "timeZone": "Pacific Standard Time" })),
        with("end", "end", json!([])),
        with("shows", "showAs", json!([])),
        with("day", "isAllDay", json!("perhaps")),
        with("answer", "responseStatus", json!("yes")),
        with("date", "lastModifiedDateTime", json!("lately")),
        with("weekly", "type", json!("seriesMaster")),
        stripped("weekly-1", start.clone()),
        stripped("weekly-2", json!("soon")),
        json!({ "id": "removed", "@removed": { "reason": "deleted" } }),
    ];
    let items = [one_among_odd_ids(whole), odd].concat();
    let link = format!("https://graph.microsoft.com/v1.0/me/calendars/{calendar}/calendarView/delta?$deltatoken=a");
    let body = json!({ "value": items, "@odata.deltaLink": link }).to_string();
    let read = Reading::of(driver.given(EVENTS, Reach::Everything, None, (200, &body)).unwrap());
    assert_eq!(
        unread(&read),
        "good[], start[start.dateTime], zone[start.timeZone], end[end], shows[showAs], day[isAllDay], \
         answer[responseStatus], date[lastModifiedDateTime], removed[], weekly[occurrences[].start]"
    );
    assert_eq!(read.facts.iter().filter(|what| matches!(what, What::Ignored { .. })).count(), 5);
    let series = part::entity_id(&calendar, "series");
    assert_eq!(read.seen, [series.as_str()], "it is there, so no comparison deletes it");
    let odd = with("series", "seriesMasterId", json!({ "odd": 1 })).to_string();
    let one = driver.given(EVENTS, Reach::One(&series), None, (200, &odd)).unwrap();
    assert!(one.seen == [series] && matches!(&one.facts[..], [What::Ignored { .. }]), "{one:?}");
}
