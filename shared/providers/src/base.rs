//! Where a provider is: its API, or a page of its own.

use hooktide_model::settings::connection::ConnectionSettings;

/// Where an API is.
#[derive(Clone, Copy)]
pub enum Base {
    /// The same address for everybody, without a slash at the end.
    Fixed(&'static str),
    /// An address of each account, from the account and the settings of its connection, without a slash at the end; `None` if
    /// they do not say it.
    OfConnection(fn(Option<&str>, &ConnectionSettings) -> Option<String>),
    /// The same, where questions may also go to other hosts of the same site, by HTTPS: some servers keep each account on
    /// another host than the one that accounts are looked for at.
    OfSite(fn(Option<&str>, &ConnectionSettings) -> Option<String>),
}

impl Base {
    /// The address that is the same for everybody.
    pub fn fixed(self) -> Option<&'static str> {
        match self {
            Self::Fixed(address) => Some(address),
            Self::OfConnection(_) | Self::OfSite(_) => None,
        }
    }
}
