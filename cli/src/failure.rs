//! Why a command did not do what it was asked, and the exit code that says so.

use std::error::Error;
use std::process::ExitCode;

use reqwest::StatusCode;

/// Why a command did not do what it was asked. The texts say what to do next, and hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The command was used wrongly: exit code 2.
    Usage(String),
    /// The command failed on this machine.
    Failed(String),
    /// No answer came from the server.
    Unreachable(String),
    /// The server answered that it would not or could not.
    Refused {
        /// The status of its answer.
        status: StatusCode,
        /// The text of its answer.
        message: String,
    },
    /// The reader of our output has stopped reading, as it may.
    ReaderGone,
}

impl Failure {
    /// What to tell the user, if anything.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Usage(message)
            | Self::Failed(message)
            | Self::Unreachable(message)
            | Self::Refused { message, .. } => Some(message),
            Self::ReaderGone => None,
        }
    }

    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) | Self::Unreachable(_) | Self::Refused { .. } => ExitCode::FAILURE,
            Self::ReaderGone => ExitCode::SUCCESS,
        }
    }

    /// Whether the server answered with this status.
    pub(crate) fn is_status(&self, wanted: StatusCode) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == wanted)
    }

    /// Adds a next step to the message.
    pub(crate) fn advise(self, advice: &str) -> Self {
        let extend = |message: String| format!("{message}\n{advice}");
        match self {
            Self::Usage(message) => Self::Usage(extend(message)),
            Self::Failed(message) => Self::Failed(extend(message)),
            Self::Unreachable(message) => Self::Unreachable(extend(message)),
            Self::Refused { status, message } => Self::Refused { status, message: extend(message) },
            Self::ReaderGone => Self::ReaderGone,
        }
    }
}

/// The root cause of an error.
pub(crate) fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
