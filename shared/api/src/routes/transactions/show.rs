//! `GET /v1/transactions/{id}`.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use hooktide_flows::connect::Refusal;
use hooktide_flows::read::answers::Dependency;
use hooktide_flows::read::rules;
use hooktide_flows::read::transactions::{self, TransactionView};
use hooktide_model::names::ProblemType;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{May, Read};
use crate::answer::{Answer, Params, Refused};
use crate::question::Question;

/// What tells transactions of one id apart.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TransactionQuery {
    /// Only of this connection.
    connection: Option<String>,
}

/// A transaction by its id, or by that of its entity, which says its sort as well: `payment:4711`.
#[utoipa::path(get, path = "/v1/transactions/{id}", operation_id = "show_transaction", params(("id" = String, Path,), TransactionQuery),
    responses((status = 200, body = TransactionView), (status = 304), (status = 404), (status = 409)))]
pub(crate) async fn show(
    may: May<Read>,
    Path(id): Path<String>,
    Params(query): Params<TransactionQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let mut found = transactions::of_id(may.reader(), &id, query.connection.as_deref()).await?;
    if found.len() > 1 {
        let entities: Vec<String> =
            found.iter().map(|entity| format!("{} of {}", entity.id, entity.connection)).collect();
        let detail = format!(
            "Several have this id: {}. Ask for one of these ids, and name its `connection`.",
            entities.join(", ")
        );
        return Err(Refused::new(ProblemType::Conflict, detail));
    }
    let entity = found.pop().ok_or_else(|| Refused::not_found("transaction"))?;
    let mut dependencies = rules::TRANSACTION.dependencies(may.reader(), None, None);
    dependencies.push(Dependency::Record(entity.key(may.tenant())));
    let question = Question { rule: &rules::TRANSACTION, text: entity.to_string(), dependencies };
    let fill = async {
        let view = transactions::show(may.reader(), &entity).await?;
        view.ok_or(Refusal::NotFound("transaction"))
    };
    may.answer(&headers, question, fill).await
}
