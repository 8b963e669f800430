//! What an operator may set, by the environment of a function or of the local server.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use crate::lifetimes::Lifetimes;
use hooktide_model::network::{Network, PrivateHost};
use hooktide_providers::Provider;
use hooktide_providers::oauth2::OAuth;

/// What an operator may set.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What providers call, without a slash at the end; some of them sign it.
    pub public_url: String,
    /// Base addresses of providers' APIs by the provider's id, where the operator set others than their own.
    pub apis: BTreeMap<&'static str, String>,
    /// Base addresses of providers' token and consent pages by the provider's id, where the operator set others than their own.
    pub oauths: BTreeMap<&'static str, String>,
    /// How long a job waits for more hints.
    pub debounce: Duration,
    /// The time between two polls of every resource, if the operator sets it.
    pub poll_floor: Option<Duration>,
    /// How long a resource may be silent, although webhooks are sent, before it is checked.
    pub silence: Duration,
    /// How long a receiver uses what it knows of an endpoint.
    pub endpoint_cache: Duration,
    /// How many failed verifications a minute an endpoint takes from one address before they are answered 429.
    pub failures_per_minute: u32,
    /// The proxies in front of the local server whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Hosts that may be called although their addresses are not public.
    pub private_hosts: Vec<PrivateHost>,
    /// How many lanes a tenant's journal has.
    pub lanes: u8,
    /// How long the journal is kept.
    pub keep_journal: Duration,
    /// How long dead letters are kept.
    pub keep_dead_letters: Duration,
    /// How long deliveries for unknown accounts are kept.
    pub keep_held: Duration,
    /// How long answers are kept.
    pub lifetimes: Lifetimes,
    /// What the local server spends on those who connect to it.
    pub serving: Serving,
}

/// What the local server spends on those who connect to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serving {
    /// How many connections are held at once.
    pub connections: u32,
    /// How long the header of a request may take, from its first byte on, or from the connection on.
    pub header_time: Duration,
    /// How long a connection may rest between two requests.
    pub idle_time: Duration,
    /// How long the body of a request may take.
    pub body_time: Duration,
    /// How many bytes of bodies are held at once, of all requests, beyond the beginning of each.
    pub body_bytes: usize,
    /// How many streams of events one tenant has at once.
    pub tenant_streams: u32,
    /// How many streams of events there are at once.
    pub streams: u32,
}

impl Default for Serving {
    fn default() -> Self {
        Self {
            connections: 4_096,
            header_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(60),
            body_time: Duration::from_secs(20),
            body_bytes: 64 * MEBIBYTE,
            tenant_streams: 1_000,
            streams: 2_000,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8787".into(),
            apis: BTreeMap::new(),
            oauths: BTreeMap::new(),
            debounce: Duration::from_secs(2),
            poll_floor: None,
            silence: Duration::from_secs(6 * 3600),
            endpoint_cache: Duration::from_secs(300),
            failures_per_minute: 100,
            trusted_proxies: Vec::new(),
            private_hosts: Vec::new(),
            lanes: 4,
            keep_journal: 30 * DAY,
            keep_dead_letters: 90 * DAY,
            keep_held: 30 * DAY,
            lifetimes: Lifetimes::default(),
            serving: Serving::default(),
        }
    }
}

const MEBIBYTE: usize = 1024 * 1024;
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

/// A row a setting: its variable, the least, the default and the most, what it does with a number, and what it is.
macro_rules! settings {
    ($($name:literal $least:literal <= $default:literal <= $most:literal, $set:expr, $about:literal;)*) => {
        /// All settings that are whole numbers.
        pub const SETTINGS: &[Setting] = &[
            $(Setting { name: $name, about: $about, range: ($least, $most), default: $default, set: $set }),*
        ];
    };
}

settings! {
    "HOOKTIDE_ANSWERS_ACCOUNTS_SECONDS" 0 <= 600 <= 86_400, |settings, seconds| settings.lifetimes.accounts = Duration::from_secs(seconds.into()),
        "how long answers about accounts are kept while nothing has changed, in seconds: 30 is brief, 300 usual, 3600 long";
    "HOOKTIDE_ANSWERS_ANALYTICS_SECONDS" 0 <= 300 <= 7200, |settings, seconds| settings.lifetimes.analytics = Duration::from_secs(seconds.into()),
        "how long analytics by hour are kept while nothing has changed, in seconds; by day twice as long, by week six times, by month twelve times";
    "HOOKTIDE_ANSWERS_TRANSACTIONS_SECONDS" 0 <= 120 <= 86_400, |settings, seconds| settings.lifetimes.transactions = Duration::from_secs(seconds.into()),
        "how long answers about transactions are kept while nothing has changed, in seconds";
    "HOOKTIDE_BODIES_MIB" 16 <= 64 <= 4096, |settings, mebibytes| settings.serving.body_bytes = mebibytes as usize * MEBIBYTE,
        "local server: how many bytes of bodies are held at once, of all requests, beyond the first 16 KiB of each, in MiB";
    "HOOKTIDE_BODY_SECONDS" 1 <= 20 <= 300, |settings, seconds| settings.serving.body_time = Duration::from_secs(seconds.into()),
        "local server: how long the body of a request may take, in seconds";
    "HOOKTIDE_CONNECTIONS" 16 <= 4096 <= 65536, |settings, connections| settings.serving.connections = connections,
        "local server: how many connections are held at once; fewer where the system lets it open fewer files";
    "HOOKTIDE_DEBOUNCE_MILLISECONDS" 0 <= 2000 <= 900_000, |settings, milliseconds| settings.debounce = Duration::from_millis(milliseconds.into()),
        "how long a job waits for more hints about its resource, in milliseconds; 10 s in all at the most, unless this is longer";
    "HOOKTIDE_ENDPOINT_CACHE_SECONDS" 0 <= 300 <= 3600, |settings, seconds| settings.endpoint_cache = Duration::from_secs(seconds.into()),
        "how long a receiver uses what it knows of an endpoint and its secrets, in seconds";
    "HOOKTIDE_FAILURES_PER_MINUTE" 1 <= 100 <= 1_000_000, |settings, failures| settings.failures_per_minute = failures,
        "how many failed verifications a minute an endpoint takes from one address (of IPv6: from one /64) before it answers 429";
    "HOOKTIDE_HEADER_SECONDS" 1 <= 10 <= 300, |settings, seconds| settings.serving.header_time = Duration::from_secs(seconds.into()),
        "local server: how long the header of a request may take, in seconds";
    "HOOKTIDE_IDLE_SECONDS" 1 <= 60 <= 3600, |settings, seconds| settings.serving.idle_time = Duration::from_secs(seconds.into()),
        "local server: how long a connection may rest between two requests, in seconds";
    "HOOKTIDE_KEEP_DEAD_LETTERS_DAYS" 1 <= 90 <= 365, |settings, days| settings.keep_dead_letters = days * DAY,
        "how long dead letters are kept, in days";
    "HOOKTIDE_KEEP_HELD_DAYS" 1 <= 30 <= 365, |settings, days| settings.keep_held = days * DAY,
        "how long deliveries for unknown accounts are kept, in days";
    "HOOKTIDE_KEEP_JOURNAL_DAYS" 2 <= 30 <= 365, |settings, days| settings.keep_journal = days * DAY,
        "how long changes and activity are kept, in days; cursors end a day before";
    "HOOKTIDE_POLL_FLOOR_SECONDS" 0 <= 0 <= 86_400, |settings, seconds| settings.poll_floor = (seconds > 0).then(|| Duration::from_secs(seconds.into())),
        "the time between two polls of every resource that is polled, in seconds; 0 for the usual times of each kind";
    "HOOKTIDE_SILENCE_SECONDS" 1 <= 21_600 <= 604_800, |settings, seconds| settings.silence = Duration::from_secs(seconds.into()),
        "how long a resource whose webhooks are sent may be silent before it is checked, in seconds";
    "HOOKTIDE_STREAMS" 1 <= 2000 <= 65536, |settings, streams| settings.serving.streams = streams,
        "how many streams of events a process has at once; at most half of its connections are streams";
    "HOOKTIDE_STREAMS_PER_TENANT" 1 <= 1000 <= 65536, |settings, streams| settings.serving.tenant_streams = streams,
        "how many streams of events one tenant has at once in a process";
}

/// The variable with the proxies that the local server believes.
pub const TRUSTED_PROXIES: &str = "HOOKTIDE_TRUSTED_PROXIES";

/// The variable with the hosts that may be called although their addresses are not public.
pub const PRIVATE_HOSTS: &str = "HOOKTIDE_PRIVATE_HOSTS";

/// The variable with the base address of a provider's API: `HOOKTIDE_GOOGLE_CALENDAR_API`.
pub fn api_variable(provider: &str) -> String {
    format!("HOOKTIDE_{}_API", provider.replace('-', "_").to_ascii_uppercase())
}

/// The variable with the base address of a provider's token and consent pages: `HOOKTIDE_GOOGLE_CALENDAR_OAUTH`.
pub fn oauth_variable(provider: &str) -> String {
    format!("HOOKTIDE_{}_OAUTH", provider.replace('-', "_").to_ascii_uppercase())
}

/// How a provider's access tokens are got, if by OAuth.
fn oauth(provider: &dyn Provider) -> Option<&'static OAuth> {
    provider.api()?.oauth()
}

/// The scheme, host and port of an address.
pub(crate) fn origin(address: &str) -> Option<String> {
    let uri: http::Uri = address.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

/// The variables among these that begin as settings do, and that nothing reads; `own` are those that the host reads itself.
pub fn unread(names: impl IntoIterator<Item = String>, own: &[String]) -> Vec<String> {
    let ids = || hooktide_providers::ALL.iter().map(|provider| provider.id());
    let addresses: Vec<String> = ids().map(api_variable).chain(ids().map(oauth_variable)).collect();
    let is_read = |name: &str| {
        [TRUSTED_PROXIES, PRIVATE_HOSTS].contains(&name)
            || own.iter().any(|own| own == name)
            || SETTINGS.iter().any(|setting| setting.name == name)
            || addresses.iter().any(|address| address == name)
    };
    let mut unread: Vec<String> =
        names.into_iter().filter(|name| name.starts_with("HOOKTIDE_") && !is_read(name)).collect();
    unread.sort();
    unread
}

/// Whether a text is a base address: scheme and host, perhaps a port, and no slash at the end.
fn is_base_address(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']))
        && text.parse::<http::Uri>().is_ok()
}

/// The base address that a variable has for a provider; one that is none is added to what is wrong.
fn base_address(
    lookup: &impl Fn(&str) -> Option<String>,
    provider: &'static str,
    name: String,
    wrong: &mut Vec<String>,
) -> Option<(&'static str, String)> {
    let text = lookup(&name).filter(|text| !text.is_empty())?;
    if is_base_address(&text) {
        return Some((provider, text));
    }
    wrong.push(format!("{name} is {text:?}, and not an address such as https://api.example.com"));
    None
}

/// The values of a list with commas; what cannot be read is added to what is wrong.
fn list<T: FromStr>(
    lookup: &impl Fn(&str) -> Option<String>,
    name: &str,
    otherwise: &str,
    wrong: &mut Vec<String>,
) -> Vec<T> {
    let texts = lookup(name).unwrap_or_default();
    let mut values = Vec::new();
    for text in texts.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        match text.parse() {
            Ok(value) => values.push(value),
            Err(_) => wrong.push(format!("{name} has {text:?}, {otherwise}")),
        }
    }
    values
}

impl Settings {
    /// The base address of a provider's API, if it has one.
    pub fn api<'a>(&'a self, provider: &'a dyn Provider) -> Option<&'a str> {
        self.apis.get(provider.id()).map(String::as_str).or_else(|| provider.api().and_then(|api| api.base().fixed()))
    }

    /// All origins that Hooktide may call.
    pub fn origins(&self) -> Vec<String> {
        let apis = hooktide_providers::ALL.iter().filter_map(|provider| self.api(*provider));
        let oauths = hooktide_providers::ALL.iter().filter_map(|provider| {
            let moved = self.oauths.get(provider.id()).map(String::as_str);
            moved.or_else(|| oauth(*provider)?.token.fixed())
        });
        // Our own address is looked at before a provider is told to call it.
        apis.chain(oauths).chain([self.public_url.as_str()]).filter_map(origin).collect()
    }

    /// The settings that `lookup` has, the others as they are by default; or everything that is wrong with them.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let mut settings = Self::default();
        let mut wrong = Vec::new();
        for setting in SETTINGS {
            let Some(text) = lookup(setting.name).filter(|text| !text.is_empty()) else { continue };
            let (least, most) = setting.range;
            match text.parse() {
                Ok(number) if (least..=most).contains(&number) => (setting.set)(&mut settings, number),
                _ => wrong.push(format!("{} is {text:?}, and not a whole number from {least} to {most}", setting.name)),
            }
        }
        let read = "which is neither an address nor a range such as 10.0.0.0/8";
        settings.trusted_proxies = list(&lookup, TRUSTED_PROXIES, read, &mut wrong);
        let read = "which is no host with its port such as shop.internal:8080";
        settings.private_hosts = list(&lookup, PRIVATE_HOSTS, read, &mut wrong);
        for provider in hooktide_providers::ALL.iter().filter(|provider| provider.api().is_some()) {
            settings.apis.extend(base_address(&lookup, provider.id(), api_variable(provider.id()), &mut wrong));
            if oauth(*provider).is_some() {
                let name = oauth_variable(provider.id());
                settings.oauths.extend(base_address(&lookup, provider.id(), name, &mut wrong));
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
            "HOOKTIDE_SQUARE_OAUTH" => Some("connect.example".into()),
            "HOOKTIDE_TRUSTED_PROXIES" => Some("127.0.0.1, 10.0.0.0/8,localhost".into()),
            "HOOKTIDE_PRIVATE_HOSTS" => Some("127.0.0.1:8080,shop.internal".into()),
            _ => None,
        });
        let expected = [
            "HOOKTIDE_KEEP_HELD_DAYS is \"0\", and not a whole number from 1 to 365",
            "HOOKTIDE_KEEP_JOURNAL_DAYS is \"a month\", and not a whole number from 2 to 365",
            "HOOKTIDE_TRUSTED_PROXIES has \"localhost\", which is neither an address nor a range such as 10.0.0.0/8",
            "HOOKTIDE_PRIVATE_HOSTS has \"shop.internal\", which is no host with its port such as shop.internal:8080",
            "HOOKTIDE_EBAY_API is \"api.ebay.com/\", and not an address such as https://api.example.com",
            "HOOKTIDE_SQUARE_OAUTH is \"connect.example\", and not an address such as https://api.example.com",
        ];
        assert_eq!(wrong, Err(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_variable_with_a_typing_error_is_found() {
        let names = [
            "HOOKTIDE_STREAM",
            "HOOKTIDE_STREAMS",
            "HOOKTIDE_EBAY_API",
            "HOOKTIDE_LISTEN",
            "HOME",
            "HOOKTIDE_EBAI_API",
            "HOOKTIDE_SQUARE_OAUTH",
        ];
        let unread = unread(names.map(str::to_owned), &["HOOKTIDE_LISTEN".to_owned()]);
        assert_eq!(unread, ["HOOKTIDE_EBAI_API", "HOOKTIDE_STREAM"]);
    }
}
