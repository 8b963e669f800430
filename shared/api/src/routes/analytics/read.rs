//! `GET /v1/analytics`.

use axum::http::HeaderMap;
use axum::response::Response;
use hooktide_flows::read::analytics::{self, Analytics};
use hooktide_flows::read::rules;
use hooktide_model::names::Period;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{May, Read};
use crate::answer::{Answer, Params};
use crate::question::Question;

/// Which figures.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AnalyticsQuery {
    /// How long buckets are; a day if nothing is said.
    period: Option<Period>,
    /// From the bucket on that has this time.
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Up to the bucket that ends then or later; the one of now if nothing is said.
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// Only of this company; without it there are rows over all companies as well, in UTC.
    company: Option<String>,
    /// Only in this currency.
    currency: Option<String>,
}

impl AnalyticsQuery {
    /// What is asked for where nothing else is said.
    pub(crate) fn of(period: Period) -> Self {
        Self { period: Some(period), from: None, to: None, company: None, currency: None }
    }
}

/// Counts and sums of transactions, by status, currency, type and way of payment. `from` and `to` are rounded outward to buckets
/// of each company's time zone.
#[utoipa::path(get, path = "/v1/analytics", operation_id = "read_analytics", params(AnalyticsQuery),
    responses((status = 200, body = Analytics), (status = 304), (status = 422)))]
pub(crate) async fn read(
    may: May<Read>,
    Params(query): Params<AnalyticsQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let AnalyticsQuery { period, from, to, company, currency } = query;
    let question = analytics::Question { period: period.unwrap_or(Period::Day), from, to, company, currency };
    let question = question.settled(may.api.now())?;
    let rule = rules::analytics(question.period);
    let asked = Question {
        rule,
        text: format!("{question:?}"),
        dependencies: rule.dependencies(may.reader(), None, question.company.as_deref()),
    };
    may.answer(&headers, asked, analytics::analytics(may.reader(), &question)).await
}
