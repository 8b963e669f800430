//! Figures: counts and sums of payments, equal to a naive recomputation whatever comes in whatever order.

use std::collections::BTreeMap;

use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Query, Range, Write};
use hooktide_store::records;
use hooktide_store::records::payment::{CompanyId, TotalId};
use hooktide_tests::merchant::{Merchant, Payment};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

/// The rows of an answer that are of a company, or over all, by the day they begin on, status and currency.
fn rows(figures: &Value, company: Option<&str>) -> BTreeMap<(String, String, String, String), (i64, i64)> {
    let rows = figures["buckets"].as_array().unwrap().iter().filter(|row| row["company"].as_str() == company);
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    rows.map(|row| {
        let key = (text(row, "from"), text(row, "status"), text(row, "currency"), text(row, "payment_type"));
        (key, (row["count"].as_i64().unwrap(), row["sum_minor"].as_i64().unwrap()))
    })
    .collect()
}

/// The same from the payments themselves.
fn expected(payments: &[Payment], zone: &TimeZone) -> BTreeMap<(String, String, String, String), (i64, i64)> {
    let mut sums = BTreeMap::new();
    for payment in payments {
        let began: Timestamp = payment.began.parse().unwrap();
        let day = began.to_zoned(zone.clone()).start_of_day().unwrap().timestamp();
        let key =
            (day.to_string(), payment.status.to_owned(), payment.currency.to_owned(), payment.payment_type.to_owned());
        let (count, sum): &mut (i64, i64) = sums.entry(key).or_default();
        (*count, *sum) = (*count + 1, *sum + payment.amount);
    }
    sums
}

#[tokio::test]
async fn figures_are_what_the_payments_are_in_any_order_with_any_repeats_and_corrections() {
    let zones = [("100", "America/New_York"), ("200", "Asia/Kathmandu")];
    for seed in 1..=4 {
        let mut random = StdRng::seed_from_u64(seed);
        let companies: Value =
            zones.iter().map(|(id, zone)| ((*id).to_owned(), json!({ "time_zone": zone }))).collect();
        let merchant = Merchant::new(json!({ "companies": companies })).await;
        let (mut last, mut notices) = (Vec::new(), Vec::new());
        for number in 0..40 {
            let began = 1_793_500_000 + random.random_range(0..4 * 24 * 3600);
            let time = |after: i64| Timestamp::from_second(began + after).unwrap().to_string();
            let mut payment = Payment {
                account: if random.random_bool(0.5) { "100" } else { "200" }.into(),
                amount: random.random_range(1..100_000),
                currency: ["EUR", "JPY", "KWD"].choose(&mut random).unwrap(),
                payment_type: ["CARD", "PAYPAL"].choose(&mut random).unwrap(),
                ..Payment::new(&format!("p-{number}"), &time(0))
            };
            for (step, status) in ["PROCESSING", "COMPLETED", "CANCELLED"].into_iter().enumerate() {
                (payment.status, payment.updated) = (status, time(60 * step as i64));
                // A correction: another amount, and another time at which it began.
                if random.random_bool(0.2) {
                    payment.amount += 7;
                    payment.began = time(-random.random_range(0..100_000));
                }
                notices.push(payment.clone());
                if random.random_bool(0.3) {
                    notices.push(payment.clone());
                }
                if random.random_bool(0.4) {
                    break;
                }
            }
            last.push(payment);
        }
        notices.shuffle(&mut random);
        for some in notices.chunks(random.random_range(1..9)) {
            merchant.pay(some).await;
        }
        let path = "/v1/analytics?period=day&from=2026-10-28T00:00:00Z&to=2026-11-06T00:00:00Z";
        let figures = merchant.world.get(path).await.expect(200);
        for (company, zone) in zones {
            let own: Vec<Payment> = last.iter().filter(|payment| payment.account == company).cloned().collect();
            let zone = TimeZone::get(zone).unwrap();
            assert_eq!(rows(&figures, Some(company)), expected(&own, &zone), "seed {seed}, {company}");
        }
        assert_eq!(rows(&figures, None), expected(&last, &TimeZone::UTC), "seed {seed}");
        let kwd = merchant.world.get(&format!("{path}&currency=kwd")).await.expect(200);
        assert!(kwd["buckets"].as_array().unwrap().iter().all(|row| row["currency"] == "KWD" && row["exponent"] == 3));
        let of_one = merchant.world.get(&format!("{path}&company=100")).await.expect(200);
        assert!(of_one["buckets"].as_array().unwrap().iter().all(|row| row["company"] == "100"));
    }
}

#[tokio::test]
async fn figures_that_are_made_anew_are_the_same_and_those_that_were_wrong_are_right() {
    let merchant = Merchant::new(json!({})).await;
    let world = &merchant.world;
    let payment = |number: i64| {
        let at = Timestamp::from_second(1_793_500_000 + number * 331).unwrap().to_string();
        Payment { amount: 100 + number, ..Payment::new(&format!("p-{number}"), &at) }
    };
    for some in (0..60).map(payment).collect::<Vec<_>>().chunks(7) {
        merchant.pay(some).await;
    }
    let path = "/v1/analytics?period=hour&from=2026-10-31T00:00:00Z&to=2026-11-02T00:00:00Z";
    let rows = async || world.get(path).await.expect(200)["buckets"].clone();
    let right = rows().await;
    assert!(right.as_array().unwrap().len() > 4);
    let rebuild = async || {
        world.post("/v1/analytics/rebuild", json!({})).await.expect(202);
        for _ in 0..10 {
            world.after(std::time::Duration::from_secs(5)).await;
        }
        let all = world.get("/v1/analytics/rebuild").await.expect(200);
        assert_eq!((&all["items"][0]["state"], &all["items"][0]["transactions"]), (&json!("done"), &json!(60)));
        all["items"][0]["corrected"].as_u64().unwrap()
    };
    assert_eq!(rebuild().await, 0);
    assert_eq!(rows().await, right);
    // Somebody damages totals: one is lost, one is of nothing, one is too high.
    let table = &*world.host.ports.table;
    let id = CompanyId { connection: merchant.connected.id.clone(), company: "1009688230".into() };
    let query =
        Query { partition: id.totals(&Tenant::default_local()), range: Range::All, descending: false, limit: 10 };
    let items = table.query(&query).await.unwrap().items;
    let (lost, _) = TotalId::read(&id, &items[0]);
    let key = query.partition.clone().key(records::sort_of(&items[0]));
    table.write(Write::Delete { key, condition: None }).await.unwrap();
    let (high, _) = TotalId::read(&id, &items[5]);
    table.write(high.add(&Tenant::default_local(), 2, 3, 999)).await.unwrap();
    let ghost = TotalId { quarter: lost.quarter - 900, currency: "USD".into(), ..lost };
    table.write(ghost.add(&Tenant::default_local(), 1, 1, 5)).await.unwrap();
    assert_eq!(rebuild().await, 3);
    let path = format!("{path}&currency=EUR");
    let again = world.get(&path).await.expect(200)["buckets"].clone();
    assert_eq!(again, right);
}

#[tokio::test]
async fn days_that_are_over_are_rolled_up_and_late_payments_count_all_the_same() {
    let merchant = Merchant::new(json!({})).await;
    let (world, tenant) = (&merchant.world, Tenant::default_local());
    let at = |days: i64, minutes: i64| (world.now() - SignedDuration::from_mins(days * 24 * 60 + minutes)).to_string();
    let payments: Vec<Payment> =
        (0..20).map(|number| Payment::new(&format!("p-{number}"), &at(number % 5, number * 7))).collect();
    merchant.pay(&payments).await;
    let id = CompanyId { connection: merchant.connected.id.clone(), company: "1009688230".into() };
    let rolled = async || {
        let query = Query { partition: id.days(&tenant), range: Range::All, descending: false, limit: 100 };
        world.host.ports.table.query(&query).await.unwrap().items.len()
    };
    let (from, to) = (at(9, 0), (world.now() + SignedDuration::from_hours(24)).to_string());
    let figures = async |extra: &str| {
        let path = format!("/v1/analytics?period=hour&from={from}&to={to}{extra}");
        rows(&world.get(&path).await.expect(200), None)
    };
    let days_pass = async |days: u32| {
        for _ in 0..days * 8 {
            world.clock.advance(std::time::Duration::from_secs(3 * 3600));
            world.host.sweep_jobs().await.unwrap();
            world.tick().await;
        }
    };
    let before = figures("").await;
    assert_eq!(rolled().await, 0);
    days_pass(3).await;
    assert!(rolled().await >= 5, "{}", rolled().await);
    assert_eq!(figures("&currency=EUR").await, before);
    // Late ones, of days that are rolled up: one is new, one is corrected.
    let late = Payment::new("late", &payments[3].began);
    let corrected = Payment { status: "CANCELLED", updated: world.now().to_string(), ..payments[4].clone() };
    merchant.pay(&[late, corrected]).await;
    let after = figures("").await;
    let sums = |of: &BTreeMap<_, (i64, i64)>| of.values().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    assert_eq!(sums(&after), (21, 21 * 1_250));
    assert!(after.keys().any(|key| key.1 == "CANCELLED"));
    days_pass(2).await;
    // What is rolled up is enough: the totals that it was made from are not read any more.
    let query = Query { partition: id.totals(&tenant), range: Range::All, descending: false, limit: 1_000 };
    for item in world.host.ports.table.query(&query).await.unwrap().items {
        let key = id.totals(&tenant).key(records::sort_of(&item));
        world.host.ports.table.write(Write::Delete { key, condition: None }).await.unwrap();
    }
    assert_eq!(figures("&currency=EUR").await, after);
}
