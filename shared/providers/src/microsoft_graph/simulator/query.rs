//! The parameters of a request, and what its headers prefer.

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::event::is_among;
use super::refused::Refused;
use super::shown::Prefer;
use super::zone;
use crate::simulator::query::parameters;

/// The fields of events and calendars that can be selected.
const SELECTABLE: &str = "id createdDateTime lastModifiedDateTime changeKey categories transactionId originalStartTimeZone \
    originalEndTimeZone iCalUId reminderMinutesBeforeStart isReminderOn hasAttachments subject bodyPreview importance \
    sensitivity isAllDay isCancelled isOrganizer responseRequested seriesMasterId showAs type isOnlineMeeting isDraft \
    recurrence responseStatus body attendees start end location name color isDefaultCalendar canEdit canShare \
    canViewPrivateItems isRemovable owner";

/// The parameters of a request.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// The parameters, if the call has all of them.
    pub(super) fn of(request: &Request<Bytes>, known: &str) -> Result<Self, Refused> {
        let pairs = parameters(request);
        match pairs.iter().find(|(name, _)| !is_among(known, name)) {
            Some((name, _)) => Err(Refused::parameter(name)),
            None => Ok(Self(pairs)),
        }
    }

    /// The value of a parameter.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A number, up to a bound.
    pub(super) fn number(&self, name: &str, most: usize) -> Result<Option<usize>, Refused> {
        let fits = |text: &str| text.parse().ok().filter(|number| *number <= most);
        self.text(name).map(|text| fits(text).ok_or_else(|| Refused::parameter(name))).transpose()
    }

    /// The window that it asks for.
    pub(super) fn window(&self) -> Result<(Timestamp, Timestamp), Refused> {
        let time = |name: &str| {
            let text = self.text(name).ok_or_else(|| Refused::parameter(name))?;
            let local = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
            text.parse::<Timestamp>().ok().or_else(local).ok_or_else(|| Refused::parameter(name))
        };
        let (start, end) = (time("startDateTime")?, time("endDateTime")?);
        if start >= end {
            return Err(Refused::new(400, "ErrorInvalidParameter", "The end of a window comes after its start."));
        }
        Ok((start, end))
    }

    /// What is selected of an object.
    pub(super) fn select(&self, value: Value) -> Result<Value, Refused> {
        let Some(names) = self.text("$select") else { return Ok(value) };
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        if let Some(name) = names.iter().find(|name| !is_among(SELECTABLE, name)) {
            let message = format!("Could not find a property named '{name}' on type 'microsoft.graph.event'.");
            return Err(Refused::new(400, "RequestBroker--ParseUri", message));
        }
        let Value::Object(fields) = value else { return Ok(value) };
        let is_kept =
            |name: &str| name.starts_with('@') || name == "id" || names.contains(&name) || name.contains("Extended");
        Ok(Value::Object(fields.into_iter().filter(|(name, _)| is_kept(name)).collect::<Map<_, _>>()))
    }
}

/// What the headers of a request prefer.
pub(super) fn prefer(request: &Request<Bytes>) -> Result<Prefer, Refused> {
    let mut prefer = Prefer { is_immutable: false, zone: "UTC".to_owned(), page: None };
    let headers = request.headers().get_all("prefer").iter().filter_map(|header| header.to_str().ok());
    for one in headers.flat_map(|header| header.split(',')) {
        let (name, value) = one.split_once('=').unwrap_or((one, ""));
        let value = value.trim().trim_matches('"');
        match name.trim() {
            "IdType" => prefer.is_immutable = value == "ImmutableId",
            "outlook.timezone" => {
                let unknown = || Refused::new(400, "TimeZoneNotSupportedException", "That zone is not supported.");
                zone::zone(value).ok_or_else(unknown)?;
                prefer.zone = value.to_owned();
            }
            "odata.maxpagesize" => prefer.page = value.parse().ok().filter(|size| *size > 0),
            // What is not known is passed over.
            _ => {}
        }
    }
    Ok(prefer)
}
