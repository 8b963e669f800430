//! Paysafe's transactions, each asked by its id.

use serde_json::json;

use hooktide_model::notice::{Document, EntityNotice, Version, What};
use hooktide_model::payment::Transaction;
use hooktide_model::secret::{Secret, Secrets};
use hooktide_model::settings::company::CompanySettings;
use hooktide_providers::{Next, Page, Reach, Refusal};

use crate::driver::{Driver, Reading, URL, live};
use crate::recorded;

const TRANSACTIONS: &str = "transactions";

/// A driver whose simulator sends to an address, by the key of the samples.
fn subscribed() -> Driver {
    let mut driver = Driver::new("paysafe");
    let (name, key) = driver.provider.profile().sample_secrets[0];
    driver.learn(name, Secret::new(key));
    driver.edit("webhook", None, Some(json!({ "url": URL })));
    driver
}

/// The entities that webhooks reported since they were last taken.
fn told(driver: &mut Driver) -> Vec<EntityNotice> {
    let told = driver.notices().unwrap().into_iter().flat_map(|(_, notices)| notices);
    let entity = |what| match what {
        What::Entity(entity) => entity,
        other => panic!("{other:?}"),
    };
    told.map(|notice| entity(notice.what)).collect()
}

fn one(driver: &mut Driver, entity: &str) -> Reading {
    driver.read(TRANSACTIONS, Reach::One(entity), None).unwrap()
}

fn transaction<'a>(reading: &'a Reading, entity: &str) -> &'a Transaction {
    match reading.document(entity) {
        Document::Transaction(transaction) => transaction,
        other => panic!("{other:?}"),
    }
}

/// Why an answer changed nothing.
fn why(page: &Page, entity: &str) -> String {
    assert_eq!(page.seen, [entity], "it counts as there");
    match &page.facts[..] {
        [What::Ignored { reason }] => reason.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fetch_by_an_id_gives_the_state_that_the_webhook_told() {
    let mut driver = subscribed();
    for (what, statuses) in [
        ("payment-handle", ["PAYABLE", "COMPLETED"]),
        ("payment", ["PROCESSING", "COMPLETED"]),
        ("refund", ["PENDING", "FAILED"]),
        ("standalone-credit", ["COMPLETED", "CANCELLED"]),
    ] {
        let made = json!({ "status": statuses[0], "amount": 1850, "currencyCode": "JPY", "paymentType": "SKRILL" });
        let id = driver.edit(what, None, Some(made));
        driver.edit(what, Some(&id), Some(json!({ "status": statuses[1] })));
        let entity = format!("{what}:{id}");
        let told = told(&mut driver);
        let [before, now] = &told[..] else { panic!("{told:?}") };
        assert!(before.version < now.version && now.id == entity, "{told:?}");
        let fetched = one(&mut driver, &entity);
        assert_eq!(fetched.notices().collect::<Vec<_>>(), [now], "{what}");
        assert_eq!(transaction(&fetched, &entity).status, statuses[1]);
    }
}

#[test]
fn what_has_no_path_or_is_not_there_any_more_stays_as_it_is_known() {
    let mut driver = Driver::new("paysafe");
    for (entity, expected) in [
        ("payment:4f6a7727", "no reason to delete"),
        ("wallet-transaction:504", "none of its sort by an id"),
        ("alternative-payment:4f6a7727", "none of its sort by an id"),
        ("payment-return:4f6a7727", "none of its sort by an id"),
        ("payment:../monitor", "none of its sort by an id"),
        ("payment:", "none of its sort by an id"),
        ("4f6a7727", "none of its sort by an id"),
    ] {
        let page = driver.step(TRANSACTIONS, Reach::One(entity), None).unwrap();
        let why = why(&page, entity);
        assert!(why.contains(expected) && why.starts_with(entity) && matches!(page.next, Next::Done(_)), "{why}");
    }
    let calls = driver.simulator.state()["calls"].clone();
    assert_eq!(calls, json!({ "GET payments/{id}": 1 }), "what cannot be answered is not asked");
}

#[test]
fn a_reading_without_an_entity_asks_whether_the_user_counts_and_nothing_counts_as_gone() {
    let mut driver = Driver::new("paysafe");
    let all = driver.read(TRANSACTIONS, Reach::Everything, None).unwrap();
    assert_eq!((all.pages, all.seen.len()), (1, 0));
    assert!(matches!(&all.facts[..], [What::Ignored { .. }]), "what it does not name may be there: {all:?}");
    let changes = driver.read(TRANSACTIONS, Reach::Changes, Some(&all.cursor)).unwrap();
    assert_eq!((changes.facts.len(), changes.pages, changes.cursor), (0, 1, all.cursor));
    assert_eq!(driver.simulator.state()["calls"], json!({ "GET payments": 2 }));
    let source = driver.provider.source().unwrap();
    assert_eq!(source.resources(), [TRANSACTIONS]);
    assert!(source.has_parts("accounts") && !source.has_parts(TRANSACTIONS), "nobody can read accounts");
}

#[test]
fn a_recorded_payment_is_read_as_its_webhook_and_has_the_account_of_the_connection_if_that_has_just_one() {
    let entity = "payment:4f6a7727-c55a-43e0-90c0-6d9bf0e8438c";
    let body = recorded::answer("paysafe", "payment");
    let mut driver = Driver::new("paysafe");
    let given =
        |driver: &Driver, body: &str| driver.given(TRANSACTIONS, Reach::One(entity), None, (200, body)).unwrap();
    for companies in [&[][..], &["1009688230"]] {
        driver.settings.companies = companies.iter().map(|id| ((*id).to_owned(), CompanySettings::default())).collect();
        let read = Reading::of(given(&driver, &body));
        let expected = Transaction {
            id: "4f6a7727-c55a-43e0-90c0-6d9bf0e8438c".to_owned(),
            kind: "PAYMENT".to_owned(),
            status: "COMPLETED".to_owned(),
            amount_minor: Some(4250),
            currency: Some("CAD".to_owned()),
            payment_type: Some("CARD".to_owned()),
            reference: Some("hush-1042".to_owned()),
            company: Some("1009688230".to_owned()),
            occurred_at: "2026-11-18T08:14:02Z".to_owned(),
            updated_at: "2026-11-18T08:15:41Z".to_owned(),
        };
        assert_eq!(transaction(&read, entity), &expected);
        let notice = read.notices().next().unwrap();
        assert_eq!(
            (notice.version, notice.unread.len()),
            (Version::ranked(4, "2026-11-18T08:15:41Z".parse().unwrap()), 0)
        );
    }
    let child = body.replace("\"liveMode\"", "\"childAccountNum\": \"7\", \"liveMode\"");
    assert!(why(&given(&driver, &child), entity).contains("does not say the account"));
    driver.settings.companies.insert("2".to_owned(), CompanySettings::default());
    assert!(why(&given(&driver, &body), entity).contains("does not say the account"));
    let named = body.replace("\"liveMode\"", "\"accountId\": \"2\", \"liveMode\"");
    assert_eq!(transaction(&Reading::of(given(&driver, &named)), entity).company.as_deref(), Some("2"));
}

#[test]
fn an_answer_that_says_less_than_a_webhook_changes_nothing() {
    let driver = Driver::new("paysafe");
    let given = |entity: &str, status, body: &str| {
        driver.given(TRANSACTIONS, Reach::One(entity), None, (status, body)).map(|page| why(&page, entity))
    };
    let settlement = recorded::answer("paysafe", "settlement");
    let entity = "settlement:25f6dadf-176a-415f-95c9-6ff39ff697ba";
    assert!(given(entity, 200, &settlement).unwrap().contains("no amount with its currency"));
    let payment = recorded::answer("paysafe", "payment");
    let entity = "payment:4f6a7727-c55a-43e0-90c0-6d9bf0e8438c";
    for (from, to, expected) in [
        ("4250,", "42.50,", "no amount"),
        ("\"CAD\"", "null", "no amount"),
        ("\"COMPLETED\"", "null", "no status"),
        ("\"updatedTime\": \"2026", "\"updatedTime\": \"soon", "updatedTime"),
        ("\"customerIp\"", "\"accountId\": [1], \"customerIp\"", "accountId"),
    ] {
        let why = given(entity, 200, &payment.replace(from, to)).unwrap();
        assert!(why.contains(expected), "{from}: {why}");
    }
    let absent = recorded::answer("paysafe", "not-found");
    assert!(given(entity, 404, &absent).unwrap().contains("none of that id"));
}

#[test]
fn what_cannot_be_used_is_sorted_by_what_to_do_next() {
    let mut driver = Driver::new("paysafe");
    let entity = "payment:4f6a7727";
    for reach in [Reach::Changes, Reach::Everything, Reach::One(entity)] {
        for body in ["<html>", "", "[]", "7"] {
            let given = driver.given(TRANSACTIONS, reach, None, (200, body));
            assert!(matches!(given, Err(Refusal::Unreadable(_))), "{reach:?} {body}: {given:?}");
        }
        for body in ["<h1>Not Found</h1>", "{}", r#"{"error":"none"}"#] {
            let given = driver.given(TRANSACTIONS, reach, None, (404, body));
            assert_eq!(given.unwrap_err(), Refusal::Invalid, "a wrong address: {reach:?} {body}");
        }
        assert_eq!(driver.given("accounts", reach, None, (200, "{}")).unwrap_err(), Refusal::Invalid);
    }
    for body in ["{}", r#"{"status":"ok"}"#, r#"{"id":"another","amount":1}"#] {
        let given = driver.given(TRANSACTIONS, Reach::One(entity), None, (200, body));
        assert!(matches!(given, Err(Refusal::Unreadable(_))), "{body}: {given:?}");
    }
    driver.simulator.limit(Some(0));
    let limited = driver.read(TRANSACTIONS, Reach::One(entity), None);
    assert_eq!(limited.unwrap_err(), Refusal::Limited { after: None });
    driver.simulator.limit(None);
    driver.simulator.expire_credentials();
    assert_eq!(driver.read(TRANSACTIONS, Reach::Everything, None).unwrap_err(), Refusal::Refused);
    driver.secrets = Secrets::new(vec![live("username", Secret::new("anna")), live("password", Secret::new("wrong"))]);
    assert_eq!(driver.read(TRANSACTIONS, Reach::One(entity), None).unwrap_err(), Refusal::Refused);
}

#[test]
fn a_notification_that_is_refused_comes_again_and_tells_the_same() {
    let mut driver = subscribed();
    driver.edit("payment", None, Some(json!({ "status": "HELD" })));
    assert_eq!(driver.answered(500), 1);
    driver.pass(60);
    let notices = driver.notices().unwrap();
    assert_eq!(notices.len(), 1);
    assert_eq!(driver.answered(200), 0);
}
