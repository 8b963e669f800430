//! How bodies travel: as they are, compressed, or by reference; and what happens when a blob is lost.

use std::time::Duration;

use bytes::Bytes;
use hooktide_model::envelope::{Envelope, EnvelopeKind, INLINE, LARGEST_TEXT, Payload};
use hooktide_model::names::Scope;
use hooktide_store::ports::{Outgoing, QueueName, send_one};
use hooktide_tests::bodies;
use hooktide_tests::world::{Shop, World};
use object_store::ObjectStoreExt;
use serde_json::{Value, json};

#[derive(Debug, PartialEq)]
enum Travels {
    Inline,
    Compressed(usize),
    ByReference(String),
}

/// Accepts a body, looks at how it travels, and puts it back on its queue.
async fn travels(world: &World, shop: &Shop, body: String) -> Travels {
    assert_eq!(world.request(world.signed(shop, "products/update", body)).await.status, 200);
    let message = world.take_messages(QueueName::Notices).await.pop().expect("a message");
    let group = shop.id.clone();
    let back = Outgoing { queue: QueueName::Notices, body: message.body.clone(), delay: Duration::ZERO, group };
    send_one(&*world.host.ports.queue, back).await.expect("a message is sent");
    match Envelope::decode(&message.body).expect("an envelope").kind {
        EnvelopeKind::Notice(delivery) => match delivery.payload {
            Payload::Text { .. } => Travels::Inline,
            Payload::Compressed { body } => Travels::Compressed(body.len()),
            Payload::Blob { blob } => Travels::ByReference(blob),
        },
        other => panic!("{other:?} is no notice"),
    }
}

/// The size of an incompressible product's body whose encoding is just about the largest that travels inline.
async fn largest_compressed(world: &World, shop: &Shop) -> usize {
    let (mut fits, mut exceeds) = (200 * 1024, 300 * 1024);
    while exceeds - fits > 1 {
        let size = usize::midpoint(fits, exceeds);
        match travels(world, shop, bodies::product_of_size(9, world.now(), size)).await {
            Travels::Compressed(encoded) if encoded <= LARGEST_TEXT => fits = size,
            Travels::ByReference(_) => exceeds = size,
            other => panic!("{size} bytes travel {other:?}"),
        }
        world.take_messages(QueueName::Notices).await;
    }
    fits
}

#[tokio::test]
async fn bodies_of_any_size_arrive_the_same_however_they_travel() {
    let world = World::new().await;
    let shop = world.shop().await;
    let largest = largest_compressed(&world, &shop).await;
    // Each has noise of its own, which compresses a little better or worse.
    let sizes = [INLINE - 1, INLINE, 48 * 1024, 48 * 1024 + 1, largest - 1024, largest + 1024, 1024 * 1024];
    let mut told = Vec::new();
    for (number, size) in (1..).zip(sizes) {
        let body = bodies::product_of_size(number, world.now(), size);
        told.push(match travels(&world, &shop, body.clone()).await {
            Travels::Inline => "inline",
            Travels::Compressed(_) => "compressed",
            Travels::ByReference(path) => {
                assert!(path.starts_with("claims/shopify/"), "{path}");
                "by reference"
            }
        });
        world.tick().await;
        world.clock.advance(Duration::from_millis(1));
        let changes = world.changes().await;
        let sent: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(changes.last().expect("a change")["document"]["title"], sent["title"], "{size} bytes");
    }
    // Noise up to 48 KB would be no smaller for being compressed.
    let expected = ["inline", "inline", "inline", "compressed", "compressed", "by reference", "by reference"];
    assert_eq!(told, expected);
    assert_eq!(world.outcomes().await, ["processed"; 7]);
}

#[tokio::test]
async fn a_body_that_compresses_well_needs_no_claim_check() {
    let world = World::new().await;
    let shop = world.shop().await;
    let title = "tea ".repeat(200_000);
    let body = bodies::product(1, world.now(), &title).to_string();
    assert!(matches!(travels(&world, &shop, body).await, Travels::Compressed(encoded) if encoded < 4096));
    world.tick().await;
    assert_eq!(world.changes().await[0]["document"]["title"], json!(title));
}

/// Accepts a body that travels by reference, changes its blob, and processes it; the dead letter.
async fn after(change: impl AsyncFnOnce(&World, &str)) -> (World, Value) {
    let world = World::new().await;
    let shop = world.shop().await;
    let body = bodies::product_of_size(1, world.now(), 600 * 1024);
    let Travels::ByReference(path) = travels(&world, &shop, body).await else { panic!("it travels by reference") };
    change(&world, &path).await;
    world.tick().await;
    let list = world.get("/v1/dead-letters").await.expect(200);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    let id = list["items"][0]["id"].as_str().expect("an id").to_owned();
    let letter = world.get(&format!("/v1/dead-letters/{id}")).await.expect(200);
    (world, letter)
}

async fn put(world: &World, path: &str, bytes: Vec<u8>) {
    world.host.ports.blobs.put(&path.into(), bytes.into()).await.expect("a blob is put");
}

#[tokio::test]
async fn a_body_that_is_lost_or_altered_is_a_dead_letter() {
    let cases: [(&str, Option<Vec<u8>>); 4] = [
        ("lost", None),
        ("no compressed bytes", Some(b"nonsense".to_vec())),
        ("other bytes", Some(hooktide_model::envelope::compress(b"{\"id\":1}").expect("bytes"))),
        ("a bomb", Some(hooktide_model::envelope::compress(&vec![b' '; 64 * 1024 * 1024]).expect("bytes"))),
    ];
    for (name, bytes) in cases {
        let (world, letter) = after(async |world, path| match bytes {
            None => world.host.ports.blobs.delete(&path.into()).await.expect("a blob is deleted"),
            Some(bytes) => put(world, path, bytes).await,
        })
        .await;
        assert_eq!(letter["class"], "body-lost", "{name}");
        assert_eq!((&letter["body"], &letter["body_encoding"]), (&json!(null), &json!(null)), "{name}");
        assert_eq!(letter["headers"]["x-shopify-topic"], "products/update", "{name}: what is left is kept");
        assert_eq!(world.outcomes().await, ["dead"], "{name}");
        assert_eq!(world.idle().await, Ok(()), "{name}");
    }
}

#[tokio::test]
async fn a_body_that_comes_back_is_processed_by_a_replay() {
    let (world, letter) = after(async |world, path| {
        let blobs = &world.host.ports.blobs;
        let bytes: Bytes = blobs.get(&path.into()).await.expect("a blob").bytes().await.expect("its bytes");
        put(world, "aside", bytes.to_vec()).await;
        blobs.delete(&path.into()).await.expect("a blob is deleted");
    })
    .await;
    let blobs = &world.host.ports.blobs;
    let bytes = blobs.get(&"aside".into()).await.expect("a blob").bytes().await.expect("its bytes");
    let id = letter["id"].as_str().expect("an id");
    put(&world, &format!("claims/shopify/{id}"), bytes.to_vec()).await;
    world.post("/v1/dead-letters/replay", json!({ "filter": { "id": id } })).await.expect(202);
    world.after(Duration::from_secs(1)).await;
    assert_eq!(world.changes().await.len(), 1);
    assert_eq!(world.get("/v1/dead-letters").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn the_body_of_an_unreadable_delivery_outlives_its_claim_check() {
    let world = World::new().await;
    let shop = world.shop().await;
    let body = bodies::noise(1, 700 * 1024);
    world.request(world.signed(&shop, "products/update", body.clone())).await;
    world.tick().await;
    for path in world.blobs("claims").await {
        world.host.ports.blobs.delete(&path.as_str().into()).await.expect("a blob is deleted");
    }
    let id = world.get("/v1/dead-letters").await.expect(200)["items"][0]["id"].as_str().expect("an id").to_owned();
    let letter = world.get(&format!("/v1/dead-letters/{id}")).await.expect(200);
    assert_eq!(letter["body"].as_str(), Some(body.as_str()));
}

#[tokio::test]
async fn a_document_that_is_too_large_for_a_record_is_served_from_the_blob_store() {
    let world = World::new().await;
    let shop = world.shop().await;
    // Compressed, noise keeps three quarters of its length.
    for (number, size) in [(1, 120 * 1024), (2, 150 * 1024)] {
        let body = bodies::product_of_size(number, world.now(), size);
        world.request(world.signed(&shop, "products/update", body)).await;
    }
    world.tick().await;
    let directory = format!("documents/default/{}", shop.id);
    assert_eq!(world.blobs(&directory).await.len(), 1, "only the larger one");
    let feed = world.token("default", &[Scope::Feed]).await;
    let changes = world.call(&feed, http::Method::GET, "/v1/changes", None).await.expect(200);
    let mut lengths: Vec<usize> = changes["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|change| change["document"]["title"].as_str().map_or(0, str::len))
        .collect();
    lengths.sort_unstable();
    assert!(lengths[0] > 119 * 1024 && lengths[1] > 149 * 1024, "{lengths:?}");
    let path = format!("/v1/connections/{}", shop.id);
    let erased = world.call(&world.operator, http::Method::DELETE, &path, None).await.expect(200);
    assert_eq!(world.blobs("documents").await, Vec::<String>::new(), "{erased}");
}

#[tokio::test]
async fn a_batch_that_is_too_large_to_be_held_at_once_is_held_one_by_one() {
    let world = World::new().await;
    let app = world.shared_endpoint("app").await;
    let unknown = Shop { account: "unknown.myshopify.com".into(), ..app.clone() };
    for number in 1..=25 {
        // Each just fits into its message, and so into its record.
        let body = bodies::product_of_size(number, world.now(), 200 * 1024);
        assert_eq!(world.request(world.signed(&unknown, "products/update", body)).await.status, 200);
    }
    world.tick().await;
    assert_eq!(world.held(&app).await.len(), 25);
    let connection = json!({ "provider": "shopify", "account": "unknown.myshopify.com", "endpoint": app.id });
    world.post("/v1/connections", connection).await.expect(201);
    world.tick().await;
    world.after(Duration::from_secs(1)).await;
    assert_eq!((world.changes().await.len(), world.held(&app).await.len()), (25, 0));
    assert_eq!(world.idle().await, Ok(()));
}
