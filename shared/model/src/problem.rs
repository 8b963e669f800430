//! Error answers: `application/problem+json` (RFC 9457).

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::fault::{AuthFault, Fault};
use crate::names::ProblemType;

/// The media type of error answers.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error answer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Problem {
    /// The documented error that this is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same error in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What to do about it.
    pub detail: String,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Seconds to wait, sent as `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The path of the field: `secrets.client_secret`.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

impl ProblemType {
    /// The HTTP status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::CursorExpired => StatusCode::GONE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Limited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "Bad request",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Conflict => "Conflict",
            Self::CursorExpired => "Cursor expired",
            Self::TooLarge => "Too large",
            Self::Invalid => "Invalid",
            Self::Limited => "Too many failures",
            Self::Internal => "Internal error",
            Self::Unavailable => "Unavailable",
        }
    }
}

impl Problem {
    /// Makes an error of this type; `detail` says what to do.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("{}{kind}", ProblemType::BASE),
            title: kind.title().to_owned(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Adds a field that is invalid.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let errors = vec![FieldError { field: field.into(), detail: detail.into() }];
        Self { errors, ..Self::new(ProblemType::Invalid, "A field is not right; see errors.") }
    }

    /// Asks the caller to wait.
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The answer.
    pub fn into_response(self) -> Response<Bytes> {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The answer to a request that could not be verified: the sender does not learn why.
impl From<AuthFault> for Problem {
    fn from(_: AuthFault) -> Self {
        Self::new(ProblemType::Unauthorized, "The request could not be verified.")
    }
}

/// The answer to a fault. The texts of Hooktide's own faults stay in the log.
impl From<&Fault> for Problem {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Permanent { detail, .. } => Self::new(ProblemType::Invalid, detail.clone()),
            Fault::Retryable { after, .. } => {
                let seconds = after.map_or(5, |after| after.as_secs().max(1));
                Self::new(ProblemType::Unavailable, "Not possible right now; try again later.").retry_after(seconds)
            }
            Fault::Failed { .. } => Self::new(ProblemType::Internal, "This is our own fault; the log says more."),
        }
    }
}
