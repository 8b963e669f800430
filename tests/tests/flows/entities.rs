//! Entities that hints name: one that can never be read holds up nothing else, and none is given up for anything else.

use std::time::Duration;

use hooktide_tests::provided::Provided;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
/// The rest of a minute, of which [`Provided::after`] takes twelve seconds by itself.
const MINUTE: Duration = Duration::from_secs(48);

/// A store; a product of it without variations, and one with, of which a change that moves no date is not known yet.
async fn with_undated_change() -> (Provided, String, String) {
    let provided = Provided::new("woocommerce").await;
    let products = provided.account.state()["products"].as_array().expect("products").clone();
    let is = |sort: &'static str| move |product: &&Value| product["type"] == sort && product["status"] == "publish";
    let plain = products.iter().find(is("simple")).expect("a plain product")["id"].to_string();
    let variable = products.iter().find(is("variable")).expect("one with variations");
    provided.after(60 * MINUTE).await;
    let variation = variable["variations"][0].to_string();
    let fields = json!({ "stock_quantity": 41, "manage_stock": true });
    provided.account.edit_one("variation-alone", Some(&variation), Some(fields));
    (provided, plain, variable["id"].to_string())
}

/// Whether the change that moves no date is known, and how.
async fn found(provided: &Provided) -> Option<Value> {
    let changes = provided.faulty.world.changes().await;
    let has = |change: &&Value| {
        let variants = change["document"]["variants"].as_array().cloned().unwrap_or_default();
        variants.iter().any(|variant| variant["stock"] == 41)
    };
    changes.iter().find(has).map(|change| change["via"].clone())
}

#[tokio::test]
async fn an_entity_whose_question_always_fails_is_skipped_and_told_and_holds_up_nothing() {
    for (status, told) in [(500, "does not answer as it should"), (503, "does not answer as it should")] {
        let (provided, bad, other) = with_undated_change().await;
        let end = format!("/products/{bad}");
        provided.account.break_at(Some((end, status)));
        let asked = provided.account.calls("");
        provided.account.edit("product", Some(json!({ "name": "Gyokuro" })));
        provided.hint("products", &[&bad, &other]).await;
        provided.after(SECOND).await;
        assert_eq!(found(&provided).await, Some(json!("webhook")), "the other one waits for nothing");
        assert!(provided.knows("Gyokuro").await, "nor does what changed: {:#?}", provided.told().await);
        provided.after(MINUTE).await;
        let resource = provided.resource("products").await;
        assert_eq!((resource.reading, resource.failures), (None, 0), "{:#?}", provided.told().await);
        assert_eq!(provided.tells(&format!("{bad} of products/{}: ", provided.connection)).await, 1);
        assert!(provided.tells(told).await > 1, "{:#?}", provided.told().await);
        assert!(provided.account.calls("") - asked < 20, "it costs a few calls");
        // The next hint is about it, too, and is settled as well.
        provided.account.break_at(None);
        provided.hint("products", &[&bad]).await;
        provided.after(SECOND).await;
        assert_eq!(provided.tells(&format!("{bad} of products/{}: ", provided.connection)).await, 1);
    }
}

#[tokio::test]
async fn a_provider_that_answers_nothing_costs_no_entity_its_hint() {
    let (provided, plain, other) = with_undated_change().await;
    provided.account.lose(Some("/products"));
    provided.hint("products", &[&plain, &other]).await;
    for _ in 0..20 {
        provided.after(MINUTE).await;
    }
    assert_eq!(found(&provided).await, None);
    provided.account.lose(None);
    for _ in 0..20 {
        provided.after(MINUTE).await;
    }
    assert_eq!(found(&provided).await, Some(json!("webhook")), "{:#?}", provided.told().await);
    for id in [plain, other] {
        assert_eq!(provided.tells(&format!("{id} of products/")).await, 0, "{:#?}", provided.told().await);
    }
}
