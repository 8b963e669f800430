//! The stock: counts of variations by location and state. One that was never counted has no row.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::Refused;
use super::page::{Page, known, texts, time};
use crate::simulator::Edit;

/// The fields of a question for counts that are known.
const RETRIEVE: &[&str] = &["catalog_object_ids", "location_ids", "states", "updated_after", "limit", "cursor"];
/// The states whose counts are not given.
const UNLISTED: &[&str] = &["NONE", "SOLD", "UNLINKED_RETURN"];
/// How many counts a page has by default, and at the most.
const PAGE: (usize, usize) = (100, 1_000);

/// What is counted: a variation, a location and a state.
type Place = (String, String, String);

/// A count.
#[derive(Debug, Clone)]
struct Count {
    quantity: String,
    calculated_at: Timestamp,
}

/// The stock of a seller.
pub(super) struct Stock {
    pub(super) location: String,
    counts: BTreeMap<Place, Count>,
}

impl Stock {
    /// A stock without counts, whose first location is this one.
    pub(super) fn new(location: String) -> Self {
        Self { location, counts: BTreeMap::new() }
    }

    /// Sets a count.
    pub(super) fn count(&mut self, place: (String, String, String), quantity: String, calculated_at: Timestamp) {
        self.counts.insert(place, Count { quantity, calculated_at });
    }

    /// How many counts there are.
    pub(super) fn counts(&self) -> usize {
        self.counts.len()
    }

    /// `POST /v2/inventory/counts/batch-retrieve`: the latest first.
    pub(super) fn retrieve(&self, body: &Map<String, Value>, now: Timestamp) -> Result<Value, Refused> {
        known(body, RETRIEVE)?;
        let [variations, locations, states] =
            [texts(body, "catalog_object_ids")?, texts(body, "location_ids")?, texts(body, "states")?];
        let since = time(body, "updated_after")?;
        let page = Page::of(body, PAGE, now)?;
        let fits = |wanted: &[String], id: &String| wanted.is_empty() || wanted.contains(id);
        let mut found: Vec<(&Place, &Count)> = self
            .counts
            .iter()
            .filter(|((variation, location, state), count)| {
                let named = fits(&variations, variation) && fits(&locations, location) && fits(&states, state);
                let after = since.is_none_or(|since| count.calculated_at > since);
                named && after && !UNLISTED.contains(&state.as_str())
            })
            .collect();
        found.sort_by_key(|(place, count)| (std::cmp::Reverse(count.calculated_at), (*place).clone()));
        let (found, cursor) = page.rows(found);
        let mut answer = Map::new();
        if !found.is_empty() {
            let counts: Vec<Value> = found.into_iter().map(|(place, count)| written(place, count)).collect();
            answer.insert("counts".to_owned(), json!(counts));
        }
        cursor.map(|cursor| answer.insert("cursor".to_owned(), Value::from(cursor)));
        Ok(Value::Object(answer))
    }

    /// Counts what the seller counts. The id is a variation, or a variation, a location and a state with slashes between.
    ///
    /// Returns the id of the count, and the counts that changed, as Square writes them.
    pub(super) fn edit(&mut self, edit: &Edit, now: Timestamp) -> Result<(String, Vec<Value>), String> {
        let id = edit.id.as_deref().ok_or("the id is a variation, or variation/location/state")?;
        let fields = edit.fields.as_ref().ok_or("a count is set, and never deleted")?;
        let mut parts = id.split('/').map(str::to_owned);
        let variation = parts.next().unwrap_or_default();
        let location = parts.next().filter(|part| !part.is_empty()).unwrap_or_else(|| self.location.clone());
        let state = parts.next().filter(|part| !part.is_empty()).unwrap_or_else(|| "IN_STOCK".to_owned());
        let quantity = match fields.get("quantity") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) | None => return Err("a count has a `quantity`".to_owned()),
        };
        let id = format!("{variation}/{location}/{state}");
        let place = (variation, location, state);
        self.count(place.clone(), quantity, now);
        let counts = self.counts.get(&place).map(|count| written(&place, count));
        Ok((id, counts.into_iter().collect()))
    }
}

/// A count as Square writes it.
fn written((variation, location, state): &Place, count: &Count) -> Value {
    json!({
        "catalog_object_id": variation,
        "catalog_object_type": "ITEM_VARIATION",
        "state": state,
        "location_id": location,
        "quantity": count.quantity,
        "calculated_at": count.calculated_at.to_string(),
    })
}
