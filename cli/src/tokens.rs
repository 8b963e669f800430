//! API tokens: a new one is printed once, alone on stdout, so that a script can take it.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use hooktide_model::names::Scope;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::global::Global;
use crate::moment::Moment;
use crate::output::{Output, Table, field, harmless, time};

/// What can be done to tokens.
#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token for the tenant that --tenant names, and print it; it is not shown again.
    #[command(override_usage = "hooktide token create --tenant <NAME> [OPTIONS]")]
    Create(CreateToken),
    /// List the tokens of a tenant.
    List,
    /// Revoke a token; it may count for up to a minute more.
    Revoke {
        /// Its id.
        id: String,
    },
}

/// What a new token is good for.
#[derive(Args)]
pub(crate) struct CreateToken {
    /// Person whose it is.
    #[arg(long)]
    user: Option<String>,
    /// Company whose figures it shows; repeatable [default: all].
    #[arg(long = "company", value_name = "ID")]
    companies: Vec<String>,
    /// What it may do; each includes those before it. Repeatable.
    #[arg(long = "scope", default_value = Scope::Read.as_str(), value_parser = scopes())]
    scopes: Vec<String>,
    /// When it ends: a time, or a distance from now such as 90d [default: never].
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    expires: Option<Moment>,
}

fn scopes() -> PossibleValuesParser {
    PossibleValuesParser::new(Scope::ALL.iter().map(|scope| scope.as_str()))
}

impl CreateToken {
    fn body(&self, tenant: &str, now: Timestamp) -> Value {
        let expires_at = self.expires.map(|expires| expires.after(now));
        json!({
            "tenant": tenant,
            "user": self.user,
            "companies": self.companies,
            "scopes": self.scopes,
            "expires_at": expires_at,
        })
    }
}

/// Does it.
pub(crate) async fn run(
    command: TokenCommand,
    global: &Global,
    client: &Client,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(new) => {
            let Some(tenant) = &global.tenant else {
                return Err(Failure::Usage("Say whose the token is: --tenant NAME.".to_owned()));
            };
            let created = client.post(&["v1", "tokens"], &new.body(tenant.as_str(), Timestamp::now())).await?;
            if output.json {
                return output.value(&created);
            }
            output.line(&field(&created, "token"))?;
            let (id, scopes) = (harmless(&field(&created, "id")), harmless(&field(&created, "scopes")));
            output.note(&format!(
                "Token {id} of tenant {tenant} with the scope {scopes} (--scope gives another). Keep it: it is not shown \
                 again."
            ));
            Ok(())
        }
        TokenCommand::List => list(client.list(&["v1", "tokens"]).await?, output),
        TokenCommand::Revoke { id } => {
            let revoked = client.delete(&["v1", "tokens", &id]).await?;
            match (output.json, revoked) {
                (true, Value::Null) => Ok(()),
                (true, revoked) => output.value(&revoked),
                (false, _) => output.line(&format!("{id} is revoked.")),
            }
        }
    }
}

fn list(items: Vec<Value>, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.value(&json!({ "items": items, "next": null }));
    }
    let mut table = Table::new(&["id", "tenant", "user", "scopes", "by", "created", "expires", "revoked"]);
    for item in &items {
        let texts = ["id", "tenant", "user", "scopes", "by"].map(|name| field(item, name));
        let times = ["created_at", "expires_at", "revoked_at"].map(|name| time(item, name));
        table.row(texts.into_iter().chain(times));
    }
    output.table(&table, "There are none. Create one with `hooktide token create --tenant NAME`.")
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_new_token_ends_at_its_distance_from_now() {
        let new = CreateToken {
            user: None,
            companies: vec!["c1".to_owned()],
            scopes: vec!["feed".to_owned()],
            expires: Some(Moment::Away(SignedDuration::from_hours(24))),
        };
        let expected = json!({
            "tenant": "acme",
            "user": null,
            "companies": ["c1"],
            "scopes": ["feed"],
            "expires_at": "1970-01-02T00:00:00Z",
        });
        assert_eq!(new.body("acme", Timestamp::UNIX_EPOCH), expected);
    }
}
