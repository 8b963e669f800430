//! Providers whose clock is hours off: nothing is lost, nothing is deleted, and what rings is known at once.

use std::time::Duration;

use hooktide_tests::simulated::Simulated;
use jiff::SignedDuration;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// An edit of something new, and the text that its change has.
fn edit(provider: &str, number: u8) -> (Value, String) {
    match provider {
        "google-calendar" => {
            let at = |hour: u8| format!("2026-12-18T{hour:02}:00:00Z");
            let fields = json!({ "start": { "dateTime": at(number) }, "end": { "dateTime": at(number + 1) } });
            (json!({ "what": "event", "fields": fields }), at(number))
        }
        _ => {
            let name = format!("Gyokuro {number}");
            let field = if provider == "shopify" { "title" } else { "name" };
            (json!({ "what": "product", "fields": { field: name } }), name)
        }
    }
}

/// How the change with this text became known.
async fn via(simulated: &Simulated, text: &str) -> String {
    let changes = simulated.world.changes().await;
    let is_it = |change: &&Value| ["title", "start"].iter().any(|name| change["document"][name] == *text);
    changes.iter().find(is_it).and_then(|change| change["via"].as_str()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_provider_whose_clock_is_two_hours_off_is_read_and_told_all_the_same() {
    // A store that is called over plain HTTP is proved the time, and refuses one that is off; over HTTPS it is not.
    for provider in ["google-calendar", "shopify", "square"] {
        for hours in [-2, 2] {
            let case = format!("{provider}, {hours} h ahead");
            let simulated = Simulated::apart(provider, SignedDuration::from_hours(hours)).await;
            simulated.after(SECOND).await;
            let accepted = simulated.state().await["notifications"]["accepted"].as_u64().unwrap();
            let (rings, told) = edit(provider, 1);
            simulated.control("edit", rings).await;
            simulated.heard(accepted + 1).await;
            simulated.after(3 * SECOND).await;
            assert_eq!(via(&simulated, &told).await, "webhook", "{case}");
            simulated.control("faults", json!({ "drop": true })).await;
            let (silent, lost) = edit(provider, 2);
            simulated.control("edit", silent).await;
            // A night goes by, with its listing of everything.
            for _ in 0..4 {
                simulated.after(7 * HOUR).await;
            }
            assert!(["probe", "full"].contains(&via(&simulated, &lost).await.as_str()), "{case}");
            let changes = simulated.world.changes().await;
            let gone: Vec<&Value> = changes.iter().filter(|change| change["op"] == "deleted").collect();
            assert!(gone.is_empty(), "{case}: {gone:?}");
            let shown = simulated.world.get(&format!("/v1/connections/{}", simulated.connection)).await.expect(200);
            assert_eq!(shown["credentials"], "ok", "{case}: {shown}");
        }
    }
}
