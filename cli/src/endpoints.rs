//! Endpoints of provider apps that serve many accounts: who may connect accounts to them.

use clap::{Args, Subcommand};
use hooktide_model::tenant::Tenant;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::manage::{self, AddEndpoint, Change, Create, Kind, ManageCommand, changed, report};
use crate::moment;
use crate::output::{Output, field};

/// What can be done to endpoints.
#[derive(Subcommand)]
pub(crate) enum EndpointsCommand {
    /// What can be done to connections as well.
    #[command(flatten)]
    Manage(ManageCommand<AddShared, ChangeEndpoint>),
    /// Sign a claim, with which a tenant connects one account and gets what was held for it.
    Claim {
        /// Id of the endpoint.
        id: String,
        /// Account at the provider, such as my-shop.myshopify.com.
        #[arg(long)]
        account: String,
        /// Tenant that is to connect it.
        #[arg(id = "for", long = "for", value_name = "TENANT", value_parser = Tenant::parse)]
        tenant: Tenant,
        /// How long the claim lasts, such as 7d [default: 24h].
        #[arg(long, value_name = "DURATION", value_parser = moment::duration)]
        expires: Option<SignedDuration>,
    },
    /// Release what was held for an account before a tenant connected it without a claim.
    Release {
        /// Id of the endpoint, or of the connection that has an address of its own.
        id: String,
        /// Account at the provider.
        #[arg(long)]
        account: String,
        /// Tenant that has connected it; refused if another has [default: whoever has].
        #[arg(id = "to", long = "to", value_name = "TENANT", value_parser = Tenant::parse)]
        tenant: Option<Tenant>,
    },
}

/// What a new endpoint has.
#[derive(Args)]
pub(crate) struct AddShared {
    #[command(flatten)]
    common: AddEndpoint,
    /// Tenant that may connect any account to it without a claim; repeatable, `*` for all.
    #[arg(long, value_name = "TENANT")]
    open_to: Vec<String>,
}

/// The changes of an endpoint.
#[derive(Args)]
pub(crate) struct ChangeEndpoint {
    #[command(flatten)]
    common: Change,
    /// Tenant that may connect any account to it without a claim, in place of those before; repeatable, `*` for all.
    #[arg(long, value_name = "TENANT", conflicts_with = "closed")]
    open_to: Vec<String>,
    /// Let no other tenant connect accounts to it without a claim.
    #[arg(long)]
    closed: bool,
}

impl Create for AddShared {
    fn body(&self) -> Result<Value, Failure> {
        let mut body = self.common.body()?;
        if !self.open_to.is_empty() {
            body["tenants"] = json!(self.open_to);
        }
        Ok(body)
    }
}

impl Create for ChangeEndpoint {
    fn body(&self) -> Result<Value, Failure> {
        let mut body = self.common.fields();
        if self.closed || !self.open_to.is_empty() {
            body.insert("tenants".to_owned(), json!(self.open_to));
        }
        changed(body)
    }
}

/// Does it.
pub(crate) async fn run(command: EndpointsCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        EndpointsCommand::Manage(command) => manage::run(Kind::Endpoint, command, client, output).await,
        EndpointsCommand::Claim { id, account, tenant, expires } => {
            let mut body = json!({ "account": account, "tenant": tenant });
            if let Some(expires) = expires {
                body["expires_in"] = json!(expires.as_secs());
            }
            let made = client.post(&["v1", "endpoints", &id, "claims"], &body).await?;
            if output.json {
                return output.value(&made);
            }
            output.line(&field(&made, "claim"))?;
            let until = crate::output::time(&made, "expires_at");
            output.note(&format!(
                "With it, {tenant} connects the account until {until}: `hooktide connections add PROVIDER --claim ...`."
            ));
            Ok(())
        }
        EndpointsCommand::Release { id, account, tenant } => {
            let mut body = json!({ "account": account });
            if let Some(tenant) = tenant {
                body["tenant"] = json!(tenant);
            }
            let released = client.post(&["v1", "endpoints", &id, "release"], &body).await?;
            let count = field(&released, "matched");
            report(&released, &format!("{count} held deliveries of {account} are being released."), output)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_opened_and_closed_only_when_that_is_said() {
        let change = |name: Option<&str>, open_to: &[&str], closed| {
            let common = Change { name: name.map(str::to_owned), settings: Vec::new() };
            ChangeEndpoint { common, open_to: open_to.iter().map(|one| (*one).to_owned()).collect(), closed }.body()
        };
        assert_eq!(change(Some("New"), &[], false), Ok(json!({ "name": "New" })));
        assert_eq!(change(None, &["*"], false), Ok(json!({ "tenants": ["*"] })));
        assert_eq!(change(None, &[], true), Ok(json!({ "tenants": [] })));
        assert!(change(None, &[], false).is_err());
    }
}
