//! Settings of a company, which is one account of a connection.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;
use utoipa::ToSchema;

use super::value;

/// How many companies a connection has at the most.
const MOST: usize = 1_000;

/// What is known of a company.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompanySettings {
    /// Its name; its account's id unless it is said.
    pub name: Option<String>,
    /// The time zone that its days begin in, such as `Europe/Berlin`; UTC unless it is said.
    pub time_zone: Option<String>,
}

impl CompanySettings {
    /// Its time zone; UTC where it says none that is known.
    pub fn zone(&self) -> TimeZone {
        let zone = self.time_zone.as_ref().and_then(|name| TimeZone::get(name).ok());
        zone.unwrap_or(TimeZone::UTC)
    }
}

/// Reads companies, by the ids of their accounts.
pub(super) fn parse(given: &Value) -> Result<BTreeMap<String, CompanySettings>, String> {
    let expected =
        || format!("it is {{\"<account id>\": {{\"name\", \"time_zone\"}}}}, for {MOST} accounts at the most");
    let given = given.as_object().filter(|companies| companies.len() <= MOST).ok_or_else(expected)?;
    given.iter().map(|(id, settings)| Ok((value::text(&Value::from(id.clone()))?, one(id, settings)?))).collect()
}

fn one(id: &str, given: &Value) -> Result<CompanySettings, String> {
    let settings = CompanySettings::deserialize(given)
        .map_err(|_| format!("of {id}: it has a \"name\" and a \"time_zone\", which are texts"))?;
    if let Some(name) = &settings.name {
        value::line(&Value::from(name.clone())).map_err(|detail| format!("the name of {id}: {detail}"))?;
    }
    match &settings.time_zone {
        Some(zone) if TimeZone::get(zone).is_err() => {
            Err(format!("the time zone of {id} is not known; it is a name such as Europe/Berlin"))
        }
        Some(_) | None => Ok(settings),
    }
}
