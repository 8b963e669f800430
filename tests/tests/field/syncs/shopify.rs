//! Shopify: searches by time, limits inside a success, and subscriptions that it takes away.

use hooktide_providers::{Reach, SubscriptionStep};
use serde_json::{Value, json};

use super::Seen;
use super::pair::{Pair, fields, step};
use super::shop::Shop;

fn products() -> Pair {
    Pair::new("shopify", "products", Reach::Changes).after(&json!({ "since": "2026-11-28T11:00:00Z" }))
}

/// What is read of an answer that is an error of this code.
fn refused(code: Option<&str>, cost: Value) -> Value {
    let mut error = json!({ "message": "Throttled" });
    if let Some(code) = code {
        error["extensions"] = json!({ "code": code });
    }
    products().read(&[(200, json!({ "errors": [error], "extensions": { "cost": cost } }))])["refusal"].clone()
}

/// The meaning of an answer about a subscription.
fn subscription(of: SubscriptionStep<'_>, body: &Value) -> String {
    step("shopify", ("products/update", None), of, (200, body))
}

pub(super) fn read() -> Vec<Seen> {
    let page = |token: &str| {
        let info = json!({ "hasNextPage": true, "endCursor": token });
        (200, json!({ "data": { "products": { "nodes": [], "pageInfo": info } } }))
    };
    let listing = Pair::new("shopify", "products", Reach::Everything);
    let points = json!({ "maximumAvailable": 2000, "currentlyAvailable": 14, "restoreRate": 100 });
    let taken = json!({ "data": { "webhookSubscriptionCreate": {
        "webhookSubscription": null,
        "userErrors": [{ "field": ["webhookSubscription", "uri"], "message": "Address for this topic has already been taken" }],
    } } });
    let gone = json!({ "data": { "webhookSubscription": null } });
    let question = products().question();
    vec![
        (
            "a time is searched for in quotes and in UTC, a minute back, since the search lags behind",
            json!(question.contains("updated_at:>'2026-11-28T10:59:00Z'")),
            json!(true),
        ),
        (
            "a limit inside a success waits until there are points, or as long as usual if none are told",
            json!([
                refused(Some("THROTTLED"), json!({ "requestedQueryCost": 914, "throttleStatus": points })),
                refused(Some("THROTTLED"), json!({ "requestedQueryCost": 914 })),
                refused(None, json!({})),
            ]),
            json!(["Limited { after: Some(9s) }", "Limited { after: None }", "Invalid"]),
        ),
        (
            "a scope that is lacking inside a success is no matter of the token",
            refused(Some("ACCESS_DENIED"), Value::Null),
            json!("Forbidden"),
        ),
        (
            "no question costs more than one may, however many variants a product has",
            {
                let one = Pair::new("shopify", "products", Reach::One("7")).question();
                json!([one.contains(r#""variants":250"#), one.contains("2048")])
            },
            json!([true, false]),
        ),
        (
            "a page that leads to itself ends the reading",
            fields(&listing.read(&[page("one"), page("one")]), &["next"]),
            json!({ "refusal": "Unreadable(\"the same page again\")" }),
        ),
        (
            "a subscription that is there already is taken for ours",
            json!(subscription(SubscriptionStep::Register, &taken)),
            json!("taken"),
        ),
        (
            "a subscription that Shopify deleted after failures is seen to be gone",
            json!(subscription(SubscriptionStep::Probe { id: "gid://shopify/WebhookSubscription/1" }, &gone)),
            json!("gone"),
        ),
    ]
}

/// How many variants are known of a product that has 120, and that nothing tells of.
async fn variants() -> Value {
    let shop = Shop::silent("shopify").await;
    let variants: Vec<Value> = (0..120).map(|number| json!({ "title": format!("Size {number}") })).collect();
    let id = shop.edit(json!({ "what": "product", "fields": { "title": "Wide", "variants": variants } })).await;
    shop.day().await;
    match shop.product(&id).await {
        Some(entity) => json!(shop.document(&entity).await["variants"].as_array().map(Vec::len)),
        None => Value::Null,
    }
}

/// What is known of a level whose change a webhook reported, as soon as that is settled.
async fn counted() -> Value {
    let shop = Shop::new("shopify").await;
    let counted = |change: &&Value| change["kind"] == "stock" && change["document"]["quantity"].is_string();
    let Some(first) = shop.changes().await.iter().find(counted).cloned() else { return Value::Null };
    let text = |name: &str| first["document"][name].as_str().unwrap_or_default().to_owned();
    let id = format!("{}/{}", text("variant"), text("location"));
    shop.told(json!({ "what": "stock", "id": id, "fields": { "available": 4711 } }), 2).await;
    let last = shop.changes().await.into_iter().rfind(|change| change["entity"] == first["entity"]);
    last.map_or(Value::Null, |last| json!([last["document"]["quantity"], last["via"]]))
}

/// The changes of a stock that is no longer kept at its location.
async fn inactive() -> Value {
    let shop = Shop::silent("shopify").await;
    let counted = |change: &Value| change["kind"] == "stock" && change["document"]["location"].is_string();
    let first = shop.changes().await.into_iter().find(counted).expect("a count");
    let text = |name: &str| first["document"][name].as_str().unwrap_or_default().to_owned();
    let id = format!("{}/{}", text("variant"), text("location"));
    shop.edit(json!({ "what": "stock", "id": id, "fields": { "active": false } })).await;
    shop.day().await;
    json!(shop.ops(&first["entity"]).await.last())
}

pub(super) async fn edited() -> Vec<Seen> {
    vec![
        ("a product with more variants than a page has all of them", variants().await, json!(120)),
        (
            "a change of stock is known by its webhook, although searches lag behind",
            counted().await,
            json!(["4711", "webhook"]),
        ),
        ("stock that is no longer kept at its location is gone, and not zero", inactive().await, json!("deleted")),
    ]
}
