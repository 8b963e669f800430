//! Values of settings as JSON: each is read in one way, or refused with what it should be.

use serde_json::Value;

/// The longest text of a setting, in characters.
const LONGEST_TEXT: usize = 255;
/// The longest address of a setting, in bytes.
const LONGEST_ADDRESS: usize = 2_048;
/// How many items a list has at the most.
const MOST_ITEMS: usize = 1_000;

/// Reads a text.
pub(super) fn text(value: &Value) -> Result<String, String> {
    let fits = |text: &&str| !text.trim().is_empty() && text.chars().count() <= LONGEST_TEXT;
    value
        .as_str()
        .filter(fits)
        .map(str::to_owned)
        .ok_or_else(|| format!("it is a text of 1 to {LONGEST_TEXT} characters"))
}

/// Reads a text of one line, which others are shown: nothing in it may break a line, or move what is shown beside it.
pub(super) fn line(value: &Value) -> Result<String, String> {
    let breaks = |one: char| one.is_control() || matches!(one, '\u{2028}' | '\u{2029}');
    text(value).ok().filter(|line| !line.contains(breaks)).ok_or_else(|| {
        format!(
            "it is one line of 1 to {LONGEST_TEXT} characters, without tabs, line breaks and other control characters"
        )
    })
}

/// Reads a list of texts.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, String> {
    let items = value.as_array().filter(|items| items.len() <= MOST_ITEMS);
    let texts = items.and_then(|items| items.iter().map(|item| text(item).ok()).collect());
    texts.ok_or_else(|| format!("it is a list of at most {MOST_ITEMS} texts of 1 to {LONGEST_TEXT} characters"))
}

/// Reads an HTTP address.
pub(super) fn address(value: &Value) -> Result<String, String> {
    let expected = "it is an address, exactly, such as https://hooks.example.com/path";
    of_scheme(value, &["https://", "http://"]).ok_or_else(|| expected.to_owned())
}

/// Reads the address of a calendar or its server, as calendars are shared also by `webcal://`.
pub(super) fn feed(value: &Value) -> Result<String, String> {
    let expected = "it is an address, exactly, such as https://dav.example.com/ or webcal://example.com/feed";
    of_scheme(value, &["https://", "http://", "webcal://"]).ok_or_else(|| expected.to_owned())
}

fn of_scheme(value: &Value, schemes: &[&str]) -> Option<String> {
    let fits = |text: &&str| {
        schemes.iter().any(|scheme| text.starts_with(scheme)) && text.len() <= LONGEST_ADDRESS && text.is_ascii()
    };
    value.as_str().filter(fits).map(str::to_owned)
}

/// Reads a number.
pub(super) fn number(value: &Value, least: u32, most: u32) -> Result<u32, String> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    let fits = |number: &u32| (least..=most).contains(number);
    number.filter(fits).ok_or_else(|| format!("it is a whole number from {least} to {most}"))
}

/// Reads a choice of two.
pub(super) fn boolean(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "it is true or false".to_owned())
}
