//! The operations that are known: by their names, with the variables that they need. Others are refused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Account;
use super::bucket::{MOST_A_CALL, TooMuch};
use super::cost;
use super::page::page;
use super::search::{Search, Value as Searched};
use super::shop::{Level, Product};
use super::written;

/// How many rows a page has at the most.
const MOST_A_PAGE: u64 = 250;
/// How many variants a product shows where it is the only one of a request.
const MOST_VARIANTS: u64 = 2_048;

/// An error beside the data: its code and its text.
pub(super) type Refused = (&'static str, String);

/// What an operation gives: its data.
type Done = Result<Value, Refused>;

/// The variables of an operation.
pub(super) struct Variables<'a>(&'a Value);

impl<'a> Variables<'a> {
    #[cfg(test)]
    pub(super) fn new(values: &'a Value) -> Self {
        Self(values)
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, Refused> {
        self.maybe(name).ok_or_else(|| missing(name))
    }

    pub(super) fn maybe(&self, name: &str) -> Option<&'a str> {
        self.0[name].as_str()
    }

    pub(super) fn value(&self, name: &str) -> &'a Value {
        &self.0[name]
    }

    /// The size of a page.
    pub(super) fn size(&self, name: &str, most: u64) -> Result<u64, Refused> {
        let size = self.0[name].as_u64().ok_or_else(|| missing(name))?;
        if (1..=most).contains(&size) { Ok(size) } else { Err(wrong(format!("{name} cannot exceed {most}"))) }
    }

    pub(super) fn number(&self, name: &str) -> Result<i64, Refused> {
        self.0[name].as_i64().ok_or_else(|| missing(name))
    }

    /// The number in a global id of that type.
    pub(super) fn id(&self, name: &str, of: &str) -> Result<u64, Refused> {
        let gid = self.text(name)?;
        let number = gid.strip_prefix("gid://shopify/").and_then(|rest| rest.strip_prefix(of)?.strip_prefix('/'));
        number.and_then(|number| number.parse().ok()).ok_or_else(|| wrong(format!("Invalid global id '{gid}'")))
    }

    fn search(&self, name: &str) -> Result<Search, Refused> {
        Search::read(self.maybe(name)).ok_or_else(|| wrong("the search cannot be read".to_owned()))
    }
}

pub(super) fn wrong(text: String) -> Refused {
    ("INVALID_FIELD_ARGUMENTS", text)
}

fn missing(name: &str) -> Refused {
    ("INVALID_VARIABLE", format!("Variable ${name} was provided invalid value"))
}

impl Account {
    /// The answer to a request for an operation.
    pub(super) fn operation(&mut self, body: &Value, now: Timestamp) -> Value {
        let variables = Variables(&body["variables"]);
        let name = body["operationName"].as_str().unwrap_or_default();
        let document = body["query"].as_str().unwrap_or_default();
        let refused =
            |(code, message): Refused| json!({ "errors": [{ "message": message, "extensions": { "code": code } }] });
        let named = ["query ", "mutation "].iter().any(|sort| document.starts_with(&format!("{sort}{name}(")));
        if name.is_empty() || !named || document.matches('{').count() != document.matches('}').count() {
            return refused(("undefinedOperation", format!("No operation named \"{name}\"")));
        }
        let requested = match cost::requested(document, &variables) {
            Ok(requested) => requested,
            Err(error) => return refused(error),
        };
        match self.bucket.take(requested, now) {
            Ok(()) => {}
            Err(TooMuch::Throttled) => {
                let mut answer = refused(("THROTTLED", "Throttled".to_owned()));
                answer["extensions"] = json!({ "cost": self.bucket.told(requested, None) });
                return answer;
            }
            Err(TooMuch::MaxCost) => {
                let message = format!(
                    "Query cost is {requested}, which exceeds the single query max cost limit ({MOST_A_CALL})."
                );
                let mut answer = refused(("MAX_COST_EXCEEDED", message));
                answer["errors"][0]["extensions"]["cost"] = json!(requested);
                answer["errors"][0]["extensions"]["maxCost"] = json!(MOST_A_CALL);
                return answer;
            }
        }
        let (is_change, done) = match name {
            "HooktideChanges" => (false, self.changes(&variables, now)),
            "HooktideProducts" => (false, self.products(&variables, now)),
            "HooktideErased" => (false, self.events(&variables).map(|page| json!({ "events": page }))),
            "HooktideProduct" => (false, self.product(&variables)),
            "HooktideVariants" | "HooktideVariantsEnd" => {
                (false, self.variants(&variables, name == "HooktideVariants"))
            }
            "HooktideStock" => (false, self.stock(&variables, now)),
            "HooktideLevels" => (false, self.levels(&variables, now)),
            "HooktideLevel" => (false, self.level(&variables)),
            "HooktideItemLevel" => (false, self.item_level(&variables)),
            _ => (document.starts_with("mutation"), self.hooks.operation(name, &variables)),
        };
        match done {
            Ok(data) => {
                let actual = if is_change { requested } else { written::cost_of(&data) - 1 };
                let actual = actual.clamp(1, requested);
                self.bucket.give_back(requested - actual);
                json!({ "data": data, "extensions": { "cost": self.bucket.told(requested, Some(actual)) } })
            }
            Err(error) => {
                self.bucket.give_back(requested);
                refused(error)
            }
        }
    }

    fn changes(&self, variables: &Variables<'_>, now: Timestamp) -> Done {
        let products = self.sorted_products(variables, "UPDATED_AT", now)?;
        Ok(json!({ "products": products, "events": self.events(variables)? }))
    }

    fn products(&self, variables: &Variables<'_>, now: Timestamp) -> Done {
        let products = self.sorted_products(variables, variables.text("sort")?, now)?;
        Ok(json!({ "products": products }))
    }

    /// A page of products, as the index has them.
    fn sorted_products(&self, variables: &Variables<'_>, sort: &str, now: Timestamp) -> Done {
        let search = variables.search("query")?;
        let (first, after) = (variables.size("first", MOST_A_PAGE)?, variables.maybe("after"));
        let nested = (variables.size("variants", MOST_A_PAGE)?, variables.size("images", MOST_A_PAGE)?);
        let key = |product: &Product| match sort {
            "UPDATED_AT" => Some((product.updated_at.as_second(), product.id)),
            "ID" => Some((0, product.id)),
            _ => None,
        };
        let found = self.shop.found(now).filter(|product| {
            search.finds(|field| match field {
                "id" => Some(Searched::Number(product.id)),
                "updated_at" => Some(Searched::Time(product.updated_at)),
                "created_at" => Some(Searched::Time(product.created_at)),
                "status" => Some(Searched::Text(&product.status)),
                _ => None,
            })
        });
        let found: Option<BTreeMap<(i64, u64), &Product>> =
            found.map(|product| Some((key(product)?, product))).collect();
        let found = found.ok_or_else(|| wrong(format!("sortKey {sort} is not simulated")))?;
        let (rows, info) = page(found, sort, first, after)?;
        let nodes: Vec<Value> = rows.into_iter().map(|product| written::node(product, nested)).collect();
        Ok(json!({ "pageInfo": info, "nodes": nodes }))
    }

    fn product(&self, variables: &Variables<'_>) -> Done {
        let id = variables.id("id", "Product")?;
        let nested = (variables.size("variants", MOST_VARIANTS)?, variables.size("images", MOST_A_PAGE)?);
        let node = self.shop.products.get(&id).map(|product| {
            let mut node = written::node(product, nested);
            node["variants_count"] = json!({ "count": product.variants.len() });
            node
        });
        Ok(json!({ "product": node }))
    }

    /// A further page of the variants of a product: with what it `shows`, or its end alone.
    fn variants(&self, variables: &Variables<'_>, shows: bool) -> Done {
        let (id, first) = (variables.id("id", "Product")?, variables.size("variants", MOST_A_PAGE)?);
        let after = variables.text("after")?;
        let Some(product) = self.shop.products.get(&id) else { return Ok(json!({ "product": null })) };
        let (rows, info) = page(written::by_position(product), written::POSITION, first, Some(after))?;
        let mut node = json!({ "variants": { "pageInfo": info } });
        if shows {
            node["updated_at"] = json!(product.updated_at.to_string());
            node["variants"]["nodes"] = rows.into_iter().map(written::variant_node).collect();
        }
        Ok(json!({ "product": node }))
    }

    fn events(&self, variables: &Variables<'_>) -> Done {
        let search = variables.search("erased")?;
        let first = variables.size("events", MOST_A_PAGE)?;
        let found = self.shop.log.iter().filter(|logged| {
            search.finds(|field| match field {
                "action" => Some(Searched::Text(logged.action)),
                "subject_type" => Some(Searched::Text("PRODUCT")),
                "created_at" => Some(Searched::Time(logged.created_at)),
                _ => None,
            })
        });
        let found = found.map(|logged| ((logged.created_at.as_second(), logged.id), logged)).collect();
        let (rows, info) = page(found, "CREATED_AT", first, variables.maybe("after"))?;
        let nodes: Vec<Value> = rows.into_iter().map(written::event).collect();
        Ok(json!({ "pageInfo": info, "nodes": nodes }))
    }

    fn stock(&self, variables: &Variables<'_>, now: Timestamp) -> Done {
        let first = variables.size("first", MOST_A_PAGE)?;
        let locations = self.shop.locations.iter().map(|id| ((0, *id), *id)).collect();
        let (rows, info) = page(locations, "ID", first, variables.maybe("after"))?;
        let nodes: Result<Vec<Value>, Refused> =
            rows.into_iter().map(|location| self.location(location, variables, (None, now))).collect();
        Ok(json!({ "locations": { "pageInfo": info, "nodes": nodes? } }))
    }

    fn levels(&self, variables: &Variables<'_>, now: Timestamp) -> Done {
        let location = variables.id("location", "Location")?;
        let known = self.shop.locations.contains(&location);
        let page = (variables.maybe("after"), now);
        let node = known.then(|| self.location(location, variables, page)).transpose()?;
        Ok(json!({ "location": node }))
    }

    /// A location, with a page of its levels: as they are, or as searches find them.
    fn location(&self, id: u64, variables: &Variables<'_>, (after, now): (Option<&str>, Timestamp)) -> Done {
        let search = variables.search("query")?;
        let inactive = variables.value("inactive") == true;
        let levels: Vec<(u64, &Level)> = if search.is_any() {
            let all = self.shop.levels.iter();
            all.filter(|((_, location), _)| *location == id).map(|((item, _), level)| (*item, level)).collect()
        } else {
            self.shop.found_levels(id, now).collect()
        };
        let found = levels.into_iter().filter(|(item, level)| {
            let finds = search.finds(|field| match field {
                "updated_at" => Some(Searched::Time(level.updated_at)),
                "inventory_item_id" => Some(Searched::Number(*item)),
                _ => None,
            });
            (inactive || level.active) && finds
        });
        let found = found.map(|(item, level)| ((0, item), (item, level))).collect();
        let (rows, info) = page(found, "ID", variables.size("levels", MOST_A_PAGE)?, after)?;
        let nodes: Vec<Value> = rows.into_iter().map(|(item, level)| written::level(level, self.item(item))).collect();
        Ok(json!({ "id": id.to_string(), "inventoryLevels": { "pageInfo": info, "nodes": nodes } }))
    }

    fn level(&self, variables: &Variables<'_>) -> Done {
        let (id, location) = (variables.id("variant", "ProductVariant")?, variables.id("location", "Location")?);
        let node = self.shop.variant(id).map(|(_, variant)| {
            let level = self.shop.levels.get(&(variant.item, location));
            let tracked = !self.shop.untracked.contains(&variant.item);
            let level = level.map(written::bare_level);
            json!({ "id": id.to_string(), "inventoryItem": { "tracked": tracked, "inventoryLevel": level } })
        });
        Ok(json!({ "productVariant": node }))
    }

    fn item_level(&self, variables: &Variables<'_>) -> Done {
        let (id, location) = (variables.id("item", "InventoryItem")?, variables.id("location", "Location")?);
        let is_known = !self.shop.of_item(id).is_empty();
        let node = is_known.then(|| {
            let mut item = self.item(id);
            item["inventoryLevel"] = json!(self.shop.levels.get(&(id, location)).map(written::bare_level));
            item
        });
        Ok(json!({ "inventoryItem": node }))
    }

    /// An inventory item, with the variants that share it.
    fn item(&self, id: u64) -> Value {
        written::item(id, !self.shop.untracked.contains(&id), self.shop.of_item(id))
    }
}
