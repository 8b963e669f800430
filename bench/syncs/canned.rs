//! A catalog of Square with any number of items, whose pages are made before they are asked for.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use hooktide_local::clock::ManualClock;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Call, Http};
use hooktide_tests::provided::Account;
use http::Response;
use serde_json::{Value, json};

/// How many items a page has.
pub(super) const PAGE: usize = 100;
/// Where pages are asked for.
const SEARCH: &str = "/v2/catalog/search";

/// A provider that answers with pages that were made before; everything else its simulator answers.
pub(super) struct Canned {
    account: Account,
    count: usize,
    pages: Mutex<Arc<Vec<Bytes>>>,
}

impl Canned {
    /// A catalog of so many pages. The first one that the simulator answers is the model of all.
    pub(super) fn new(count: usize, clock: ManualClock) -> Self {
        let square = hooktide_providers::by_id("square").expect("a provider");
        let account = Account::new(square, clock);
        for number in 0..PAGE {
            account.edit("product", Some(json!({ "name": format!("Tea {number}") })));
        }
        Self { account, count, pages: Mutex::default() }
    }

    /// The pages, once one was asked for.
    pub(super) fn pages(&self) -> Arc<Vec<Bytes>> {
        Arc::clone(&self.pages.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn make(&self, model: &[u8]) -> Arc<Vec<Bytes>> {
        let mut model: Value = serde_json::from_slice(model).expect("an answer");
        let objects = model["objects"].as_array_mut().expect("objects");
        objects.truncate(PAGE);
        let ids: Vec<String> = objects.iter().filter_map(|object| object["id"].as_str().map(str::to_owned)).collect();
        assert_eq!(ids.len(), PAGE, "the model is a whole page");
        let pages = (0..self.count).map(|page| {
            model["cursor"] = if page + 1 < self.count { Value::from((page + 1).to_string()) } else { Value::Null };
            let text = model.to_string();
            ids.iter().fold(text, |text, id| text.replace(id.as_str(), &format!("{id}-{page}"))).into()
        });
        let pages = Arc::new(pages.collect());
        *self.pages.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&pages);
        pages
    }
}

#[async_trait]
impl Http for Canned {
    async fn send(&self, call: Call) -> Result<Response<Bytes>, Fault> {
        if call.request.uri().path() != SEARCH {
            return self.account.send(call).await;
        }
        let asked: Value = serde_json::from_slice(call.request.body()).expect("a question");
        let page = asked["cursor"].as_str().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let pages = match self.pages() {
            pages if pages.is_empty() => self.make(self.account.send(call).await?.body()),
            pages => pages,
        };
        Ok(Response::new(pages[page].clone()))
    }
}
