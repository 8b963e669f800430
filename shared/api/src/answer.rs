//! Answers: JSON, or a problem that says what to do.

use std::error::Error as _;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use hooktide_flows::connect::Refusal;
use hooktide_model::fault::Fault;
use hooktide_model::names::ProblemType;
use hooktide_model::problem::{FieldError, Problem};
use hooktide_model::signing;
use http_body_util::LengthLimitError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::error;
use utoipa::ToSchema;

use crate::bounds;

/// The largest body of a request to the API, in bytes.
const LARGEST_BODY: usize = 1024 * 1024;

/// The longest query parameter, in bytes: less than the longest key of a record.
const LONGEST_PARAMETER: usize = 1_000;

/// Why a request is answered with a problem.
#[derive(Debug)]
pub(crate) struct Refused(Problem);

/// What a handler gives.
pub(crate) type Answer<T> = Result<T, Refused>;

impl Refused {
    pub(crate) fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self(Problem::new(kind, detail))
    }

    /// Whether it is of this type.
    #[cfg(test)]
    pub(crate) fn is(&self, kind: ProblemType) -> bool {
        self.0.kind == Problem::new(kind, "").kind
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(ProblemType::NotFound, format!("There is no such {what}."))
    }

    pub(crate) fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self(Problem::invalid(field, detail))
    }

    /// What is wrong, and what to do.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The status that it is answered with.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The same, for whoever comes again after so many seconds.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self(self.0.retry_after(seconds))
    }

    pub(crate) fn all_invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.len() {
            1 => "A field is not right; see errors.",
            _ => "Some fields are not right; see errors.",
        };
        let mut problem = Problem::new(ProblemType::Invalid, detail);
        problem.errors = errors;
        Self(problem)
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        error!(%fault, "a request failed");
        Self(Problem::from(&fault))
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound(what) => Self::not_found(what),
            Refusal::Invalid(errors) => Self::all_invalid(errors),
            Refusal::Conflict(detail) => Self::new(ProblemType::Conflict, detail),
            Refusal::Fault(fault) => fault.into(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0.into_response().map(axum::body::Body::from)
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// Give it as `after` for the next page; none at the end.
    pub(crate) next: Option<String>,
}

/// A page of a feed, which never ends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedPage<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// Give it as `after` the next time.
    pub(crate) next: String,
    /// Whether there is more already.
    pub(crate) more: bool,
}

/// A JSON body; what does not fit is a problem, not a plain text.
pub(crate) struct Body<T>(pub(crate) T);

/// A JSON body, and the hash of what it says, however it is written.
pub(crate) struct Hashed<T>(pub(crate) T, pub(crate) [u8; 32]);

/// A type whose requests may have texts of any length.
pub(crate) trait Unbounded {
    /// The fields that are such texts.
    const TEXTS: &'static [&'static str];
}

/// A JSON body that may have texts of any length.
pub(crate) struct LongBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refused> {
        parse(request, &[]).await.map(|(value, _)| Self(value))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Hashed<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refused> {
        let (value, said) = parse(request, &[]).await?;
        // The fields of an object are sorted.
        let text = serde_json::to_vec(&said).map_err(|error| Fault::failed(format!("a body: {error}")))?;
        Ok(Self(value, signing::sha256(&[&text])))
    }
}

impl<T: DeserializeOwned + Unbounded, S: Send + Sync> FromRequest<S> for LongBody<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refused> {
        parse(request, T::TEXTS).await.map(|(value, _)| Self(value))
    }
}

/// Reads a body, checks that everything in it is within bounds, and what it says.
async fn parse<T: DeserializeOwned>(request: Request, whole: &[&str]) -> Result<(T, Value), Refused> {
    let bytes = read(request).await?;
    let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    let said: Value = serde_json::from_slice(bytes)
        .map_err(|error| Refused::new(ProblemType::BadRequest, format!("The body is not JSON: {error}.")))?;
    let beyond = bounds::beyond(&said, whole);
    if !beyond.is_empty() {
        return Err(Refused::all_invalid(beyond));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Refused::invalid(field_of(error.path()), misfit(error.inner())))?;
    Ok((value, said))
}

/// The field that does not fit; `body` where it is the whole.
fn field_of(path: &serde_path_to_error::Path) -> String {
    match path.iter().next() {
        None => "body".to_owned(),
        Some(_) => path.to_string(),
    }
}

/// What does not fit, without the value that was given: it may be a secret in the wrong place.
fn misfit(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let starts_with = |starts: &[&str]| starts.iter().any(|start| text.starts_with(start));
    if starts_with(&["missing field ", "duplicate field ", "unknown field ", "data did not match any variant "]) {
        return text;
    }
    // After the value; what comes with other words may hold it anywhere.
    let known = starts_with(&["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "]);
    match text.rfind(", expected ").filter(|_| known) {
        Some(at) => text[at + 2..].to_owned(),
        None => format!("a value does not fit at line {} column {}", error.line(), error.column()),
    }
}

async fn read(request: Request) -> Result<Bytes, Refused> {
    let read = axum::body::to_bytes(request.into_body(), LARGEST_BODY).await;
    read.map_err(|error| match error.source().is_some_and(|cause| cause.is::<LengthLimitError>()) {
        true => Refused::new(ProblemType::TooLarge, "A request to the API has at most 1 MiB."),
        false => {
            Refused::new(ProblemType::BadRequest, "The body broke off, or is not what its header says; send it again.")
        }
    })
}

/// Query parameters; what does not fit is a problem, not a plain text.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        if let Ok(Query(given)) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            && let Some((name, _)) = given.into_iter().find(|(_, value)| value.len() > LONGEST_PARAMETER)
        {
            return Err(Refused::invalid(name, format!("it has at most {LONGEST_PARAMETER} bytes")));
        }
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(params)| Self(params)).map_err(|error| misfit_of_query(&error))
    }
}

/// What a query has that does not fit, by the parameter's name, where it is one.
fn misfit_of_query(error: &QueryRejection) -> Refused {
    type OfParameter = serde_path_to_error::Error<serde::de::value::Error>;
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let parameter = causes.filter_map(|cause| cause.downcast_ref::<OfParameter>()).next();
    match parameter.filter(|error| error.path().iter().next().is_some()) {
        Some(error) => {
            let why = error.inner().to_string();
            // As the standard library says of numbers that they are none.
            let is_number =
                ["invalid digit", "number too", "cannot parse integer"].iter().any(|of| why.starts_with(of));
            let why = if is_number { "it is a whole number that is not negative".to_owned() } else { why };
            Refused::invalid(error.path().to_string(), why)
        }
        None => Refused::invalid("query", error.body_text()),
    }
}

/// 200 with JSON.
pub(crate) fn ok<T: Serialize>(value: T) -> Json<T> {
    Json(value)
}

/// 201 with JSON.
pub(crate) fn created<T: Serialize>(value: T) -> (StatusCode, Json<T>) {
    (StatusCode::CREATED, Json(value))
}

/// 202 with JSON.
pub(crate) fn accepted<T: Serialize>(value: T) -> (StatusCode, Json<T>) {
    (StatusCode::ACCEPTED, Json(value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;

    fn told<T: DeserializeOwned>(body: &str) -> String {
        misfit(&serde_json::from_str::<T>(body).err().unwrap())
    }

    #[tokio::test]
    async fn the_field_that_does_not_fit_is_named_by_its_path() {
        type Secrets = BTreeMap<String, Vec<String>>;
        for (body, field) in
            [(r#"{"a":["x"],"b":["y",1]}"#, "b[1]"), (r#"{"a":["x"],"b":7}"#, "b"), (r#"["x"]"#, "body")]
        {
            let request = Request::new(axum::body::Body::from(body));
            let Refused(problem) = parse::<Secrets>(request, &[]).await.err().unwrap();
            assert_eq!(problem.errors[0].field, field, "{body}");
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_not_told_back() {
        assert_eq!(told::<BTreeMap<String, u8>>(r#""hush""#), "expected a map at line 1 column 6");
        assert_eq!(told::<Vec<u8>>(r#"["hush, expected u8"]"#), "expected u8 at line 1 column 20");
        assert_eq!(told::<Timestamp>(r#""hush""#), "a value does not fit at line 1 column 6");
        assert_eq!(told::<Result<u8, u8>>(r#"{"hush":1}"#), "expected `Ok` or `Err` at line 1 column 7");
    }
}
