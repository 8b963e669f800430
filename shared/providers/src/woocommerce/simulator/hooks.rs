//! The webhooks of a store.

use std::collections::BTreeMap;

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::call::{Call, Route};
use super::query::Paging;
use super::reply::{Problem, Reply};
use super::shop::Shop;

/// The statuses of a webhook.
const STATUSES: &[&str] = &["active", "paused", "disabled"];

/// A webhook.
#[derive(Debug, Clone)]
pub(super) struct Hook {
    pub(super) name: String,
    pub(super) status: String,
    pub(super) topic: String,
    pub(super) url: String,
    pub(super) secret: String,
    created: Timestamp,
    modified: Option<Timestamp>,
}

/// All webhooks.
#[derive(Default)]
pub(super) struct Hooks {
    pub(super) all: BTreeMap<u64, Hook>,
    /// Those whose address is to be pinged.
    pub(super) pings: Vec<u64>,
    made: u64,
}

impl Hooks {
    /// Answers a call of webhooks; `None` if the route does not take the method.
    pub(super) fn answer(
        &mut self,
        call: &Call,
        route: Route,
        shop: &Shop,
        now: Timestamp,
    ) -> Option<Result<Reply, Problem>> {
        Some(match (&call.method, route) {
            (&Method::GET, Route::Webhooks) => self.list(call, shop),
            (&Method::POST, Route::Webhooks) => call.require(&["topic", "delivery_url"]).and_then(|()| {
                let id = self.make(&call.params, now)?;
                let location = format!("{}/wp-json/wc/v3/webhooks/{id}", shop.home);
                Ok(Reply::new(201, self.document(id, shop)?).with("location", location))
            }),
            (&Method::GET, Route::Webhook(id)) => self.document(id, shop).map(|document| Reply::new(200, document)),
            (&Method::PUT | &Method::POST | &Method::PATCH, Route::Webhook(id)) => self
                .change(id, &call.params, now)
                .and_then(|()| self.document(id, shop))
                .map(|document| Reply::new(200, document)),
            (&Method::DELETE, Route::Webhook(_)) if !call.says("force") => {
                Err(Problem::new(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing."))
            }
            (&Method::DELETE, Route::Webhook(id)) => self.document(id, shop).map(|document| {
                self.all.remove(&id);
                Reply::new(200, document)
            }),
            (&Method::POST, Route::WebhooksBatch) => self.batch(&call.params, shop, now),
            _ => return None,
        })
    }

    fn list(&self, call: &Call, shop: &Shop) -> Result<Reply, Problem> {
        let paging = Paging::of(call)?;
        let status = call.text("status").filter(|status| *status != "all");
        let fits = |hook: &Hook| status.is_none_or(|status| hook.status == status);
        let mut ids: Vec<u64> = self.all.iter().filter(|(_, hook)| fits(hook)).map(|(id, _)| *id).collect();
        if call.text("order") == Some("desc") {
            ids.reverse();
        }
        let items = ids.into_iter().filter_map(|id| self.document(id, shop).ok()).collect();
        Ok(paging.reply(items, &format!("{}/wp-json/wc/v3/webhooks", shop.home)))
    }

    /// Makes a webhook, which is active whatever status is given, and pings its address.
    fn make(&mut self, params: &Map<String, Value>, now: Timestamp) -> Result<u64, Problem> {
        let mut hook = Hook {
            name: "Webhook".to_owned(),
            status: "active".to_owned(),
            topic: String::new(),
            url: String::new(),
            // What a store makes up itself, it tells nobody.
            secret: format!("made-up-by-the-store-{}", self.made + 1),
            created: now,
            modified: None,
        };
        hook.set(params)?;
        hook.check()?;
        hook.status = "active".to_owned();
        self.made += 1;
        self.all.insert(self.made, hook);
        self.pings.push(self.made);
        Ok(self.made)
    }

    /// Changes a webhook; another address is pinged.
    pub(super) fn change(&mut self, id: u64, params: &Map<String, Value>, now: Timestamp) -> Result<(), Problem> {
        let Some(mut hook) = self.all.get(&id).cloned() else { return Err(unknown(400)) };
        let former = hook.url.clone();
        hook.set(params)?;
        hook.check()?;
        hook.modified = Some(now);
        if hook.url != former {
            self.pings.push(id);
        }
        self.all.insert(id, hook);
        Ok(())
    }

    fn batch(&mut self, params: &Map<String, Value>, shop: &Shop, now: Timestamp) -> Result<Reply, Problem> {
        Reply::batch(params, |write, item| {
            let id = item.as_u64().or_else(|| item["id"].as_u64()).unwrap_or_default();
            let fields = item.as_object().cloned().unwrap_or_default();
            let written = match write {
                "create" => self.make(&fields, now),
                "update" => self.change(id, &fields, now).map(|()| id),
                _ => Ok(id),
            };
            let document = written.and_then(|id| self.document(id, shop)).map_err(|problem| (id, problem))?;
            if write == "delete" {
                self.all.remove(&id);
            }
            Ok(document)
        })
    }

    /// The document of a webhook. It never shows the secret.
    fn document(&self, id: u64, shop: &Shop) -> Result<Value, Problem> {
        let hook = self.all.get(&id).ok_or_else(|| unknown(404))?;
        let (resource, event) = hook.topic.split_once('.').unwrap_or((&hook.topic, ""));
        let mut document = super::document::fields(json!({
            "id": id,
            "name": hook.name,
            "status": hook.status,
            "topic": hook.topic,
            "resource": resource,
            "event": event,
            "hooks": actions(resource, event),
            "delivery_url": hook.url,
            "date_modified": null,
            "date_modified_gmt": null,
            "_links": shop.links("webhooks", id),
        }));
        document.extend(shop.dates("date_created", hook.created));
        document.extend(hook.modified.into_iter().flat_map(|modified| shop.dates("date_modified", modified)));
        Ok(document.into())
    }
}

impl Hook {
    fn set(&mut self, params: &Map<String, Value>) -> Result<(), Problem> {
        for (name, field) in [
            ("name", &mut self.name),
            ("status", &mut self.status),
            ("topic", &mut self.topic),
            ("delivery_url", &mut self.url),
            ("secret", &mut self.secret),
        ] {
            if let Some(text) = params.get(name).and_then(Value::as_str) {
                text.clone_into(field);
            }
        }
        if STATUSES.contains(&self.status.as_str()) {
            return Ok(());
        }
        let text = format!("status is not one of {}.", super::schema::listed(STATUSES));
        Err(Problem::of_parameters(&[("status", "rest_not_in_enum", text)]))
    }

    fn check(&self) -> Result<(), Problem> {
        let refused = |what: &str, message: &str| {
            Err(Problem::new(400, &format!("woocommerce_rest_shop_webhook_invalid_{what}"), message))
        };
        let (resource, event) = self.topic.split_once('.').unwrap_or((&self.topic, ""));
        let known = match resource {
            "action" => !event.is_empty(),
            "coupon" | "customer" | "order" | "product" => {
                ["created", "updated", "deleted", "restored"].contains(&event)
            }
            _ => false,
        };
        if !known {
            return refused("topic", "Webhook topic is required and must be valid.");
        }
        if !(self.url.starts_with("http://") || self.url.starts_with("https://")) {
            let message = "Webhook delivery URL must be a valid URL starting with http:// or https://.";
            return refused("delivery_url", message);
        }
        Ok(())
    }
}

fn unknown(status: u16) -> Problem {
    Problem::invalid_id("shop_webhook", status)
}

/// The hooks of the store's code that a topic hangs on.
fn actions(resource: &str, event: &str) -> Vec<String> {
    let names: &[&str] = match (resource, event) {
        ("product", "created") => {
            &["woocommerce_process_product_meta", "woocommerce_new_product", "woocommerce_new_product_variation"]
        }
        ("product", "updated") => {
            &["woocommerce_process_product_meta", "woocommerce_update_product", "woocommerce_update_product_variation"]
        }
        (_, "deleted") => &["wp_trash_post"],
        (_, "restored") => &["untrashed_post"],
        ("action", event) => &[event],
        _ => &[],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}
