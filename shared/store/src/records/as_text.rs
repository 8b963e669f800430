//! Settings as a text, since DynamoDB's numbers and depth are not JSON's.

use hooktide_model::settings::connection::ConnectionSettings;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(settings: &ConnectionSettings, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&serde_json::to_string(settings).map_err(S::Error::custom)?)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ConnectionSettings, D::Error> {
    let stored = serde_json::from_str(&String::deserialize(from)?).map_err(D::Error::custom)?;
    Ok(ConnectionSettings::stored(stored))
}
