//! The demo: a connection of each provider, with secrets that anybody can read, and the simulators that these are at.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hooktide_flows::Settings;
use hooktide_flows::connect::{self, ConnectionChange, Context, NewConnection, Refusal, Repeat};
use hooktide_flows::follow::busy;
use hooktide_flows::watch;
use hooktide_model::names::Kind;
use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;
use hooktide_providers::Provider;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tracing::warn;

use crate::clock::SystemClock;
use crate::host::Host;
use crate::simulators;

/// The account that the simulators begin with.
const SEED: u64 = 1;
/// The settings by which connections say themselves where their provider is.
const ADDRESSES: [&str; 2] = ["site", "url"];

/// How long the demo waits between two looks at whether calendars are listed, and how often it looks.
const LOOKS: Duration = Duration::from_secs(1);
const LISTED_WITHIN: usize = 60;

/// Where the simulators are, by provider.
pub(crate) type Simulators = BTreeMap<&'static str, SocketAddr>;

/// Starts the simulators of all providers that have one, and lets the settings lead to them. They stop with the process.
pub(crate) async fn simulate(settings: &mut Settings) -> std::io::Result<Simulators> {
    let mut simulators = Simulators::new();
    for provider in hooktide_providers::ALL.iter().copied().filter(|provider| provider.simulator(SEED).is_some()) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        if address_of(provider).is_some() {
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

/// The setting by which a provider's connections say themselves where it is, if they do.
fn address_of(provider: &dyn Provider) -> Option<&'static str> {
    ADDRESSES.into_iter().find(|name| provider.profile().settings.contains(name))
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
        // What an earlier start subscribed to went with its simulator.
        if made.created_at < context.now && is_simulated(&host.settings, *provider, simulators) {
            let begun = watch::begin_anew(&host.ports, &tenant, &made.id, context.now).await;
            begun.map_err(|fault| (provider.id(), fault.into()))?;
        }
        connections.insert(provider.id(), made.id);
    }
    Ok(connections)
}

/// Whether a provider's connections lead to its simulator, and not to where the operator says that it is.
fn is_simulated(settings: &Settings, provider: &dyn Provider, simulators: &Simulators) -> bool {
    let at = simulators.get(provider.id()).map(|address| format!("http://{address}"));
    at.is_some() && (address_of(provider).is_some() || settings.apis.get(provider.id()) == at.as_ref())
}

/// The settings of the demo's connection of a provider.
fn settings(provider: &dyn Provider, simulators: &Simulators) -> Map<String, Value> {
    let named = address_of(provider).zip(simulators.get(provider.id()));
    named.map(|(name, address)| (name.to_owned(), format!("http://{address}").into())).into_iter().collect()
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

/// Lets the demo's calendars block each other, once their simulators have told which there are: they are one person's. What was
/// chosen for connections that an earlier start made is left as it is.
pub(crate) async fn let_calendars_block(
    host: Arc<Host>,
    connections: BTreeMap<&'static str, String>,
    since: Timestamp,
) {
    let tenant = Tenant::default_local();
    for (provider, connection) in connections {
        let context = Context { ports: &host.ports, settings: &host.settings, tenant: &tenant, now: host.clock.now() };
        let made = connect::connection_of(context, &connection).await;
        if made.is_ok_and(|made| made.record.created_at < since) {
            continue;
        }
        let Some(provider) = hooktide_providers::by_id(provider) else { continue };
        if !provider.profile().resources.iter().any(|(kind, _)| *kind == Kind::CalendarEvent) {
            continue;
        }
        for _ in 0..LISTED_WITHIN {
            let (ports, settings, now) = (&host.ports, &host.settings, host.clock.now());
            let context = Context { ports, settings, tenant: &tenant, now };
            match choose_first(context, provider, &connection).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(refusal) => {
                    warn!(provider = provider.id(), ?refusal, "the demo's calendars do not block each other")
                }
            }
            tokio::time::sleep(LOOKS).await;
        }
    }
}

/// Lets the first calendar of a connection block the others, and be blocked where it can be written; whether there is one.
async fn choose_first(context: Context<'_>, provider: &dyn Provider, connection: &str) -> Result<bool, Refusal> {
    let calendars = busy::calendars(context, connection).await?;
    let main = calendars.iter().find(|one| one.is_main).or(calendars.first());
    let Some(first) = main else { return Ok(false) };
    let is_blocked = provider.target().is_some();
    let chosen = busy::Chosen { included: None, blocks_others: Some(true), is_blocked: Some(is_blocked) };
    if !first.blocks_others {
        busy::choose(context, connection, &first.id, chosen).await?;
    }
    Ok(true)
}
