//! Square: a catalog whose notifications name nothing, and counts that may be missing.

use hooktide_providers::Reach;
use hooktide_tests::bent::Bend;
use serde_json::{Value, json};

use super::Seen;
use super::pair::{Pair, fields};
use super::shop::Shop;

/// Two pages, each of which leads to the other.
const CIRCLE: &[&str] = &[r#"{"objects":[],"cursor":"one"}"#, r#"{"objects":[],"cursor":"other"}"#];

pub(super) fn read() -> Vec<Seen> {
    let since = json!({ "since": "2026-11-28T11:00:00Z" });
    let catalog = || Pair::new("square", "catalog", Reach::Changes).after(&since);
    let question: Value = {
        let question = catalog().question();
        serde_json::from_str(question.split_once(' ').expect("a body").1).expect("JSON")
    };
    // Their clock is three minutes behind ours.
    let behind = json!({ "latest_time": "2026-11-28T11:57:00Z" });
    vec![
        (
            "the catalog is read from Square's own time on, whatever our clock says",
            catalog().read(&[(200, behind)])["next"]["since"].clone(),
            json!("2026-11-28T11:57:00Z"),
        ),
        (
            "deleted items are asked for together with the time, since they come all the same",
            json!([question["begin_time"], question["include_deleted_objects"]]),
            json!(["2026-11-28T11:00:00Z", true]),
        ),
        (
            "a count that is missing from an answer makes no zero",
            fields(
                &Pair::new("square", "stock", Reach::One("VARIATION/LOCATION/IN_STOCK")).read(&[(200, json!({}))]),
                &["entities", "ignored"],
            ),
            json!([[], 1]),
        ),
        (
            "an answer with errors beside its success is not believed",
            Pair::new("square", "stock", Reach::Everything)
                .read(&[(200, json!({ "errors": [{ "category": "API_ERROR", "code": "INTERNAL_SERVER_ERROR" }] }))]),
            json!({ "refusal": "Unavailable { after: None }" }),
        ),
        (
            "a permission that the seller did not give is no matter of the token",
            Pair::new("square", "stock", Reach::Everything)
                .read(&[(403, json!({ "errors": [{ "category": "AUTHENTICATION_ERROR", "code": "FORBIDDEN" }] }))]),
            json!({ "refusal": "Forbidden" }),
        ),
    ]
}

/// How many changes two notifications of one save make, and of which product.
async fn saved() -> Value {
    let shop = Shop::new("square").await;
    let before = shop.changes().await.len();
    let id = shop.told(json!({ "what": "product", "fields": { "name": "Gyokuro" } }), 2).await;
    let changes = shop.changes().await.split_off(before);
    changes.iter().map(|change| json!([change["document"]["id"] == *id, change["op"], change["via"]])).collect()
}

/// The changes of an item that is deleted while nothing is heard.
async fn deleted() -> Value {
    let shop = Shop::silent("square").await;
    let id = shop.first(|_| true).await;
    let entity = shop.product(&id).await.expect("it was read");
    shop.edit(json!({ "what": "product", "id": id })).await;
    shop.day().await;
    json!(shop.ops(&entity).await)
}

/// Whether an edit is known while every call is one too many, and after that.
async fn limited() -> Value {
    let shop = Shop::new("square").await;
    shop.0.control("faults", json!({ "quota": 0 })).await;
    let id = shop.told(json!({ "what": "product", "fields": { "name": "Gyokuro" } }), 2).await;
    for _ in 0..6 {
        shop.hours(1).await;
    }
    let during = shop.product(&id).await.is_some();
    shop.0.control("faults", json!({ "quota": null })).await;
    for _ in 0..2 {
        shop.hours(1).await;
    }
    json!([during, shop.product(&id).await.is_some()])
}

/// Whether pages that lead to each other end a reading, and whether something is lost.
async fn circle() -> Value {
    let shop = Shop::silent("square").await;
    shop.0.bends.set(Bend::InTurn(CIRCLE));
    shop.day().await;
    let said = shop.says("the same pages again").await;
    let deleted = shop.changes().await.iter().filter(|change| change["op"] == "deleted").count();
    json!([said, deleted])
}

pub(super) async fn edited() -> Vec<Seen> {
    vec![
        (
            "two notifications of one save, which name nothing, are one change of what was saved",
            saved().await,
            json!([[true, "created", "webhook"]]),
        ),
        (
            "an item that is deleted while nothing is heard is gone within a day",
            deleted().await,
            json!(["created", "deleted"]),
        ),
        ("a sync that is limited for hours is taken up by itself", limited().await, json!([false, true])),
        ("pages that lead to each other in a circle are not followed for ever", circle().await, json!([true, 0])),
    ]
}
