//! Products, with their variants and deletions.

use super::*;

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
    assert_eq!((all.facts.len(), all.pages), (8, 4), "a page, one step for the images, and two for the variants");
    let last = product(&all, &many).variants.last().unwrap();
    assert_eq!((product(&all, &many).variants.len(), last.sku.as_deref()), (300, Some("V-299")));
    assert_eq!(product(&all, &shown).images.len(), 30);
    assert!(all.notices().all(|notice| notice.unread.is_empty()));
}

#[test]
fn a_product_is_read_with_all_of_its_variants_however_many_pages_they_have() {
    let mut driver = shop();
    for (count, pages) in [(1, 1), (250, 1), (251, 2), (501, 3), (1_500, 6)] {
        let variants: Vec<Value> = (0..count).map(|at| json!({ "sku": format!("V-{at}"), "price": "1" })).collect();
        let id = driver.edit("product", None, Some(json!({ "variants": variants })));
        driver.pass(600);
        let one = driver.read(PRODUCTS, Reach::One(&id), None).unwrap();
        let read = product(&one, &id);
        let skus: Vec<&str> = read.variants.iter().filter_map(|variant| variant.sku.as_deref()).collect();
        assert_eq!((skus.len(), one.pages), (count, pages), "{count}");
        assert!(skus.iter().enumerate().all(|(at, sku)| *sku == format!("V-{at}")), "{count}: each once, in order");
        assert!(one.notices().all(|notice| notice.unread.is_empty()));
    }
}

#[test]
fn a_product_that_is_changed_while_its_pages_are_read_is_no_newer_than_the_oldest_of_them() {
    let mut driver = shop();
    let variants: Vec<Value> = (0..600).map(|at| json!({ "sku": format!("V-{at}"), "price": "1" })).collect();
    let id = driver.edit("product", None, Some(json!({ "variants": variants })));
    let mut cursor = None;
    for _ in 0..2 {
        let Next::More(next) = driver.step(PRODUCTS, Reach::One(&id), cursor.as_deref()).unwrap().next else {
            panic!("there is more")
        };
        cursor = Some(next);
    }
    let page = |at: &str, next: bool| {
        let info = json!({ "hasNextPage": next, "endCursor": "next" });
        json!({ "data": { "product": {
            "id": id, "title": "Tea", "status": "ACTIVE", "updated_at": at, "images": { "pageInfo": { "hasNextPage": false }, "nodes": [] },
            "variants": { "pageInfo": info, "nodes": [{ "id": "7", "sku": null, "barcode": null, "price": "1.00", "inventory_quantity": 1 }] },
        } } })
        .to_string()
    };
    let [first, second, third] =
        [page("2026-11-28T12:00:09Z", true), page("2026-11-28T12:00:05Z", true), page("2026-11-28T12:00:07Z", false)];
    let bodies = [first.as_str(), &second, &third];
    let read = Reading::of(driver.given_each(PRODUCTS, Reach::One(&id), cursor.as_deref(), &bodies).unwrap());
    assert_eq!(
        (product(&read, &id).variants.len(), product(&read, &id).updated_at.as_str()),
        (3, "2026-11-28T12:00:05Z")
    );
    let gone = r#"{"data":{"product":null}}"#;
    let read = driver.given_each(PRODUCTS, Reach::One(&id), cursor.as_deref(), &[&first, gone, gone]).unwrap();
    assert_eq!(Reading::of(read).entities(), [(id.as_str(), false)], "deleted meanwhile");
}

#[test]
fn a_waiting_product_that_is_refused_or_unreadable_is_named_and_the_reading_goes_on() {
    let driver = shop();
    let waiting = r#"{"until":"2026-11-28T12:00:00Z","waiting":[7,8],"ended":true}"#;
    let error = |code: &str| format!(r#"{{"errors":[{{"message":"No.","extensions":{{"code":"{code}"}}}}]}}"#);
    for body in [error("MAX_COST_EXCEEDED"), error("INVALID"), "<html>".to_owned(), r#"{"data":{}}"#.to_owned()] {
        let page = driver.given(PRODUCTS, Reach::Everything, Some(waiting), (200, &body)).unwrap();
        let [What::Ignored { reason }] = &page.facts[..] else { panic!("{page:?}") };
        assert!(reason.starts_with("product 7 cannot be read: "), "{reason}");
        assert_eq!(page.seen, ["7"], "it is there, so no comparison deletes it");
        let Next::More(next) = page.next else { panic!("8 waits") };
        assert_eq!(next, r#"{"ended":true,"until":"2026-11-28T12:00:00Z","waiting":[8]}"#);
        let one = driver.given(PRODUCTS, Reach::One("7"), None, (200, &body));
        assert!(matches!(one, Err(Refusal::Invalid | Refusal::Unreadable(_))), "asked for by itself, it is refused");
    }
    for (status, code, expected) in [
        (200, "THROTTLED", Refusal::Limited { after: None }),
        (200, "ACCESS_DENIED", Refusal::Forbidden),
        (503, "", Refusal::Unavailable { after: None }),
    ] {
        let given = driver.given(PRODUCTS, Reach::Everything, Some(waiting), (status, &error(code)));
        assert_eq!(given.unwrap_err(), expected, "what is not about the product ends the step");
    }
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
