//! `docs/benchmarks.md` and its plots, from the numbers of one run.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::acceptance::SIZES;
use crate::bodies;
use crate::plot::{Bar, bars};
use crate::report::{Report, Verdict, grouped};

const METHOD: &str = "\
Everything is measured in one run on one machine and judged as ratios where that is possible; what runs in the same \
process takes turns, and medians are compared. Nothing goes through an emulated Lambda.

- **N1**: the receiver function's own share of acceptance: it reads the API Gateway event, verifies it, looks at the body \
and builds and encodes the envelope; the queue takes it at once, the endpoint is remembered. The floor reads the same \
event, computes the HMAC-SHA256 of the body and parses the body as `serde_json::Value`. Instructions are counted by \
valgrind, whose processor has no instructions for SHA-256, so that hashing weighs more there than in time.
- **N1, by provider**: verify, label, look whether the body can be read, parse: all that is done with a delivery before the \
fold. The delivery is a provider's sample of a topic that becomes a change, else of one that becomes a sync. The floor is a \
bare HMAC-SHA256 of what is signed (the address and the time, where they are, and the body), with a key at hand, and the \
body parsed as `serde_json::Value`. It is judged in instructions, since what takes a microsecond is not the same twice in \
time. Where the proof is a token that is derived from an id, the floor's HMAC is over 32 bytes; where it is an ECDSA signature (eBay), the floor verifies it \
with SHA-1 and a key that was read before. Google's messages have no body: what they say stands in their headers, so the \
floor copies those headers into a `Value`, as it would parse a body. A bare HMAC would be beaten by nobody who reads them.
- **N3, mixed**: a receiver in process, with the queue that takes everything and a source address of 256, over signed \
samples of every provider and topic in turn. Memory is the resident memory of the process.
- **N6, size**: the optimised receiver, stripped, zipped as `scripts/artifacts.py` does it. With Shopify alone it had 7.6 MB. \
Its start is measured by `cargo bench -p hooktide-functions`, which `make bench` runs first.
- **N3**: the `hooktide` command on a new data folder, over HTTP on the loopback interface. The load generator is a \
process of its own on the same cores: one thread for each connection, requests signed before. Each delivery has an id and \
a version of its own, of 20,000 products. The bare server, which answers 200 once it has read the body, and ours take turns \
in three rounds; the medians of the rounds' ratios are judged. Accepted means: answered 200, which is after the fsync. Processed means: in the \
activity, whose times say when; it is read once nothing waits, since a reader takes time from whoever processes. In the open loop latencies count from the time at which a request should have been sent.
- **N3, among strangers**: the same command and load, in five rounds, each first undisturbed and then while 1,500 connections send half a header and a byte of it a second \
(they are opened again when the server closes them), while for each genuine delivery a forged one comes from the same address, \
and while 500 streams of events are told of everything. The median of the rounds' ratios is judged. All of it runs on the same cores.
- **N4, N8**: calls are counted at the ports, see `infra/usage.toml`, and multiplied with the list prices in \
`infra/prices.toml`. `hooktide cost --per-month N` does the same sum. `fresh` is the first version of a product, `again` a \
newer version of one that is known; both are about 1.5 KB. A batch is what the processor is handed at once.
- **N9**: handlers in process over a store in memory. The stored entities are copies of one that was processed, with their \
documents and their part of the journal. Both stores take turns; pairs are measured until the median of their ratios is known \
within 2 % with a confidence of 95 %, or there are a thousand.
- **S3, first sync**: the same handlers over a store on disk, and a catalog whose 1,000 pages of 100 items were made before: what is \
measured is asking, reading and committing, not the network. It is compared with committing the same facts, page by page, each with \
the record of its resource.
- **S3, fairness**: the `hooktide` command and two simulators in the bench's own process. While 5,000 new items of one account are \
notified and read, an event of another account is edited; the time until its change is in the feed is compared with the same \
without the bulk edit. Medians of three rounds.
- **N5**: the reference workload is `bench/answers/workload.toml`, run in virtual time over a table in memory whose calls are counted; \
every second read comes with the entity tag that a browser would have. Without kept answers the same questions go to processes that \
have kept nothing, and the read of versions is taken off. Who clears all is taken to clear what was asked for since the last payment. \
Over HTTP all connections ask the same question, of the `hooktide` command; the bare server is axum with the same bytes at hand. The \
peer is Debian's `redis-server`: `GET`, `SETEX`, and a set of keys for each tag. Stale is an answer that is older than a change \
whose commit and invalidation were complete when it was asked for.
- **N9, lists and figures**: copies of one transaction over ten days, so that both stores have payments in each quarter of an hour; \
those days are rolled up.
";

const PEERS: &str = "\
| | verifies | refuses what is forged | 200 means on disk | drops repeats | state, feed, replay | for each webhook |
|---|---|---|---|---|---|---|
| bare axum server | no | no | no | no | no | reads the body |
| Debian's `webhook` (Go), HMAC rule | yes | yes | no | no | no | parses the body, starts a command (here `/bin/true`) |
| Hooktide, local mode | yes | yes | yes | yes | yes | all of it |
";

/// Writes them.
pub(crate) fn write(report: &Report, now: Timestamp) {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("docs");
    let plots = docs.join("benchmarks");
    std::fs::create_dir_all(&plots).expect("the folder of plots");
    put(&plots.join("rates.svg"), &rates(report));
    put(&plots.join("cost.svg"), &costs(report));
    put(&docs.join("benchmarks.md"), &text(report, now));
}

fn put(path: &PathBuf, text: &str) {
    std::fs::write(path, text).expect("the file");
    println!("written: {}", path.display());
}

fn text(report: &Report, now: Timestamp) -> String {
    let mut text = format!(
        "<!-- Written by `HOOKTIDE_GENERATE=1 make bench`. -->\n# Benchmarks\n\n`make bench` measures all of this again, and \
         fails where a required figure is missed.\n\nMeasured on {}: {}.\n\n![rates](benchmarks/rates.svg)\n\n\
         ![cost](benchmarks/cost.svg)\n\n## Results\n\n| | what | measured | asked for | |\n|---|---|---|---|---|\n",
        now.strftime("%Y-%m-%d"),
        machine()
    );
    for row in &report.rows {
        let word = if row.verdict == Verdict::Required(false) { "**missed**" } else { row.verdict.word() };
        let cells = [row.id, &row.what, &row.figure, &row.asked, word].map(|cell| cell.trim().replace('|', "\\|"));
        writeln!(text, "| {} |", cells.join(" | ")).expect("text");
    }
    write!(text, "\n## How\n\n{METHOD}\nBodies are Shopify's `products/update`:\n\n").expect("text");
    for size in SIZES {
        writeln!(text, "- {}", bodies::described(size)).expect("text");
    }
    write!(text, "\n## What each server does\n\n{PEERS}").expect("text");
    for (title, table) in &report.tables {
        write!(text, "\n## {title}\n\n```\n{table}\n```\n").expect("text");
    }
    text
}

fn rates(report: &Report) -> String {
    let bar = |(name, rate): &(String, f64)| Bar {
        name: name.clone(),
        parts: vec![(name.clone(), *rate)],
        figure: format!("{}/s", grouped(*rate)),
    };
    let all: Vec<Bar> = report.rates.iter().map(bar).collect();
    bars("Webhooks of 4 KB a second, 16 connections, two cores shared with the sender", &all, None)
}

fn costs(report: &Report) -> String {
    let bar = |(name, cost): &(String, hooktide_cost::Cost)| Bar {
        name: name.clone(),
        parts: cost.parts.iter().map(|(part, usd)| ((*part).to_owned(), *usd)).collect(),
        figure: format!("{:.2} USD", cost.total()),
    };
    let all: Vec<Bar> = report.prices.iter().map(bar).collect();
    bars("A million webhooks on AWS, list prices, HTTP API", &all, Some((4.0, "required: 4.00 in full batches")))
}

/// The machine in a line.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let processor = field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "an unknown processor".to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = field(&read("/proc/meminfo"), "MemTotal").and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let kernel = read("/proc/sys/kernel/osrelease").split('-').next().unwrap_or_default().trim().to_owned();
    let memory = memory.map_or(String::new(), |kilobytes| format!(", {:.0} GB", kilobytes / 1024.0 / 1024.0));
    format!("{cores} cores of {processor}{memory}, Linux {kernel}; a disk that takes {}", disk())
}

/// How long the disk of temporary files takes for an fsync, since that is what acceptance waits for.
fn disk() -> String {
    let time = crate::load::sync_time();
    format!("{:.1} ms for an fsync of 64 KB more", time.as_secs_f64() * 1e3)
}
