//! Checks of a connection: each says what is wrong, and what to do.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::resources::local_name;
use super::subscriptions::{SubscriptionView, of_connection, severity};
use crate::asking::account;
use crate::asking::{self, Failure, Priority};
use crate::connect::{Context, Refusal, connection_of, standing};
use crate::course;
use crate::sync::start;
use crate::watch::reach;
use hooktide_model::fault::Fault;
use hooktide_model::names::{CredentialsState, SubscriptionState};
use hooktide_providers::{self as providers, Provider, Reach, Refusal as Refused};
use hooktide_store::records::connection::Connection;
use hooktide_store::records::resource::Resource;
use hooktide_store::records::{self, Stored, Upkeep};

/// A check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// What is checked: `credentials`, `reachability`, `subscription` or `round_trip`.
    pub name: &'static str,
    /// Whether it is well.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do, where it is not well.
    pub advice: Option<String>,
}

impl Check {
    fn well(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, ok: true, detail: detail.into(), advice: None }
    }

    fn wrong(name: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, ok: false, detail: detail.into(), advice: Some(advice.into()) }
    }
}

/// Checks a connection of the tenant: its credentials, our own address, its subscriptions, and one question to its provider.
pub async fn test(context: Context<'_>, id: &str) -> Result<Vec<Check>, Refusal> {
    let connection = connection_of(context, id).await?.record;
    let Some(provider) = providers::by_id(&connection.provider) else {
        return Err(Refusal::conflict("This version of Hooktide does not know the connection's provider."));
    };
    let asked = ask(context, provider, &connection).await?;
    Ok(vec![
        credentials(context, provider, &connection, &asked).await?,
        reachability(context, provider).await,
        subscription(context, provider, &connection).await?,
        round_trip(&asked),
    ])
}

/// What one question to the provider led to: the resource that was asked for and its answer, or nothing, where there is nothing
/// to ask.
type Asked = Option<(String, Result<usize, Failure>)>;

/// Asks for what changed in the first resource of the connection. The answer is read, and not kept.
async fn ask(context: Context<'_>, provider: &dyn Provider, connection: &Connection) -> Result<Asked, Fault> {
    let Context { ports, settings, tenant, now, .. } = context;
    let Some(source) = provider.source() else { return Ok(None) };
    let known = start::known(ports, tenant, &connection.id).await?;
    let Some(first) = start::ids(connection, &known).into_iter().next() else { return Ok(None) };
    let Some(account) = account::whole(ports, settings, tenant, connection.clone(), now).await? else {
        return Ok(None);
    };
    let account = account.about(&first.name);
    let stored = known.into_iter().find(|stored| stored.record.id() == first);
    let cursor = stored.as_ref().and_then(|stored| stored.record.cursor.clone());
    let task = providers::Task {
        account: connection.account.as_deref(),
        settings: &connection.settings,
        resource: &first.name,
        part: first.part.as_deref(),
        reach: if cursor.is_some() { Reach::Changes } else { Reach::Everything },
        cursor: cursor.as_deref(),
        api: account.way.as_ref().map_or("", |way| way.base.as_str()),
        now,
    };
    let mut calls = 0;
    let read = match asking::ask(ports, &account, (source.ask(&task), Priority::Webhook), &mut calls, now).await {
        // An expired cursor is an answer as well: the next sync begins anew.
        Ok(answers) => match source.read(&task, &answers) {
            Ok(page) => Ok(page.facts.len()),
            Err(Refused::Expired) => Ok(0),
            Err(refusal) => Err(Failure::from(refusal)),
        },
        Err(failure) => Err(failure),
    };
    if let Some(stored) = stored {
        count(context, stored, calls).await?;
    }
    Ok(Some((local_name(&first), read)))
}

/// Counts calls, unless the resource is synced at the same time.
async fn count(context: Context<'_>, stored: Stored<Resource>, calls: u32) -> Result<(), Fault> {
    let Stored { rev, record: mut resource } = stored;
    resource.count_calls(calls, context.now);
    let write = records::replace(&resource.id().key(context.tenant), Some(rev), &resource, Upkeep::default())?;
    match context.ports.table.write(write).await.map_err(records::raced) {
        Ok(_) | Err(Fault::Retryable { .. }) => Ok(()),
        Err(fault) => Err(fault),
    }
}

async fn credentials(
    context: Context<'_>,
    provider: &dyn Provider,
    connection: &Connection,
    asked: &Asked,
) -> Result<Check, Fault> {
    const NAME: &str = "credentials";
    let Some(standing) = standing(context.ports, context.tenant, connection, context.now).await? else {
        return Ok(Check::well(NAME, "none are needed"));
    };
    let id = &connection.id;
    let names: Vec<&str> = provider.profile().credentials.iter().map(|need| need.name).collect();
    let advice = format!(
        "Authorise it with `hooktide connections authorize {id}`, where the provider has such a page; or give it new ones \
         with `hooktide connections secret add {id} NAME=VALUE`, of the names {}.",
        names.join(", ")
    );
    let refused = match asked {
        Some((_, Err(Failure::Reauthorize(why, _)))) => Some(why.clone()),
        Some((_, Err(failure @ Failure::Refused(Refused::Refused | Refused::Forbidden)))) => Some(failure.to_string()),
        Some(_) | None => None,
    };
    Ok(match (standing.state, refused, asked) {
        (CredentialsState::Missing, ..) => {
            Check::wrong(NAME, "there are none that the provider can be asked with", advice)
        }
        (_, Some(why), _) => Check::wrong(NAME, why, advice),
        (CredentialsState::NeedsReauthorization, ..) => {
            Check::wrong(NAME, standing.reason.unwrap_or_else(|| "the provider refuses them".to_owned()), advice)
        }
        (CredentialsState::Ok, None, Some((_, Ok(_)))) => Check::well(NAME, "the provider accepts them"),
        (CredentialsState::Ok, None, _) => {
            Check::well(NAME, "there are some; whether they are accepted is not known now")
        }
    })
}

async fn reachability(context: Context<'_>, provider: &dyn Provider) -> Check {
    const NAME: &str = "reachability";
    if provider.webhooks().is_none() {
        return Check::well(NAME, "the provider calls nobody");
    }
    match reach::unreachable(context.ports, context.settings).await {
        None => Check::well(NAME, format!("{} answers", context.settings.public_url)),
        Some(why) => Check::wrong(
            NAME,
            why,
            "Set HOOKTIDE_PUBLIC_URL to an address that the provider can call, such as that of a tunnel, and restart.",
        ),
    }
}

async fn subscription(context: Context<'_>, provider: &dyn Provider, connection: &Connection) -> Result<Check, Fault> {
    const NAME: &str = "subscription";
    let Context { ports, tenant, .. } = context;
    if provider.webhooks().is_none() {
        return Ok(Check::well(NAME, "none is needed: the provider is polled"));
    }
    if course::of(ports, tenant, connection).await?.fixed().is_some() {
        return Ok(Check::well(NAME, "none is needed: the connection is polled, or switched off"));
    }
    let all = of_connection(context, connection).await?;
    let (unsupported, all): (Vec<_>, Vec<_>) = all.into_iter().partition(SubscriptionView::is_unsupported);
    let polled: Vec<&str> = unsupported.iter().filter_map(|one| one.resource.as_deref()).collect();
    let rest = match polled[..] {
        [] => String::new(),
        _ => format!("; the provider sends nothing about {}, so that is polled", polled.join(", ")),
    };
    let worst = all.iter().max_by_key(|one| severity(one.state));
    Ok(match worst {
        None if connection.credentials.is_empty() => {
            Check::wrong(NAME, "there is none", "Add API credentials; then it is registered by itself.")
        }
        None if !rest.is_empty() => Check::well(NAME, format!("none can be made{rest}")),
        None => Check::wrong(NAME, "there is none yet", "Wait a minute, and test again."),
        Some(one) if one.state == SubscriptionState::Manual => {
            Check::well(NAME, one.advice.clone().unwrap_or_default())
        }
        Some(one) if severity(one.state) == 0 => {
            Check::well(NAME, format!("{} of {} are active{rest}", all.len(), all.len()))
        }
        Some(one) => {
            let topic = one.topic.as_deref().unwrap_or_default();
            let why = one.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            Check::wrong(
                NAME,
                format!("the one to {topic} is {}{why}", one.state),
                one.advice.clone().unwrap_or_default(),
            )
        }
    })
}

fn round_trip(asked: &Asked) -> Check {
    const NAME: &str = "round_trip";
    match asked {
        None => Check::well(NAME, "there is nothing to ask: webhooks carry everything"),
        Some((resource, Ok(items))) => {
            Check::well(NAME, format!("the provider answered what changed in {resource}; the first page has {items}"))
        }
        Some((resource, Err(failure))) => {
            Check::wrong(NAME, format!("{resource} could not be asked for: {failure}"), advice(failure))
        }
    }
}

/// What to do about a question that got no answer.
fn advice(failure: &Failure) -> Cow<'static, str> {
    Cow::Borrowed(match failure {
        Failure::NoCredentials | Failure::Reauthorize(..) | Failure::Refused(Refused::Refused | Refused::Forbidden) => {
            "See the check of the credentials."
        }
        Failure::Refused(Refused::Closed(what)) => what,
        Failure::NoAddress(what) => return format!("Give the connection {what}.").into(),
        Failure::Later(_) => "Test again in a minute.",
        Failure::Fault(_) => "Test again; if it lasts, see the server's log.",
        Failure::Silent(_)
        | Failure::Endless(_)
        | Failure::Resting(_)
        | Failure::Refused(Refused::Unavailable { .. } | Refused::Unreadable(_)) => {
            "See whether the provider reports an outage; syncs are tried again by themselves."
        }
        Failure::Refused(Refused::Limited { .. }) => "Wait, or lower the connection's setting `rate_per_minute`.",
        Failure::Refused(Refused::Expired | Refused::Invalid | Refused::Unknown) => {
            "See whether the account still has what is asked for, and whether the credentials have the scopes that the \
             provider's README names."
        }
    })
}
