//! The root keys of a local deployment: a file in the data folder that only its owner can read.

use std::sync::Arc;

use async_trait::async_trait;
use hooktide_model::entropy::Entropy;
use hooktide_model::fault::Fault;
use hooktide_model::sealing::RootKeys;
use hooktide_store::ports::Keys;

use crate::home::{Home, HomeError};

/// The file's name.
const FILE: &str = "root-keys.json";

/// Root keys that do not change while the process runs.
#[derive(Debug, Clone)]
pub struct LocalKeys(Arc<RootKeys>);

/// Why root keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The folder does not give them.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The file is gone, and the folder is in use.
    #[error(
        "{FILE} is missing in a data folder that is in use. Restore it from where it was left: webhook addresses and \
             stored secrets depend on it. Only if nothing in the folder is needed any more, give another with --home."
    )]
    Missing,
    /// The file is not what was written.
    #[error("{FILE} in the data folder does not read ({0}). Restore it: without it, no stored secret can be opened.")]
    Unreadable(Fault),
}

impl LocalKeys {
    /// Reads the keys of a data folder, or makes them. A folder that is in use must have them: with new ones, every
    /// webhook address would be unknown and no stored secret could be opened.
    pub fn open(home: &Home, in_use: bool, entropy: &Entropy) -> Result<Self, KeysError> {
        let keys = match home.read_private(FILE)? {
            Some(text) => RootKeys::from_json(&text).map_err(KeysError::Unreadable)?,
            None if in_use => return Err(KeysError::Missing),
            None => {
                let keys = RootKeys::generate(entropy);
                home.write_private(FILE, keys.to_json().expose())?;
                keys
            }
        };
        Ok(Self(Arc::new(keys)))
    }

    /// Keys that are nowhere stored, for tests.
    pub fn generate(entropy: &Entropy) -> Self {
        Self(Arc::new(RootKeys::generate(entropy)))
    }
}

#[async_trait]
impl Keys for LocalKeys {
    async fn root(&self) -> Result<Arc<RootKeys>, Fault> {
        Ok(Arc::clone(&self.0))
    }
}
