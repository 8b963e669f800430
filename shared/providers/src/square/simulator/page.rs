//! Pages: tokens that belong to one question, and are kept for a while.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::{Refused, invalid};
use hooktide_model::signing;

/// How long a token is good for, in seconds.
const LIFE: i64 = 15 * 60;

/// The page of a list.
pub(super) struct Page {
    /// How many rows come before it.
    pub(super) from: usize,
    /// How many rows it has at the most.
    pub(super) size: usize,
    query: String,
    now: Timestamp,
}

impl Page {
    /// The page that a body asks for. Its token is refused under another question, and once it is old.
    pub(super) fn of(
        body: &Map<String, Value>,
        (default, most): (usize, usize),
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let size = match body.get("limit").map(Value::as_u64) {
            None => default,
            Some(Some(limit)) if (1..=most as u64).contains(&limit) => usize::try_from(limit).unwrap_or(most),
            Some(_) => return Err(invalid("INVALID_VALUE", "`limit` is out of bounds.")),
        };
        let mut query = body.clone();
        query.remove("cursor");
        let query = signing::sha256_hex(Value::Object(query).to_string().as_bytes());
        let refused = || invalid("INVALID_CURSOR", "The cursor is invalid or has expired.");
        let from = match body.get("cursor") {
            None => 0,
            Some(token) => {
                let token = token.as_str().and_then(|token| BASE64URL_NOPAD.decode(token.as_bytes()).ok());
                let token: Value = token.and_then(|token| serde_json::from_slice(&token).ok()).ok_or_else(refused)?;
                let age = now.as_second() - token["at"].as_i64().unwrap_or_default();
                if token["query"] != query.as_str() || age > LIFE {
                    return Err(refused());
                }
                usize::try_from(token["from"].as_u64().unwrap_or_default()).map_err(|_| refused())?
            }
        };
        Ok(Self { from, size, query, now })
    }

    /// The rows of this page, and the token of the next, if there is one.
    pub(super) fn rows<T>(&self, rows: Vec<T>) -> (Vec<T>, Option<String>) {
        let more = rows.len() > self.from + self.size;
        let token = json!({ "from": self.from + self.size, "query": self.query, "at": self.now.as_second() });
        let rows = rows.into_iter().skip(self.from).take(self.size).collect();
        (rows, more.then(|| BASE64URL_NOPAD.encode(token.to_string().as_bytes())))
    }
}

/// Refuses a body with fields that the endpoint does not know.
pub(super) fn known(body: &Map<String, Value>, names: &[&str]) -> Result<(), Refused> {
    match body.keys().all(|name| names.contains(&name.as_str())) {
        true => Ok(()),
        false => Err(invalid("UNKNOWN_BODY_PARAMETER", "A parameter of the body is not recognized.")),
    }
}

/// A time in a body.
pub(super) fn time(body: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Refused> {
    let refused = || invalid("INVALID_TIME", "A time is not in RFC 3339 format.");
    body.get(name).map(|text| text.as_str().and_then(|text| text.parse().ok()).ok_or_else(refused)).transpose()
}

/// A list of texts in a body; empty if it is not there.
pub(super) fn texts(body: &Map<String, Value>, name: &str) -> Result<Vec<String>, Refused> {
    let refused = || invalid("EXPECTED_ARRAY", "A parameter is not an array of strings.");
    let Some(list) = body.get(name) else { return Ok(Vec::new()) };
    let list = list.as_array().ok_or_else(refused)?;
    list.iter().map(|text| text.as_str().map(str::to_owned).ok_or_else(refused)).collect()
}
