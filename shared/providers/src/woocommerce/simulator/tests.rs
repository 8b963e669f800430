//! What the simulated store answers, in the shapes that a store of version 9.9.5 was seen to answer.

use data_encoding::BASE64;
use serde_json::Value;

use super::*;

/// Now. The first product is 15, and the second 17, since their images are numbered with them.
const NOW: Timestamp = Timestamp::constant(1_795_876_000, 0);

/// The fields of a product that is shown, in the order of the alphabet.
const PRODUCT: &str = "_links attributes average_rating backordered backorders backorders_allowed brands button_text \
    catalog_visibility categories cross_sell_ids date_created date_created_gmt date_modified date_modified_gmt \
    date_on_sale_from date_on_sale_from_gmt date_on_sale_to date_on_sale_to_gmt default_attributes description dimensions \
    download_expiry download_limit downloadable downloads external_url featured global_unique_id grouped_products \
    has_options id images low_stock_amount manage_stock menu_order meta_data name on_sale parent_id permalink \
    post_password price price_html purchasable purchase_note rating_count regular_price related_ids reviews_allowed \
    sale_price shipping_class shipping_class_id shipping_required shipping_taxable short_description sku slug \
    sold_individually status stock_quantity stock_status tags tax_class tax_status total_sales type upsell_ids \
    variations virtual weight";
/// The fields of a variation below its product.
const VARIATION: &str = "_links attributes backordered backorders backorders_allowed date_created date_created_gmt \
    date_modified date_modified_gmt date_on_sale_from date_on_sale_from_gmt date_on_sale_to date_on_sale_to_gmt \
    description dimensions download_expiry download_limit downloadable downloads global_unique_id id image \
    low_stock_amount manage_stock menu_order meta_data name on_sale parent_id permalink price purchasable \
    regular_price sale_price shipping_class shipping_class_id sku status stock_quantity stock_status tax_class \
    tax_status type virtual weight";
/// The fields of a webhook; the secret is none of them.
const WEBHOOK: &str = "_links date_created date_created_gmt date_modified date_modified_gmt delivery_url event hooks id \
    name resource status topic";

fn request(method: &str, path: &str, body: &str) -> Request<Bytes> {
    let pair: Vec<&str> = PROFILE.sample_credentials.iter().map(|(_, text)| *text).collect();
    Request::builder()
        .method(method)
        .uri(format!("https://demo.example/wp-json/wc/v3/{path}"))
        .header("authorization", format!("Basic {}", BASE64.encode(pair.join(":").as_bytes())))
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

fn call(store: &mut Account, method: &str, path: &str, body: &str) -> (u16, Value) {
    let answer = store.answer(&request(method, path, body), NOW);
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

/// The names of an object's fields.
fn names(object: &Value) -> String {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names.join(" ")
}

/// The id of the first item that fits.
fn id_of(store: &mut Account, query: &str) -> u64 {
    let (_, found) = call(store, "GET", &format!("products?{query}"), "");
    found[0]["id"].as_u64().unwrap()
}

#[test]
fn errors_have_the_status_and_the_code_of_a_store() {
    let mut store = Account::new(1);
    let variation = id_of(&mut store, "sku=ASSAM-1");
    let hook = r#"{"topic":"product.updated","delivery_url":"https://hooks.example.com/"}"#;
    assert_eq!(call(&mut store, "POST", "webhooks", hook).0, 201);
    let binned = id_of(&mut store, "status=trash");
    for (method, path, body, status, code) in [
        ("GET", "produkts", "", 404, "rest_no_route"),
        ("GET", "variations?per_page=2", "", 404, "rest_no_route"),
        ("GET", "products/999999", "", 404, "woocommerce_rest_product_invalid_id"),
        ("PUT", "products/999999", "{}", 400, "woocommerce_rest_product_invalid_id"),
        ("DELETE", "products/999999?force=true", "", 404, "woocommerce_rest_product_invalid_id"),
        ("GET", "products?per_page=101", "", 400, "rest_invalid_param"),
        ("GET", "products?orderby=nonsense", "", 400, "rest_invalid_param"),
        ("GET", "products?type=variation", "", 400, "rest_invalid_param"),
        ("GET", "products?modified_after=yesterday", "", 400, "rest_invalid_param"),
        ("POST", "products", r#"{"name":"#, 400, "rest_invalid_json"),
        ("POST", "products", r#"{"sku":"TEA-001"}"#, 400, "product_invalid_sku"),
        (
            "POST",
            "products",
            r#"{"images":[{"src":"https://x.example/none.jpg"}]}"#,
            400,
            "woocommerce_product_image_upload_error",
        ),
        ("PUT", "products/15", r#"{"stock_quantity":"12.7"}"#, 400, "rest_invalid_param"),
        ("PUT", "products/15", r#"{"status":"nonsense"}"#, 400, "rest_invalid_param"),
        ("PUT", &format!("products/{variation}"), "{}", 404, "woocommerce_rest_invalid_product_id"),
        (
            "PUT",
            &format!("products/15/variations/{variation}"),
            "{}",
            404,
            "woocommerce_rest_product_variation_invalid_id",
        ),
        ("DELETE", &format!("products/{binned}"), "", 410, "woocommerce_rest_already_trashed"),
        ("POST", "webhooks", r#"{"topic":"product.updated"}"#, 400, "rest_missing_callback_param"),
        (
            "POST",
            "webhooks",
            r#"{"topic":"product.sold","delivery_url":"https://x"}"#,
            400,
            "woocommerce_rest_shop_webhook_invalid_topic",
        ),
        (
            "POST",
            "webhooks",
            r#"{"topic":"product.updated","delivery_url":"ftp://x"}"#,
            400,
            "woocommerce_rest_shop_webhook_invalid_delivery_url",
        ),
        ("DELETE", "webhooks/1", "", 501, "woocommerce_rest_trash_not_supported"),
        ("GET", "webhooks/9", "", 404, "woocommerce_rest_shop_webhook_invalid_id"),
    ] {
        let (given, body) = call(&mut store, method, path, body);
        assert_eq!((given, body["code"].as_str().unwrap()), (status, code), "{method} {path}");
        assert_eq!((body["data"]["status"].as_u64(), body["message"].is_string()), (Some(status.into()), true));
    }
}

#[test]
fn documents_have_the_fields_of_a_store() {
    let mut store = Account::new(1);
    let (variable, variation) = (id_of(&mut store, "type=variable"), id_of(&mut store, "sku=ASSAM-1"));
    let (_, view) = call(&mut store, "GET", "products/15", "");
    assert_eq!(names(&view), PRODUCT);
    assert!(view["description"].as_str().unwrap().ends_with("<p>From one garden</p>\n"));
    let (_, edit) = call(&mut store, "GET", "products/15?context=edit", "");
    assert_eq!(edit["description"], "<p>Hand rolled.</p>\n\nFrom one garden");
    assert!(edit["generated_slug"].is_string() && edit["permalink_template"].is_string());
    let (_, below) = call(&mut store, "GET", &format!("products/{variable}/variations/{variation}"), "");
    assert_eq!(names(&below), VARIATION);
    let (_, beside) = call(&mut store, "GET", &format!("products/{variation}"), "");
    assert_eq!(names(&beside), PRODUCT);
    assert_eq!((&beside["type"], &beside["total_sales"]), (&"variation".into(), &"0".into()));
    let hook = r#"{"topic":"product.updated","delivery_url":"https://x.example/","secret":"hush","status":"paused"}"#;
    let (status, made) = call(&mut store, "POST", "webhooks", hook);
    assert_eq!((status, names(&made).as_str(), &made["status"]), (201, WEBHOOK, &"active".into()));
}

#[test]
fn writes_are_taken_as_the_setters_of_a_store_take_them() {
    let mut store = Account::new(1);
    for (given, name, expected) in [
        (r#"{"regular_price":"12,50 €"}"#, "regular_price", json!("1250")),
        (r#"{"regular_price":"10","sale_price":"12"}"#, "sale_price", json!("")),
        (r#"{"stock_quantity":9}"#, "stock_quantity", json!(9)),
        (r#"{"inventory_delta":-2}"#, "stock_quantity", json!(7)),
        (r#"{"manage_stock":false}"#, "stock_quantity", Value::Null),
        (r#"{"name":"Salt & Pe\\pper"}"#, "name", json!("Salt &amp; Pepper")),
    ] {
        let (status, body) = call(&mut store, "PUT", "products/15", given);
        assert_eq!((status, &body[name]), (200, &expected), "{given}");
    }
    let image = r#"{"images":[{"src":"https://x.example/red.jpg"}]}"#;
    let id = |body: &Value| body["images"][0]["id"].as_u64();
    let (first, second) =
        (call(&mut store, "PUT", "products/15", image), call(&mut store, "PUT", "products/15", image));
    assert!(id(&first.1) < id(&second.1), "an address is fetched again each time");
}

#[test]
fn each_item_of_a_batch_stands_for_itself_and_its_deletions_are_for_good() {
    let mut store = Account::new(1);
    let body = r#"{"create":[{"name":"One"},{"sku":"TEA-001"}],"update":[{"id":15,"status":"nonsense"},{"id":9}],"delete":[17,9]}"#;
    let (status, done) = call(&mut store, "POST", "products/batch", body);
    assert_eq!(
        (status, &done["create"][0]["name"], &done["update"][0]["status"]),
        (200, &json!("One"), &json!("draft"))
    );
    let code = |list: &str| done[list][1]["error"]["code"].as_str().unwrap().to_owned();
    assert_eq!(code("create"), "product_invalid_sku");
    assert_eq!((code("update"), code("delete")), ("woocommerce_rest_product_invalid_id".to_owned(), code("update")));
    assert_eq!(call(&mut store, "GET", "products/17", "").0, 404);
    let many = json!({ "update": vec![json!({ "id": 15 }); 101] }).to_string();
    assert_eq!(call(&mut store, "POST", "products/batch", &many).0, 413);
}

#[test]
fn a_date_that_names_a_zone_is_shifted_to_that_of_the_store() {
    let mut store = Account::new(1);
    let edit = Edit { what: "product".to_owned(), id: Some("15".to_owned()), fields: Some(serde_json::Map::new()) };
    store.edit(&edit, "2026-11-28T14:23:36.7Z".parse().unwrap()).unwrap();
    for (query, expected) in [
        ("modified_after=2026-11-28T14:23:36&dates_are_gmt=true", 0),
        ("modified_after=2026-11-28T14:23:35&dates_are_gmt=true", 1),
        ("modified_after=2026-11-28%2014:23:35&dates_are_gmt=true", 1),
        ("modified_after=2026-11-28T14:23:35Z&dates_are_gmt=true", 0),
        ("modified_after=2026-11-28T14%3A23%3A35%2B00%3A00&dates_are_gmt=true", 0),
        ("modified_after=2026-11-28T15:23:35", 1),
        ("modified_after=2026-11-28T15:23:36", 0),
        ("modified_after=2026-11-28T14:23:35Z", 1),
    ] {
        let (_, found) = call(&mut store, "GET", &format!("products?include=15&_fields=id&{query}"), "");
        assert_eq!(found.as_array().unwrap().len(), expected, "{query}");
        assert!(found.as_array().unwrap().iter().all(|row| names(row) == "id"));
    }
}

#[test]
fn a_page_says_how_many_there_are_and_where_the_next_is() {
    let mut store = Account::new(1);
    for (query, rows, link) in [
        ("per_page=3&page=1", 3, Some("page=2>; rel=\"next\"")),
        ("per_page=3&page=3", 1, Some("page=2>; rel=\"prev\"")),
        ("per_page=3&page=99", 0, Some("page=3>; rel=\"prev\"")),
        ("per_page=100", 7, None),
        ("per_page=3&offset=6", 1, Some("rel=\"next\"")),
    ] {
        let answer = store.answer(&request("GET", &format!("products?{query}"), ""), NOW);
        let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap());
        let body: Vec<Value> = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!((body.len(), header("x-wp-total")), (rows, Some("7")), "{query}");
        assert!(link.is_none_or(|link| header("link").unwrap().contains(link)), "{query}: {:?}", header("link"));
        assert_eq!(header("date"), Some("Sat, 28 Nov 2026 14:26:40 GMT"));
    }
}

#[test]
fn who_asks_is_known_by_what_counts_on_that_way() {
    let mut store = Account::new(1);
    let [key, secret] = [PROFILE.sample_credentials[0].1, PROFILE.sample_credentials[1].1];
    let reader = store.state()["credentials"][1].clone();
    let reader = ["consumer_key", "consumer_secret"].map(|name| reader[name].as_str().unwrap().to_owned()).join(":");
    let right = format!("{key}:{secret}");
    for (method, scheme, pair, query, status, code) in [
        ("GET", "https", Some(right.as_str()), "", 200, None),
        ("GET", "http", Some(&right), "", 401, Some("woocommerce_rest_cannot_view")),
        ("GET", "https", None, "", 401, Some("woocommerce_rest_cannot_view")),
        ("GET", "https", Some("ck_other:cs"), "", 401, Some("woocommerce_rest_cannot_view")),
        ("GET", "https", Some(&format!("{key}:cs")), "", 401, Some("woocommerce_rest_authentication_error")),
        ("GET", "https", None, &format!("?consumer_key={key}&consumer_secret={secret}"), 200, None),
        ("GET", "https", Some(&reader), "", 200, None),
        ("PUT", "https", Some(&reader), "", 401, Some("woocommerce_rest_authentication_error")),
        ("GET", "http", None, "?oauth_nonce=1", 401, Some("woocommerce_rest_authentication_missing_parameter")),
    ] {
        let request =
            Request::builder().method(method).uri(format!("{scheme}://demo.example/wp-json/wc/v3/products/15{query}"));
        let request = pair.into_iter().fold(request, |request, pair| {
            request.header("authorization", format!("Basic {}", BASE64.encode(pair.as_bytes())))
        });
        let answer = store.answer(&request.body(Bytes::new()).unwrap(), NOW);
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(
            (answer.status().as_u16(), body["code"].as_str()),
            (status, code),
            "{method} {scheme} {pair:?} {query}"
        );
    }
}

#[test]
fn a_nonce_counts_once_and_a_signature_for_a_quarter_of_an_hour() {
    // Signed with the sample's key for this very time, by hand: the text to sign, its MAC, its base64.
    let [key, secret] = [PROFILE.sample_credentials[0].1, PROFILE.sample_credentials[1].1];
    let path = "/wp-json/wc/v3/products";
    let oauth = format!(
        "oauth_consumer_key={key}&oauth_nonce=n1&oauth_signature_method=HMAC-SHA256&oauth_timestamp={}",
        NOW.as_second()
    );
    let text = format!(
        "GET&http%3A%2F%2F127.0.0.1%3A8080{}&{}",
        path.replace('/', "%2F"),
        oauth.replace('=', "%3D").replace('&', "%26")
    );
    let mac = hooktide_model::signing::hmac_sha256(format!("{secret}&").as_bytes(), &[text.as_bytes()]);
    let signature = BASE64.encode(&mac).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let mut store = Account::new(1);
    let mut asked = |host: &str, signature: &str, seconds: i64| {
        let request = Request::get(format!("{path}?{oauth}&oauth_signature={signature}")).header("host", host);
        let later = NOW + jiff::SignedDuration::from_secs(seconds);
        let answer = store.answer(&request.body(Bytes::new()).unwrap(), later);
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        (answer.status().as_u16(), body["message"].as_str().unwrap_or_default().to_owned())
    };
    let host = "127.0.0.1:8080";
    assert_eq!(asked(host, &signature, 901), (401, "Invalid timestamp.".to_owned()));
    assert_eq!(asked("demo.example", &signature, 0).1, "Invalid signature - provided signature does not match.");
    assert_eq!(asked(host, "x", 0).1, "Invalid signature - provided signature does not match.");
    assert_eq!(asked(host, &signature, 0).0, 200);
    assert_eq!(asked(host, &signature, 1).1, "Invalid nonce - nonce has already been used.");
}
