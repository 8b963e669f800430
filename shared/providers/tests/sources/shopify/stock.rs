//! The stock: levels of inventory items at locations.

use super::*;

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
fn a_location_with_more_levels_than_a_list_shows_is_read_by_windows_of_items() {
    let mut driver = shop();
    for _ in 0..200 {
        driver.edit("product", None, Some(json!({ "title": "Tea" })));
    }
    driver.pass(600);
    let first = driver.step(STOCK, Reach::Everything, None).unwrap();
    let Next::More(cursor) = first.next else { panic!("one page") };
    let mut place: Value = serde_json::from_str(&cursor).unwrap();
    // As if so many rows of it had been read.
    place["waiting"][0]["rows"] = json!(19_950);
    let mut cursor = place.to_string();
    let mut read = Reading { facts: first.facts, ..Reading::default() };
    let mut windows = 0;
    loop {
        let page = driver.step(STOCK, Reach::Everything, Some(&cursor)).unwrap();
        read.facts.extend(page.facts);
        let Next::More(next) = page.next else { break };
        let shelf = &serde_json::from_str::<Value>(&next).unwrap()["waiting"][0];
        windows += u32::from(shelf["after"].is_null() && shelf["from"].is_u64());
        cursor = next;
    }
    let mut ids = ids(&read);
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((count, ids.len(), windows), (219, 219, 1), "each once");
}

#[test]
fn a_hint_at_a_level_is_fetched_at_once_although_searches_lag_behind() {
    let mut driver = shop();
    let all = everything(&mut driver, STOCK);
    let id = ids(&all)[0].clone();
    driver.pass(600);
    driver.subscribe("inventory_levels/update", SubscriptionStep::Register).unwrap();
    driver.edit("stock", Some(&id), Some(json!({ "available": 77 })));
    let told = driver.notices().unwrap();
    let What::Hint { resource: STOCK, entity: Some(level), .. } = &told[0].1[0].what else { panic!("{told:?}") };
    assert_eq!(driver.read(STOCK, Reach::Changes, Some(&all.cursor)).unwrap().facts, [], "no search knows it yet");
    let one = driver.read(STOCK, Reach::One(level), None).unwrap();
    assert_eq!(stock(&one, &id).quantity.as_deref(), Some("77"));
    driver.pass(30);
    let later = driver.read(STOCK, Reach::Changes, Some(&all.cursor)).unwrap();
    assert_eq!(later.document(&id), one.document(&id));

    driver.edit("stock", Some(&id), Some(json!({ "active": false })));
    let inactive = driver.read(STOCK, Reach::One(level), None).unwrap();
    assert_eq!(inactive.entities(), [(id.as_str(), false)]);
    let (item, _) = level.split_once('/').unwrap();
    let elsewhere = driver.read(STOCK, Reach::One(&format!("{item}/7")), None).unwrap();
    let (variant, _) = id.split_once('/').unwrap();
    assert_eq!(elsewhere.entities(), [(format!("{variant}/7").as_str(), false)], "it is not stocked there");
    let gone = driver.read(STOCK, Reach::One("item:7/8"), None).unwrap();
    assert!(matches!(&gone.facts[..], [What::Ignored { .. }]), "{gone:?}");
}

#[test]
fn a_level_of_an_item_is_told_of_each_variant_that_shares_it() {
    let level = json!({ "isActive": true, "updatedAt": "2026-11-28T11:00:00Z", "quantities": [{ "name": "available", "quantity": 5 }] });
    let answer = |variants: Value, level: &Value| {
        let item = json!({ "id": "9", "tracked": true, "variants": variants, "inventoryLevel": level });
        let body = json!({ "data": { "inventoryItem": item } }).to_string();
        shop().given(STOCK, Reach::One("item:9/8"), None, (200, &body))
    };
    let two = json!({ "pageInfo": { "hasNextPage": false }, "nodes": [{ "id": "1" }, { "id": "2" }] });
    let read = Reading::of(answer(two.clone(), &level).unwrap());
    assert_eq!(read.entities(), [("1/8", true), ("2/8", true)]);
    assert_eq!(stock(&read, "2/8").quantity.as_deref(), Some("5"));
    let read = Reading::of(answer(two, &Value::Null).unwrap());
    assert_eq!(read.entities(), [("1/8", false), ("2/8", false)]);
    let more = json!({ "pageInfo": { "hasNextPage": true }, "nodes": [{ "id": "1" }] });
    let read = Reading::of(answer(more.clone(), &level).unwrap());
    assert_eq!((read.entities(), read.facts.len()), (vec![("1/8", true)], 2), "and it says that there are more");
    assert!(matches!(answer(more, &json!(7)), Err(Refusal::Unreadable(_))));
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
