//! Subscriptions: how each is doing, and enabling one that was given up.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::manage::report;
use crate::output::{Output, Table, field, harmless, time};
use crate::resources::OfConnection;

/// The subscriptions to show, or one to enable.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SubscriptionsArguments {
    #[command(subcommand)]
    command: Option<SubscriptionsCommand>,
    #[command(flatten)]
    which: OfConnection,
}

/// What to do about a subscription.
#[derive(Subcommand)]
enum SubscriptionsCommand {
    /// Enable one that was given up: it is repaired at once.
    Enable {
        /// Its id, as the list has it.
        id: String,
    },
}

/// Runs the command.
pub(crate) async fn run(arguments: SubscriptionsArguments, client: &Client, output: &Output) -> Result<(), Failure> {
    if let Some(SubscriptionsCommand::Enable { id }) = arguments.command {
        let enabled = client.post(&["v1", "subscriptions", &id, "enable"], &json!({})).await?;
        return report(&enabled, &harmless(&format!("{id} is {}.", field(&enabled, "state"))), output);
    }
    let items = arguments.which.list("subscriptions", client).await?;
    if output.json {
        return output.value(&json!({ "items": items, "next": null }));
    }
    show(&items, output)
}

/// Shows these subscriptions to people.
pub(crate) fn show(items: &[Value], output: &Output) -> Result<(), Failure> {
    let mut table = Table::new(&["id", "resource", "topic", "state", "failures", "since", "expires", "reason"]);
    for item in items {
        let texts = ["id", "resource", "topic", "state", "failures"].map(|name| field(item, name));
        let times = ["since", "expires_at"].map(|name| time(item, name));
        table.row(texts.into_iter().chain(times).chain([field(item, "reason")]));
    }
    output.table(&table, "There are no subscriptions.")?;
    for item in items {
        if let Some(advice) = item.get("advice").and_then(Value::as_str) {
            output.line(&harmless(&format!("{}: {advice}", field(item, "id"))))?;
        }
    }
    Ok(())
}
