//! Series of events and their occurrences, over HTTP against a simulator: an occurrence ends with its series, and one that is
//! restored is there again.

use std::collections::BTreeMap;
use std::time::Duration;

use hooktide_tests::bent::Bend;
use hooktide_tests::simulated::Simulated;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const MAIN: &str = "owner@example.com";

/// A calendar with a weekly series, of which one occurrence is moved and another one cancelled.
struct Calendar {
    simulated: Simulated,
    /// The id of the series.
    series: String,
}

impl Calendar {
    async fn new() -> Self {
        let simulated = Simulated::google_calendar().await;
        let changes = simulated.world.changes().await;
        let recurs = |change: &&Value| !change["document"]["recurrence"][0].is_null();
        let series = changes.iter().find(recurs).expect("a series")["document"]["id"].as_str().unwrap().to_owned();
        Self { simulated, series }
    }

    /// The id of an occurrence.
    fn occurrence(&self, begins: &str) -> String {
        format!("{MAIN}/{}_{begins}", self.series)
    }

    /// Edits something, and lets the message about it be accepted.
    async fn edit(&self, edit: Value) {
        let accepted = self.simulated.state().await["notifications"]["accepted"].as_u64().unwrap();
        self.simulated.control("edit", edit).await;
        self.simulated.heard(accepted + 1).await;
    }

    /// What is known of the series' occurrences: their ids, and whether each blocks time, or is gone.
    async fn occurrences(&self) -> Vec<(String, Option<bool>)> {
        let prefix = format!("{}_", self.series);
        let mut known = BTreeMap::new();
        for change in self.simulated.world.changes().await {
            let entity = change["entity"].as_str().unwrap();
            if let Some((_, begins)) = entity.rsplit_once('/').filter(|(_, id)| id.starts_with(&prefix)) {
                known.insert(begins[prefix.len()..].to_owned(), change["document"]["busy"].as_bool());
            }
        }
        known.into_iter().collect()
    }
}

fn expected(occurrences: &[(&str, Option<bool>)]) -> Vec<(String, Option<bool>)> {
    occurrences.iter().map(|(begins, busy)| ((*begins).to_owned(), *busy)).collect()
}

#[tokio::test]
async fn the_occurrences_of_a_series_end_with_it_although_nobody_names_them() {
    let calendar = Calendar::new().await;
    let (moved, cancelled) = ("20261207T080000Z", "20261214T080000Z");
    assert_eq!(calendar.occurrences().await, expected(&[(moved, Some(true)), (cancelled, Some(false))]));
    calendar.simulated.bends.set(Bend::LacksItemsWith("recurringEventId"));
    calendar.edit(json!({ "what": "event", "id": format!("{MAIN}/{}", calendar.series) })).await;
    calendar.simulated.after(3 * SECOND).await;
    assert_eq!(
        calendar.occurrences().await,
        expected(&[(moved, None), (cancelled, None)]),
        "and not by the night alone"
    );
}

#[tokio::test]
async fn occurrences_on_a_page_before_that_of_their_series_end_with_it() {
    let calendar = Calendar::new().await;
    let [moved, cancelled, other] = ["20261207T080000Z", "20261214T080000Z", "20261221T080000Z"];
    let own = |begins: &str| format!("{}_{begins}", calendar.series);
    let stub = json!({
        "id": own(other), "status": "cancelled", "recurringEventId": calendar.series,
        "originalStartTime": { "dateTime": "2026-12-21T08:00:00Z" }, "updated": "2026-11-28T11:00:00Z",
    });
    let zone = "Europe/Vienna";
    let pages = [
        json!({ "items": [{ "id": calendar.series, "status": "cancelled" }], "timeZone": zone, "nextSyncToken": "next" }),
        json!({ "items": [stub], "timeZone": zone, "nextPageToken": "second" }),
    ];
    // What is answered lives as long as the server.
    let pages = pages.map(|page| &*Box::leak(page.to_string().into_boxed_str()));
    calendar.simulated.bends.set(Bend::InTurn(Box::leak(Box::new(pages))));
    calendar.edit(json!({ "what": "event", "fields": {} })).await;
    calendar.simulated.after(3 * SECOND).await;
    let gone = [(moved, None), (cancelled, None), (other, None)];
    assert_eq!(calendar.occurrences().await, expected(&gone));
}

#[tokio::test]
async fn our_clock_ahead_hides_no_occurrence_that_is_restored() {
    let calendar = Calendar::new().await;
    let begins = "20261221T080000Z";
    let (clock, ahead) = (&calendar.simulated.world.clock, Duration::from_secs(7200));
    let edit = async |fields: Option<Value>| {
        let mut edit = json!({ "what": "event", "id": calendar.occurrence(begins) });
        fields.into_iter().for_each(|fields| edit["fields"] = fields);
        calendar.edit(edit).await;
        // We live two hours later than the provider.
        clock.advance(ahead);
        calendar.simulated.after(3 * SECOND).await;
        clock.set(calendar.simulated.world.now() - ahead);
    };
    let is_busy = async || {
        let occurrences = calendar.occurrences().await;
        occurrences.into_iter().find(|(id, _)| id == begins).and_then(|(_, busy)| busy)
    };
    edit(None).await;
    assert_eq!(is_busy().await, Some(false), "it does not take place");
    edit(Some(json!({ "status": "confirmed" }))).await;
    assert_eq!(is_busy().await, Some(true), "it does, although its date is older than the receipt of what was known");
}
