//! Calendars are listed and chosen by the API, and their blocks listed, planned and removed by it.

use std::time::Duration;

use hooktide_model::names::Scope;
use hooktide_tests::simulated::Simulated;
use hooktide_tests::world::Answer;
use http::Method;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const MAIN: &str = "owner@example.com";
const HOLIDAYS: &str = "en.austrian#holiday@group.v.calendar.google.com";

/// A person with three calendars of one account.
struct Calendars {
    simulated: Simulated,
    /// The id of the calendar of a team.
    team: String,
}

impl Calendars {
    async fn new() -> Self {
        let simulated = Simulated::google_calendar().await;
        let mut calendars = Self { simulated, team: String::new() };
        let listed = calendars.list().await;
        let team = listed.iter().find(|calendar| calendar["name"] == "The team").expect("the team's calendar");
        calendars.team = team["id"].as_str().expect("an id").to_owned();
        calendars
    }

    fn path(&self) -> String {
        format!("/v1/connections/{}/calendars", self.simulated.connection)
    }

    async fn list(&self) -> Vec<Value> {
        let listed = self.simulated.world.get(&self.path()).await.expect(200);
        assert_eq!(listed["next"], Value::Null);
        listed["items"].as_array().expect("a list").clone()
    }

    /// Chooses for a calendar, as whoever has the token.
    async fn choose_as(&self, token: &str, calendar: &str, choice: Value) -> Answer {
        let path = format!("{}/{}", self.path(), encoded(calendar));
        self.simulated.world.call(token, Method::PUT, &path, Some(choice)).await
    }

    async fn choose(&self, calendar: &str, choice: Value) -> Answer {
        self.choose_as(&self.simulated.world.operator, calendar, choice).await
    }

    /// What is chosen for a calendar: whether it is included, blocks others and is blocked.
    async fn chosen(&self, calendar: &str) -> [Value; 3] {
        let listed = self.list().await;
        let found = listed.iter().find(|one| one["id"] == calendar).expect("a calendar");
        ["included", "blocks_others", "is_blocked"].map(|name| found[name].clone())
    }

    /// The items of a list about blocks.
    async fn items(&self, path: &str) -> Vec<Value> {
        self.simulated.world.get(path).await.expect(200)["items"].as_array().expect("a list").clone()
    }

    /// Asks for the removal of the connection's blocks, as whoever has the token.
    async fn remove_as(&self, token: &str) -> Answer {
        let body = Some(json!({ "connection": self.simulated.connection }));
        self.simulated.world.call(token, Method::POST, "/v1/busy/remove", body).await
    }
}

/// A text as it is in an address.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn calendars_are_listed_by_their_names_and_neither_block_nor_are_blocked_until_somebody_says_so() {
    let calendars = Calendars::new().await;
    let mut names: Vec<String> = calendars.list().await.iter().map(|one| one["name"].to_string()).collect();
    names.sort();
    assert_eq!(names, ["\"Holidays in Austria\"", "\"The team\"", "\"owner@example.com\""]);
    assert_eq!(calendars.chosen(MAIN).await[0], json!(true), "the main one is included");
    for calendar in [MAIN, calendars.team.as_str(), HOLIDAYS] {
        assert_eq!(calendars.chosen(calendar).await[1..], [json!(false), json!(false)], "{calendar}");
    }
    calendars.simulated.world.get("/v1/connections/nobody/calendars").await.expect(404);
}

#[tokio::test]
async fn a_choice_changes_what_it_says_and_a_calendar_that_takes_part_is_included() {
    let calendars = Calendars::new().await;
    let team = calendars.team.as_str();
    let answer = calendars.choose(team, json!({ "blocks_others": true })).await.expect(200);
    assert_eq!((&answer["id"], &answer["name"]), (&json!(team), &json!("The team")));
    assert_eq!(
        (&answer["included"], &answer["blocks_others"], &answer["is_blocked"]),
        (&json!(true), &json!(true), &json!(false))
    );
    calendars.choose(team, json!({ "is_blocked": true })).await.expect(200);
    assert_eq!(calendars.chosen(team).await, [json!(true), json!(true), json!(true)]);
    calendars.choose(team, json!({})).await.expect(200);
    assert_eq!(calendars.chosen(team).await, [json!(true), json!(true), json!(true)], "nothing is said");
    let none = json!({ "included": false, "blocks_others": false, "is_blocked": false });
    calendars.choose(team, none).await.expect(200);
    assert_eq!(calendars.chosen(team).await, [json!(false), json!(false), json!(false)]);
    calendars.choose(HOLIDAYS, json!({ "blocks_others": true })).await.expect(200);
    assert_eq!(calendars.chosen(HOLIDAYS).await[1], json!(true), "an id with a mark that divides addresses");
}

#[tokio::test]
async fn a_choice_that_is_not_right_is_refused_by_its_field_and_changes_nothing() {
    let calendars = Calendars::new().await;
    let before = calendars.list().await;
    for (choice, field) in [
        (json!({ "blocks_others": "yes" }), "blocks_others"),
        (json!({ "is_blocked": 1 }), "is_blocked"),
        (json!({ "blocks_others": true, "blocked": true }), "blocked"),
        (json!({ "blocks_others": true, "included": false }), "included"),
        (json!(true), "body"),
    ] {
        let problem = calendars.choose(&calendars.team, choice.clone()).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{choice}: {problem}");
    }
    assert_eq!(calendars.list().await, before);
    calendars.choose("nobody@example.com", json!({ "included": true })).await.expect(404);
    let world = &calendars.simulated.world;
    for body in [json!({}), json!({ "connection": 7 }), json!({ "connection": "c", "all": true })] {
        world.post("/v1/busy/remove", body).await.expect(422);
    }
    for connection in ["", "nobody", &"x".repeat(2_000)] {
        world.post("/v1/busy/remove", json!({ "connection": connection })).await.expect(404);
    }
    world.get("/v1/busy?limit=0").await.expect(422);
}

#[tokio::test]
async fn what_is_busy_in_one_calendar_is_blocked_in_another_until_that_is_removed() {
    let calendars = Calendars::new().await;
    let (simulated, connection) = (&calendars.simulated, &calendars.simulated.connection);
    calendars.choose(MAIN, json!({ "blocks_others": true })).await.expect(200);
    calendars.choose(&calendars.team, json!({ "is_blocked": true })).await.expect(200);
    let planned = calendars.items("/v1/busy/plan").await;
    assert!(planned.len() > 3 && planned.iter().all(|block| block["state"] == "wanted"), "{planned:#?}");
    simulated.after(3 * SECOND).await;
    simulated.after(3 * SECOND).await;
    let blocks = calendars.items("/v1/busy?limit=1000").await;
    assert_eq!(blocks.len(), planned.len(), "{blocks:#?} {planned:#?}");
    for block in &blocks {
        let source = block["source"].as_str().unwrap();
        assert!(source.starts_with(&format!("{connection}/{MAIN}/")), "{block}");
        assert_eq!((&block["calendar"], &block["state"]), (&json!(calendars.team), &json!("there")), "{block}");
        assert!(block["provider_id"].is_string() && block["start"].is_string() && block["end"].is_string(), "{block}");
    }
    assert_eq!(calendars.items("/v1/busy/plan").await, Vec::<Value>::new(), "all is settled");

    let mut paged = Vec::new();
    let mut path = format!("/v1/busy?limit=2&connection={connection}");
    loop {
        let page = simulated.world.get(&path).await.expect(200);
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/busy?limit=2&connection={connection}&after={}", encoded(next));
    }
    assert_eq!(paged, blocks, "page by page");
    assert_eq!(calendars.items("/v1/busy?connection=nobody").await, Vec::<Value>::new());
    assert_eq!(calendars.items("/v1/busy?user=nobody").await, Vec::<Value>::new());

    let removal = calendars.remove_as(&simulated.world.operator).await.expect(202);
    assert_eq!(removal, json!({ "blocks": blocks.len() }));
    for _ in 0..6 {
        simulated.after(3 * SECOND).await;
    }
    assert_eq!(calendars.items("/v1/busy").await, Vec::<Value>::new(), "{:#?}", simulated.world.activity().await);
    assert_eq!(calendars.chosen(MAIN).await, [json!(true), json!(false), json!(false)]);
    assert_eq!(calendars.chosen(&calendars.team).await, [json!(true), json!(false), json!(false)]);
    assert_eq!(calendars.items("/v1/busy/plan").await, Vec::<Value>::new(), "none comes back");
}

#[tokio::test]
async fn a_token_for_one_person_sees_and_changes_what_is_of_that_person() {
    let calendars = Calendars::new().await;
    let world = &calendars.simulated.world;
    let path = format!("/v1/connections/{}", calendars.simulated.connection);
    let anna = json!({ "settings": { "user": "anna" } });
    world.call(&world.operator, Method::PATCH, &path, Some(anna)).await.expect(200);
    let mut tokens = Vec::new();
    for user in ["anna", "bert"] {
        let made = world.post("/v1/tokens", json!({ "scopes": ["operate"], "user": user })).await.expect(201);
        tokens.push(made["token"].as_str().expect("a token").to_owned());
    }
    let (anna, bert) = (&tokens[0], &tokens[1]);
    assert_eq!(calendars.choose_as(bert, MAIN, json!({ "blocks_others": true })).await.status, 404);
    assert_eq!(calendars.chosen(MAIN).await[1], json!(false));
    calendars.choose_as(anna, MAIN, json!({ "blocks_others": true })).await.expect(200);
    calendars.choose_as(anna, &calendars.team, json!({ "is_blocked": true })).await.expect(200);
    calendars.simulated.after(3 * SECOND).await;
    let blocks = calendars.items("/v1/busy?user=anna").await;
    assert!(!blocks.is_empty());
    for (token, counts) in [(anna, blocks.len()), (bert, 0)] {
        let listed = world.call(token, Method::GET, "/v1/busy", None).await.expect(200);
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(counts));
    }
    let get = async |token: &str, path: &str| world.call(token, Method::GET, path, None).await.status.as_u16();
    assert_eq!(get(anna, &calendars.path()).await, 200);
    assert_eq!(get(bert, &calendars.path()).await, 404);
    for path in ["/v1/busy?user=anna", "/v1/busy/plan?user=anna"] {
        assert_eq!((get(anna, path).await, get(bert, path).await), (200, 404), "{path}");
    }
    assert_eq!(calendars.remove_as(bert).await.status, 404);
    assert_eq!(calendars.remove_as(anna).await.status, 202);
    let none = world.token("other", &[Scope::Operate]).await;
    assert_eq!(calendars.remove_as(&none).await.status, 404, "another tenant's");
}
