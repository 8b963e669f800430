//! Logs: one JSON object a line, without bodies and secrets, which nothing hands to the log.

use tracing_subscriber::EnvFilter;

/// Starts the log, at `info` unless `filter` says otherwise. A filter that does not read is said in the log itself.
pub fn start(filter: Option<String>) {
    let wanted = filter.filter(|filter| !filter.is_empty()).unwrap_or_else(|| "info".to_owned());
    let (filter, fault) = match EnvFilter::try_new(&wanted) {
        Ok(filter) => (filter, None),
        Err(fault) => (EnvFilter::new("info"), Some(fault)),
    };
    let log = tracing_subscriber::fmt()
        .log_internal_errors(false)
        .json()
        .flatten_event(true)
        .with_ansi(false)
        .with_env_filter(filter);
    // A second start, as in a test, changes nothing.
    drop(log.try_init());
    if let Some(fault) = fault {
        tracing::warn!(%fault, filter = wanted, "HOOKTIDE_LOG is not a log filter; info is logged");
    }
}
