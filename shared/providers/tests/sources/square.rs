//! Square's catalog and stock.

use serde_json::json;

use hooktide_model::fault::AuthFault;
use hooktide_model::notice::{Dated, Document, State, Version, What};
use hooktide_model::product::Product;
use hooktide_model::secret::{Secret, Secrets};
use hooktide_providers::{Next, Reach, Refusal, Subscribed, SubscriptionStep};

use crate::driver::{Driver, Reading, URL, live};
use crate::recorded;

const CATALOG: &str = "catalog";
const STOCK: &str = "stock";

fn everything(driver: &mut Driver, resource: &str) -> Reading {
    driver.read(resource, Reach::Everything, None).unwrap()
}

fn changes(driver: &mut Driver, resource: &str, since: &Reading) -> Reading {
    driver.read(resource, Reach::Changes, Some(&since.cursor)).unwrap()
}

fn product<'a>(reading: &'a Reading, id: &str) -> &'a Product {
    match reading.document(id) {
        Document::Product(product) => product,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_full_listing_has_every_item_of_several_pages_and_what_changed_meanwhile_follows() {
    let mut driver = Driver::new("square");
    let made: Vec<String> = (0..250)
        .map(|number| {
            driver.edit("product", None, Some(json!({ "name": format!("Tea {number}"), "sku": format!("T-{number}") })))
        })
        .collect();
    let first = driver.step(CATALOG, Reach::Everything, None).unwrap();
    driver.edit("product", Some(&made[0]), Some(json!({ "name": "Other tea" })));
    let Next::More(cursor) = first.next else { panic!("one page") };
    let rest = driver.read(CATALOG, Reach::Everything, Some(&cursor)).unwrap();
    assert_eq!(rest.pages + 1, 3);
    assert_eq!(first.facts.len() + rest.facts.len(), 257);
    let after = changes(&mut driver, CATALOG, &rest);
    assert_eq!(after.entities(), [(made[0].as_str(), true)]);
    assert_eq!(product(&after, &made[0]).title.as_deref(), Some("Other tea"));
}

#[test]
fn an_item_has_its_variations_with_prices_and_its_images() {
    let mut driver = Driver::new("square");
    let all = everything(&mut driver, CATALOG);
    assert!(all.notices().all(|notice| notice.unread.is_empty()), "{all:#?}");
    let tea =
        all.notices().map(|notice| product(&all, &notice.id)).find(|it| it.title.as_deref() == Some("Sencha")).unwrap();
    let [variant] = &tea.variants[..] else { panic!("{tea:#?}") };
    assert_eq!((variant.price.as_deref(), variant.currency.as_deref()), (Some("9.90"), Some("USD")));
    assert_eq!(variant.sku.as_deref(), Some("TEA-2-REGULAR"));
    assert!(tea.images[0].url.ends_with(&format!("{}/original.jpeg", tea.images[0].id)));
    assert_eq!(tea.status.as_deref(), Some("active"));
}

#[test]
fn an_edit_and_a_deletion_are_found_and_nothing_else_is_fetched() {
    let mut driver = Driver::new("square");
    let all = everything(&mut driver, CATALOG);
    let [edited, deleted] = [all.entities()[0].0.to_owned(), all.entities()[1].0.to_owned()];
    assert_eq!(changes(&mut driver, CATALOG, &all).facts, []);
    driver.edit("product", Some(&edited), Some(json!({ "is_archived": true })));
    driver.edit("product", Some(&deleted), None);
    let after = changes(&mut driver, CATALOG, &all);
    let mut entities = after.entities();
    entities.sort_unstable_by_key(|(_, there)| *there);
    assert_eq!(entities, [(deleted.as_str(), false), (edited.as_str(), true)]);
    assert_eq!(product(&after, &edited).status.as_deref(), Some("archived"));
    assert!(after.notices().all(|notice| notice.dated == Dated::ByProvider));
    assert_eq!(changes(&mut driver, CATALOG, &after).facts, []);
}

#[test]
fn an_image_that_changed_alone_leads_to_its_items() {
    let mut driver = Driver::new("square");
    let all = everything(&mut driver, CATALOG);
    let id = all.entities()[0].0.to_owned();
    let image = product(&all, &id).images[0].id.clone();
    driver.edit("image", Some(&image), Some(json!({ "url": "https://example.com/other.jpeg" })));
    let after = changes(&mut driver, CATALOG, &all);
    assert_eq!(after.entities(), [(id.as_str(), true)]);
    assert_eq!(product(&after, &id).images[0].url, "https://example.com/other.jpeg");
    assert_eq!(changes(&mut driver, CATALOG, &after).facts, []);
}

#[test]
fn a_page_that_is_no_longer_kept_lets_the_reading_start_over() {
    let mut driver = Driver::new("square");
    for number in 0..150 {
        driver.edit("product", None, Some(json!({ "name": format!("Tea {number}") })));
    }
    let first = driver.step(CATALOG, Reach::Everything, None).unwrap();
    let Next::More(cursor) = first.next else { panic!("one page") };
    driver.pass(16 * 60);
    let rest = driver.read(CATALOG, Reach::Everything, Some(&cursor)).unwrap();
    assert_eq!((rest.facts.len(), rest.pages), (157, 3));
    let odd = r#"{"page":"odd","restarts":3}"#;
    assert_eq!(driver.read(CATALOG, Reach::Changes, Some(odd)).unwrap_err(), Refusal::Expired);
}

#[test]
fn one_item_is_read_by_its_id_or_by_that_of_a_variation() {
    let mut driver = Driver::new("square");
    let all = everything(&mut driver, CATALOG);
    let id = all.entities()[0].0.to_owned();
    let one = driver.read(CATALOG, Reach::One(&id), None).unwrap();
    assert_eq!(product(&one, &id), product(&all, &id), "the same document as in a list");
    let variation = product(&all, &id).variants[0].id.clone();
    let led = driver.read(CATALOG, Reach::One(&variation), None).unwrap();
    assert_eq!((led.pages, led.entities()), (2, vec![(id.as_str(), true)]));
    driver.edit("product", Some(&id), None);
    let gone = driver.read(CATALOG, Reach::One(&id), None).unwrap();
    assert_eq!(gone.entities(), [(id.as_str(), false)]);
    assert!(gone.notices().all(|notice| notice.dated == Dated::ByReceipt));
}

#[test]
fn counts_are_read_since_the_latest_and_by_the_locations_that_are_synced() {
    let mut driver = Driver::new("square");
    let all = everything(&mut driver, STOCK);
    let id = all.entities()[0].0.to_owned();
    assert!(id.ends_with("/IN_STOCK") && all.facts.len() > 8, "{id}");
    let sold = id.replace("IN_STOCK", "SOLD");
    assert!(all.seen.contains(&sold), "no list has it, and it may be known");
    driver.pass(60);
    driver.edit("stock", Some(&id), Some(json!({ "quantity": "2.5" })));
    driver.edit("stock", Some(&sold), Some(json!({ "quantity": "3" })));
    let after = changes(&mut driver, STOCK, &all);
    assert!(after.entities().contains(&(id.as_str(), true)) && !after.entities().contains(&(sold.as_str(), true)));
    let Document::Stock(stock) = after.document(&id) else { panic!("no stock") };
    assert_eq!(stock.quantity.as_deref(), Some("2.5"));
    let one = driver.read(STOCK, Reach::One(&id), None).unwrap();
    assert_eq!(one.document(&id), after.document(&id));
    let never = driver.read(STOCK, Reach::One("NEVER/COUNTED/IN_STOCK"), None).unwrap();
    assert!(matches!(&never.facts[..], [What::Ignored { .. }]), "absent is not zero: {never:?}");
    driver.settings.locations = vec!["ELSEWHERE".to_owned()];
    assert_eq!(everything(&mut driver, STOCK).facts, []);
}

#[test]
fn what_cannot_be_used_is_sorted_by_what_to_do_next() {
    let mut driver = Driver::new("square");
    let all = everything(&mut driver, CATALOG);
    driver.simulator.limit(Some(0));
    let limited = driver.read(CATALOG, Reach::Changes, Some(&all.cursor));
    assert_eq!(limited.unwrap_err(), Refusal::Limited { after: None });
    driver.simulator.limit(None);
    driver.edit("scope", Some("INVENTORY_READ"), None);
    assert_eq!(driver.read(STOCK, Reach::Everything, None).unwrap_err(), Refusal::Forbidden);
    assert!(driver.read(CATALOG, Reach::Everything, None).is_ok());
    driver.simulator.expire_credentials();
    assert_eq!(driver.read(STOCK, Reach::Everything, None).unwrap_err(), Refusal::Refused);
    driver.secrets = Secrets::new(vec![live("access_token", Secret::new("wrong"))]);
    assert_eq!(driver.read(CATALOG, Reach::One("X"), None).unwrap_err(), Refusal::Refused);
    for resource in [CATALOG, STOCK] {
        for reach in [Reach::Changes, Reach::Everything, Reach::One("X")] {
            for body in ["<html>", "", "[]", "7", r#"{"status":"ok"}"#, r#"{"objects":7}"#, r#"{"counts":{"a":1}}"#] {
                let given = driver.given(resource, reach, None, (200, body));
                assert!(matches!(given, Err(Refusal::Unreadable(_))), "{resource} {reach:?} {body}: {given:?}");
            }
        }
    }
}

/// Subscribes, and returns the provider's id.
fn registered(driver: &mut Driver, topic: &str) -> String {
    match driver.subscribe(topic, SubscriptionStep::Register).unwrap() {
        Subscribed::Active(registered) => registered.id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_subscription_brings_its_key_and_its_notifications_are_verified_by_it() {
    let mut driver = Driver::new("square");
    let all = everything(&mut driver, CATALOG);
    let variation = product(&all, all.entities()[0].0).variants[0].id.clone();
    let catalog = registered(&mut driver, "catalog.version.updated");
    assert_eq!(registered(&mut driver, "catalog.version.updated"), catalog, "tried again, it is the same");
    let secrets = driver.secrets.clone();
    let stock = registered(&mut driver, "inventory.count.updated");
    assert_ne!(catalog, stock);

    driver.edit("product", Some(all.entities()[0].0), Some(json!({ "name": "Other" })));
    let told = driver.notices().unwrap();
    assert_eq!(told.len(), 2, "one edit of the dashboard makes several");
    assert!(told.iter().all(|(_, notices)| notices[0].what == What::hint(CATALOG)), "{told:?}");

    driver.edit("stock", Some(&variation), Some(json!({ "quantity": "12" })));
    let told = driver.notices().unwrap();
    let [(topic, notices)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(topic, "inventory.count.updated");
    let What::Entity(heard) = &notices[0].what else { panic!("{notices:?}") };
    let read = driver.read(STOCK, Reach::One(&heard.id), None).unwrap();
    assert_eq!(read.notices().next(), Some(heard), "a webhook and the API tell the same");

    driver.edit("stock", Some(&variation), Some(json!({ "quantity": "11" })));
    driver.secrets = secrets;
    assert_eq!(driver.notices().unwrap_err(), AuthFault::Mismatch, "another subscription has another key");
    driver.edit("stock", Some(&variation), Some(json!({ "quantity": "10" })));
    driver.secrets = Secrets::default();
    assert_eq!(driver.notices().unwrap_err(), AuthFault::NoSecret, "without any, everything is refused");
}

#[test]
fn a_subscription_is_probed_listed_and_ended_and_one_that_is_off_is_seen() {
    let mut driver = Driver::new("square");
    let topic = "inventory.count.updated";
    let id = registered(&mut driver, topic);
    let probed = driver.subscribe(topic, SubscriptionStep::Probe { id: &id }).unwrap();
    assert!(matches!(probed, Subscribed::Active(_)), "{probed:?}");
    let Subscribed::Listed(listed, None) = driver.subscribe(topic, SubscriptionStep::List { after: None }).unwrap()
    else {
        panic!("no list")
    };
    let [one] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((one.id.as_str(), one.topic.as_str(), one.url.as_str(), one.enabled), (id.as_str(), topic, URL, true));

    let other = driver.subscribe("catalog.version.updated", SubscriptionStep::Probe { id: &id }).unwrap();
    assert!(matches!(other, Subscribed::Disabled(_)), "it is not for this event: {other:?}");
    assert!(matches!(driver.subscribe(topic, SubscriptionStep::End { id: &id }), Ok(Subscribed::Gone)));
    for step in [SubscriptionStep::Probe { id: &id }, SubscriptionStep::End { id: &id }] {
        assert!(matches!(driver.subscribe(topic, step), Ok(Subscribed::Gone)), "{step:?}");
    }
    driver.secrets = Secrets::new(vec![live("application_token", Secret::new("wrong"))]);
    assert_eq!(driver.subscribe(topic, SubscriptionStep::Register).unwrap_err(), Refusal::Refused);
}

#[test]
fn a_subscription_for_several_events_is_somebodys_own() {
    const COUNTED: &str = "inventory.count.updated";
    let driver = Driver::new("square");
    let topics = |events: serde_json::Value| {
        let one = json!({ "id": "wbhk_1", "enabled": true, "event_types": events, "notification_url": URL });
        let body = json!({ "subscriptions": [one] }).to_string();
        match driver.subscribe_given(COUNTED, SubscriptionStep::List { after: None }, &body) {
            Ok(Subscribed::Listed(listed, None)) => listed[0].topic.clone(),
            other => panic!("{other:?}"),
        }
    };
    for (events, expected) in [
        (json!([COUNTED]), COUNTED),
        (json!([COUNTED, "payment.updated"]), ""),
        (json!(["payment.updated", COUNTED]), ""),
        (json!(["payment.updated"]), ""),
        (json!([]), ""),
    ] {
        assert_eq!(topics(events.clone()), expected, "{events}");
    }
}

/// A reading of one recorded page.
fn recorded(resource: &str, reach: Reach<'_>, name: &str) -> Reading {
    let body = recorded::answer("square", name);
    Reading::of(Driver::new("square").given(resource, reach, None, (200, &body)).unwrap())
}

#[test]
fn a_recorded_catalog_is_read_item_by_item() {
    let read = recorded(CATALOG, Reach::Everything, "search-catalog");
    assert_eq!(read.entities(), [("GPOKJPTV2KDLVKCADJ7I77EZ", true), ("T4AZMPZL5QZ5XLQHFNVCVR5H", false)]);
    let tea = product(&read, "GPOKJPTV2KDLVKCADJ7I77EZ");
    let variants: Vec<_> =
        tea.variants.iter().map(|it| (it.sku.as_deref(), it.price.as_deref(), it.currency.as_deref())).collect();
    assert_eq!(variants, [(Some("TEA-1"), Some("150"), Some("JPY")), (None, None, None)]);
    assert_eq!((tea.variants[0].barcode.as_deref(), tea.images.len()), (Some("4006381333931"), 1));
    let notices: Vec<_> = read.notices().collect();
    assert_eq!(notices[0].unread, ["item_data.image_ids[1]"], "an image that is not there is unknown, not gone");
    assert_eq!((notices[0].version, notices[1].version), (Version(1_795_027_122_207), Version(1_795_027_200_001)));
    assert_eq!((&notices[1].state, notices[1].dated), (&State::Deleted, Dated::ByProvider));
    assert_eq!(read.seen, ["WITHOUT4VERSION444444444", "BJNQCF2FJ6S6UIDT65ABHLRX"]);
    assert_eq!(read.facts.iter().filter(|what| matches!(what, What::Ignored { .. })).count(), 2);
    assert_eq!(read.cursor, r#"{"since":"2026-11-18T18:40:00.001Z"}"#);
}

#[test]
fn recorded_counts_are_read_one_by_one() {
    let read = recorded(STOCK, Reach::Everything, "inventory-counts");
    let variation = "W62UWFY35CWMYGVWK6TWJDNI/C6W5YS5QM06F5";
    let [in_stock, waste] = [format!("{variation}/IN_STOCK"), format!("{variation}/WASTE")];
    assert_eq!(read.entities(), [(in_stock.as_str(), true), (waste.as_str(), true)]);
    assert_eq!(read.facts.len(), 3, "and one that cannot be read");
    let Document::Stock(stock) = read.document(&in_stock) else { panic!("no stock") };
    assert_eq!((stock.quantity.as_deref(), stock.state.as_deref()), (Some("79.5"), Some("IN_STOCK")));
    assert_eq!(read.cursor, r#"{"since":"2026-11-16T22:28:01.223Z"}"#, "the latest that was seen");
}

#[test]
fn a_notification_that_is_refused_comes_again_and_one_that_is_accepted_does_not() {
    let mut driver = Driver::new("square");
    registered(&mut driver, "catalog.version.updated");
    driver.edit("product", None, Some(json!({ "name": "Tea" })));
    assert_eq!(driver.answered(503), 2);
    assert_eq!(driver.answered(503), 0, "not at once");
    driver.pass(60);
    let told = driver.notices().unwrap();
    assert_eq!(told.len(), 2, "with the same signature");
    driver.edit("product", None, Some(json!({ "name": "Other tea" })));
    assert_eq!(driver.answered(200), 2);
    driver.pass(3600);
    assert_eq!(driver.answered(200), 0);
}
