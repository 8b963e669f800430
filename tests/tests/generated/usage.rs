//! What webhooks use on AWS, counted: `infra/usage.toml`, which `hooktide cost` computes with.

use std::fmt::Write as _;

use hooktide_tests::usage;

use super::check;

#[tokio::test]
async fn what_webhooks_use_is_counted_anew() {
    let mut text = String::from(
        "# Written by `make generate`: what one webhook uses on average, counted at the ports. `tenants` says of how many the\n\
         # webhooks of a batch are; lines are in bytes.\n",
    );
    for (row, _) in usage::count().await {
        writeln!(text, "\n[[webhook]]\nkind = {:?}\nbatch = {}\ntenants = {}", row.kind, row.batch, row.tenants)
            .expect("text");
        for (name, figure) in [
            ("write_units", row.write_units),
            ("read_units", row.read_units),
            ("sends", row.sends),
            ("entries", row.entries),
            ("received_line", row.received_line),
            ("processed_lines", row.processed_lines),
            ("syncs", row.syncs),
            ("questions", row.questions),
        ] {
            writeln!(text, "{name} = {figure:?}").expect("text");
        }
    }
    check("infra/usage.toml", &text);
}
