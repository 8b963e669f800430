//! The syntax of searches, as far as it is used: terms of a field, a comparator and a value, joined by `AND`.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A term.
#[derive(Debug, Clone, PartialEq)]
struct Term {
    field: String,
    comparator: Comparator,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparator {
    Is,
    After,
    From,
    Before,
    UpTo,
}

/// A search.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Search(Vec<Term>);

/// A value that a term is compared with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Number(u64),
    Time(Timestamp),
}

impl Search {
    /// Reads a search; `None` if it is not of the form that is known here.
    pub(super) fn read(text: Option<&str>) -> Option<Self> {
        let text = text.unwrap_or_default().trim();
        if text.is_empty() {
            return Some(Self::default());
        }
        text.split(" AND ").map(term).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether nothing is searched for.
    pub(super) fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something has all that is searched for. A field that it does not have finds nothing.
    pub(super) fn finds<'a>(&self, of: impl Fn(&str) -> Option<Value<'a>>) -> bool {
        self.0.iter().all(|term| of(&term.field).is_some_and(|value| term.fits(value)))
    }
}

fn term(text: &str) -> Option<Term> {
    let (field, rest) = text.trim().split_once(':')?;
    let comparators = [
        (">=", Comparator::From),
        ("<=", Comparator::UpTo),
        (">", Comparator::After),
        ("<", Comparator::Before),
        ("", Comparator::Is),
    ];
    let (comparator, value) =
        comparators.into_iter().find_map(|(sign, comparator)| Some((comparator, rest.strip_prefix(sign)?)))?;
    let value = match value.strip_prefix('\'') {
        Some(quoted) => quoted.strip_suffix('\'')?.to_owned(),
        // Without quotes, the day is all that is read of a time.
        None if value.starts_with(|first: char| first.is_ascii_digit()) => value.split('T').next()?.to_owned(),
        None => value.to_owned(),
    };
    let named = !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (named && !value.is_empty()).then(|| Term { field: field.to_owned(), comparator, value })
}

impl Term {
    fn fits(&self, value: Value<'_>) -> bool {
        let ordering = match value {
            Value::Text(text) => return self.comparator == Comparator::Is && text.eq_ignore_ascii_case(&self.value),
            Value::Number(number) => self.value.parse().ok().map(|value| number.cmp(&value)),
            Value::Time(time) => time_of(&self.value).map(|value| time.cmp(&value)),
        };
        ordering.is_some_and(|ordering| match self.comparator {
            Comparator::Is => ordering.is_eq(),
            Comparator::After => ordering.is_gt(),
            Comparator::From => ordering.is_ge(),
            Comparator::Before => ordering.is_lt(),
            Comparator::UpTo => ordering.is_le(),
        })
    }
}

fn time_of(text: &str) -> Option<Timestamp> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_what_has_all_its_terms() {
        let at = |text: &str| Value::Time(text.parse().unwrap());
        let of = |field: &str| match field {
            "updated_at" => Some(at("2026-11-28T12:00:00Z")),
            "id" => Some(Value::Number(7)),
            "action" => Some(Value::Text("destroy")),
            _ => None,
        };
        for (search, expected) in [
            ("", true),
            ("id:>6", true),
            ("id:>7", false),
            ("id:>=7 AND id:<=7 AND id:7", true),
            ("action:DESTROY", true),
            ("action:create", false),
            ("updated_at:>'2026-11-28T11:59:59Z'", true),
            ("updated_at:>'2026-11-28T12:00:00Z'", false),
            ("updated_at:>=2026-11-28T13:00:00Z", true),
            ("sku:7", false),
        ] {
            assert_eq!(Search::read(Some(search)).unwrap().finds(of), expected, "{search}");
        }
        for odd in ["id", "id:", "ID:7", "updated_at:>'2026", "id:>7 OR id:3"] {
            assert!(Search::read(Some(odd)).is_none_or(|search| !search.finds(of)), "{odd}");
        }
    }
}
