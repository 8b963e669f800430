//! One endpoint for the accounts of several tenants.

use std::time::Duration;

use hooktide_flows::receive::Receiver;
use hooktide_model::names::Scope;
use hooktide_tests::bodies;
use hooktide_tests::world::{Answer, Shop, World};
use http::Method;
use serde_json::{Value, json};

/// A tenant, as its token sees the world.
struct Tenant<'a> {
    world: &'a World,
    name: String,
    token: String,
}

impl<'a> Tenant<'a> {
    async fn new(world: &'a World, name: &str) -> Self {
        Self { world, name: name.to_owned(), token: world.token(name, &[Scope::Operate]).await }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.world.call(&self.token, method, path, body).await
    }

    async fn connect(&self, app: &Shop, account: &str) -> Answer {
        let body = json!({ "provider": "shopify", "account": account, "endpoint": app.id });
        self.call(Method::POST, "/v1/connections", Some(body)).await
    }

    /// Connects an account with the consent of the endpoint's owner, so that what was held for it is released.
    async fn claim(&self, app: &Shop, account: &str) -> Answer {
        let claim = self.world.claim(app, account, &self.name).await;
        self.call(Method::POST, "/v1/connections", Some(json!({ "provider": "shopify", "claim": claim }))).await
    }

    async fn items(&self, path: &str) -> Vec<Value> {
        let page = self.call(Method::GET, path, None).await.expect(200);
        page["items"].as_array().cloned().unwrap_or_default()
    }

    /// The provider's ids of what changed, in order.
    async fn changed(&self) -> Vec<u64> {
        let changes = self.items("/v1/changes?limit=1000").await;
        let mut numbers: Vec<u64> = changes.iter().filter_map(bodies::number_of).collect();
        numbers.sort_unstable();
        numbers
    }
}

fn of(app: &Shop, account: &str) -> Shop {
    Shop { account: account.to_owned(), ..app.clone() }
}

async fn held(world: &World, app: &Shop) -> usize {
    world.held(app).await.len()
}

#[tokio::test]
async fn each_account_goes_to_its_own_tenant_and_to_no_other() {
    let world = World::new().await;
    let app = world.shared_endpoint("app").await;
    let (anna, bert) = (Tenant::new(&world, "anna").await, Tenant::new(&world, "bert").await);
    let of_anna = anna.connect(&app, "Anna.MyShopify.com").await.expect(201);
    let of_bert = bert.connect(&app, "bert.myshopify.com").await.expect(201);
    assert_eq!((of_anna["endpoint"].as_str(), &of_anna["webhook_url"]), (Some(app.id.as_str()), &json!(app.url)));
    world.tick().await;
    // One batch with deliveries for both, and the same product number in both shops.
    for (account, number) in [("anna.myshopify.com", 1), ("bert.myshopify.com", 1), ("ANNA.myshopify.com", 2)] {
        world.request(world.sample(&of(&app, account), "products/update", number, world.now())).await;
    }
    assert_eq!(world.tick().await, 3);
    assert_eq!((anna.changed().await, bert.changed().await), (vec![1, 2], vec![1]));
    for (tenant, own, foreign) in [(&anna, &of_anna, &of_bert), (&bert, &of_bert, &of_anna)] {
        let (own, foreign) = (own["id"].as_str().expect("an id"), foreign["id"].as_str().expect("an id"));
        for path in ["/v1/changes", "/v1/activity", "/v1/connections"] {
            let text = String::from_utf8_lossy(&tenant.call(Method::GET, path, None).await.body).into_owned();
            assert!(text.contains(own) && !text.contains(foreign), "{path}: {text}");
        }
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            let path = format!("/v1/connections/{foreign}");
            tenant.call(method, &path, Some(json!({ "name": "mine" }))).await.expect(404);
        }
    }
    assert!(world.changes().await.is_empty(), "the endpoint's owner sees neither");
    assert!(world.activity().await.is_empty());
}

#[tokio::test]
async fn an_account_is_connected_once() {
    let world = World::new().await;
    let (app, second) = (world.shared_endpoint("app").await, world.shared_endpoint("second").await);
    let (anna, bert) = (Tenant::new(&world, "anna").await, Tenant::new(&world, "bert").await);
    anna.connect(&app, "anna.myshopify.com").await.expect(201);
    for (tenant, account) in
        [(&bert, "anna.myshopify.com"), (&anna, "anna.myshopify.com"), (&bert, " ANNA.myshopify.com ")]
    {
        assert_eq!(
            tenant.connect(&app, account).await.expect(409)["type"],
            "urn:hooktide:problem:conflict",
            "{account}"
        );
    }
    bert.connect(&second, "anna.myshopify.com").await.expect(201);
    assert_eq!(bert.items("/v1/connections").await.len(), 1, "what was refused left nothing");
    world.request(world.sample(&of(&app, "anna.myshopify.com"), "products/update", 1, world.now())).await;
    world.tick().await;
    assert_eq!((anna.changed().await, bert.changed().await), (vec![1], vec![]));
}

#[tokio::test]
async fn deliveries_of_an_unknown_account_are_held_until_it_is_connected() {
    let world = World::new().await;
    let app = world.shared_endpoint("app").await;
    let later = of(&app, "later.myshopify.com");
    let first = world.sample(&later, "products/update", 1, world.now());
    for request in
        [first.clone(), first, world.sample(&of(&app, "other.myshopify.com"), "products/update", 3, world.now())]
    {
        assert_eq!(world.request(request).await.status, 200);
    }
    world.request(world.sample(&later, "products/update", 2, world.now())).await;
    world.tick().await;
    let activity = world.activity().await;
    assert_eq!(activity.len(), 4);
    for entry in &activity {
        assert_eq!((&entry["outcome"], &entry["connection"]), (&json!("ignored"), &json!(null)));
        let reason = entry["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("unknown account") && reason.ends_with("kept until it is connected"), "{reason}");
    }
    assert_eq!(held(&world, &app).await, 4);
    assert_eq!(world.get("/v1/dead-letters").await.expect(200)["items"], json!([]));
    let anna = Tenant::new(&world, "anna").await;
    world.clock.advance(Duration::from_secs(7 * 24 * 3600));
    anna.claim(&app, "later.myshopify.com").await.expect(201);
    world.tick().await;
    world.after(Duration::from_secs(1)).await;
    assert_eq!(anna.changed().await, [1, 2]);
    let mut outcomes: Vec<Value> =
        anna.items("/v1/activity").await.iter().map(|entry| entry["outcome"].clone()).collect();
    outcomes.sort_by_key(Value::to_string);
    assert_eq!(outcomes, ["duplicate", "processed", "processed"]);
    assert_eq!(held(&world, &app).await, 1, "the other account's stays");
    assert_eq!(world.idle().await, Ok(()));
}

#[tokio::test]
async fn hundreds_of_held_deliveries_are_released_step_by_step() {
    let world = World::new().await;
    let app = world.shared_endpoint("app").await;
    let later = of(&app, "later.myshopify.com");
    for number in 1..=249 {
        world.request(world.sample(&later, "products/update", number, world.now())).await;
    }
    let large = bodies::product_of_size(250, world.now(), 600 * 1024);
    world.request(world.signed(&later, "products/update", large)).await;
    world.tick().await;
    assert_eq!((held(&world, &app).await, world.blobs("kept/default").await.len()), (250, 1));
    let anna = Tenant::new(&world, "anna").await;
    anna.claim(&app, "later.myshopify.com").await.expect(201);
    world.tick().await;
    let mut seen = vec![anna.changed().await.len()];
    for _ in 0..4 {
        world.after(Duration::from_secs(1)).await;
        seen.push(anna.changed().await.len());
    }
    assert_eq!(anna.changed().await, (1..=250).collect::<Vec<u64>>());
    assert!(seen[0] <= 2 && seen[1] <= 102 && seen[2] <= 202, "a hundred a second: {seen:?}");
    assert_eq!(held(&world, &app).await, 0);
    assert_eq!(world.idle().await, Ok(()));
}

#[tokio::test]
async fn a_connection_that_is_deleted_gets_nothing_more_and_keeps_its_journal() {
    let world = World::new().await;
    let app = world.shared_endpoint("app").await;
    let shop = of(&app, "anna.myshopify.com");
    let (anna, bert) = (Tenant::new(&world, "anna").await, Tenant::new(&world, "bert").await);
    let id = anna.connect(&app, "anna.myshopify.com").await.expect(201)["id"].as_str().expect("an id").to_owned();
    world.update(&shop, 1).await;
    // This one is accepted before, and processed after.
    world.request(world.sample(&shop, "products/update", 2, world.now())).await;
    let path = format!("/v1/connections/{id}");
    let erased = anna.call(Method::DELETE, &path, None).await.expect(200);
    assert_eq!((&erased["erased"]["connections"], &erased["erased"]["entities"]), (&json!(1), &json!(1)), "{erased}");
    world.update(&shop, 3).await;
    assert_eq!(anna.changed().await, [1], "the journal is kept");
    assert!(anna.items("/v1/changes").await[0]["document"].is_null(), "the document is not");
    anna.call(Method::GET, &path, None).await.expect(404);
    assert_eq!(held(&world, &app).await, 2);
    // Somebody else may connect the account now, and gets what came since if the endpoint's owner consents.
    bert.claim(&app, "anna.myshopify.com").await.expect(201);
    world.tick().await;
    world.after(Duration::from_secs(1)).await;
    assert_eq!((anna.changed().await, bert.changed().await), (vec![1], vec![2, 3]));
}

#[tokio::test]
async fn an_own_endpoint_that_is_deleted_takes_nothing_more() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.update(&shop, 1).await;
    // In another process, which remembers the endpoint.
    let other = Receiver::new(world.host.ports.clone(), world.host.settings.clone());
    let deliver = async |number| {
        let sample = world.sample(&shop, "products/update", number, world.now());
        other.receive(sample, "192.0.2.1", world.now()).await.status().as_u16()
    };
    assert_eq!(deliver(1).await, 200);
    world.tick().await;
    world.call(&world.operator, Method::DELETE, &format!("/v1/connections/{}", shop.id), None).await.expect(200);
    assert_eq!(world.update(&shop, 2).await.status, 404, "at once in the process that deleted it");
    assert_eq!(deliver(2).await, 200, "a receiver that remembers it still accepts");
    world.tick().await;
    let activity = world.activity().await;
    let last = activity.last().expect("an entry");
    assert_eq!((&last["outcome"], &last["reason"]), (&json!("ignored"), &json!("the connection was removed")));
    assert_eq!(world.changes().await.len(), 1);
    world.clock.advance(Duration::from_secs(300));
    assert_eq!(deliver(3).await, 404, "and no longer once it reads again");
}
