//! Finding the server: by the address that was given or, without one, by the address in the data folder of the local
//! server.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use hooktide_local::server::ADDRESS_FILE;
use reqwest::Url;

use crate::failure::Failure;
use crate::global::{Global, server_url};

/// The address of a local server that has written none.
const DEFAULT: &str = "http://127.0.0.1:8787";

/// The address of a server, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// The address.
    pub(crate) url: Url,
    origin: Origin,
}

/// How an address was found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    /// By `--url` or `HOOKTIDE_URL`.
    Given,
    /// In this file of the local server.
    File(PathBuf),
    /// Nowhere: the file is absent, so no local server runs on that folder.
    Default(PathBuf),
}

impl Server {
    /// Finds the server that the options name.
    pub(crate) fn find(global: &Global) -> Result<Self, Failure> {
        if let Some(url) = &global.url {
            return Ok(Self { url: url.clone(), origin: Origin::Given });
        }
        Self::of_folder(&global.home)
    }

    fn of_folder(home: &Path) -> Result<Self, Failure> {
        let file = home.join(ADDRESS_FILE);
        let unusable = |reason: String| {
            Failure::Failed(format!(
                "The address of the local server in {} cannot be used: {reason}.\nRun this as the user who runs the \
                 server, start the server again, or give its address by --url.",
                file.display()
            ))
        };
        let (text, origin) = match std::fs::read_to_string(&file) {
            Ok(text) => (text, Origin::File(file.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (DEFAULT.to_owned(), Origin::Default(file.clone()))
            }
            Err(error) => return Err(unusable(error.to_string())),
        };
        let url = server_url(text.trim()).map_err(unusable)?;
        Ok(Self { url, origin })
    }

    /// The address, as people write it.
    pub(crate) fn name(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Whether it is on this machine: at a loopback address, whatever the name servers say, or where the local server says
    /// that it listens.
    pub(crate) fn is_local(&self) -> bool {
        is_loopback(&self.url) || matches!(self.origin, Origin::File(_))
    }

    /// Says what to do when nobody answers there.
    pub(crate) fn unreachable_advice(&self) -> String {
        match &self.origin {
            Origin::Given if self.is_local() => "Is it running? Start it with `hooktide serve`.".to_owned(),
            Origin::Given => "Check the address in --url or HOOKTIDE_URL, and the network.".to_owned(),
            Origin::File(file) => format!(
                "The local server wrote that address into {}. Is it still running? Start it with `hooktide serve`.",
                file.display()
            ),
            Origin::Default(file) => format!(
                "Is it running? Start it with `hooktide serve`. It writes its address into its data folder, and there is \
                 no {}: name another data folder by --home, or the server's address by --url.",
                file.display()
            ),
        }
    }

    /// Says what to do when another server answers there.
    pub(crate) fn stranger_advice(&self) -> String {
        let found = match &self.origin {
            Origin::Given => "It was given by --url or HOOKTIDE_URL".to_owned(),
            Origin::File(file) => format!("It was read from {}", file.display()),
            Origin::Default(file) => format!("It is the default, since there is no {}", file.display()),
        };
        format!("{found}. Name the server's data folder by --home, or its address by --url.")
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

    #[test]
    fn the_local_server_is_found_by_the_address_in_its_folder() {
        let home = std::env::temp_dir().join(format!("hooktide-address-{}", std::process::id()));
        std::fs::create_dir_all(&home).unwrap();
        let found = || Server::of_folder(&home);
        assert_eq!(found().map(|server| server.name().to_owned()), Ok(DEFAULT.to_owned()));
        std::fs::write(home.join(ADDRESS_FILE), "http://10.0.0.7:9000\n").unwrap();
        let server = found().unwrap();
        assert!(server.is_local() && !is_loopback(&server.url), "it is this machine's, wherever it listens");
        assert_eq!(server.name(), "http://10.0.0.7:9000");
        std::fs::write(home.join(ADDRESS_FILE), "nonsense").unwrap();
        assert!(found().is_err_and(|failure| failure.message().is_some_and(|text| text.contains("--url"))));
        std::fs::remove_dir_all(&home).unwrap();
    }
}
