//! Access, and what is wrong with a request.

use super::names;

names! {
    /// What a principal may do. Each scope includes those above it.
    Scope {
        /// Follow the feed of changes.
        Feed => "feed",
        /// Read everything of the tenant except secrets.
        Read => "read",
        /// Manage connections, dead letters and syncs.
        Operate => "operate",
        /// Manage endpoints and tokens as well.
        Admin => "admin",
    }
}

names! {
    /// The `type` of an error answer (RFC 9457), after the base [`ProblemType::BASE`].
    ProblemType {
        /// 400: the request is not of the documented form.
        BadRequest => "bad-request",
        /// 401: no token, or one that is not valid.
        Unauthorized => "unauthorized",
        /// 403: the token lacks the scope.
        Forbidden => "forbidden",
        /// 404: there is no such resource, or it is not yours.
        NotFound => "not-found",
        /// 405: the resource does not allow this method.
        MethodNotAllowed => "method-not-allowed",
        /// 409: it exists already, or is in use.
        Conflict => "conflict",
        /// 410: the cursor is older than the oldest entry kept; start afresh.
        CursorExpired => "cursor-expired",
        /// 413: the body is too large.
        TooLarge => "too-large",
        /// 422: a field is invalid; `errors` says which.
        Invalid => "invalid",
        /// 429: too many failures from this address.
        Limited => "limited",
        /// 500: our own fault.
        Internal => "internal",
        /// 503: try again later.
        Unavailable => "unavailable",
    }
}

impl ProblemType {
    /// The beginning of every `type`.
    pub const BASE: &'static str = "urn:hooktide:problem:";
}
