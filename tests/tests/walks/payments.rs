//! Payments: from their notices to lists, and what readers have of them.

use hooktide_model::names::Scope;
use hooktide_tests::merchant::{Merchant, Payment, connect};
use hooktide_tests::world::World;
use serde_json::{Value, json};

const NOON: &str = "2026-11-03T12:00:00Z";

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_payment_is_listed_at_once_and_moves_on_with_its_status() {
    let merchant = Merchant::new(json!({ "companies": { "1009688230": { "name": "Tea House" } } })).await;
    let pending = Payment { status: "PENDING", ..Payment::new("p-1", NOON) };
    merchant.pay(std::slice::from_ref(&pending)).await;
    let listed = merchant.world.get("/v1/transactions").await.expect(200);
    assert_eq!(listed["next"], Value::Null);
    assert_eq!(
        listed["items"],
        json!([{
            "id": "p-1", "provider": "paysafe", "connection": merchant.connected.id, "company": "1009688230",
            "entity": format!("transaction/{}/payment:p-1", merchant.connected.id),
            "company_name": "Tea House", "status": "PENDING", "type": "PAYMENT", "payment_type": "CARD", "amount_minor": 1250,
            "currency": "EUR", "exponent": 2, "occurred_at": NOON, "updated_at": NOON, "reference": "order-p-1",
        }])
    );
    let completed = Payment { status: "COMPLETED", updated: "2026-11-03T12:00:05Z".into(), ..pending.clone() };
    merchant.pay(&[completed.clone(), completed]).await;
    assert_eq!(merchant.world.get("/v1/transactions?status=pending").await.expect(200)["items"], json!([]));
    let one = merchant.world.get("/v1/transactions/p-1").await.expect(200);
    assert_eq!((&one["status"], &one["updated_at"]), (&json!("COMPLETED"), &json!("2026-11-03T12:00:05Z")));
    for at in ["2026-11-03T11:59:00Z", "2026-11-03T12:30:00Z"] {
        merchant.pay(&[Payment { updated: at.into(), ..pending.clone() }]).await;
        let one = merchant.world.get("/v1/transactions/payment%3Ap-1").await.expect(200);
        assert_eq!(one["status"], "COMPLETED", "a status never goes back, by {at} neither");
    }
    merchant.pay(&[Payment { status: "CHARGED_BACK", updated: "2026-11-03T13:00:00Z".into(), ..pending }]).await;
    let one = merchant.world.get("/v1/transactions/p-1").await.expect(200);
    assert_eq!(one["status"], "COMPLETED", "an event of no known name changes nothing");
    let letters = merchant.world.get("/v1/dead-letters").await.expect(200);
    assert_eq!(letters["items"].as_array().unwrap().len(), 1, "and is kept whole");
    assert_eq!(merchant.world.get("/v1/transactions/p-2").await.status, 404);
}

#[tokio::test]
async fn pages_have_each_transaction_once_the_newest_first_whatever_ties() {
    let merchant = Merchant::new(json!({})).await;
    let other = connect(&merchant.world, "Other", json!({})).await;
    let mut expected = Vec::new();
    for number in 0..24 {
        // Three of each second, and two companies.
        let at = format!("2026-11-03T12:00:{:02}Z", number / 3);
        let account = if number % 2 == 0 { "100" } else { "200" };
        let payment = Payment { account: account.into(), ..Payment::new(&format!("p-{number:02}"), &at) };
        let to = if number % 5 == 0 { &other } else { &merchant.connected };
        let request = merchant.signed(to, payment.body().to_string());
        assert_eq!(merchant.world.request(request).await.status, 200);
        expected.push((number / 3, payment.id));
    }
    merchant.world.tick().await;
    for limit in [1, 2, 3, 7, 24, 1000] {
        let items = merchant.all("/v1/transactions", limit).await;
        let mut found = ids(&items);
        let times: Vec<&str> = items.iter().map(|item| item["occurred_at"].as_str().unwrap()).collect();
        assert!(times.is_sorted_by(|one, other| one >= other), "{limit}: {times:?}");
        found.sort_unstable();
        assert_eq!(found, expected.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), "{limit}");
    }
    let of = |query: &str| {
        let (merchant, path) = (&merchant, format!("/v1/transactions?{query}"));
        async move { merchant.all(&path, 5).await.len() }
    };
    assert_eq!(of("company=100").await, 12);
    assert_eq!(of(&format!("connection={}", other.id)).await, 5);
    assert_eq!(of("from=2026-11-03T12:00:02Z&to=2026-11-03T12:00:04Z").await, 6, "half open");
    assert_eq!(of("currency=eur&type=card&status=completed").await, 24);
    assert_eq!(of("type=PAYMENT").await, 24);
    assert_eq!(of("type=REFUND").await, 0);
}

#[tokio::test]
async fn of_several_sorts_with_one_id_each_is_found_by_its_entity() {
    let merchant = Merchant::new(json!({})).await;
    let payment = Payment::new("4711", NOON);
    merchant.pay(&[payment.clone(), Payment { sort: "SETTLEMENT", ..payment }]).await;
    let both = merchant.world.get("/v1/transactions/4711").await.expect(409);
    assert!(both["detail"].as_str().unwrap().contains("settlement:4711"), "{both}");
    for (path, sort) in [("payment:4711", "PAYMENT"), ("settlement:4711", "SETTLEMENT")] {
        assert_eq!(merchant.world.get(&format!("/v1/transactions/{path}")).await.expect(200)["type"], sort);
    }
}

#[tokio::test]
async fn accounts_are_listed_and_found() {
    let merchant = Merchant::new(json!({ "companies": { "1": { "name": "Tea House" } } })).await;
    let account = |id: &str, status: &str, at: &str| {
        let payload = json!({ "partnerId": 1000, "acctStatus": status, "accountNumber": id });
        json!({ "resourceId": id, "eventDate": at, "eventType": "ACCT_ENABLED", "payload": payload })
    };
    for (id, status, at) in [("1", "Enabled", NOON), ("2", "Enabled", NOON), ("1", "Disabled", "2026-11-03T12:00:01Z")]
    {
        assert_eq!(merchant.deliver(&account(id, status, at)).await.status, 200);
        merchant.world.tick().await;
    }
    let listed = merchant.all("/v1/accounts", 1).await;
    assert_eq!(ids(&listed), ["1", "2"]);
    assert_eq!((&listed[0]["status"], &listed[0]["company_name"]), (&json!("Disabled"), &json!("Tea House")));
    assert_eq!(merchant.world.get("/v1/accounts/2").await.expect(200)["status"], "Enabled");
    assert_eq!(merchant.world.get("/v1/accounts/3").await.status, 404);
}

#[tokio::test]
async fn a_reader_who_has_an_answer_is_told_so_until_what_it_is_made_from_changes() {
    let merchant = Merchant::new(json!({})).await;
    let (world, token) = (&merchant.world, merchant.world.operator.clone());
    let of = |company: &str| Payment { account: company.into(), ..Payment::new(&format!("p-{company}"), NOON) };
    merchant.pay(&[of("100"), of("200")]).await;
    let paths = [
        "/v1/transactions",
        "/v1/transactions?company=100",
        "/v1/transactions?company=200",
        "/v1/transactions/p-100",
        "/v1/transactions/p-200",
        "/v1/analytics",
        "/v1/analytics?company=100",
        "/v1/analytics?company=200",
        "/v1/accounts",
    ];
    let mut tags = Vec::new();
    for path in paths {
        let first = world.get(path).await;
        assert_eq!(first.status, 200, "{path}");
        assert_eq!(first.headers["cache-control"], "private, no-cache");
        assert_eq!(first.headers["vary"].to_str().unwrap().split(", ").next(), Some("authorization"));
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'), "a strong tag");
        let kept = world.get(path).await;
        assert_eq!((kept.headers["etag"].to_str().unwrap(), &kept.body), (tag.as_str(), &first.body));
        let weak = format!("\"other\", W/{tag}");
        for condition in [&tag, &weak, "*"] {
            let unchanged = merchant.get_if(&token, path, condition).await;
            assert_eq!((unchanged.status.as_u16(), unchanged.body.len()), (304, 0), "{path} {condition}");
            assert_eq!(unchanged.headers["etag"].to_str().unwrap(), tag);
            assert_eq!(unchanged.headers["cache-control"], "private, no-cache");
        }
        for condition in ["\"other\"", "nonsense", &tag[..tag.len() - 1]] {
            assert_eq!(merchant.get_if(&token, path, condition).await.status, 200, "{path} {condition}");
        }
        tags.push(tag);
    }
    merchant.pay(&[Payment { status: "CANCELLED", updated: "2026-11-03T12:00:05Z".into(), ..of("100") }]).await;
    let mut changed = Vec::new();
    for (path, tag) in paths.iter().zip(&tags) {
        if merchant.get_if(&token, path, tag).await.status == 200 {
            changed.push(*path);
        }
    }
    assert_eq!(
        changed,
        [
            "/v1/transactions",
            "/v1/transactions?company=100",
            "/v1/transactions/p-100",
            "/v1/analytics",
            "/v1/analytics?company=100",
        ]
    );
    let path = format!("/v1/connections/{}", merchant.connected.id);
    let named = json!({ "settings": { "companies": { "100": { "name": "Tea House" } } } });
    world.call(&token, http::Method::PATCH, &path, Some(named)).await.expect(200);
    let listed = world.get("/v1/transactions?company=100").await.expect(200);
    assert_eq!(listed["items"][0]["company_name"], "Tea House", "a name counts at once");
}

#[tokio::test]
async fn what_dashboards_ask_for_first_is_made_before_they_ask() {
    let merchant = Merchant::new(json!({})).await;
    merchant.pay(&[Payment::new("p-1", NOON)]).await;
    let host = &merchant.world.host;
    let api = host.api(hooktide_api::Options::default());
    hooktide_api::warm(std::sync::Arc::clone(&api)).await.unwrap();
    let world = World { app: hooktide_local::server::app(host, api), ..merchant.world };
    let made = |status: &Value| {
        (status["answers"]["analytics"]["misses"].clone(), status["answers"]["analytics"]["hits"].clone())
    };
    assert_eq!(made(&world.get("/v1/status").await.expect(200)), (json!(4), json!(0)));
    for period in ["hour", "day", "week", "month"] {
        world.get(&format!("/v1/analytics?period={period}")).await.expect(200);
    }
    assert_eq!(made(&world.get("/v1/status").await.expect(200)), (json!(4), json!(4)));
}

#[tokio::test]
async fn what_one_process_made_another_gives_until_it_is_stale_and_it_is_erased() {
    let merchant = Merchant::new(json!({})).await;
    merchant.pay(&[Payment::new("p-1", NOON)]).await;
    let process = || {
        let (host, clock) = (std::sync::Arc::clone(&merchant.world.host), merchant.world.clock.clone());
        let api = host.api(hooktide_api::Options { shares_answers: true, ..Default::default() });
        World { app: hooktide_local::server::app(&host, api), operator: merchant.world.operator.clone(), host, clock }
    };
    let ask = async |world: &World| world.get("/v1/transactions").await.headers["etag"].clone();
    let figures = async |world: &World| {
        let status = world.get("/v1/status").await.expect(200)["answers"]["transactions"].clone();
        [status["misses"].clone(), status["shared"].clone()]
    };
    let (first, second, third) = (process(), process(), process());
    let etag = ask(&first).await;
    assert_eq!((figures(&first).await, ask(&second).await), ([json!(1), json!(0)], etag.clone()));
    assert_eq!(figures(&second).await, [json!(0), json!(1)]);
    merchant.pay(&[Payment::new("p-2", NOON)]).await;
    assert_ne!(ask(&third).await, etag);
    assert_eq!(figures(&third).await, [json!(1), json!(0)], "an old one is not given");
    let path = format!("/v1/connections/{}", merchant.connected.id);
    merchant.world.call(&merchant.world.operator, http::Method::DELETE, &path, None).await.expect(200);
    for _ in 0..6 {
        merchant.world.after(hooktide_flows::erase::SETTLES).await;
        merchant.world.host.sweep_jobs().await.unwrap();
        merchant.world.tick().await;
    }
    let partition = hooktide_store::records::shared_answer::partition(&hooktide_model::tenant::Tenant::default_local());
    let range = hooktide_store::ports::Range::All;
    let query = hooktide_store::ports::Query { partition, range, descending: false, limit: 10 };
    assert_eq!(merchant.world.host.ports.table.query(&query).await.unwrap().items, []);
}

#[tokio::test]
async fn what_a_connection_had_is_gone_with_it() {
    let merchant = Merchant::new(json!({})).await;
    merchant.pay(&[Payment::new("p-1", NOON)]).await;
    assert_eq!(merchant.world.get("/v1/transactions").await.expect(200)["items"].as_array().unwrap().len(), 1);
    let path = format!("/v1/connections/{}", merchant.connected.id);
    let removed = merchant.world.call(&merchant.world.operator, http::Method::DELETE, &path, None).await;
    assert!(removed.status.is_success());
    for path in ["/v1/transactions", "/v1/accounts"] {
        assert_eq!(merchant.world.get(path).await.expect(200)["items"], json!([]), "{path}");
    }
    assert_eq!(merchant.world.get("/v1/analytics").await.expect(200)["buckets"], json!([]));
    assert_eq!(merchant.world.get("/v1/transactions/p-1").await.status, 404);
}

#[tokio::test]
async fn a_token_for_some_companies_sees_nothing_of_others() {
    let merchant = Merchant::new(json!({})).await;
    let of = |company: &str| Payment { account: company.into(), ..Payment::new(&format!("p-{company}"), NOON) };
    merchant.pay(&[of("100"), of("200"), of("300")]).await;
    let body = json!({ "scopes": ["read"], "companies": ["100", "300"] });
    let made = merchant.world.post("/v1/tokens", body).await.expect(201);
    let token = made["token"].as_str().unwrap();
    let get = |path: &'static str| merchant.world.call(token, http::Method::GET, path, None);
    for _ in 0..2 {
        // The other one's answers are kept when this one asks.
        for path in ["/v1/transactions", "/v1/transactions?company=200", "/v1/analytics", "/v1/transactions/p-200"] {
            merchant.world.get(path).await.expect(200);
        }
        let listed = get("/v1/transactions").await.expect(200);
        assert_eq!(ids(listed["items"].as_array().unwrap()), ["p-300", "p-100"]);
        assert_eq!(get("/v1/transactions?company=200").await.expect(200)["items"], json!([]));
        assert_eq!(get("/v1/transactions/p-200").await.status, 404);
        assert_eq!(get("/v1/transactions/p-100").await.expect(200)["company"], "100");
        let figures = get("/v1/analytics?from=2026-11-03T00:00:00Z&to=2026-11-04T00:00:00Z").await.expect(200);
        let all: Vec<(&Value, &Value)> =
            figures["buckets"].as_array().unwrap().iter().map(|row| (&row["company"], &row["count"])).collect();
        assert_eq!(all, [(&json!("100"), &json!(1)), (&json!("300"), &json!(1)), (&Value::Null, &json!(2))]);
    }
    for path in ["/v1/changes", "/v1/connections", "/v1/activity", "/v1/dead-letters", "/v1/busy", "/v1/resources"] {
        assert_eq!(get(path).await.status, 403, "{path}");
    }
    let tenant = merchant.world.token("other", &[Scope::Read]).await;
    for path in ["/v1/transactions", "/v1/accounts"] {
        let answer = merchant.world.call(&tenant, http::Method::GET, path, None).await.expect(200);
        assert_eq!(answer["items"], json!([]), "{path}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_named() {
    let merchant = Merchant::new(json!({})).await;
    merchant.pay(&[Payment::new("p-1", NOON), Payment::new("p-2", NOON)]).await;
    let next = merchant.world.get("/v1/transactions?limit=1").await.expect(200);
    let next = next["next"].as_str().unwrap();
    for (path, field) in [
        ("/v1/transactions?limit=0".to_owned(), "limit"),
        ("/v1/transactions?limit=10000000".to_owned(), "limit"),
        ("/v1/transactions?limit=-1".to_owned(), "limit"),
        ("/v1/transactions?after=x".to_owned(), "after"),
        (format!("/v1/transactions?status=HELD&after={next}"), "after"),
        ("/v1/transactions?from=yesterday".to_owned(), "from"),
        ("/v1/transactions?from=2026-11-04T00:00:00Z&to=2026-11-03T00:00:00Z".to_owned(), "from"),
        ("/v1/analytics?period=year".to_owned(), "period"),
        ("/v1/analytics?from=2026-11-04T00:00:00Z&to=2026-11-03T00:00:00Z".to_owned(), "from"),
        ("/v1/analytics?period=hour&from=1926-11-04T00:00:00Z&to=2026-11-03T00:00:00Z".to_owned(), "from"),
    ] {
        let refused = merchant.world.get(&path).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field, "{path}: {refused}");
    }
    let other = merchant.world.token("other", &[Scope::Read]).await;
    let path = format!("/v1/transactions?limit=1&after={next}");
    let answer = merchant.world.call(&other, http::Method::GET, &path, None).await.expect(200);
    assert_eq!(answer["items"], json!([]), "a cursor shows nothing of another tenant");
}

#[tokio::test]
async fn an_amount_that_is_none_is_kept_and_counted_nowhere() {
    let merchant = Merchant::new(json!({})).await;
    for (number, amount) in
        [json!(12.5), json!("12.50"), json!("much"), json!(1e30), json!("12345678901234567890"), json!([])]
            .iter()
            .enumerate()
    {
        let mut body = Payment::new(&format!("p-{number}"), NOON).body();
        body["payload"]["amount"] = amount.clone();
        assert_eq!(merchant.deliver(&body).await.status, 200);
    }
    let mut missing = Payment::new("p-missing", NOON).body();
    missing["payload"].as_object_mut().unwrap().remove("amount");
    assert_eq!(merchant.deliver(&missing).await.status, 200);
    merchant.world.tick().await;
    let letters = merchant.world.get("/v1/dead-letters").await.expect(200);
    assert_eq!(letters["items"].as_array().unwrap().len(), 6);
    assert_eq!(ids(&merchant.all("/v1/transactions", 10).await), ["p-missing"], "it is shown, and not counted");
    let figures =
        merchant.world.get("/v1/analytics?from=2026-11-03T00:00:00Z&to=2026-11-04T00:00:00Z").await.expect(200);
    assert_eq!(figures["buckets"], json!([]));
}
