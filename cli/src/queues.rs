//! Queues: how much waits in them.

use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Output, Table, field};

/// Shows them.
pub(crate) async fn run(client: &Client, output: &Output) -> Result<(), Failure> {
    let items = client.list(&["v1", "queues"]).await?;
    if output.json {
        return output.value(&json!({ "items": items, "next": null }));
    }
    let mut table = Table::new(&["queue", "depth", "delayed", "in flight", "oldest", "a second"]);
    for item in &items {
        let oldest = item.get("oldest_seconds").and_then(Value::as_u64).map(|seconds| format!("{seconds} s"));
        let rate = item.get("rate").and_then(Value::as_f64).map(|rate| format!("{rate:.1}"));
        let texts = ["name", "depth", "delayed", "in_flight"].map(|name| field(item, name));
        table.row(texts.into_iter().chain([oldest, rate].map(|text| text.unwrap_or_else(|| "-".to_owned()))));
    }
    output.table(&table, "The server's queues tell nothing.")
}
