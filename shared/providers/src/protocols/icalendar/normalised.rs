//! The part of a calendar that matters, to tell whether anything has changed.

use super::components::{Component, components};

/// What changes with each answer of some servers, and says nothing.
const PASSING: &[&str] = &["DTSTAMP", "LAST-MODIFIED"];

/// The same text for calendars that say the same: what is read of their events and time zones, in an order of its own. A text
/// that is no calendar is itself.
pub fn normalised(text: &str) -> String {
    let Ok(found) = components(text) else { return text.to_owned() };
    let written = |components: &[Component]| {
        let mut written: Vec<String> = components.iter().map(normal).collect();
        written.sort();
        written.concat()
    };
    let zone = found.zone.unwrap_or_default();
    format!("{zone}\r\n{}{}", written(&found.zones), written(&found.events))
}

/// A component's lines in order; those that name an event come first, so that its exceptions follow it.
fn normal(component: &Component) -> String {
    let name = |line: &str| line.split([':', ';']).next().unwrap_or_default().trim().to_ascii_uppercase();
    let mut lines: Vec<(u8, &str)> = Vec::new();
    for line in component.lines.lines().chain(component.rules.iter().map(String::as_str)) {
        let place = match name(line).as_str() {
            "UID" => 0,
            "RECURRENCE-ID" => 1,
            passing if PASSING.contains(&passing) => continue,
            _ => 2,
        };
        lines.push((place, line));
    }
    lines.sort_unstable();
    let mut parts: Vec<String> = component.parts.iter().map(normal).collect();
    parts.sort();
    let lines: String = lines.into_iter().map(|(_, line)| format!("{line}\r\n")).collect();
    let is_too_long = if component.is_too_long { "+\r\n" } else { "" };
    lines + &parts.concat() + is_too_long + "\r\n"
}
