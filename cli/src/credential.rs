//! Who the command is to the server: the token that was given or, on the machine of the local server, its admin key.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use hooktide_model::secret::Secret;
use reqwest::Url;

use crate::failure::Failure;
use crate::global::Global;

/// The file in the data folder that holds the admin key: one line, readable by its owner only.
const ADMIN_KEY_FILE: &str = "admin-token";

/// Who the command is to the server.
#[derive(Debug)]
pub(crate) enum Credential {
    /// The token that was given.
    Given(Secret),
    /// The admin key in this file.
    AdminKey(PathBuf, Secret),
    /// There is no admin key at this place.
    NoAdminKey(PathBuf),
    /// Nobody: the server is on another machine, and no token was given.
    Nobody,
}

impl Credential {
    /// Finds it. The admin key never leaves this machine.
    pub(crate) fn find(global: &Global) -> Result<Self, Failure> {
        let given = global.token.as_ref().filter(|token| !token.expose().is_empty());
        match given {
            Some(token) => Ok(Self::Given(token.clone())),
            None if is_loopback(&global.url) => Self::read(&global.home.join(ADMIN_KEY_FILE)),
            None => Ok(Self::Nobody),
        }
    }

    fn read(file: &Path) -> Result<Self, Failure> {
        match std::fs::read_to_string(file) {
            Ok(text) => Ok(Self::AdminKey(file.to_owned(), Secret::new(text.trim()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::NoAdminKey(file.to_owned())),
            Err(error) => Err(Failure::Failed(format!(
                "The admin key in {} cannot be read: {error}.\nRun this as the user who runs the server, or give a \
                 token by --token or HOOKTIDE_TOKEN.",
                file.display()
            ))),
        }
    }

    /// What is presented to the server, if anything.
    pub(crate) fn token(&self) -> Option<&Secret> {
        match self {
            Self::Given(token) | Self::AdminKey(_, token) => Some(token),
            Self::NoAdminKey(_) | Self::Nobody => None,
        }
    }

    /// What to do when the server refuses it.
    pub(crate) fn advice(&self) -> String {
        match self {
            Self::Given(_) => "Check the token in --token or HOOKTIDE_TOKEN: it may be expired or revoked.".to_owned(),
            Self::AdminKey(file, _) => format!(
                "The admin key in {} is not this server's. Name the server's data folder by --home.",
                file.display()
            ),
            Self::NoAdminKey(file) => format!(
                "There is no admin key at {}. Run this where `hooktide serve` was started, name the server's data \
                 folder by --home, or give a token by --token or HOOKTIDE_TOKEN.",
                file.display()
            ),
            Self::Nobody => "Give a token by --token or HOOKTIDE_TOKEN.".to_owned(),
        }
    }
}

/// Whether the address is on this machine, whatever the name servers say.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_loopback() {
        let loopback = |text| Url::parse(text).is_ok_and(|url| is_loopback(&url));
        for text in ["http://127.0.0.1:8787", "http://127.1", "http://[::1]:1", "http://localhost", "https://LOCALHOST"]
        {
            assert!(loopback(text), "{text}");
        }
        for text in [
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1@example.com",
            "http://10.0.0.1",
        ] {
            assert!(!loopback(text), "{text}");
        }
    }
}
