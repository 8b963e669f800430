//! Shopify's products and stock.

mod products;
mod stock;

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
    driver.patient = true;
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
fn a_subscription_is_made_once_probed_listed_and_ended() {
    let mut driver = shop();
    let topic = "inventory_levels/update";
    let Subscribed::Active(made) = driver.subscribe(topic, SubscriptionStep::Register).unwrap() else { panic!("none") };
    let again = driver.subscribe(topic, SubscriptionStep::Register).unwrap();
    assert!(matches!(again, Subscribed::Taken), "the refusal of a second one does not say its id: {again:?}");
    let probe = SubscriptionStep::Probe { id: &made.id };
    let Subscribed::Active(probed) = driver.subscribe(topic, probe).unwrap() else { panic!("none") };
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
    assert_eq!(one.reference, None, "the app's secret signs whatever is sent");
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
    driver.edit("scope", Some("read_inventory"), None);
    assert_eq!(driver.read(STOCK, Reach::Everything, None).unwrap_err(), Refusal::Forbidden);
    assert!(driver.read(PRODUCTS, Reach::Everything, None).is_ok());
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
        r#"{"data":{"products":{"nodes":[]},"product":7,"locations":null,"productVariant":[],"inventoryItem":[]}}"#,
    ];
    for resource in [PRODUCTS, STOCK] {
        for reach in [Reach::Changes, Reach::Everything, Reach::One("7/7"), Reach::One("item:7/7")] {
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
