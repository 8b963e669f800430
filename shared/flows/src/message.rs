//! A message as a queue delivered it.

use hooktide_store::ports::Source;

/// A message, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The host's handle of it.
    pub handle: String,
    /// The queue that it was taken from.
    pub source: Source,
    /// Its body.
    pub body: String,
}
