//! N4 and N8: what webhooks use on AWS, counted, and what that costs on list prices.

use hooktide_cost::{Cost, Door, Prices, Usage, cost};
use hooktide_tests::budgets::Used;
use hooktide_tests::usage;

use crate::report::{Report, Verdict};

/// The most write units of a fresh webhook's commit, in a full batch of one tenant.
const MOST_FRESH: f64 = 3.0;
/// The most write units of a commit that changes nothing.
const MOST_OTHERS: f64 = 0.5;
/// The most that a million webhooks may cost.
const MOST_USD: f64 = 4.00;
/// What they should.
const AIM_USD: f64 = 3.20;
/// The kinds that change something: what a million webhooks usually are.
const CHANGES: [&str; 2] = ["fresh", "again"];

/// A row that was counted, with its costs by both doors.
struct Counted {
    usage: Usage,
    used: Used,
    costs: [Cost; 2],
}

/// Counts and computes.
pub(crate) fn measure(report: &mut Report) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let prices = Prices::built_in().expect("the prices");
    let counted: Vec<Counted> = runtime
        .block_on(usage::count())
        .into_iter()
        .map(|(usage, used)| {
            let costs = [Door::HttpApi, Door::FunctionUrl].map(|door| cost(&usage, door, &prices));
            Counted { usage, used, costs }
        })
        .collect();
    report.tables.push(("What one webhook uses".to_owned(), uses(&counted)));
    let title = "What a million webhooks cost in US dollars (HTTP API; the last line: function URL)";
    report.tables.push((title.to_owned(), costs(&counted)));
    for Counted { usage, used, .. } in counted.iter().filter(|one| (one.usage.batch, one.usage.tenants) == (25, 1)) {
        let most = match usage.kind.as_str() {
            kind if CHANGES.contains(&kind) => Some(MOST_FRESH),
            "duplicate" | "stale" | "payment twice" => Some(MOST_OTHERS),
            _ => None,
        };
        let (what, figure) =
            (format!("write units of the commit, {}, batch of 25", usage.kind), format!("{:.2}", used.commit));
        match most {
            Some(most) => {
                let verdict = Verdict::Required(used.commit <= most);
                report.judge("N4", &what, figure, &format!("at most {most:.2}"), verdict);
            }
            None => report.show("N4", &what, figure),
        }
    }
    for Counted { usage, costs, .. } in counted.iter().filter(|one| CHANGES.contains(&one.usage.kind.as_str())) {
        let what = format!("USD per million {}, batches of {} of {}", usage.kind, usage.batch, usage.tenants);
        let [http_api, function_url] = [0, 1].map(|door: usize| costs[door].total());
        let figure = format!("{http_api:.2}");
        if (usage.batch, usage.tenants) == (25, 1) {
            report.judge("N8", &what, figure.clone(), "at most 4.00", Verdict::Required(http_api <= MOST_USD));
            report.judge("N8", "  the same", figure, "3.20", Verdict::Aim(http_api <= AIM_USD));
        } else {
            report.show("N8", &what, figure);
        }
        report.show("N8", "  by function URL", format!("{function_url:.2}"));
        let batch = format!("{}, {} at once of {}", usage.kind, usage.batch, usage.tenants);
        report.prices.push((batch, costs[0].clone()));
    }
}

fn uses(counted: &[Counted]) -> String {
    let head =
        ["kind", "batch", "tenants", "commit", "beside", "index", "read", "table", "sends", "bus", "entries", "log B"];
    let rows = counted.iter().map(|Counted { usage, used, .. }| {
        let mut cells = vec![usage.kind.clone(), usage.batch.to_string(), usage.tenants.to_string()];
        let [table, sends, bus, _] = used.calls;
        let figures = [used.commit, used.beside, used.index, used.read, table, sends, bus, used.entries];
        cells.extend(figures.map(|figure| format!("{figure:.2}")));
        cells.push(format!("{:.0}", used.received_line + used.processed_lines));
        cells
    });
    aligned(std::iter::once(head.map(str::to_owned).to_vec()).chain(rows).collect())
}

fn costs(counted: &[Counted]) -> String {
    let shown: Vec<&Counted> = counted.iter().collect();
    let column = |name: &str, of: &dyn Fn(&Counted) -> String| {
        std::iter::once(name.to_owned()).chain(shown.iter().map(|one| of(one))).collect::<Vec<String>>()
    };
    let mut lines = vec![
        column("", &|one| one.usage.kind.clone()),
        column("batch x tenants", &|one| format!("{} x {}", one.usage.batch, one.usage.tenants)),
    ];
    for (index, (name, _)) in shown.first().map(|one| one.costs[0].parts).unwrap_or_default().iter().enumerate() {
        lines.push(column(name, &|one| format!("{:.2}", one.costs[0].parts[index].1)));
    }
    lines.push(column("together", &|one| format!("{:.2}", one.costs[0].total())));
    lines.push(column("by function URL", &|one| format!("{:.2}", one.costs[1].total())));
    aligned(lines)
}

/// Cells in columns, the first to the left and the others to the right.
fn aligned(lines: Vec<Vec<String>>) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let text = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).enumerate().map(|(index, (cell, width))| {
            if index == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(text).collect::<Vec<_>>().join("\n")
}
