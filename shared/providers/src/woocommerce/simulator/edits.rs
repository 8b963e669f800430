//! What the owner of a store does in it, and what happens to it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Account;
use super::reply::Problem;
use crate::simulator::Edit;

/// The edits that there are, for whoever asks for another.
const KNOWN: &str = "product (without fields it goes to the bin), variation (a new one with `parent_id`), stock, restore, \
                     purge, silent (a change that nothing reports), variation-alone (one that leaves the product's date), \
                     webhook";

impl Account {
    pub(super) fn edited(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        let id =
            edit.id.as_deref().map(|id| id.parse::<u64>().map_err(|_| "an id is a number".to_owned())).transpose()?;
        let text = |problem: Problem| problem.text();
        let shop = &mut self.shop;
        if let Some(id) = id.filter(|id| edit.what != "webhook" && shop.post(*id).is_none()) {
            return Err(format!("there is no product or variation {id}"));
        }
        let done = match (edit.what.as_str(), id, &edit.fields) {
            ("product", None, Some(fields)) => shop.make(0, fields, now).map_err(text)?,
            ("product" | "variation" | "stock", Some(id), Some(fields)) => {
                shop.change(id, fields, now).map(|()| id).map_err(text)?
            }
            ("product", Some(id), None) if shop.bin(id, now) => id,
            ("variation", None, Some(fields)) => {
                let parent = fields.get("parent_id").and_then(Value::as_u64);
                let parent = parent.filter(|parent| shop.post(*parent).is_some_and(|post| post.sort() == "variable"));
                let parent = parent.ok_or("a variation needs the `parent_id` of a variable product")?;
                shop.make(parent, fields, now).map_err(text)?
            }
            ("restore", Some(id), _) if shop.restore(id, now) => id,
            ("purge", Some(id), _) | ("variation", Some(id), None) => {
                shop.remove(id, now);
                id
            }
            ("silent", Some(id), Some(fields)) => self.quietly(id, fields)?,
            ("variation-alone", Some(id), Some(fields)) => self.alone(id, fields, now)?,
            ("webhook", Some(id), Some(fields)) => self.hooks.change(id, fields, now).map(|()| id).map_err(text)?,
            ("webhook", Some(id), None) if self.hooks.all.remove(&id).is_some() => id,
            (what, ..) => return Err(format!("`{what}` cannot be edited so; there are {KNOWN}")),
        };
        self.outbox.take_up(&mut self.shop, &self.hooks);
        Ok(done.to_string())
    }

    /// Sets fields as SQL does: no date moves, and no webhook hears of it.
    fn quietly(&mut self, id: u64, fields: &Map<String, Value>) -> Result<u64, String> {
        let post = self.shop.posts.get_mut(&id).ok_or("there is no such product")?;
        post.fields.extend(fields.clone());
        Ok(id)
    }

    /// Saves a variation as older stores do: its product keeps its date.
    fn alone(&mut self, id: u64, fields: &Map<String, Value>, now: Timestamp) -> Result<u64, String> {
        let parent = self.shop.post(id).map(|post| post.parent).unwrap_or_default();
        let date = self.shop.post(parent).map(|post| post.modified);
        self.shop.change(id, fields, now).map_err(|problem| problem.text())?;
        if let Some((post, date)) = self.shop.posts.get_mut(&parent).zip(date) {
            post.modified = date;
        }
        Ok(id)
    }
}
