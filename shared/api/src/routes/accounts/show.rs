//! `GET /v1/accounts/{id}`.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use hooktide_flows::connect::Refusal;
use hooktide_flows::read::accounts::{self, AccountView};
use hooktide_flows::read::rules;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{May, Read};
use crate::answer::{Answer, Params};
use crate::question::Question;

/// What tells accounts of one id apart.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AccountQuery {
    /// Only of this connection.
    connection: Option<String>,
}

/// A merchant account by its id.
#[utoipa::path(get, path = "/v1/accounts/{id}", operation_id = "show_account", params(("id" = String, Path,), AccountQuery),
    responses((status = 200, body = AccountView), (status = 304), (status = 404), (status = 409)))]
pub(crate) async fn show(
    may: May<Read>,
    Path(id): Path<String>,
    Params(query): Params<AccountQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let connection = query.connection.as_deref();
    let question = Question {
        rule: &rules::ACCOUNT,
        text: format!("{id:?} {connection:?}"),
        dependencies: rules::ACCOUNT.dependencies(may.reader(), connection, None),
    };
    let fill = async {
        let mut found = accounts::of_id(may.reader(), &id, connection).await?;
        match found.len() {
            0 | 1 => found.pop().ok_or(Refusal::NotFound("account")),
            _ => Err(Refusal::Conflict(
                "Several connections report an account of this id: name its `connection`.".to_owned(),
            )),
        }
    };
    may.answer(&headers, question, fill).await
}
