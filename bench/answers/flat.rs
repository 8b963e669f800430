//! N9 for lists and figures: what an answer that is made reads of the table, with a thousand and with a million transactions.

use std::sync::Arc;
use std::time::Duration;

use hooktide_model::tenant::Tenant;
use hooktide_store::metering::Metered;
use hooktide_store::ports::{Query, Range, Table};
use hooktide_store::records::payment::{CompanyId, TotalId, place, quarter_of};
use hooktide_tests::merchant::{Merchant, Payment};
use hooktide_tests::plain_table::PlainTable;

use crate::growth::put;
use crate::report::{Report, Verdict, grouped};

/// How many transactions the small store has, and the large one.
const FEW: i64 = 1_000;
const MANY: i64 = 1_000_000;
/// Over how many seconds they are spread: each quarter of an hour has some in both.
const SPREAD: i64 = 10 * 24 * 3600;
/// How much more may be read in the large one.
const MOST: f64 = 1.10;
/// What is asked for.
const QUESTIONS: [(&str, &str); 3] = [
    ("a page of 100 transactions", "/v1/transactions?limit=100"),
    ("analytics of 30 days", "/v1/analytics?period=day"),
    ("analytics of 30 days in one currency", "/v1/analytics?period=day&currency=EUR"),
];

/// Measures.
pub(super) async fn measure(report: &mut Report) {
    let (few, many) = (Filled::new(FEW).await, Filled::new(MANY).await);
    for (what, question) in QUESTIONS {
        let ([few_requests, few_units], [requests, units]) = (few.reads(question).await, many.reads(question).await);
        let ratio = (requests / few_requests).max(units / few_units);
        let text = format!(
            "{what} that is made, from {} to {} transactions: {few_requests:.0} to {requests:.0} requests, {few_units:.1} to \
             {units:.1} read units",
            grouped(FEW as f64),
            grouped(MANY as f64)
        );
        report.judge("N9", &text, format!("{ratio:.2}"), "at most 1.10", Verdict::Required(ratio <= MOST));
    }
}

/// A merchant with so many transactions.
struct Filled {
    merchant: Merchant,
    table: Arc<Metered<PlainTable>>,
}

impl Filled {
    async fn new(count: i64) -> Self {
        let table = Arc::new(Metered::new(PlainTable::default()));
        let merchant = Merchant::over(Arc::clone(&table) as Arc<_>).await;
        let now = merchant.world.now();
        merchant.pay(&[Payment::new("p-0", &now.to_string())]).await;
        let (tenant, connection) = (Tenant::default_local(), merchant.connected.id.clone());
        let company = CompanyId { connection, company: "1009688230".into() };
        let all = Query { partition: company.transactions(&tenant), range: Range::All, descending: false, limit: 1 };
        let model = table.inner().query(&all).await.expect("a page").items.pop().expect("a transaction");
        let counted = company.totals(&tenant);
        let query = Query { partition: counted, range: Range::All, descending: false, limit: 1 };
        let total = table.inner().query(&query).await.expect("a page").items.pop().expect("a total");
        let (group, _) = TotalId::read(&company, &total);
        let now = now.as_second();
        for number in 0..count {
            let at = now - SPREAD + number * SPREAD / count;
            let key = company.transactions(&tenant).key(place(at * 1000, &format!("payment:q-{number}")));
            table.inner().write(put(&model, &key)).await.expect("a write");
            let id = TotalId { quarter: quarter_of(at * 1000), ..group.clone() };
            let lane = u8::try_from(number % 4).unwrap_or(0);
            // The first payments of a quarter fill all lanes; more of them change no more than the sums.
            table.inner().write(id.add(&tenant, lane, 1, 1_250)).await.expect("a write");
        }
        for _ in 0..16 {
            merchant.world.clock.advance(Duration::from_secs(3 * 3600));
            merchant.world.host.sweep_jobs().await.expect("jobs are swept");
            merchant.world.tick().await;
        }
        Self { merchant, table }
    }

    /// Requests to the table and read units of an answer that is made.
    async fn reads(&self, question: &str) -> [f64; 2] {
        self.table.reset();
        self.merchant.world.get(question).await.expect(200);
        let total = self.table.counts().total();
        [total.requests as f64, total.read_units]
    }
}
