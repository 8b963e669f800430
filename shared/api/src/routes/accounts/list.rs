//! `GET /v1/accounts`.

use axum::http::HeaderMap;
use axum::response::Response;
use hooktide_flows::read::accounts::{self, AccountView};
use hooktide_flows::read::rules;

use crate::access::{May, Read};
use crate::answer::{Answer, List, Params};
use crate::paging::{ConnectionQuery, list_of};
use crate::question::Question;

/// The merchant accounts that providers reported, by their ids.
#[utoipa::path(get, path = "/v1/accounts", operation_id = "list_accounts", params(ConnectionQuery),
    responses((status = 200, body = List<AccountView>), (status = 304), (status = 422)))]
pub(crate) async fn list(
    may: May<Read>,
    Params(query): Params<ConnectionQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let slice = query.slice()?;
    let question = Question {
        rule: &rules::ACCOUNTS,
        text: format!("{slice:?}"),
        dependencies: rules::ACCOUNTS.dependencies(may.reader(), slice.connection.as_deref(), None),
    };
    let fill = async {
        let part = accounts::list(may.reader(), slice.connection.as_deref(), slice.after.clone(), slice.limit).await?;
        Ok(list_of(part))
    };
    may.answer(&headers, question, fill).await
}
