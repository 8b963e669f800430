//! Metrics in CloudWatch's embedded format: a line of the log that CloudWatch also counts.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//! The dimensions are provider and outcome, both from fixed lists; tenants and connections would make a metric, and a
//! price, of each. Trace ids are properties: they are searched for, not counted.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hooktide_model::names::Outcome;
use hooktide_store::ports::Meter;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Hooktide";

/// What became of deliveries, until it is written down.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<(String, Outcome), Vec<String>>>);

impl Meter for Tally {
    fn count(&self, provider: &str, outcome: Outcome, trace: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.entry((provider.to_owned(), outcome)).or_default().push(trace.to_owned());
    }
}

impl Tally {
    /// A line for each provider and outcome, with the traces; then it counts from zero.
    pub fn take(&self, now: Timestamp) -> Vec<String> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let line = |((provider, outcome), traces): ((String, Outcome), Vec<String>)| {
            line(now, &provider, outcome.as_str(), &[("Messages", "Count", json!(traces.len()))], json!(traces))
        };
        counts.into_iter().map(line).collect()
    }

    /// Writes the lines to the log.
    pub fn write(&self, now: Timestamp) {
        write(&self.take(now));
    }
}

/// The line of one request to a receiver: that it came, what was answered, and how long that took.
pub fn delivery(now: Timestamp, provider: &str, outcome: &str, took: Duration, trace: Option<&str>) -> String {
    let count = ("Deliveries", "Count", json!(1));
    let time = ("AcceptanceTime", "Milliseconds", json!((took.as_secs_f64() * 1e6).round() / 1e3));
    let metrics = if trace.is_some() { vec![count, time] } else { vec![count] };
    line(now, provider, outcome, &metrics, json!(trace))
}

/// Writes lines to the log.
pub fn write(lines: &[String]) {
    let mut text = lines.join("\n");
    if text.is_empty() {
        return;
    }
    text.push('\n');
    // Where there is no log there is nobody to tell.
    drop(std::io::stdout().lock().write_all(text.as_bytes()));
}

fn line(now: Timestamp, provider: &str, outcome: &str, metrics: &[(&str, &str, Value)], trace: Value) -> String {
    let described: Vec<Value> = metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
    let directive = json!({
        "Namespace": NAMESPACE,
        "Dimensions": [["provider", "outcome"]],
        "Metrics": described,
    });
    let mut line = Map::new();
    line.insert("_aws".into(), json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive] }));
    line.insert("provider".into(), json!(provider));
    line.insert("outcome".into(), json!(outcome));
    line.extend(metrics.iter().map(|(name, _, value)| ((*name).to_owned(), value.clone())));
    if !trace.is_null() {
        line.insert("trace".into(), trace);
    }
    Value::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Value {
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn a_tally_is_one_line_for_each_provider_and_outcome() {
        let tally = Tally::default();
        tally.count("shopify", Outcome::Processed, "t1");
        tally.count("shopify", Outcome::Stale, "t2");
        tally.count("shopify", Outcome::Processed, "t3");
        let lines = tally.take(Timestamp::UNIX_EPOCH);
        let expected = json!({
            "_aws": { "Timestamp": 0, "CloudWatchMetrics": [{
                "Namespace": "Hooktide",
                "Dimensions": [["provider", "outcome"]],
                "Metrics": [{ "Name": "Messages", "Unit": "Count" }],
            }] },
            "provider": "shopify", "outcome": "processed", "Messages": 2, "trace": ["t1", "t3"],
        });
        assert_eq!(read(&lines[0]), expected);
        assert_eq!((lines.len(), &read(&lines[1])["outcome"]), (2, &json!("stale")));
        assert_eq!(tally.take(Timestamp::UNIX_EPOCH), Vec::<String>::new());
    }

    #[test]
    fn only_what_was_accepted_counts_for_the_time_of_acceptance() {
        let accepted = delivery(Timestamp::UNIX_EPOCH, "shopify", "accepted", Duration::from_micros(4321), Some("t"));
        let accepted = read(&accepted);
        assert_eq!((&accepted["AcceptanceTime"], &accepted["trace"]), (&json!(4.321), &json!("t")));
        let refused = read(&delivery(Timestamp::UNIX_EPOCH, "shopify", "refused", Duration::ZERO, None));
        assert_eq!((&refused["Deliveries"], refused.get("AcceptanceTime")), (&json!(1), None));
    }
}
