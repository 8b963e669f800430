//! Single members of a calendar: got, put and deleted, on conditions.

use http::header::{CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderName, Method};

use super::collection::{Resource, text};
use super::{Account, Answered, Call, Refused, no, refused};
use crate::simulator::ical;
use crate::simulator::plain::{answer as plain, with};

impl Account {
    pub(super) fn resource(&mut self, call: &Call<'_>, (id, name): (&str, &str)) -> Answered {
        let of = self.calendars.get(id).ok_or_else(|| no(404, ""))?;
        let member = of.members.get(name).cloned();
        match *call.request.method() {
            Method::GET => {
                let member = member.ok_or_else(|| no(404, ""))?;
                let answer = with(plain(200, &member.text), CONTENT_TYPE, "text/calendar; charset=utf-8");
                Ok(with(answer, ETAG, &member.etag()))
            }
            Method::PUT => self.put(call, (id, name), member.as_ref()),
            Method::DELETE => {
                check(call, member.as_ref())?;
                let was_there = self.calendars.get_mut(id).is_some_and(|of| of.remove(name));
                if was_there { Ok(plain(204, "")) } else { Err(no(404, "")) }
            }
            _ => Err(no(405, "")),
        }
    }

    /// Keeps a text, with its properties in another order.
    fn put(&mut self, call: &Call<'_>, (id, name): (&str, &str), member: Option<&Resource>) -> Answered {
        check(call, member)?;
        let kind = call.request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("text/calendar") {
            return Err(refused(403, "<cal:supported-calendar-data/>"));
        }
        let given = std::str::from_utf8(call.request.body()).map_err(|_| no(400, ""))?;
        let kept = kept(given).ok_or_else(|| refused(403, "<cal:valid-calendar-data/>"))?;
        let taken = self.calendars.iter().flat_map(|(other, of)| of.members.iter().map(move |member| (other, member)));
        let mut taken = taken.filter(|(other, (at, _))| !(other.as_str() == id && at.as_str() == name));
        let uid = Resource::uid_of(&kept);
        if taken.any(|(_, (_, member))| member.uid == uid) || member.is_some_and(|member| member.uid != uid) {
            return Err(refused(409, "<cal:no-uid-conflict/>"));
        }
        let of = self.calendars.get_mut(id).ok_or_else(|| no(404, ""))?;
        of.put(name, kept);
        let answer = plain(if member.is_some() { 204 } else { 201 }, "");
        let etag = of.members.get(name).map(Resource::etag).filter(|_| self.habits.has("etag-on-put"));
        Ok(etag.into_iter().fold(answer, |answer, etag| with(answer, ETAG, &etag)))
    }
}

/// Refuses a write whose condition is not met. `If-Match: *` works backwards here, as it does at iCloud.
fn check(call: &Call<'_>, member: Option<&Resource>) -> Result<(), Refused> {
    let header = |name: HeaderName| call.request.headers().get(name).and_then(|value| value.to_str().ok());
    let fails = match (header(IF_MATCH), header(IF_NONE_MATCH)) {
        (Some("*"), _) => member.is_some(),
        (Some(etag), _) => member.is_none_or(|member| member.etag() != etag),
        (None, Some("*")) => member.is_some(),
        (None, Some(etag)) => member.is_some_and(|member| member.etag() == etag),
        (None, None) => false,
    };
    if fails { Err(no(412, "")) } else { Ok(()) }
}

/// A text as it is kept: every event with a `UID`, the same in all, a start, and an end or a duration. `None` where it is not so.
fn kept(given: &str) -> Option<String> {
    let given = given.trim();
    let is_whole = given.starts_with("BEGIN:VCALENDAR") && given.ends_with("END:VCALENDAR");
    let mut events = ical::components(given, "VEVENT");
    let uid = ical::value(events.first().filter(|_| is_whole)?, "UID")?.to_owned();
    let fits = |lines: &Vec<String>| {
        let has = |name: &str| ical::value(lines, name).is_some();
        ical::value(lines, "UID") == Some(&uid) && has("DTSTAMP") && has("DTSTART") && (has("DTEND") || has("DURATION"))
    };
    if !events.iter().all(fits) {
        return None;
    }
    for lines in &mut events {
        lines.sort();
    }
    Some(text(&events.iter().map(|lines| ical::event(lines)).collect::<String>()))
}
