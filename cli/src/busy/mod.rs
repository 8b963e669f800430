//! Blocks: times that are taken in a calendar because they are in another one of the same person.

mod remove;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Output, Table, field, harmless};

/// What can be done about blocks.
#[derive(Subcommand)]
pub(crate) enum BusyCommand {
    /// List the blocks that there are, and how far each is.
    List {
        #[command(flatten)]
        whose: Whose,
        /// Only those that lie in this connection's calendars, or stem from its events.
        #[arg(long, value_name = "ID")]
        connection: Option<String>,
    },
    /// Show what would be written into calendars now; nothing is.
    Plan {
        #[command(flatten)]
        whose: Whose,
    },
    /// Remove the blocks that lie in a connection's calendars and those that stem from its events, and make no more.
    Remove {
        /// Connection.
        connection: String,
    },
}

/// The person whose blocks they are.
#[derive(Args)]
pub(crate) struct Whose {
    /// Only of this person.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

impl Whose {
    /// The filter of a request.
    fn filter(self) -> Vec<(&'static str, String)> {
        self.user.map(|user| ("user", user)).into_iter().collect()
    }
}

/// Runs the command.
pub(crate) async fn run(command: BusyCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        BusyCommand::List { whose, connection } => {
            let filter = whose.filter().into_iter().chain(connection.map(|id| ("connection", id)));
            let items = client.list_of(&["v1", "busy"], filter.collect()).await?;
            if output.json {
                return output.value(&json!({ "items": items, "next": null }));
            }
            show(&items, "There are no blocks.", output)
        }
        BusyCommand::Plan { whose } => {
            let planned = client.get(&["v1", "busy", "plan"], &whose.filter()).await?;
            if output.json {
                return output.value(&planned);
            }
            let items = planned.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            let is_cut = planned.get("cut") == Some(&json!(true));
            let if_none = match is_cut {
                true => "Nothing is to be written for the events that there was time to look at.",
                false => "All is settled: nothing is to be written.",
            };
            show(&items, if_none, output)?;
            if is_cut {
                output.note("There may be more: one plan does not look at everything. `--user` plans for one person.");
            }
            crowded(&planned, output);
            Ok(())
        }
        BusyCommand::Remove { connection } => remove::run(&connection, client, output).await,
    }
}

/// Tells of calendars whose events make more blocks than are made.
pub(crate) fn crowded(item: &Value, output: &Output) {
    for one in item.get("crowded").and_then(Value::as_array).into_iter().flatten() {
        let [connection, calendar, reason] = ["connection", "calendar", "reason"].map(|name| field(one, name));
        output.note(&harmless(&format!("Calendar {calendar} of {connection}: {reason}.")));
    }
}

/// Shows these blocks to people.
fn show(items: &[Value], if_none: &str, output: &Output) -> Result<(), Failure> {
    let mut table = Table::new(&["state", "start", "end", "connection", "calendar", "because of", "reason"]);
    for item in items {
        let names = ["state", "start", "end", "connection", "calendar", "source", "reason"];
        table.row(names.map(|name| field(item, name)));
    }
    output.table(&table, if_none)
}
