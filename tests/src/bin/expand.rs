//! Expands calendars: reads a line of JSON for each, `{"ics": .., "from": .., "to": .., "zone": ..}`, and answers with a line
//! that has the instances of its events in that window, in order, and what could not be read.

#![expect(clippy::print_stdout, reason = "a command prints")]

use std::io::{self, BufRead};

use hooktide_providers::{Moment, icalendar, instances};
use jiff::Timestamp;
use serde_json::{Value, json};

fn main() {
    for line in io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        println!("{}", expanded(&asked));
    }
}

fn expanded(asked: &Value) -> Value {
    let text = |name: &str| asked[name].as_str().unwrap_or_else(|| panic!("{name} is no text"));
    let at = |name: &str| text(name).parse::<Timestamp>().expect("a time");
    let (from, to, zone) = (at("from"), at("to"), text("zone"));
    let context =
        icalendar::Context { calendar: "c", zone: Some(zone), own_addresses: &[], share_titles: true, now: from };
    let entries = match icalendar::read(text("ics"), &context) {
        Ok(entries) => entries,
        Err(wrong) => return json!({ "wrong": wrong }),
    };
    let (mut list, mut unread, mut cut) = (Vec::new(), Vec::new(), false);
    for entry in entries {
        unread.extend(entry.unread.iter().map(|unread| format!("{}: {unread}", entry.uid)));
        let event = match entry.event {
            Ok(event) => event,
            Err(wrong) => {
                unread.push(format!("{}: {wrong}", entry.uid));
                continue;
            }
        };
        let found = instances(&event, &[], (from, to), zone);
        cut |= found.cut;
        unread.extend(found.unread.map(|unread| format!("{}: {unread}", entry.uid)));
        list.extend(found.list.into_iter().map(|instance| {
            let original = Some(&instance.original);
            let is_exception =
                event.occurrences.iter().any(|occurrence| occurrence.original_start.as_ref() == original);
            json!({
                "uid": entry.uid,
                "start": shown(instance.start),
                "end": shown(instance.end),
                "original": instance.original,
                // Exceptions that do not take place are not among the instances.
                "cancelled": event.status.as_deref() == Some("cancelled") && !is_exception,
            })
        }));
    }
    json!({ "instances": list, "unread": unread, "cut": cut })
}

fn shown(moment: Moment) -> String {
    match moment {
        Moment::At(at) => at.to_string(),
        Moment::Day(day) => day.to_string(),
    }
}
