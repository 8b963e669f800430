//! Budgets: what a webhook costs in write units, read units and calls, by its kind and the size of its batch.

use hooktide_tests::budgets::{KINDS, Metering};

#[tokio::test]
async fn webhooks_keep_to_their_budgets() {
    let metering = Metering::new().await;
    println!(
        "{:<16} {:>5} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}",
        "per webhook", "batch", "commit", "beside", "index", "read", "table", "sends", "bus", "blobs"
    );
    for (row, kind) in (0..).zip(KINDS) {
        for (column, count) in (0..).zip([1, 25]) {
            let webhooks = metering.webhooks(kind, 10_000 + row * 1_000 + column * 100, count).await;
            let used = metering.used(&webhooks).await;
            let [table, sends, bus, blobs] = used.calls;
            println!(
                "{kind:<16} {count:>5} {:>7.2} {:>7.2} {:>7.2} {:>7.2} {table:>7.2} {sends:>7.2} {bus:>7.2} {blobs:>7.2}",
                used.commit, used.beside, used.index, used.read
            );
            // A request about personal data is a job, and a hint asks for one.
            let sends = if matches!(kind, "privacy" | "hint") { 2.0 } else { 1.0 };
            assert!(used.calls[1] <= sends, "{kind}: {sends} sends for each webhook, and no more");
            if count == 25 {
                let most = match kind {
                    "fresh" | "again" | "deletion" => 3.0,
                    "duplicate" | "stale" | "same thing" | "ignored" => 0.5,
                    // The account that an entity belongs to is recorded.
                    "fresh, shared" => 4.5,
                    // Each delivery has a record of its own.
                    "hint" => 2.5,
                    // Its place in the list, its id, its total, and the tag of its company, beside what a product has.
                    "payment" => 9.0,
                    "payment again" => 9.0,
                    "payment twice" => 0.5,
                    // The request is kept whole, and done by a job.
                    "privacy" => 10.0,
                    // Each delivery is kept whole.
                    _ => 6.5,
                };
                assert!(used.commit <= most, "{kind}: {} write units, at most {most}", used.commit);
            }
        }
    }
}
