//! The kinds of jobs, by name. Names are stored and never change.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The longest name.
const LONGEST: usize = 32;

/// The name of what a job does, such as `replay`. Whoever does it declares it; a name that nobody here declares is that of
/// newer code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct JobKind(Cow<'static, str>);

impl JobKind {
    /// Fetching what changed in a resource since its cursor.
    pub const SYNC: Self = Self::named("sync");

    /// The kind of this name: lower-case letters and hyphens.
    pub const fn named(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for JobKind {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let fits = (1..=LONGEST).contains(&name.len());
        if fits && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
            Ok(Self(Cow::Owned(name)))
        } else {
            Err("not the name of a job: lower-case letters and hyphens, 32 at the most")
        }
    }
}

impl std::fmt::Display for JobKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_declares_is_read_and_what_is_no_name_is_not() {
        let read = |text: &str| serde_json::from_value::<JobKind>(text.into());
        assert_eq!(read("sync").unwrap(), JobKind::SYNC);
        assert_eq!(read("full-count").unwrap().as_str(), "full-count");
        for text in ["", "Sync", "sync#stock", "a b", &"x".repeat(33)] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
