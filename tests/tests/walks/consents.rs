//! The owner of an account lets us in on the page of their provider, over HTTP.

use std::time::Duration;

use bytes::Bytes;
use hooktide_model::names::Scope;
use hooktide_tests::simulated::Simulated;
use hooktide_tests::world::Answer;
use http::{Method, Request};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// The address of the provider's page.
async fn page(simulated: &Simulated) -> String {
    let path = format!("/v1/connections/{}/authorize", simulated.connection);
    let told = simulated.world.get(&path).await.expect(200);
    told["url"].as_str().unwrap().to_owned()
}

/// Consents on a page as its owner's browser does; returns where the browser is sent to.
async fn consented(page: &str) -> String {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = client.get(page).send().await.unwrap();
    assert_eq!(answer.status(), 302, "{page}");
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// Goes where the browser is sent to.
async fn back(simulated: &Simulated, place: &str) -> Answer {
    let path = place.find("/oauth/").map_or(place, |start| &place[start..]);
    let answer = simulated.world.request(Request::get(path).body(Bytes::new()).unwrap()).await;
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(answer.headers["cache-control"], "no-store");
    answer
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

async fn credentials(simulated: &Simulated) -> Value {
    simulated.world.get(&format!("/v1/connections/{}", simulated.connection)).await.expect(200)["credentials"].clone()
}

#[tokio::test]
async fn an_owner_who_let_us_in_again_ends_a_refusal_and_what_changed_meanwhile_is_read_at_once() {
    for (provider, ended, name) in
        [("square", "app", Some("name")), ("shopify", "app", Some("title")), ("google-calendar", "consent", None)]
    {
        let simulated = Simulated::new(provider).await;
        simulated.after(SECOND).await;
        simulated.control("edit", json!({ "what": ended })).await;
        if let Some(name) = name {
            simulated.control("edit", json!({ "what": "product", "fields": { name: "Gyokuro" } })).await;
        }
        simulated.after(24 * 60 * MINUTE).await;
        assert_eq!(credentials(&simulated).await, "needs_reauthorization", "{provider}");
        let page = page(&simulated).await;
        for part in ["code_challenge_method=S256", "response_type=code", "state=ho_", "scope="] {
            assert!(page.contains(part), "{page}");
        }
        let answer = back(&simulated, &consented(&page).await).await;
        assert_eq!(answer.status, 200, "{provider}: {}", text(&answer));
        assert!(text(&answer).contains("is authorised"), "{}", text(&answer));
        assert_eq!(credentials(&simulated).await, "ok", "{provider}");
        simulated.after(SECOND).await;
        let changes = simulated.world.changes().await;
        let is_read = changes.iter().any(|change| change["document"]["title"] == "Gyokuro");
        assert!(is_read || name.is_none(), "{provider}: {changes:#?}");
        assert_eq!(credentials(&simulated).await, "ok", "{provider}");
    }
}

#[tokio::test]
async fn what_a_provider_signs_counts_only_with_its_signature_and_is_not_used_up_without() {
    let simulated = Simulated::new("shopify").await;
    let place = consented(&page(&simulated).await).await;
    let (signed, signature) = place.split_once("&hmac=").unwrap();
    for odd in [signed.to_owned(), format!("{signed}&hmac={}", "0".repeat(signature.len())), format!("{place}&shop=b")]
    {
        let answer = back(&simulated, &odd).await;
        assert_eq!(answer.status, 409, "{odd}");
        assert!(text(&answer).contains("client_secret"), "{}", text(&answer));
    }
    assert_eq!(back(&simulated, &place).await.status, 200);
}

#[tokio::test]
async fn an_owner_who_lets_us_in_without_all_that_is_needed_is_told_what_is_missing() {
    for (provider, scope) in
        [("shopify", "read_inventory"), ("google-calendar", "https://www.googleapis.com/auth/calendar.events")]
    {
        let simulated = Simulated::new(provider).await;
        simulated.control("edit", json!({ "what": "scope", "id": scope })).await;
        let before = simulated.world.get(&format!("/v1/connections/{}", simulated.connection)).await.expect(200);
        let answer = back(&simulated, &consented(&page(&simulated).await).await).await;
        assert_eq!(answer.status, 409, "{provider}: {}", text(&answer));
        for part in ["without", scope, "begin again", "allow all"] {
            assert!(text(&answer).contains(part), "{provider}: {part}: {}", text(&answer));
        }
        let after = simulated.world.get(&format!("/v1/connections/{}", simulated.connection)).await.expect(200);
        assert_eq!(after["secrets"], before["secrets"], "{provider}: what it had stays");
        simulated.control("edit", json!({ "what": "scope", "id": scope, "fields": {} })).await;
        let answer = back(&simulated, &consented(&page(&simulated).await).await).await;
        assert_eq!(answer.status, 200, "{provider}: {}", text(&answer));
    }
}

#[tokio::test]
async fn a_consent_counts_once() {
    let simulated = Simulated::new("square").await;
    let place = consented(&page(&simulated).await).await;
    assert_eq!(back(&simulated, &place).await.status, 200);
    let again = back(&simulated, &place).await;
    assert_eq!(again.status, 409);
    assert!(text(&again).contains("used already"), "{}", text(&again));
    assert_eq!(credentials(&simulated).await, "ok", "the first one counts still");
}

#[tokio::test]
async fn a_consent_that_was_begun_for_another_tenant_or_changed_or_has_ended_is_refused() {
    let simulated = Simulated::new("square").await;
    let world = &simulated.world;
    let state_of = |url: &str| {
        let (_, rest) = url.split_once("state=").unwrap();
        rest.split('&').next().unwrap().to_owned()
    };
    let theirs = world.token("other", &[Scope::Operate]).await;
    let path = format!("/v1/connections/{}/authorize", simulated.connection);
    world.call(&theirs, Method::GET, &path, None).await.expect(404);
    let secrets = json!({ "client_id": "sq0idp-sample", "client_secret": "hush-square-client-secret" });
    let body = json!({ "provider": "square", "account": "THEIRS", "secrets": secrets });
    let connection = world.call(&theirs, Method::POST, "/v1/connections", Some(body)).await.expect(201);
    let path = format!("/v1/connections/{}/authorize", connection["id"].as_str().unwrap());
    let url = world.call(&theirs, Method::GET, &path, None).await.expect(200);
    let their_state = state_of(url["url"].as_str().unwrap());
    let place = consented(&page(&simulated).await).await;
    let our_state = state_of(&place);
    // The owner's code, with a state of somebody else: it was not asked for by them, which its verifier shows.
    let stolen = back(&simulated, &place.replace(&our_state, &their_state)).await;
    assert_eq!(stolen.status, 409, "{}", text(&stolen));
    let mixed: Vec<&str> = [&their_state, &our_state].iter().map(|state| state.as_str()).collect();
    let parts = |state: &str| state.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (theirs, ours) = (parts(mixed[0]), parts(mixed[1]));
    let mixed = format!("{}.{}.{}", ours[0], theirs[1], ours[2]);
    let place = consented(&page(&simulated).await).await;
    for (changed, status) in [
        (place.replace(&state_of(&place), &mixed), 400),
        (place.replace(&state_of(&place), ""), 400),
        (place.replace("/callback/square", "/callback/shopify"), 400),
        (format!("/oauth/callback/square?error=access_denied&state={}", state_of(&place)), 409),
        (place.replace("code=", "cod="), 409),
    ] {
        let answer = back(&simulated, &changed).await;
        assert_eq!(answer.status, status, "{changed}: {}", text(&answer));
    }
    world.clock.advance(16 * MINUTE);
    assert_eq!(back(&simulated, &place).await.status, 400, "it took too long");
}
