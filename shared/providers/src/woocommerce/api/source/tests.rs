//! What is made of answers that were written by hand, in the shapes of a store of version 9.9.5.

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use hooktide_model::notice::Document;
use hooktide_model::product::Product;
use hooktide_model::settings::connection::ConnectionSettings;

const NOW: Timestamp = Timestamp::constant(1_795_876_000, 0);
const API: &str = "https://shop.example/wp-json/wc/v3";

fn with<T>(reach: Reach<'_>, cursor: Option<&str>, then: impl FnOnce(&Task<'_>) -> T) -> T {
    let settings = ConnectionSettings::default();
    then(&Task {
        account: Some("shop.example"),
        settings: &settings,
        resource: PRODUCTS,
        part: None,
        reach,
        cursor,
        api: API,
        now: NOW,
    })
}

/// The addresses that are asked, below the API's.
fn asked(reach: Reach<'_>, cursor: Option<&str>) -> Vec<String> {
    let asks = with(reach, cursor, |task| WooCommerce.ask(task));
    let address = |Ask::Http(request): Ask| {
        let request: Request<Bytes> = request;
        request.uri().to_string().strip_prefix(API).unwrap().to_owned()
    };
    asks.into_iter().map(address).collect()
}

fn answer(status: u16, total: Option<u64>, body: &Value) -> Answer {
    let answer = Response::builder().status(status).header("date", "Sat, 28 Nov 2026 14:24:42 GMT");
    let answer = total.into_iter().fold(answer, |answer, total| answer.header("X-WP-Total", total));
    answer.body(Bytes::from(body.to_string())).unwrap()
}

fn simple(id: u64) -> Value {
    json!({
        "id": id, "name": "Salt &amp; Pepper", "type": "simple", "status": "publish",
        "date_modified_gmt": "2026-11-28T14:21:41", "parent_id": 0, "sku": "S-1", "global_unique_id": "",
        "price": "5", "stock_quantity": 3, "variations": [],
        "images": [{ "id": 11, "src": "https://shop.example/wp-content/uploads/red.jpg" }],
    })
}

fn variable(id: u64, variations: &[u64]) -> Value {
    let mut product = simple(id);
    product["type"] = "variable".into();
    product["variations"] = variations.into();
    product
}

fn read(reach: Reach<'_>, cursor: Option<&str>, answers: &[Answer]) -> Page {
    with(reach, cursor, |task| WooCommerce.read(task, answers)).unwrap()
}

fn more(page: &Page) -> &str {
    match &page.next {
        Next::More(cursor) => cursor,
        Next::Done(cursor) => panic!("done: {cursor}"),
    }
}

fn done(page: &Page) -> &str {
    match &page.next {
        Next::Done(cursor) => cursor,
        Next::More(cursor) => panic!("more: {cursor}"),
    }
}

fn product(page: &Page) -> (&Product, &EntityNotice) {
    match &page.facts[..] {
        [What::Entity(notice @ EntityNotice { state: State::Present(Document::Product(product)), .. })] => {
            (product, notice)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_poll_asks_for_what_is_later_than_its_mark_in_utc_and_without_a_zone() {
    let since = "&modified_after=2026-11-28T14:23:35&dates_are_gmt=true";
    let rest = format!("&_fields={FIELDS}&_skip_cache=1");
    let page = "&orderby=id&order=asc&per_page=100&page=1";
    assert_eq!(
        asked(Reach::Changes, Some(r#"{"since":1795875815}"#)),
        [format!("/products?status=trash{page}{since}{rest}")]
    );
    assert_eq!(asked(Reach::Everything, None), [format!("/products?status=trash{page}{rest}")]);
    assert_eq!(asked(Reach::One("14"), None), [format!("/products/14?_fields={FIELDS}&_skip_cache=1")]);
    assert_eq!(asked(Reach::One("14/../1"), None), [""; 0]);
}

#[test]
fn an_item_that_cannot_be_read_is_seen_and_costs_no_other() {
    let bin = read(Reach::Everything, None, &[answer(200, Some(0), &json!([]))]);
    let without = |name: &str| {
        let mut product = simple(20);
        product.as_object_mut().unwrap().remove(name);
        product
    };
    let (mut undated, mut nowhere) = (simple(21), simple(22));
    undated["date_modified_gmt"] = Value::Null;
    (nowhere["type"], nowhere["parent_id"]) = ("variation".into(), 0.into());
    let mut cut = json!({ "id": 23, "name": "Tea", "status": "publish", "date_modified_gmt": "2026-11-28T14:21:41" });
    cut["price"] = "5".into();
    let rows = json!([without("status"), undated, nowhere, cut, without("id"), 7, simple(24)]);
    let page = read(Reach::Everything, Some(more(&bin)), &[answer(200, Some(7), &rows)]);
    assert_eq!(page.seen, ["20", "21", "22", "23"]);
    let ignored = page.facts.iter().filter(|what| matches!(what, What::Ignored { .. })).count();
    assert_eq!((ignored, page.facts.len()), (6, 7), "{page:#?}");
    // The store's clock less what a save may take: 14:24:42, and thirty seconds; and no later than what was seen.
    assert_eq!(done(&page), r#"{"since":1795875701}"#);
}

#[test]
fn a_page_that_does_not_join_the_one_before_is_read_from_further_back() {
    let bin = read(Reach::Everything, None, &[answer(200, Some(0), &json!([]))]);
    let rows = |ids: std::ops::RangeInclusive<u64>| ids.map(simple).collect::<Value>();
    let first = read(Reach::Everything, Some(more(&bin)), &[answer(200, Some(150), &rows(1..=100))]);
    let asks = asked(Reach::Everything, Some(more(&first)));
    assert!(asks[0].contains("&per_page=97&page=2&"), "{asks:?}");
    let gap = read(Reach::Everything, Some(more(&first)), &[answer(200, Some(140), &rows(108..=150))]);
    assert_eq!(gap.facts, []);
    let asks = asked(Reach::Everything, Some(more(&gap)));
    assert!(asks[0].contains("&page=1&"), "{asks:?}");
    let joined = read(Reach::Everything, Some(more(&gap)), &[answer(200, Some(140), &rows(11..=105))]);
    let ids: Vec<&str> = joined
        .facts
        .iter()
        .filter_map(|what| match what {
            What::Entity(entity) => Some(entity.id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(ids, ["101", "102", "103", "104", "105"]);
}

#[test]
fn a_list_without_a_total_ends_with_a_page_that_is_not_full() {
    let bin = read(Reach::Everything, None, &[answer(200, None, &json!([]))]);
    let shop = read(Reach::Everything, Some(more(&bin)), &[answer(200, None, &json!([simple(14)]))]);
    assert!(done(&shop).starts_with(r#"{"since":"#));
}

#[test]
fn a_product_of_the_list_that_has_variations_is_read_with_them() {
    let bin = read(Reach::Everything, None, &[answer(200, Some(0), &json!([]))]);
    let row = variable(20, &[22, 23, 24]);
    let page = read(Reach::Everything, Some(more(&bin)), &[answer(200, Some(1), &json!([row]))]);
    assert_eq!(page.facts, []);
    let cursor = more(&page);
    let asks = asked(Reach::Everything, Some(cursor));
    assert!(asks[0].starts_with("/products/20?") && asks[1].starts_with("/products/20/variations?"), "{asks:?}");
    assert_eq!(asks.len(), 2);

    let variation = |id: u64, price: Value| json!({ "id": id, "sku": "", "global_unique_id": "", "price": price, "stock_quantity": 2 });
    let parts = json!([variation(23, "13.00".into()), variation(22, json!([])), variation(99, "1".into()), 7]);
    let joined = read(Reach::Everything, Some(cursor), &[answer(200, None, &row), answer(200, Some(4), &parts)]);
    let (product, notice) = product(&joined);
    let variants: Vec<_> =
        product.variants.iter().map(|variant| (variant.id.as_str(), variant.price.as_deref(), variant.stock)).collect();
    assert_eq!(variants, [("22", None, Some(2)), ("23", Some("13.00"), Some(2)), ("24", None, None)]);
    assert_eq!(notice.unread, ["variations[0].price", "variations[2]"]);
    done(&joined);

    let gone =
        json!({ "code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID.", "data": { "status": 404 } });
    let gone = read(Reach::Everything, Some(cursor), &[answer(404, None, &gone), answer(200, None, &json!([]))]);
    let [What::Entity(EntityNotice { id, state: State::Deleted, dated: Dated::ByReceipt, .. })] = &gone.facts[..]
    else {
        panic!("{gone:?}")
    };
    assert_eq!(id, "20");
}

#[test]
fn a_step_has_a_bounded_number_of_questions_and_more_variations_than_expected_are_asked_for() {
    let bin = read(Reach::Everything, None, &[answer(200, Some(0), &json!([]))]);
    let rows: Value = (1..=30).map(|id| variable(id, &[1_000 + id])).collect();
    let page = read(Reach::Everything, Some(more(&bin)), &[answer(200, Some(30), &rows)]);
    assert_eq!(asked(Reach::Everything, Some(more(&page))).len(), 4);

    let many: Vec<u64> = (1_000..2_500).collect();
    let product = answer(200, None, &variable(20, &many));
    let first = read(Reach::One("20"), None, std::slice::from_ref(&product));
    assert_eq!(asked(Reach::One("20"), Some(more(&first))).len(), 10);

    let few = read(Reach::One("20"), None, &[answer(200, None, &variable(20, &[1]))]);
    assert_eq!(asked(Reach::One("20"), Some(more(&few))).len(), 2);
    let grown = read(Reach::One("20"), Some(more(&few)), &[product, answer(200, None, &json!([]))]);
    assert_eq!((grown.facts.len(), asked(Reach::One("20"), Some(more(&grown))).len()), (0, 10));
}

#[test]
fn what_got_no_answer_in_time_is_asked_for_again_in_shorter_pages() {
    let shorter = |reach: Reach<'_>, cursor: Option<&str>| with(reach, cursor, |task| WooCommerce.shorter(task));
    let half = shorter(Reach::Everything, None).unwrap();
    assert!(asked(Reach::Everything, Some(&half))[0].contains("&per_page=50&page=1&"));
    let since = shorter(Reach::Changes, Some(r#"{"since":1795875815}"#)).unwrap();
    let asks = asked(Reach::Changes, Some(&since));
    assert!(asks[0].contains("&per_page=50&page=1&modified_after=2026-11-28T14:23:35&"), "{asks:?}");

    // In the middle, pages go on with rows that were seen.
    let bin = read(Reach::Everything, None, &[answer(200, Some(0), &json!([]))]);
    let rows = |ids: std::ops::RangeInclusive<u64>| ids.map(simple).collect::<Value>();
    let first = read(Reach::Everything, Some(more(&bin)), &[answer(200, Some(150), &rows(1..=100))]);
    let half = shorter(Reach::Everything, Some(more(&first))).unwrap();
    let asks = asked(Reach::Everything, Some(&half));
    assert!(asks[0].contains("&per_page=48&page=3&"), "{asks:?}");
    let second = read(Reach::Everything, Some(&half), &[answer(200, Some(150), &rows(97..=144))]);
    assert_eq!(second.facts.len(), 44, "from 101 to 144");
    let quarter = shorter(Reach::Everything, Some(more(&second))).unwrap();
    assert_eq!(shorter(Reach::Everything, Some(&quarter)), None, "no shorter than that");
    assert!(
        done(&read(Reach::Everything, Some(&quarter), &[answer(200, Some(150), &rows(139..=150))])).contains("since")
    );

    let many = variable(20, &(1_000..1_120).collect::<Vec<_>>());
    let parts = read(Reach::One("20"), None, &[answer(200, None, &many)]);
    assert_eq!(asked(Reach::One("20"), Some(more(&parts))).len(), 3);
    let half = shorter(Reach::One("20"), Some(more(&parts))).unwrap();
    let asks = asked(Reach::One("20"), Some(&half));
    assert!(asks.len() == 4 && asks[3].contains("&per_page=50&page=3&"), "{asks:?}");
    assert_eq!(shorter(Reach::One("20"), None), None, "one product is one product");
}

#[test]
fn whoever_went_back_may_meet_a_page_that_is_known() {
    let bin = read(Reach::Everything, None, &[answer(200, Some(0), &json!([]))]);
    let rows = |ids: std::ops::RangeInclusive<u64>| ids.map(simple).collect::<Value>();
    let mut first = read(Reach::Everything, Some(more(&bin)), &[answer(200, Some(150), &rows(1..=100))]);
    for _ in 0..2 {
        let cursor = with(Reach::Everything, Some(more(&first)), |task| WooCommerce.shorter(task));
        first.next = Next::More(cursor.unwrap());
    }
    // Five rows before it went away, so that the next page of 25 begins behind the hundredth.
    let gap = read(Reach::Everything, Some(more(&first)), &[answer(200, Some(145), &rows(102..=125))]);
    assert_eq!(gap.facts, []);
    let known = read(Reach::Everything, Some(more(&gap)), &[answer(200, Some(145), &rows(52..=74))]);
    assert_eq!(known.facts, []);
    let asks = asked(Reach::Everything, Some(more(&known)));
    assert!(asks[0].contains("&per_page=22&page=4&"), "it goes on: {asks:?}");
}

#[test]
fn a_route_that_does_not_exist_is_no_deleted_product() {
    let none = json!({ "code": "rest_no_route", "message": "No route was found.", "data": { "status": 404 } });
    for (body, expected) in
        [(none, Refusal::Invalid), (json!("<h1>Not found</h1>"), Refusal::Closed(crate::woocommerce::api::NOWHERE))]
    {
        let read = with(Reach::One("14"), None, |task| WooCommerce.read(task, &[answer(404, None, &body)]));
        assert_eq!(read.unwrap_err(), expected, "{body}");
    }
}

#[test]
fn the_asked_fields_are_all_that_a_product_is_read_from() {
    let row = simple(14);
    for name in row.as_object().unwrap().keys() {
        assert!(FIELDS.split(',').any(|field| field == name), "{name}");
    }
    let page = read(Reach::One("14"), None, &[answer(200, None, &row)]);
    let (product, notice) = product(&page);
    assert_eq!(notice.unread, [""; 0]);
    assert_eq!((product.title.as_deref(), product.images.len()), (Some("Salt &amp; Pepper"), 1));
    let by_webhook: WooProduct = serde_json::from_value(row).unwrap();
    assert_eq!(&by_webhook.read().unwrap().entity, notice);
}
