//! What one webhook uses, from `infra/usage.toml`.

use serde::{Deserialize, Serialize};

use crate::FileFault;

/// What one webhook uses on average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Its kind, as the budgets test names it.
    pub kind: String,
    /// How many are processed at once.
    pub batch: u32,
    /// How many tenants they belong to.
    pub tenants: u32,
    /// Write units, those of the index included.
    pub write_units: f64,
    /// Read units.
    pub read_units: f64,
    /// Requests that send to a queue.
    pub sends: f64,
    /// Entries of the bus.
    pub entries: f64,
    /// Bytes of the receiver's line in the log.
    pub received_line: f64,
    /// Bytes of the processor's lines in the log, and of the syncer's.
    pub processed_lines: f64,
    /// Runs of the syncer.
    #[serde(default)]
    pub syncs: f64,
    /// Questions to the provider.
    #[serde(default)]
    pub questions: f64,
}

/// What webhooks use, by kind and batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usages {
    /// The rows.
    #[serde(rename = "webhook")]
    pub rows: Vec<Usage>,
}

impl Usages {
    /// What was counted when this was built.
    pub fn built_in() -> Result<Self, FileFault> {
        let text = include_str!("../../../infra/usage.toml");
        toml::from_str(text).map_err(|error| FileFault { file: "usage.toml", reason: error.to_string() })
    }

    /// A kind's row.
    pub fn find(&self, kind: &str, batch: u32, tenants: u32) -> Option<&Usage> {
        self.rows.iter().find(|row| row.kind == kind && row.batch == batch && row.tenants == tenants)
    }
}
