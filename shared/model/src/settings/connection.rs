//! Settings of a connection, and of a shared endpoint: typed, each under a name of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_with::skip_serializing_none;
use utoipa::ToSchema;

use super::company::{self, CompanySettings};
use super::value;
use crate::names::SyncMode;
use crate::problem::FieldError;

/// The settings that connections of every provider take.
pub const OF_EVERY_PROVIDER: &[&str] = &["rate_per_minute", "mode", "user", "sources", "notification_url"];
/// The settings that connections to calendars take.
pub const OF_CALENDARS: &[&str] =
    &["share_titles", "block_tentative", "block_restore", "block_merge", "block_title", "block_days_ahead"];
/// The settings that a shared endpoint takes.
pub const OF_ENDPOINTS: &[&str] = &["notification_url"];

/// The most days ahead in which time is blocked.
const MOST_DAYS_AHEAD: u32 = 366;
/// The fastest rate, in calls a minute.
const FASTEST: u32 = 100_000;

/// The settings of a connection.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConnectionSettings {
    /// How many calls a minute the provider's API gets at the most.
    pub rate_per_minute: Option<u32>,
    /// How changes are found: by webhooks where there are any, or by polling alone.
    #[schema(value_type = Option<String>)]
    pub mode: Option<SyncMode>,
    /// The person whose account it is.
    pub user: Option<String>,
    /// The address that the provider was told to call, where it is another than the computed one.
    pub notification_url: Option<String>,
    /// Accounts that deliveries may name beside the connection's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The locations that are synced; all by default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<String>,
    /// The address of the store.
    pub site: Option<String>,
    /// The database of the store.
    pub database: Option<Database>,
    /// The region of the provider's API.
    pub region: Option<String>,
    /// The account ids that belong to the connection, with what is known of each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub companies: BTreeMap<String, CompanySettings>,
    /// The address of the calendar, or of its server.
    pub url: Option<String>,
    /// The name to log in with.
    pub username: Option<String>,
    /// Whether the titles of calendars' events are kept and shown; not unless it is said.
    pub share_titles: Option<bool>,
    /// Whether events that are not certain block time in these calendars as well; they do unless it is said.
    pub block_tentative: Option<bool>,
    /// Whether a block in these calendars that somebody deleted or changed is made as it was; it is left alone unless it is said.
    pub block_restore: Option<bool>,
    /// Whether times in these calendars that overlap or touch are one block; each event has one of its own unless it is said.
    pub block_merge: Option<bool>,
    /// What blocks in these calendars are called; "Busy" unless it is said.
    pub block_title: Option<String>,
    /// How many days ahead time is blocked in these calendars; 60 unless it is said.
    pub block_days_ahead: Option<u32>,
}

/// Where a store's database is; its password is a secret of the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The host.
    pub host: String,
    /// The port.
    #[serde(default = "mysql")]
    pub port: u16,
    /// The name of the database.
    pub name: String,
    /// The user.
    pub user: String,
    /// The prefix of its tables' names.
    #[serde(default = "wordpress")]
    pub table_prefix: String,
    /// Whether the connection is encrypted.
    #[serde(default = "encrypted")]
    pub tls: bool,
}

fn mysql() -> u16 {
    3306
}

fn wordpress() -> String {
    "wp_".to_owned()
}

fn encrypted() -> bool {
    true
}

impl Database {
    fn parse(given: &Value) -> Result<Self, String> {
        let expected = "it is {host, port, name, user, table_prefix, tls}; host, name and user are needed";
        let database: Self = Self::deserialize(given).map_err(|_| expected.to_owned())?;
        let texts = [&database.host, &database.name, &database.user];
        let fits = texts.into_iter().all(|text| value::text(&Value::String(text.clone())).is_ok());
        let prefix = database.table_prefix.len() <= 64;
        if fits && prefix && database.port > 0 { Ok(database) } else { Err(expected.to_owned()) }
    }
}

impl ConnectionSettings {
    /// Reads what a request gives: only settings among those that are `taken`, each of its type.
    pub fn parse(given: &Map<String, Value>, taken: &[&str]) -> Result<Self, Vec<FieldError>> {
        let (mut settings, mut errors) = (Self::default(), Vec::new());
        for (name, value) in given {
            let set = match taken.contains(&name.as_str()) {
                true => settings.set(name, value),
                false => Err(format!("there is no such setting here; there are {}", taken.join(", "))),
            };
            if let Err(detail) = set {
                let name: String = name.chars().take(64).collect();
                errors.push(FieldError { field: format!("settings.{name}"), detail });
            }
        }
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }

    /// Reads what a record holds. Settings that do not fit any more count as absent.
    pub fn stored(stored: Map<String, Value>) -> Self {
        let mut settings = Self::default();
        for (name, value) in stored {
            let value = match value {
                Value::Array(items) => items.into_iter().filter(Value::is_string).collect(),
                other => other,
            };
            let _absent: Result<(), String> = settings.set(&name, &value);
        }
        settings
    }

    /// The settings as a JSON object, such as a merge patch applies to.
    pub fn to_map(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            Ok(_) | Err(_) => Map::new(),
        }
    }

    fn set(&mut self, name: &str, given: &Value) -> Result<(), String> {
        match name {
            "rate_per_minute" => self.rate_per_minute = Some(value::number(given, 1, FASTEST)?),
            "mode" => {
                let mode = given.as_str().and_then(SyncMode::from_name);
                self.mode = Some(mode.ok_or_else(|| "it is auto or polling".to_owned())?);
            }
            "user" => self.user = Some(value::text(given)?),
            "notification_url" => self.notification_url = Some(value::address(given)?),
            "sources" => self.sources = value::texts(given)?,
            "locations" => self.locations = value::texts(given)?,
            "site" => self.site = Some(value::address(given)?),
            "database" => self.database = Some(Database::parse(given)?),
            "region" => self.region = Some(value::text(given)?),
            "companies" => self.companies = company::parse(given)?,
            "url" => self.url = Some(value::feed(given)?),
            "username" => self.username = Some(value::text(given)?),
            "share_titles" => self.share_titles = Some(value::boolean(given)?),
            "block_tentative" => self.block_tentative = Some(value::boolean(given)?),
            "block_restore" => self.block_restore = Some(value::boolean(given)?),
            "block_merge" => self.block_merge = Some(value::boolean(given)?),
            "block_title" => self.block_title = Some(value::line(given)?),
            "block_days_ahead" => self.block_days_ahead = Some(value::number(given, 1, MOST_DAYS_AHEAD)?),
            _ => return Err("there is no such setting".to_owned()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ALL: &[&str] = &[
        "rate_per_minute",
        "mode",
        "user",
        "sources",
        "notification_url",
        "locations",
        "site",
        "database",
        "region",
        "companies",
        "url",
        "username",
        "share_titles",
        "block_tentative",
        "block_restore",
        "block_merge",
        "block_title",
        "block_days_ahead",
    ];

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn every_setting_is_read_by_its_type_and_written_as_it_was_given() {
        let given = map(json!({
            "rate_per_minute": 60,
            "mode": "polling",
            "user": "anna",
            "sources": ["www.shop.example"],
            "notification_url": "https://hooks.example.com/a",
            "locations": ["L1"],
            "site": "https://shop.example.com",
            "database": { "host": "db", "port": 3307, "name": "shop", "user": "reader", "table_prefix": "w_", "tls": false },
            "region": "eu",
            "companies": { "1": { "name": "Tea House", "time_zone": "Europe/Berlin" }, "2": {} },
            "url": "https://dav.example.com/",
            "username": "anna",
            "share_titles": true,
            "block_tentative": false,
            "block_restore": true,
            "block_merge": true,
            "block_title": "Taken",
            "block_days_ahead": 90,
        }));
        assert_eq!(given.len(), ALL.len());
        let settings = ConnectionSettings::parse(&given, ALL).unwrap();
        assert_eq!(settings.to_map(), given);
        assert_eq!(ConnectionSettings::stored(given), settings);
    }

    #[test]
    fn a_setting_that_is_unknown_not_taken_or_of_another_type_is_refused_by_its_name() {
        for (given, field) in [
            (json!({ "propagateChanges": true }), "settings.propagateChanges"),
            (json!({ "site": "https://shop.example.com" }), "settings.site"),
            (json!({ "rate_per_minute": 0 }), "settings.rate_per_minute"),
            (json!({ "rate_per_minute": "60" }), "settings.rate_per_minute"),
            (json!({ "mode": "webhook" }), "settings.mode"),
            (json!({ "user": " " }), "settings.user"),
            (json!({ "block_title": "Busy\r\nATTENDEE:mailto:a@b.example" }), "settings.block_title"),
            (json!({ "block_title": "Busy\tnow" }), "settings.block_title"),
            (json!({ "block_title": "Busy\u{0}" }), "settings.block_title"),
            (json!({ "block_title": "Busy\u{2028}now" }), "settings.block_title"),
            (json!({ "block_title": "b".repeat(256) }), "settings.block_title"),
            (json!({ "sources": [7] }), "settings.sources"),
            (json!({ "companies": ["1"] }), "settings.companies"),
            (json!({ "companies": { "": {} } }), "settings.companies"),
            (json!({ "companies": { "1": { "time_zone": "America/Los Angeles" } } }), "settings.companies"),
            (json!({ "companies": { "1": { "zone": "UTC" } } }), "settings.companies"),
            (json!({ "notification_url": "ftp://x" }), "settings.notification_url"),
            (json!({ "url": "ftp://dav.example.com/" }), "settings.url"),
            (json!({ "database": { "host": "db" } }), "settings.database"),
        ] {
            let taken: Vec<&str> = ALL.iter().copied().filter(|name| *name != "site").collect();
            let errors = ConnectionSettings::parse(&map(given), &taken).unwrap_err();
            assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), [field]);
        }
    }

    #[test]
    fn a_stored_setting_that_is_unknown_or_does_not_fit_counts_as_absent() {
        let stored = map(json!({ "note": 1, "mode": "odd", "sources": [7, "www.shop.example"], "user": "anna" }));
        let expected = ConnectionSettings {
            sources: vec!["www.shop.example".to_owned()],
            user: Some("anna".to_owned()),
            ..ConnectionSettings::default()
        };
        assert_eq!(ConnectionSettings::stored(stored), expected);
    }

    #[test]
    fn a_database_has_the_defaults_of_its_kind() {
        let given = map(json!({ "database": { "host": "db", "name": "shop", "user": "reader" } }));
        let database = ConnectionSettings::parse(&given, ALL).unwrap().database.unwrap();
        assert_eq!((database.port, database.table_prefix.as_str(), database.tls), (3306, "wp_", true));
    }
}
