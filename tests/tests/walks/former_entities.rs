//! Entities that were written by version 2, which knew neither when a state was told nor the hash of its content.

use std::time::Duration;

use bytes::Bytes;
use hooktide_model::names::Kind;
use hooktide_model::notice::{ContentHash, State, What};
use hooktide_model::tenant::Tenant;
use hooktide_providers::verified;
use hooktide_store::ports::{AttributeValue, Write};
use hooktide_store::records::entity::EntityId;
use http::Request;
use serde_json::{Value, json};

use crate::ties::Store;

/// Rewrites the entity of a product as version 2 would have it; of a present one, with the key of that `document`.
async fn downgrade(store: &Store, product: &Value, document: Option<ContentHash>) {
    let table = &*store.world.host.ports.table;
    let id = EntityId { kind: Kind::Product, connection: store.connected.id.clone(), id: product["id"].to_string() };
    let mut item = table.get(&id.key(&Tenant::default_local())).await.unwrap().unwrap();
    let attributes = item.inner_mut();
    for name in ["as_of", "content", "by_receipt", "restored", "crowded", "document", "deliveries"] {
        attributes.remove(name);
    }
    attributes.insert("v".into(), AttributeValue::N("2".into()));
    if let Some(ContentHash(hash)) = document {
        attributes.insert("hash".into(), AttributeValue::B(hash.to_vec()));
    }
    table.write(Write::Put { item, condition: None }).await.unwrap();
}

/// The key that the document of a delivery had in version 2.
fn former_key(store: &Store, request: &Request<Bytes>) -> ContentHash {
    let provider = hooktide_providers::webhooks_by_id("woocommerce").unwrap();
    let verified = verified::trust(provider, request.headers(), request.body().clone(), store.world.now());
    let notice = provider.parse(&verified).unwrap().remove(0);
    let What::Entity(entity) = notice.what else { panic!("{notice:?}") };
    let State::Present(document) = entity.state else { panic!("it is there") };
    ContentHash::of_former_document(entity.version, &document.to_json().unwrap())
}

#[tokio::test]
async fn a_deletion_that_version_2_wrote_ends_when_the_entity_is_restored() {
    let store = Store::new().await;
    let modified = store.world.now();
    let product = store.product(modified, 5);
    store.send(store.signed("product.updated", product.to_string())).await;
    store.world.clock.advance(Duration::from_secs(30));
    store.send(store.signed("product.deleted", json!({ "id": product["id"] }).to_string())).await;
    downgrade(&store, &product, None).await;
    let asked = store.asked().await;
    store.world.clock.advance(Duration::from_secs(20));
    store.send(store.signed("product.restored", product.to_string())).await;
    assert_eq!(store.last().await, (json!("created"), json!(5)));
    assert!(store.asked().await > asked);
}

#[tokio::test]
async fn a_state_that_version_2_wrote_and_that_comes_again_is_no_change_and_asks_nobody() {
    let store = Store::new().await;
    let product = store.product(store.world.now(), 5);
    let request = store.signed("product.updated", product.to_string());
    let key = former_key(&store, &request);
    store.send(request).await;
    downgrade(&store, &product, Some(key)).await;
    for _ in 0..2 {
        store.world.clock.advance(Duration::from_secs(60));
        store.send(store.signed("product.updated", product.to_string())).await;
    }
    assert_eq!(store.world.outcomes().await, ["processed", "duplicate", "duplicate"]);
    assert_eq!(store.asked().await, 0);
    store.send(store.signed("product.updated", store.product(store.world.now(), 4).to_string())).await;
    assert_eq!(store.last().await, (json!("updated"), json!(4)));
}
