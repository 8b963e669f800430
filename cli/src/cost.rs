//! What webhooks cost on AWS, on list prices; no server is asked.

use clap::{Args, ValueEnum};
use hooktide_cost::{Cost, Door, MILLION, Prices, Usages, cost};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::output::{Output, Table};

/// The columns: how many webhooks are processed at once, and how many tenants they belong to.
const COLUMNS: [(&str, u32, u32); 3] = [("full batches", 25, 1), ("of 25 tenants", 25, 25), ("one by one", 1, 1)];
/// The usual kind of webhook: a change of a known entity.
const USUAL: &str = "again";
/// The other kinds of webhooks.
const OTHERS: [(&str, &str); 5] = [
    ("fresh", "all about new entities"),
    ("duplicate", "all duplicates"),
    ("stale", "all stale"),
    ("hint", "all hints that nobody can fetch"),
    ("fetched", "all hints whose changes are fetched"),
];

/// What to compute.
#[derive(Args)]
pub(crate) struct CostArguments {
    /// How many webhooks come in a month.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    per_month: u64,
    /// By which door they come in.
    #[arg(long, default_value = "http-api")]
    door: DoorArgument,
}

#[derive(Clone, Copy, ValueEnum)]
enum DoorArgument {
    /// API Gateway's HTTP API, as the template has it.
    HttpApi,
    /// The receiver's own function URL.
    FunctionUrl,
}

impl From<DoorArgument> for Door {
    fn from(door: DoorArgument) -> Self {
        match door {
            DoorArgument::HttpApi => Self::HttpApi,
            DoorArgument::FunctionUrl => Self::FunctionUrl,
        }
    }
}

/// Computes and shows it.
pub(crate) fn run(arguments: &CostArguments, output: &Output) -> Result<(), Failure> {
    let (prices, usages) = (Prices::built_in().map_err(unread)?, Usages::built_in().map_err(unread)?);
    let factor = arguments.per_month as f64 / MILLION;
    let sums = |kind: &str| -> Result<Vec<Cost>, Failure> {
        let column = |(_, batch, tenants): (&str, u32, u32)| {
            let usage = usages.find(kind, batch, tenants);
            let usage = usage.ok_or_else(|| Failure::Failed(format!("Nothing was counted for {kind:?}.")))?;
            Ok(cost(usage, arguments.door.into(), &prices))
        };
        COLUMNS.into_iter().map(column).collect()
    };
    let usual = sums(USUAL)?;
    let others: Vec<(&str, Vec<Cost>)> =
        OTHERS.into_iter().map(|(kind, what)| Ok((what, sums(kind)?))).collect::<Result<_, Failure>>()?;
    let at_rest = prices.at_rest.of(1.0);
    if output.json {
        return output.value(&described(&usual, &others, factor, at_rest));
    }
    let dollars = |usd: f64| format!("{:.2}", usd * factor);
    let title = format!("USD a month for {}", arguments.per_month);
    let mut table = Table::new(&[&title, COLUMNS[0].0, COLUMNS[1].0, COLUMNS[2].0]);
    let mut row = |name: &str, figures: Vec<f64>| {
        table.row(std::iter::once(name.to_owned()).chain(figures.into_iter().map(dollars)));
    };
    for (index, (name, _)) in usual.first().map(|cost| cost.parts).unwrap_or_default().into_iter().enumerate() {
        row(name, usual.iter().map(|cost| cost.parts[index].1).collect());
    }
    row("together: all changes of known entities", usual.iter().map(Cost::total).collect());
    for (what, costs) in &others {
        row(&format!("  {what}"), costs.iter().map(Cost::total).collect());
    }
    output.line(&table.render())?;
    output.line(&format!(
        "To these come about {at_rest:.2} a month for the deployment itself, storage, and what leaves AWS.\n\
         List prices of us-east-1 without the always-free parts; calls and units are counted, times and Lambda's own log \
         lines are estimated (infra/prices.toml, infra/usage.toml)."
    ))
}

fn described(usual: &[Cost], others: &[(&str, Vec<Cost>)], factor: f64, at_rest: f64) -> Value {
    let parts = |cost: &Cost| -> Map<String, Value> {
        let parts = cost.parts.iter().map(|(name, usd)| ((*name).to_owned(), json!(usd * factor)));
        parts.chain([("together".to_owned(), json!(cost.total() * factor))]).collect()
    };
    let columns: Vec<Value> = COLUMNS
        .iter()
        .zip(usual)
        .enumerate()
        .map(|(index, ((_, batch, tenants), cost))| {
            let others: Map<String, Value> =
                others.iter().map(|(what, costs)| ((*what).to_owned(), json!(costs[index].total() * factor))).collect();
            json!({ "batch": batch, "tenants": tenants, "usd": parts(cost), "others": others })
        })
        .collect();
    json!({ "columns": columns, "at_rest": at_rest })
}

fn unread(fault: hooktide_cost::FileFault) -> Failure {
    Failure::Failed(format!("{fault}."))
}
