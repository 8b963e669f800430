//! The days on which a series recurs.

use jiff::Span;
use jiff::civil::{Date, Weekday};
use serde_json::Value;

use super::refused::Refused;

/// How many days are worked out at the most.
const MOST: usize = 3_000;
/// The names of the days of a week, from Monday on.
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// How a series recurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recurrence {
    pattern: Pattern,
    interval: i64,
    first: Date,
    last: Option<Date>,
    count: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Daily,
    Weekly(Vec<Weekday>),
    Monthly(i8),
}

impl Recurrence {
    /// Reads a `patternedRecurrence`.
    pub(super) fn of(given: &Value) -> Result<Self, Refused> {
        let invalid = |what: &str| Refused::field(format!("The recurrence of the event is invalid: {what}."));
        let (pattern, range) = (&given["pattern"], &given["range"]);
        let date = |value: &Value| value.as_str().and_then(|text| text.parse::<Date>().ok());
        let days = || {
            let names = pattern["daysOfWeek"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let days = names.map(|name| DAYS.iter().position(|day| day.eq_ignore_ascii_case(name)));
            let days = days.map(|at| Weekday::from_monday_zero_offset(i8::try_from(at?).ok()?).ok());
            days.collect::<Option<Vec<Weekday>>>().filter(|days| !days.is_empty())
        };
        Ok(Self {
            pattern: match pattern["type"].as_str() {
                Some("daily") => Pattern::Daily,
                Some("weekly") => Pattern::Weekly(days().ok_or_else(|| invalid("daysOfWeek"))?),
                Some("absoluteMonthly") => {
                    let day = pattern["dayOfMonth"].as_i64().and_then(|day| i8::try_from(day).ok());
                    Pattern::Monthly(day.filter(|day| (1..=31).contains(day)).ok_or_else(|| invalid("dayOfMonth"))?)
                }
                _ => return Err(invalid("the simulator has daily, weekly and absoluteMonthly ones only")),
            },
            interval: pattern["interval"]
                .as_i64()
                .filter(|every| (1..=99).contains(every))
                .ok_or_else(|| invalid("interval"))?,
            first: date(&range["startDate"]).ok_or_else(|| invalid("startDate"))?,
            last: match range["type"].as_str() {
                Some("endDate") => Some(date(&range["endDate"]).ok_or_else(|| invalid("endDate"))?),
                Some("noEnd" | "numbered") => None,
                _ => return Err(invalid("range")),
            },
            count: match range["type"].as_str() {
                Some("numbered") => {
                    let count = range["numberOfOccurrences"].as_u64().and_then(|count| usize::try_from(count).ok());
                    Some(count.filter(|count| *count > 0).ok_or_else(|| invalid("numberOfOccurrences"))?)
                }
                _ => None,
            },
        })
    }

    /// The days from the first one on, before that day.
    pub(super) fn days(&self, before: Date) -> Vec<Date> {
        let (mut days, mut day, mut at) = (Vec::new(), self.first, 0);
        while day < before && self.last.is_none_or(|last| day <= last) && at < MOST {
            if self.is_on(day) {
                days.push(day);
            }
            if self.count.is_some_and(|count| days.len() >= count) {
                break;
            }
            day = day.saturating_add(Span::new().days(1));
            at += 1;
        }
        days
    }

    fn is_on(&self, day: Date) -> bool {
        let since = |from: Date, to: Date| i64::from(from.until(to).map_or(0, |span| span.get_days()));
        match &self.pattern {
            Pattern::Daily => since(self.first, day) % self.interval == 0,
            Pattern::Weekly(days) => {
                let monday =
                    |day: Date| day.saturating_sub(Span::new().days(i64::from(day.weekday().to_monday_zero_offset())));
                days.contains(&day.weekday()) && since(monday(self.first), monday(day)) / 7 % self.interval == 0
            }
            Pattern::Monthly(of_month) => {
                let months = |day: Date| i64::from(day.year()) * 12 + i64::from(day.month());
                let last = day.days_in_month();
                day.day() == (*of_month).min(last) && (months(day) - months(self.first)) % self.interval == 0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_series_recurs_on_the_days_of_its_pattern() {
        let no_end = json!({ "type": "noEnd", "startDate": "2026-11-30" });
        for (pattern, range, expected) in [
            (json!({ "type": "daily", "interval": 5 }), &no_end, "30 05 10 15"),
            (
                json!({ "type": "weekly", "interval": 1, "daysOfWeek": ["monday", "Friday"] }),
                &no_end,
                "30 04 07 11 14 18",
            ),
            (json!({ "type": "weekly", "interval": 2, "daysOfWeek": ["tuesday"] }), &no_end, "01 15"),
            (json!({ "type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31 }), &no_end, "30"),
            (
                json!({ "type": "daily", "interval": 1 }),
                &json!({ "type": "numbered", "startDate": "2026-11-30", "numberOfOccurrences": 3 }),
                "30 01 02",
            ),
            (
                json!({ "type": "daily", "interval": 1 }),
                &json!({ "type": "endDate", "startDate": "2026-11-30", "endDate": "2026-12-01" }),
                "30 01",
            ),
        ] {
            let recurrence = Recurrence::of(&json!({ "pattern": pattern, "range": range })).unwrap();
            let days = recurrence.days("2026-12-20".parse().unwrap());
            let days: Vec<String> = days.iter().map(|day| format!("{:02}", day.day())).collect();
            assert_eq!(days.join(" "), expected, "{pattern}");
        }
        for pattern in [
            json!({ "type": "hourly", "interval": 1 }),
            json!({ "type": "daily", "interval": 0 }),
            json!({ "type": "weekly", "interval": 1, "daysOfWeek": [] }),
            json!({ "type": "weekly", "interval": 1, "daysOfWeek": ["someday"] }),
        ] {
            assert!(Recurrence::of(&json!({ "pattern": pattern, "range": no_end })).is_err(), "{pattern}");
        }
    }
}
