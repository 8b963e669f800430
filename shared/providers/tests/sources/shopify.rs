//! Shopify's products and stock.

use serde_json::{Value, json};

use hooktide_model::notice::{Dated, Document, State, Version, What};
use hooktide_model::product::{Product, Stock};
use hooktide_model::secret::{Secret, Secrets};
use hooktide_providers::{Next, Reach, Refusal, Subscribed, SubscriptionStep};

use crate::driver::{Driver, Reading, URL, live};
use crate::recorded;

const PRODUCTS: &str = "products";
const STOCK: &str = "stock";

/// A shop, whose app's secret is known.
fn shop() -> Driver {
    let mut driver = Driver::new("shopify");
    for (name, text) in driver.provider.profile().sample_secrets {
        driver.learn(name, Secret::new(*text));
    }
    driver
}

fn everything(driver: &mut Driver, resource: &str) -> Reading {
    driver.read(resource, Reach::Everything, None).unwrap()
}

/// What changed, once searches find it and the readings overlap no more.
fn changes(driver: &mut Driver, resource: &str, since: &Reading) -> Reading {
    driver.pass(120);
    driver.read(resource, Reach::Changes, Some(&since.cursor)).unwrap()
}

fn product<'a>(reading: &'a Reading, id: &str) -> &'a Product {
    match reading.document(id) {
        Document::Product(product) => product,
        other => panic!("{other:?}"),
    }
}

fn stock<'a>(reading: &'a Reading, id: &str) -> &'a Stock {
    match reading.document(id) {
        Document::Stock(stock) => stock,
        other => panic!("{other:?}"),
    }
}

fn ids(reading: &Reading) -> Vec<String> {
    reading.entities().into_iter().map(|(id, _)| id.to_owned()).collect()
}

#[test]
fn a_full_listing_has_every_product_and_what_changed_meanwhile_follows() {
    let mut driver = shop();
    let made: Vec<String> =
        (0..40).map(|number| driver.edit("product", None, Some(json!({ "title": format!("Tea {number}") })))).collect();
    driver.pass(600);
    let first = driver.step(PRODUCTS, Reach::Everything, None).unwrap();
    driver.edit("product", Some(&made[0]), Some(json!({ "title": "Other tea" })));
    driver.pass(30);
    let Next::More(cursor) = first.next else { panic!("one page") };
    let rest = driver.read(PRODUCTS, Reach::Everything, Some(&cursor)).unwrap();
    assert_eq!((rest.pages + 1, first.facts.len() + rest.facts.len()), (3, 46));
    let after = changes(&mut driver, PRODUCTS, &rest);
    assert_eq!(after.entities(), [(made[0].as_str(), true)]);
    assert_eq!(product(&after, &made[0]).title.as_deref(), Some("Other tea"));
}

#[test]
fn an_edit_and_a_deletion_are_found_in_one_call_and_nothing_else_is_fetched() {
    let mut driver = shop();
    let all = everything(&mut driver, PRODUCTS);
    assert!(all.notices().all(|notice| notice.unread.is_empty()), "{all:#?}");
    let [edited, deleted] = [ids(&all)[0].clone(), ids(&all)[1].clone()];
    let none = changes(&mut driver, PRODUCTS, &all);
    assert_eq!((none.facts.len(), none.pages), (0, 1));
    driver.edit("product", Some(&edited), Some(json!({ "status": "ARCHIVED", "price": 31 })));
    driver.edit("product", Some(&deleted), None);
    let after = changes(&mut driver, PRODUCTS, &none);
    assert_eq!((after.entities(), after.pages), (vec![(edited.as_str(), true), (deleted.as_str(), false)], 1));
    let read = product(&after, &edited);
    assert_eq!((read.status.as_deref(), read.variants[0].price.as_deref()), (Some("archived"), Some("31.00")));
    let tombstone = after.notices().find(|notice| notice.state == State::Deleted).unwrap();
    assert_eq!((tombstone.version, tombstone.dated), (Version::FINAL, Dated::ByProvider));
    assert_eq!(changes(&mut driver, PRODUCTS, &after).facts, []);
}

#[test]
fn a_search_that_lags_behind_misses_nothing_in_the_end() {
    let mut driver = shop();
    let all = everything(&mut driver, PRODUCTS);
    let id = ids(&all)[0].clone();
    driver.pass(120);
    driver.edit("product", Some(&id), Some(json!({ "title": "Later" })));
    let at_once = driver.read(PRODUCTS, Reach::Changes, Some(&all.cursor)).unwrap();
    assert_eq!(at_once.facts, [], "the search does not know it yet");
    let one = driver.read(PRODUCTS, Reach::One(&id), None).unwrap();
    assert_eq!(product(&one, &id).title.as_deref(), Some("Later"), "but whoever asks for it by its id gets it");
    driver.pass(30);
    let later = driver.read(PRODUCTS, Reach::Changes, Some(&at_once.cursor)).unwrap();
    assert_eq!(later.document(&id), one.document(&id));
}

#[test]
fn what_has_more_variants_or_images_than_a_page_shows_is_read_on_its_own() {
    let mut driver = shop();
    let variants: Vec<Value> = (0..300).map(|number| json!({ "sku": format!("V-{number}"), "price": "1" })).collect();
    let images: Vec<String> = (0..30).map(|number| format!("https://cdn.shopify.com/{number}.jpg")).collect();
    let many = driver.edit("product", None, Some(json!({ "variants": variants })));
    let shown = driver.edit("product", None, Some(json!({ "images": images })));
    driver.pass(600);
    let all = everything(&mut driver, PRODUCTS);
    assert_eq!((all.facts.len(), all.pages), (8, 3));
    let last = product(&all, &many).variants.last().unwrap();
    assert_eq!((product(&all, &many).variants.len(), last.sku.as_deref()), (300, Some("V-299")));
    assert_eq!(product(&all, &shown).images.len(), 30);
    assert!(all.notices().all(|notice| notice.unread.is_empty()));
}

#[test]
fn one_product_is_read_by_its_id_and_one_that_is_gone_is_deleted() {
    let mut driver = shop();
    let all = everything(&mut driver, PRODUCTS);
    let id = ids(&all)[0].clone();
    let one = driver.read(PRODUCTS, Reach::One(&id), None).unwrap();
    assert_eq!(product(&one, &id), product(&all, &id), "the same document as in a list");
    driver.edit("product", Some(&id), None);
    let gone = driver.read(PRODUCTS, Reach::One(&id), None).unwrap();
    assert_eq!(gone.entities(), [(id.as_str(), false)]);
    assert!(gone.notices().all(|notice| notice.dated == Dated::ByReceipt));
    assert_eq!(driver.read(PRODUCTS, Reach::One("not-a-number"), None).unwrap_err(), Refusal::Invalid);
}

#[test]
fn the_stock_has_a_fact_for_each_variant_and_location_and_changes_are_found() {
    let mut driver = shop();
    let all = everything(&mut driver, STOCK);
    assert_eq!(all.facts.len(), 19, "nine variants at two places, and one that is not counted at one");
    assert_eq!(all.pages, 1);
    let products = everything(&mut driver, PRODUCTS);
    let card = products.notices().find(|it| product(&products, &it.id).title.as_deref() == Some("Gift card")).unwrap();
    let card = &product(&products, &card.id).variants[0].id;
    let uncounted = ids(&all).into_iter().find(|id| id.starts_with(card.as_str())).unwrap();
    assert_eq!(stock(&all, &uncounted).quantity, None);

    let [counted, moved] = [ids(&all)[0].clone(), ids(&all)[1].clone()];
    driver.pass(600);
    driver.edit("stock", Some(&counted), Some(json!({ "available": 77 })));
    driver.edit("stock", Some(&moved), Some(json!({ "active": false })));
    let after = changes(&mut driver, STOCK, &all);
    let mut entities = after.entities();
    entities.sort_unstable_by_key(|(_, there)| *there);
    assert_eq!(entities, [(moved.as_str(), false), (counted.as_str(), true)]);
    assert_eq!(stock(&after, &counted).quantity.as_deref(), Some("77"));
    assert_eq!(stock(&after, &counted).location.as_deref(), counted.split_once('/').map(|(_, location)| location));
    assert_eq!(changes(&mut driver, STOCK, &after).facts, []);

    let one = driver.read(STOCK, Reach::One(&counted), None).unwrap();
    assert_eq!(one.document(&counted), after.document(&counted));
    let elsewhere = driver.read(STOCK, Reach::One(&format!("{card}/7")), None).unwrap();
    assert_eq!(elsewhere.entities(), [(format!("{card}/7").as_str(), false)], "it is not stocked there");
}

#[test]
fn a_location_with_many_levels_is_read_to_its_end() {
    let mut driver = shop();
    for _ in 0..200 {
        driver.edit("product", None, Some(json!({ "title": "Tea" })));
    }
    let all = everything(&mut driver, STOCK);
    assert_eq!((all.facts.len(), all.pages), (219, 4));
    let mut all = ids(&all);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 219, "each once");
}

#[test]
fn a_webhook_and_the_api_tell_the_same_of_a_product() {
    let mut driver = shop();
    let all = everything(&mut driver, PRODUCTS);
    let id = ids(&all)[0].clone();
    let variant = product(&all, &id).variants[0].id.clone();
    for topic in ["products/create", "products/update", "products/delete", "inventory_levels/update"] {
        assert!(matches!(driver.subscribe(topic, SubscriptionStep::Register), Ok(Subscribed::Active(_))), "{topic}");
    }
    driver.edit(
        "product",
        Some(&id),
        Some(json!({ "title": "Heard and read", "images": ["https://cdn.shopify.com/a.jpg"] })),
    );
    let told = driver.notices().unwrap();
    let [(topic, notices)] = &told[..] else { panic!("{told:?}") };
    let What::Entity(heard) = &notices[0].what else { panic!("{notices:?}") };
    let read = driver.read(PRODUCTS, Reach::One(&id), None).unwrap();
    assert_eq!((topic.as_str(), read.notices().next()), ("products/update", Some(heard)));

    driver.edit("stock", Some(&variant), Some(json!({ "available": 5 })));
    let mut topics: Vec<String> = driver.notices().unwrap().into_iter().map(|(topic, _)| topic).collect();
    topics.sort();
    assert_eq!(
        topics,
        ["inventory_levels/update", "products/update"],
        "a change of stock is one of the product as well"
    );

    driver.edit("product", Some(&id), None);
    let told = driver.notices().unwrap();
    let What::Entity(heard) = &told[0].1[0].what else { panic!("{told:?}") };
    assert_eq!((heard.id.as_str(), heard.version), (id.as_str(), Version::FINAL));
}

#[test]
fn a_subscription_is_made_once_probed_listed_and_ended() {
    let mut driver = shop();
    let topic = "inventory_levels/update";
    let Subscribed::Active(made) = driver.subscribe(topic, SubscriptionStep::Register).unwrap() else { panic!("none") };
    let Subscribed::Active(again) = driver.subscribe(topic, SubscriptionStep::Register).unwrap() else {
        panic!("none")
    };
    let probe = SubscriptionStep::Probe { id: &again.id };
    let Subscribed::Active(found) = driver.subscribe(topic, probe).unwrap() else { panic!("none") };
    assert_eq!(found.id, made.id, "the refusal of a second one does not say its id, and a probe finds it");
    let Subscribed::Active(probed) = driver.subscribe(topic, SubscriptionStep::Probe { id: &made.id }).unwrap() else {
        panic!("none")
    };
    assert_eq!(probed.id, made.id);
    let other = driver.subscribe("products/update", SubscriptionStep::Probe { id: &made.id }).unwrap();
    assert!(matches!(other, Subscribed::Disabled(_)), "{other:?}");
    let Subscribed::Listed(listed, None) = driver.subscribe(topic, SubscriptionStep::List { after: None }).unwrap()
    else {
        panic!("no list")
    };
    let [one] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(
        (one.id.as_str(), one.topic.as_str(), one.url.as_str(), one.enabled),
        (made.id.as_str(), topic, URL, true)
    );
    for step in [SubscriptionStep::End { id: &made.id }, SubscriptionStep::End { id: &made.id }, probe] {
        assert!(matches!(driver.subscribe(topic, step), Ok(Subscribed::Gone)), "{step:?}");
    }
}

#[test]
fn what_cannot_be_used_is_sorted_by_what_to_do_next() {
    let mut driver = shop();
    let all = everything(&mut driver, PRODUCTS);
    driver.simulator.limit(Some(0));
    let limited = driver.read(PRODUCTS, Reach::Changes, Some(&all.cursor)).unwrap_err();
    assert!(limited.after().is_some_and(|after| after.as_secs() >= 9), "{limited:?}");
    driver.simulator.limit(None);
    driver.pass(60);
    let odd = r#"{"after":"odd","until":"2026-11-28T12:00:00Z"}"#;
    assert_eq!(driver.read(PRODUCTS, Reach::Everything, Some(odd)).unwrap_err(), Refusal::Invalid);
    driver.simulator.expire_credentials();
    assert_eq!(driver.read(STOCK, Reach::Everything, None).unwrap_err(), Refusal::Refused);
    driver.secrets = Secrets::new(vec![live("access_token", Secret::new("wrong"))]);
    assert_eq!(driver.read(PRODUCTS, Reach::One("7"), None).unwrap_err(), Refusal::Refused);
    let bodies = [
        "<html>",
        "",
        "[]",
        r#"{"data":null}"#,
        r#"{"data":{}}"#,
        r#"{"data":{"products":{"nodes":[]},"product":7,"locations":null,"productVariant":[]}}"#,
    ];
    for resource in [PRODUCTS, STOCK] {
        for reach in [Reach::Changes, Reach::Everything, Reach::One("7/7")] {
            for body in bodies {
                let given = driver.given(resource, reach, None, (200, body));
                assert!(matches!(given, Err(Refusal::Unreadable(_))), "{resource} {reach:?} {body}: {given:?}");
            }
        }
    }
}

/// A reading of one recorded page.
fn recorded(resource: &str, reach: Reach<'_>, name: &str) -> Reading {
    let body = recorded::answer("shopify", name);
    Reading::of(shop().given(resource, reach, None, (200, &body)).unwrap())
}

#[test]
fn a_recorded_page_is_read_product_by_product_with_the_deletions() {
    let read = recorded(PRODUCTS, Reach::Changes, "products");
    assert_eq!(read.entities(), [("8473926151342", true), ("8473926100000", false)]);
    let mug = product(&read, "8473926151342");
    assert_eq!(
        (mug.status.as_deref(), mug.images.len(), mug.images[0].id.as_str()),
        (Some("unlisted"), 1, "39517226107054")
    );
    let variants: Vec<_> = mug.variants.iter().map(|it| (it.sku.as_deref(), it.price.as_deref(), it.stock)).collect();
    assert_eq!(variants, [(Some("MUG-MOSS-350"), Some("29.50"), Some(17)), (None, None, None)]);
    let notice = read.notices().next().unwrap();
    assert_eq!(notice.unread, ["variants[1].price", "images[1].id"]);
    assert_eq!(read.seen, ["8473926151343"]);
    assert_eq!(read.facts.iter().filter(|what| matches!(what, What::Ignored { .. })).count(), 2);
    assert_eq!(read.cursor, r#"{"since":"2026-11-28T12:00:00Z"}"#, "without a date, our clock's time");
}

#[test]
fn recorded_levels_are_read_for_each_variant() {
    let read = recorded(STOCK, Reach::Changes, "locations");
    let [one, two, uncounted, gone] = ["1/655441491", "2/655441491", "3/655441491", "4/655441491"];
    assert_eq!(read.entities(), [(one, true), (two, true), (uncounted, true), (gone, false)]);
    assert_eq!((stock(&read, one).quantity.as_deref(), stock(&read, two).variant.as_str()), (Some("-2"), "2"));
    assert_eq!(stock(&read, one).updated_at, "2026-11-18T13:41:29Z", "the later of the two times");
    assert_eq!(stock(&read, uncounted).quantity, None);
    assert!(read.notices().all(|notice| notice.unread.is_empty()));
    assert_eq!(read.seen, ["5/655441491"]);
    assert_eq!(read.facts.len(), 6, "and two that cannot be read");
}

#[test]
fn a_subscription_whose_deliveries_fail_eight_times_is_deleted_and_a_probe_finds_out() {
    let mut driver = shop();
    let topic = "products/create";
    let Subscribed::Active(made) = driver.subscribe(topic, SubscriptionStep::Register).unwrap() else { panic!("none") };
    driver.edit("product", None, Some(json!({ "title": "Tea" })));
    let mut tries = Vec::new();
    for minute in 0..300 {
        if driver.answered(500) > 0 {
            tries.push(minute);
        }
        driver.pass(60);
    }
    assert_eq!(tries, [0, 1, 5, 15, 35, 75, 140, 240]);
    let probed = driver.subscribe(topic, SubscriptionStep::Probe { id: &made.id });
    assert!(matches!(probed, Ok(Subscribed::Gone)), "{probed:?}");
}
