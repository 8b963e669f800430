//! The list prices, from `infra/prices.toml`.

use serde::Deserialize;

use crate::FileFault;

/// A price of AWS.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// US dollars.
    usd: f64,
    /// The number of units that this price buys.
    each: f64,
    /// The unit.
    pub what: String,
    /// When a dated price list last had it.
    pub seen: String,
    /// The URL of that list.
    pub source: String,
}

impl Price {
    /// The price of so many, in US dollars.
    pub fn of(&self, count: f64) -> f64 {
        count * self.usd / self.each
    }
}

/// The prices of AWS.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// A request to an HTTP API.
    pub http_api: Price,
    /// A run of a function.
    pub lambda_run: Price,
    /// A second of a function with a gigabyte.
    pub lambda_second: Price,
    /// A request to a queue.
    pub queue_request: Price,
    /// The surcharge of a fair queue for a request.
    pub fair_request: Price,
    /// An entry of a bus.
    pub bus_entry: Price,
    /// A write unit.
    pub write_unit: Price,
    /// A read unit.
    pub read_unit: Price,
    /// A byte taken into logs.
    pub log_byte: Price,
    /// A month of a deployment that gets no webhook.
    pub at_rest: Price,
    /// The estimates for everything that was not counted.
    pub estimated: Estimated,
}

/// The figures that cannot be counted without AWS.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimated {
    /// How long a receiver runs.
    pub receiver_seconds: f64,
    /// How long the processor runs for one webhook.
    pub processor_seconds_one: f64,
    /// How long it runs for a full batch.
    pub processor_seconds_batch: f64,
    /// How long the syncer runs, beside what it waits for its provider.
    pub syncer_seconds: f64,
    /// How long a provider takes to answer.
    pub question_seconds: f64,
    /// Bytes that Lambda itself logs of a run that went well.
    pub run_lines: f64,
    /// Bytes of a line of the access log.
    pub access_line: f64,
}

impl Prices {
    /// The prices that are built in.
    pub fn built_in() -> Result<Self, FileFault> {
        let text = include_str!("../../../infra/prices.toml");
        toml::from_str(text).map_err(|error| FileFault { file: "prices.toml", reason: error.to_string() })
    }

    /// All prices.
    pub fn all(&self) -> [&Price; 10] {
        [
            &self.http_api,
            &self.lambda_run,
            &self.lambda_second,
            &self.queue_request,
            &self.fair_request,
            &self.bus_entry,
            &self.write_unit,
            &self.read_unit,
            &self.log_byte,
            &self.at_rest,
        ]
    }
}
