//! The demo: a connection of each provider, with secrets that anybody can read.

use std::collections::BTreeMap;

use hooktide_flows::connect::{self, Context, NewConnection, Refusal, Repeat};
use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;
use hooktide_providers::Provider;

use crate::host::Host;

/// Makes the demo's connections, once; returns their ids by provider.
pub(crate) async fn connect_all(host: &Host) -> Result<BTreeMap<&'static str, String>, (&'static str, Refusal)> {
    let tenant = Tenant::default_local();
    let context = Context { ports: &host.ports, settings: &host.settings, tenant: &tenant, now: host.clock.now() };
    let mut connections = BTreeMap::new();
    for provider in hooktide_providers::ALL {
        let repeat = Repeat::under(&format!("demo-{}", provider.id()));
        let made = connect::create(context, connection(*provider), &repeat).await;
        connections.insert(provider.id(), made.map_err(|refusal| (provider.id(), refusal))?.id);
    }
    Ok(connections)
}

/// The demo's connection of a provider.
fn connection(provider: &dyn Provider) -> NewConnection {
    let secret = |(name, text): &(&str, &str)| ((*name).to_owned(), vec![Secret::new(*text)]);
    NewConnection {
        provider: provider.id().to_owned(),
        name: Some(format!("Demo {}", provider.id())),
        account: Some(provider.profile().sample_account.to_owned()),
        secrets: provider.profile().sample_secrets.iter().map(secret).collect(),
        ..NewConnection::default()
    }
}
