//! A block as an event of Google's: what is written of it, and what an answer shows.

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::moment::Moment as Given;
use crate::lenient::{Lenient, Object, Unread, fields};
use crate::{Block, Moment, Refusal, There};

/// The fields of a block that answers show.
pub(super) const FIELDS: &str = "id,etag,iCalUID,status,transparency,start,end,recurrence";
/// The longest mark of a state, and the longest `UID`, in bytes.
const LONGEST: usize = 1024;

/// The event that a block is created as.
pub(super) fn created(block: &Block) -> Value {
    let mut event = event(block, |moment| match moment {
        Moment::At(_) => json!({ "dateTime": text(moment) }),
        Moment::Day(_) => json!({ "date": text(moment) }),
    });
    event["id"] = block.key.as_str().into();
    event
}

/// The change that makes an event the block again, whatever became of it. A patch leaves what it does not name, so what a block
/// must not have is named as well.
pub(super) fn changed(block: &Block) -> Value {
    let mut event = event(block, |moment| match moment {
        Moment::At(_) => json!({ "dateTime": text(moment), "date": null }),
        Moment::Day(_) => json!({ "date": text(moment), "dateTime": null, "timeZone": null }),
    });
    event["recurrence"] = Value::Null;
    event
}

fn event(block: &Block, moment: impl Fn(Moment) -> Value) -> Value {
    json!({
        "summary": block.title,
        "start": moment(block.start),
        "end": moment(block.end),
        "status": "confirmed",
        "transparency": "opaque",
        "visibility": "private",
        // What it stands for reminds its owner in its own calendar.
        "reminders": { "useDefault": false, "overrides": [] },
        "extendedProperties": { "private": { "hooktide": block.key } },
    })
}

/// A start or an end as Google keeps it, which is to the second.
fn text(moment: Moment) -> String {
    match moment {
        Moment::At(at) => Timestamp::from_second(at.as_second()).unwrap_or(at).to_string(),
        Moment::Day(day) => day.to_string(),
    }
}

fields! {
    /// The event that an answer shows. A cancelled one may have no times.
    pub(super) struct Shown {
        id: Lenient<String> = "id",
        etag: Lenient<String> = "etag",
        uid: Lenient<String> = "iCalUID",
        status: Lenient<String> = "status",
        transparency: Lenient<String> = "transparency",
        start: Lenient<Object<Given>> = "start",
        end: Lenient<Object<Given>> = "end",
        recurrence: Lenient<IgnoredAny> = "recurrence",
    }
}

impl Shown {
    /// Whether it was deleted.
    pub(super) fn is_cancelled(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status == "cancelled")
    }

    /// The block that it is, by the id that was asked for.
    pub(super) fn there(self, id: &str, block: &Block) -> Result<There, Refusal> {
        if self.id.as_ref().is_none_or(|shown| shown != id) {
            return Err(Refusal::Unreadable("the answer is not the event that was asked for"));
        }
        // Google leaves out what is as usual.
        let is_confirmed = !self.status.is_there() || self.status.as_ref().is_some_and(|status| status == "confirmed");
        let is_free = self.transparency.as_ref().is_some_and(|transparency| transparency == "transparent");
        let recurs = self.recurrence.is_there();
        let is_at = |given: Lenient<Object<Given>>, wanted: Moment| {
            let given = given.read().and_then(|Object(given)| given.when(&mut Unread::default(), ""));
            given.is_some_and(|given| given.text == text(wanted))
        };
        let is_then = is_at(self.start, block.start) && is_at(self.end, block.end);
        let fits =
            |text: &String| (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        Ok(There {
            id: id.to_owned(),
            etag: self.etag.read().filter(fits),
            uid: self.uid.read().filter(fits),
            is_as_wanted: is_then && is_confirmed && !is_free && !recurs,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "hooktide0123456789abcdefghijklmnopqr";

    fn timed() -> Block {
        let at = |text: &str| Moment::At(text.parse().unwrap());
        Block {
            key: KEY.to_owned(),
            start: at("2026-12-01T09:00:00.7Z"),
            end: at("2026-12-01T10:00:00Z"),
            title: "Busy".to_owned(),
        }
    }

    fn days() -> Block {
        let day = |text: &str| Moment::Day(text.parse().unwrap());
        Block { start: day("2026-12-01"), end: day("2026-12-03"), ..timed() }
    }

    #[test]
    fn a_change_names_what_a_block_must_not_have_and_a_creation_has_the_key_as_its_id() {
        assert_eq!(created(&timed())["start"], json!({ "dateTime": "2026-12-01T09:00:00Z" }));
        assert_eq!(created(&days())["end"], json!({ "date": "2026-12-03" }));
        assert_eq!((&created(&days())["id"], changed(&days()).get("id")), (&json!(KEY), None));
        assert_eq!(changed(&timed())["start"], json!({ "dateTime": "2026-12-01T09:00:00Z", "date": null }));
        assert_eq!(changed(&days())["end"], json!({ "date": "2026-12-03", "dateTime": null, "timeZone": null }));
        assert_eq!(changed(&days())["recurrence"], Value::Null);
    }

    #[test]
    fn a_block_is_as_wanted_at_its_time_taken_and_once() {
        let time = |time: &str| json!({ "dateTime": time, "timeZone": "Europe/Vienna" });
        let good = json!({
            "id": KEY,
            "etag": "\"7\"",
            "iCalUID": format!("{KEY}@google.com"),
            "status": "confirmed",
            "start": time("2026-12-01T10:00:00+01:00"),
            "end": time("2026-12-01T11:00:00+01:00"),
        });
        let day = |day: &str| json!({ "date": day });
        for (block, name, value, expected) in [
            (timed(), "transparency", json!("opaque"), true),
            (timed(), "status", Value::Null, false),
            (timed(), "transparency", json!("transparent"), false),
            (timed(), "status", json!("tentative"), false),
            (timed(), "status", json!("cancelled"), false),
            (timed(), "recurrence", json!(["RRULE:FREQ=DAILY"]), false),
            (timed(), "start", time("2026-12-01T10:00:00+02:00"), false),
            (timed(), "end", json!(7), false),
            (timed(), "start", day("2026-12-01"), false),
            (days(), "summary", json!("Busy"), false),
        ] {
            let mut event = good.clone();
            event[name] = value.clone();
            let shown: Shown = serde_json::from_value(event).unwrap();
            let there = shown.there(KEY, &block).unwrap();
            assert_eq!(there.is_as_wanted, expected, "{name} {value}");
            assert_eq!(there.etag.as_deref(), Some("\"7\""));
        }
        let of_days = json!({ "id": KEY, "start": day("2026-12-01"), "end": day("2026-12-03"), "etag": "a\nb" });
        let shown: Shown = serde_json::from_value(of_days).unwrap();
        let there = shown.there(KEY, &days()).unwrap();
        assert_eq!((there.is_as_wanted, there.etag), (true, None), "a mark that no header can have is none");
        let other: Shown = serde_json::from_value(good).unwrap();
        assert!(matches!(other.there("another", &timed()), Err(Refusal::Unreadable(_))));
    }
}
