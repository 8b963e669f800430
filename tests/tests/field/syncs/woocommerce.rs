//! WooCommerce: dates in the store's zone, lists that lack rows, the bin, and webhooks that the store disables.

use hooktide_providers::Reach;
use hooktide_tests::bent::Bend;
use serde_json::{Value, json};

use super::Seen;
use super::pair::Pair;
use super::shop::Shop;

/// What a cache gave in place of the list: the index of another part of the API.
const CACHED: &str = r#"{"namespace":"wc-analytics","routes":{"/wc-analytics":{"methods":["GET"]}},"_links":{}}"#;

pub(super) fn read() -> Vec<Seen> {
    let since = json!({ "since": 1_795_867_200, "walk": { "began": null, "newest": null, "list": "shop", "covered": 0, "last": 0, "backs": 0 } });
    let question = Pair::new("woocommerce", "products", Reach::Changes).after(&since).question();
    let says = ["modified_after=2026-11-28T12:00:00&dates_are_gmt=true", "orderby=id&order=asc", "_skip_cache=1"];
    vec![(
        "changes are asked for by a time in UTC that names no zone, in the order of ids, past the store's cache",
        json!(says.map(|text| question.contains(text))),
        json!([true, true, true]),
    )]
}

/// The changes of a product through these edits, a day after each.
async fn through(edits: &[&str]) -> Value {
    let shop = Shop::silent("woocommerce").await;
    let id = shop.first(|_| true).await;
    let entity = shop.product(&id).await.expect("it was read");
    for what in edits {
        shop.edit(json!({ "what": what, "id": id })).await;
        shop.day().await;
    }
    json!(shop.ops(&entity).await)
}

/// How many of 250 products of one second are known, and how many there are.
async fn of_one_second() -> Value {
    let shop = Shop::silent("woocommerce").await;
    for number in 0..250 {
        shop.edit(json!({ "what": "product", "fields": { "name": format!("Imported {number}") } })).await;
    }
    shop.day().await;
    let is_imported =
        |change: &Value| change["document"]["title"].as_str().is_some_and(|title| title.starts_with("Imported"));
    let changes = shop.changes().await;
    let imported: Vec<&Value> = changes.iter().filter(|change| is_imported(change)).collect();
    json!([imported.len(), imported.iter().all(|change| change["op"] == "created")])
}

/// What is deleted while the list lacks one of the products, and while it is something else.
async fn deleted(bend: Bend) -> Value {
    let shop = Shop::silent("woocommerce").await;
    shop.0.bends.set(bend);
    shop.day().await;
    shop.0.bends.set(Bend::Nothing);
    shop.day().await;
    let changes = shop.changes().await;
    json!(changes.iter().filter(|change| change["op"] == "deleted").count())
}

/// The stock that is known after a sale that moved no date.
async fn sold() -> Value {
    let shop = Shop::silent("woocommerce").await;
    let fields = json!({ "name": "Counted", "manage_stock": true, "stock_quantity": 8 });
    let id = shop.edit(json!({ "what": "product", "fields": fields })).await;
    shop.day().await;
    let entity = shop.product(&id).await.expect("it was read");
    shop.edit(json!({ "what": "silent", "id": id, "fields": { "stock_quantity": 3 } })).await;
    shop.day().await;
    shop.document(&entity).await["variants"][0]["stock"].clone()
}

/// The statuses of the webhooks, a day after the store disabled one.
async fn disabled() -> Value {
    let shop = Shop::new("woocommerce").await;
    let first = shop.0.state().await["account"]["webhooks"][0]["id"].clone();
    let id = first.as_str().map_or_else(|| first.to_string(), str::to_owned);
    shop.edit(json!({ "what": "webhook", "id": id, "fields": { "status": "disabled" } })).await;
    shop.day().await;
    let webhooks = shop.0.state().await["account"]["webhooks"].clone();
    let webhooks: Vec<Value> = webhooks.as_array().cloned().unwrap_or_default();
    let statuses: Vec<Value> = webhooks.iter().map(|webhook| webhook["status"].clone()).collect();
    json!([statuses, webhooks.iter().any(|webhook| webhook["id"] == first)])
}

pub(super) async fn edited() -> Vec<Seen> {
    vec![
        (
            "a product that is deleted for good, past the bin, is gone",
            through(&["purge"]).await,
            json!(["created", "deleted"]),
        ),
        (
            "a product that goes to the bin and comes back while nothing is heard is gone and then there",
            through(&["product", "restore"]).await,
            json!(["created", "deleted", "created"]),
        ),
        (
            "products that were imported within one second are all there, once",
            of_one_second().await,
            json!([250, true]),
        ),
        (
            "a product that the list lacks, and that is there, is not deleted",
            deleted(Bend::LacksTheFirst).await,
            json!(0),
        ),
        ("what a cache gives in place of the list deletes nothing", deleted(Bend::Text(CACHED)).await, json!(0)),
        ("a sale that moves no date is known within a day", sold().await, json!(3)),
        (
            "a webhook that the store disabled is made anew, and the old one ended",
            disabled().await,
            json!([["active", "active", "active", "active"], false]),
        ),
    ]
}
