//! Dead letters: what could not be processed, kept whole until it is replayed or discarded.

mod filter;

use clap::Subcommand;
use futures::{StreamExt, TryStreamExt};
use hooktide_store::records::replay::Filter;
use indicatif::ProgressBar;
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value, json};

use self::filter::{Chosen, Which, is_meant};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Output, Table, facts, field, harmless, time};

/// How many are discarded at the same time.
const AT_ONCE: usize = 8;
/// Where they are.
const PATH: [&str; 2] = ["v1", "dead-letters"];

/// What can be done to dead letters.
#[derive(Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List them.
    List {
        #[command(flatten)]
        which: Which,
        /// How many at the most.
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Show one whole.
    Show {
        /// Its id.
        id: String,
    },
    /// Send them through processing again.
    Replay {
        #[command(flatten)]
        chosen: Chosen,
        /// How many a second [default: the server's].
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        rate: Option<u32>,
    },
    /// Delete them for good.
    Discard {
        #[command(flatten)]
        chosen: Chosen,
    },
}

/// Does it.
pub(crate) async fn run(command: DeadLettersCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    let now = Timestamp::now();
    match command {
        DeadLettersCommand::List { which, limit } => list(&which.filter(now), limit, client, output).await,
        DeadLettersCommand::Show { id } => show(&client.get(&[PATH[0], PATH[1], &id], &[]).await?, output),
        DeadLettersCommand::Replay { chosen, rate } => {
            let dry_run = chosen.dry_run;
            replay(&chosen.filter(now)?, dry_run, rate, client, output).await
        }
        DeadLettersCommand::Discard { chosen } => {
            let dry_run = chosen.dry_run;
            discard(&chosen.filter(now)?, dry_run, client, output).await
        }
    }
}

async fn list(filter: &Filter, limit: usize, client: &Client, output: &Output) -> Result<(), Failure> {
    // One more than shown tells whether there are more.
    let mut letters = matching(filter, limit.saturating_add(1), client).await?;
    let more = letters.len() > limit;
    letters.truncate(limit);
    if output.json {
        letters.iter().try_for_each(|letter| output.value(letter))?;
    } else {
        let mut table = Table::new(&["id", "received", "class", "provider", "topic", "connection", "reason"]);
        for letter in &letters {
            let texts = ["class", "provider", "topic", "connection", "reason"].map(|name| field(letter, name));
            table.row([field(letter, "id"), time(letter, "received_at")].into_iter().chain(texts));
        }
        output.table(&table, "There are none.")?;
    }
    if more {
        output.note(&format!("These are the first {limit}; --limit shows more."));
    }
    Ok(())
}

fn show(letter: &Value, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.value(letter);
    }
    let fields = letter.as_object().into_iter().flatten();
    output.line(&facts(fields.map(|(name, _)| (name.as_str(), field(letter, name)))))
}

async fn replay(
    filter: &Filter,
    dry_run: bool,
    rate: Option<u32>,
    client: &Client,
    output: &Output,
) -> Result<(), Failure> {
    let answer = client.post(&[PATH[0], PATH[1], "replay"], &replay_body(filter, dry_run, rate)).await?;
    if output.json {
        return output.value(&answer);
    }
    let matched = harmless(&field(&answer, "matched"));
    output.line(&match (dry_run, matched.as_str()) {
        (true, _) => format!("{matched} would be replayed."),
        (false, "0") => "None matches; nothing is replayed.".to_owned(),
        (false, _) => {
            let id = harmless(&field(&answer, "replay"));
            format!("Replaying {matched} (replay {id}). Follow with `hooktide tail`.")
        }
    })
}

fn replay_body(filter: &Filter, dry_run: bool, rate: Option<u32>) -> Value {
    let mut body = json!({ "filter": filter, "dry_run": dry_run });
    if let Some(rate) = rate {
        body["rate_per_second"] = json!(rate);
    }
    body
}

/// Deletes one by one, since the server deletes one at a time. What somebody else discarded meanwhile is fine, too.
async fn discard(filter: &Filter, dry_run: bool, client: &Client, output: &Output) -> Result<(), Failure> {
    let letters = matching(filter, usize::MAX, client).await?;
    if dry_run {
        let matched = letters.len();
        return told(output, &json!({ "matched": matched, "discarded": 0 }), &format!("{matched} would be discarded."));
    }
    let progress = if output.json { ProgressBar::hidden() } else { ProgressBar::new(letters.len() as u64) };
    let deletions = letters.iter().map(|letter| {
        let progress = &progress;
        async move {
            let deleted = client.delete(&[PATH[0], PATH[1], &field(letter, "id")]).await;
            progress.inc(1);
            match deleted {
                Err(failure) if failure.is_status(StatusCode::NOT_FOUND) => Ok(0),
                deleted => deleted.map(|_| 1_u64),
            }
        }
    });
    let counts = futures::stream::iter(deletions).buffer_unordered(AT_ONCE);
    let discarded = counts.try_fold(0, |sum, count| async move { Ok(sum + count) }).await;
    progress.finish_and_clear();
    let discarded = discarded?;
    let answer = json!({ "matched": letters.len(), "discarded": discarded });
    told(output, &answer, &format!("{discarded} discarded."))
}

fn told(output: &Output, answer: &Value, line: &str) -> Result<(), Failure> {
    if output.json { output.value(answer) } else { output.line(line) }
}

/// The first dead letters that a filter means. The server filters replays only, so this is done here.
async fn matching(filter: &Filter, limit: usize, client: &Client) -> Result<Vec<Value>, Failure> {
    let mut pages = client.pages(&PATH);
    let mut found = Vec::new();
    while let Some(page) = pages.next().await? {
        found.extend(page.into_iter().filter(|letter| is_meant(filter, letter)));
        if found.len() >= limit {
            found.truncate(limit);
            break;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_names_its_filter_and_only_the_rate_that_was_given() {
        let filter = Filter { topic: Some("t".to_owned()), ..Filter::default() };
        let expected = json!({ "filter": { "topic": "t" }, "dry_run": true, "rate_per_second": 5 });
        assert_eq!(replay_body(&filter, true, Some(5)), expected);
        assert_eq!(replay_body(&filter, false, None), json!({ "filter": { "topic": "t" }, "dry_run": false }));
    }
}
