//! The catalog: items with their variations, and images; each write has a version of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::{Refused, invalid};
use super::page::{Page, known, texts, time};
use crate::simulator::drawn;

/// The fields of a search that are known.
const SEARCH: &[&str] =
    &["object_types", "begin_time", "include_deleted_objects", "include_related_objects", "limit", "cursor"];
/// The types of objects that there are.
const TYPES: &[&str] = &["ITEM", "ITEM_VARIATION", "IMAGE", "CATEGORY", "TAX", "DISCOUNT", "MODIFIER_LIST", "MODIFIER"];
/// How many objects a page has by default, and at the most.
const PAGE: (usize, usize) = (100, 1_000);

/// The catalog of a seller.
pub(super) struct Catalog {
    seed: u64,
    made: u64,
    version: i64,
    pub(super) objects: BTreeMap<String, Value>,
    /// The ids of objects by the versions of their last writes.
    written: BTreeMap<i64, String>,
}

impl Catalog {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, made: 0, version: 0, objects: BTreeMap::new(), written: BTreeMap::new() }
    }

    /// An id that nothing has.
    pub(super) fn fresh_id(&mut self) -> String {
        self.made += 1;
        drawn::id(self.seed, &format!("object {}", self.made), 24)
    }

    /// The version of the next write: the time in milliseconds, and more than every one before.
    fn next_version(&mut self, now: Timestamp) -> i64 {
        self.version = now.as_millisecond().max(self.version + 1);
        self.version
    }

    /// Writes an object in place of what is there, with a new version, and returns that.
    pub(super) fn put(&mut self, mut object: Value, now: Timestamp) -> i64 {
        let version = self.next_version(now);
        stamp(&mut object, version);
        variations_mut(&mut object).for_each(|variation| stamp(variation, version));
        let id = text(&object["id"]);
        self.written.insert(version, id.clone());
        if let Some(former) = self.objects.insert(id, object) {
            self.written.remove(&former["version"].as_i64().unwrap_or_default());
        }
        version
    }

    /// The tombstone of an object in its place; those of its variations are in it.
    pub(super) fn remove(&mut self, id: &str, now: Timestamp) -> bool {
        let Some(mut object) = self.live(id).cloned() else { return false };
        object["is_deleted"] = Value::Bool(true);
        variations_mut(&mut object).for_each(|variation| variation["is_deleted"] = Value::Bool(true));
        self.put(object, now);
        true
    }

    /// An object that is not deleted.
    pub(super) fn live(&self, id: &str) -> Option<&Value> {
        self.objects.get(id).filter(|object| !is_deleted(object))
    }

    /// The ids of the items that are not deleted.
    pub(super) fn items(&self) -> Vec<&str> {
        let live = self.objects.iter().filter(|(_, object)| !is_deleted(object) && object["type"] == "ITEM");
        live.map(|(id, _)| id.as_str()).collect()
    }

    /// The time of the latest write.
    pub(super) fn latest(&self) -> Timestamp {
        Timestamp::from_millisecond(self.version).unwrap_or_default()
    }

    /// `POST /v2/catalog/search`.
    pub(super) fn search(&self, body: &Map<String, Value>, now: Timestamp) -> Result<Value, Refused> {
        known(body, SEARCH)?;
        let types = texts(body, "object_types")?;
        if types.iter().any(|name| !TYPES.contains(&name.as_str())) {
            return Err(invalid("INVALID_ENUM_VALUE", "`object_types` has an unknown value."));
        }
        let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or_default();
        let since = time(body, "begin_time")?;
        let page = Page::of(body, PAGE, now)?;
        // The default leaves out what is nested in other objects.
        let wanted = |object: &Value| match types.is_empty() {
            true => true,
            false => types.iter().any(|name| object["type"] == name.as_str()),
        };
        let nested = types.iter().any(|name| name == "ITEM_VARIATION");
        let since_version = since.map_or(i64::MIN, |since| since.as_millisecond());
        // In the order of their ids, as without a time.
        let written: BTreeMap<&String, &Value> =
            self.written.range(since_version..).filter_map(|(_, id)| self.objects.get_key_value(id)).collect();
        let nested = written.values().copied().filter(|_| nested).flat_map(variations);
        // With `begin_time` deleted objects come whether or not they are asked for.
        let deleted = flag("include_deleted_objects") || since.is_some();
        let found = written.values().copied().chain(nested).filter(|object| {
            let after = since.is_none_or(|since| updated_at(object) > since);
            wanted(object) && after && (deleted || !is_deleted(object))
        });
        let (found, cursor) = page.rows(found.collect());
        let mut answer = Map::new();
        // What is empty is left out.
        if flag("include_related_objects") {
            let related = self.images_of(&found);
            (!related.is_empty()).then(|| answer.insert("related_objects".to_owned(), json!(related)));
        }
        (!found.is_empty()).then(|| answer.insert("objects".to_owned(), json!(found)));
        cursor.map(|cursor| answer.insert("cursor".to_owned(), Value::from(cursor)));
        (self.version > 0).then(|| answer.insert("latest_time".to_owned(), json!(self.latest().to_string())));
        Ok(Value::Object(answer))
    }

    /// `GET /v2/catalog/object/{id}`.
    pub(super) fn retrieve(&self, id: &str, query: &str) -> Result<Value, Refused> {
        let nested = || self.objects.values().flat_map(variations).find(|variation| variation["id"] == id);
        let object = self.live(id).or_else(|| nested().filter(|object| !is_deleted(object)));
        let object = object.ok_or(Refused::not_found())?;
        let related = query.split('&').any(|pair| pair == "include_related_objects=true");
        let mut answer = json!({ "object": object });
        if related {
            let item = object["item_variation_data"]["item_id"].as_str().and_then(|item| self.live(item));
            let images = self.images_of(&[object]);
            answer["related_objects"] = json!(item.into_iter().chain(images).collect::<Vec<_>>());
        }
        Ok(answer)
    }

    /// The images that objects name, one level deep.
    fn images_of(&self, objects: &[&Value]) -> Vec<&Value> {
        let named: Vec<&str> = objects
            .iter()
            .flat_map(|object| {
                std::iter::once(&object["item_data"]).chain(variations(object).map(|it| &it["item_variation_data"]))
            })
            .flat_map(|data| data["image_ids"].as_array().into_iter().flatten().filter_map(Value::as_str))
            .collect();
        self.objects.iter().filter(|(id, _)| named.contains(&id.as_str())).map(|(_, object)| object).collect()
    }
}

/// The variations of an item.
pub(super) fn variations(object: &Value) -> impl Iterator<Item = &Value> {
    object["item_data"]["variations"].as_array().into_iter().flatten()
}

/// The variations of an item, to change them. Other objects have none, and get none.
pub(super) fn variations_mut(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    object.pointer_mut("/item_data/variations").and_then(Value::as_array_mut).into_iter().flatten()
}

/// Whether an object is a tombstone.
pub(super) fn is_deleted(object: &Value) -> bool {
    object["is_deleted"] == true
}

fn updated_at(object: &Value) -> Timestamp {
    object["updated_at"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn stamp(object: &mut Value, version: i64) {
    let at = Timestamp::from_millisecond(version).unwrap_or_default().to_string();
    object["version"] = Value::from(version);
    object["updated_at"] = Value::from(at.clone());
    if object["created_at"].is_null() {
        object["created_at"] = Value::from(at);
    }
    if object["is_deleted"].is_null() {
        object["is_deleted"] = Value::Bool(false);
    }
}

/// A text of an object.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
