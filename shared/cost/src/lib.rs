//! What webhooks cost on AWS: what one of them uses, which the tests count, times list prices.
//!
//! Both are files that are built in: `infra/prices.toml`, kept by hand, and `infra/usage.toml`, written by
//! `make generate` from counted calls. Nothing here asks anybody anything. A crate of its own, so that the core knows no
//! price and the command no test.

mod prices;
mod usage;

pub use self::prices::{Estimated, Price, Prices};
pub use self::usage::{Usage, Usages};

/// A million webhooks, which sums are for.
pub const MILLION: f64 = 1_000_000.0;
/// Gigabytes of memory that the template gives a receiver.
const RECEIVER_MEMORY: f64 = 0.25;
/// Gigabytes of memory that the template gives the processor.
const PROCESSOR_MEMORY: f64 = 0.5;
/// Gigabytes of memory that the template gives the syncer.
const SYNCER_MEMORY: f64 = 0.5;
/// How many messages one request to a queue receives or deletes at the most.
const MESSAGES_A_REQUEST: f64 = 10.0;

/// By which door webhooks come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// An API Gateway HTTP API, as the template has it: throttles, routes, an access log.
    HttpApi,
    /// The receiver's own function URL: nothing in front, no access log.
    FunctionUrl,
}

/// Why a file that is built in does not read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("infra/{file} does not read: {reason}")]
pub struct FileFault {
    file: &'static str,
    reason: String,
}

/// What a million webhooks cost, in US dollars, by what it is paid for.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// The parts, always the same in the same order.
    pub parts: [(&'static str, f64); 9],
}

impl Cost {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.parts.iter().map(|(_, usd)| usd).sum()
    }
}

/// What a million webhooks cost that use so much each and come in by that door.
pub fn cost(usage: &Usage, door: Door, prices: &Prices) -> Cost {
    let Estimated { receiver_seconds, processor_seconds_one, processor_seconds_batch, .. } = prices.estimated;
    let Estimated { syncer_seconds, question_seconds, run_lines, access_line, .. } = prices.estimated;
    let batches = 1.0 / f64::from(usage.batch);
    let http_api = match door {
        Door::HttpApi => 1.0,
        Door::FunctionUrl => 0.0,
    };
    let processor_seconds = if usage.batch == 1 { processor_seconds_one } else { processor_seconds_batch };
    // A fair queue is taken to cost more for every request, which is the dearer reading of the price list.
    let queue = |requests: f64| prices.queue_request.of(requests) + prices.fair_request.of(requests);
    // Jobs are received one by one.
    let received = 2.0 / f64::from(usage.batch).min(MESSAGES_A_REQUEST) + 2.0 * usage.syncs;
    let own_lines = usage.received_line + usage.processed_lines;
    let lines = own_lines + http_api * access_line + (1.0 + batches + usage.syncs) * run_lines;
    let run = |runs: f64, seconds: f64, memory: f64| {
        prices.lambda_run.of(runs) + prices.lambda_second.of(runs * seconds * memory)
    };
    let waits = prices.lambda_second.of(usage.questions * question_seconds * SYNCER_MEMORY);
    let parts = [
        ("HTTP API", prices.http_api.of(http_api)),
        ("receiver: runs and time", run(1.0, receiver_seconds, RECEIVER_MEMORY)),
        ("queue: sends, fair", queue(usage.sends)),
        ("queue: receives and deletes", queue(received)),
        ("processor: runs and time", run(batches, processor_seconds, PROCESSOR_MEMORY)),
        ("syncer: runs and time", run(usage.syncs, syncer_seconds, SYNCER_MEMORY) + waits),
        (
            "table: write and read units",
            prices.write_unit.of(usage.write_units) + prices.read_unit.of(usage.read_units),
        ),
        ("bus: entries", prices.bus_entry.of(usage.entries)),
        ("logs", prices.log_byte.of(lines)),
    ];
    Cost { parts: parts.map(|(name, usd)| (name, usd * MILLION)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage() -> Usage {
        Usage {
            kind: "fresh".into(),
            batch: 25,
            tenants: 1,
            write_units: 3.0,
            read_units: 1.0,
            sends: 1.0,
            entries: 0.08,
            received_line: 300.0,
            processed_lines: 36.0,
            syncs: 0.0,
            questions: 0.0,
        }
    }

    #[test]
    fn a_sum_is_what_one_gets_by_hand() {
        let prices = Prices::built_in().unwrap();
        let whole = cost(&usage(), Door::HttpApi, &prices);
        let expected = [1.0, 0.2 + 0.020_833, 0.5, 0.1, 0.008 + 0.033_333, 0.0, 1.875 + 0.125, 0.08, 0.2865];
        for ((name, usd), expected) in whole.parts.iter().zip(expected) {
            assert!((usd - expected).abs() < 1e-4, "{name}: {usd}, expected {expected}");
        }
    }

    #[test]
    fn a_hint_that_is_fetched_costs_its_share_of_a_run_and_of_the_time_until_the_provider_answers() {
        let prices = Prices::built_in().unwrap();
        let one = cost(&usage(), Door::HttpApi, &prices);
        let fetched = Usage { syncs: 0.5, questions: 1.0, ..usage() };
        let more: Vec<f64> =
            cost(&fetched, Door::HttpApi, &prices).parts.iter().zip(one.parts).map(|(a, b)| a.1 - b.1).collect();
        let expected = [0.0, 0.0, 0.0, 0.5, 0.0, 0.1 + 0.208_333 + 2.5, 0.0, 0.0, 0.0];
        for (more, expected) in more.into_iter().zip(expected) {
            assert!((more - expected).abs() < 1e-4, "{more}, expected {expected}");
        }
    }

    #[test]
    fn a_function_url_saves_the_http_api_and_its_log() {
        let prices = Prices::built_in().unwrap();
        let [with, without] = [Door::HttpApi, Door::FunctionUrl].map(|door| cost(&usage(), door, &prices).total());
        assert!((with - without - 1.0 - 237.0 * 0.5 / 1000.0).abs() < 1e-9, "{with} and {without}");
    }

    #[test]
    fn what_was_counted_reads_and_has_the_rows_that_sums_are_made_of() {
        let usages = Usages::built_in().unwrap();
        let kinds = [("fresh", 25, 1), ("fresh", 1, 1), ("fresh", 25, 25), ("duplicate", 25, 1), ("fetched", 25, 1)];
        for (kind, batch, tenants) in kinds {
            assert!(usages.find(kind, batch, tenants).is_some(), "{kind} in batches of {batch} of {tenants}");
        }
    }
}
