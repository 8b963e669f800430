//! Who the command is to the server: the token that was given or, on the machine of the local server, its admin key.

use std::io;
use std::path::{Path, PathBuf};

use hooktide_model::secret::Secret;

use crate::failure::Failure;
use crate::global::Global;
use crate::server::Server;

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
    pub(crate) fn find(global: &Global, server: &Server) -> Result<Self, Failure> {
        let given = global.token.as_ref().filter(|token| !token.expose().is_empty());
        match given {
            Some(token) => Ok(Self::Given(token.clone())),
            None if server.is_local() => Self::read(&global.home.join(ADMIN_KEY_FILE)),
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
    pub(crate) fn advice(&self, server: &Server) -> String {
        match self {
            Self::Given(_) => "Check the token in --token or HOOKTIDE_TOKEN: it may be expired or revoked.".to_owned(),
            Self::AdminKey(file, _) => format!(
                "{} does not take the admin key in {}, so another Hooktide answers there. {}",
                server.name(),
                file.display(),
                server.stranger_advice()
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
