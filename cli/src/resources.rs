//! Resources: how each is read, how far, and what that costs.

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Output, Table, field, time};

/// Which ones.
#[derive(Args)]
pub(crate) struct OfConnection {
    /// Only of this connection.
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<String>,
}

impl OfConnection {
    /// All items of a list that are of the connection.
    pub(crate) async fn list(self, path: &str, client: &Client) -> Result<Vec<Value>, Failure> {
        let query = self.connection.map(|id| ("connection", id)).into_iter().collect();
        client.list_of(&["v1", path], query).await
    }
}

/// Shows the resources.
pub(crate) async fn run(arguments: OfConnection, client: &Client, output: &Output) -> Result<(), Failure> {
    let items = arguments.list("resources", client).await?;
    if output.json {
        return output.value(&json!({ "items": items, "next": null }));
    }
    show(&items, output)
}

/// Shows these resources to people.
pub(crate) fn show(items: &[Value], output: &Output) -> Result<(), Failure> {
    let headers = ["resource", "connection", "mode", "read", "last sync", "outcome", "next due", "calls", "missed"];
    let mut table = Table::new(&headers);
    for item in items {
        let last = item.get("last_sync").cloned().unwrap_or_default();
        let outcome = match last.get("reason").and_then(Value::as_str) {
            Some(reason) => format!("{}: {reason}", field(&last, "outcome")),
            None => field(&last, "outcome"),
        };
        let age = match item.get("cursor_age_seconds").and_then(Value::as_u64) {
            Some(seconds) => format!("{seconds} s ago"),
            None => "never".to_owned(),
        };
        let calls = format!("{} of {}", field(item, "calls_today"), field(item, "polling_would_have_cost"));
        table.row([
            field(item, "resource"),
            field(item, "connection"),
            field(item, "mode"),
            age,
            format!("{} {}", field(&last, "kind"), time(&last, "at")),
            outcome,
            time(item, "next_due"),
            calls,
            field(item, "missed"),
        ]);
    }
    output.table(&table, "There are no resources: no connection has been read yet.")
}
