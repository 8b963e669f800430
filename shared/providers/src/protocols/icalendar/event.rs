//! One `VEVENT`: an event, a series, or an exception of one.

use std::collections::BTreeSet;

use hooktide_model::calendar::is_block;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use sha1::{Digest, Sha1};

use super::Context;
use super::block::MARKER;
use super::busy::{Busy, busy, text};
use super::components::Component;
use super::lines::lines;
use super::parsed::{Content, Property, properties, value};
use super::zones::{When, Zones};
use crate::{Moment, zones};

/// The longest identifier, in bytes: it becomes part of a key.
const LONGEST_UID: usize = 400;
/// The longest title, in letters.
const LONGEST_TITLE: usize = 500;

/// What a `VEVENT` says.
#[derive(Debug, Default, Clone)]
pub(super) struct Piece {
    /// The start that the series gives an exception.
    pub(super) original: Option<Moment>,
    /// The day that this names in a series of days.
    pub(super) original_day: Option<Date>,
    /// Whether an exception holds for all later starts of the series as well.
    pub(super) following: bool,
    pub(super) start: Option<Moment>,
    pub(super) end: Option<Moment>,
    /// The IANA name of the zone by whose clock it recurs.
    pub(super) zone: Option<String>,
    pub(super) lines: Vec<String>,
    /// The starts that its lines leave out.
    pub(super) left_out: BTreeSet<Moment>,
    pub(super) title: Option<String>,
    pub(super) visibility: Option<String>,
    pub(super) busy: Busy,
    pub(super) own_block: bool,
    pub(super) sequence: Option<i64>,
    pub(super) modified: Option<Timestamp>,
    pub(super) stamp: Option<Timestamp>,
    pub(super) unread: Vec<&'static str>,
}

impl Piece {
    /// Notes what could not be read, once.
    pub(super) fn note(&mut self, what: &'static str) {
        if !self.unread.contains(&what) {
            self.unread.push(what);
        }
    }
}

/// The identifier of an event. One without is known by what it says.
pub(super) fn uid(component: &Component, properties: &[Property]) -> Result<String, String> {
    let named = text(properties, "UID").map(str::trim).filter(|uid| !uid.is_empty());
    let digest = |text: &str| data_encoding::HEXLOWER.encode(&Sha1::digest(text));
    match named {
        Some(uid) if uid.len() > LONGEST_UID || uid.chars().any(char::is_control) => {
            Err(format!("odd-{}", digest(uid)))
        }
        Some(uid) => Ok(uid.to_owned()),
        None => {
            let lines =
                component.lines.lines().filter(|line| !line.starts_with("DTSTAMP") && !line.starts_with("LAST-"));
            Ok(format!("unnamed-{}", digest(&lines.collect::<Vec<_>>().join("\n"))))
        }
    }
}

/// Reads an event; an error names what it cannot do without.
pub(super) fn piece(
    component: Component,
    properties: &[Property],
    zones: &Zones,
    context: &Context<'_>,
) -> Result<Piece, &'static str> {
    if component.is_too_long {
        return Err("one of its lines is too long");
    }
    let mut piece = Piece {
        busy: busy(properties, context),
        title: title(properties).filter(|_| context.share_titles),
        visibility: text(properties, "CLASS").map(str::to_ascii_lowercase),
        own_block: properties.iter().any(|property| property.name == MARKER)
            || text(properties, "UID").is_some_and(|uid| is_block(uid.trim())),
        sequence: number(properties, "SEQUENCE"),
        modified: stamp(properties, "LAST-MODIFIED"),
        stamp: stamp(properties, "DTSTAMP"),
        ..Piece::default()
    };
    let original = time(properties, "RECURRENCE-ID", zones, &mut piece);
    if has(properties, "RECURRENCE-ID") && original.is_none() {
        return Err("the start that it replaces cannot be read");
    }
    piece.following = properties.iter().any(|property| property.name == "RECURRENCE-ID" && property.has_range);
    let start = time(properties, "DTSTART", zones, &mut piece).or_else(|| original.clone()).ok_or("it has no start")?;
    piece.original = original.map(|original| original.moment);
    piece.original_day = value(properties, "RECURRENCE-ID").and_then(Content::time).map(|time| zones.day_of(time));
    piece.start = Some(start.moment);
    piece.end = end(properties, &start, zones, &mut piece);
    piece.lines = lines(component.rules, properties, zones, &mut piece)?;
    piece.zone = start.zone;
    Ok(piece)
}

/// The properties of an event.
pub(super) fn of(component: &Component) -> Vec<Property> {
    properties(&component.lines)
}

/// Whether an event has a property.
pub(super) fn has(properties: &[Property], name: &str) -> bool {
    properties.iter().any(|property| property.name == name)
}

/// The end. What has none lasts as long as it says, a day, or no time.
fn end(properties: &[Property], start: &When, zones: &Zones, piece: &mut Piece) -> Option<Moment> {
    let lasting = value(properties, "DURATION").and_then(Content::lasting);
    let end = match (time(properties, "DTEND", zones, piece), start.moment) {
        (Some(end), start) => same_form(&end, start, zones),
        (None, Moment::At(at)) => after(at, start, lasting.unwrap_or_default()).map(Moment::At),
        (None, Moment::Day(day)) => {
            let span = lasting.unwrap_or_else(|| Span::new().days(1));
            day.checked_add(span).ok().map(Moment::Day)
        }
    };
    if end.is_none() {
        piece.note("its end");
    }
    let end = end.unwrap_or(start.moment);
    if end < start.moment {
        piece.note("its end, which is before its start");
    }
    Some(match start.moment {
        Moment::Day(day) => end.max(Moment::Day(day.tomorrow().unwrap_or(day))),
        Moment::At(_) => end.max(start.moment),
    })
}

/// The time after a span, whose days are those of the start's zone.
fn after(at: Timestamp, start: &When, span: Span) -> Option<Timestamp> {
    let zone = start.zone.as_deref().and_then(zones::by_name)?;
    at.to_zoned(zone).checked_add(span).ok().map(|end| end.timestamp())
}

/// An end in the form of its start: a day, or a time. A day of which a part is taken is taken.
fn same_form(end: &When, start: Moment, zones: &Zones) -> Option<Moment> {
    Some(match (end.moment, start) {
        (Moment::Day(day), Moment::At(_)) => Moment::At(zones.midnight(day)),
        (Moment::At(_), Moment::Day(_)) => {
            let day = end.written.date();
            Moment::Day(if end.written.time() == Time::midnight() { day } else { day.tomorrow().ok()? })
        }
        (end, _) => end,
    })
}

/// The first time of a property, if it has one.
fn time(properties: &[Property], name: &'static str, zones: &Zones, piece: &mut Piece) -> Option<When> {
    let property = properties.iter().find(|property| property.name == name)?;
    let Some(time) = property.values.first().and_then(Content::time) else {
        piece.note(name);
        return None;
    };
    let when = zones.zone(property.zone.as_deref()).when(time);
    if when.is_odd {
        piece.note("a time zone that is unknown");
    }
    Some(when)
}

fn number(properties: &[Property], name: &str) -> Option<i64> {
    match value(properties, name)? {
        Content::Number(number) => Some(*number),
        other => other.text()?.trim().parse().ok(),
    }
}

/// A time at which something was written; one without a zone is taken for UTC, as the standard wants it.
fn stamp(properties: &[Property], name: &str) -> Option<Timestamp> {
    value(properties, name)?.time()?.at(&TimeZone::UTC)
}

fn title(properties: &[Property]) -> Option<String> {
    let title: String = text(properties, "SUMMARY")?.trim().chars().take(LONGEST_TITLE).collect();
    (!title.is_empty()).then_some(title)
}
