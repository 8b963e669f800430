//! Every read endpoint, over what two tenants, people and companies have: nobody is shown anything of the other, whether or not the
//! other's answer is kept, and whatever condition they send with it. Endpoints are those of the API's description, so a new one joins
//! by itself; one that shows its owner nothing has to be named here.

use std::collections::BTreeSet;

use bytes::Bytes;
use hooktide_api::Options;
use hooktide_model::names::Scope;
use hooktide_tests::connected::{Connected, sample_secrets};
use hooktide_tests::merchant::{self, Payment};
use hooktide_tests::world::{Answer, Shop, World};
use http::{HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};

/// What shows nothing of a connection without credentials of its provider; `walks` has those that have.
const OF_CREDENTIALS: [&str; 2] = ["/v1/connections/{id}/authorize", "/v1/connections/{id}/calendars"];

/// What somebody has: each text occurs in their own data only.
struct Things {
    /// The ids that paths may have.
    ids: Vec<String>,
    /// All texts by which their data is recognised.
    marks: Vec<String>,
}

/// Makes something of everything for a tenant; `mark` is in all names.
async fn furnish(world: &World, token: &str, mark: &str) -> Things {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let make = async |path: &str, body: Value| world.call(token, Method::POST, path, Some(body)).await.expect(201);
    let of = |id: &str| hooktide_providers::by_id(id).expect("a provider");
    let company = format!("company-{mark}");
    let paysafe = make(
        "/v1/connections",
        json!({
            "provider": "paysafe", "name": mark, "secrets": sample_secrets(of("paysafe")),
            "settings": { "companies": { company.clone(): { "name": format!("Company of {mark}") } } },
        }),
    )
    .await;
    let shop = make(
        "/v1/connections",
        json!({
            "provider": "shopify", "name": mark, "account": format!("{mark}.myshopify.com"),
            "secrets": { "client_secret": mark }, "settings": { "user": format!("user-{mark}") },
        }),
    )
    .await;
    let endpoint =
        make("/v1/endpoints", json!({ "provider": "shopify", "name": mark, "secrets": { "client_secret": mark } }))
            .await;
    let issued = make("/v1/tokens", json!({ "scopes": ["read"] })).await;
    let id = text(&paysafe["id"]);
    let to = Connected { provider: "paysafe", path: format!("/webhooks/paysafe/{id}"), id: id.clone() };
    let now = world.now().to_string();
    let payment = Payment { account: company.clone(), ..Payment::new(&format!("payment-{mark}"), &now) };
    let account = json!({
        "resourceId": format!("account-{mark}"), "eventDate": now, "eventType": "ACCT_ENABLED",
        "payload": { "partnerId": 1000, "acctStatus": "Enabled", "accountNumber": format!("account-{mark}") },
    });
    let unknown = json!({ "eventType": "NEVER_HEARD_OF", "payload": { "id": mark } });
    for body in [payment.body(), account, unknown] {
        let sent = world.request(merchant::signed(&to, body.to_string(), world.now())).await;
        assert_eq!(sent.status, 200);
    }
    let of_shop = Shop {
        id: text(&shop["id"]),
        url: text(&shop["webhook_url"]),
        account: format!("{mark}.myshopify.com"),
        secret: mark.to_owned(),
    };
    for topic in ["products/update", "customers/redact"] {
        let sent = world.request(world.sample(&of_shop, topic, 1, world.now())).await;
        assert_eq!(sent.status, 200);
    }
    world.tick().await;
    world.call(token, Method::POST, "/v1/analytics/rebuild", Some(json!({}))).await.expect(202);
    world.tick().await;
    let letters = world.call(token, Method::GET, "/v1/dead-letters", None).await.expect(200);
    let letter = text(&letters["items"][0]["id"]);
    let ids = vec![
        id,
        text(&shop["id"]),
        text(&endpoint["id"]),
        text(&issued["id"]),
        letter,
        format!("payment-{mark}"),
        format!("account-{mark}"),
        company,
    ];
    let marks = ids.iter().cloned().chain([mark.to_owned()]).collect();
    Things { ids, marks }
}

/// The paths of all read endpoints, with each of these ids in turn where there is one.
async fn paths(world: &World, ids: &[String]) -> Vec<(String, String)> {
    let document = world.get("/v1/openapi.json").await.expect(200);
    let described = document["paths"].as_object().expect("paths");
    let read = described.iter().filter(|(path, methods)| methods["get"].is_object() && *path != "/v1/health");
    let mut paths = Vec::new();
    for (described, _) in read {
        for provider in ["paysafe", "shopify"] {
            let path = described.replace("{provider}", provider);
            match path.contains("{id}") {
                true => paths.extend(ids.iter().map(|id| (described.clone(), path.replace("{id}", id)))),
                false => {
                    let narrowed = ["connection", "company"]
                        .into_iter()
                        .flat_map(|name| ids.iter().map(move |id| format!("?{name}={id}")));
                    let queries = narrowed.chain([String::new(), "?limit=1".to_owned()]);
                    paths.extend(queries.map(|query| (described.clone(), format!("{path}{query}"))));
                }
            }
        }
    }
    paths.sort();
    paths.dedup();
    paths
}

async fn ask(world: &World, token: &str, path: &str, known: Option<&HeaderValue>) -> Answer {
    let mut request = Request::get(path).header("authorization", format!("Bearer {token}"));
    if let Some(known) = known {
        request = request.header("if-none-match", known);
    }
    world.request(request.body(Bytes::new()).expect("a request")).await
}

/// Asks every endpoint as its owner and then as a stranger, with and without the owner's entity tag; returns the endpoints that
/// showed something to their owner.
async fn compare(world: &World, owner: &str, things: &Things, stranger: &str) -> BTreeSet<String> {
    let mut shown = BTreeSet::new();
    for (described, path) in paths(world, &things.ids).await {
        // The second time from what is kept.
        for _ in 0..2 {
            let own = ask(world, owner, &path, None).await;
            let tag = own.headers.get("etag");
            for known in [None, tag] {
                let theirs = ask(world, stranger, &path, known).await;
                assert_ne!(theirs.status, StatusCode::NOT_MODIFIED, "{path}: a stranger is told to have it");
                assert!(!theirs.status.is_server_error(), "{path}");
                if theirs.status.is_success() {
                    let text = String::from_utf8_lossy(&theirs.body).into_owned();
                    let seen = things.marks.iter().find(|mark| text.contains(*mark));
                    assert_eq!(seen, None, "{path} shows it to a stranger: {text}");
                }
            }
            let text = String::from_utf8_lossy(&own.body).into_owned();
            if own.status.is_success() && things.marks.iter().any(|mark| text.contains(mark)) {
                shown.insert(described.clone());
            }
        }
    }
    shown
}

async fn world() -> World {
    World::with(Default::default(), Options { stream_life: std::time::Duration::ZERO, ..Options::default() }).await
}

#[tokio::test]
async fn two_tenants_never_see_each_others_answers() {
    let world = world().await;
    let (one, other) = (world.token("one", &[Scope::Admin]).await, world.token("other", &[Scope::Admin]).await);
    let things = furnish(&world, &one, "mark-one").await;
    let theirs = furnish(&world, &other, "mark-other").await;
    let shown = compare(&world, &one, &things, &other).await;
    assert_eq!(compare(&world, &other, &theirs, &one).await, shown);
    let all: BTreeSet<String> = paths(&world, &things.ids).await.into_iter().map(|(described, _)| described).collect();
    let hidden: Vec<&String> = all.difference(&shown).collect();
    // These say how the process does, or tell what happens from now on, or are about what a connection without credentials does not have.
    let mut expected =
        vec!["/v1/busy", "/v1/busy/plan", "/v1/events", "/v1/queues", "/v1/resources", "/v1/status", "/v1/sync/mode"];
    expected.extend(OF_CREDENTIALS);
    expected.sort_unstable();
    assert_eq!(
        hidden, expected,
        "an endpoint that shows its owner nothing here is not tried: give `furnish` something for it"
    );
}

#[tokio::test]
async fn two_companies_and_two_people_never_see_each_others_answers() {
    let world = world().await;
    let owner = world.token("one", &[Scope::Admin]).await;
    let (first, second) = (furnish(&world, &owner, "mark-first").await, furnish(&world, &owner, "mark-second").await);
    let token = async |body: Value| {
        let made = world.call(&owner, Method::POST, "/v1/tokens", Some(body)).await.expect(201);
        made["token"].as_str().expect("a token").to_owned()
    };
    for (things, stranger) in [(&first, "mark-second"), (&second, "mark-first")] {
        let of_company = token(json!({ "scopes": ["read"], "companies": [format!("company-{stranger}")] })).await;
        let of_person = token(json!({ "scopes": ["read"], "user": format!("user-{stranger}") })).await;
        for stranger in [of_company, of_person] {
            let shown = compare(&world, &owner, things, &stranger).await;
            assert!(shown.contains("/v1/transactions") && shown.contains("/v1/connections"), "{shown:?}");
        }
    }
}

#[tokio::test]
async fn a_new_read_endpoint_is_in_the_table() {
    let world = world().await;
    let table = paths(&world, &["an-id".to_owned()]).await;
    assert!(table.iter().any(|(_, path)| path == "/v1/webhooks/shopify/an-id") && table.len() > 25, "{table:?}");
}
