//! `PUT /v1/connections/{id}/calendars/{calendar}`, and the same with the calendar in the body.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::connect::Refusal;
use hooktide_flows::follow::busy::{self, CalendarView, Chosen};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::access::{May, Operate};
use crate::answer::{Answer, Body, ok};

/// The choice for a calendar: what is not given stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarChoice {
    /// The calendar, by the provider's id, where the address does not name it.
    calendar: Option<String>,
    /// Whether it is read.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    included: Option<bool>,
    /// Whether its events block time in the person's other calendars.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    blocks_others: Option<bool>,
    /// Whether events of the person's other calendars block time in it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    is_blocked: Option<bool>,
}

/// Reads what is given; `null` is no choice.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    bool::deserialize(deserializer).map(Some)
}

/// Chooses whether a calendar is read, blocks time in others, and is blocked. Blocks are made and removed within seconds.
/// The calendar is named by the provider's id, percent-encoded.
#[utoipa::path(put, path = "/v1/connections/{id}/calendars/{calendar}", operation_id = "choose_calendar",
    request_body = CalendarChoice, responses((status = 200, body = CalendarView), (status = 404), (status = 422)))]
pub(crate) async fn choose(
    may: May<Operate>,
    Path((id, calendar)): Path<(String, String)>,
    Body(choice): Body<CalendarChoice>,
) -> Answer<Json<CalendarView>> {
    if choice.calendar.as_ref().is_some_and(|named| *named != calendar) {
        return Err(Refusal::invalid("calendar", "the address names another one").into());
    }
    store(&may, &id, &calendar, &choice).await
}

/// The same, with the calendar named in the body: ids of some providers have slashes, which not every way keeps in an address.
#[utoipa::path(put, path = "/v1/connections/{id}/calendars", operation_id = "choose_named_calendar",
    request_body = CalendarChoice, responses((status = 200, body = CalendarView), (status = 404), (status = 422)))]
pub(crate) async fn choose_named(
    may: May<Operate>,
    Path(id): Path<String>,
    Body(choice): Body<CalendarChoice>,
) -> Answer<Json<CalendarView>> {
    let Some(calendar) = &choice.calendar else {
        return Err(Refusal::invalid("calendar", "give the provider's id of the calendar").into());
    };
    store(&may, &id, calendar, &choice).await
}

async fn store(may: &May<Operate>, id: &str, calendar: &str, choice: &CalendarChoice) -> Answer<Json<CalendarView>> {
    let connection = may.connection(id).await?;
    let CalendarChoice { included, blocks_others, is_blocked, .. } = *choice;
    let chosen = Chosen { included, blocks_others, is_blocked };
    Ok(ok(busy::choose(may.context(), &connection.id, calendar, chosen).await?))
}
