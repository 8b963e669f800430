//! Requests about personal data are done, and there is a record of it.

use std::time::Duration;

use bytes::Bytes;
use hooktide_model::envelope::{Envelope, EnvelopeKind, VERSION};
use hooktide_model::fault::ErrorClass;
use hooktide_model::names::Scope;
use hooktide_model::tenant::Tenant;
use hooktide_store::bodies;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::QueueName;
use hooktide_store::records;
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};
use hooktide_tests::bodies::noise;
use hooktide_tests::connected::sample_secrets;
use hooktide_tests::world::{Shop, World};
use http::{Method, Request};
use object_store::ObjectStoreExt;
use serde_json::{Value, json};

async fn requests(world: &World) -> Vec<Value> {
    let page = world.get("/v1/privacy-requests").await.expect(200);
    page["items"].as_array().cloned().unwrap_or_default()
}

async fn letters(world: &World) -> usize {
    world.get("/v1/dead-letters").await.expect(200)["items"].as_array().map_or(0, Vec::len)
}

/// The body of the one dead letter that is left.
async fn letter_left(world: &World) -> String {
    let page = world.get("/v1/dead-letters").await.expect(200);
    let [left] = page["items"].as_array().unwrap().as_slice() else { panic!("one letter: {page}") };
    let whole = world.get(&format!("/v1/dead-letters/{}", left["id"].as_str().unwrap())).await.expect(200);
    whole["body"].as_str().unwrap().to_owned()
}

/// Dead letters of which only one is about the customer of the sample requests.
async fn keep_letters(world: &World, shop: &Shop) {
    for body in ["about john@example.com", "about nobody"] {
        world.request(world.signed(shop, "orders/create", body)).await.expect(200);
    }
    world.tick().await;
    assert_eq!(letters(world).await, 2);
}

/// A world with those letters, in which a customer has asked.
async fn asked_with_letters(topic: &str) -> World {
    let world = World::new().await;
    let shop = world.shop().await;
    keep_letters(&world, &shop).await;
    world.request(world.sample(&shop, topic, 1, world.now())).await.expect(200);
    world.tick().await;
    world
}

#[tokio::test]
async fn a_customer_who_is_to_be_erased_is_in_no_kept_delivery_any_more() {
    let world = asked_with_letters("customers/redact").await;
    assert_eq!(letter_left(&world).await, "about nobody");
    let [done] = &requests(&world).await[..] else { panic!("one record") };
    assert_eq!((&done["act"], &done["deliveries"]), (&json!("erase"), &json!(1)));
    assert!(!done.to_string().contains("john"), "the record names nobody");
    let told = world.activity().await;
    assert!(told.iter().any(|entry| entry["reason"].as_str().is_some_and(|reason| reason.starts_with("erased"))));
}

/// Writes the kept messages anew, as other code would have.
async fn rewrite_messages(world: &World, rewrite: impl Fn(&str) -> String) {
    let tenant = Tenant::default_local();
    let letters =
        records::list_all::<DeadLetter>(&*world.host.ports.table, Partition::of(&tenant, Area::DeadLetters), "", 100);
    for (id, stored) in letters.await.expect("letters") {
        let letter = DeadLetter { message: rewrite(&stored.record.message), ..stored.record };
        let write = letter.put(&tenant, &Shelf::Dead, &id, world.now() + Duration::from_secs(3600)).expect("a write");
        world.host.ports.table.write(write).await.expect("written");
    }
}

#[tokio::test]
async fn a_request_waits_for_a_letter_of_newer_code_and_finds_a_foreign_one() {
    let world = World::new().await;
    let shop = world.shop().await;
    keep_letters(&world, &shop).await;
    let (ours, newer) = (format!("\"v\":{VERSION}"), "\"v\":99");
    rewrite_messages(&world, |message| message.replacen(&ours, newer, 1)).await;
    world.request(world.sample(&shop, "customers/redact", 1, world.now())).await.expect(200);
    for _ in 0..5 {
        world.after(Duration::from_secs(60)).await;
    }
    assert_eq!(letters(&world).await, 2, "nobody here knows whom they are about");
    let foreign =
        |message: &str| if message.contains("john") { message.replacen(newer, "", 1) } else { message.to_owned() };
    rewrite_messages(&world, |message| foreign(message).replacen(newer, &ours, 1)).await;
    world.after(Duration::from_secs(3600)).await;
    assert_eq!(letter_left(&world).await, "about nobody");
}

/// What is too large for a record is beside it, and goes with it: of the letter, and of the request, which names somebody too.
#[tokio::test]
async fn large_bodies_that_name_somebody_are_erased_with_what_refers_to_them() {
    let world = World::new().await;
    let shop = world.shop().await;
    for name in ["john@example.com", "ann@example.com"] {
        let body = format!("about {name} {}", noise(1, 500 * 1024));
        world.request(world.signed(&shop, "orders/create", body)).await.expect(200);
    }
    world.tick().await;
    let before = world.blobs("kept").await;
    assert_eq!((letters(&world).await, before.len()), (2, 2));
    world.request(world.signed(&shop, "customers/redact", large_request())).await.expect(200);
    world.tick().await;
    assert!(letter_left(&world).await.starts_with("about ann@example.com"));
    let after = world.blobs("kept").await;
    assert!(after.len() == 1 && before.contains(&after[0]), "{after:?}");
}

#[tokio::test]
async fn a_customer_who_asks_is_told_which_kept_deliveries_there_are() {
    let world = asked_with_letters("customers/data_request").await;
    assert_eq!(letters(&world).await, 2, "nothing is erased");
    let [done] = &requests(&world).await[..] else { panic!("one record") };
    let listed = done["listed"].as_array().unwrap();
    assert_eq!((&done["act"], listed.len()), (&json!("disclose"), 1));
    let letter = world.get(&format!("/v1/dead-letters/{}", listed[0].as_str().unwrap())).await.expect(200);
    assert_eq!(letter["body"], "about john@example.com");
}

#[tokio::test]
async fn a_shop_that_is_to_be_erased_has_no_things_left() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.update_each(&shop, 0..30).await;
    world.request(world.sample(&shop, "shop/redact", 1, world.now())).await.expect(200);
    world.tick().await;
    let [begun] = &requests(&world).await[..] else { panic!("one record") };
    assert!(begun["done_at"].is_null(), "what commits under way may leave is looked for again");
    world.after(hooktide_flows::erase::SETTLES).await;
    let [done] = &requests(&world).await[..] else { panic!("one record") };
    assert!(done["done_at"].is_string(), "{done}");
    assert_eq!((&done["entities"], &done["documents"]), (&json!(30), &json!(30)));
    assert!(world.changes().await.iter().all(|change| change["document"].is_null()), "documents are gone");
    // The same request again, as a provider that heard nothing sends it.
    world.request(world.sample(&shop, "shop/redact", 1, world.now())).await.expect(200);
    world.tick().await;
    world.after(hooktide_flows::erase::SETTLES).await;
    world.idle().await.unwrap();
}

/// A run looks at so many letters at the most; the record goes on from where the last one ended.
#[tokio::test]
async fn a_shelf_that_is_too_long_for_one_run_is_looked_through_in_several() {
    let world = World::new().await;
    let shop = world.shop().await;
    for number in 0..2_100 {
        let body = if number % 100 == 0 { format!("{number} john@example.com") } else { format!("{number} nobody") };
        world.request(world.signed(&shop, "orders/create", body)).await.expect(200);
    }
    world.tick().await;
    world.request(world.sample(&shop, "customers/redact", 1, world.now())).await.expect(200);
    world.tick().await;
    let [done] = &requests(&world).await[..] else { panic!("one record") };
    assert_eq!(done["deliveries"], json!(21));
    assert!(done["done_at"].is_string(), "{done}");
    world.idle().await.unwrap();
}

/// Shopify asks two days after an app was removed, when nobody may have the shop connected any more.
#[tokio::test]
async fn a_shop_that_is_not_connected_is_erased_at_once_and_no_other() {
    let world = World::new().await;
    let app = world.shared_endpoint("app").await;
    let [gone, other] = ["gone.myshopify.com", "other.myshopify.com"]
        .map(|account| Shop { account: account.to_owned(), ..app.clone() });
    for shop in [&gone, &other] {
        world.request(world.sample(shop, "products/update", 1, world.now())).await.expect(200);
    }
    world.request(world.signed(&app, "orders/create", "of nobody knows which shop")).await.expect(200);
    world.tick().await;
    world.request(world.sample(&gone, "shop/redact", 1, world.now())).await.expect(200);
    world.tick().await;
    let held: Vec<_> = world.held(&app).await.into_iter().map(|letter| letter.account).collect();
    assert_eq!(held, [Some(other.account)]);
    assert_eq!(letters(&world).await, 1, "what may be of another shop stays");
    let [done] = &requests(&world).await[..] else { panic!("one record") };
    assert!(done["done_at"].is_string() && done["deliveries"] == json!(1), "{done}");

    // Whoever connects the shop later begins anew, and loses nothing to the request of before.
    let connected = json!({ "provider": "shopify", "account": gone.account, "endpoint": app.id });
    world.post("/v1/connections", connected).await.expect(201);
    world.request(world.sample(&gone, "products/update", 1, world.now())).await.expect(200);
    world.tick().await;
    assert!(world.changes().await[0]["document"].is_object());
}

#[tokio::test]
async fn a_customer_of_a_shop_is_looked_for_in_nothing_that_is_anothers() {
    let world = World::new().await;
    let app = world.shared_endpoint("app").await;
    let bert = world.token("bert", &[Scope::Operate]).await;
    let body = json!({ "provider": "shopify", "account": "bert.myshopify.com", "endpoint": app.id });
    world.call(&bert, Method::POST, "/v1/connections", Some(body)).await.expect(201);
    let of = |account: &str| Shop { account: account.to_owned(), ..app.clone() };
    // One is held for another shop, and one came before anybody could tell whose it is.
    let held = r#"{"id":1,"title":"For john@example.com","updated_at":"2026-11-02T08:00:00Z","variants":[],"for":"john@example.com"}"#;
    world.request(world.signed(&of("other.myshopify.com"), "products/update", held)).await.expect(200);
    world
        .request(world.signed(&of("bert.myshopify.com"), "products/update", "about john@example.com"))
        .await
        .expect(200);
    world.tick().await;
    assert_eq!((world.held(&app).await.len(), letters(&world).await), (1, 1));
    world.request(world.sample(&of("bert.myshopify.com"), "customers/redact", 1, world.now())).await.expect(200);
    world.tick().await;
    assert_eq!((world.held(&app).await.len(), letters(&world).await), (1, 0));
    let told = world.activity().await;
    let erased = |entry: &&Value| entry["reason"].as_str().is_some_and(|reason| reason.starts_with("erased"));
    let [told] = told.iter().filter(erased).collect::<Vec<_>>()[..] else { panic!("{told:?}") };
    assert_eq!(told["connection"], Value::Null, "the endpoint's owner is told, but not whose request it was");
}

/// eBay tells of every user who leaves, whoever they are: what is held about them is looked for with all its sellers.
#[tokio::test]
async fn an_account_that_ebay_deletes_is_looked_for_with_every_tenant_of_the_endpoint() {
    let world = World::new().await;
    let provider = hooktide_providers::by_id("ebay").unwrap();
    let body = json!({ "provider": "ebay", "secrets": sample_secrets(provider), "tenants": ["bert"] });
    let endpoint = world.post("/v1/endpoints", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    let own = world.connect(provider).await;
    let bert = world.token("bert", &[Scope::Operate]).await;
    let shared = json!({ "provider": "ebay", "account": "someseller", "endpoint": endpoint });
    let connection = world.call(&bert, Method::POST, "/v1/connections", Some(shared)).await.expect(201);
    let to_endpoint = |request: Request<Bytes>| {
        let (mut parts, body) = request.into_parts();
        parts.uri = format!("/webhooks/ebay/{endpoint}").parse().unwrap();
        Request::from_parts(parts, body)
    };
    let request = to_endpoint(world.sample_of(&own, "MARKETPLACE_ACCOUNT_DELETION", 1).await);

    world.tick().await;
    // The same body as a dead letter of the seller's names the user too; another one does not.
    world.request(request.clone()).await.expect(200);
    let [message] = &world.take_messages(QueueName::Notices).await[..] else { panic!("one message") };
    let named = Envelope::decode(&message.body).unwrap();
    let other = world.sample_of(&own, "ITEM_AVAILABILITY", 1).await;
    world.request(to_endpoint(other)).await.expect(200);
    let [message] = &world.take_messages(QueueName::Notices).await[..] else { panic!("one message") };
    let tenant = Tenant::parse("bert").unwrap();
    for envelope in [named, Envelope::decode(&message.body).unwrap()] {
        let letter = DeadLetter::of(&envelope, ErrorClass::TriesExhausted, "a test", world.now()).unwrap();
        let letter = DeadLetter { connection: connection["id"].as_str().map(str::to_owned), ..letter };
        let until = world.now() + Duration::from_secs(3600);
        let write = letter.put(&tenant, &Shelf::Dead, &envelope.id, until).unwrap();
        world.host.ports.table.write(write).await.unwrap();
    }

    world.request(request).await.expect(200);
    world.tick().await;
    let [done] = &requests(&world).await[..] else { panic!("one record") };
    assert_eq!(
        (&done["provider"], &done["connection"], &done["deliveries"]),
        (&json!("ebay"), &Value::Null, &json!(1))
    );
    let left = world.call(&bert, Method::GET, "/v1/dead-letters", None).await.expect(200);
    let [left] = left["items"].as_array().unwrap().as_slice() else { panic!("one letter") };
    assert_eq!(left["topic"], "ITEM_AVAILABILITY");
    // The request is not theirs, but they are told why a letter is gone.
    let seen = world.call(&bert, Method::GET, "/v1/privacy-requests", None).await.expect(200);
    assert_eq!(seen["items"], json!([]));
    let told = world.call(&bert, Method::GET, "/v1/activity", None).await.expect(200);
    assert_eq!(told["items"][0]["reason"], "erased: 0 entities, 0 documents, 1 kept deliveries");
}

/// What is kept for two accounts that nobody has connected shares a body: the erasure takes it along with what refers to it.
#[tokio::test]
async fn a_person_who_is_erased_is_in_no_body_that_accounts_share() {
    let world = World::new().await;
    let app = world.shared_endpoint("app").await;
    let one = Shop { account: "one.myshopify.com".into(), ..app.clone() };
    world.request(world.signed(&one, "orders/create", noise(3, 60_000) + " john@example.com")).await.expect(200);
    let [message] = &world.take_messages(QueueName::Notices).await[..] else { panic!("one message") };
    let (mut envelope, tenant) = (Envelope::decode(&message.body).unwrap(), Tenant::default_local());
    let id = envelope.id.clone();
    let (EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery)) = &mut envelope.kind else { panic!() };
    bodies::share(delivery, 2, &tenant, &id, &*world.host.ports.blobs).await.unwrap();
    for account in ["one.myshopify.com", "two.myshopify.com"] {
        let letter = DeadLetter::of(&envelope, ErrorClass::UnknownAccount, "a test", world.now()).unwrap();
        let letter = DeadLetter { account: Some(account.into()), ..letter };
        let shelf = Shelf::Held { endpoint: app.id.clone(), account: account.into() };
        let write = letter.put(&tenant, &shelf, &id, world.now() + Duration::from_secs(3600)).unwrap();
        world.host.ports.table.write(write).await.unwrap();
    }
    assert_eq!((world.held(&app).await.len(), world.blobs("kept").await.len()), (2, 1));
    world.request(world.sample(&one, "customers/redact", 1, world.now())).await.expect(200);
    world.tick().await;
    assert_eq!(world.blobs("kept").await, Vec::<String>::new());
    let left = world.held(&app).await;
    assert_eq!(left.iter().map(|letter| letter.account.as_deref()).collect::<Vec<_>>(), [Some("two.myshopify.com")]);
}

/// Where the request itself is lost, it goes to the dead letters, and nobody begins it over and over.
#[tokio::test]
async fn a_request_that_cannot_be_done_stands_still_until_it_is_replayed() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.request(world.signed(&shop, "customers/redact", large_request())).await.expect(200);
    for message in world.take_messages(QueueName::Notices).await {
        assert!(world.host.processor.process(vec![message], world.now()).await.is_empty());
    }
    for path in world.blobs("kept").await {
        world.host.ports.blobs.delete(&path.as_str().into()).await.unwrap();
    }
    world.tick().await;
    assert_eq!(letters(&world).await, 1);
    let told = world.activity().await.len();
    for _ in 0..10 {
        world.after(Duration::from_secs(60)).await;
    }
    assert_eq!((letters(&world).await, world.activity().await.len()), (1, told));
    world.post("/v1/dead-letters/replay", json!({ "filter": {} })).await.expect(202);
    world.after(Duration::from_secs(60)).await;
    assert_eq!(letters(&world).await, 1, "it is tried again, and fails again");
    assert!(world.activity().await.len() > told);
}

/// A request about the sample's customer that is too large for a record.
fn large_request() -> String {
    json!({
        "shop_id": 954_889,
        "shop_domain": "demo.myshopify.com",
        "customer": { "id": 191_167_167, "email": "john@example.com" },
        "orders_to_redact": noise(2, 500 * 1024),
    })
    .to_string()
}
