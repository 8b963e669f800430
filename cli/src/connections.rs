//! Connections: one account at one provider each.

use std::io::IsTerminal;
use std::process::{Command, Stdio};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::manage::{self, AddEndpoint, Change, Create, Kind, ManageCommand, changed, report};
use crate::output::{Output, field};

/// What can be done to connections.
#[derive(Subcommand)]
pub(crate) enum ConnectionsCommand {
    /// What can be done to endpoints as well.
    #[command(flatten)]
    Manage(ManageCommand<AddConnection, ChangeConnection>),
    /// Open the provider's page on which the owner of the account lets Hooktide in, or print its address.
    Authorize {
        /// Id of the connection.
        id: String,
        /// Print the address only.
        #[arg(long)]
        print: bool,
    },
}

/// What a new connection has.
#[derive(Args)]
pub(crate) struct AddConnection {
    #[command(flatten)]
    common: AddEndpoint,
    /// Account at the provider, such as my-shop.myshopify.com.
    #[arg(long)]
    account: Option<String>,
    /// Endpoint of the provider app that its deliveries come to, where that serves many accounts.
    #[arg(long, value_name = "ID")]
    endpoint: Option<String>,
    /// Claim that the owner of that endpoint signed; names the endpoint and the account.
    #[arg(long)]
    claim: Option<String>,
}

/// The changes of a connection.
#[derive(Args)]
pub(crate) struct ChangeConnection {
    #[command(flatten)]
    common: Change,
    /// Account at the provider, in place of the one before.
    #[arg(long)]
    account: Option<String>,
    /// Claim that the owner of a shared endpoint signed for that account.
    #[arg(long, requires = "account")]
    claim: Option<String>,
}

impl Create for AddConnection {
    fn body(&self) -> Result<Value, Failure> {
        let mut body = self.common.body()?;
        if let Some(account) = &self.account {
            body["account"] = json!(account);
            body["name"] = json!(self.common.name.as_ref().unwrap_or(account));
        }
        let more = [("endpoint", &self.endpoint), ("claim", &self.claim)];
        for (name, value) in more.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            body[name] = json!(value);
        }
        Ok(body)
    }
}

impl Create for ChangeConnection {
    fn body(&self) -> Result<Value, Failure> {
        let mut body = self.common.fields();
        let more = [("account", &self.account), ("claim", &self.claim)];
        body.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?)))));
        changed(body)
    }
}

/// Does it.
pub(crate) async fn run(command: ConnectionsCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        ConnectionsCommand::Manage(command) => manage::run(Kind::Connection, command, client, output).await,
        ConnectionsCommand::Authorize { id, print } => {
            let told = client.get(&["v1", "connections", &id, "authorize"], &[]).await?;
            let url = field(&told, "url");
            report(&told, &url, output)?;
            if !output.json {
                let opened = !print && std::io::stdout().is_terminal() && opens(&url);
                let what = if opened { "It is open in your browser" } else { "Open it in a browser" };
                output.note(&format!("{what}; it counts once, until {}.", crate::output::time(&told, "expires_at")));
            }
            Ok(())
        }
    }
}

/// Opens an address in the browser of whoever sits here, if there is one.
fn opens(url: &str) -> bool {
    let is_address = url.starts_with("https://") || url.starts_with("http://");
    let mut programs = ["xdg-open", "open"].into_iter();
    is_address
        && programs.any(|program| {
            let mut command = Command::new(program);
            command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().is_ok()
        })
}

#[cfg(test)]
mod tests {
    use hooktide_model::secret::Secret;

    use super::*;

    fn new_endpoint(secrets: &[&str]) -> AddEndpoint {
        AddEndpoint {
            provider: "shopify".to_owned(),
            name: None,
            secrets: secrets.iter().map(|secret| Secret::new(*secret)).collect(),
            settings: vec![("rate_per_minute".to_owned(), json!(60))],
        }
    }

    #[test]
    fn a_new_connection_carries_all_that_was_given() {
        let common = new_endpoint(&["client_secret=new", "client_secret=old"]);
        let account = Some("my-shop.myshopify.com".to_owned());
        let new = AddConnection { common, account, endpoint: None, claim: None };
        let expected = json!({
            "provider": "shopify",
            "name": "my-shop.myshopify.com",
            "account": "my-shop.myshopify.com",
            "secrets": { "client_secret": ["new", "old"] },
            "settings": { "rate_per_minute": 60 },
        });
        assert_eq!(new.body(), Ok(expected));
    }
}
