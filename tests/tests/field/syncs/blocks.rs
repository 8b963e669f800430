//! Calendars that block each other: what becomes of edits, and of blocks that people edit, at the simulators.

use hooktide_model::calendar::CalendarEvent;
use hooktide_providers::{Moment, Reach, instances};
use hooktide_tests::bent::Bend;
use hooktide_tests::blocking::Blocking;
use serde_json::{Value, json};

use super::Seen;
use super::pair::{Pair, fields};

const NINE: &str = "2026-12-17T09:00:00Z";
const TEN: &str = "2026-12-17T10:00:00Z";
const MAIN: &str = "owner@example.com";

/// A page of Google's events.
fn page(items: Value) -> Value {
    json!({ "items": items, "timeZone": "Europe/Vienna", "nextSyncToken": "next" })
}

fn google(items: Value) -> Value {
    Pair::new("google-calendar", "calendar", Reach::Everything).of(MAIN).read(&[(200, page(items))])
}

/// The times that are taken by what was read, in the window of the end of 2026.
fn taken(read: &Value) -> Value {
    let documents = read["documents"].as_array().cloned().unwrap_or_default();
    let events: Vec<CalendarEvent> =
        documents.into_iter().map(|one| serde_json::from_value(one).expect("an event")).collect();
    let apart: Vec<&CalendarEvent> = events.iter().collect();
    let window = ["2026-11-27T12:00:00Z", "2027-01-27T12:00:00Z"].map(|at| at.parse().expect("a time"));
    let mut taken = Vec::new();
    for event in &events {
        let found = instances(event, &apart, (window[0], window[1]), event.time_zone.as_deref().unwrap_or("UTC"));
        taken.extend(found.list.iter().filter(|one| one.busy).map(|one| match one.start {
            Moment::At(at) => at.to_string(),
            Moment::Day(day) => day.to_string(),
        }));
    }
    json!(taken)
}

/// An event of Google's.
fn event(id: &str, more: Value) -> Value {
    let time = |time: &str| json!({ "dateTime": time, "timeZone": "Europe/Stockholm" });
    let mut event = json!({
        "id": id, "status": "confirmed", "updated": "2026-11-28T11:00:00Z",
        "start": time("2026-12-01T19:00:00+01:00"), "end": time("2026-12-01T20:00:00+01:00"),
    });
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        event[name] = value;
    }
    event
}

pub(super) fn read() -> Vec<Seen> {
    let declined = json!({ "attendees": [{ "email": MAIN, "self": true, "responseStatus": "declined" }] });
    let sorts = google(json!([
        event("a", json!({ "eventType": "workingLocation" })),
        event("b", json!({ "eventType": "somethingNew" })),
        event("c", json!({})),
    ]));
    let blank =
        json!({ "id": "blank", "status": "confirmed", "updated": "2026-11-28T11:00:00Z", "start": null, "end": null });
    let without = google(json!([blank, event("good", json!({}))]));
    let mut exception = event("m_20261208T180000Z", declined.clone());
    exception["recurringEventId"] = json!("m");
    exception["originalStartTime"] = json!({ "dateTime": "2026-12-08T18:00:00Z", "timeZone": "Europe/London" });
    exception["start"] = json!({ "dateTime": "2026-12-08T19:00:00+01:00" });
    exception["end"] = json!({ "dateTime": "2026-12-08T20:00:00+01:00" });
    let series = google(json!([event("m", json!({ "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"] })), exception]));
    let past = json!({
        "start": { "dateTime": "2026-10-01T08:00:00Z", "timeZone": "UTC" }, "end": { "dateTime": "2026-10-01T09:00:00Z", "timeZone": "UTC" },
        "recurrence": ["RRULE:FREQ=DAILY;UNTIL=20261126T080000Z"],
    });
    let busy = |read: &Value| -> Value {
        read["documents"].as_array().into_iter().flatten().map(|one| one["busy"].clone()).collect()
    };
    vec![
        (
            "a sort of event that nobody knows spoils no other, and is busy",
            json!([fields(&sorts, &["ignored"]), busy(&sorts)]),
            json!([[0], [false, true, true]]),
        ),
        (
            "an event that its owner declined takes no time at Google",
            taken(&google(json!([event("a", declined)]))),
            json!([]),
        ),
        ("an event without times costs only itself", taken(&without), json!(["2026-12-01T18:00:00Z"])),
        (
            "an occurrence that is told in another zone is the same one",
            taken(&series),
            json!(["2026-12-01T18:00:00Z", "2026-12-15T18:00:00Z"]),
        ),
        ("a series that ended before the window is no block", taken(&google(json!([event("p", past)]))), json!([])),
    ]
}

/// The blocks of an event after it was deleted and came back, and whether they have the id of before.
async fn again() -> Value {
    let blocking = Blocking::within("google-calendar").await;
    let side = &blocking.sides[0];
    let lunch = blocking.make(side, NINE, TEN).await;
    let id = async || blocking.blocks().await.into_iter().find(|one| one.stems_from(&lunch)).map(|one| one.provider_id);
    let first = id().await;
    blocking.delete(side, &lunch).await;
    let between = blocking.of(&side.other, &lunch).await;
    blocking.edit(side, "event", json!(lunch), json!({ "status": "confirmed" })).await;
    json!([between, blocking.of(&side.other, &lunch).await, first.is_some() && first == id().await])
}

/// The block of an event after a person deleted it, and a full sync; and where such are restored.
async fn deleted(restores: bool) -> Value {
    let blocking = Blocking::between(&["microsoft-graph", "google-calendar"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    if restores {
        blocking.set(target, json!({ "block_restore": true })).await;
    }
    let event = blocking.make(source, NINE, TEN).await;
    let block = blocking.blocks().await.into_iter().find(|one| one.stems_from(&event)).expect("a block");
    blocking.delete(target, &hooktide_model::part::entity_id(&target.main, &block.provider_id)).await;
    blocking.hours(26).await;
    blocking.edit(source, "event", json!(event), json!({ "subject": "Another title" })).await;
    json!(blocking.of(&target.main, &event).await)
}

/// How many writes there are after the first sync, where two calendars block each other.
async fn two_way() -> Value {
    let blocking = Blocking::between(&["google-calendar", "microsoft-graph"]).await;
    let (a, b) = (&blocking.sides[0], &blocking.sides[1]);
    let event = blocking.make(a, NINE, TEN).await;
    let before = [blocking.writes(a).await, blocking.writes(b).await];
    for _ in 0..5 {
        for side in &blocking.sides {
            let path = format!("/v1/connections/{}/sync", side.connection);
            blocking.world().post(&path, json!({ "full": true })).await;
        }
        blocking.settle().await;
    }
    let after = [blocking.writes(a).await, blocking.writes(b).await];
    json!([blocking.of(&b.main, &event).await.len(), blocking.of(&a.main, &event).await.len(), before == after])
}

/// The text of a block of an event with guests, as the target has it.
async fn guests() -> Value {
    let blocking = Blocking::between(&["google-calendar", "caldav"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let guests: Vec<Value> =
        ["guest-a@example.com", "guest-b@example.com"].iter().map(|email| json!({ "email": email })).collect();
    let event = blocking.put(source, Value::Null, (NINE, TEN), json!({ "attendees": guests })).await;
    let calendars = target.state().await["account"]["calendars"].to_string();
    let named = ["ATTENDEE", "ORGANIZER", "guest-a"].iter().any(|text| calendars.contains(text));
    json!([blocking.of(&target.main, &event).await, named])
}

/// The blocks of a feed of 241 events after each of these answers, and how many writes the next good one makes.
async fn unreadable() -> Value {
    let events: String = (0..241)
        .map(|number| {
            let (day, hour) = (1 + number / 20, number % 20);
            format!("BEGIN:VEVENT\r\nUID:e{number}@x\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:202612{day:02}T{hour:02}0000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n")
        })
        .collect();
    let text: &'static str =
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{events}END:VCALENDAR\r\n").leak();
    let blocking = Blocking::between(&["ics", "caldav"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let count = async || {
        let blocks = blocking.blocks().await;
        blocks.iter().filter(|one| one.source.ends_with("@x") && one.state == "there").count()
    };
    for habit in ["no-etag", "no-date"] {
        source.control("edit", json!({ "what": "habit", "id": habit, "fields": {} })).await;
    }
    source.bends.set(Bend::Text(text));
    // What it had before goes once a second listing agrees.
    blocking.hours(20).await;
    let mut counts = vec![count().await];
    let writes = blocking.writes(target).await;
    for bend in [
        Bend::Status(403),
        Bend::Instead(500, "<html>Sorry</html>"),
        Bend::Instead(200, "<html>Sign in</html>"),
        Bend::Text(""),
        Bend::Text("BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR"),
        Bend::Text(&text[..text.len() / 2]),
    ] {
        source.bends.set(bend);
        blocking.hours(1).await;
        counts.push(count().await);
        source.bends.set(Bend::Text(text));
        blocking.hours(1).await;
    }
    json!([counts, blocking.writes(target).await - writes])
}

/// The blocks of a series of which one occurrence was moved to earlier on its day, and how many writes there are while both of its
/// times pass.
async fn moved_earlier() -> Value {
    const TEXT: &str = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:moved@x\nDTSTART:20261129T210000Z\nDURATION:PT1H\n\
                        RRULE:FREQ=DAILY;COUNT=4\nEND:VEVENT\nBEGIN:VEVENT\nUID:moved@x\nRECURRENCE-ID:20261130T210000Z\n\
                        DTSTART:20261130T170000Z\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n";
    let blocking = Blocking::between(&["ics", "caldav"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    for habit in ["no-etag", "no-date"] {
        source.control("edit", json!({ "what": "habit", "id": habit, "fields": {} })).await;
    }
    source.bends.set(Bend::Text(TEXT));
    // What it had before goes once a second listing agrees.
    blocking.hours(20).await;
    let writes = blocking.writes(target).await;
    blocking.hours(72).await;
    let mut blocks = blocking.blocks().await;
    blocks.retain(|one| one.source.ends_with("moved@x"));
    blocks.sort();
    let shown = blocks.iter().map(|one| format!("{} {}", one.start, one.state));
    json!([shown.collect::<Vec<_>>(), blocking.writes(target).await - writes])
}

/// The merged blocks of these days of December, in a calendar whose blocks are merged, where a feed has times that overlap, touch, or
/// leave a gap.
async fn merged() -> Vec<Value> {
    let days: [&[(&str, &str)]; 4] = [
        &[("0830", "0900"), ("0845", "1055"), ("1100", "1200")],
        &[("0900", "1700"), ("1100", "1200"), ("1700", "1800"), ("1730", "1900")],
        &[("0900", "1000"), ("0900", "1000"), ("0900", "1000")],
        &[("1000", "1020"), ("1020", "1030"), ("1030", "1330"), ("1330", "1400")],
    ];
    let mut events = String::new();
    for (day, times) in (7..).zip(days) {
        for (number, (start, end)) in times.iter().enumerate() {
            events.push_str(&format!(
                "BEGIN:VEVENT\nUID:{day}-{number}@x\nDTSTAMP:20261101T000000Z\nDTSTART:202612{day:02}T{start}00Z\nDTEND:202612{day:02}T{end}00Z\nEND:VEVENT\n"
            ));
        }
    }
    let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n").leak();
    let blocking = Blocking::between(&["ics", "caldav"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    blocking.set(target, json!({ "block_merge": true })).await;
    for habit in ["no-etag", "no-date"] {
        source.control("edit", json!({ "what": "habit", "id": habit, "fields": {} })).await;
    }
    source.bends.set(Bend::Text(text));
    // What it had before goes once a second listing agrees.
    blocking.hours(20).await;
    let blocks = blocking.blocks().await;
    let of = |day: usize| {
        let day = format!("2026-12-{day:02}");
        let of_day = blocks.iter().filter(|one| one.source == "merged" && one.start.starts_with(&day));
        of_day.map(|one| format!("{}-{}", &one.start[11..16], &one.end[11..16])).collect()
    };
    (7..).take(days.len()).map(of).collect()
}

/// What is left of a feed that somebody emptied for good.
async fn emptied() -> Value {
    let blocking = Blocking::between(&["ics", "caldav"]).await;
    let source = &blocking.sides[0];
    source.control("edit", json!({ "what": "habit", "id": "no-events", "fields": {} })).await;
    blocking.hours(36).await;
    json!(blocking.blocks().await.iter().filter(|one| one.source.starts_with(&source.connection)).count())
}

pub(super) async fn edited() -> Vec<Seen> {
    let [gap, overlap, same, short] = merged().await.try_into().unwrap_or_default();
    vec![
        ("a gap of five minutes between merged times stays free", gap, json!(["08:30-10:55", "11:00-12:00"])),
        ("times that overlap or touch are one block, whichever is the longest", overlap, json!(["09:00-19:00"])),
        ("meetings at the same time are one block", same, json!(["09:00-10:00"])),
        ("short times between others leave no hole", short, json!(["10:00-14:00"])),
        (
            "a block that was deleted and is wanted again comes back, though its id is taken",
            again().await,
            json!([[], [NINE], true]),
        ),
        ("a block that a person deleted does not come back", deleted(false).await, json!([format!("{NINE} left")])),
        ("a block that a person deleted comes back where blocks are restored", deleted(true).await, json!([NINE])),
        ("where two calendars block each other, a block is no event of its own", two_way().await, json!([1, 0, true])),
        ("a block invites nobody whom its event invites", guests().await, json!([[NINE], false])),
        (
            "a feed that cannot be read for a while deletes no block, and the next good one writes nothing",
            unreadable().await,
            json!([[241, 241, 241, 241, 241, 241, 241], 0]),
        ),
        (
            "an occurrence that was moved to earlier on its day is blocked once, also after it has passed",
            moved_earlier().await,
            json!([
                [
                    "2026-11-29T21:00:00Z there",
                    "2026-11-30T17:00:00Z there",
                    "2026-12-01T21:00:00Z there",
                    "2026-12-02T21:00:00Z there"
                ],
                0
            ]),
        ),
        ("a feed that is emptied for good loses its blocks in the end", emptied().await, json!(0)),
    ]
}
