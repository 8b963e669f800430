//! Syncs: asked for, shown, tested, switched on and off.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::manage::report;
use crate::output::{Output, Table, facts, field, harmless};
use crate::{busy, resources, subscriptions};

/// A sync to begin, or what else to do about syncs.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct SyncArguments {
    #[command(subcommand)]
    command: Option<SyncCommand>,
    /// Connection to sync.
    #[arg(required = true)]
    id: Option<String>,
    /// Read everything and compare it, rather than what changed.
    #[arg(long)]
    full: bool,
    /// Forget first how far everything was read.
    #[arg(long)]
    reset: bool,
    /// Only this resource, such as products or calendar/CALENDAR.
    #[arg(long, value_name = "NAME")]
    resource: Option<String>,
}

/// What else to do about syncs.
#[derive(Subcommand)]
enum SyncCommand {
    /// Show how a connection is synced: its mode, rules, credentials, resources and subscriptions.
    Status {
        /// Connection.
        id: String,
    },
    /// Switch the sync of a connection on; what changed meanwhile is found.
    Enable {
        /// Connection.
        id: String,
        /// Rule to set, such as propagateInventory=true; can be repeated.
        #[arg(long = "rule", value_name = "NAME=true|false", value_parser = rule)]
        rules: Vec<(String, bool)>,
    },
    /// Switch the sync of a connection off: it is neither polled nor subscribed; deliveries that come all the same are kept.
    Disable {
        /// Connection.
        id: String,
    },
    /// Switch all connections, or a share of them, to polling, or back to webhooks; or one, whatever is switched for all.
    Mode {
        /// Mode; `default` leaves one connection to what is switched for all.
        #[arg(value_parser = ["auto", "polling", "default"])]
        mode: String,
        /// How many of a hundred connections; the rest have the other mode.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(0..=100))]
        percent: u8,
        /// Only this connection.
        #[arg(long, value_name = "ID", conflicts_with = "percent")]
        connection: Option<String>,
    },
    /// Check the credentials, our address, the subscriptions and a question to the provider.
    Test {
        /// Connection.
        id: String,
    },
}

/// Runs the command.
pub(crate) async fn run(arguments: SyncArguments, client: &Client, output: &Output) -> Result<(), Failure> {
    match arguments.command {
        None => begin(arguments, client, output).await,
        Some(SyncCommand::Status { id }) => {
            let status = client.get(&["v1", "connections", &id, "sync"], &[]).await?;
            show(&status, output)
        }
        Some(SyncCommand::Enable { id, rules }) => {
            let mut rules: Map<String, Value> = rules.into_iter().map(|(name, value)| (name, json!(value))).collect();
            rules.insert("realtimeSyncEnabled".to_owned(), json!(true));
            let status = client.put(&["v1", "connections", &id, "sync"], &json!({ "rules": rules })).await?;
            report(&status, &format!("{id} is synced."), output)
        }
        Some(SyncCommand::Disable { id }) => {
            let rules = json!({ "rules": { "realtimeSyncEnabled": false } });
            let status = client.put(&["v1", "connections", &id, "sync"], &rules).await?;
            report(&status, &format!("{id} is not synced any more; `hooktide sync enable {id}` ends that."), output)
        }
        Some(SyncCommand::Mode { mode, percent, connection }) => {
            switch((mode, percent), connection.as_deref(), client, output).await
        }
        Some(SyncCommand::Test { id }) => test(&id, client, output).await,
    }
}

/// Asks for a sync.
async fn begin(arguments: SyncArguments, client: &Client, output: &Output) -> Result<(), Failure> {
    let SyncArguments { id, full, reset, resource, .. } = arguments;
    let id = id.unwrap_or_default();
    let body = json!({ "full": full, "reset": reset, "resource": resource });
    let begun = client.post(&["v1", "connections", &id, "sync", "run"], &body).await?;
    let line =
        format!("A sync of {} begins; `hooktide sync status {id}` shows how it ended.", field(&begun, "resources"));
    report(&begun, &harmless(&line), output)
}

/// Switches one connection, or a share of all.
async fn switch(
    (mode, percent): (String, u8),
    connection: Option<&str>,
    client: &Client,
    output: &Output,
) -> Result<(), Failure> {
    let own = (mode != "default").then_some(&mode);
    match (connection, own) {
        (Some(id), own) => {
            let status = client.put(&["v1", "connections", id, "sync"], &json!({ "mode": own })).await?;
            report(&status, &format!("{id} is in mode {} now.", harmless(&field(&status, "mode"))), output)
        }
        (None, Some(mode)) => {
            let switched = client.post(&["v1", "sync", "mode"], &json!({ "mode": mode, "percent": percent })).await?;
            let (own, operator) = (field(&switched, "polling_percent"), field(&switched, "operator_polling_percent"));
            let line = format!(
                "{own} % of the connections are switched to polling, {operator} % by the operator; `hooktide activity` \
                 shows how many had to change."
            );
            report(&switched, &harmless(&line), output)
        }
        (None, None) => Err(Failure::Usage(
            "`default` is for one connection: name it with --connection. `hooktide sync mode auto` undoes what is \
             switched for all."
                .to_owned(),
        )),
    }
}

fn show(status: &Value, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.value(status);
    }
    let mode = format!("{} ({})", field(status, "mode"), field(status, "mode_from"));
    let rules = status.get("rules").and_then(Value::as_object).into_iter().flatten();
    let rules: Vec<&str> = rules.filter(|(_, on)| **on == json!(true)).map(|(name, _)| name.as_str()).collect();
    let told = [
        ("connection", field(status, "connection")),
        ("provider", field(status, "provider")),
        ("mode", mode),
        ("rules", rules.join(", ")),
        ("credentials", field(status, "credentials")),
    ];
    output.line(&facts(told))?;
    output.line("")?;
    resources::show(&items(status, "resources"), output)?;
    output.line("")?;
    subscriptions::show(&items(status, "subscriptions"), output)?;
    busy::crowded(status, output);
    Ok(())
}

fn items(status: &Value, name: &str) -> Vec<Value> {
    status.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Tests a connection; fails if a check does.
async fn test(id: &str, client: &Client, output: &Output) -> Result<(), Failure> {
    let tested = client.post(&["v1", "connections", id, "sync", "test"], &json!({})).await?;
    let checks = items(&tested, "checks");
    if output.json {
        output.value(&tested)?;
    } else {
        let mut table = Table::new(&["check", "result", "detail", "what to do"]);
        for check in &checks {
            let result = if check.get("ok") == Some(&json!(true)) { "ok" } else { "failed" };
            table.row([field(check, "name"), result.to_owned(), field(check, "detail"), field(check, "advice")]);
        }
        output.table(&table, "Nothing was checked.")?;
    }
    let failed: Vec<String> =
        checks.iter().filter(|check| check.get("ok") != Some(&json!(true))).map(|check| field(check, "name")).collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::Failed(format!("{id} is not well: {}.", harmless(&failed.join(", "))))),
    }
}

/// Reads `NAME=true|false`.
fn rule(text: &str) -> Result<(String, bool), String> {
    let expected = "expected NAME=true or NAME=false";
    let (name, value) = text.split_once('=').ok_or(expected)?;
    Ok((name.to_owned(), value.parse().map_err(|_| expected.to_owned())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_on_or_off() {
        assert_eq!(rule("propagateChanges=true"), Ok(("propagateChanges".to_owned(), true)));
        assert_eq!(rule("propagateChanges=false"), Ok(("propagateChanges".to_owned(), false)));
        assert!(rule("propagateChanges").is_err() && rule("propagateChanges=1").is_err());
    }
}
