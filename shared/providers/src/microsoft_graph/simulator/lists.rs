//! Lists: events, what a window has, and the occurrences of a series. A page has ten items unless more are asked for.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::event::Event;
use super::mailbox::{Found, Mailbox};
use super::query::Query;
use super::refused::Refused;
use super::shown::Prefer;

/// The parameters of lists without a window, with one, and of single events.
pub(super) const PARAMETERS: &str = "$select $filter $expand $top $skip";
/// See [`PARAMETERS`].
pub(super) const OF_WINDOW: &str = "startDateTime endDateTime $select $expand $top $skip";
/// See [`PARAMETERS`].
pub(super) const OF_ONE: &str = "$select $expand";
/// How many items a page has by default, and at the most.
const PAGE: (usize, usize) = (10, 1_000);

/// The page of a list that a query asks for. `path` is that of the list, with the address that it was asked at.
pub(super) fn page(all: Vec<Value>, query: &Query, prefer: &Prefer, path: &str) -> Result<Value, Refused> {
    let top = query.number("$top", PAGE.1)?.or(prefer.page).unwrap_or(PAGE.0).clamp(1, PAGE.1);
    let skip = query.number("$skip", usize::MAX)?.unwrap_or_default();
    let rest = all.len().saturating_sub(skip) > top;
    let items = all.into_iter().skip(skip).take(top).map(|item| query.select(item)).collect::<Result<Vec<_>, _>>()?;
    let mut page = json!({ "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#list", "value": items });
    if rest {
        let names = ["startDateTime", "endDateTime", "$select", "$filter", "$expand", "$top"];
        let kept = names.iter().filter_map(|name| Some((*name, query.text(name)?)));
        let pairs = kept.map(|(name, value)| format!("{name}={}", crate::protocols::percent::encoded(value)));
        let pairs: Vec<String> = pairs.chain([format!("$skip={}", skip + top)]).collect();
        page["@odata.nextLink"] = format!("{path}?{}", pairs.join("&")).into();
    }
    Ok(page)
}

impl Mailbox {
    /// `GET .../events`: single events and series.
    pub(super) fn list(&self, calendar: &str, query: &Query, prefer: &Prefer) -> Result<Vec<Value>, Refused> {
        let wanted = query.text("$filter").map(filter).transpose()?;
        let fits = |event: &&Event| {
            let property =
                |(id, value): &(String, String)| property(event, id).is_some_and(|found| found == value.as_str());
            event.calendar == calendar && !event.is_removed && wanted.as_ref().is_none_or(property)
        };
        let expand = query.text("$expand").map(expansion).transpose()?;
        Ok(self.events.values().filter(fits).map(|event| expanded(event, event.shown(None, prefer), &expand)).collect())
    }

    /// `GET .../events/{id}`.
    pub(super) fn get(&self, found: &Found, query: &Query, prefer: &Prefer) -> Result<Value, Refused> {
        let event = self.event(&found.id)?;
        let expand = query.text("$expand").map(expansion).transpose()?;
        let shown = match found.day {
            None => event.shown(None, prefer),
            Some(day) => {
                let fields = event.on(day).ok_or_else(Refused::no_item)?;
                event.shown(Some((day, &fields)), prefer)
            }
        };
        query.select(expanded(event, shown, &expand))
    }

    /// `GET .../calendarView`: single events and occurrences, in the order in which they begin.
    pub(super) fn view(&self, calendar: &str, window: (Timestamp, Timestamp), prefer: &Prefer) -> Vec<Value> {
        let events = self.events.values().filter(|event| event.calendar == calendar && !event.is_removed);
        let mut all: Vec<Value> = events.flat_map(|event| expansion_of(event, window, prefer)).collect();
        all.sort_by_key(|event| event["start"]["dateTime"].to_string());
        all
    }

    /// `GET .../events/{id}/instances`.
    pub(super) fn instances(
        &self,
        found: &Found,
        window: (Timestamp, Timestamp),
        prefer: &Prefer,
    ) -> Result<Vec<Value>, Refused> {
        let event = self.event(&found.id)?;
        if event.recurrence().is_none() || found.day.is_some() {
            let message = "The expansion of a recurrence can only be performed against a recurring master.";
            return Err(Refused::new(400, "ErrorInvalidRequest", message));
        }
        Ok(expansion_of(event, window, prefer))
    }
}

/// What a window has of an event, in full.
fn expansion_of(event: &Event, window: (Timestamp, Timestamp), prefer: &Prefer) -> Vec<Value> {
    let all = event.within(window);
    all.iter().map(|(day, fields)| event.shown(day.map(|day| (day, fields)), prefer)).collect()
}

/// The value of a property.
fn property<'a>(event: &'a Event, id: &str) -> Option<&'a str> {
    let all = event.fields.get("singleValueExtendedProperties")?.as_array()?;
    // Names of types and letters of namespaces may be written in either case.
    let is_it = |property: &&Value| property["id"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(id));
    all.iter().find(is_it)?["value"].as_str()
}

fn expanded(event: &Event, mut shown: Value, expand: &Option<String>) -> Value {
    if let Some(id) = expand
        && let Some(value) = property(event, id)
    {
        shown["singleValueExtendedProperties"] = json!([{ "id": id, "value": value }]);
    }
    shown
}

/// The property and the value of a filter. No other filter is simulated.
fn filter(text: &str) -> Result<(String, String), Refused> {
    let refused =
        || Refused::new(400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.");
    let inner = text.strip_prefix("singleValueExtendedProperties/Any(ep: ").and_then(|rest| rest.strip_suffix(')'));
    let (id, value) = inner.and_then(|inner| inner.split_once(" and ")).ok_or_else(refused)?;
    let id = id.strip_prefix("ep/id eq ").and_then(quoted).ok_or_else(refused)?;
    let value = value.strip_prefix("ep/value eq ").and_then(quoted).ok_or_else(refused)?;
    Ok((id, value))
}

/// The property that is shown with events.
fn expansion(text: &str) -> Result<String, Refused> {
    let inner =
        text.strip_prefix("singleValueExtendedProperties($filter=id eq ").and_then(|rest| rest.strip_suffix(')'));
    inner.and_then(quoted).ok_or_else(|| Refused::parameter("$expand"))
}

/// A text within quotes, in which a quote is written twice.
fn quoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let plain = inner.replace("''", "");
    (!plain.contains('\'')).then(|| inner.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_filter_by_a_property_is_understood() {
        let by = |id: &str, value: &str| {
            format!("singleValueExtendedProperties/Any(ep: ep/id eq {id} and ep/value eq {value})")
        };
        for (text, expected) in [
            (by("'String {a} Name b'", "'c'"), Some(("String {a} Name b", "c"))),
            (by("'a'", "'it''s'"), Some(("a", "it's"))),
            (by("'a'", "'it's'"), None),
            (by("a", "'c'"), None),
            ("transactionId eq 'a'".to_owned(), None),
        ] {
            let expected = expected.map(|(id, value)| (id.to_owned(), value.to_owned()));
            assert_eq!(filter(&text).ok(), expected, "{text}");
        }
        assert_eq!(expansion("singleValueExtendedProperties($filter=id eq 'a')").ok().as_deref(), Some("a"));
        assert!(expansion("extensions").is_err());
    }
}
