//! The routes of products and variations.

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::call::{Call, Route};
use super::document::Context;
use super::query::{Paging, Query};
use super::reply::{Problem, Reply};
use super::schema;
use super::shop::Shop;

impl Shop {
    /// Answers a call of products or variations; `None` if the route does not take the method.
    pub(super) fn catalog(&mut self, call: &Call, route: Route, now: Timestamp) -> Option<Result<Reply, Problem>> {
        Some(match (&call.method, route) {
            (&Method::GET, Route::Products) => self.list(call, 0),
            (&Method::GET, Route::Variations(product)) => self.known(product).and_then(|()| self.list(call, product)),
            (&Method::GET, Route::Product(id)) => {
                self.show(call, id).ok_or_else(|| Problem::invalid_id("product", 404))
            }
            (&Method::GET, Route::Variation(product, id)) => {
                self.belongs(product, id).and_then(|()| self.show_variation(call, id))
            }
            (&Method::POST, Route::Products) => self.create(0, &call.params, now),
            (&Method::POST, Route::Variations(product)) => {
                self.known(product).and_then(|()| self.create(product, &call.params, now))
            }
            (&Method::PUT | &Method::POST | &Method::PATCH, Route::Product(id)) => self.update(id, &call.params, now),
            (&Method::PUT | &Method::POST | &Method::PATCH, Route::Variation(product, id)) => {
                self.belongs(product, id).and_then(|()| self.update_variation(id, &call.params, now))
            }
            (&Method::DELETE, Route::Product(id)) => self.delete(id, call.says("force"), now),
            (&Method::DELETE, Route::Variation(product, id)) => {
                self.belongs(product, id).and_then(|()| self.delete(id, true, now))
            }
            (&Method::POST, Route::ProductsBatch) => self.batch(&call.params, 0, now),
            (&Method::POST, Route::VariationsBatch(product)) => self.batch(&call.params, product, now),
            _ => return None,
        })
    }

    fn list(&self, call: &Call, parent: u64) -> Result<Reply, Problem> {
        let paging = Paging::of(call)?;
        let ids = Query::of(call)?.ids(self, parent);
        let items = ids.into_iter().filter_map(|id| match parent {
            0 => self.product(id, context(call)),
            _ => self.variation(id, context(call)),
        });
        let path = if parent == 0 { "products".to_owned() } else { format!("products/{parent}/variations") };
        Ok(paging.reply(items.collect(), &format!("{}/wp-json/wc/v3/{path}", self.home)))
    }

    fn show(&self, call: &Call, id: u64) -> Option<Reply> {
        Some(Reply::new(200, self.product(id, context(call))?))
    }

    fn show_variation(&self, call: &Call, id: u64) -> Result<Reply, Problem> {
        let document = self.variation(id, context(call));
        document.map(|document| Reply::new(200, document)).ok_or_else(|| Problem::invalid_id("product_variation", 404))
    }

    /// The document of a product or variation after a write.
    fn written(&self, id: u64) -> Value {
        let is_variation = self.post(id).is_some_and(|post| post.parent > 0);
        let document = if is_variation { self.variation(id, Context::Edit) } else { self.product(id, Context::Edit) };
        document.unwrap_or_default()
    }

    fn create(&mut self, parent: u64, params: &Map<String, Value>, now: Timestamp) -> Result<Reply, Problem> {
        schema::check(params)?;
        if params.get("id").is_some_and(|id| *id != 0) {
            return Err(Problem::new(400, "woocommerce_rest_product_exists", "Cannot create existing product."));
        }
        let id = self.make(parent, params, now)?;
        let path = if parent == 0 { "products".to_owned() } else { format!("products/{parent}/variations") };
        let location = format!("{}/wp-json/wc/v3/{path}/{id}", self.home);
        Ok(Reply::new(201, self.written(id)).with("location", location))
    }

    fn update(&mut self, id: u64, params: &Map<String, Value>, now: Timestamp) -> Result<Reply, Problem> {
        schema::check(params)?;
        self.own_route(id)?;
        self.change(id, params, now)?;
        Ok(Reply::new(200, self.written(id)))
    }

    fn update_variation(&mut self, id: u64, params: &Map<String, Value>, now: Timestamp) -> Result<Reply, Problem> {
        schema::check(params)?;
        self.change(id, params, now)?;
        Ok(Reply::new(200, self.written(id)))
    }

    fn delete(&mut self, id: u64, force: bool, now: Timestamp) -> Result<Reply, Problem> {
        if self.post(id).is_none() {
            return Err(Problem::invalid_id("product", 404));
        }
        // As it was before.
        let reply = Reply::new(200, self.written(id));
        if force {
            self.remove(id, now);
        } else if !self.bin(id, now) {
            let message = "The product has already been deleted.";
            return Err(Problem::new(410, "woocommerce_rest_already_trashed", message));
        }
        Ok(reply)
    }

    /// Writes one after the other; each may fail by itself. Types are not checked, and what is deleted is gone for good.
    fn batch(&mut self, params: &Map<String, Value>, parent: u64, now: Timestamp) -> Result<Reply, Problem> {
        Reply::batch(params, |write, item| {
            let id = item.as_u64().or_else(|| item["id"].as_u64()).unwrap_or_default();
            let fields = item.as_object().cloned().unwrap_or_default();
            let written = match write {
                "create" => self.make(parent, &fields, now),
                "update" => self.change(id, &fields, now).map(|()| id),
                _ if self.post(id).is_none() => Err(Problem::invalid_id("product", 404)),
                _ => Ok(id),
            };
            let document = written.map(|id| self.written(id)).map_err(|problem| (id, problem))?;
            if write == "delete" {
                self.remove(id, now);
            }
            Ok(document)
        })
    }

    fn known(&self, product: u64) -> Result<(), Problem> {
        match self.post(product) {
            Some(_) => Ok(()),
            None => Err(Problem::invalid_id("product", 404)),
        }
    }

    fn belongs(&self, product: u64, variation: u64) -> Result<(), Problem> {
        match self.post(variation) {
            Some(post) if post.parent == product => Ok(()),
            Some(_) | None => Err(Problem::invalid_id("product_variation", 404)),
        }
    }

    fn own_route(&self, id: u64) -> Result<(), Problem> {
        let message = "To manipulate product variations you should use the \
                       /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint.";
        match self.post(id) {
            Some(post) if post.parent > 0 => Err(Problem::new(404, "woocommerce_rest_invalid_product_id", message)),
            Some(_) | None => Ok(()),
        }
    }
}

fn context(call: &Call) -> Context {
    if call.text("context") == Some("edit") { Context::Edit } else { Context::View }
}
