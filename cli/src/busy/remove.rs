//! Removing blocks: asked for once, and followed until none is left or nothing more happens.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Output, field, harmless};

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long to wait for the next block to go.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many blocks a page has.
const PAGE: &str = "1000";

/// Removes the blocks of a connection.
pub(super) async fn run(connection: &str, client: &Client, output: &Output) -> Result<(), Failure> {
    let removal = client.post(&["v1", "busy", "remove"], &json!({ "connection": connection })).await?;
    let blocks = removal.get("blocks").and_then(Value::as_u64).unwrap_or_default();
    let is_watched = !output.json && std::io::stderr().is_terminal();
    let progress = if is_watched { ProgressBar::new(blocks) } else { ProgressBar::hidden() };
    let left = followed(connection, client, &progress).await;
    progress.finish_and_clear();
    let left = left?;
    if output.json {
        output.value(&json!({ "blocks": blocks, "left": left.len() }))?;
    } else if left.is_empty() {
        output.line(&format!("No block of {connection} is left; there were {blocks}. No more are made."))?;
    }
    match left.is_empty() {
        true => Ok(()),
        false => Err(Failure::Failed(told(connection, &left, &refused(&left, client).await))),
    }
}

/// Waits until no block is left, or none goes any more; returns those that are left.
#[expect(clippy::disallowed_methods, reason = "a person waits here, but not for ever")]
async fn followed(connection: &str, client: &Client, progress: &ProgressBar) -> Result<Vec<Value>, Failure> {
    let (mut fewest, mut since) = (usize::MAX, Instant::now());
    loop {
        let filter = vec![("connection", connection.to_owned()), ("limit", PAGE.to_owned())];
        let left = client.list_of(&["v1", "busy"], filter).await?;
        if left.len() < fewest {
            (fewest, since) = (left.len(), Instant::now());
            let gone = progress.length().unwrap_or_default().saturating_sub(left.len().try_into().unwrap_or(u64::MAX));
            progress.set_position(gone);
        }
        if left.is_empty() || since.elapsed() >= PATIENCE {
            return Ok(left);
        }
        sleep(PAUSE).await;
    }
}

/// The connections in which blocks are left and whose provider refuses the credentials, with what to do.
async fn refused(left: &[Value], client: &Client) -> BTreeMap<String, String> {
    let mut refused = BTreeMap::new();
    for id in by_connection(left).into_keys() {
        // What cannot be found out is not told.
        let Ok(connection) = client.get(&["v1", "connections", &id], &[]).await else { continue };
        if let Some(told) = connection.get("needs_reauthorization") {
            refused.insert(id, field(told, "advice"));
        }
    }
    refused
}

/// How many blocks are left in the calendars of each connection.
fn by_connection(left: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for block in left {
        *counts.entry(field(block, "connection")).or_default() += 1;
    }
    counts
}

/// What is left, why, and what to do.
fn told(connection: &str, left: &[Value], refused: &BTreeMap<String, String>) -> String {
    let mut lines = vec![format!("{} blocks are left; they are removed as soon as their providers allow.", left.len())];
    for (id, count) in by_connection(left) {
        let in_it = left.iter().filter(|block| field(block, "connection") == id);
        let reason = in_it.filter_map(|block| block.get("reason").and_then(Value::as_str)).next();
        let why = refused.get(&id).map(String::as_str).or(reason);
        lines.push(match why {
            Some(why) => format!("  {count} in {id}: {why}"),
            None => format!("  {count} in {id}"),
        });
    }
    lines.push(format!("`hooktide busy list --connection {connection}` lists them."));
    lines.iter().map(|line| harmless(line)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_by_connection_with_the_reason() {
        let block = |connection: &str, reason: Value| json!({ "connection": connection, "reason": reason });
        let left = [block("c1", Value::Null), block("c2", json!("not now")), block("c1", json!("odd"))];
        let refused = BTreeMap::from([("c1".to_owned(), "authorize it anew".to_owned())]);
        let expected = "3 blocks are left; they are removed as soon as their providers allow.\n  2 in c1: authorize it anew\n  \
                        1 in c2: not now\n`hooktide busy list --connection c1` lists them.";
        assert_eq!(told("c1", &left, &refused), expected);
    }
}
