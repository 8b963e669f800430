//! An event in an answer of Google's: its fields, and what they say of its time.

use jiff::Timestamp;
use serde::de::IgnoredAny;

use crate::google_calendar::api::moment::Moment;
use crate::lenient::{Lenient, Object, fields};
use hooktide_model::calendar;

/// The types of events that say where somebody is, or what day it is, and block no time. The others do: `outOfOffice` and
/// `focusTime` are there for it.
const TAKE_NO_TIME: &[&str] = &["workingLocation", "birthday"];
/// The status of an event that is deleted, or of an occurrence that does not take place.
const CANCELLED: &str = "cancelled";
/// The word for what is not certain: the status of an event, or an answer to an invitation.
const TENTATIVE: &str = "tentative";
/// The answer to an invitation that its owner declined.
const DECLINED: &str = "declined";
/// What an invitation has until its owner answers.
const UNANSWERED: &str = "needsAction";

fields! {
    /// An event. A cancelled one may have nothing but its id.
    pub(super) struct Item {
        id: Lenient<String> = "id",
        pub(super) uid: Lenient<String> = "iCalUID",
        pub(super) title: Lenient<String> = "summary",
        pub(super) status: Lenient<String> = "status",
        pub(super) sort: Lenient<String> = "eventType",
        pub(super) transparency: Lenient<String> = "transparency",
        pub(super) visibility: Lenient<String> = "visibility",
        pub(super) recurrence: Lenient<Vec<Lenient<String>>> = "recurrence",
        pub(super) series: Lenient<String> = "recurringEventId",
        pub(super) original: Lenient<Object<Moment>> = "originalStartTime",
        pub(super) start: Lenient<Object<Moment>> = "start",
        pub(super) end: Lenient<Object<Moment>> = "end",
        pub(super) updated: Lenient<Timestamp> = "updated",
        pub(super) attendees: Lenient<Vec<Lenient<Object<Attendee>>>> = "attendees",
        pub(super) properties: Lenient<Object<Properties>> = "extendedProperties",
    }
}

fields! {
    pub(super) struct Attendee {
        is_self: Lenient<bool> = "self",
        response: Lenient<String> = "responseStatus",
    }
}

fields! {
    pub(super) struct Properties {
        private: Lenient<Object<Private>> = "private",
    }
}

fields! {
    /// The properties of the copy that is in this calendar. Guests do not get them.
    struct Private {
        block: Lenient<IgnoredAny> = "hooktide",
    }
}

impl Item {
    /// Its id, if it has one.
    pub(super) fn id(&self) -> Option<&str> {
        let fits = |id: &&str| !id.is_empty() && !id.chars().any(char::is_control);
        self.id.as_ref().map(String::as_str).filter(fits)
    }

    /// The id of a series that is deleted, with all of its occurrences.
    pub(super) fn ended_series(&self) -> Option<&str> {
        self.id().filter(|_| self.is_cancelled() && !self.series.is_there())
    }

    pub(super) fn is_cancelled(&self) -> bool {
        is(&self.status, CANCELLED)
    }

    /// What the calendar's owner answered to the invitation, if it is one.
    pub(super) fn response(&self) -> Option<&str> {
        let attendees = self.attendees.as_ref().into_iter().flatten().filter_map(Lenient::as_ref);
        let own = |attendee: &&Attendee| attendee.is_self.as_ref().is_some_and(|own| *own);
        let own = attendees.map(|Object(attendee)| attendee).find(own);
        own.and_then(|attendee| attendee.response.as_ref()).map(String::as_str)
    }

    /// Whether its time is taken: it is neither cancelled, nor marked as free, nor declined, nor of a type that takes no time.
    pub(super) fn is_busy(&self) -> bool {
        let is_free = is(&self.transparency, "transparent") || TAKE_NO_TIME.iter().any(|sort| is(&self.sort, sort));
        !self.is_cancelled() && !is_free && self.response() != Some(DECLINED)
    }

    /// Whether it takes its time perhaps only: it is tentative, or its owner said "perhaps", or nothing yet.
    pub(super) fn is_tentative(&self) -> bool {
        let is_open = [TENTATIVE, UNANSWERED].into_iter().any(|open| self.response() == Some(open));
        self.is_busy() && (is_open || is(&self.status, TENTATIVE))
    }

    /// Whether it is a block that we made for an event of another calendar. A copy that lost the property has the id still, or
    /// the `UID` that was made of it.
    pub(super) fn is_own_block(&self) -> bool {
        let private = self.properties.as_ref().and_then(|Object(properties)| properties.private.as_ref());
        let is_marked = private.is_some_and(|Object(private)| private.block.is_there());
        is_marked || [&self.id, &self.uid].into_iter().any(|id| id.as_ref().is_some_and(|id| calendar::is_block(id)))
    }
}

fn is(field: &Lenient<String>, text: &str) -> bool {
    field.as_ref().is_some_and(|field| field == text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const KEY: &str = "hooktide0123456789abcdefghijklmnopqr";

    fn item(value: Value) -> Item {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_an_event_says_decides_whether_its_time_is_taken() {
        let of = |response: &str| json!({ "attendees": [{ "responseStatus": "declined" }, 7, { "self": true, "responseStatus": response }] });
        for (value, busy, tentative) in [
            (json!({}), true, false),
            (json!({ "status": "confirmed", "transparency": "opaque", "eventType": "default" }), true, false),
            (json!({ "eventType": "outOfOffice" }), true, false),
            (json!({ "eventType": "focusTime" }), true, false),
            (json!({ "eventType": "fromGmail" }), true, false),
            (json!({ "eventType": "workingLocation" }), false, false),
            (json!({ "eventType": "birthday" }), false, false),
            (json!({ "transparency": "transparent", "status": "tentative" }), false, false),
            (json!({ "status": "cancelled" }), false, false),
            (json!({ "status": "tentative" }), true, true),
            (of("accepted"), true, false),
            (of("tentative"), true, true),
            (of("needsAction"), true, true),
            (of("declined"), false, false),
            (json!({ "attendees": [{ "self": true, "responseStatus": 7.5 }] }), true, false),
            (json!({ "attendees": "many" }), true, false),
        ] {
            let read = item(value.clone());
            assert_eq!((read.is_busy(), read.is_tentative()), (busy, tentative), "{value}");
        }
    }

    #[test]
    fn a_block_of_our_own_is_known_by_its_property_or_by_what_its_names_are_made_of() {
        for (value, expected) in [
            (json!({ "extendedProperties": { "private": { "hooktide": KEY } } }), true),
            (json!({ "extendedProperties": { "private": { "hooktide": [] } } }), true),
            (json!({ "extendedProperties": { "shared": { "hooktide": KEY } } }), false),
            (json!({ "id": KEY }), true),
            (json!({ "id": "a1", "iCalUID": KEY }), true),
            (json!({ "id": "a1", "iCalUID": format!("{KEY}@google.com") }), true),
            (json!({ "id": "hooktide", "iCalUID": "hooktide@example.com" }), false),
            (json!({ "id": "a1", "summary": KEY }), false),
        ] {
            assert_eq!(item(value.clone()).is_own_block(), expected, "{value}");
        }
    }
}
