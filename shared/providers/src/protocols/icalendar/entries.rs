//! The entries of a calendar: events with all that belongs to them.

use std::collections::BTreeMap;

use hooktide_model::calendar::{CalendarEvent, Occurrence};
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::components::Component;
use super::event::{self, Piece};
use super::zones::Zones;
use super::{Context, Entry, MOST_EVENTS, TOO_MANY};
use crate::recurrence::{Rule, text};
use crate::{Moment, zones};

/// How many exceptions of a series are kept, the latest.
const MOST_EXCEPTIONS: usize = 1_000;

/// What a calendar has of one identifier.
#[derive(Default)]
struct Gathered {
    /// The newest event that recurs.
    series: Option<Piece>,
    /// Those that do not recur, by their starts: the newest of each.
    singles: BTreeMap<Moment, Piece>,
    /// By their starts, and whether they hold for all later ones as well.
    exceptions: BTreeMap<(Moment, bool), Piece>,
    wrong: Option<&'static str>,
    unread: Vec<&'static str>,
}

/// The entries of a calendar's events, in the order of their identifiers.
pub(super) fn entries(components: Vec<Component>, known: &Zones, context: &Context<'_>) -> Vec<Entry> {
    let mut found: BTreeMap<String, Gathered> = BTreeMap::new();
    for (index, component) in components.into_iter().enumerate() {
        let properties = event::of(&component);
        let is_exception = event::has(&properties, "RECURRENCE-ID");
        let (uid, piece) = match event::uid(&component, &properties) {
            Err(uid) => (uid, Err("its identifier is too long, or odd")),
            Ok(uid) if index >= MOST_EVENTS => (uid, Err(TOO_MANY)),
            Ok(uid) => (uid, event::piece(component, &properties, known, context)),
        };
        let gathered = found.entry(uid).or_default();
        match piece {
            Ok(piece) => gathered.take(piece),
            // What cannot be read of an exception costs the series nothing else.
            Err(wrong) if is_exception => gathered.unread.push(wrong),
            Err(wrong) => gathered.wrong = Some(wrong),
        }
    }
    found.into_iter().map(|(uid, gathered)| gathered.entry(uid, context)).collect()
}

impl Gathered {
    /// Takes one more piece. Where one of its kind and its start is there already, the newer stays.
    fn take(&mut self, piece: Piece) {
        match piece.original {
            None => self.take_whole(piece),
            Some(original) => self.take_exception(original, piece),
        }
    }

    fn take_exception(&mut self, original: Moment, piece: Piece) {
        let name = (original, piece.following);
        if self.exceptions.get(&name).is_none_or(|there| age(&piece) >= age(there)) {
            self.exceptions.insert(name, piece);
        }
    }

    fn take_whole(&mut self, piece: Piece) {
        let is_newer = |there: Option<&Piece>| there.is_none_or(|there| age(&piece) >= age(there));
        match piece.start.filter(|_| piece.lines.is_empty()) {
            Some(start) if is_newer(self.singles.get(&start)) => {
                self.singles.insert(start, piece);
            }
            None if is_newer(self.series.as_ref()) => self.series = Some(piece),
            _ => {}
        }
    }

    /// Decides which events count. Of one that recurs and those that do not, the newer has replaced the older; where neither
    /// says that it is, all count. Those that do not recur are then what exceptions are, with or without their series.
    fn settle(&mut self) {
        if let Some(series) = self.series.take() {
            let own = revision(&series);
            if self.singles.values().all(|single| revision(single) <= own) {
                self.singles.retain(|_, single| revision(single) == own);
                self.series = Some(series);
            }
        }
        if self.series.is_none() && self.singles.len() == 1 {
            self.series = self.singles.pop_first().map(|(_, single)| single);
        }
        for (start, single) in std::mem::take(&mut self.singles) {
            self.exceptions.entry((start, false)).or_insert(single);
        }
    }

    /// Names the exceptions of a series of days by their days, whether or not they name a time.
    fn name_by_days(&mut self) {
        let start = self.series.as_ref().and_then(|series| series.start);
        if !matches!(start, Some(Moment::Day(_))) {
            return;
        }
        for ((original, _), exception) in std::mem::take(&mut self.exceptions) {
            let day = exception.original_day.map_or(original, Moment::Day);
            self.take_exception(day, exception);
        }
    }

    /// Leaves out the exceptions that something newer has replaced.
    fn revise(&mut self) {
        let ranges: Vec<(Moment, Age)> = self
            .exceptions
            .iter()
            .filter(|((_, following), _)| *following)
            .map(|((from, _), it)| (*from, age(it)))
            .collect();
        for (from, newer) in ranges {
            if self.exceptions.get(&(from, false)).is_some_and(|single| age(single) < newer) {
                self.exceptions.remove(&(from, false));
            }
        }
        let Some(series) = &self.series else { return };
        let revised = Revised::of(series);
        let mut holes = Vec::new();
        self.exceptions.retain(|(original, following), exception| match revised.has_withdrawn(exception, *original) {
            None => true,
            // What follows a start that is left out goes on as it was changed.
            Some(Withdrawn::Alone) if *following => {
                holes.push(*original);
                true
            }
            Some(Withdrawn::Alone | Withdrawn::WithAllLater) => false,
        });
        for original in holes {
            self.exceptions
                .entry((original, false))
                .or_insert_with(|| Piece { original: Some(original), ..Piece::default() });
        }
    }

    fn entry(mut self, uid: String, context: &Context<'_>) -> Entry {
        self.settle();
        self.name_by_days();
        self.revise();
        if self.series.is_none() && self.exceptions.values().any(|exception| exception.following) {
            self.unread.push("what follows an exception whose series is missing");
        }
        let pieces = || self.series.iter().chain(self.exceptions.values());
        let last_modified = pieces().filter_map(|piece| piece.modified).max();
        let changed = last_modified.or_else(|| pieces().filter_map(|piece| piece.stamp).max());
        let sequence = pieces().filter_map(|piece| piece.sequence).max();
        let mut unread: Vec<&'static str> = pieces().flat_map(|piece| piece.unread.clone()).collect();
        unread.append(&mut self.unread);
        let is_empty = self.series.is_none() && self.exceptions.is_empty();
        // Where the same identifier is there once more, and odd, the other is not known to be the newer one.
        let event = match self.wrong.or_else(|| unread.first().copied().filter(|_| is_empty)) {
            None => {
                let updated_at = changed.unwrap_or(context.now).to_string();
                Ok(self.document(&uid, context, updated_at, &mut unread))
            }
            Some(wrong) => Err(wrong),
        };
        unread.sort_unstable();
        unread.dedup();
        Entry { uid, event, last_modified, sequence, unread }
    }

    fn document(
        self,
        uid: &str,
        context: &Context<'_>,
        updated_at: String,
        unread: &mut Vec<&'static str>,
    ) -> CalendarEvent {
        let Self { series, exceptions, .. } = self;
        let length = exceptions.len();
        if length > MOST_EXCEPTIONS {
            unread.push("its earliest exceptions, which are too many");
        }
        let first = exceptions.values().next().cloned().unwrap_or_default();
        let skipped = length.saturating_sub(MOST_EXCEPTIONS);
        // The last that holds for all later ones holds for those that are kept.
        let holding = exceptions.iter().take(skipped).rfind(|((_, following), _)| *following);
        let kept = holding.into_iter().chain(exceptions.iter().skip(skipped));
        let occurrences: Vec<Occurrence> = kept.map(|((original, _), piece)| occurrence(*original, piece)).collect();
        // Days that have become times recur by the clock of these.
        let of_times = exceptions.values().filter(|piece| piece.following).find_map(|piece| piece.zone.clone());
        let has_series = series.is_some();
        let busy = occurrences.iter().any(|occurrence| occurrence.busy);
        // Exceptions without their series are all that the owner was invited to.
        let whole = series.unwrap_or_else(|| Piece { start: None, end: None, lines: Vec::new(), ..first.clone() });
        CalendarEvent {
            id: uid.to_owned(),
            calendar: context.calendar.to_owned(),
            uid: Some(uid.to_owned()),
            title: whole.title,
            series: None,
            recurrence: whole.lines,
            occurrences,
            original_start: None,
            all_day: matches!(whole.start.or(first.start), Some(Moment::Day(_))),
            start: whole.start.map(text),
            end: whole.end.map(text),
            time_zone: whole.zone.or(of_times),
            status: whole.busy.status,
            busy: if has_series { whole.busy.busy } else { busy },
            tentative: whole.busy.tentative,
            response: whole.busy.response,
            event_type: whole.busy.outlook,
            visibility: whole.visibility,
            own_block: whole.own_block || first.own_block,
            updated_at,
        }
    }
}

/// How new a piece is, by what its writer says.
type Age = (i64, Option<Timestamp>, Option<Timestamp>);

fn age(piece: &Piece) -> Age {
    (piece.sequence.unwrap_or_default(), piece.modified, piece.stamp)
}

/// Which revision of an event its writer says that a piece is; when it was written says less.
fn revision(piece: &Piece) -> (i64, Option<Timestamp>) {
    (piece.sequence.unwrap_or_default(), piece.modified)
}

/// What a series has no more.
enum Withdrawn {
    /// One start.
    Alone,
    /// One start, and all after it.
    WithAllLater,
}

/// A series that may have been revised since its exceptions were made.
struct Revised<'a> {
    series: &'a Piece,
    zone: TimeZone,
    /// The rules by which it takes place; none where something else does so too, which has no end that is known.
    rules: Option<Vec<Rule>>,
}

impl<'a> Revised<'a> {
    fn of(series: &'a Piece) -> Self {
        let zone = series.zone.as_deref().and_then(zones::by_name).unwrap_or(TimeZone::UTC);
        let adding = series.lines.iter().filter(|line| line.starts_with("RRULE:") || line.starts_with("RDATE"));
        let rules = adding.map(|line| Rule::read(line.strip_prefix("RRULE:")?).ok()).collect();
        Self { series, zone, rules }
    }

    /// What it has no more of an exception: it ends before, or leaves that start out.
    fn has_withdrawn(&self, exception: &Piece, original: Moment) -> Option<Withdrawn> {
        let sequence = |piece: &Piece| piece.sequence.unwrap_or_default();
        let age = sequence(exception).cmp(&sequence(self.series));
        if age.is_lt() && self.has_ended(original) {
            return Some(Withdrawn::WithAllLater);
        }
        // A day that is left out means whatever starts on it.
        let day = match original {
            Moment::At(at) => self.zone.to_datetime(at).date(),
            Moment::Day(day) => day,
        };
        let is_left_out = [original, Moment::Day(day)].iter().any(|one| self.series.left_out.contains(one));
        (age.is_le() && is_left_out).then_some(Withdrawn::Alone)
    }

    fn has_ended(&self, original: Moment) -> bool {
        let (clock, at) = match original {
            Moment::At(at) => (self.zone.to_datetime(at), Some(at)),
            Moment::Day(day) => (day.to_datetime(Time::midnight()), None),
        };
        let rules = self.rules.as_ref().filter(|_| !self.series.lines.is_empty());
        rules.is_some_and(|rules| rules.iter().all(|rule| rule.has_ended(clock, at, &self.zone)))
    }
}

fn occurrence(original: Moment, piece: &Piece) -> Occurrence {
    let place = |moment: Option<Moment>| moment.filter(|_| piece.busy.takes_place).map(text);
    Occurrence {
        id: None,
        original_start: Some(text(original)),
        start: place(piece.start),
        end: place(piece.end),
        busy: piece.busy.busy,
        tentative: piece.busy.tentative,
        following: piece.following,
    }
}
