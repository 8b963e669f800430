//! Accounts that deliveries name without a signature: the secret decides where it can, and nothing is dropped where it
//! cannot.

use std::collections::BTreeSet;
use std::time::Duration;

use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Sample, Unsigned};
use hooktide_store::records::dead_letter::Shelf;
use hooktide_tests::connected::{Connected, sample_secrets};
use hooktide_tests::world::{SECRET, Shop, World};
use http::{HeaderValue, Method};
use serde_json::{Value, json};

const SOURCE: &str = "x-wc-webhook-source";

async fn store(world: &World, settings: Value) -> Connected {
    let secrets = sample_secrets(hooktide_providers::webhooks_by_id("woocommerce").unwrap());
    let body =
        json!({ "provider": "woocommerce", "account": "shop.example", "secrets": secrets, "settings": settings });
    world.connect_with("woocommerce", body).await
}

/// Sends an update of a product that names this store, and returns its entries among the activity.
async fn update(world: &World, store: &Connected, number: u64, source: &str) -> Value {
    let mut request = world.sample_of(store, "product.updated", number).await;
    request.headers_mut().insert(SOURCE, HeaderValue::from_str(source).unwrap());
    let known: BTreeSet<String> = world.activity().await.iter().map(|told| told["id"].to_string()).collect();
    world.request(request).await.expect(200);
    world.tick().await;
    let activity = world.activity().await;
    activity.into_iter().find(|told| !known.contains(&told["id"].to_string())).unwrap()
}

#[tokio::test]
async fn a_store_whose_address_changed_is_processed_with_a_warning() {
    let world = World::new().await;
    let store = store(&world, json!({ "sources": ["https://Shop.Example/de/"] })).await;
    for (number, (source, warns)) in [
        ("https://shop.example/", false),
        ("https://shop.example/de/", false),
        ("https://www.shop.example/", true),
        ("https://shop.example/fr/", true),
        ("https://moved.example", true),
    ]
    .into_iter()
    .enumerate()
    {
        let told = update(&world, &store, number as u64, source).await;
        assert_eq!(told["outcome"], "processed", "{source}: {told}");
        let reason = told["reason"].as_str().unwrap_or_default();
        assert_eq!(reason.contains("change the connection's account"), warns, "{source}: {reason}");
        assert_eq!(world.changes().await.len(), number + 1, "{source}");
    }
    let forged = Shop { secret: "guessed".into(), ..world.shop().await };
    let mut request = world.sample(&forged, "products/update", 1, world.now());
    *request.uri_mut() = store.path.parse().unwrap();
    assert_eq!(world.request(request).await.status, 401, "the secret decides");
}

#[tokio::test]
async fn on_an_address_of_several_stores_an_unknown_one_is_held_and_a_nameless_delivery_is_kept() {
    let world = World::new().await;
    let secrets = sample_secrets(hooktide_providers::webhooks_by_id("woocommerce").unwrap());
    let body = json!({ "provider": "woocommerce", "secrets": secrets });
    let app = world.post("/v1/endpoints", body).await.expect(201);
    let id = app["id"].as_str().unwrap().to_owned();
    let body = json!({ "provider": "woocommerce", "account": "shop.example", "endpoint": id });
    let connected = world.connect_with("woocommerce", body).await;
    let many = Connected { path: format!("/webhooks/woocommerce/{id}"), ..connected.clone() };
    let sample = async |number, source: Option<&str>| {
        let mut request = world.sample_of(&many, "product.updated", number).await;
        match source {
            Some(source) => drop(request.headers_mut().insert(SOURCE, HeaderValue::from_str(source).unwrap())),
            None => drop(request.headers_mut().remove(SOURCE)),
        }
        world.request(request).await.expect(200);
        world.tick().await;
    };
    sample(1, Some("https://shop.example")).await;
    sample(2, Some("https://www.shop.example")).await;
    assert_eq!(world.changes().await.len(), 1);
    let shop = Shop { id, url: String::new(), account: String::new(), secret: String::new() };
    let held = world.held(&shop).await;
    assert_eq!(held.iter().map(|letter| letter.account.as_deref()).collect::<Vec<_>>(), [Some("www.shop.example")]);
    for source in [None, Some("")] {
        sample(3, source).await;
    }
    assert_eq!(world.outcomes().await.iter().filter(|outcome| *outcome == "dead").count(), 2);
    let letters = world.get("/v1/dead-letters").await.expect(200);
    let letters = letters["items"].as_array().unwrap();
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().all(|letter| letter["class"] == "unknown-account"), "{letters:?}");
}

/// A shop, whose own endpoint got a delivery of another one.
async fn with_delivery_of(account: &str) -> (World, Shop) {
    let world = World::new().await;
    let body = json!({ "provider": "shopify", "account": "one.myshopify.com", "secrets": { "client_secret": SECRET } });
    let one = world.shop_with(body).await;
    let other = Shop { account: account.into(), ..one.clone() };
    world.request(world.sample(&other, "products/update", 1, world.now())).await.expect(200);
    world.tick().await;
    (world, one)
}

#[tokio::test]
async fn another_shop_of_the_same_app_is_held_and_never_taken_for_the_connections() {
    let (world, one) = with_delivery_of("other.myshopify.com").await;
    assert!(world.changes().await.is_empty());
    let told = world.activity().await.pop().unwrap();
    assert!(told["reason"].as_str().unwrap().contains("other.myshopify.com"), "{told}");
    assert_eq!(world.held(&one).await.len(), 1);
    // The shop has been renamed: what was held is its own.
    let path = format!("/v1/connections/{}", one.id);
    let patch = json!({ "account": "other.myshopify.com" });
    world.call(&world.operator, Method::PATCH, &path, Some(patch)).await.expect(200);
    world.tick().await;
    assert_eq!((world.changes().await.len(), world.held(&one).await.len()), (1, 0));
}

#[tokio::test]
async fn every_held_account_that_is_no_longer_foreign_is_released() {
    for (patch, released) in [
        (json!({ "name": "Renamed", "settings": { "rate_per_minute": 1 } }), 0),
        (json!({ "settings": { "sources": ["two.myshopify.com", " THREE.myshopify.com"] } }), 2),
        (json!({ "account": "two.myshopify.com", "settings": { "sources": ["four.myshopify.com"] } }), 2),
        (json!({ "account": null }), 3),
    ] {
        let world = World::new().await;
        let one =
            json!({ "provider": "shopify", "account": "one.myshopify.com", "secrets": { "client_secret": SECRET } });
        let one = world.shop_with(one).await;
        for (number, account) in ["two", "three", "four"].into_iter().enumerate() {
            let other = Shop { account: format!("{account}.myshopify.com"), ..one.clone() };
            world.request(world.sample(&other, "products/update", number as u64, world.now())).await.expect(200);
        }
        world.tick().await;
        assert_eq!(world.held(&one).await.len(), 3);
        let path = format!("/v1/connections/{}", one.id);
        world.call(&world.operator, Method::PATCH, &path, Some(patch.clone())).await.expect(200);
        // The replay's step, then what it sent at its rate.
        world.after(Duration::from_secs(1)).await;
        world.after(Duration::from_secs(1)).await;
        assert_eq!((world.changes().await.len(), world.held(&one).await.len()), (released, 3 - released), "{patch}");
        assert_eq!(world.idle().await, Ok(()), "{patch}");
    }
}

#[tokio::test]
async fn what_an_own_endpoint_holds_is_released_by_hand_once_the_account_is_its_own() {
    let (world, one) = with_delivery_of("two.myshopify.com").await;
    let [letter] = world.held(&one).await.try_into().unwrap();
    let release = async |account: &str, tenant: &str| {
        let body = json!({ "account": account, "tenant": tenant });
        world.post(&format!("/v1/endpoints/{}/release", one.id), body).await
    };
    let problem = release("two.myshopify.com", "default").await.expect(409);
    assert!(problem["detail"].as_str().unwrap().contains("`sources`"), "{problem}");
    let path = format!("/v1/connections/{}", one.id);
    let patch = json!({ "settings": { "sources": ["two.myshopify.com"] } });
    world.call(&world.operator, Method::PATCH, &path, Some(patch)).await.expect(200);
    world.after(Duration::from_secs(1)).await;
    assert_eq!(world.held(&one).await.len(), 0);
    // A letter that stayed behind, whatever the reason.
    let shelf = Shelf::Held { endpoint: one.id.clone(), account: "two.myshopify.com".into() };
    let until = world.now() + Duration::from_secs(3600);
    let put = letter.put(&Tenant::default_local(), &shelf, "left", until).unwrap();
    world.host.ports.table.write(put).await.unwrap();
    release("two.myshopify.com", "anna").await.expect(409);
    assert_eq!(release("TWO.myshopify.com", "default").await.expect(202)["matched"], 1);
    world.after(Duration::from_secs(1)).await;
    assert_eq!((world.changes().await.len(), world.held(&one).await.len()), (1, 0));
}

#[tokio::test]
async fn another_shop_of_the_same_app_that_asks_to_be_erased_is_erased_from_what_is_held() {
    let world = World::new().await;
    let body = json!({ "provider": "shopify", "account": "one.myshopify.com", "secrets": { "client_secret": SECRET } });
    let one = world.shop_with(body).await;
    let other = Shop { account: "other.myshopify.com".into(), ..one.clone() };
    for shop in [&one, &other] {
        world.update(shop, 1).await.expect(200);
    }
    assert_eq!(world.held(&one).await.len(), 1);
    world.request(world.sample(&other, "shop/redact", 1, world.now())).await.expect(200);
    world.tick().await;
    world.after(Duration::from_secs(3600)).await;
    assert_eq!(world.held(&one).await.len(), 0);
    let records = world.get("/v1/privacy-requests").await.expect(200);
    assert_eq!((&records["items"][0]["act"], &records["items"][0]["deliveries"]), (&json!("erase"), &json!(1)));
    let change = world.changes().await.pop().unwrap();
    assert!(!change["document"].is_null(), "the connection's own shop keeps what it has: {change}");
}

#[tokio::test]
async fn a_delivery_that_is_ignored_for_its_account_says_so_once() {
    let world = World::new().await;
    let provider = hooktide_providers::webhooks_by_id("meta").unwrap();
    let meta = world.connect(provider).await;
    let topic = provider.profile().topics[0].name;
    let sample = Sample { number: 1, updated_at: world.now(), account: "990000000000001" };
    let unsigned = Unsigned {
        topic,
        body: provider.sample(topic, &sample).unwrap(),
        account: sample.account,
        delivery: "one",
        secrets: &hooktide_providers::signing_with(
            provider.profile(),
            &Secret::new(provider.profile().sample_secrets[0].1),
        ),
        url: &format!("https://hooks.example.com{}", meta.path),
        now: world.now(),
    };
    let mut request = provider.sign(unsigned).unwrap();
    *request.uri_mut() = meta.path.parse().unwrap();
    world.request(request).await.expect(200);
    world.tick().await;
    let told = world.activity().await.pop().unwrap();
    let reason = told["reason"].as_str().unwrap();
    assert_eq!(told["outcome"], "ignored", "{told}");
    assert!(
        reason.starts_with("it names the account 990000000000001") && !reason.contains("check its settings"),
        "{reason}"
    );
}
