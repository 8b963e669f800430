//! The data folder: readable by its owner only, used by one process at a time, and never by an older version.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The format that this version writes.
const FORMAT: u32 = 1;
/// The file that names it; written last, so a folder that has it has everything.
const FORMAT_FILE: &str = "format";

/// An open data folder; holds its lock.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    /// Whether a start completed the folder.
    complete: bool,
    _lock: File,
}

/// Why a data folder cannot be used. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Another process has it.
    #[error("{0} is in use by another Hooktide. Stop that one, or give another folder with --home.")]
    Locked(PathBuf),
    /// A newer version wrote it.
    #[error(
        "{path} was written by a newer Hooktide (format {found}, this one knows {FORMAT}). \
         Start that version, or give another folder with --home."
    )]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The folder was in use, and one of its files is gone.
    #[error(
        "{} is missing or empty in a data folder that was in use, and with it {lost}. Restore it from a backup, with the rest of \
         the folder. To go on without it on purpose, remove {} and start again, or give another folder with --home.",
        path.join(file).display(), path.join(FORMAT_FILE).display()
    )]
    Missing {
        /// The folder.
        path: PathBuf,
        /// The name of the missing file.
        file: &'static str,
        /// The content that is lost with it.
        lost: &'static str,
    },
    /// The folder cannot be read or written.
    #[error("{path} cannot be used: {error}. Check its permissions and the free space, or give another with --home.")]
    Unusable {
        /// The folder or a file in it.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
}

impl Home {
    /// Opens a data folder, making it if it is not there.
    pub fn open(path: &Path) -> Result<Self, HomeError> {
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |error| HomeError::Unusable { path, error }
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable(path))?;
        // An existing folder may be open to others, but webhooks' bodies are private.
        if fs::metadata(path).map_err(unusable(path))?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(unusable(path))?;
        }
        let lock_path = path.join("lock");
        let lock = private().create(true).truncate(false).open(&lock_path).map_err(unusable(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(HomeError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(unusable(&lock_path)(error)),
        }
        let mut home = Self { path: path.to_owned(), complete: false, _lock: lock };
        home.complete = home.has_format()?;
        Ok(home)
    }

    /// Whether a start completed the folder.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Refuses a folder that was in use and lacks a file or has an empty one, which would silently be made anew.
    pub fn require(&self, file: &'static str, lost: &'static str) -> Result<(), HomeError> {
        let is_there = || fs::metadata(self.join(file)).is_ok_and(|found| found.is_dir() || found.len() > 0);
        if self.complete && !is_there() {
            return Err(HomeError::Missing { path: self.path.clone(), file, lost });
        }
        Ok(())
    }

    /// Notes that everything is there.
    pub fn completed(&mut self) -> Result<(), HomeError> {
        if !self.complete {
            self.write_private(FORMAT_FILE, format!("{FORMAT}\n").as_bytes())?;
            self.complete = true;
        }
        Ok(())
    }

    /// A path in the folder.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Reads a private file; `None` if it is not there.
    pub fn read_private(&self, name: &str) -> Result<Option<String>, HomeError> {
        let path = self.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(HomeError::Unusable { path, error }),
        }
    }

    /// Writes a file that only its owner can read, whole or not at all.
    pub fn write_private(&self, name: &str, text: &[u8]) -> Result<(), HomeError> {
        let (path, draft) = (self.join(name), self.join(&format!("{name}.draft")));
        let write = || -> io::Result<()> {
            let mut file = private().create(true).truncate(true).open(&draft)?;
            file.write_all(text)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|error| HomeError::Unusable { path: path.clone(), error })
    }

    fn has_format(&self) -> Result<bool, HomeError> {
        let Some(text) = self.read_private(FORMAT_FILE)? else { return Ok(false) };
        match text.trim().parse::<u32>() {
            Ok(found) if found <= FORMAT => Ok(true),
            Ok(found) => Err(HomeError::Newer { path: self.path.clone(), found }),
            Err(_) => {
                let error = io::Error::other("it does not name a format");
                Err(HomeError::Unusable { path: self.join(FORMAT_FILE), error })
            }
        }
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = Home::open(folder.path()).unwrap();
        assert!(matches!(Home::open(folder.path()), Err(HomeError::Locked(_))));
        drop(first);
        Home::open(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_of_a_newer_version_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        drop(Home::open(folder.path()).unwrap());
        fs::write(folder.path().join("format"), "2\n").unwrap();
        let error = Home::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("newer Hooktide (format 2, this one knows 1)"), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("format")).unwrap(), "2\n");
    }

    #[test]
    fn what_is_missing_matters_once_everything_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut home = Home::open(folder.path()).unwrap();
        home.require("table.db", "everything").unwrap();
        home.completed().unwrap();
        let error = home.require("table.db", "everything").unwrap_err().to_string();
        assert!(error.contains("table.db is missing") && error.contains("and with it everything."), "{error}");
        home.write_private("table.db", b"").unwrap();
        home.require("table.db", "everything").unwrap_err();
        home.write_private("table.db", b"a page").unwrap();
        home.require("table.db", "everything").unwrap();
        drop(home);
        assert!(Home::open(folder.path()).unwrap().is_complete());
    }

    #[test]
    fn what_is_private_is_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        let home = Home::open(&path).unwrap();
        home.write_private("secret", b"hush").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("secret"))), (0o700, 0o600));
        drop(home);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let _home = Home::open(&path).unwrap();
        assert_eq!(mode(&path), 0o700, "a folder that was open to others");
    }
}
