//! Reads Square's bodies into Hooktide's terms.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::json::unreadable;
use crate::lenient::{Lenient, Object, Unread, fields};
use crate::square::STOCK;
use crate::verified::Verified;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, EntityNotice, State, Version};
use hooktide_model::product::Stock;

/// Where the counts of an event are.
const COUNTS: &str = "data.object.inventory_counts";
/// The state of items that are not counted and so have no quantity.
const UNTRACKED: &str = "UNTRACKED";
/// The most counts that one event has.
const MOST_COUNTS: usize = 100;
/// The longest id or name, in bytes: those of Square are far shorter, and they become parts of keys.
const LONGEST: usize = 192;

/// The fields that every event begins with.
pub(super) struct Event<'a> {
    /// The merchant that it belongs to.
    pub(super) merchant_id: Cow<'a, str>,
    /// Its topic.
    pub(super) topic: Cow<'a, str>,
    /// Its id, the same on every retry.
    pub(super) event_id: Cow<'a, str>,
    /// The data of the event.
    data: Option<&'a RawValue>,
}

/// The event's own fields.
pub(super) fn event(verified: &Verified) -> Result<Event<'_>, Fault> {
    fields! {
        struct Envelope<'a> {
            merchant_id: Lenient<Cow<'a, str>> = "merchant_id",
            topic: Lenient<Cow<'a, str>> = "type",
            event_id: Lenient<Cow<'a, str>> = "event_id",
            data: Option<&'a RawValue> = "data",
        }
    }
    fn named<'a>(name: &str, text: Lenient<Cow<'a, str>>) -> Result<Cow<'a, str>, Fault> {
        match text.needed(name)? {
            text if (1..=LONGEST).contains(&text.len()) => Ok(text),
            _ => Err(unreadable(format!("`{name}` is empty or too long"))),
        }
    }
    let Object(Envelope { merchant_id, topic, event_id, data }) = verified.json()?;
    Ok(Event {
        merchant_id: named("merchant_id", merchant_id)?,
        topic: named("type", topic)?,
        event_id: named("event_id", event_id)?,
        data,
    })
}

fields! {
    struct Data {
        object: Lenient<Object<Counted>> = "object",
    }
}

fields! {
    struct Counted {
        inventory_counts: Lenient<Vec<Lenient<Object<Count>>>> = "inventory_counts",
    }
}

fields! {
    struct Count {
        catalog_object_id: Lenient<String> = "catalog_object_id",
        location_id: Lenient<String> = "location_id",
        state: Lenient<String> = "state",
        quantity: Lenient<String> = "quantity",
        calculated_at: Lenient<Timestamp> = "calculated_at",
    }
}

/// The counts that an event reports.
pub(super) enum Counts {
    /// The latest of each count, and the unreadable ones by their index from zero, with the reason.
    These(Vec<EntityNotice>, Vec<(usize, Fault)>),
    /// No counts, too many, or none that can be found: they must be fetched.
    Unknown,
}

/// `inventory.count.updated`.
pub(super) fn counts(event: &Event<'_>) -> Counts {
    let data = event.data.and_then(|data| serde_json::from_str::<Object<Data>>(data.get()).ok());
    let counts = data.and_then(|Object(data)| data.object.read()?.0.inventory_counts.read()).unwrap_or_default();
    if counts.is_empty() || counts.len() > MOST_COUNTS {
        return Counts::Unknown;
    }
    let mut latest: BTreeMap<String, EntityNotice> = BTreeMap::new();
    let mut odd = Vec::new();
    for (at, count) in counts.into_iter().enumerate() {
        let read = count.needed(format_args!("{COUNTS}[{at}]")).and_then(|Object(count)| count.told(at));
        match read {
            Ok(count) if latest.get(&count.id).is_none_or(|known| known.version <= count.version) => {
                latest.insert(count.id.clone(), count);
            }
            Ok(_) => {}
            Err(fault) => odd.push((at, fault)),
        }
    }
    Counts::These(latest.into_values().collect(), odd)
}

impl Count {
    /// The count at index `at`. A variation is counted by location and, there, by state: variation, location and state
    /// together identify a count of a seller.
    fn told(self, at: usize) -> Result<EntityNotice, Fault> {
        let variant =
            self.catalog_object_id.fitting(|id| is_id(id)).needed(format_args!("{COUNTS}[{at}].catalog_object_id"))?;
        let location =
            self.location_id.fitting(|id| is_id(id)).needed_if_there(format_args!("{COUNTS}[{at}].location_id"))?;
        let state = self.state.fitting(|id| is_id(id)).needed_if_there(format_args!("{COUNTS}[{at}].state"))?;
        let calculated_at = self.calculated_at.needed(format_args!("{COUNTS}[{at}].calculated_at"))?;
        let mut unread = Unread::default();
        let (quantity, path) =
            (self.quantity.fitting(|text| is_decimal(text)), format_args!("{COUNTS}[{at}].quantity"));
        let quantity = match state.as_deref() {
            Some(UNTRACKED) => quantity.or_note(&mut unread, path),
            _ => quantity.sent_or_note(&mut unread, path),
        };
        let id =
            format!("{variant}/{}/{}", location.as_deref().unwrap_or_default(), state.as_deref().unwrap_or_default());
        let stock = Stock { variant, location, state, quantity, updated_at: calculated_at.to_string() };
        Ok(EntityNotice {
            occurred_at: Some(calculated_at),
            unread: unread.into_paths(),
            source: Some(STOCK),
            ..EntityNotice::new(
                Kind::Stock,
                id,
                Version::from_time(calculated_at),
                State::Present(Document::Stock(stock)),
            )
        })
    }
}

/// Whether a text can be a part of a count's id, so that two counts never share one.
fn is_id(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"/#".contains(&byte))
}

/// Whether a text is a decimal number: digits, optionally with a leading sign and a point between them.
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
