//! What a delivery leaves open is settled by its source: ties, and products of which it shows only a part.

use std::time::Duration;

use bytes::Bytes;
use hooktide_model::secret::Secret;
use hooktide_providers::Unsigned;
use hooktide_tests::simulated::Simulated;
use http::Uri;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// Delivers a body as the account that the simulator stands for, signed by its secret.
async fn deliver(simulated: &Simulated, provider: &str, topic: &str, body: &Value) {
    let provider = hooktide_providers::webhooks_by_id(provider).unwrap();
    let profile = provider.profile();
    let shown = simulated.world.get(&format!("/v1/connections/{}", simulated.connection)).await.expect(200);
    let url = shown["webhook_url"].as_str().unwrap();
    let unsigned = Unsigned {
        topic,
        body: Bytes::from(body.to_string()),
        account: profile.sample_account,
        delivery: "by-hand",
        secrets: &hooktide_providers::signing_with(profile, &Secret::new(profile.sample_secrets[0].1)),
        url,
        now: simulated.world.now(),
    };
    let mut request = provider.sign(unsigned).unwrap();
    *request.uri_mut() = url.parse::<Uri>().unwrap().path().parse().unwrap();
    assert_eq!(simulated.world.request(request).await.status, 200);
}

/// How the changes of a product became known.
async fn ways(simulated: &Simulated, entity: &Value) -> Vec<String> {
    let changes = simulated.world.changes().await;
    let of = changes.iter().filter(|change| change["entity"] == *entity);
    of.map(|change| change["via"].as_str().unwrap().to_owned()).collect()
}

/// The title that a product has now.
async fn last(simulated: &Simulated, entity: &Value) -> String {
    let changes = simulated.world.changes().await;
    let last = changes.iter().rfind(|change| change["entity"] == *entity).unwrap();
    last["document"]["title"].as_str().unwrap_or_default().to_owned()
}

/// The body that tells another title for the state that the source has.
async fn told_wrongly(simulated: &Simulated, provider: &str, change: &Value) -> Value {
    let document = &change["document"];
    if provider == "woocommerce" {
        let products = simulated.state().await["account"]["products"].clone();
        let own = products.as_array().unwrap().iter().find(|one| document["id"] == json!(one["id"].to_string()));
        let mut body = own.unwrap().clone();
        body["name"] = json!("Told wrongly");
        return body;
    }
    let id: u64 = document["id"].as_str().unwrap().parse().unwrap();
    json!({
        "id": id, "title": "Told wrongly", "updated_at": document["updated_at"], "status": "active",
        "variants": [], "images": [],
    })
}

#[tokio::test]
async fn a_tie_is_settled_by_its_source_and_the_activity_tells_both() {
    for (provider, topic) in [("woocommerce", "product.updated"), ("shopify", "products/update")] {
        let simulated = Simulated::new(provider).await;
        simulated.after(SECOND).await;
        let changes = simulated.world.changes().await;
        let first = changes.iter().find(|change| change["kind"] == "product").expect("a product").clone();
        // By now nothing is read again for being recent.
        simulated.after(Duration::from_secs(3600)).await;
        deliver(&simulated, provider, topic, &told_wrongly(&simulated, provider, &first).await).await;
        simulated.world.tick().await;
        assert_eq!(last(&simulated, &first["entity"]).await, "Told wrongly", "{provider}: what was told last counts");
        simulated.after(3 * SECOND).await;
        assert_eq!(json!(last(&simulated, &first["entity"]).await), first["document"]["title"], "{provider}");
        assert_eq!(ways(&simulated, &first["entity"]).await, ["full", "webhook", "webhook"], "{provider}");
        let activity = simulated.world.activity().await;
        let tells = |text: &str| {
            activity.iter().any(|entry| entry["reason"].as_str().is_some_and(|reason| reason.contains(text)))
        };
        assert!(tells("same version as another state"), "{provider}: {activity:#?}");
        assert!(tells("1 change,") && tells("1 hint is settled"), "{provider}: {activity:#?}");
    }
}

#[tokio::test]
async fn a_variation_that_leaves_the_date_of_its_product_is_found_by_the_id_of_its_product() {
    let simulated = Simulated::new("woocommerce").await;
    simulated.after(SECOND).await;
    let products = simulated.state().await["account"]["products"].clone();
    let variable = products.as_array().unwrap().iter().find(|one| one["type"] == "variable").expect("one").clone();
    simulated.after(Duration::from_secs(3600)).await;
    let accepted = simulated.state().await["notifications"]["accepted"].as_u64().unwrap();
    let edit = json!({ "what": "variation-alone", "id": variable["variations"][0], "fields": { "stock_quantity": 41, "manage_stock": true } });
    simulated.control("edit", edit).await;
    simulated.heard(accepted + 1).await;
    simulated.after(3 * SECOND).await;
    let last = simulated.world.changes().await.pop().unwrap();
    assert_eq!(
        (&last["document"]["id"], &last["via"]),
        (&json!(variable["id"].to_string()), &json!("webhook")),
        "{last:#}"
    );
    let stocks: Vec<&Value> =
        last["document"]["variants"].as_array().unwrap().iter().map(|one| &one["stock"]).collect();
    assert!(stocks.contains(&&json!(41)), "{last:#}");
}
