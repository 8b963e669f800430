//! The reference workload in virtual time: hits, table reads, and what payments make stale.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hooktide_api::Options;
use hooktide_cost::Prices;
use hooktide_model::envelope;
use hooktide_store::metering::{Counts, Metered};
use hooktide_tests::merchant::{Merchant, Payment};
use hooktide_tests::plain_table::PlainTable;
use http::{Request, StatusCode};
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;

use crate::report::{Report, Verdict, grouped};

/// How many requests are answered without anything that is kept, to compare.
const WITHOUT: u64 = 4_000;
/// How many payments there are before it begins.
const BEFORE: u64 = 2_000;

/// The file of the workload.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Workload {
    hours: u64,
    reads_per_minute: u64,
    payments_per_minute: u64,
    companies: usize,
    failing: u64,
    seed: u64,
    overall: Vec<String>,
    of_company: Vec<String>,
}

impl Workload {
    fn questions(&self) -> Vec<String> {
        let of = |company| self.of_company.iter().map(move |question| question.replace("COMPANY", &account(company)));
        self.overall.iter().cloned().chain((0..self.companies).flat_map(of)).collect()
    }
}

fn account(company: usize) -> String {
    format!("{}", 1_009_688_200 + company)
}

/// Chances by Zipf's law.
fn zipf(count: usize) -> WeightedIndex<f64> {
    WeightedIndex::new((1..=count).map(|place| 1.0 / place as f64)).expect("chances")
}

/// Runs it.
pub(super) async fn measure(report: &mut Report) {
    let workload: Workload = toml::from_str(include_str!("workload.toml")).expect("the workload reads");
    let table = Arc::new(Metered::new(PlainTable::default()));
    let mut run = Run {
        merchant: Merchant::over(Arc::clone(&table) as Arc<_>).await,
        random: StdRng::seed_from_u64(workload.seed),
        of_payments: zipf(workload.companies),
        etags: HashMap::new(),
        paid: 0,
        failing: workload.failing,
    };
    for _ in 0..BEFORE / 50 {
        run.pay(50).await;
    }
    let (questions, mut reads) = (workload.questions(), Reads::default());
    let popular = zipf(questions.len());
    let (mut there, mut cleared) = (BTreeSet::new(), 0);
    let reads_a_payment = workload.reads_per_minute / workload.payments_per_minute;
    let between = Duration::from_secs(60) / u32::try_from(workload.reads_per_minute).expect("few");
    for _ in 0..workload.hours * 60 * workload.payments_per_minute {
        table.reset();
        for _ in 0..reads_a_payment {
            run.merchant.world.clock.advance(between);
            let place = popular.sample(&mut run.random);
            there.insert(place);
            run.read(&questions[place]).await;
        }
        reads.add(table.counts(), reads_a_payment);
        // Whoever clears all clears what was asked for since.
        cleared += there.len() as u64;
        there.clear();
        run.pay(1).await;
    }
    let [hits, misses, invalidated] = run.figures().await;
    let (mut without, mut bytes) = (Reads::default(), 0);
    for _ in 0..WITHOUT {
        let question = &questions[popular.sample(&mut run.random)];
        // Another process, which has kept nothing.
        run.merchant.world.app = app(&run.merchant);
        table.reset();
        let answer = run.merchant.world.get(question).await;
        assert_eq!(answer.status, StatusCode::OK);
        let counts = table.counts();
        bytes += envelope::compress(&answer.body).expect("a body compresses").len();
        without.add(counts, 1);
        // Without kept answers no versions would be read; the token is remembered for a minute in both.
        without.requests -= 2.0;
        without.units -= counts.get.read_units + versions(question, run.merchant.world.host.settings.lanes);
    }
    let told = format!(
        "{} reads over {} questions, {} payments of {} companies",
        grouped((hits + misses) as f64),
        questions.len(),
        grouped(run.paid as f64 - BEFORE as f64),
        workload.companies
    );
    let rate = hits as f64 / (hits + misses) as f64;
    let share = |share: f64| format!("{:.1} %", share * 100.0);
    report.judge("N5", &format!("hit rate: {told}"), share(rate), "over 90 %", Verdict::Required(rate > 0.9));
    for (what, with, without) in [
        ("requests to the table", reads.requests / reads.reads, without.requests / without.reads),
        ("read units", reads.units / reads.reads, without.units / without.reads),
    ] {
        let spared = 1.0 - with / without;
        let text = format!("{what} for a read: {with:.2}, without kept answers {without:.2}; spared");
        report.judge("N5", &text, share(spared), "at least 80 %", Verdict::Required(spared >= 0.8));
    }
    show_second_level(report, without.units / without.reads, bytes as f64 / WITHOUT as f64);
    let fewer = 1.0 - invalidated as f64 / cleared as f64;
    let text = format!(
        "answers that payments made stale: {}; by clearing all {}; fewer",
        grouped(invalidated as f64),
        grouped(cleared as f64)
    );
    report.judge("N5", &text, share(fewer), "at least 70 %", Verdict::Required(fewer >= 0.7));
}

/// Shows when a second level in the table would pay: each answer that is made would be written there, compressed, and spare a
/// further process what its making reads.
fn show_second_level(report: &mut Report, units: f64, bytes: f64) {
    let prices = Prices::built_in().expect("the prices");
    let (written, read) = ((bytes / 1024.0).ceil(), (bytes / 4096.0).ceil());
    let (writing, spared) = (prices.write_unit.of(written), prices.read_unit.of(units - read));
    let what = format!(
        "a second level in the table: {written:.0} write units for each answer that is made, to spare {:.1} read units; pays \
         where so many other processes ask before it is stale",
        units - read
    );
    report.show("N5", &what, if spared > 0.0 { format!("{:.1}", writing / spared) } else { "never".to_owned() });
}

/// Read units that the versions of an answer's tags cost: one for each lane of a counter.
fn versions(question: &str, lanes: u8) -> f64 {
    let tags = if question.starts_with("/v1/transactions") { 2.0 } else { 3.0 };
    tags * f64::from(lanes)
}

fn app(merchant: &Merchant) -> axum::Router {
    let host = &merchant.world.host;
    hooktide_local::server::app(host, host.api(Options::default()))
}

/// What reads cost.
#[derive(Debug, Default)]
struct Reads {
    reads: f64,
    requests: f64,
    units: f64,
}

impl Reads {
    fn add(&mut self, counts: Counts, reads: u64) {
        let total = counts.total();
        self.reads += reads as f64;
        self.requests += total.requests as f64;
        self.units += total.read_units;
    }
}

/// The workload under way.
struct Run {
    merchant: Merchant,
    random: StdRng,
    of_payments: WeightedIndex<f64>,
    /// What browsers have of each question.
    etags: HashMap<String, http::HeaderValue>,
    paid: u64,
    failing: u64,
}

impl Run {
    /// Reads, every second time as a browser that has an answer.
    async fn read(&mut self, question: &str) {
        let world = &self.merchant.world;
        let mut request = Request::get(question).header("authorization", format!("Bearer {}", world.operator));
        if self.random.random_bool(0.5)
            && let Some(etag) = self.etags.get(question)
        {
            request = request.header("if-none-match", etag);
        }
        let answer = world.request(request.body(Bytes::new()).expect("a request")).await;
        assert!([StatusCode::OK, StatusCode::NOT_MODIFIED].contains(&answer.status), "{question}: {}", answer.status);
        self.etags.insert(question.to_owned(), answer.headers["etag"].clone());
    }

    async fn pay(&mut self, count: u64) {
        let now = self.merchant.world.now().to_string();
        let payments: Vec<Payment> = (self.paid..self.paid + count)
            .map(|number| Payment {
                account: account(self.of_payments.sample(&mut self.random)),
                amount: self.random.random_range(99..100_000),
                status: if number % self.failing == 0 { "FAILED" } else { "COMPLETED" },
                ..Payment::new(&format!("p-{number}"), &now)
            })
            .collect();
        self.merchant.pay(&payments).await;
        self.paid += count;
    }

    /// Requests that needed no making, those that did, and answers that had become stale.
    async fn figures(&self) -> [u64; 3] {
        let status = self.merchant.world.get("/v1/status").await.expect(200);
        let endpoints = status["answers"].as_object().expect("endpoints").values();
        let mut sums = [0; 3];
        for figures in endpoints {
            let of = |name: &str| figures[name].as_u64().unwrap_or(0);
            sums[0] += of("hits") + of("unchanged");
            sums[1] += of("misses");
            sums[2] += of("invalidated");
        }
        sums
    }
}
