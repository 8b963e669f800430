//! Calendars of a connection: which are read, block time in others, and are blocked.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::manage::report;
use crate::output::{Output, Table, field, harmless};

/// The calendars to show, or a choice for one of them.
#[derive(Args)]
pub(crate) struct CalendarsArguments {
    /// Connection.
    connection: String,
    /// Calendar, by its id; what is not said about it stays as it is.
    calendar: Option<String>,
    /// Read it.
    #[arg(long, requires = "calendar")]
    include: bool,
    /// Do not read it.
    #[arg(long, requires = "calendar", conflicts_with = "include")]
    exclude: bool,
    /// Whether its events block time in the person's other calendars.
    #[arg(long, value_name = "yes|no", requires = "calendar", value_parser = YES_OR_NO)]
    blocks_others: Option<String>,
    /// Whether events of the person's other calendars block time in it.
    #[arg(long, value_name = "yes|no", requires = "calendar", value_parser = YES_OR_NO)]
    is_blocked: Option<String>,
}

/// What is said to a choice.
const YES_OR_NO: [&str; 2] = ["yes", "no"];

impl CalendarsArguments {
    /// The body of the choice; empty if nothing is chosen.
    fn choice(&self) -> Map<String, Value> {
        let included = (self.include || self.exclude).then_some(self.include);
        let said = |text: &Option<String>| text.as_ref().map(|text| text == YES_OR_NO[0]);
        let choices = [
            ("included", included),
            ("blocks_others", said(&self.blocks_others)),
            ("is_blocked", said(&self.is_blocked)),
        ];
        choices.into_iter().filter_map(|(name, choice)| Some((name.to_owned(), json!(choice?)))).collect()
    }
}

/// Runs the command.
pub(crate) async fn run(arguments: CalendarsArguments, client: &Client, output: &Output) -> Result<(), Failure> {
    let choice = arguments.choice();
    let path = ["v1", "connections", &arguments.connection, "calendars"];
    if let Some(calendar) = arguments.calendar.as_deref().filter(|_| !choice.is_empty()) {
        let choice = choice.into_iter().chain([("calendar".to_owned(), json!(calendar))]).collect();
        let chosen = client.put(&path, &Value::Object(choice)).await?;
        return report(&chosen, &harmless(&told(&chosen)), output);
    }
    let items = client.list(&path).await?;
    let Some(calendar) = arguments.calendar else {
        if output.json {
            return output.value(&json!({ "items": items, "next": null }));
        }
        return show(&items, output);
    };
    match items.into_iter().find(|item| field(item, "id") == calendar) {
        Some(item) if output.json => output.value(&item),
        Some(item) => show(&[item], output),
        None => Err(Failure::Failed(format!(
            "There is no such calendar; `hooktide calendars {}` lists them by their ids.",
            arguments.connection
        ))),
    }
}

/// Shows these calendars to people.
fn show(items: &[Value], output: &Output) -> Result<(), Failure> {
    let mut table = Table::new(&["id", "name", "main", "included", "blocks others", "is blocked"]);
    for item in items {
        let choices =
            ["is_main", "included", "blocks_others", "is_blocked"].map(|name| yes_or_no(item, name).to_owned());
        table.row([field(item, "id"), field(item, "name")].into_iter().chain(choices));
    }
    output.table(&table, "There are no calendars: none has been read yet, or its provider has none.")
}

/// What is chosen for a calendar, in words.
fn told(chosen: &Value) -> String {
    let is = |name: &str| yes_or_no(chosen, name) == "yes";
    let reads = if is("included") { "is included" } else { "is not included" };
    let blocks = if is("blocks_others") { "blocks others" } else { "blocks no others" };
    let blocked = if is("is_blocked") { "is blocked" } else { "is not blocked" };
    format!("{} {reads}, {blocks} and {blocked}.", field(chosen, "name"))
}

fn yes_or_no(item: &Value, name: &str) -> &'static str {
    if item.get(name) == Some(&Value::Bool(true)) { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: CalendarsArguments,
    }

    #[test]
    fn a_choice_has_only_what_is_said() {
        for (line, expected) in [
            ("c a", json!({})),
            ("c a --include", json!({ "included": true })),
            ("c a --exclude --blocks-others no", json!({ "included": false, "blocks_others": false })),
            ("c a --is-blocked yes", json!({ "is_blocked": true })),
        ] {
            let line = Line::try_parse_from(["hooktide"].into_iter().chain(line.split(' '))).unwrap();
            assert_eq!(Value::Object(line.arguments.choice()), expected);
        }
    }

    #[test]
    fn a_choice_is_told_in_words() {
        let chosen = json!({ "name": "Team", "included": true, "blocks_others": true, "is_blocked": false });
        assert_eq!(told(&chosen), "Team is included, blocks others and is not blocked.");
    }
}
