//! Calendars of one person, at the simulators of one provider or several, which block each other.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hooktide_flows::message::Message;
use hooktide_model::envelope::{Envelope, EnvelopeKind};
use hooktide_model::job_kind::JobKind;
use hooktide_model::part;
use hooktide_store::ports::QueueName;
use http::Method;
use serde_json::{Map, Value, json};

use crate::simulated::Simulated;
use crate::world::World;

/// The job that looks at events.
const LOOKS: JobKind = JobKind::named("busy");
const SECOND: Duration = Duration::from_secs(1);
/// Longer than any time between two polls of a calendar.
const POLL: Duration = Duration::from_secs(11 * 60);
/// How long a notification is waited for; not every edit makes one.
const PATIENCE: Duration = Duration::from_secs(2);

/// The calendars of a person.
pub struct Blocking {
    /// The accounts.
    pub sides: Vec<Side>,
}

/// An account of a person.
pub struct Side {
    /// Its simulator.
    pub simulated: Simulated,
    /// The provider.
    pub provider: &'static str,
    /// Its main calendar.
    pub main: String,
    /// Its other calendar that can be written, if there is one.
    pub other: String,
}

impl Deref for Side {
    type Target = Simulated;

    fn deref(&self) -> &Simulated {
        &self.simulated
    }
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blocked {
    /// The start.
    pub start: String,
    /// The end.
    pub end: String,
    /// The calendar that it lies in.
    pub calendar: String,
    /// How far it is.
    pub state: String,
    /// The event that it stems from.
    pub source: String,
    /// The provider's id.
    pub provider_id: String,
    /// The reason for the state.
    pub reason: String,
}

impl Blocked {
    /// Whether it stems from an event, by its id with or without its calendar's.
    pub fn stems_from(&self, event: &str) -> bool {
        let own = part::ids_of(event).map_or_else(|| event.to_owned(), |(_, id)| id);
        self.source.ends_with(&format!("/{own}"))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Blocking {
    /// One main calendar at each of these providers, all of which block each other.
    pub async fn between(providers: &[&'static str]) -> Self {
        let blocking = Self::apart(providers).await;
        for side in &blocking.sides {
            let choice = json!({ "blocks_others": true, "is_blocked": side.provider != "ics" });
            blocking.choose(side, &side.main, choice).await.expect("a choice");
        }
        blocking.settle().await;
        blocking
    }

    /// Two calendars of one account that block each other.
    pub async fn within(provider: &'static str) -> Self {
        let blocking = Self::apart(&[provider]).await;
        let side = &blocking.sides[0];
        for calendar in [&side.main, &side.other] {
            let choice = json!({ "blocks_others": true, "is_blocked": true });
            blocking.choose(side, calendar, choice).await.expect("a choice");
        }
        blocking.settle().await;
        blocking
    }

    /// Accounts whose calendars neither block nor are blocked yet.
    pub async fn apart(providers: &[&'static str]) -> Self {
        let mut sides = Vec::new();
        for (provider, simulated) in providers.iter().zip(Simulated::several(providers).await) {
            sides.push(Side { simulated, provider, main: String::new(), other: String::new() });
        }
        let mut blocking = Self { sides };
        for _ in 0..2 {
            blocking.sides[0].after(SECOND).await;
        }
        for at in 0..blocking.sides.len() {
            let side = &blocking.sides[at];
            let path = format!("/v1/connections/{}/calendars", side.connection);
            let listed = side.world.get(&path).await.expect(200);
            let mut listed: Vec<Value> = listed["items"].as_array().cloned().unwrap_or_default();
            listed.sort_by_key(|one| (one["is_main"] != true, text(&one["name"]) != "Home", text(&one["name"])));
            let mut ids = listed.iter().filter(|one| one["name"] != "Holidays in Austria").map(|one| text(&one["id"]));
            let main = ids.next().expect("a calendar");
            let other = ids.next().unwrap_or_default();
            (blocking.sides[at].main, blocking.sides[at].other) = (main, other);
        }
        blocking
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.sides[0].world
    }

    /// Chooses for a calendar; what it is then, or `None` if that is refused.
    pub async fn choose(&self, side: &Side, calendar: &str, choice: Value) -> Option<Value> {
        let id: String = calendar.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/v1/connections/{}/calendars/{id}", side.connection);
        let answer = self.world().put(&path, choice).await;
        (answer.status == 200).then(|| answer.json())
    }

    /// Sets settings of a connection.
    pub async fn set(&self, side: &Side, settings: Value) {
        let path = format!("/v1/connections/{}", side.connection);
        let world = self.world();
        let body = Some(json!({ "settings": settings }));
        world.call(&world.operator, Method::PATCH, &path, body).await.expect(200);
    }

    /// Lets everything be done that is due soon.
    pub async fn settle(&self) {
        for _ in 0..6 {
            // What was written rings as well, over a network that takes its time.
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.sides[0].after(5 * SECOND).await;
        }
    }

    /// Lets so many hours pass, with what is due in them.
    pub async fn hours(&self, hours: u32) {
        for _ in 0..hours {
            self.sides[0].after(3600 * SECOND).await;
        }
        self.settle().await;
    }

    /// Does the looks at events that are due, and nothing else, in runs that have hardly any time; how many runs that took.
    pub async fn hurry(&self) -> usize {
        let world = self.world();
        let is_look = |message: &Message| match Envelope::decode(&message.body).expect("an envelope").kind {
            EnvelopeKind::Job(job) => job.job == LOOKS,
            _ => false,
        };
        for runs in 0..1_000 {
            let mut messages = world.take_messages(QueueName::Jobs).await;
            messages.retain(is_look);
            if messages.is_empty() {
                return runs;
            }
            for message in messages {
                let asked = AtomicUsize::new(0);
                let is_over = || asked.fetch_add(1, Ordering::Relaxed) > 0;
                let failed = world.host.syncer.run_until(vec![message], world.now(), &is_over).await;
                assert_eq!(failed, Vec::<String>::new());
            }
            world.clock.advance(30 * SECOND);
        }
        panic!("the looks never end");
    }

    /// Edits something; waits until it is heard, or polled; and lets everything be done that follows. Returns its id.
    pub async fn edit(&self, side: &Side, what: &str, id: Value, fields: Value) -> String {
        let accepted = async || side.state().await["notifications"]["accepted"].as_u64();
        let before = accepted().await;
        let made = side.control("edit", json!({ "what": what, "id": id, "fields": fields })).await;
        if matches!(side.provider, "caldav" | "ics") {
            side.after(POLL).await;
        } else {
            let heard = async {
                while accepted().await <= before {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::time::timeout(PATIENCE, heard).await.ok();
        }
        self.settle().await;
        text(&made["id"])
    }

    /// Makes an event, or moves one; from when to when is RFC 3339 in UTC, or plain dates.
    pub async fn put(&self, side: &Side, id: Value, (start, end): (&str, &str), more: Value) -> String {
        let mut fields = times(side.provider, start, end);
        if let Value::Object(more) = more {
            fields.extend(more);
        }
        self.edit(side, "event", id, fields.into()).await
    }

    /// Makes an event in the main calendar.
    pub async fn make(&self, side: &Side, start: &str, end: &str) -> String {
        self.put(side, Value::Null, (start, end), json!({})).await
    }

    /// Deletes an event.
    pub async fn delete(&self, side: &Side, id: &str) {
        self.edit(side, "event", json!(id), Value::Null).await;
    }

    /// The blocks, in order.
    pub async fn blocks(&self) -> Vec<Blocked> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.world().get(&format!("/v1/busy?limit=200{after}")).await.expect(200);
            all.extend(page["items"].as_array().into_iter().flatten().map(|one| Blocked {
                start: text(&one["start"]),
                end: text(&one["end"]),
                calendar: text(&one["calendar"]),
                state: text(&one["state"]),
                source: text(&one["source"]),
                provider_id: text(&one["provider_id"]),
                reason: text(&one["reason"]),
            }));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={}", next.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>());
        }
        all.sort();
        all
    }

    /// The blocks that lie in a calendar and stem from an event, by their starts, each with its state unless that is `there`.
    pub async fn of(&self, calendar: &str, event: &str) -> Vec<String> {
        let told = |one: Blocked| if one.state == "there" { one.start } else { format!("{} {}", one.start, one.state) };
        let blocks = self.blocks().await.into_iter();
        blocks.filter(|one| one.calendar == calendar && one.stems_from(event)).map(told).collect()
    }

    /// What would be done now.
    pub async fn plan(&self) -> Value {
        self.world().get("/v1/busy/plan").await.expect(200)["items"].clone()
    }

    /// How many writes of events a provider got.
    pub async fn writes(&self, side: &Side) -> u64 {
        let state = side.state().await;
        let calls = state["account"]["calls"].as_object().cloned().unwrap_or_default();
        let is_write = |kind: &str| {
            let writes = ["POST ", "PUT ", "PATCH ", "DELETE "].iter().any(|method| kind.starts_with(method));
            writes && ["watch", "channels", "subscriptions", "token"].iter().all(|other| !kind.contains(other))
        };
        calls.iter().filter(|(kind, _)| is_write(kind)).filter_map(|(_, count)| count.as_u64()).sum()
    }

    /// The events that are there, as they were read last: those that are blocks of ours, each with its start.
    pub async fn copies(&self) -> Vec<String> {
        let mut there: Map<String, Value> = Map::new();
        for change in self.world().changes().await {
            there.insert(text(&change["entity"]), change["document"].clone());
        }
        let ours = there.into_iter().filter(|(_, document)| document["own_block"] == true);
        ours.map(|(entity, document)| format!("{entity} {}", text(&document["start"]))).collect()
    }

    /// Asks for the removal of the blocks of a connection, and lets that be done.
    pub async fn remove(&self, side: &Side) {
        self.world().post("/v1/busy/remove", json!({ "connection": side.connection })).await.expect(202);
        self.settle().await;
    }

    /// All that the activity says, line by line.
    pub async fn told(&self) -> String {
        let activity = self.world().activity().await;
        let reasons: Vec<String> = activity.iter().map(|entry| text(&entry["reason"])).collect();
        reasons.join("\n")
    }
}

/// The fields by which a provider's event is at a time.
fn times(provider: &str, start: &str, end: &str) -> Map<String, Value> {
    let is_day = start.len() == 10;
    let fields = match provider {
        "google-calendar" if is_day => json!({ "start": { "date": start }, "end": { "date": end } }),
        "google-calendar" => json!({ "start": { "dateTime": start }, "end": { "dateTime": end } }),
        "microsoft-graph" => {
            let at = |text: &str| {
                let local = if is_day { format!("{text}T00:00:00") } else { text.trim_end_matches('Z').to_owned() };
                json!({ "dateTime": local, "timeZone": "UTC" })
            };
            json!({ "start": at(start), "end": at(end), "isAllDay": is_day })
        }
        _ => {
            let at = |text: &str| text.replace(['-', ':'], "");
            let kind = if is_day { ";VALUE=DATE" } else { "" };
            json!({ format!("DTSTART{kind}"): at(start), format!("DTEND{kind}"): at(end) })
        }
    };
    fields.as_object().cloned().unwrap_or_default()
}
