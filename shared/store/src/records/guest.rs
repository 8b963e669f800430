//! Guests: whom the owner of a shared endpoint lets connect accounts to it.

use serde::{Deserialize, Serialize};

use hooktide_model::tenant::{InvalidTenant, Tenant};

/// The name that lets every tenant in.
const ANYBODY: &str = "*";

/// Whom the owner of a shared endpoint lets connect accounts to it: a tenant by its name, or `*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Guest {
    /// Every tenant that knows the endpoint's id.
    Anybody,
    /// One tenant.
    Tenant(Tenant),
}

impl Guest {
    /// Whether a tenant is meant.
    pub fn is(&self, tenant: &Tenant) -> bool {
        match self {
            Self::Anybody => true,
            Self::Tenant(named) => named == tenant,
        }
    }
}

impl TryFrom<String> for Guest {
    type Error = InvalidTenant;
    fn try_from(name: String) -> Result<Self, InvalidTenant> {
        if name == ANYBODY { Ok(Self::Anybody) } else { Tenant::parse(&name).map(Self::Tenant) }
    }
}

impl From<Guest> for String {
    fn from(guest: Guest) -> Self {
        match guest {
            Guest::Anybody => ANYBODY.to_owned(),
            Guest::Tenant(tenant) => tenant.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_a_tenant_or_everybody() {
        let guest = |name: &str| Guest::try_from(name.to_owned());
        let (local, system) = (Tenant::default_local(), Tenant::system());
        for (name, expected) in [("*", Ok((true, true))), ("default", Ok((true, false))), ("**", Err(InvalidTenant))] {
            assert_eq!(guest(name).map(|guest| (guest.is(&local), guest.is(&system))), expected, "{name}");
            assert!(guest(name).is_err() || String::from(guest(name).unwrap()) == name);
        }
    }
}
