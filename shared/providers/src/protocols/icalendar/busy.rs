//! Whether the time of an event is taken.

use super::Context;
use super::parsed::{Content, Property};

/// What an event says of its owner's time.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Busy {
    /// Whether it takes place.
    pub(super) takes_place: bool,
    /// Whether its time is taken.
    pub(super) busy: bool,
    /// Whether that is not certain.
    pub(super) tentative: bool,
    /// The status, in small letters.
    pub(super) status: Option<String>,
    /// The owner's own answer, in small letters.
    pub(super) response: Option<String>,
    /// What Outlook says of the owner's time, in small letters.
    pub(super) outlook: Option<String>,
}

/// What the properties of an event say. Outlook's word overrides the standard's, since it knows more than two; whoever declined
/// is free whatever either says.
pub(super) fn busy(properties: &[Property], context: &Context<'_>) -> Busy {
    let word = |name: &str| text(properties, name).map(|word| word.trim().to_ascii_lowercase());
    let status = word("STATUS");
    let outlook = word("X-MICROSOFT-CDO-BUSYSTATUS");
    let response = own_answer(properties, context);
    let is = |word: &Option<String>, expected: &str| word.as_deref() == Some(expected);
    let is_free = match outlook.as_deref() {
        Some("free" | "workingelsewhere") => true,
        Some("busy" | "tentative" | "oof") => false,
        _ => word("TRANSP").as_deref() == Some("transparent"),
    };
    let takes_place = !is(&status, "cancelled");
    let unanswered = ["tentative", "needs-action"].iter().any(|answer| is(&response, answer));
    Busy {
        takes_place,
        busy: takes_place && !is_free && !is(&response, "declined"),
        tentative: is(&status, "tentative") || is(&outlook, "tentative") || unanswered,
        status,
        response,
        outlook,
    }
}

/// The first text of a property.
pub(super) fn text<'a>(properties: &'a [Property], name: &str) -> Option<&'a str> {
    let mut named = properties.iter().filter(|property| property.name == name);
    named.find_map(|property| property.values.first()?.text())
}

fn own_answer(properties: &[Property], context: &Context<'_>) -> Option<String> {
    let is_own = |property: &&Property| {
        let Some(address) = property.values.first().and_then(Content::text) else { return false };
        let address = address.trim();
        let has_scheme = address.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
        let address = if has_scheme { &address[7..] } else { address };
        context.own_addresses.iter().any(|own| own.eq_ignore_ascii_case(address.trim()))
    };
    let own = properties.iter().filter(|property| property.name == "ATTENDEE").find(is_own)?;
    // An invitation without an answer has none yet.
    Some(own.answer.as_deref().unwrap_or("NEEDS-ACTION").to_ascii_lowercase())
}
