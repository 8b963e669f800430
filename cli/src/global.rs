//! Options that every command takes, and the address of a server.

use std::path::PathBuf;

use clap::Args;
use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;
use reqwest::Url;

use crate::secrets;

/// Options of every command.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Address of the server [default: the one that the local server wrote into its data folder].
    #[arg(long, global = true, env = "HOOKTIDE_URL", value_parser = server_url)]
    pub(crate) url: Option<Url>,
    /// API token; prefer the variable, since others on this machine can see command lines. On the machine of the local
    /// server it is not needed: the admin key in the server's data folder serves.
    #[arg(long, global = true, env = "HOOKTIDE_TOKEN", hide_env_values = true, value_parser = secrets::hidden)]
    pub(crate) token: Option<Secret>,
    /// Tenant to act for; the server heeds it only with the operator's admin key.
    #[arg(long, global = true, value_name = "NAME", value_parser = Tenant::parse)]
    pub(crate) tenant: Option<Tenant>,
    /// Data folder of the local server.
    #[arg(long, global = true, env = "HOOKTIDE_HOME", value_name = "DIR", default_value = ".hooktide")]
    pub(crate) home: PathBuf,
    /// Print the server's JSON; streams as one object per line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The address of a server.
pub(crate) fn server_url(text: &str) -> Result<Url, String> {
    let expected = "expected the address of a server, such as http://127.0.0.1:8787";
    let url = Url::parse(text).map_err(|error| format!("{error}; {expected}"))?;
    let fits = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if fits { Ok(url) } else { Err(expected.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_and_https_addresses_are_servers() {
        for text in
            ["127.0.0.1:8787", "ftp://example.com", "http://user:pass@example.com", "http://example.com/?a=b", ""]
        {
            assert!(server_url(text).is_err(), "{text:?}");
        }
        assert!(server_url("http://[::1]:8787").is_ok());
    }
}
