//! `POST /v1/connections/{id}/sync/test`.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::steer::{self, Check};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{May, Operate};
use crate::answer::{Answer, ok};

/// What was checked of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TestView {
    /// The checks, each with what to do where it is not well.
    checks: Vec<Check>,
}

/// Checks a connection: its credentials, our own address, its subscriptions, and one question to its provider.
#[utoipa::path(post, path = "/v1/connections/{id}/sync/test", operation_id = "test_sync",
    responses((status = 200, body = TestView), (status = 404)))]
pub(crate) async fn test(may: May<Operate>, Path(id): Path<String>) -> Answer<Json<TestView>> {
    Ok(ok(TestView { checks: steer::test(may.context(), &id).await? }))
}
