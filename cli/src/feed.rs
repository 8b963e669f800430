//! The feed, a page at a time: the changes, and the outcome of each delivery.

use clap::Args;
use clap::builder::PossibleValuesParser;
use hooktide_model::names::{Kind, Outcome};
use serde_json::Value;

use crate::client::{Client, Page};
use crate::failure::Failure;
use crate::output::{Output, Table, field, harmless, time};

/// Which part of a feed.
#[derive(Args)]
pub(crate) struct Place {
    /// Cursor to go on from; `now` for what is still to come [default: the oldest kept].
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// How many at the most [default: the server's].
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
}

/// Which changes.
#[derive(Args)]
pub(crate) struct ChangesArguments {
    #[command(flatten)]
    place: Place,
    /// Only changes of this kind.
    #[arg(long, value_parser = PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.as_str())))]
    kind: Option<String>,
    /// Only changes with this tag, such as products or product/CONNECTION/*.
    #[arg(long)]
    tag: Option<String>,
}

/// Which activity.
#[derive(Args)]
pub(crate) struct ActivityArguments {
    #[command(flatten)]
    place: Place,
    /// Only activity of this connection.
    #[arg(long, value_name = "ID")]
    connection: Option<String>,
    /// Only activity with this outcome.
    #[arg(long, value_parser = PossibleValuesParser::new(Outcome::ALL.iter().map(|outcome| outcome.as_str())))]
    outcome: Option<String>,
}

/// Shows changes.
pub(crate) async fn changes(arguments: ChangesArguments, client: &Client, output: &Output) -> Result<(), Failure> {
    let query = query(arguments.place, [("kind", arguments.kind), ("tag", arguments.tag)]);
    let answer = client.get(&["v1", "changes"], &query).await?;
    show(answer, output, ["op", "provider", "entity", "version", "via"])
}

/// Shows activity.
pub(crate) async fn activity(arguments: ActivityArguments, client: &Client, output: &Output) -> Result<(), Failure> {
    let query = query(arguments.place, [("connection", arguments.connection), ("outcome", arguments.outcome)]);
    let answer = client.get(&["v1", "activity"], &query).await?;
    show(answer, output, ["outcome", "provider", "topic", "connection", "reason"])
}

fn query(place: Place, filters: [(&'static str, Option<String>); 2]) -> Vec<(&'static str, String)> {
    let place = [("after", place.after), ("limit", place.limit.map(|limit| limit.to_string()))];
    place.into_iter().chain(filters).filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Shows a page, with the time and these columns.
fn show(answer: Value, output: &Output, columns: [&str; 5]) -> Result<(), Failure> {
    if output.json {
        return output.value(&answer);
    }
    let page = Page::of(answer)?;
    let mut table = Table::new(&["processed"].into_iter().chain(columns).collect::<Vec<_>>());
    for item in &page.items {
        let texts = columns.map(|name| field(item, name));
        table.row([time(item, "processed_at")].into_iter().chain(texts));
    }
    output.table(&table, "There is nothing here yet.")?;
    if let Some(next) = page.next.filter(|_| page.more) {
        output.note(&format!("There is more: --after {}", harmless(&next)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_is_asked_for() {
        let place = Place { after: Some("c1".to_owned()), limit: Some(5) };
        let asked = query(place, [("kind", None), ("tag", Some("products".to_owned()))]);
        let expected = [("after", "c1"), ("limit", "5"), ("tag", "products")];
        assert_eq!(asked, expected.map(|(name, value)| (name, value.to_owned())));
    }
}
