//! A shop whose searches lag behind, whose questions have a price, and whose products have thousands of variants, over HTTP
//! against its simulator.

use std::time::Duration;

use hooktide_tests::bent::Bend;
use hooktide_tests::simulated::Simulated;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
/// Where the products of a shop are read one by one.
const ALONE: &str = "query HooktideProduct(";

async fn shop() -> Simulated {
    let simulated = Simulated::new("shopify").await;
    simulated.after(SECOND).await;
    simulated
}

/// Edits something, waits until so many notifications of it are accepted, and lets them be settled.
async fn rung(simulated: &Simulated, edit: Value, notifications: u64) -> String {
    let accepted = simulated.state().await["notifications"]["accepted"].as_u64().unwrap();
    let id = simulated.control("edit", edit).await["id"].as_str().unwrap().to_owned();
    simulated.heard(accepted + notifications).await;
    simulated.after(3 * SECOND).await;
    id
}

/// How often each operation was asked for since `before`.
async fn asked(simulated: &Simulated, before: &Value) -> Vec<(String, u64)> {
    let now = simulated.state().await["account"]["calls"].clone();
    let since = |(name, count): (&String, &Value)| {
        let asked = count.as_u64().unwrap() - before[name].as_u64().unwrap_or_default();
        (asked > 0).then(|| (name.clone(), asked))
    };
    now.as_object().unwrap().iter().filter_map(since).collect()
}

async fn calls(simulated: &Simulated) -> Value {
    simulated.state().await["account"]["calls"].clone()
}

/// The last change of this kind that fits.
async fn last(simulated: &Simulated, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let changes = simulated.world.changes().await;
    changes.into_iter().rfind(|change| change["kind"] == kind && fits(change)).unwrap_or_default()
}

async fn reasons(simulated: &Simulated) -> String {
    let activity = simulated.world.activity().await;
    activity.iter().filter_map(|entry| entry["reason"].as_str()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_change_of_stock_is_read_by_its_level_which_no_search_lags_behind() {
    let simulated = shop().await;
    let counted = last(&simulated, "stock", |change| change["document"]["quantity"].is_string()).await;
    let document = &counted["document"];
    let id = format!("{}/{}", document["variant"].as_str().unwrap(), document["location"].as_str().unwrap());
    simulated.after(HOUR).await;
    let before = calls(&simulated).await;
    rung(&simulated, json!({ "what": "stock", "id": id, "fields": { "available": 4711 } }), 2).await;
    let told = last(&simulated, "stock", |change| change["entity"] == counted["entity"]).await;
    assert_eq!(
        (&told["document"]["quantity"], &told["via"]),
        (&json!("4711"), &json!("webhook")),
        "{}",
        reasons(&simulated).await
    );
    let asked = asked(&simulated, &before).await;
    let of = |name: &str| asked.iter().find(|(asked, _)| asked == name).map(|(_, count)| *count);
    let counts = ["HooktideItemLevel", "HooktideStock", "HooktideLevels", "HooktideProducts"].map(of);
    assert_eq!(counts, [Some(1), Some(1), None, None], "{asked:?}");
}

#[tokio::test]
async fn a_change_of_more_levels_than_a_hint_names_is_found_by_dates_and_lists_nothing_in_full() {
    let simulated = shop().await;
    let variants: Vec<Value> = (0..80).map(|number| json!({ "sku": format!("V-{number}"), "price": "1" })).collect();
    let id = rung(&simulated, json!({ "what": "product", "fields": { "variants": variants } }), 1).await;
    simulated.after(HOUR).await;
    let told = last(&simulated, "product", |change| change["document"]["id"] == *id).await;
    let accepted = simulated.state().await["notifications"]["accepted"].clone();
    for variant in told["document"]["variants"].as_array().unwrap() {
        let edit = json!({ "what": "stock", "id": variant["id"], "fields": { "available": 4711 } });
        simulated.control("edit", edit).await;
    }
    simulated.heard(accepted.as_u64().unwrap() + 160).await;
    for _ in 0..4 {
        simulated.after(10 * SECOND).await;
    }
    let changes = simulated.world.changes().await;
    let counted = |change: &&Value| change["kind"] == "stock" && change["document"]["quantity"] == "4711";
    let counted: Vec<&Value> = changes.iter().filter(counted).collect();
    assert_eq!(counted.len(), 80, "{}", reasons(&simulated).await);
    assert!(counted.iter().all(|change| change["via"] == "webhook"), "{counted:#?}");
    let said = reasons(&simulated).await;
    assert_eq!(said.matches("full sync of stock/").count(), 1, "the first one: {said}");
}

#[tokio::test]
async fn a_product_of_fifteen_hundred_variants_is_read_whole_within_what_a_question_may_cost() {
    let simulated = shop().await;
    let before = calls(&simulated).await;
    let variants: Vec<Value> = (0..1_500).map(|number| json!({ "sku": format!("V-{number}"), "price": "1" })).collect();
    let fields = json!({ "title": "Wide", "variants": variants });
    let id = rung(&simulated, json!({ "what": "product", "fields": fields }), 1).await;
    // The points of so many questions come back only while time goes by.
    for _ in 0..6 {
        simulated.after(60 * SECOND).await;
    }
    let told = last(&simulated, "product", |change| change["document"]["id"] == *id).await;
    let variants = told["document"]["variants"].as_array().unwrap();
    assert_eq!(variants.len(), 1_500, "{}", reasons(&simulated).await);
    assert_eq!(variants[1_499]["sku"], "V-1499");
    let asked = asked(&simulated, &before).await;
    let of_one = |name: &str| asked.iter().find(|(asked, _)| asked == name).map(|(_, count)| *count);
    let counts = ["HooktideProduct", "HooktideVariantsEnd", "HooktideVariants"].map(of_one);
    let [products, ends, pages] = counts.map(Option::unwrap_or_default);
    // However often it is read: for its first page and with the others, whose ends are found one by one.
    assert!(products > 0 && (ends, pages) == (2 * products, 5 * products / 2), "{asked:?}");
}

#[tokio::test]
async fn a_product_that_the_shop_refuses_to_show_is_named_and_holds_up_no_other() {
    let simulated = shop().await;
    let variants: Vec<Value> = (0..40).map(|number| json!({ "sku": format!("V-{number}"), "price": "1" })).collect();
    let wide =
        rung(&simulated, json!({ "what": "product", "fields": { "title": "Wide", "variants": variants } }), 1).await;
    simulated.control("faults", json!({ "drop": true })).await;
    simulated.bends.set(Bend::TooDear(ALONE));
    for title in ["Wider", "Widest"] {
        simulated.control("edit", json!({ "what": "product", "id": wide, "fields": { "title": title } })).await;
        let other = format!("Beside the {title}");
        simulated.control("edit", json!({ "what": "product", "fields": { "title": other } })).await;
        for _ in 0..4 {
            simulated.after(7 * HOUR).await;
        }
        let found = last(&simulated, "product", |change| change["document"]["title"] == *other).await;
        assert!(found.is_object(), "{title}: {}", reasons(&simulated).await);
    }
    let said = reasons(&simulated).await;
    let named = format!("product {wide} cannot be read: Shopify does not accept the question for it");
    assert!(said.contains(&named) && !said.contains("failing since"), "{said}");
    let known = last(&simulated, "product", |change| change["document"]["id"] == *wide).await;
    assert_eq!((&known["document"]["title"], &known["op"]), (&json!("Wide"), &json!("created")), "it is not gone");
    simulated.bends.set(Bend::Nothing);
    for _ in 0..4 {
        simulated.after(7 * HOUR).await;
    }
    let known = last(&simulated, "product", |change| change["document"]["id"] == *wide).await;
    assert_eq!(known["document"]["title"], "Widest", "{}", reasons(&simulated).await);
}
