//! What an operator may ask of the function directly: `{"hooktide": "create-token", "tenant": ...}`.

use hooktide_functions::host::Host;
use hooktide_model::names::Scope;
use hooktide_model::tenant::Tenant;
use hooktide_store::records::token::{self, Principal};
use jiff::Timestamp;
use lambda_http::Error;
use serde::Deserialize;
use serde_json::{Value, json};

/// The field that tells a direct invocation from a request.
pub(crate) const MARK: &str = "hooktide";

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(tag = "hooktide", rename_all = "kebab-case", deny_unknown_fields)]
enum Command {
    /// Issue an API token.
    CreateToken {
        /// For which tenant.
        tenant: Tenant,
        /// What it may do.
        #[serde(default = "admin")]
        scopes: Vec<Scope>,
        /// Whether its holder may act for any tenant.
        #[serde(default)]
        operator: bool,
        /// When it ends.
        #[serde(default)]
        expires_at: Option<Timestamp>,
    },
}

fn admin() -> Vec<Scope> {
    vec![Scope::Admin]
}

/// Does it.
pub(crate) async fn answer(host: &Host, command: Value) -> Result<Value, Error> {
    let Command::CreateToken { tenant, scopes, operator, expires_at } = serde_json::from_value(command)?;
    let principal = Principal { scopes, operator, ..Principal::operator(tenant) };
    let (table, entropy) = (&*host.ports.table, &host.ports.entropy);
    let issued = token::issue(table, entropy, principal, expires_at, host.clock.now()).await?;
    Ok(json!({
        "id": issued.id,
        "token": issued.text.expose_text(),
        "tenant": issued.token.principal.tenant,
        "scopes": issued.token.principal.scopes,
        "operator": issued.token.principal.operator,
        "expires_at": issued.token.expires_at,
    }))
}
