//! The promises of [`Bus`].

use hooktide_model::names::Channel;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Bus, BusEntry};
use serde_json::{Value, json};

/// What the checks publish: of several channels, more than one call carries, some of them large.
pub fn entries() -> Vec<BusEntry> {
    let channels = [Channel::ProductUpdates, Channel::ProductCacheInvalidation, Channel::StockUpdates];
    let text = |n: usize| if n.is_multiple_of(5) { "x".repeat(60 * 1024) } else { "größe".to_owned() };
    let detail =
        |n: usize| json!({ "tenant": "contract", "changes": [{ "id": format!("change-{n:02}"), "text": text(n) }] });
    let entry = |n| BusEntry { tenant: tenant(), channel: channels[n % channels.len()], detail: detail(n).to_string() };
    (0..23).map(entry).collect()
}

/// The changes that an entry tells.
pub fn changes_of(entry: &BusEntry) -> Vec<Value> {
    let detail: Value = serde_json::from_str(&entry.detail).expect("JSON");
    detail["changes"].as_array().cloned().expect("changes")
}

fn tenant() -> Tenant {
    Tenant::system()
}

/// Panics if the bus refuses entries of allowed size, or answers for another number of them.
pub async fn keeps_its_promises(bus: &dyn Bus) {
    let entries = entries();
    let count = entries.len();
    assert_eq!(bus.publish(entries).await, vec![Ok(()); count]);
    assert_eq!(bus.publish(vec![]).await, []);
}

/// What listeners must have heard after [`keeps_its_promises`], as `(channel, detail)`.
pub fn heard() -> Vec<(String, Value)> {
    let mut heard: Vec<(String, Value)> = entries()
        .into_iter()
        .map(|entry| (entry.channel.to_string(), serde_json::from_str(&entry.detail).expect("JSON")))
        .collect();
    heard.sort_by_key(|(_, detail)| detail["changes"][0]["id"].to_string());
    heard
}
