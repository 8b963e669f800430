//! Counts of stock, as webhooks and the API write them alike.

use jiff::Timestamp;

use crate::lenient::{Lenient, Unread, fields};
use crate::square::{LONGEST, STOCK};
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, EntityNotice, State, Version};
use hooktide_model::product::Stock;

/// The state of items that are not counted and so have no quantity.
const UNTRACKED: &str = "UNTRACKED";

fields! {
    /// A count.
    pub(super) struct Count {
        catalog_object_id: Lenient<String>,
        location_id: Lenient<String>,
        state: Lenient<String>,
        quantity: Lenient<String>,
        calculated_at: Lenient<Timestamp>,
    }
}

impl Count {
    /// The count at `path`. A variation is counted by location and, there, by state: variation, location and state
    /// together identify a count of a seller.
    pub(super) fn told(self, path: &str) -> Result<EntityNotice, Fault> {
        let variant =
            self.catalog_object_id.fitting(|id| is_id(id)).needed(format_args!("{path}.catalog_object_id"))?;
        let location = self.location_id.fitting(|id| is_id(id)).needed_if_there(format_args!("{path}.location_id"))?;
        let state = self.state.fitting(|id| is_id(id)).needed_if_there(format_args!("{path}.state"))?;
        let calculated_at = self.calculated_at.needed(format_args!("{path}.calculated_at"))?;
        let mut unread = Unread::default();
        let (quantity, path) = (self.quantity.fitting(|text| is_decimal(text)), format_args!("{path}.quantity"));
        let quantity = match state.as_deref() {
            Some(UNTRACKED) => quantity.or_note(&mut unread, path),
            _ => quantity.sent_or_note(&mut unread, path),
        };
        let id = id_of(&variant, location.as_deref().unwrap_or_default(), state.as_deref().unwrap_or_default());
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

/// The entity's id of a count.
pub(super) fn id_of(variation: &str, location: &str, state: &str) -> String {
    format!("{variation}/{location}/{state}")
}

/// The variation and the location that an entity's id names.
pub(super) fn parts_of(id: &str) -> (&str, &str) {
    let (variation, rest) = id.split_once('/').unwrap_or((id, ""));
    (variation, rest.split_once('/').map_or(rest, |(location, _)| location))
}

/// Whether a text can be a part of a count's id, so that two counts never share one.
pub(super) fn is_id(text: &str) -> bool {
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

    #[test]
    fn an_id_names_a_variation_and_a_location() {
        for (id, expected) in [("v/l/IN_STOCK", ("v", "l")), ("v//", ("v", "")), ("v", ("v", "")), ("v/l", ("v", "l"))]
        {
            assert_eq!(parts_of(id), expected, "{id}");
        }
    }
}
