//! Follows the feed as it grows. A change and the activity it came from are one entry of the journal, with one id, and
//! are shown as one line: activity is read first and no further than changes, so that a change is there when its
//! activity is shown.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::Value;

use crate::client::{Client, Page};
use crate::failure::Failure;
use crate::moment;
use crate::output::{Columns, Output, field, harmless};

/// How often the server is asked.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long to wait when it does not answer.
const PAUSE: Duration = Duration::from_secs(2);
/// How many pages of a feed are read before what they hold is shown.
const PAGES: usize = 10;
/// How many ids are remembered, to recognise what comes again.
const REMEMBERED: usize = 10_000;

/// Follows until Ctrl-C.
pub(crate) async fn run(client: &Client, output: &Output) -> Result<(), Failure> {
    tokio::select! {
        ended = follow(client, output) => ended,
        stopped = tokio::signal::ctrl_c() => {
            stopped.map_err(|error| Failure::Failed(format!("Ctrl-C cannot be listened for: {error}.")))
        }
    }
}

async fn follow(client: &Client, output: &Output) -> Result<(), Failure> {
    let mut activity = Source::from_now("activity");
    let mut changes = Source::from_now("changes");
    let mut screen = Screen::default();
    // The first reading decides whether this works at all; later ones may fail for a while.
    both(&mut activity, &mut changes, client).await?;
    output.note("Following changes and activity from now on; Ctrl-C stops.");
    let mut silent = false;
    loop {
        let pause = match both(&mut activity, &mut changes, client).await {
            Ok(more) => {
                if std::mem::take(&mut silent) {
                    output.note("The server answers again.");
                }
                screen.show(activity.take(), changes.take(), output)?;
                if more { Duration::ZERO } else { INTERVAL }
            }
            Err(failure) if failure.is_status(StatusCode::GONE) => {
                output.note("Some of the feed is no longer kept and was missed; going on from now.");
                (activity, changes) = (Source::from_now("activity"), Source::from_now("changes"));
                INTERVAL
            }
            Err(failure) if passes(&failure) => {
                if !std::mem::replace(&mut silent, true) {
                    output.note("The server does not answer; trying again until it does.");
                }
                PAUSE
            }
            Err(failure) => return Err(failure),
        };
        tokio::time::sleep(pause).await;
    }
}

/// Reads on in both; answers whether there is more right now.
async fn both(activity: &mut Source, changes: &mut Source, client: &Client) -> Result<bool, Failure> {
    let more_activity = activity.read(client).await?;
    Ok(changes.read(client).await? || more_activity)
}

/// Whether it may be better the next time.
fn passes(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable(_) => true,
        Failure::Refused { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
        Failure::Usage(_) | Failure::Failed(_) | Failure::ReaderGone => false,
    }
}

/// A feed, how far it is read, and what is read but not shown.
#[derive(Debug)]
struct Source {
    name: &'static str,
    after: String,
    items: Vec<Value>,
}

impl Source {
    fn from_now(name: &'static str) -> Self {
        Self { name, after: "now".to_owned(), items: Vec::new() }
    }

    /// Reads on; answers whether there is more right now. When a later page fails, the earlier ones are kept.
    async fn read(&mut self, client: &Client) -> Result<bool, Failure> {
        for _ in 0..PAGES {
            let page = Page::of(client.get(&["v1", self.name], &[("after", self.after.clone())]).await?)?;
            self.items.extend(page.items);
            self.after = page.next.unwrap_or_else(|| self.after.clone());
            if !page.more {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.items)
    }
}

/// What was shown, and how it is aligned.
#[derive(Debug)]
struct Screen {
    columns: Columns,
    seen: HashSet<String>,
    order: VecDeque<String>,
}

impl Default for Screen {
    fn default() -> Self {
        Self { columns: Columns::at_least(&[12, 9, 8, 16]), seen: HashSet::new(), order: VecDeque::new() }
    }
}

impl Screen {
    fn show(&mut self, activity: Vec<Value>, changes: Vec<Value>, output: &Output) -> Result<(), Failure> {
        if output.json {
            let streams = [("activity", activity), ("change", changes)];
            for (stream, item) in
                streams.into_iter().flat_map(|(stream, items)| items.into_iter().map(move |item| (stream, item)))
            {
                if self.is_new(format!("{stream}/{}", field(&item, "id"))) {
                    output.value(&item)?;
                }
            }
            return Ok(());
        }
        for cells in self.lines(activity, changes) {
            self.columns.widen(&cells[..cells.len() - 1]);
            output.line(&self.columns.align(&cells))?;
        }
        Ok(())
    }

    /// The lines that are new, by time: a change takes the place of its activity.
    fn lines(&mut self, activity: Vec<Value>, changes: Vec<Value>) -> Vec<[String; 5]> {
        let mut topics: HashMap<String, String> =
            activity.iter().map(|item| (field(item, "id"), field(item, "topic"))).collect();
        let mut lines = Vec::new();
        for change in &changes {
            let id = field(change, "id");
            let topic = topics.remove(&id).unwrap_or_else(|| "-".to_owned());
            if self.is_new(id) {
                lines.push(line(change, "op", "entity", topic));
            }
        }
        for item in &activity {
            if self.is_new(field(item, "id")) {
                lines.push(line(item, "outcome", "topic", field(item, "reason")));
            }
        }
        lines.sort_by_key(|(at, _)| *at);
        lines.into_iter().map(|(_, cells)| cells).collect()
    }

    fn is_new(&mut self, id: String) -> bool {
        let new = self.seen.insert(id.clone());
        if new {
            self.order.push_back(id);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        new
    }
}

/// A line, with the time to sort it by.
fn line(item: &Value, word: &str, subject: &str, note: String) -> (Option<Timestamp>, [String; 5]) {
    let processed_at = field(item, "processed_at");
    let note = if note == "-" { String::new() } else { note };
    let cells =
        [moment::time_of_day(&processed_at), field(item, word), field(item, "provider"), field(item, subject), note];
    (processed_at.parse().ok(), cells.map(|cell| harmless(&cell)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn activity(id: &str, second: u8, outcome: &str, reason: Option<&str>) -> Value {
        json!({
            "id": id, "outcome": outcome, "provider": "shopify", "topic": "products/update", "reason": reason,
            "processed_at": format!("2026-11-23T12:00:{second:02}Z"),
        })
    }

    fn change(id: &str, second: u8) -> Value {
        json!({
            "id": id, "op": "updated", "provider": "shopify", "entity": format!("product/c/{id}"),
            "processed_at": format!("2026-11-23T12:00:{second:02}Z"),
        })
    }

    fn joined(lines: Vec<[String; 5]>) -> Vec<String> {
        lines.into_iter().map(|cells| cells.join("|")).collect()
    }

    #[test]
    fn a_change_takes_the_place_of_its_activity() {
        let mut screen = Screen::default();
        let lines = screen.lines(
            vec![activity("a", 2, "processed", None), activity("b", 1, "stale", Some("a newer state is there"))],
            vec![change("a", 2)],
        );
        let expected = [
            "12:00:01.000|stale|shopify|products/update|a newer state is there",
            "12:00:02.000|updated|shopify|product/c/a|products/update",
        ];
        assert_eq!(joined(lines), expected);
    }

    #[test]
    fn what_was_shown_is_not_shown_again() {
        let mut screen = Screen::default();
        assert_eq!(screen.lines(vec![], vec![change("a", 1)]).len(), 1);
        assert!(screen.lines(vec![activity("a", 1, "processed", None)], vec![change("a", 1)]).is_empty());
    }

    #[test]
    fn only_so_many_ids_are_remembered() {
        let mut screen = Screen::default();
        for number in 0..=REMEMBERED {
            assert!(screen.is_new(number.to_string()));
        }
        assert_eq!(screen.seen.len(), REMEMBERED);
        assert!(!screen.is_new(REMEMBERED.to_string()));
        assert!(screen.is_new("0".to_owned()));
    }

    #[test]
    fn a_server_that_is_away_or_busy_is_waited_for() {
        let refused = |status| Failure::Refused { status, message: String::new() };
        assert!(passes(&Failure::Unreachable(String::new())));
        assert!(passes(&refused(StatusCode::SERVICE_UNAVAILABLE)));
        assert!(passes(&refused(StatusCode::TOO_MANY_REQUESTS)));
        assert!(!passes(&refused(StatusCode::UNAUTHORIZED)));
        assert!(!passes(&Failure::ReaderGone));
    }
}
