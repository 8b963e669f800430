//! What webhooks use on AWS, counted in one go: what `infra/usage.toml` holds, and what `make bench` makes prices of.

use hooktide_cost::Usage;

use crate::budgets::{Metering, Used};

/// The kinds that are counted.
pub const COUNTED: [&str; 5] = ["fresh", "again", "duplicate", "stale", "hint"];
/// The kind of a hint whose job asks the provider, reads what changed, and tells it.
pub const FETCHED: &str = "fetched";
/// The kinds of notices of payments: a new one, its next status, a repeat.
pub const PAYMENTS: [&str; 3] = ["payment", "payment again", "payment twice"];
/// How many are processed at once, and of how many tenants those are.
pub const BATCHES: [(u32, u32); 3] = [(1, 1), (25, 1), (25, 25)];

/// Counts all of them.
pub async fn count() -> Vec<(Usage, Used)> {
    let metering = Metering::new().await;
    let shops = metering.tenants(25).await;
    let mut rows = Vec::new();
    for (row, kind) in (0..).zip(COUNTED) {
        for (column, (batch, tenants)) in (0..).zip(BATCHES) {
            let base = 100_000 + row * 1_000 + column * 100;
            let webhooks = match tenants {
                1 => metering.webhooks(kind, base, u64::from(batch)).await,
                _ => metering.webhooks_of(&shops, kind, base, u64::from(batch)).await,
            };
            let used = metering.used(&webhooks).await;
            rows.push((usage(kind, batch, tenants, &used), used));
        }
    }
    for (row, kind) in (0..).zip(PAYMENTS) {
        for (column, batch) in (0..).zip([1, 25]) {
            let webhooks = metering.webhooks(kind, 300_000 + row * 1_000 + column * 100, batch).await;
            let used = metering.used(&webhooks).await;
            rows.push((usage(kind, u32::try_from(batch).unwrap_or(u32::MAX), 1, &used), used));
        }
    }
    let readers = metering.readers(25).await;
    for (column, (batch, tenants)) in (0..).zip(BATCHES) {
        let of = &readers[..if tenants == 1 { 1 } else { readers.len() }];
        let used = metering.fetched(of, 200_000 + column * 100, u64::from(batch)).await;
        rows.push((usage(FETCHED, batch, tenants, &used), used));
    }
    rows
}

fn usage(kind: &str, batch: u32, tenants: u32, used: &Used) -> Usage {
    let rounded = |figure: f64| (figure * 1000.0).round() / 1000.0;
    Usage {
        kind: kind.to_owned(),
        batch,
        tenants,
        write_units: rounded(used.commit + used.beside + used.index),
        read_units: rounded(used.read),
        sends: rounded(used.calls[1]),
        entries: rounded(used.entries),
        received_line: rounded(used.received_line),
        processed_lines: rounded(used.processed_lines),
        syncs: rounded(used.syncs),
        questions: rounded(used.questions),
    }
}
