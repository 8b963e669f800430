//! A scenario with every kind of delivery, and what must hold after it, whatever failed meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use hooktide_model::names::{Channel, Scope};
use hooktide_tests::bodies;
use hooktide_tests::faults::{FaultyWorld, Plan, Until};
use hooktide_tests::world::{Shop, World};
use http::{Method, Request};
use serde_json::{Value, json};

const DELIVERY: &str = "x-shopify-webhook-id";
/// Text that is just too large to travel inline, however compressed.
static LARGE: LazyLock<String> = LazyLock::new(|| bodies::noise(9, 250 * 1024));

/// A world with a shop, an app with one account connected, and the deliveries of the scenario.
pub struct Scenario {
    pub faulty: FaultyWorld,
    app: Shop,
    anna: String,
    deliveries: BTreeMap<&'static str, Request<Bytes>>,
    refused: Vec<Request<Bytes>>,
}

impl Scenario {
    pub async fn new() -> Self {
        let faulty = FaultyWorld::new().await;
        let world = &faulty.world;
        let (shop, app) = (world.shop().await, world.shared_endpoint("app").await);
        let anna = world.token("anna", &[Scope::Operate]).await;
        let connection = json!({ "provider": "shopify", "account": "anna.myshopify.com", "endpoint": app.id });
        world.call(&anna, Method::POST, "/v1/connections", Some(connection)).await.expect(201);
        for number in [1, 2] {
            world.update(&shop, number).await;
        }
        let at = |seconds| world.now() + Duration::from_secs(seconds);
        let update = |shop: &Shop, number, seconds| world.sample(shop, "products/update", number, at(seconds));
        let of = |account: &str| Shop { account: account.into(), ..app.clone() };
        // Its documents have no room in the entity.
        let large = |seconds: u64| {
            let body = update(&shop, 1, seconds).into_body();
            world.signed(&shop, "products/update", bodies::enlarged(&body, seconds))
        };
        let newest = large(10);
        let deliveries = BTreeMap::from([
            ("01 newest", newest.clone()),
            ("02 newest again", newest),
            ("03 older", large(5)),
            ("04 to be deleted", update(&shop, 2, 10)),
            ("05 deletion", world.sample(&shop, "products/delete", 2, at(0))),
            ("06 hint", world.sample(&shop, "inventory_levels/update", 1, at(0))),
            ("07 privacy", world.sample(&shop, "customers/redact", 1, at(0))),
            ("08 unreadable", world.signed(&shop, "products/update", "no JSON")),
            ("09 large unreadable", world.signed(&shop, "products/update", LARGE.as_str())),
            ("10 unknown topic", world.signed(&shop, "carts/create", "{}")),
            ("11 large", world.signed(&shop, "products/update", bodies::product(3, at(0), &LARGE).to_string())),
            ("12 known account", update(&of("anna.myshopify.com"), 4, 0)),
            ("13 unknown account", update(&of("bert.myshopify.com"), 5, 0)),
        ]);
        Self { faulty, app, anna, deliveries, refused: Vec::new() }
    }

    fn world(&self) -> &World {
        &self.faulty.world
    }

    /// Sends and processes everything while calls fail by a plan; how many did.
    pub async fn run(&mut self, plan: Plan) -> usize {
        let Self { faulty, deliveries, refused, .. } = self;
        faulty.faults.arm(plan);
        for request in deliveries.values() {
            let answer = faulty.faults.run(faulty.world.request(request.clone())).await;
            if answer.is_none_or(|answer| answer.status != 200) {
                refused.push(request.clone());
            }
        }
        for _ in 0..4 {
            // A host whose ports fail tries again.
            drop(faulty.faults.run(faulty.world.host.tick()).await);
            faulty.world.clock.advance(Duration::from_secs(5));
        }
        faulty.faults.disarm()
    }

    /// Lets everything come to rest, and checks what must hold.
    pub async fn check(&self, plan: Plan) {
        self.faulty.settle().await;
        if plan.until != Until::After {
            self.check_refused(plan).await;
        }
        self.check_not_dead_and_processed(plan).await;
        // What gave up after three tries is not lost either.
        let exhausted = json!({ "filter": { "class": "tries-exhausted" } });
        for token in [&self.world().operator, &self.anna] {
            let again = Some(exhausted.clone());
            self.world().call(token, Method::POST, "/v1/dead-letters/replay", again).await.expect(202);
        }
        // The providers try again what was refused.
        for request in &self.refused {
            assert_eq!(self.world().request(request.clone()).await.status, 200);
        }
        self.world().clock.advance(Duration::from_secs(1));
        self.faulty.settle().await;
        self.check_changes(plan).await;
        self.check_activity(plan).await;
        self.check_letters(plan).await;
        self.check_held(plan).await;
    }

    async fn items(&self, token: &str, path: &str) -> Vec<Value> {
        let page = self.world().call(token, Method::GET, &format!("{path}?limit=1000"), None).await.expect(200);
        page["items"].as_array().cloned().unwrap_or_default()
    }

    fn delivery(&self, name: &str) -> &str {
        delivery_of(&self.deliveries[name])
    }

    async fn check_refused(&self, plan: Plan) {
        let mut activity = self.world().activity().await;
        activity.extend(self.items(&self.anna, "/v1/activity").await);
        let duplicated = self.delivery("01 newest");
        for request in self.refused.iter().filter(|request| delivery_of(request) != duplicated) {
            let left = activity.iter().find(|entry| entry["delivery"] == json!(delivery_of(request)));
            assert_eq!(left, None, "{plan:?}: what was refused left nothing");
        }
    }

    /// Only what comes to the dead letters by its own fault is there, and it changed nothing.
    async fn check_not_dead_and_processed(&self, plan: Plan) {
        let mut outcomes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for entry in self.world().activity().await {
            let id = entry["id"].as_str().expect("an id").split('-').next().expect("an envelope").to_owned();
            outcomes.entry(id).or_default().insert(entry["outcome"].as_str().expect("an outcome").to_owned());
        }
        for outcomes in outcomes.values().filter(|outcomes| outcomes.contains("dead")) {
            let others: Vec<&String> =
                outcomes.iter().filter(|outcome| !["dead", "failed"].contains(&outcome.as_str())).collect();
            assert!(others.is_empty(), "{plan:?}: dead and {others:?}");
        }
    }

    /// Each change is in the journal once, the newest state stands, and the bus heard of each.
    async fn check_changes(&self, plan: Plan) {
        let changes = self.world().changes().await;
        let mut told: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for change in &changes {
            let number = bodies::number_of(change).expect("a product");
            told.entry(number).or_default().push(change["version"].as_str().expect("a version").to_owned());
        }
        for (number, versions) in &mut told {
            versions.sort();
            let count = versions.len();
            versions.dedup();
            assert_eq!(versions.len(), count, "{plan:?}: each state of product {number} is journaled once");
        }
        let newest = self.deliveries["01 newest"].body();
        let newest: Value = serde_json::from_slice(newest).expect("JSON");
        let last = changes
            .iter()
            .filter(|change| bodies::number_of(change) == Some(1))
            .max_by_key(|change| change["version"].to_string());
        assert_eq!(last.expect("a change")["document"]["updated_at"], newest["updated_at"], "{plan:?}");
        assert_eq!(told[&2].last().map(String::as_str), Some("final"), "{plan:?}");
        let large = changes.iter().find(|change| bodies::number_of(change) == Some(3)).expect("a change");
        assert!(large["document"]["title"].as_str() == Some(&LARGE), "{plan:?}");
        let anna = self.items(&self.anna, "/v1/changes").await;
        assert_eq!(anna.len(), 1, "{plan:?}");
        for (tenant, changes) in [("default", &changes), ("anna", &anna)] {
            let ids: BTreeSet<&str> = changes.iter().filter_map(|change| change["id"].as_str()).collect();
            assert_eq!(ids.len(), changes.len(), "{plan:?}: the ids of {tenant} are unique");
            for channel in [Channel::ProductUpdates, Channel::ProductCacheInvalidation] {
                let heard = self.faulty.published.ids(tenant, channel);
                let heard: BTreeSet<&str> = heard.iter().map(String::as_str).collect();
                assert_eq!(heard, ids, "{plan:?}: the bus hears of every change of {tenant} on {channel}");
            }
        }
    }

    /// Each delivery came to its end, once.
    async fn check_activity(&self, plan: Plan) {
        let activity = self.world().activity().await;
        let outcomes = |name: &str| {
            let of = activity.iter().filter(|entry| entry["delivery"] == json!(self.delivery(name)));
            let told = of.filter(|entry| entry["outcome"] != "failed" && entry["outcome"] != "dead");
            let distinct: BTreeSet<(String, String)> = told
                .map(|entry| (entry["id"].to_string(), entry["outcome"].as_str().expect("an outcome").to_owned()))
                .collect();
            let mut outcomes: Vec<String> = distinct.into_iter().map(|(_, outcome)| outcome).collect();
            outcomes.sort();
            outcomes
        };
        for (name, once, beside) in [
            ("01 newest", Some("processed"), "duplicate"),
            ("05 deletion", Some("processed"), "duplicate"),
            ("06 hint", Some("waiting"), "duplicate"),
            ("07 privacy", Some("waiting"), "duplicate"),
            ("11 large", Some("processed"), "duplicate"),
            ("10 unknown topic", None, "ignored"),
        ] {
            let mut outcomes = outcomes(name);
            if let Some(once) = once {
                let place = outcomes.iter().position(|outcome| outcome == once);
                outcomes.remove(place.unwrap_or_else(|| panic!("{plan:?}: {name} was not {once}")));
            } else {
                assert!(!outcomes.is_empty(), "{plan:?}: {name} was not told of");
            }
            assert!(outcomes.iter().all(|outcome| outcome == beside), "{plan:?}: {name} was {outcomes:?} beside");
        }
        assert!(!outcomes("03 older").is_empty(), "{plan:?}");
    }

    /// What is unreadable is kept, whole.
    async fn check_letters(&self, plan: Plan) {
        let letters = self.world().get("/v1/dead-letters").await.expect(200);
        let mut found = BTreeSet::new();
        for letter in letters["items"].as_array().expect("items") {
            assert_eq!(letter["class"], "unreadable", "{plan:?}");
            let id = letter["id"].as_str().expect("an id");
            let letter = self.world().get(&format!("/v1/dead-letters/{id}")).await.expect(200);
            found.insert(letter["body"].as_str().expect("a body").to_owned());
        }
        let expected = ["08 unreadable", "09 large unreadable"]
            .map(|name| String::from_utf8(self.deliveries[name].body().to_vec()).expect("text"));
        assert_eq!(found, BTreeSet::from(expected), "{plan:?}");
    }

    /// What was held goes to its account as soon as that is connected.
    async fn check_held(&self, plan: Plan) {
        assert!((1..=2).contains(&self.world().held(&self.app).await.len()), "{plan:?}");
        let bert = self.world().token("bert", &[Scope::Operate]).await;
        let claim = self.world().claim(&self.app, "bert.myshopify.com", "bert").await;
        let connection = json!({ "provider": "shopify", "claim": claim });
        self.world().call(&bert, Method::POST, "/v1/connections", Some(connection)).await.expect(201);
        self.world().tick().await;
        self.world().after(Duration::from_secs(1)).await;
        assert_eq!(self.items(&bert, "/v1/changes").await.len(), 1, "{plan:?}");
        assert_eq!(self.world().held(&self.app).await.len(), 0, "{plan:?}");
    }
}

fn delivery_of(request: &Request<Bytes>) -> &str {
    request.headers()[DELIVERY].to_str().expect("text")
}
