//! WooCommerce's products, and the webhooks of a store.

use serde_json::json;

use hooktide_model::notice::{Dated, Document, EntityNotice, State, What};
use hooktide_model::product::Product;
use hooktide_model::secret::{Secret, Secrets};
use hooktide_providers::{Next, Reach, Refusal, Subscribed, SubscriptionStep};

use crate::driver::{Driver, Reading, URL, live};

const PRODUCTS: &str = "products";
/// The live products that a store begins with; one more is in the bin.
const AT_FIRST: usize = 7;

fn everything(driver: &mut Driver) -> Reading {
    driver.read(PRODUCTS, Reach::Everything, None).unwrap()
}

fn changes(driver: &mut Driver, since: &Reading) -> Reading {
    driver.read(PRODUCTS, Reach::Changes, Some(&since.cursor)).unwrap()
}

fn one(driver: &mut Driver, id: &str) -> Reading {
    driver.read(PRODUCTS, Reach::One(id), None).unwrap()
}

fn product<'a>(reading: &'a Reading, id: &str) -> &'a Product {
    match reading.document(id) {
        Document::Product(product) => product,
        other => panic!("{other:?}"),
    }
}

/// The ids of the products that are there.
fn live_ids(reading: &Reading) -> Vec<String> {
    reading.entities().into_iter().filter(|(_, there)| *there).map(|(id, _)| id.to_owned()).collect()
}

/// The product that has variations, and the first of them.
fn with_variations(reading: &Reading) -> (String, String) {
    let id = live_ids(reading).into_iter().find(|id| product(reading, id).variants.len() > 1).unwrap();
    let variation = product(reading, &id).variants[0].id.clone();
    (id, variation)
}

fn make(driver: &mut Driver, count: usize) -> Vec<String> {
    let make = |number| driver.edit("product", None, Some(json!({ "name": format!("Tea {number}") })));
    (0..count).map(make).collect()
}

#[test]
fn a_full_listing_has_every_product_of_several_pages_and_what_changed_meanwhile_follows() {
    let mut driver = Driver::new("woocommerce");
    let made = make(&mut driver, 250);
    driver.pass(3600);
    let mut read = Vec::new();
    let mut cursor = None;
    let mut pages = 0;
    let done = loop {
        let page = driver.step(PRODUCTS, Reach::Everything, cursor.as_deref()).unwrap();
        read.extend(page.facts);
        pages += 1;
        match page.next {
            Next::More(next) => cursor = Some(next),
            Next::Done(done) => break done,
        }
        // What is deleted moves all rows after it up, and none of them is missed.
        match pages {
            2 => made[..5].iter().for_each(|id| _ = driver.edit("purge", Some(id), None)),
            3 => _ = driver.edit("product", Some(&made[10]), Some(json!({ "name": "Other tea" }))),
            _ => {}
        }
    };
    let read = Reading { facts: read, cursor: done, pages, ..Reading::default() };
    let ids = live_ids(&read);
    assert!(made[5..].iter().all(|id| ids.contains(id)), "{} of {}", ids.len(), made.len());
    assert!(pages < 9, "{pages}");
    let after = changes(&mut driver, &read);
    assert_eq!(after.entities(), [(made[10].as_str(), true)]);
    assert_eq!(product(&after, &made[10]).title.as_deref(), Some("Other tea"));
}

#[test]
fn a_product_has_its_variations_with_their_prices_and_stocks() {
    let mut driver = Driver::new("woocommerce");
    let all = everything(&mut driver);
    assert_eq!(live_ids(&all).len(), AT_FIRST);
    assert_eq!(all.entities().len(), AT_FIRST + 1, "one is in the bin");
    assert!(all.notices().all(|notice| notice.unread.is_empty()), "{all:#?}");
    let (id, _) = with_variations(&all);
    let variants = &product(&all, &id).variants;
    assert!(variants.iter().all(|it| it.price.is_some() && it.stock.is_some() && it.sku.is_some()), "{variants:?}");

    for number in 0..250 {
        let fields = json!({ "parent_id": id.parse::<u64>().unwrap(), "regular_price": number.to_string() });
        driver.edit("variation", None, Some(fields));
    }
    let after = one(&mut driver, &id);
    let variants = &product(&after, &id).variants;
    assert_eq!(variants.len(), 253);
    assert!(variants.iter().all(|variant| variant.price.is_some()));
    assert_eq!(variants[252].price.as_deref(), Some("249"));
    assert!(after.notices().all(|notice| notice.unread.is_empty()));
}

#[test]
fn an_edit_is_found_and_nothing_else_is_fetched() {
    let mut driver = Driver::new("woocommerce");
    let all = everything(&mut driver);
    let idle = changes(&mut driver, &all);
    assert_eq!((idle.facts.len(), idle.pages), (0, 2), "one question for the bin, one for all else");
    let id = live_ids(&all)[0].clone();
    driver.edit("product", Some(&id), Some(json!({ "regular_price": "12.50", "sale_price": "" })));
    let after = changes(&mut driver, &idle);
    assert_eq!(after.entities(), [(id.as_str(), true)]);
    assert_eq!(product(&after, &id).variants[0].price.as_deref(), Some("12.50"));
    // A save is not over when it gets its date, so it is read again once, and then no more.
    let again = changes(&mut driver, &after);
    assert_eq!(again.facts, after.facts);
    driver.pass(60);
    let settled = changes(&mut driver, &again);
    assert_eq!(changes(&mut driver, &settled).facts, []);
}

#[test]
fn what_goes_to_the_bin_and_comes_back_is_found_and_what_is_gone_for_good_only_by_its_absence() {
    let mut driver = Driver::new("woocommerce");
    let all = everything(&mut driver);
    let [binned, purged] = [live_ids(&all)[0].clone(), live_ids(&all)[1].clone()];
    driver.edit("product", Some(&binned), None);
    driver.edit("purge", Some(&purged), None);
    driver.pass(60);
    let after = changes(&mut driver, &all);
    assert_eq!(after.entities(), [(binned.as_str(), false)]);
    assert!(after.notices().all(|notice| notice.dated == Dated::ByProvider));
    let by_id = one(&mut driver, &purged);
    assert_eq!(by_id.entities(), [(purged.as_str(), false)]);
    assert!(by_id.notices().all(|notice| notice.dated == Dated::ByReceipt));
    assert!(!live_ids(&everything(&mut driver)).contains(&purged));

    driver.edit("restore", Some(&binned), None);
    let after = changes(&mut driver, &after);
    assert_eq!(after.entities().last(), Some(&(binned.as_str(), true)));
}

#[test]
fn one_product_is_read_by_its_id_or_by_that_of_a_variation() {
    let mut driver = Driver::new("woocommerce");
    let all = everything(&mut driver);
    let (variable, variation) = with_variations(&all);
    for id in live_ids(&all) {
        assert_eq!(one(&mut driver, &id).document(&id), all.document(&id), "the same document as in a list");
    }
    let led = one(&mut driver, &variation);
    assert_eq!((led.entities(), led.pages), (vec![(variable.as_str(), true)], 2));
    for odd in ["abc", "0", "-1", "", "1/2"] {
        assert_eq!(driver.read(PRODUCTS, Reach::One(odd), None).unwrap_err(), Refusal::Invalid, "{odd}");
    }
}

#[test]
fn a_variation_that_leaves_the_date_of_its_product_is_found_by_its_id() {
    let mut driver = Driver::new("woocommerce");
    let all = everything(&mut driver);
    let (variable, variation) = with_variations(&all);
    let stock = |reading: &Reading| product(reading, &variable).variants[0].stock;
    driver.edit("variation", Some(&variation), Some(json!({ "stock_quantity": 3 })));
    assert_eq!(stock(&changes(&mut driver, &all)), Some(3));
    driver.pass(60);
    let all = everything(&mut driver);
    driver.edit("variation-alone", Some(&variation), Some(json!({ "stock_quantity": 4 })));
    assert_eq!(changes(&mut driver, &all).facts, []);
    assert_eq!(stock(&one(&mut driver, &variation)), Some(4));
    driver.edit("silent", Some(&variation), Some(json!({ "stock_quantity": 5 })));
    assert_eq!(changes(&mut driver, &all).facts, []);
    assert_eq!(stock(&everything(&mut driver)), Some(5), "a full listing finds what nothing reports");
}

#[test]
fn a_store_that_is_not_encrypted_is_asked_with_a_signature() {
    let mut driver = Driver::new("woocommerce");
    driver.settings.site = Some("http://127.0.0.1:8080/tea/".to_owned());
    assert_eq!(live_ids(&everything(&mut driver)).len(), AT_FIRST);
    let secret = |text: &'static str| live("consumer_secret", Secret::new(text));
    let (key, _) = driver.provider.profile().sample_credentials.split_first().unwrap();
    driver.secrets = Secrets::new(vec![live(key.0, Secret::new(key.1)), secret("cs_wrong")]);
    assert_eq!(driver.read(PRODUCTS, Reach::Everything, None).unwrap_err(), Refusal::Refused);
}

#[test]
fn what_cannot_be_used_is_sorted_by_what_to_do_next() {
    let mut driver = Driver::new("woocommerce");
    let all = everything(&mut driver);
    driver.simulator.limit(Some(0));
    let limited = driver.read(PRODUCTS, Reach::Changes, Some(&all.cursor)).unwrap_err();
    assert!(matches!(limited, Refusal::Limited { after: Some(_) }), "{limited:?}");
    driver.simulator.limit(None);
    for odd in ["", "odd", "7", r#"{"walk":7}"#] {
        assert_eq!(driver.read(PRODUCTS, Reach::Changes, Some(odd)).unwrap_err(), Refusal::Expired, "{odd}");
    }
    for reach in [Reach::Changes, Reach::Everything, Reach::One("14")] {
        for body in ["<html>", "", "7", "null", "\"x\"", "[[", r#"PHP Notice: x in y on line 7 {"id":14}"#] {
            let given = driver.given(PRODUCTS, reach, None, (200, body));
            assert!(matches!(given, Err(Refusal::Unreadable(_))), "{reach:?} {body}: {given:?}");
        }
    }
    let maintenance = driver.given(PRODUCTS, Reach::Everything, None, (503, "<h1>Briefly unavailable</h1>"));
    assert_eq!(maintenance.unwrap_err(), Refusal::Unavailable { after: None });
    driver.simulator.expire_credentials();
    assert_eq!(driver.read(PRODUCTS, Reach::Everything, None).unwrap_err(), Refusal::Refused);
    let keys = driver.simulator.state()["credentials"][0].clone();
    let secret = |name: &str| live(name, Secret::new(keys[name].as_str().unwrap()));
    driver.secrets = Secrets::new(vec![secret("consumer_key"), secret("consumer_secret")]);
    assert_eq!(live_ids(&everything(&mut driver)).len(), AT_FIRST);
}

/// Subscribes, and returns the store's id.
fn registered(driver: &mut Driver, topic: &str) -> String {
    match driver.subscribe(topic, SubscriptionStep::Register).unwrap() {
        Subscribed::Active(registered) => registered.id,
        other => panic!("{other:?}"),
    }
}

/// A driver that listens to all topics.
fn listening() -> Driver {
    let mut driver = Driver::new("woocommerce");
    driver.learn("secret", Secret::new("a&amp;b"));
    let plan = driver.provider.subscriptions().unwrap().plan();
    for covering in plan.topics {
        registered(&mut driver, covering.topic);
    }
    assert_eq!(plan.topics.len(), 4);
    assert!(driver.notices().unwrap().is_empty(), "pings say nothing");
    driver
}

fn entity(what: &What) -> &EntityNotice {
    match what {
        What::Entity(entity) => entity,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_webhook_and_the_api_tell_the_same_of_a_product() {
    let mut driver = listening();
    let id = make(&mut driver, 1).remove(0);
    for (topic, fields) in [
        ("product.created", None),
        ("product.updated", Some(json!({ "name": "Salt & Pepper", "regular_price": "12,50 €", "sku": "S-1" }))),
        ("product.updated", Some(json!({ "manage_stock": true, "stock_quantity": 7, "type": "grouped" }))),
    ] {
        if let Some(fields) = fields {
            driver.edit("product", Some(&id), Some(fields));
        }
        let told = driver.notices().unwrap();
        let [(heard_topic, notices)] = &told[..] else { panic!("{told:?}") };
        assert_eq!(heard_topic, topic);
        assert_eq!(one(&mut driver, &id).notices().next().unwrap(), entity(&notices[0].what));
    }
    driver.edit("product", Some(&id), None);
    let told = driver.notices().unwrap();
    let deleted = entity(&told[0].1[0].what);
    assert_eq!((deleted.id.as_str(), &deleted.state, deleted.dated), (id.as_str(), &State::Deleted, Dated::ByReceipt));
    driver.edit("restore", Some(&id), None);
    let told = driver.notices().unwrap();
    assert_eq!(
        told.iter().map(|(topic, _)| topic.as_str()).collect::<Vec<_>>(),
        ["product.updated", "product.restored"]
    );
    assert!(entity(&told[1].1[0].what).restored);
}

#[test]
fn a_variation_rings_for_the_products_and_never_stands_for_one() {
    let mut driver = listening();
    let all = everything(&mut driver);
    let (of, variation) = with_variations(&all);
    driver.edit("variation", Some(&variation), Some(json!({ "stock_quantity": 3 })));
    let told = driver.notices().unwrap();
    let expected = What::hint_at(PRODUCTS, of);
    assert_eq!(told.iter().map(|(_, notices)| &notices[0].what).collect::<Vec<_>>(), [&expected]);
    driver.edit("variation", Some(&variation), None);
    assert!(driver.notices().unwrap().is_empty(), "a variation that is deleted is reported by nothing");
    let after = changes(&mut driver, &all);
    let (variable, _) = with_variations(&after);
    assert_eq!(product(&after, &variable).variants.len(), 2);
}

#[test]
fn a_subscription_is_probed_listed_and_ended_and_one_that_is_off_is_seen() {
    let mut driver = listening();
    let topic = "product.updated";
    let Subscribed::Listed(listed, None) = driver.subscribe(topic, SubscriptionStep::List { after: None }).unwrap()
    else {
        panic!("no list")
    };
    assert_eq!(listed.len(), 4);
    let own = listed.iter().find(|listed| listed.topic == topic).unwrap();
    assert!(own.enabled && own.url == URL, "{own:?}");
    assert_eq!(own.reference.as_ref(), Some(&driver.reference), "its secret is the one that was given with it");
    let probe = SubscriptionStep::Probe { id: &own.id };
    assert!(matches!(driver.subscribe(topic, probe), Ok(Subscribed::Active(_))));
    driver.edit("webhook", Some(&own.id), Some(json!({ "name": "By hand" })));
    let Subscribed::Listed(listed, None) = driver.subscribe(topic, SubscriptionStep::List { after: None }).unwrap()
    else {
        panic!("no list")
    };
    let by_hand = listed.iter().find(|listed| listed.id == own.id).unwrap();
    assert_eq!(by_hand.reference.as_deref(), Some(""), "nobody knows what signs it");
    for fields in [
        json!({ "status": "disabled" }),
        json!({ "status": "paused" }),
        json!({ "status": "active", "topic": "product.created" }),
        json!({ "topic": topic, "delivery_url": "https://elsewhere.example/" }),
    ] {
        driver.edit("webhook", Some(&own.id), Some(fields));
        let probed = driver.subscribe(topic, probe).unwrap();
        assert!(matches!(probed, Subscribed::Disabled(_)), "{probed:?}");
    }
    for _ in 0..2 {
        assert!(matches!(driver.subscribe(topic, SubscriptionStep::End { id: &own.id }), Ok(Subscribed::Gone)));
        assert!(matches!(driver.subscribe(topic, probe), Ok(Subscribed::Gone)));
    }
    assert_ne!(registered(&mut driver, topic), own.id);
}

#[test]
fn a_subscription_is_not_made_without_a_secret_or_a_right_to_it() {
    let mut driver = Driver::new("woocommerce");
    let topic = "product.updated";
    assert_eq!(driver.subscribe(topic, SubscriptionStep::Register).unwrap_err(), Refusal::Refused);
    assert_eq!(driver.simulator.state()["webhooks"], json!([]), "a secret that the store makes up is never shown");
    driver.learn("secret", Secret::new("hush"));
    let reader = driver.simulator.state()["credentials"][1].clone();
    let of_reader = |name: &str| live(name, Secret::new(reader[name].as_str().unwrap()));
    let of_both = live("secret", Secret::new("hush"));
    let reading = Secrets::new(vec![of_reader("consumer_key"), of_reader("consumer_secret"), of_both]);
    let owner = std::mem::replace(&mut driver.secrets, reading);
    assert!(driver.read(PRODUCTS, Reach::Everything, None).is_ok());
    let refused = driver.subscribe(topic, SubscriptionStep::Register).unwrap_err();
    assert!(matches!(refused, Refusal::Closed(why) if why.contains("Read/Write")), "{refused:?}");
    driver.secrets = owner;
    driver.simulator.expire_credentials();
    let refused = driver.subscribe(topic, SubscriptionStep::Register).unwrap_err();
    assert!(matches!(refused, Refusal::Closed(why) if why.contains("Read/Write")), "{refused:?}");
}
