//! Square's bodies, read into our terms.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fault::Fault;
use crate::names::Kind;
use crate::notice::{Document, EntityNotice, State, Version};
use crate::product::Stock;
use crate::providers::reading::unreadable;
use crate::verified::Verified;

/// How many counts one event has at the most.
const MOST_COUNTS: usize = 100;
/// The longest id or name, in bytes: those of Square are far shorter, and they become parts of keys.
const LONGEST: usize = 192;

/// What every event begins with.
#[derive(Deserialize)]
pub(super) struct Event<'a> {
    /// Whose it is.
    #[serde(borrow)]
    pub(super) merchant_id: Cow<'a, str>,
    /// Its topic.
    #[serde(borrow, rename = "type")]
    pub(super) topic: Cow<'a, str>,
    /// Its id, the same on every retry.
    #[serde(borrow)]
    pub(super) event_id: Cow<'a, str>,
    /// What it is about.
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// The event's own fields.
pub(super) fn event(verified: &Verified) -> Result<Event<'_>, Fault> {
    let event: Event<'_> = verified.json()?;
    for (name, text) in [("merchant_id", &event.merchant_id), ("type", &event.topic), ("event_id", &event.event_id)] {
        if !(1..=LONGEST).contains(&text.len()) {
            return Err(unreadable(format!("`{name}` is empty or too long")));
        }
    }
    Ok(event)
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    object: Option<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    inventory_counts: Option<Vec<Count>>,
}

#[derive(Deserialize)]
struct Count {
    catalog_object_id: String,
    #[serde(default)]
    location_id: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    quantity: Option<String>,
    calculated_at: Timestamp,
}

/// `inventory.count.updated`: each count once, its latest. `None` if it has none or too many: then they must be asked for.
pub(super) fn counts(event: &Event<'_>) -> Result<Option<Vec<EntityNotice>>, Fault> {
    let data = event.data.and_then(|data| serde_json::from_str::<Data>(data.get()).ok());
    let data = data.ok_or_else(|| unreadable("`data` is not of the documented form"))?;
    let counts = data.object.and_then(|object| object.inventory_counts).unwrap_or_default();
    if counts.is_empty() || counts.len() > MOST_COUNTS {
        return Ok(None);
    }
    let mut latest: BTreeMap<String, Count> = BTreeMap::new();
    for count in counts {
        let id = count.id()?;
        if latest.get(&id).is_none_or(|known| known.calculated_at <= count.calculated_at) {
            latest.insert(id, count);
        }
    }
    Ok(Some(latest.into_iter().map(|(id, count)| count.told(id)).collect()))
}

impl Count {
    /// What tells it from the other counts of a seller: a variation is counted by location, and there by state.
    fn id(&self) -> Result<String, Fault> {
        let (location, state) = (self.location_id.as_deref(), self.state.as_deref());
        let parts = [Some(self.catalog_object_id.as_str()), location, state];
        if !parts.into_iter().flatten().all(is_id) {
            return Err(unreadable("an id of a count is not one of Square's"));
        }
        if !self.quantity.as_deref().is_none_or(is_decimal) {
            return Err(unreadable("a quantity is not a decimal number"));
        }
        Ok(format!("{}/{}/{}", self.catalog_object_id, location.unwrap_or_default(), state.unwrap_or_default()))
    }

    fn told(self, id: String) -> EntityNotice {
        let stock = Stock {
            variant: self.catalog_object_id,
            location: self.location_id,
            state: self.state,
            quantity: self.quantity,
            updated_at: self.calculated_at.to_string(),
        };
        EntityNotice {
            occurred_at: Some(self.calculated_at),
            ..EntityNotice::new(
                Kind::Stock,
                id,
                Version::from_time(self.calculated_at),
                State::Present(Document::Stock(stock)),
            )
        }
    }
}

/// Whether a text can be a part of a count's id, so that two counts never share one.
fn is_id(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"/#".contains(&byte))
}

/// Whether a text is a decimal number: digits, perhaps a sign before and a point within.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| (1..=32).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_decimal_numbers() {
        for text in ["0", "90", "-3", "2.5", "-0.12345", "000"] {
            assert!(is_decimal(text), "{text}");
        }
        for text in ["", "-", "--1", "+1", "1.", ".5", "1.2.3", "1e3", "NaN", " 1", "1,5", "-.5", "1.-5"] {
            assert!(!is_decimal(text), "{text}");
        }
    }

    #[test]
    fn what_would_run_into_the_next_part_is_no_id() {
        assert!(is_id("6F4K33KPNUVDWKZ43KUIFH6K") && is_id("IN_STOCK"));
        for text in ["", "a/b", "a#b", "a b", "ä", "\u{0}", &"x".repeat(LONGEST + 1)] {
            assert!(!is_id(text), "{text:?}");
        }
    }
}
