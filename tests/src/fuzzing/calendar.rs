//! Fuzzing of iCalendar: every text is read, and every event of it expanded.

use hooktide_providers::{Instances, Moment, icalendar, instances};
use jiff::Timestamp;

use super::attempt::clock;

/// Texts to begin with: each has what the others lack.
const SEEDS: &[(&str, &str)] = &[
    ("series", include_str!("calendars/series.ics")),
    ("zone", include_str!("calendars/zone.ics")),
    ("days", include_str!("calendars/days.ics")),
    ("range", include_str!("calendars/range.ics")),
    ("odd", include_str!("calendars/odd.ics")),
];
/// The parts of rules and of properties that texts are made of, beside the words of the seeds.
const WORDS: &str = "YEARLY MONTHLY WEEKLY DAILY HOURLY MINUTELY SECONDLY BYMONTH= BYWEEKNO= BYYEARDAY= BYMONTHDAY= BYDAY= BYHOUR= \
    BYMINUTE= BYSECOND= BYSETPOS= INTERVAL= COUNT= UNTIL= WKST= ;RANGE=THISANDFUTURE ;VALUE=DATE ;VALUE=PERIOD ;TZID= EXRULE: RDATE \
    EXDATE RECURRENCE-ID DURATION:PT1H 99991231T235959Z 00010101T000000 20260329T023000 20261025T023000";
/// The most instances that a window has of one event.
const MOST: usize = 1_000;
/// The longest reason, in bytes: these are our own texts, and quote nothing.
const LONGEST_REASON: usize = 200;
/// How many times the size of its text all documents may grow to, and what those of a small one may grow to.
const GROWTH: (usize, usize) = (64, 64 * 1_024);

/// The reading of calendars.
pub struct CalendarTarget;

impl CalendarTarget {
    pub(super) fn seeds() -> Vec<(String, Vec<u8>)> {
        let seeds = SEEDS.iter().map(|(name, text)| ((*name).to_owned(), text.replace('\n', "\r\n").into_bytes()));
        seeds.collect()
    }

    pub(super) fn words() -> impl Iterator<Item = String> {
        let of_seeds = SEEDS.iter().flat_map(|(_, text)| text.split(['\n', ':', ';', '=']));
        WORDS.split(' ').chain(of_seeds).map(|word| word.trim().to_owned())
    }

    pub(super) fn examine(input: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(input);
        let now = clock(None);
        let own = ["anna@example.com".to_owned()];
        let context = icalendar::Context {
            calendar: "c",
            zone: Some("Europe/Berlin"),
            own_addresses: &own,
            share_titles: true,
            now,
        };
        let read = icalendar::read(&text, &context);
        if read != icalendar::read(&text, &context) {
            return Err("the same text is read in two ways".to_owned());
        }
        if icalendar::normalised(&text) != icalendar::normalised(&text) {
            return Err("the same text has two normal forms".to_owned());
        }
        let entries = match read {
            Ok(entries) => entries,
            Err(why) => return reason(why),
        };
        let mut told = 0;
        for entry in entries {
            entry.unread.iter().try_for_each(|unread| reason(unread))?;
            let event = match entry.event {
                Ok(event) => event,
                Err(why) => {
                    reason(why)?;
                    continue;
                }
            };
            let document = serde_json::to_vec(&event).map_err(|fault| fault.to_string())?;
            told += document.len();
            if serde_json::from_slice(&document).ok().as_ref() != Some(&event) {
                return Err(format!("the event {:?} is another one once it was stored", entry.uid));
            }
            let year = jiff::SignedDuration::from_hours(24 * 366);
            for window in [(now, now + year), (now - year, now), (Timestamp::MIN, Timestamp::MAX)] {
                checked(&instances(&event, &[], window, "America/New_York"))?;
            }
        }
        let most = GROWTH.1.max(GROWTH.0 * input.len());
        if told > most { Err(format!("{told} bytes are told by a text of {}", input.len())) } else { Ok(()) }
    }
}

fn checked(found: &Instances) -> Result<(), String> {
    if found.list.len() > MOST {
        return Err(format!("{} instances in one window", found.list.len()));
    }
    found.unread.map_or(Ok(()), reason)?;
    let is_backward = |start: Moment, end: Moment| match (start, end) {
        (Moment::At(start), Moment::At(end)) => end < start,
        (Moment::Day(start), Moment::Day(end)) => end < start,
        _ => false,
    };
    match found.list.iter().find(|one| is_backward(one.start, one.end) || one.original.is_empty()) {
        Some(odd) => Err(format!("an instance that is none: {odd:?}")),
        None => Ok(()),
    }
}

fn reason(why: &str) -> Result<(), String> {
    if (1..=LONGEST_REASON).contains(&why.len()) { Ok(()) } else { Err(format!("a reason of {} bytes", why.len())) }
}
