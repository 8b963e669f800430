//! `GET /v1/transactions`.

use axum::http::HeaderMap;
use axum::response::Response;
use hooktide_flows::read::rules;
use hooktide_flows::read::transactions::{self, TransactionView, Which};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{May, Read};
use crate::answer::{Answer, List, Params};
use crate::paging::limit_of;
use crate::question::Question;

/// The filters, and where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TransactionsQuery {
    /// Only with this status.
    status: Option<String>,
    /// Only in this currency.
    currency: Option<String>,
    /// Only of this type, or paid in this way.
    r#type: Option<String>,
    /// Only of this company.
    company: Option<String>,
    /// Only of this connection.
    connection: Option<String>,
    /// Only those that began then or later.
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Only those that began earlier.
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// The `next` of an earlier answer with the same filters.
    after: Option<String>,
    /// At most so many (100 by default, 1000 at the most); a page may be shorter.
    limit: Option<usize>,
}

/// Transactions, the newest first. With `If-None-Match`, 304 while nothing of it has changed.
#[utoipa::path(get, path = "/v1/transactions", operation_id = "list_transactions", params(TransactionsQuery),
    responses((status = 200, body = List<TransactionView>), (status = 304), (status = 422)))]
pub(crate) async fn list(
    may: May<Read>,
    Params(query): Params<TransactionsQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let limit = limit_of(query.limit)?;
    let which = Which {
        status: query.status,
        currency: query.currency,
        kind: query.r#type,
        company: query.company,
        connection: query.connection,
        from: query.from,
        to: query.to,
    };
    let question = Question {
        rule: &rules::TRANSACTIONS,
        text: format!("{which:?} {limit} {:?}", query.after),
        dependencies: rules::TRANSACTIONS.dependencies(
            may.reader(),
            which.connection.as_deref(),
            which.company.as_deref(),
        ),
    };
    let fill = async {
        let page = transactions::list(may.reader(), &which, query.after.as_deref(), limit).await?;
        Ok(List { items: page.items, next: page.next })
    };
    may.answer(&headers, question, fill).await
}
