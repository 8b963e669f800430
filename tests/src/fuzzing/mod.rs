//! What the fuzz targets run, and the tests after them on what is recorded and on what was found: one body for all
//! providers, one for the HTTP edge, and one for calendars as texts.
//!
//! A target is known by its name: a provider's id, [`EDGE`] or [`CALENDAR`]. A provider that is added has a target without another line.

mod attempt;
mod calendar;
mod edge;
mod provider;
mod recorded;
mod told;

use serde_json::Value;
use std::collections::BTreeSet;

pub use self::told::check as check_told;

use self::calendar::CalendarTarget;
use self::edge::Edge;
use self::provider::ProviderTarget;
use self::recorded::Recorded;

/// The name of the target that is the HTTP edge.
pub const EDGE: &str = "edge";
/// The name of the target that is the reading of calendars.
pub const CALENDAR: &str = "icalendar";

/// The names of all targets.
pub fn names() -> impl Iterator<Item = &'static str> {
    hooktide_providers::with_webhooks().map(|provider| provider.id()).chain([EDGE, CALENDAR])
}

/// What is fuzzed.
pub enum Target {
    /// One provider: verify, then parse.
    Provider(ProviderTarget),
    /// What an HTTP API hands over, up to the queue.
    Edge(Box<Edge>),
    /// A calendar as a text, and when its events take place.
    Calendar,
}

impl Target {
    /// The target of that name, if there is one.
    pub fn of(name: &str) -> Option<Self> {
        if name == EDGE {
            return Some(Self::Edge(Box::new(Edge::new())));
        }
        if name == CALENDAR {
            return Some(Self::Calendar);
        }
        hooktide_providers::webhooks_by_id(name).map(|provider| Self::Provider(ProviderTarget::new(provider)))
    }

    /// Runs one input through; what is wrong, if something is. A panic is wrong as well.
    pub fn examine(&self, input: &[u8]) -> Result<(), String> {
        match self {
            Self::Provider(target) => target.examine(input),
            Self::Edge(edge) => edge.examine(input),
            Self::Calendar => CalendarTarget::examine(input),
        }
    }

    /// Inputs to begin with, by name: what is recorded of the provider.
    pub fn seeds(&self) -> Vec<(String, Vec<u8>)> {
        match self {
            Self::Provider(target) => target.seeds(),
            Self::Edge(edge) => edge.seeds(),
            Self::Calendar => CalendarTarget::seeds(),
        }
    }

    /// Words that inputs are made of, in the form of libFuzzer's dictionaries.
    pub fn dictionary(&self) -> String {
        let mut words = BTreeSet::new();
        let of = |id: &str| match self {
            Self::Provider(target) => target.id() == id,
            Self::Edge(_) => true,
            Self::Calendar => false,
        };
        if let Self::Calendar = self {
            words.extend(CalendarTarget::words());
        }
        for provider in hooktide_providers::ALL.iter().filter(|provider| of(provider.id())) {
            words.extend(provider.profile().topics.iter().map(|topic| topic.name.to_owned()));
            words.extend(provider.profile().headers.iter().map(|name| format!("{name}: ")));
            for recorded in Recorded::all(provider.id()) {
                words_of(&serde_json::from_slice(recorded.body()).unwrap_or_default(), &mut words);
            }
        }
        // Longer ones than libFuzzer takes would make it refuse the whole file.
        let quoted = words.iter().filter(|word| (1..=60).contains(&word.len())).map(|word| {
            let letter = |byte: u8| match byte {
                b'"' | b'\\' => format!("\\{}", char::from(byte)),
                b' '..=b'~' => char::from(byte).to_string(),
                byte => format!("\\x{byte:02X}"),
            };
            format!("\"{}\"\n", word.bytes().map(letter).collect::<String>())
        });
        quoted.collect()
    }
}

/// The names of all fields, quoted, and the short texts.
fn words_of(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(words.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| words_of(item, words)),
        Value::Object(fields) => {
            for (key, field) in fields {
                words.insert(format!("\"{key}\":"));
                words_of(field, words);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
