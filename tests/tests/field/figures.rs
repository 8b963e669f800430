//! Cases of payments as dashboards show them: amounts, orders of statuses, buckets of time, conditions of readers, pages.

use hooktide_tests::merchant::{Merchant, Payment};
use http::Method;
use serde_json::{Value, json};

use crate::Tried;
use crate::settings::unless;

const NOON: &str = "2026-11-03T12:00:00Z";
const LIST: &str = "/v1/transactions";

/// A case by its name, with what is seen and what is right.
type Seen = (&'static str, Value, Value);

pub(crate) async fn tried() -> Vec<Tried> {
    let seen = [money().await, order().await, time().await, conditions().await, pages().await].concat();
    seen.into_iter().map(|(name, is, right)| (name, unless(is, right))).collect()
}

/// A merchant in a time zone who has these payments.
async fn merchant(zone: &str, payments: &[Payment]) -> Merchant {
    let merchant = Merchant::new(json!({ "companies": { "1009688230": { "time_zone": zone } } })).await;
    merchant.pay(payments).await;
    merchant
}

/// Some fields of what is listed, the newest first.
async fn listed(merchant: &Merchant, path: &str, fields: &[&str]) -> Value {
    let page = merchant.world.get(path).await.expect(200);
    let items = page["items"].as_array().expect("items").iter();
    items.map(|item| fields.iter().map(|field| item[*field].clone()).collect::<Value>()).collect()
}

/// Some fields of the company's rows.
async fn rows(merchant: &Merchant, query: &str, fields: &[&str]) -> Value {
    let figures = merchant.world.get(&format!("/v1/analytics?company=1009688230&{query}")).await.expect(200);
    let rows = figures["buckets"].as_array().expect("rows").iter();
    rows.map(|row| fields.iter().map(|field| row[*field].clone()).collect::<Value>()).collect()
}

async fn money() -> Vec<Seen> {
    let of = |id: &str, amount, currency| Payment { amount, currency, ..Payment::new(id, NOON) };
    let some = [
        of("ugx", 200_000, "UGX"),
        of("kwd", 92_000, "KWD"),
        of("clf", 243, "CLF"),
        of("large", 2_147_483_648, "EUR"),
        of("usd", 90_000, "USD"),
        of("rub", 900_000, "RUB"),
    ];
    let merchant = merchant("UTC", &some).await;
    let one = async |id: &str| {
        let found = merchant.world.get(&format!("{LIST}/{id}")).await.expect(200);
        json!([found["amount_minor"], found["exponent"]])
    };
    let mut missing = Payment::new("missing", NOON).body();
    missing["payload"].as_object_mut().expect("a payload").remove("amount");
    merchant.deliver(&missing).await;
    merchant.world.tick().await;
    let day = "period=day&from=2026-11-03T00:00:00Z&to=2026-11-04T00:00:00Z";
    let sums = rows(&merchant, day, &["currency", "count", "sum_minor"]).await;
    vec![
        ("an amount of a currency without a minor unit is what it says", one("ugx").await, json!([200_000, 0])),
        (
            "an amount of a currency with three digits after the point is what it says",
            one("kwd").await,
            json!([92_000, 3]),
        ),
        ("an amount of a currency with four digits after the point is what it says", one("clf").await, json!([243, 4])),
        ("an amount beyond 31 bits is neither negative nor refused", one("large").await, json!([2_147_483_648_u64, 2])),
        ("a payment without an amount is not one of nothing", one("missing").await, json!([null, 2])),
        (
            "amounts of two currencies are two sums",
            sums,
            json!([
                ["CLF", 1, 243],
                ["EUR", 1, 2_147_483_648_u64],
                ["KWD", 1, 92_000],
                ["RUB", 1, 900_000],
                ["UGX", 1, 200_000],
                ["USD", 1, 90_000]
            ]),
        ),
    ]
}

async fn order() -> Vec<Seen> {
    let of = |id: &str, status, updated: &str| Payment { status, updated: updated.into(), ..Payment::new(id, NOON) };
    let merchant = merchant("UTC", &[of("late", "COMPLETED", NOON), of("refused", "CANCELLED", NOON)]).await;
    merchant
        .pay(&[of("late", "PENDING", "2026-11-03T12:09:00Z"), of("refused", "COMPLETED", "2026-11-03T12:09:00Z")])
        .await;
    let twice = of("twice", "COMPLETED", NOON);
    merchant.pay(&[twice.clone(), twice]).await;
    let statuses = listed(&merchant, "/v1/transactions?to=2026-11-03T12:00:01Z", &["id", "status"]).await;
    let day = "period=day&from=2026-11-03T00:00:00Z&to=2026-11-04T00:00:00Z";
    let counts = rows(&merchant, day, &["status", "count"]).await;
    vec![
        (
            "a pending that comes after the approval, and says so, changes nothing",
            statuses,
            json!([["twice", "COMPLETED"], ["refused", "CANCELLED"], ["late", "COMPLETED"]]),
        ),
        ("a success that is delivered twice at once counts once", counts, json!([["CANCELLED", 1], ["COMPLETED", 2]])),
    ]
}

async fn time() -> Vec<Seen> {
    let at = |times: &[&str]| -> Vec<Payment> {
        times.iter().enumerate().map(|(number, at)| Payment::new(&format!("p-{number}"), at)).collect()
    };
    let toronto = merchant("America/Toronto", &at(&["2025-11-02T05:30:00Z", "2025-11-02T06:30:00Z"])).await;
    let hours =
        rows(&toronto, "period=hour&from=2025-11-02T00:00:00Z&to=2025-11-03T00:00:00Z", &["from", "count"]).await;
    let sao_paulo = merchant("America/Sao_Paulo", &at(&["2017-10-15T02:59:00Z", "2017-10-15T03:00:00Z"])).await;
    let days =
        rows(&sao_paulo, "period=day&from=2017-10-14T12:00:00Z&to=2017-10-16T00:00:00Z", &["from", "count"]).await;
    let kolkata = merchant("Asia/Kolkata", &at(&["2026-01-01T03:29:00Z", "2026-01-01T03:30:00Z"])).await;
    let halves =
        rows(&kolkata, "period=hour&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z", &["from", "count"]).await;
    let may = merchant("UTC", &at(&["2017-04-30T23:59:59Z", "2017-05-01T00:00:00Z"])).await;
    let april = rows(&may, "period=month&from=2017-04-01T00:00:00Z&to=2017-05-01T00:00:00Z", &["from", "count"]).await;
    let vienna = merchant("Europe/Vienna", &at(&["2026-01-31T22:30:00Z"])).await;
    let january =
        rows(&vienna, "period=month&from=2026-01-31T00:00:00Z&to=2026-02-02T00:00:00Z", &["from", "count"]).await;
    let spaced = json!({ "settings": { "companies": { "1": { "time_zone": "America/Los Angeles" } } } });
    let path = format!("/v1/connections/{}", may.connected.id);
    let refused = may.world.call(&may.world.operator, Method::PATCH, &path, Some(spaced)).await;
    vec![
        (
            "two payments in the hour that clocks show twice are in two hours",
            hours,
            json!([["2025-11-02T05:00:00Z", 1], ["2025-11-02T06:00:00Z", 1]]),
        ),
        (
            "a day without a midnight begins when it begins",
            days,
            json!([["2017-10-14T03:00:00Z", 1], ["2017-10-15T03:00:00Z", 1]]),
        ),
        (
            "hours of a zone that is half an hour off begin at its full hours",
            halves,
            json!([["2026-01-01T02:30:00Z", 1], ["2026-01-01T03:30:00Z", 1]]),
        ),
        ("what is paid at the first moment of May is not April's", april, json!([["2017-04-01T00:00:00Z", 1]])),
        (
            "what is paid on the last evening of January is January's, though it is asked for in another season",
            january,
            json!([["2025-12-31T23:00:00Z", 1]]),
        ),
        (
            "a time zone with a space for an underscore is refused, and is not UTC",
            json!([refused.status.as_u16(), refused.json()["errors"][0]["field"]]),
            json!([422, "settings.companies"]),
        ),
    ]
}

async fn conditions() -> Vec<Seen> {
    let merchant = merchant("UTC", &[Payment::new("p-1", NOON)]).await;
    let (token, first) = (merchant.world.operator.clone(), merchant.world.get(LIST).await);
    let tag = first.headers["etag"].to_str().expect("a tag").to_owned();
    let status = async |condition: &str| merchant.get_if(&token, LIST, condition).await.status.as_u16();
    let other = merchant.world.post("/v1/tokens", json!({ "scopes": ["read"], "companies": ["1"] })).await.expect(201);
    let stranger = merchant.get_if(other["token"].as_str().expect("a token"), LIST, &tag).await;
    let unchanged = merchant.get_if(&token, LIST, &tag).await;
    let header =
        |name: &str| unchanged.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    vec![
        (
            "a tag before a comma with a space around it counts",
            json!(status(&format!("{tag} , \"b\"")).await),
            json!(304),
        ),
        ("a weak tag is the same as the strong one", json!(status(&format!("W/{tag}")).await), json!(304)),
        ("a part of a tag is none", json!(status(&format!("{}\"", &tag[..20])).await), json!(200)),
        (
            "a tag within another one's quotes is none",
            json!(status(&format!("\"a,{},b\"", tag.trim_matches('"'))).await),
            json!(200),
        ),
        (
            "another reader's tag is not one's own",
            json!([stranger.status.as_u16(), stranger.json()["items"]]),
            json!([200, []]),
        ),
        (
            "an unchanged answer says how it may be kept, and nothing of a body",
            json!([
                header("etag"),
                header("cache-control"),
                header("vary"),
                header("content-type"),
                header("content-length")
            ]),
            json!([tag, "private, no-cache", "authorization, hooktide-tenant", "", ""]),
        ),
    ]
}

async fn pages() -> Vec<Seen> {
    let some: Vec<Payment> = (0..4).map(|number| Payment::new(&format!("p-{number}"), NOON)).collect();
    let merchant = merchant("UTC", &some).await;
    let tied = merchant.all(LIST, 3).await.len();
    let whole = merchant.world.get("/v1/transactions?limit=4").await.expect(200);
    let next =
        merchant.world.get("/v1/transactions?limit=2").await.expect(200)["next"].as_str().expect("more").to_owned();
    let safe = next.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let get = async |query: String| merchant.world.get(&format!("{LIST}?{query}")).await.status.as_u16();
    vec![
        ("of rows with one time none is out of reach", json!(tied), json!(4)),
        ("after exactly as many as were asked for there is no next page", whole["next"].clone(), Value::Null),
        ("a cursor of other filters is refused", json!(get(format!("status=HELD&after={next}")).await), json!(422)),
        ("a cursor has no character that an address changes", json!(safe), json!(true)),
        ("a limit that is negative is refused", json!(get("limit=-4194305".to_owned()).await), json!(422)),
        (
            "a limit beyond all numbers is refused",
            json!(get("limit=99999999999999999999".to_owned()).await),
            json!(422),
        ),
    ]
}
