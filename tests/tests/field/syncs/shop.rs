//! A shop at a provider's simulator, which a whole Hooktide is connected to.

use std::time::Duration;

use hooktide_tests::simulated::Simulated;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// A shop that was read once.
pub(super) struct Shop(pub(super) Simulated);

impl Shop {
    pub(super) async fn new(provider: &str) -> Self {
        let simulated = Simulated::new(provider).await;
        simulated.after(SECOND).await;
        Self(simulated)
    }

    /// A shop that tells nothing of what happens from now on.
    pub(super) async fn silent(provider: &str) -> Self {
        let shop = Self::new(provider).await;
        shop.0.control("faults", json!({ "drop": true })).await;
        shop
    }

    /// Edits something; returns its id.
    pub(super) async fn edit(&self, edit: Value) -> String {
        self.0.control("edit", edit).await["id"].as_str().expect("an id").to_owned()
    }

    /// Edits something, and waits until its notifications, so many, are heard and settled.
    pub(super) async fn told(&self, edit: Value, notifications: u64) -> String {
        let accepted = self.0.state().await["notifications"]["accepted"].as_u64().expect("a count");
        let id = self.edit(edit).await;
        self.0.heard(accepted + notifications).await;
        self.0.after(3 * SECOND).await;
        id
    }

    /// Lets so many hours pass, with what is due in them.
    pub(super) async fn hours(&self, hours: u32) {
        self.0.after(hours * 3600 * SECOND).await;
    }

    /// Lets a day and a bit pass, with its listing of everything.
    pub(super) async fn day(&self) {
        for _ in 0..4 {
            self.hours(7).await;
        }
    }

    pub(super) async fn changes(&self) -> Vec<Value> {
        self.0.world.changes().await
    }

    /// The entity of the first change that fits.
    pub(super) async fn entity(&self, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        self.changes().await.iter().find(|change| fits(change)).map(|change| change["entity"].clone())
    }

    /// The entity of a product.
    pub(super) async fn product(&self, id: &str) -> Option<Value> {
        self.entity(|change| change["kind"] == "product" && change["document"]["id"] == id).await
    }

    /// The changes of an entity, from its first change to its last.
    pub(super) async fn ops(&self, entity: &Value) -> Vec<Value> {
        let changes = self.changes().await.into_iter().filter(|change| change["entity"] == *entity);
        changes.map(|change| change["op"].clone()).collect()
    }

    /// The document that an entity has now.
    pub(super) async fn document(&self, entity: &Value) -> Value {
        let last = self.changes().await.into_iter().rfind(|change| change["entity"] == *entity);
        last.map(|change| change["document"].clone()).unwrap_or_default()
    }

    /// Whether the activity says this.
    pub(super) async fn says(&self, text: &str) -> bool {
        let activity = self.0.world.activity().await;
        activity.iter().any(|entry| entry["reason"].as_str().is_some_and(|reason| reason.contains(text)))
    }

    /// The id of the first product that the simulator has and that fits.
    pub(super) async fn first(&self, fits: impl Fn(&Value) -> bool) -> String {
        let products = self.changes().await.into_iter().filter(|change| change["kind"] == "product");
        let mut fitting = products.map(|change| change["document"].clone()).filter(|document| fits(document));
        fitting.next().expect("a product")["id"].as_str().expect("an id").to_owned()
    }
}
