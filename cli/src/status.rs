//! Whether the server is well, and how much there is.

use reqwest::StatusCode;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Output, facts, field, time};

/// Counting ends here: listing more would cost more than the figure is worth.
const COUNTED_AT_MOST: usize = 10_000;

/// Shows it.
pub(crate) async fn run(client: &Client, output: &Output) -> Result<(), Failure> {
    let health = client.get(&["v1", "health"], &[]).await?;
    let mut counts = Vec::new();
    for name in ["connections", "endpoints", "dead-letters"] {
        counts.push((name, count(client, name).await?));
    }
    let refused = refused(client).await?;
    let answers = answers(client).await?;
    if output.json {
        let counts: Map<String, Value> =
            counts.iter().map(|(name, count)| (name.replace('-', "_"), json!(count))).collect();
        return output.value(
            &json!({ "url": client.name(), "health": health, "counts": counts, "needs_reauthorization": refused,
                     "answers": answers }),
        );
    }
    let state = match field(&health, "status") {
        none if none == "-" => "healthy".to_owned(),
        state => state,
    };
    let mut told = vec![("server", client.name().to_owned()), ("health", state)];
    told.extend(counts.iter().map(|(name, count)| (*name, in_words(*count))));
    told.extend(answers.iter().map(|(endpoint, figures)| {
        let [rate, hits, unchanged, misses] =
            ["hit_rate", "hits", "unchanged", "misses"].map(|name| field(figures, name));
        (
            "answers",
            format!("{endpoint}: {hits} kept, {unchanged} unchanged, {misses} made; {rate} of all needed no making"),
        )
    }));
    told.extend(refused.iter().map(|connection| {
        let told = connection.get("needs_reauthorization").unwrap_or(&Value::Null);
        let (id, since, advice) = (field(connection, "id"), time(told, "since"), field(told, "advice"));
        ("needs reauthorization", format!("{id} since {since}: {advice}"))
    }));
    output.line(&facts(told))
}

/// What became of requests for answers that are kept, by endpoint; nothing if we may not know.
async fn answers(client: &Client) -> Result<Map<String, Value>, Failure> {
    match client.get(&["v1", "status"], &[]).await {
        Ok(status) => Ok(status.get("answers").and_then(Value::as_object).cloned().unwrap_or_default()),
        Err(failure) if is_hidden(&failure) => Ok(Map::new()),
        Err(failure) => Err(failure),
    }
}

/// The connections whose provider refuses their credentials, as far as we may know.
async fn refused(client: &Client) -> Result<Vec<Value>, Failure> {
    let path = ["v1", "connections"];
    let (mut pages, mut refused, mut seen) = (client.pages(&path), Vec::new(), 0);
    loop {
        match pages.next().await {
            Ok(Some(page)) if seen < COUNTED_AT_MOST => {
                seen += page.len();
                refused.extend(page.into_iter().filter(|item| item.get("needs_reauthorization").is_some()));
            }
            Ok(_) => return Ok(refused),
            Err(failure) if is_hidden(&failure) => return Ok(refused),
            Err(failure) => return Err(failure),
        }
    }
}

/// How many of something there are, counting no further than [`COUNTED_AT_MOST`]; `None` if we may not know.
async fn count(client: &Client, name: &str) -> Result<Option<usize>, Failure> {
    let path = ["v1", name];
    let mut pages = client.pages(&path);
    let mut count = 0;
    loop {
        match pages.next().await {
            Ok(Some(page)) if count + page.len() < COUNTED_AT_MOST => count += page.len(),
            Ok(Some(_)) => return Ok(Some(COUNTED_AT_MOST)),
            Ok(None) => return Ok(Some(count)),
            Err(failure) if is_hidden(&failure) => return Ok(None),
            Err(failure) => return Err(failure),
        }
    }
}

fn is_hidden(failure: &Failure) -> bool {
    [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].into_iter().any(|status| failure.is_status(status))
}

fn in_words(count: Option<usize>) -> String {
    match count {
        None => "not shown without a token that may read them".to_owned(),
        Some(COUNTED_AT_MOST) => format!("{COUNTED_AT_MOST} or more"),
        Some(count) => count.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_say_what_they_do_not_know() {
        assert_eq!(in_words(Some(0)), "0");
        assert_eq!(in_words(Some(COUNTED_AT_MOST)), "10000 or more");
        assert_eq!(in_words(None), "not shown without a token that may read them");
    }
}
