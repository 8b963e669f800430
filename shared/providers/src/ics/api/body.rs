//! The body of a feed: whether it is a whole calendar, and which one of those that were read before.

use std::borrow::Cow;

use data_encoding::BASE64URL_NOPAD;
use hooktide_model::signing;

use crate::protocols::icalendar;
use crate::{Answer, Part, Refusal};

/// How many events a feed has at the most.
pub(super) const MOST_EVENTS: usize = 20_000;

/// The text of a feed. An answer that does not begin and end as a calendar does is none, or is cut off: nothing may be taken for
/// deleted because of it.
pub(super) fn text(answer: &Answer) -> Result<Cow<'_, str>, Refusal> {
    let text = String::from_utf8_lossy(answer.body());
    let trimmed = text.trim_start_matches('\u{feff}').trim();
    let is = |part: Option<&str>, expected: &str| part.is_some_and(|part| part.eq_ignore_ascii_case(expected));
    const BEGINS: &str = "BEGIN:VCALENDAR";
    const ENDS: &str = "END:VCALENDAR";
    if trimmed.is_empty() {
        return Err(Refusal::Unreadable("the feed is empty, not even a calendar without events; nothing is deleted"));
    }
    if !is(trimmed.get(..BEGINS.len()), BEGINS) {
        return Err(Refusal::Unreadable(
            "what is at the feed's address is no calendar (it does not begin with BEGIN:VCALENDAR): see in a browser whether it \
             is a page, or asks for a login",
        ));
    }
    let end = trimmed.len().checked_sub(ENDS.len()).and_then(|at| trimmed.get(at..));
    if !is(end, ENDS) {
        return Err(Refusal::Unreadable("the feed is cut off: it does not end with END:VCALENDAR; nothing is deleted"));
    }
    Ok(text)
}

/// A hash of what a feed says, without what changes with every answer.
pub(super) fn hash(text: &str) -> String {
    let digest = signing::sha256(&[icalendar::normalised(text).as_bytes()]);
    BASE64URL_NOPAD.encode(&digest[..16])
}

/// The name that a feed gives itself, as most do although no standard says how.
pub(super) fn name(text: &str) -> Option<String> {
    let named = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let name = name.split(';').next().unwrap_or_default();
        let is_name = name.eq_ignore_ascii_case("X-WR-CALNAME") || name.eq_ignore_ascii_case("NAME");
        is_name.then(|| value.trim().replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\"))
    };
    let head = text.lines().take_while(|line| !line.eq_ignore_ascii_case("BEGIN:VEVENT"));
    Part::shown_name(&head.filter_map(named).next()?)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const WHOLE: &str = "BEGIN:VCALENDAR\r\nPRODID:a\r\nX-WR-CALNAME;X=1:Tea\\, and cake\r\nBEGIN:VEVENT\r\nUID:1\r\n\
                         DTSTAMP:20261101T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn answer(body: &str) -> Answer {
        Answer::new(Bytes::from(body.to_owned()))
    }

    #[test]
    fn only_a_whole_calendar_is_read() {
        for whole in [WHOLE, &format!("\u{feff}\n{WHOLE}\n\n"), "begin:vcalendar\nend:vcalendar"] {
            assert!(text(&answer(whole)).is_ok(), "{whole}");
        }
        for (body, why) in [
            ("", "is empty"),
            (" \r\n", "is empty"),
            ("<html><body>Sign in</body></html>", "no calendar"),
            (&WHOLE[1..], "no calendar"),
            (&WHOLE[..WHOLE.len() - 3], "cut off"),
            (&WHOLE[..40], "cut off"),
            ("BEGIN:VCALENDAR", "cut off"),
            ("BEGIN:VCALENDÄR", "no calendar"),
        ] {
            let answer = answer(body);
            let Err(Refusal::Unreadable(said)) = text(&answer) else { panic!("{body}") };
            assert!(said.contains(why), "{body}: {said}");
        }
    }

    #[test]
    fn a_feed_is_the_same_whenever_it_was_made() {
        let other = WHOLE.replace("20261101", "20261102").replace("PRODID:a", "PRODID:b");
        assert_eq!(hash(WHOLE), hash(&other));
        assert_ne!(hash(WHOLE), hash(&WHOLE.replace("UID:1", "UID:2")));
        assert_eq!(name(WHOLE).as_deref(), Some("Tea, and cake"));
        assert_eq!(name("BEGIN:VCALENDAR\nBEGIN:VEVENT\nNAME:x\n"), None);
    }
}
