//! The operations that are known: by their names, with the variables that they need. Others are refused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Account;
use super::bucket::TooMuch;
use super::page::page;
use super::search::{Search, Value as Searched};
use super::shop::Product;
use super::written;

/// How many rows a page has at the most.
const MOST_A_PAGE: u64 = 250;
/// How many variants a product shows where it is the only one of a request.
const MOST_VARIANTS: u64 = 2_048;
/// What a change costs.
const MUTATION: i64 = 10;

/// An error beside the data: its code and its text.
pub(super) type Refused = (&'static str, String);

/// What an operation gives: its data, and what it really cost.
type Done = Result<(Value, i64), Refused>;

/// The variables of an operation.
pub(super) struct Variables<'a>(&'a Value);

impl<'a> Variables<'a> {
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
        let requested = match cost(name, &variables) {
            Ok(requested) => requested,
            Err(error) => return refused(error),
        };
        if let Err(too_much) = self.bucket.take(requested, now) {
            let (code, message) = match too_much {
                TooMuch::Throttled => ("THROTTLED", "Throttled"),
                TooMuch::MaxCost => ("MAX_COST_EXCEEDED", "The query is too expensive"),
            };
            let mut answer = refused((code, message.to_owned()));
            answer["extensions"] = json!({ "cost": self.bucket.told(requested, None) });
            return answer;
        }
        let done = match name {
            "HooktideChanges" => self.changes(&variables, now),
            "HooktideProducts" => {
                self.products(&variables, now).map(|(page, cost)| (json!({ "products": page }), cost))
            }
            "HooktideErased" => self.events(&variables).map(|(page, cost)| (json!({ "events": page }), cost)),
            "HooktideProduct" => self.product(&variables),
            "HooktideStock" => self.stock(&variables),
            "HooktideLevels" => self.levels(&variables),
            "HooktideLevel" => self.level(&variables),
            _ => self.hooks.operation(name, &variables).map(|data| (data, requested)),
        };
        match done {
            Ok((data, actual)) => {
                self.bucket.give_back(requested - actual.min(requested));
                json!({ "data": data, "extensions": { "cost": self.bucket.told(requested, Some(actual)) } })
            }
            Err(error) => {
                self.bucket.give_back(requested);
                refused(error)
            }
        }
    }

    fn changes(&self, variables: &Variables<'_>, now: Timestamp) -> Done {
        let (products, one) = self.sorted_products(variables, "UPDATED_AT", now)?;
        let (events, other) = self.events(variables)?;
        Ok((json!({ "products": products, "events": events }), one + other))
    }

    fn products(&self, variables: &Variables<'_>, now: Timestamp) -> Done {
        self.sorted_products(variables, variables.text("sort")?, now)
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
        let cost = nodes.iter().map(written::cost_of).sum::<i64>() + 2;
        Ok((json!({ "pageInfo": info, "nodes": nodes }), cost))
    }

    fn product(&self, variables: &Variables<'_>) -> Done {
        let id = variables.id("id", "Product")?;
        let nested = (variables.size("variants", MOST_VARIANTS)?, variables.size("images", MOST_A_PAGE)?);
        let node = self.shop.products.get(&id).map(|product| written::node(product, nested));
        Ok((json!({ "product": node }), 1))
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
        let cost = 2 + i64::try_from(nodes.len()).unwrap_or_default();
        Ok((json!({ "pageInfo": info, "nodes": nodes }), cost))
    }

    fn stock(&self, variables: &Variables<'_>) -> Done {
        let first = variables.size("first", MOST_A_PAGE)?;
        let locations = self.shop.locations.iter().map(|id| ((0, *id), *id)).collect();
        let (rows, info) = page(locations, "ID", first, variables.maybe("after"))?;
        let nodes: Result<Vec<Value>, Refused> =
            rows.into_iter().map(|location| self.location(location, variables, None)).collect();
        let nodes = nodes?;
        let cost = nodes.iter().map(written::cost_of).sum::<i64>() + 2;
        Ok((json!({ "locations": { "pageInfo": info, "nodes": nodes } }), cost))
    }

    fn levels(&self, variables: &Variables<'_>) -> Done {
        let location = variables.id("location", "Location")?;
        let known = self.shop.locations.contains(&location);
        let node = known.then(|| self.location(location, variables, variables.maybe("after"))).transpose()?;
        let cost = node.as_ref().map_or(0, written::cost_of) + 1;
        Ok((json!({ "location": node }), cost))
    }

    /// A location, with a page of its levels.
    fn location(&self, id: u64, variables: &Variables<'_>, after: Option<&str>) -> Result<Value, Refused> {
        let search = variables.search("query")?;
        let inactive = variables.value("inactive") == true;
        let of_this = self.shop.levels.iter().filter(|((_, location), _)| *location == id);
        let found = of_this.filter(|(_, level)| {
            let time = |field: &str| (field == "updated_at").then_some(Searched::Time(level.updated_at));
            (inactive || level.active) && search.finds(time)
        });
        let found = found.map(|((item, _), level)| ((0, *item), (*item, level))).collect();
        let (rows, info) = page(found, "ID", variables.size("levels", MOST_A_PAGE)?, after)?;
        let node =
            |(item, level)| written::level(level, (!self.shop.untracked.contains(&item), self.shop.of_item(item)));
        let nodes: Vec<Value> = rows.into_iter().map(node).collect();
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
        Ok((json!({ "productVariant": node }), 4))
    }
}

/// What an operation may cost: each object is a point, and each list two and one for each row that it may have.
fn cost(name: &str, variables: &Variables<'_>) -> Result<i64, Refused> {
    let size = |name: &str, most| variables.size(name, most).map(|size| i64::try_from(size).unwrap_or(i64::MAX));
    let product = || Ok::<_, Refused>(1 + 2 + size("variants", MOST_A_PAGE)? + 2 + size("images", MOST_A_PAGE)?);
    let levels = || Ok::<_, Refused>(1 + 2 + size("levels", MOST_A_PAGE)? * (1 + 1 + 1 + 2 + 5));
    Ok(match name {
        "HooktideChanges" => 2 + size("first", MOST_A_PAGE)? * product()? + 2 + size("events", MOST_A_PAGE)?,
        "HooktideProducts" => 2 + size("first", MOST_A_PAGE)? * product()?,
        "HooktideErased" => 2 + size("events", MOST_A_PAGE)?,
        // The only product of a request may have more variants than a page.
        "HooktideProduct" => 1 + 2 + size("variants", MOST_VARIANTS)?.min(250) + 2 + size("images", MOST_A_PAGE)?,
        "HooktideStock" => 2 + size("first", MOST_A_PAGE)? * levels()?,
        "HooktideLevels" => levels()?,
        "HooktideLevel" => 4,
        "HooktideSubscription" => 1,
        "HooktideSubscriptions" => 2 + size("first", MOST_A_PAGE)?,
        "HooktideSubscribe" | "HooktideUnsubscribe" => MUTATION,
        _ => return Err(("undefinedOperation", format!("No operation named \"{name}\""))),
    })
}
