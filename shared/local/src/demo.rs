//! The demo: a connection of each provider, with secrets that anybody can read, and the simulators that these are at.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hooktide_flows::Settings;
use hooktide_flows::connect::{self, ConnectionChange, Context, NewConnection, Refusal, Repeat};
use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;
use hooktide_providers::Provider;
use serde_json::{Map, Value};
use tokio::net::TcpListener;

use crate::clock::SystemClock;
use crate::host::Host;
use crate::simulators;

/// The account that the simulators begin with.
const SEED: u64 = 1;
/// The setting by which a connection says where its store is.
const SITE: &str = "site";

/// Where the simulators are, by provider.
pub(crate) type Simulators = BTreeMap<&'static str, SocketAddr>;

/// Starts the simulators of all providers that have one, and lets the settings lead to them. They stop with the process.
pub(crate) async fn simulate(settings: &mut Settings) -> std::io::Result<Simulators> {
    let mut simulators = Simulators::new();
    for provider in hooktide_providers::ALL.iter().copied().filter(|provider| provider.simulator(SEED).is_some()) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        if has_site(provider) {
            settings.private_hosts.extend(address.to_string().parse());
        } else {
            settings.apis.entry(provider.id()).or_insert_with(|| format!("http://{address}"));
            settings.oauths.entry(provider.id()).or_insert_with(|| format!("http://{address}"));
        }
        tokio::spawn(simulators::serve(provider, SEED, Arc::new(SystemClock), listener, std::future::pending()));
        simulators.insert(provider.id(), address);
    }
    Ok(simulators)
}

/// Whether connections say themselves where their store is.
fn has_site(provider: &dyn Provider) -> bool {
    provider.profile().settings.contains(&SITE)
}

/// Makes the demo's connections, once; returns their ids by provider.
pub(crate) async fn connect_all(
    host: &Host,
    simulators: &Simulators,
) -> Result<BTreeMap<&'static str, String>, (&'static str, Refusal)> {
    let tenant = Tenant::default_local();
    let context = Context { ports: &host.ports, settings: &host.settings, tenant: &tenant, now: host.clock.now() };
    let mut connections = BTreeMap::new();
    for provider in hooktide_providers::ALL {
        let repeat = Repeat::under(&format!("demo-{}", provider.id()));
        let settings = settings(*provider, simulators);
        let made = connect::create(context, connection(*provider, settings.clone()), &repeat).await;
        let made = made.map_err(|refusal| (provider.id(), refusal))?;
        // The simulator is somewhere else after each start.
        if settings.iter().any(|(name, value)| made.settings.to_map().get(name) != Some(value)) {
            let change = ConnectionChange { settings, ..ConnectionChange::default() };
            connect::change(context, &made.id, change).await.map_err(|refusal| (provider.id(), refusal))?;
        }
        connections.insert(provider.id(), made.id);
    }
    Ok(connections)
}

/// The settings of the demo's connection of a provider.
fn settings(provider: &dyn Provider, simulators: &Simulators) -> Map<String, Value> {
    let address = simulators.get(provider.id()).filter(|_| has_site(provider));
    address.map(|address| (SITE.to_owned(), format!("http://{address}").into())).into_iter().collect()
}

/// The demo's connection of a provider.
fn connection(provider: &dyn Provider, settings: Map<String, Value>) -> NewConnection {
    let secret = |(name, text): &(&str, &str)| ((*name).to_owned(), vec![Secret::new(*text)]);
    let profile = provider.profile();
    // Credentials are for simulators only.
    let credentials = if provider.simulator(SEED).is_some() { profile.sample_credentials } else { &[] };
    NewConnection {
        provider: provider.id().to_owned(),
        name: Some(format!("Demo {}", provider.id())),
        account: Some(provider.profile().sample_account.to_owned()),
        secrets: profile.sample_secrets.iter().chain(credentials).map(secret).collect(),
        settings,
        ..NewConnection::default()
    }
}
