//! Payments that are not as one expects them: shown as they are, and never in a wrong sum.

use std::fs;
use std::path::Path;

use hooktide_model::names::Scope;
use hooktide_tests::connected::Connected;
use hooktide_tests::merchant::{self, Merchant, Payment};
use hooktide_tests::world::World;
use http::Method;
use serde_json::{Value, json};

const NOON: &str = "2026-11-03T12:00:00Z";
const FIGURES: &str = "/v1/analytics?from=2026-11-03T00:00:00Z&to=2026-11-04T00:00:00Z";

async fn merchant() -> Merchant {
    Merchant::new(json!({})).await
}

/// Count and sum of the rows over all companies that have these values.
async fn sums(world: &World, name: &str, value: &str) -> (i64, i64) {
    let figures = world.get(FIGURES).await.expect(200);
    let rows = figures["buckets"].as_array().unwrap().iter();
    let rows = rows.filter(|row| row["company"].is_null() && row[name] == value);
    rows.fold((0, 0), |sums, row| {
        (sums.0 + row["count"].as_i64().unwrap(), sums.1 + row["sum_minor"].as_i64().unwrap())
    })
}

#[tokio::test]
async fn a_status_that_goes_back_changes_neither_the_payment_nor_a_sum() {
    let merchant = merchant().await;
    let completed = Payment { updated: "2026-11-03T12:05:00Z".into(), ..Payment::new("p-1", NOON) };
    let later = Payment { status: "PENDING", updated: "2026-11-03T13:00:00Z".into(), ..completed.clone() };
    merchant.pay(&[completed]).await;
    merchant.pay(&[later]).await;
    assert_eq!(merchant.world.get("/v1/transactions/p-1").await.expect(200)["status"], "COMPLETED");
    assert_eq!(sums(&merchant.world, "status", "COMPLETED").await, (1, 1_250));
    assert_eq!(sums(&merchant.world, "status", "PENDING").await, (0, 0));
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_shown_and_counted_by_itself() {
    let merchant = merchant().await;
    let mut body = Payment::new("p-1", NOON).body();
    body["payload"]["status"] = json!("half_melted");
    assert_eq!(merchant.deliver(&body).await.status, 200);
    merchant.world.tick().await;
    assert_eq!(merchant.world.get("/v1/transactions/p-1").await.expect(200)["status"], "HALF_MELTED");
    assert_eq!(sums(&merchant.world, "status", "HALF_MELTED").await, (1, 1_250));
}

#[tokio::test]
async fn a_currency_that_nobody_knows_is_counted_by_itself_and_has_no_digits() {
    let merchant = merchant().await;
    merchant.pay(&[Payment { currency: "QQQ", ..Payment::new("p-1", NOON) }, Payment::new("p-2", NOON)]).await;
    let one = merchant.world.get("/v1/transactions/p-1").await.expect(200);
    assert_eq!((&one["currency"], &one["exponent"]), (&json!("QQQ"), &Value::Null));
    assert_eq!(sums(&merchant.world, "currency", "QQQ").await, (1, 1_250));
    assert_eq!(sums(&merchant.world, "currency", "EUR").await, (1, 1_250));
}

#[tokio::test]
async fn currencies_with_three_digits_and_with_none_are_summed_in_their_minor_units() {
    let merchant = merchant().await;
    for (number, currency, exponent) in [(1, "KWD", 3), (2, "JPY", 0), (3, "EUR", 2)] {
        merchant.pay(&[Payment { currency, amount: 12_345, ..Payment::new(&format!("p-{number}"), NOON) }]).await;
        let one = merchant.world.get(&format!("/v1/transactions/p-{number}")).await.expect(200);
        assert_eq!((&one["amount_minor"], &one["exponent"]), (&json!(12_345), &json!(exponent)), "{currency}");
        assert_eq!(sums(&merchant.world, "currency", currency).await, (1, 12_345));
    }
}

#[tokio::test]
async fn an_amount_that_is_negative_is_taken_off_the_sum() {
    let merchant = merchant().await;
    merchant.pay(&[Payment::new("p-1", NOON), Payment { amount: -250, ..Payment::new("p-2", NOON) }]).await;
    assert_eq!(merchant.world.get("/v1/transactions/p-2").await.expect(200)["amount_minor"], -250);
    assert_eq!(sums(&merchant.world, "currency", "EUR").await, (2, 1_000));
}

#[tokio::test]
async fn a_payment_that_names_a_company_of_another_tenant_is_its_own_tenants() {
    let merchant = merchant().await;
    let theirs = merchant.world.token("other", &[Scope::Admin]).await;
    let body = json!({
        "provider": "paysafe", "name": "Theirs",
        "secrets": hooktide_tests::connected::sample_secrets(hooktide_providers::by_id("paysafe").unwrap()),
    });
    let made = merchant.world.call(&theirs, Method::POST, "/v1/connections", Some(body)).await.expect(201);
    let id = made["id"].as_str().unwrap().to_owned();
    let to = Connected { provider: "paysafe", path: format!("/webhooks/paysafe/{id}"), id };
    // Both payments name the same account.
    merchant.pay(&[Payment::new("p-ours", NOON)]).await;
    let sent = merchant::signed(&to, Payment::new("p-theirs", NOON).body().to_string(), merchant.world.now());
    assert_eq!(merchant.world.request(sent).await.status, 200);
    merchant.world.tick().await;
    for (token, id) in [(&merchant.world.operator, "p-ours"), (&theirs, "p-theirs")] {
        let listed =
            merchant.world.call(token, Method::GET, "/v1/transactions?company=1009688230", None).await.expect(200);
        let ids: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
        assert_eq!(ids, [id]);
        let figures = merchant.world.call(token, Method::GET, FIGURES, None).await.expect(200);
        let counts = figures["buckets"].as_array().unwrap().iter().map(|row| row["count"].as_i64().unwrap());
        assert_eq!(counts.collect::<Vec<_>>(), [1, 1], "one of the company, and one over all");
    }
}

/// The events of the provider's table with the sort of transaction that each becomes.
fn rows() -> Vec<(String, String)> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/providers/src/paysafe/README.md");
    let text = fs::read_to_string(readme).unwrap();
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let Some(sort) = cells[2].strip_prefix("transaction `") else { continue };
        let sort = sort.split(':').next().unwrap();
        let events = cells[1].split(", ").map(|event| event.trim_matches('`').to_owned());
        rows.extend(events.map(|event| (event, sort.to_owned())));
    }
    rows
}

#[tokio::test]
async fn every_payment_event_becomes_what_its_row_in_the_readme_says() {
    let merchant = merchant().await;
    let rows = rows();
    assert!(rows.len() > 50, "{}", rows.len());
    let mut after = merchant.world.get("/v1/changes?after=now").await.expect(200)["next"].as_str().unwrap().to_owned();
    for (number, (event, sort)) in rows.iter().enumerate() {
        let topic = event.replace('/', "%2F");
        let sample = merchant.world.sample_of(&merchant.connected, &topic, 1_000 + number as u64).await;
        assert_eq!(merchant.world.request(sample).await.status, 200, "{event}");
        merchant.world.tick().await;
        let page = merchant.world.get(&format!("/v1/changes?after={after}")).await.expect(200);
        after = page["next"].as_str().unwrap().to_owned();
        let prefix = format!("transaction/{}/", merchant.connected.id);
        let id = page["items"][0]["entity"].as_str().unwrap().strip_prefix(&prefix).unwrap();
        assert!(id.starts_with(&format!("{sort}:")), "{event} became {id}");
        let listed = merchant.world.get(&format!("/v1/transactions/{}", id.replace(':', "%3A"))).await.expect(200);
        let status = listed["status"].as_str().unwrap();
        assert!(event.ends_with(status) || event.contains('/'), "{event} has the status {status}");
        assert_eq!(listed["amount_minor"].is_i64(), listed["currency"].is_string(), "{event}");
    }
    let count = merchant.all("/v1/transactions", 1_000).await.len();
    assert_eq!(count, rows.len(), "each of them is listed");
}
