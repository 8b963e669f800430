//! What an operator may set, by the environment of a function or of the local server.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::network::Network;
use crate::providers::{self, Provider};

/// What an operator may set.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What providers call, without a slash at the end; some of them sign it.
    pub public_url: String,
    /// Base addresses of providers' APIs by the provider's id, where the operator set others than their own.
    pub apis: BTreeMap<&'static str, String>,
    /// How long a receiver uses what it knows of an endpoint.
    pub endpoint_cache: Duration,
    /// How many failed verifications a minute an endpoint takes from one address before they are answered 429.
    pub failures_per_minute: u32,
    /// The proxies in front of the local server whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
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
            apis: BTreeMap::new(),
            endpoint_cache: Duration::from_secs(300),
            failures_per_minute: 100,
            trusted_proxies: Vec::new(),
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
        about: "how many failed verifications a minute an endpoint takes from one address (of IPv6: from one /64) before it answers 429",
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

/// The variable with the proxies that the local server believes.
pub const TRUSTED_PROXIES: &str = "HOOKTIDE_TRUSTED_PROXIES";

/// The variable with the base address of a provider's API: `HOOKTIDE_GOOGLE_CALENDAR_API`.
pub fn api_variable(provider: &str) -> String {
    format!("HOOKTIDE_{}_API", provider.replace('-', "_").to_ascii_uppercase())
}

/// Whether a text is a base address: scheme and host, perhaps a port, and no slash at the end.
fn is_base_address(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']))
        && text.parse::<http::Uri>().is_ok()
}

impl Settings {
    /// The base address of a provider's API, if it has one.
    pub fn api<'a>(&'a self, provider: &'a dyn Provider) -> Option<&'a str> {
        self.apis.get(provider.id()).map(String::as_str).or_else(|| provider.api())
    }

    /// All origins that Hooktide may call.
    pub fn origins(&self) -> Vec<String> {
        providers::ALL.iter().filter_map(|provider| self.api(*provider)).map(str::to_owned).collect()
    }

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
        for text in
            lookup(TRUSTED_PROXIES).unwrap_or_default().split(',').map(str::trim).filter(|text| !text.is_empty())
        {
            match text.parse() {
                Ok(network) => settings.trusted_proxies.push(network),
                Err(()) => wrong.push(format!(
                    "{TRUSTED_PROXIES} has {text:?}, which is neither an address nor a range such as 10.0.0.0/8"
                )),
            }
        }
        for provider in providers::ALL.iter().filter(|provider| provider.api().is_some()) {
            let name = api_variable(provider.id());
            let Some(text) = lookup(&name).filter(|text| !text.is_empty()) else { continue };
            if is_base_address(&text) {
                settings.apis.insert(provider.id(), text);
            } else {
                wrong.push(format!("{name} is {text:?}, and not an address such as https://api.example.com"));
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
            "HOOKTIDE_EBAY_API" => Some("api.ebay.com/".into()),
            "HOOKTIDE_TRUSTED_PROXIES" => Some("127.0.0.1, 10.0.0.0/8,localhost".into()),
            _ => None,
        });
        let expected = [
            "HOOKTIDE_KEEP_HELD_DAYS is \"0\", and not a whole number from 1 to 365",
            "HOOKTIDE_KEEP_JOURNAL_DAYS is \"a month\", and not a whole number from 2 to 365",
            "HOOKTIDE_TRUSTED_PROXIES has \"localhost\", which is neither an address nor a range such as 10.0.0.0/8",
            "HOOKTIDE_EBAY_API is \"api.ebay.com/\", and not an address such as https://api.example.com",
        ];
        assert_eq!(wrong, Err(expected.map(str::to_owned).to_vec()));
    }
}
