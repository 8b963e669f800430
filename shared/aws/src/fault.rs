//! What the SDKs' errors mean for the caller: sorted by type, status and code, never by text.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use hooktide_model::fault::Fault;

/// Codes of refusals that pass: the service is busy, or works on the same item already. The SDKs retry most of them
/// themselves, a few times; their list of them is not public.
const PASSING: [&str; 14] = [
    "InternalFailure",
    "InternalServerError",
    "LimitExceededException",
    "OverLimit",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestTimeout",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// Codes of refusals that are about the deployment and not about what was asked: a role without a right, a resource
/// that is gone or still being made, credentials that ended. No message may be blamed for them, so they wait.
const DEPLOYMENT: [&str; 16] = [
    "AccessDenied",
    "AccessDeniedException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "DecryptionFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "KMSAccessDeniedException",
    "MissingAuthenticationToken",
    "QueueDoesNotExist",
    "RequestExpired",
    "ResourceNotFoundException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// Sorts an error of the service `service`. The text names code, status and request, and never what was sent or
/// answered, which may be somebody's data: services repeat it in their messages.
pub(crate) fn sort<E>(service: &str, error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let (passes, detail) = match error {
        SdkError::ConstructionFailure(_) => (false, "the request could not be made".to_owned()),
        SdkError::TimeoutError(_) => (true, "no answer in time".to_owned()),
        SdkError::DispatchFailure(failure) => {
            (true, format!("not reached: {:?}", failure.as_connector_error().map(ToString::to_string)))
        }
        SdkError::ResponseError(_) => (true, "the answer does not read".to_owned()),
        SdkError::ServiceError(refusal) => {
            let (status, refusal) = (refusal.raw().status().as_u16(), refusal.err());
            let code = refusal.code().unwrap_or("no code");
            let passes = status >= 500 || status == 429 || is_passing(code);
            // What a role may not do is said in the message alone, and names nothing but the role and the resource.
            let message = refusal.message().filter(|_| code.starts_with("AccessDenied")).unwrap_or_default();
            let request = refusal.meta().extra("aws_request_id").unwrap_or("unknown");
            (passes, format!("{code} (status {status}, request {request}) {message}"))
        }
        // The SDK reserves the right to add kinds: one that is not known yet is no message's fault that is.
        _ => (true, "an unknown kind of error".to_owned()),
    };
    let detail = format!("{service}: {detail}");
    if passes { Fault::retryable(detail) } else { Fault::failed(detail) }
}

/// Whether a refusal of this code can pass without anything about the request changing.
pub(crate) fn is_passing(code: &str) -> bool {
    PASSING.contains(&code) || DEPLOYMENT.contains(&code)
}
