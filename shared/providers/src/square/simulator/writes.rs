//! Writes of the catalog by programs: one at a time, whole objects, and each once under its key.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::answer::{Refused, invalid};
use super::catalog::{Catalog, text, variations, variations_mut};
use super::page::known;
use hooktide_model::signing;

/// How long a write keeps others out.
const LOCK: SignedDuration = SignedDuration::from_millis(200);
/// The longest keys of requests of the catalog, and of others, in bytes.
const LONGEST_KEYS: (usize, usize) = (128, 45);
/// How many keys are remembered.
const MOST_KEYS: usize = 10_000;

/// What writes leave behind: the lock, and the answers to those that had a key.
#[derive(Default)]
pub(super) struct Writes {
    locked_until: Option<Timestamp>,
    answers: BTreeMap<String, (String, Value)>,
}

impl Writes {
    /// Keeps other writes of the catalog out for a while; refuses this one while another does.
    pub(super) fn lock(&mut self, now: Timestamp) -> Result<(), Refused> {
        if self.locked_until.is_some_and(|until| now < until) {
            return Err(Refused::new(429, "RATE_LIMIT_ERROR", "RATE_LIMITED", "Catalog locked by prior request."));
        }
        self.locked_until = now.checked_add(LOCK).ok();
        Ok(())
    }

    /// The first answer to the request with that key. Another request with it is refused.
    pub(super) fn replay(&self, path: &str, body: &Map<String, Value>) -> Result<Option<Value>, Refused> {
        let of_catalog = path.contains("/catalog/");
        let Some(key) = body.get("idempotency_key") else {
            let missing = invalid("MISSING_REQUIRED_PARAMETER", "`idempotency_key` is missing.");
            return if of_catalog { Err(missing) } else { Ok(None) };
        };
        let longest = if of_catalog { LONGEST_KEYS.0 } else { LONGEST_KEYS.1 };
        let key = key.as_str().filter(|key| (1..=longest).contains(&key.len()));
        let key = key.ok_or(invalid("VALUE_TOO_LONG", "`idempotency_key` is empty or too long."))?;
        match self.answers.get(&format!("{path} {key}")) {
            None => Ok(None),
            Some((hash, answer)) if *hash == hash_of(body) => Ok(Some(answer.clone())),
            Some(_) => Err(invalid("IDEMPOTENCY_KEY_REUSED", "The key was used for another request.")),
        }
    }

    /// Remembers the answer to a request with a key.
    pub(super) fn remember(&mut self, path: &str, body: &Map<String, Value>, answer: &Value) {
        if let Some(key) = body.get("idempotency_key").and_then(Value::as_str)
            && self.answers.len() < MOST_KEYS
        {
            self.answers.insert(format!("{path} {key}"), (hash_of(body), answer.clone()));
        }
    }
}

fn hash_of(body: &Map<String, Value>) -> String {
    signing::sha256_hex(Value::Object(body.clone()).to_string().as_bytes())
}

impl Catalog {
    /// `POST /v2/catalog/object`: the whole object takes the place of what is there.
    pub(super) fn upsert(&mut self, body: &Map<String, Value>, now: Timestamp) -> Result<Value, Refused> {
        known(body, &["idempotency_key", "object"])?;
        let mut object = body.get("object").cloned().unwrap_or_default();
        if object["type"] != "ITEM" {
            return Err(invalid("INVALID_VALUE", "Only items are simulated."));
        }
        let given = text(&object["id"]);
        if given.is_empty() || variations(&object).next().is_none() {
            return Err(invalid("MISSING_REQUIRED_PARAMETER", "An item has an id and a variation."));
        }
        let before = self.before(&given)?;
        check_version(&object, before.as_ref())?;
        let known_variations = before.iter().flat_map(variations).cloned().collect::<Vec<_>>();
        for variation in variations(&object) {
            let id = text(&variation["id"]);
            let known = known_variations.iter().find(|known| known["id"] == variation["id"]);
            if !id.starts_with('#') && known.is_none() {
                return Err(invalid("NOT_FOUND", "A variation is not one of this item."));
            }
            check_version(variation, known)?;
        }
        let mut mappings = Vec::new();
        self.map_id(&mut object["id"], &mut mappings);
        variations_mut(&mut object).for_each(|variation| self.map_id(&mut variation["id"], &mut mappings));
        self.name_variations(&mut object);
        let id = text(&object["id"]);
        self.put(object, now);
        let mut answer = json!({ "catalog_object": self.live(&id) });
        if !mappings.is_empty() {
            answer["id_mappings"] = Value::Array(mappings);
        }
        Ok(answer)
    }

    /// `DELETE /v2/catalog/object/{id}`: its variations go with it.
    pub(super) fn delete_object(&mut self, id: &str, now: Timestamp) -> Result<Value, Refused> {
        let nested = self.live(id).into_iter().flat_map(variations).map(|variation| text(&variation["id"]));
        let ids: Vec<String> = std::iter::once(id.to_owned()).chain(nested).collect();
        match self.remove(id, now) {
            true => Ok(json!({ "deleted_object_ids": ids, "deleted_at": self.latest().to_string() })),
            false => Err(Refused::not_found()),
        }
    }

    /// What is there under an id, if it is no new one.
    fn before(&self, id: &str) -> Result<Option<Value>, Refused> {
        if id.starts_with('#') {
            return Ok(None);
        }
        match (self.live(id), self.objects.contains_key(id)) {
            (Some(object), _) => Ok(Some(object.clone())),
            (None, true) => Err(invalid("INVALID_VALUE", "A deleted object cannot be changed.")),
            (None, false) => Err(Refused::not_found()),
        }
    }

    /// An id in place of one that the client made up.
    fn map_id(&mut self, id: &mut Value, mappings: &mut Vec<Value>) {
        if text(id).starts_with('#') {
            let fresh = Value::from(self.fresh_id());
            mappings.push(json!({ "client_object_id": id, "object_id": fresh }));
            *id = fresh;
        }
    }
}

/// Refuses an object of another version than the one that is there. Without a version nothing is checked.
fn check_version(given: &Value, before: Option<&Value>) -> Result<(), Refused> {
    match (given.get("version"), before) {
        (Some(version), Some(before)) if *version != before["version"] => {
            Err(invalid("VERSION_MISMATCH", "Object version does not match latest database version."))
        }
        _ => Ok(()),
    }
}
