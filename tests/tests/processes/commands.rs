//! The command line against the real server, as a person would use both.

use hooktide_tests::server::{Server, eventually};
use serde_json::Value;

use super::command::hooktide;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

/// Connects a shop.
fn shop(server: &Server) -> Value {
    let shop =
        ["connections", "add", "shopify", "--account", "a.myshopify.com", "--secret", "client_secret=s", "--json"];
    hooktide(server, &shop, "").json()
}

/// The outcomes of the activity, once there are so many.
async fn outcomes(server: &Server, count: usize) -> Vec<String> {
    eventually("the activity", async || {
        let activity = hooktide(server, &["activity", "--json", "--limit", "1000"], "").json();
        let items = activity["items"].as_array().expect("items").clone();
        let outcomes: Vec<String> = items.iter().map(|entry| text(entry, "outcome").to_owned()).collect();
        (outcomes.len() >= count).then_some(outcomes)
    })
    .await
}

#[tokio::test]
async fn the_tour_of_the_readme_is_as_it_says() {
    let server = Server::start().await;
    let secret = "client_secret=-";
    let added = ["connections", "add", "shopify", "--account", "my-shop.myshopify.com", "--secret", secret, "--json"];
    let connection = hooktide(&server, &added, "hush").json();
    let sent = |more: &[&str]| {
        let arguments: Vec<&str> = ["send", "shopify", "products/update"].iter().chain(more).copied().collect();
        hooktide(&server, &arguments, "").code
    };
    assert_eq!(sent(&[]), Some(0));
    outcomes(&server, 1).await;
    assert_eq!(sent(&["--duplicate"]), Some(0));
    outcomes(&server, 3).await;
    assert_eq!(sent(&["--tamper"]), Some(0), "it is refused, as it should be");
    assert_eq!(sent(&["--old"]), Some(0));
    // Two workers may take the two copies at once, and the activity keeps no order between their lanes.
    let mut told = outcomes(&server, 4).await;
    told.sort();
    assert_eq!(told, ["duplicate", "processed", "processed", "stale"]);
    assert_eq!(sent(&["--count", "50", "--number", "100"]), Some(0));
    outcomes(&server, 54).await;
    let changes = hooktide(&server, &["changes", "--json", "--limit", "1000"], "").json();
    assert_eq!(changes["items"].as_array().map(Vec::len), Some(52));
    let shown = hooktide(&server, &["connections", "show", text(&connection, "id"), "--json"], "").json();
    assert!(shown["secrets"]["client_secret"][0]["last_verified_at"].is_string(), "{shown}");
}

#[tokio::test]
async fn an_app_with_many_shops_is_set_up_from_the_command_line() {
    let server = Server::start().await;
    let endpoint = hooktide(
        &server,
        &["endpoints", "add", "shopify", "--name", "App", "--secret", "client_secret=-", "--json"],
        "hush",
    )
    .json();
    let id = text(&endpoint, "id");
    for tenant in ["anna", "bert"] {
        let token =
            hooktide(&server, &["token", "create", "--tenant", tenant, "--scope", "operate", "--json"], "").json();
        let (token, account) = (text(&token, "token"), format!("{tenant}.myshopify.com"));
        let added =
            ["connections", "add", "shopify", "--account", &account, "--endpoint", id, "--token", token, "--json"];
        let refused = hooktide(&server, &added, "");
        assert!(refused.code == Some(1) && refused.error.contains("claim"), "{}", refused.error);
        let claim = hooktide(&server, &["endpoints", "claim", id, "--account", &account, "--for", tenant], "").out;
        let added = ["connections", "add", "shopify", "--claim", claim.trim(), "--token", token, "--json"];
        let connection = hooktide(&server, &added, "").json();
        assert_eq!(connection["webhook_url"], endpoint["webhook_url"]);
        // Whoever runs the server signs for any tenant.
        let send = ["send", "shopify", "products/update", "--tenant", tenant];
        assert_eq!(hooktide(&server, &send, "").code, Some(0));
        let changes = eventually("the change", async || {
            let changes = hooktide(&server, &["changes", "--token", token, "--json"], "").json();
            changes["items"].as_array().filter(|items| !items.is_empty()).cloned()
        })
        .await;
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0]["connection"], connection["id"]);
    }
    let listed = hooktide(&server, &["endpoints", "list", "--json"], "").json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let released = ["endpoints", "release", id, "--account", "anna.myshopify.com", "--to", "anna", "--json"];
    assert_eq!(hooktide(&server, &released, "").json()["matched"], 0);
    let opened = hooktide(&server, &["endpoints", "change", id, "--open-to", "*", "--json"], "").json();
    assert_eq!(opened["tenants"], serde_json::json!(["*"]));
    let used = hooktide(&server, &["endpoints", "remove", id], "");
    assert_eq!(used.code, Some(1));
    assert!(used.error.contains("Connections still use this endpoint"), "{}", used.error);
}

#[tokio::test]
async fn syncs_are_seen_to_from_the_command_line() {
    let server = Server::start().await;
    let shop = shop(&server);
    let id = text(&shop, "id");
    let begun = hooktide(&server, &["sync", id], "");
    assert_eq!(begun.code, Some(1));
    assert!(begun.error.contains(&format!("hooktide connections secret add {id}")), "{}", begun.error);
    let status = hooktide(&server, &["sync", "status", id, "--json"], "").json();
    assert_eq!((&status["mode"], &status["credentials"]), (&"auto".into(), &"missing".into()));
    assert!(hooktide(&server, &["sync", "status", id], "").out.contains("realtimeSyncEnabled"));
    let off = hooktide(&server, &["sync", "disable", id, "--json"], "").json();
    assert_eq!(off["rules"]["realtimeSyncEnabled"], false);
    let on = hooktide(&server, &["sync", "enable", id, "--rule", "propagateInventory=true", "--json"], "").json();
    assert_eq!((&on["rules"]["realtimeSyncEnabled"], &on["rules"]["propagateInventory"]), (&true.into(), &true.into()));
    let odd = hooktide(&server, &["sync", "enable", id, "--rule", "propagateTeapots=true"], "");
    assert!(odd.code == Some(1) && odd.error.contains("propagateTeapots"), "{}", odd.error);
    let tested = hooktide(&server, &["sync", "test", id], "");
    assert!(tested.code == Some(1) && tested.error.contains("credentials"), "{}", tested.error);
    assert!(tested.out.contains("hooktide connections secret add"), "{}", tested.out);
    let polled = hooktide(&server, &["sync", "mode", "polling", "--percent", "30", "--json"], "").json();
    assert_eq!(polled["operator_polling_percent"], 30);
    assert!(hooktide(&server, &["sync", "mode", "auto"], "").out.contains("0 % by the operator"));
    let own = hooktide(&server, &["sync", "mode", "polling", "--connection", id, "--json"], "").json();
    assert_eq!((&own["mode"], &own["mode_from"]), (&"polling".into(), &"connection".into()));
    assert_eq!(hooktide(&server, &["sync", "mode", "default"], "").code, Some(2));
    let queues = hooktide(&server, &["queues", "--json"], "").json();
    assert_eq!(queues["items"].as_array().map(Vec::len), Some(4));
    for list in ["resources", "subscriptions"] {
        let items = hooktide(&server, &[list, "--connection", id, "--json"], "").json();
        assert!(items["items"].is_array(), "{list}: {items}");
        assert_eq!(hooktide(&server, &[list], "").code, Some(0));
    }
    let nobody = hooktide(&server, &["subscriptions", "enable", "nobody.1"], "");
    assert!(nobody.code == Some(1) && nobody.error.contains("no such subscription"), "{}", nobody.error);
}

#[tokio::test]
async fn calendars_and_blocks_are_seen_to_from_the_command_line() {
    let server = Server::start().await;
    let shop = shop(&server);
    let id = text(&shop, "id");
    assert!(hooktide(&server, &["calendars", id], "").out.contains("There are no calendars"));
    assert_eq!(hooktide(&server, &["calendars", id, "--json"], "").json()["items"], serde_json::json!([]));
    for more in [&[][..], &["--blocks-others", "yes"]] {
        let none = hooktide(&server, &[&["calendars", id, "a@b.example"][..], more].concat(), "");
        assert!(none.code == Some(1) && none.error.contains("no such calendar"), "{}", none.error);
    }
    assert_eq!(hooktide(&server, &["calendars", id, "a@b.example", "--is-blocked", "maybe"], "").code, Some(2));
    assert!(hooktide(&server, &["busy", "list", "--connection", id], "").out.contains("There are no blocks."));
    assert!(hooktide(&server, &["busy", "plan", "--user", "anna"], "").out.contains("All is settled"));
    let planned = hooktide(&server, &["busy", "plan", "--json"], "").json();
    assert_eq!(planned, serde_json::json!({ "items": [], "cut": false, "crowded": [] }));
    let removed = hooktide(&server, &["busy", "remove", id, "--json"], "").json();
    assert_eq!(removed, serde_json::json!({ "blocks": 0, "left": 0 }));
    assert!(hooktide(&server, &["busy", "remove", id], "").out.contains(&format!("No block of {id} is left")));
    let nobody = hooktide(&server, &["busy", "remove", "nobody"], "");
    assert!(nobody.code == Some(1) && nobody.error.contains("no such connection"), "{}", nobody.error);
}

#[tokio::test]
async fn dead_letters_are_seen_to_from_the_command_line() {
    let server = Server::start().await;
    shop(&server);
    let broken = server.beside("broken.json");
    std::fs::write(&broken, "not json").unwrap();
    let send = ["send", "shopify", "products/update", "--file", broken.to_str().unwrap()];
    assert_eq!(hooktide(&server, &send, "").code, Some(0), "signed and unreadable is kept, not refused");
    outcomes(&server, 1).await;
    let listed = hooktide(&server, &["dead-letters", "list", "--json"], "");
    let letter: Value = serde_json::from_str(listed.out.lines().next().expect("a letter")).unwrap();
    let shown = hooktide(&server, &["dead-letters", "show", text(&letter, "id"), "--json"], "").json();
    assert_eq!((text(&shown, "class"), text(&shown, "body")), ("unreadable", "not json"));
    let dry = hooktide(&server, &["dead-letters", "replay", "--all", "--dry-run", "--json"], "").json();
    assert_eq!(dry["matched"], 1);
    let replay = ["dead-letters", "replay", "--class", "unreadable", "--rate", "100", "--json"];
    assert_eq!(hooktide(&server, &replay, "").json()["matched"], 1);
    outcomes(&server, 2).await;
    assert_eq!(hooktide(&server, &["dead-letters", "discard", "--id", text(&letter, "id")], "").code, Some(0));
    assert_eq!(hooktide(&server, &["dead-letters", "list", "--json"], "").out.trim(), "");
}

#[tokio::test]
async fn wrong_use_ends_with_2_and_failure_with_1_and_both_say_what_to_do() {
    let server = Server::start().await;
    assert_eq!(hooktide(&server, &["send"], "").code, Some(2));
    let unknown = hooktide(&server, &["connections", "show", "nothing"], "");
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.error.contains("There is no such connection."), "{}", unknown.error);
    let nobody = hooktide(&server, &["changes", "--url", "http://127.0.0.1:9"], "");
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.error.contains("hooktide serve"), "{}", nobody.error);
}
