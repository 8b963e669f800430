//! The command line: what can be asked, and what holds for every command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;
use reqwest::Url;

use crate::connections::{AddConnection, ChangeConnection, ManageCommand};
use crate::cost::CostArguments;
use crate::dead_letters::DeadLettersCommand;
use crate::endpoints::EndpointsCommand;
use crate::feed::{ActivityArguments, ChangesArguments};
use crate::secrets;
use crate::send::SendArguments;
use crate::serve::ServeArguments;
use crate::tokens::TokenCommand;

/// Webhook-first sync: verifies what providers send, works out what really changed, and tells who needs to know.
#[derive(Parser)]
#[command(version, after_help = "Exit codes: 0 done, 1 failed, 2 used wrongly.")]
pub(crate) struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What holds for every command.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Address of the server.
    #[arg(long, global = true, env = "HOOKTIDE_URL", default_value = "http://127.0.0.1:8787", value_parser = server_url)]
    pub(crate) url: Url,
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

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the local server: one process, no cloud account.
    Serve(ServeArguments),
    /// Create, list and revoke API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Manage the endpoints of provider apps that serve many accounts.
    #[command(subcommand)]
    Endpoints(EndpointsCommand),
    /// Manage connections: one account at one provider each.
    #[command(subcommand)]
    Connections(ManageCommand<AddConnection, ChangeConnection>),
    /// Show the providers, what their signatures cover, the secrets they need and their topics.
    Providers,
    /// Send signed sample webhooks, as the provider would.
    Send(SendArguments),
    /// Follow changes and activity as they happen, until Ctrl-C.
    Tail,
    /// Show what changed.
    Changes(ChangesArguments),
    /// Show what became of each delivery.
    Activity(ActivityArguments),
    /// List, show, replay and discard what could not be processed.
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Show what is recorded and not done yet: jobs, and deliveries that are held for accounts.
    Waiting,
    /// Compute what webhooks cost on AWS, on list prices; no server is asked.
    Cost(CostArguments),
    /// Show whether the server is well, and how much there is.
    Status,
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
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_are_taken_after_the_command_as_well() {
        let parsed =
            Cli::try_parse_from(["hooktide", "connections", "list", "--json", "--url", "https://example.com/prod"]);
        assert!(parsed.is_ok_and(|cli| cli.global.json && cli.global.url.path() == "/prod"));
    }

    #[test]
    fn only_plain_http_and_https_addresses_are_servers() {
        for text in
            ["127.0.0.1:8787", "ftp://example.com", "http://user:pass@example.com", "http://example.com/?a=b", ""]
        {
            assert!(server_url(text).is_err(), "{text:?}");
        }
        assert!(server_url("http://[::1]:8787").is_ok());
    }

    #[test]
    fn a_wrong_secret_argument_is_not_repeated_in_the_error() {
        let arguments = ["hooktide", "connections", "add", "shopify", "--secret", "hush-hush", "--nonsense"];
        let text = Cli::try_parse_from(arguments).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains("--nonsense") && !text.contains("hush-hush"), "{text}");
    }
}
