//! Settings as a text, since DynamoDB's numbers and depth are not JSON's.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::{Map, Value};

pub(super) fn serialize<S: Serializer>(settings: &Map<String, Value>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&serde_json::to_string(settings).map_err(S::Error::custom)?)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Map<String, Value>, D::Error> {
    serde_json::from_str(&String::deserialize(from)?).map_err(D::Error::custom)
}
