//! Cases from the field: what public bug reports say of webhooks, syncs, ways out and settings, tried on the product.
//!
//! Each case is a row of `docs/field-cases.md`, which says where it is from, what is right, and whether that holds; a test
//! compares both. Deliveries are signed here, by what the provider documents, and not by the product.

mod calendars;
mod figures;
mod outbound;
mod payments;
mod requests;
mod settings;
mod shopify;
mod standard;
mod store;
mod syncs;
mod woocommerce;

use hooktide_tests::connected::{Connected, sample_secrets};
use hooktide_tests::world::World;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use requests::{Step, To};

/// A case: what is sent to a connection of a provider, and what is right.
struct Case {
    /// What happens, as the document's row has it.
    name: &'static str,
    provider: &'static str,
    /// The connection's secrets, where they are not the sample ones.
    secrets: Option<Value>,
    steps: Vec<Step>,
    /// Whether all is sent before anything is processed.
    at_once: bool,
    /// Whether a channel is open that the samples are about.
    has_channel: bool,
    /// The right values, by where they are in what [`Case::tried`] gives.
    right: Vec<(&'static str, Value)>,
}

impl Case {
    fn new(
        provider: &'static str,
        name: &'static str,
        steps: impl IntoIterator<Item = Step>,
        right: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Self {
        let (steps, right) = (steps.into_iter().collect(), right.into_iter().collect());
        Self { name, provider, secrets: None, steps, at_once: false, has_channel: false, right }
    }

    fn with_secrets(self, secrets: Value) -> Self {
        Self { secrets: Some(secrets), ..self }
    }

    fn at_once(self) -> Self {
        Self { at_once: true, ..self }
    }

    fn with_channel(self) -> Self {
        Self { has_channel: true, ..self }
    }

    /// What came of it: `made`, the status of the connection's creation; `statuses` and `bodies` of the answers; `ops`,
    /// `entities` and `last`, of the changes and of the last one's document; `outcomes` and `reasons` of the activity;
    /// what was `unread` of it; how many are `waiting`, and how many dead `letters` there are; and the `connection`.
    async fn tried(&self) -> Value {
        let world = World::new().await;
        let provider = hooktide_providers::by_id(self.provider).expect("a provider");
        let secrets = self.secrets.clone().unwrap_or_else(|| sample_secrets(provider));
        let wanted =
            json!({ "provider": self.provider, "account": provider.profile().sample_account, "secrets": secrets });
        let made = world.post("/v1/connections", wanted).await;
        if made.status != 201 {
            return json!({ "made": made.status.as_u16() });
        }
        let id = made.json()["id"].as_str().expect("an id").to_owned();
        let to = Connected { provider: self.provider, path: format!("/webhooks/{}/{id}", self.provider), id };
        if self.has_channel {
            calendars::open(&world, &to).await;
        }
        let mut answers = Vec::new();
        for step in &self.steps {
            world.clock.advance(Duration::from_secs(1));
            let request = match step {
                Step::Send(build) => {
                    let url = format!("{}{}", world.host.settings.public_url, to.path);
                    build(&To { path: to.path.clone(), url, now: world.now() })
                }
                Step::Bend(topic, bend) => bend(world.sample_of(&to, topic, 1).await),
            };
            answers.push(world.request(request).await);
            if !self.at_once {
                world.tick().await;
            }
        }
        world.tick().await;
        let (changes, activity) = (world.changes().await, world.activity().await);
        let each = |items: &[Value], field: &str| items.iter().map(|item| item[field].clone()).collect::<Vec<_>>();
        let letters = world.get("/v1/dead-letters").await.expect(200);
        json!({
            "made": 201,
            "statuses": answers.iter().map(|answer| answer.status.as_u16()).collect::<Vec<_>>(),
            "bodies": answers.iter().map(|answer| String::from_utf8_lossy(&answer.body)).collect::<Vec<_>>(),
            "ops": each(&changes, "op"),
            "kinds": each(&changes, "kind"),
            "last": changes.last().map(|change| change["document"].clone()),
            "unread": changes.last().map(|change| change["unread"].clone()),
            "ids": each(&changes, "id"),
            "outcomes": each(&activity, "outcome"),
            "reasons": each(&activity, "reason"),
            "waiting": activity.iter().filter(|entry| entry["outcome"] == "waiting").count(),
            "letters": letters["items"].as_array().map_or(0, Vec::len),
            "connection": world.get(&format!("/v1/connections/{}", to.id)).await.json(),
        })
    }

    /// What is not right.
    async fn wrong(&self) -> Map<String, Value> {
        let seen = self.tried().await;
        let differs = |(at, right): &&(&str, Value)| seen.pointer(at).unwrap_or(&Value::Null) != right;
        let told = |(at, right): &(&str, Value)| {
            ((*at).to_owned(), json!({ "right": right, "is": seen.pointer(at).cloned() }))
        };
        let mut wrong: Map<String, Value> = self.right.iter().filter(differs).map(told).collect();
        if !wrong.is_empty() {
            wrong.insert("outcomes".into(), json!([seen["statuses"], seen["outcomes"], seen["reasons"]]));
        }
        wrong
    }
}

/// A case by its name, and what is not right.
type Tried = (&'static str, Map<String, Value>);

/// The verdict of each row of the document, by its name.
fn verdicts() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let text = fs::read_to_string(root.join("docs/field-cases.md")).expect("the document");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
    let cases = cells.filter(|cells| cells.len() == 4 && cells[0] != "case");
    cases.map(|cells| (cells[0].to_owned(), cells[3].to_owned())).collect()
}

#[tokio::test]
async fn what_the_field_reports_is_right_or_told_to_be_wrong() {
    let cases = [
        woocommerce::cases(),
        store::cases(),
        shopify::cases(),
        standard::cases(),
        payments::cases(),
        calendars::cases(),
    ];
    let mut tried: Vec<Tried> =
        [outbound::tried().await, settings::tried().await, syncs::tried().await, figures::tried().await].concat();
    for case in cases.into_iter().flatten() {
        tried.push((case.name, case.wrong().await));
    }
    let mut told = verdicts();
    let mut differs = Vec::new();
    let count = tried.len();
    for (name, wrong) in tried {
        let found = if wrong.is_empty() { "holds" } else { "fails" };
        match told.remove(name) {
            None => differs.push(format!("{name}: not in the document, and {found}: {wrong:?}")),
            Some(verdict) if verdict.split(':').next() != Some(found) => {
                differs.push(format!("{name}: {verdict}, and {found}: {}", Value::Object(wrong)));
            }
            Some(_) => {}
        }
    }
    differs.extend(told.into_keys().map(|name| format!("{name}: only in the document")));
    let advice = "mend what fails, or write the verdict that is true into docs/field-cases.md";
    assert!(differs.is_empty(), "{} of {count}; {advice}:\n{}", differs.len(), differs.join("\n"));
}
