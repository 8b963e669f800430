//! Tenants: who owns data.

use serde::{Deserialize, Serialize};

/// The name of a tenant: 1 to 40 lower-case letters, digits and inner hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tenant(String);

impl Tenant {
    /// Checks a name.
    pub fn parse(name: &str) -> Result<Self, InvalidTenant> {
        let fits = (1..=40).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        if fits { Ok(Self(name.to_owned())) } else { Err(InvalidTenant) }
    }

    /// The tenant for data without an owner, such as a queue message that is not one of our envelopes.
    pub fn system() -> Self {
        Self("system".to_owned())
    }

    /// The tenant of a local server's first connections.
    pub fn default_local() -> Self {
        Self("default".to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Tenant {
    type Error = InvalidTenant;
    fn try_from(name: String) -> Result<Self, InvalidTenant> {
        Self::parse(&name)
    }
}

impl From<Tenant> for String {
    fn from(tenant: Tenant) -> Self {
        tenant.0
    }
}

/// The name is not one that a tenant can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's name has 1 to 40 lower-case letters, digits and inner hyphens")]
pub struct InvalidTenant;
