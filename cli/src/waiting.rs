//! What is recorded and not done yet: jobs, and deliveries that are held for accounts.

use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Output, Table, field, time};

/// Shows it.
pub(crate) async fn run(client: &Client, output: &Output) -> Result<(), Failure> {
    let items = client.list(&["v1", "waiting"]).await?;
    if output.json {
        return output.value(&json!({ "items": items, "next": null }));
    }
    let mut table = Table::new(&["kind", "what", "endpoint", "connected by", "count", "since", "due"]);
    for item in &items {
        let what = if item.get("account").is_some_and(Value::is_string) { "account" } else { "resource" };
        let texts = ["kind", what, "endpoint", "tenant", "hints"].map(|name| field(item, name));
        table.row(texts.into_iter().chain(["since", "due"].map(|name| time(item, name))));
    }
    output.table(&table, "Nothing waits.")
}
