//! `GET /v1/connections/{id}/calendars`.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::follow::busy::{self, CalendarView};

use crate::access::{May, Read};
use crate::answer::{Answer, List, ok};

/// The calendars of a connection, and what was chosen for each: all of them, on one page.
#[utoipa::path(get, path = "/v1/connections/{id}/calendars", operation_id = "list_calendars",
    responses((status = 200, body = List<CalendarView>), (status = 404)))]
pub(crate) async fn list(may: May<Read>, Path(id): Path<String>) -> Answer<Json<List<CalendarView>>> {
    let connection = may.connection(&id).await?;
    Ok(ok(List { items: busy::calendars(may.context(), &connection.id).await?, next: None }))
}
