//! What dynoxide's errors mean for the caller.

use dynoxide::DynoxideError;
use hooktide_model::fault::Fault;
use rusqlite::ErrorCode;

/// Sorts an error by its variant.
///
/// What SQLite could not do (busy, full, an I/O error) reaches us as an internal error from most calls, with its code
/// lost: dynoxide's storage layer keeps only the text. So every internal error counts as one that may pass, even a
/// damaged file; the text says which it was.
pub(super) fn sort(error: DynoxideError) -> Fault {
    let detail = format!("the embedded store: {error}");
    match error {
        DynoxideError::InternalServerError(_)
        | DynoxideError::ProvisionedThroughputExceededException(_)
        | DynoxideError::LimitExceededException(_) => Fault::retryable(detail),
        DynoxideError::SqliteError(error) => match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory,
            ) => Fault::retryable(detail),
            _ => Fault::failed(detail),
        },
        _ => Fault::failed(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(code: std::os::raw::c_int) -> DynoxideError {
        DynoxideError::SqliteError(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None))
    }

    #[test]
    fn what_may_pass_is_retryable() {
        for error in [
            DynoxideError::InternalServerError("backend: database or disk is full".into()),
            DynoxideError::ProvisionedThroughputExceededException(String::new()),
            sqlite(rusqlite::ffi::SQLITE_BUSY),
            sqlite(rusqlite::ffi::SQLITE_FULL),
            sqlite(rusqlite::ffi::SQLITE_IOERR),
        ] {
            assert!(matches!(sort(error), Fault::Retryable { after: None, .. }));
        }
    }

    #[test]
    fn what_is_our_own_fault_is_not() {
        for error in [
            DynoxideError::ValidationException(String::new()),
            DynoxideError::KeyEmptyValueValidation(String::new()),
            DynoxideError::ResourceNotFoundException(String::new()),
            sqlite(rusqlite::ffi::SQLITE_NOTADB),
            sqlite(rusqlite::ffi::SQLITE_CORRUPT),
        ] {
            assert!(matches!(sort(error), Fault::Failed { .. }));
        }
    }
}
