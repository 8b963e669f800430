//! What the SDKs' errors mean for the caller: sorted by type, status and code, never by text.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use hooktide_core::fault::Fault;

/// Codes of refusals that pass: the service is busy, or works on the same thing already. The SDKs retry most of them
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
const DEPLOYMENT: [&str; 12] = [
    "AccessDenied",
    "AccessDeniedException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "DecryptionFailure",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidSignatureException",
    "KMSAccessDeniedException",
    "MissingAuthenticationToken",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "UnrecognizedClientException",
];

/// Sorts an error of the service `service`.
pub(crate) fn sort<E>(service: &str, error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let detail = format!("{service}: {}", DisplayErrorContext(error));
    let passes = match error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(refusal) => {
            let status = refusal.raw().status().as_u16();
            status >= 500 || status == 429 || refusal.err().code().is_some_and(is_passing)
        }
        // The SDK reserves the right to add kinds: one that is not known yet is nobody's fault that is.
        _ => true,
    };
    if passes { Fault::retryable(detail) } else { Fault::failed(detail) }
}

/// Whether a refusal of this code can pass without anything about the request changing.
pub(crate) fn is_passing(code: &str) -> bool {
    PASSING.contains(&code) || DEPLOYMENT.contains(&code)
}
