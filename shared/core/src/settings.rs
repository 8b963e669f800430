//! What an operator may set, by the environment of a function or of the local server.

use std::time::Duration;

/// What an operator may set.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What providers call, without a slash at the end; some of them sign it.
    pub public_url: String,
    /// How long a receiver uses what it knows of an endpoint.
    pub endpoint_cache: Duration,
    /// How many failed verifications a minute an endpoint takes from one address before they are answered 429.
    pub failures_per_minute: u32,
    /// How many lanes a tenant's journal has.
    pub lanes: u8,
    /// How long the journal is kept.
    pub keep_journal: Duration,
    /// How long dead letters are kept.
    pub keep_dead_letters: Duration,
    /// How long deliveries for unknown accounts are kept.
    pub keep_held: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8787".into(),
            endpoint_cache: Duration::from_secs(300),
            failures_per_minute: 100,
            lanes: 4,
            keep_journal: 30 * DAY,
            keep_dead_letters: 90 * DAY,
            keep_held: 30 * DAY,
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A setting that is a whole number.
#[derive(Debug)]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// What it is, with its unit.
    pub about: &'static str,
    /// The least and the most that it can be.
    pub range: (u32, u32),
    /// What it is unless it is set.
    pub default: u32,
    set: fn(&mut Settings, u32),
}

/// All settings that are whole numbers.
pub const SETTINGS: [Setting; 5] = [
    Setting {
        name: "HOOKTIDE_ENDPOINT_CACHE_SECONDS",
        about: "how long a receiver uses what it knows of an endpoint and its secrets, in seconds",
        range: (0, 3600),
        default: 300,
        set: |settings, seconds| settings.endpoint_cache = Duration::from_secs(seconds.into()),
    },
    Setting {
        name: "HOOKTIDE_FAILURES_PER_MINUTE",
        about: "how many failed verifications a minute an endpoint takes from one address before it answers 429",
        range: (1, 1_000_000),
        default: 100,
        set: |settings, failures| settings.failures_per_minute = failures,
    },
    Setting {
        name: "HOOKTIDE_KEEP_DEAD_LETTERS_DAYS",
        about: "how long dead letters are kept, in days",
        range: (1, 365),
        default: 90,
        set: |settings, days| settings.keep_dead_letters = days * DAY,
    },
    Setting {
        name: "HOOKTIDE_KEEP_HELD_DAYS",
        about: "how long deliveries for unknown accounts are kept, in days",
        range: (1, 365),
        default: 30,
        set: |settings, days| settings.keep_held = days * DAY,
    },
    Setting {
        name: "HOOKTIDE_KEEP_JOURNAL_DAYS",
        about: "how long changes and activity are kept, in days; cursors end a day before",
        range: (2, 365),
        default: 30,
        set: |settings, days| settings.keep_journal = days * DAY,
    },
];

impl Settings {
    /// The settings that `lookup` has, the others as they are by default; or everything that is wrong with them.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let mut settings = Self::default();
        let mut wrong = Vec::new();
        for setting in &SETTINGS {
            let Some(text) = lookup(setting.name).filter(|text| !text.is_empty()) else { continue };
            let (least, most) = setting.range;
            match text.parse() {
                Ok(number) if (least..=most).contains(&number) => (setting.set)(&mut settings, number),
                _ => wrong.push(format!("{} is {text:?}, and not a whole number from {least} to {most}", setting.name)),
            }
        }
        if wrong.is_empty() { Ok(settings) } else { Err(wrong) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_what_the_table_says() {
        let named = Settings::read(|name| {
            SETTINGS.iter().find(|setting| setting.name == name).map(|setting| setting.default.to_string())
        });
        assert_eq!(named, Ok(Settings::default()));
        assert_eq!(Settings::read(|_| None), Ok(Settings::default()));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let wrong = Settings::read(|name| match name {
            "HOOKTIDE_KEEP_JOURNAL_DAYS" => Some("a month".into()),
            "HOOKTIDE_KEEP_HELD_DAYS" => Some("0".into()),
            "HOOKTIDE_FAILURES_PER_MINUTE" => Some("7".into()),
            _ => None,
        });
        let expected = [
            "HOOKTIDE_KEEP_HELD_DAYS is \"0\", and not a whole number from 1 to 365",
            "HOOKTIDE_KEEP_JOURNAL_DAYS is \"a month\", and not a whole number from 2 to 365",
        ];
        assert_eq!(wrong, Err(expected.map(str::to_owned).to_vec()));
    }
}
