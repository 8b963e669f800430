//! Runs of syncs that somebody asks for.

use super::credentials;
use super::resources::local_name;
use crate::connect::{Context, Refusal, connection_of};
use crate::sync::start;
use hooktide_model::names::{CredentialsState, MarkReason};
use hooktide_store::records::resource::Resource;
use hooktide_store::records::{self, Stored, Upkeep};

/// A sync that somebody asks for.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Whether everything is read and compared, rather than what changed.
    pub full: bool,
    /// Whether the cursors are forgotten first, as if nothing had been read.
    pub reset: bool,
    /// The resource; all by default, and all parts where one has parts.
    pub resource: Option<String>,
}

/// Asks for a sync, at once. Returns the resources that are read.
pub async fn run(context: Context<'_>, id: &str, order: Order) -> Result<Vec<String>, Refusal> {
    let Context { ports, tenant, now, .. } = context;
    let connection = connection_of(context, id).await?.record;
    let known = start::known(ports, tenant, id).await?;
    let all = start::ids(&connection, &known);
    if all.is_empty() {
        let detail = "Nothing can be read at this provider: its webhooks carry everything that is known of it.";
        return Err(Refusal::conflict(detail));
    }
    if credentials::state(context, &connection).await? == CredentialsState::Missing {
        let detail = format!(
            "The connection has no API credentials; add them with `hooktide connections secret add {id} NAME=VALUE` or \
             POST /v1/connections/{id}/secrets/{{name}}, then it is read by itself."
        );
        return Err(Refusal::conflict(detail));
    }
    let names: Vec<String> = all.iter().map(local_name).collect();
    let wanted = |name: &str| order.resource.as_deref().is_none_or(|wanted| is_or_has(wanted, name));
    let chosen: Vec<_> = all.into_iter().filter(|id| wanted(&local_name(id))).collect();
    if chosen.is_empty() {
        return Err(Refusal::invalid(
            "resource",
            format!("there is none of that name; there are {}", names.join(", ")),
        ));
    }
    let reason = if order.full || order.reset { MarkReason::Full } else { MarkReason::Asked };
    for id in &chosen {
        if order.reset
            && let Some(stored) = known.iter().find(|stored| stored.record.id() == *id)
        {
            reset(context, stored).await?;
        }
        start::raise(ports, tenant, id, reason, now).await?;
    }
    Ok(chosen.iter().map(local_name).collect())
}

/// Whether a name is the wanted one, or that of a part of it.
fn is_or_has(wanted: &str, name: &str) -> bool {
    name.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Forgets how far a resource was read. A run that reads it now notices, and begins anew.
async fn reset(context: Context<'_>, stored: &Stored<Resource>) -> Result<(), Refusal> {
    let former = &stored.record;
    let fresh = Resource {
        cursor: None,
        cursor_at: None,
        reading: None,
        doubted_at: None,
        failures: 0,
        failing_since: None,
        ..former.clone()
    };
    let key = former.id().key(context.tenant);
    let write = records::replace(&key, Some(stored.rev), &fresh, Upkeep::default())?;
    context.ports.table.write(write).await.map_err(records::raced)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_named_whole_or_by_one_of_its_parts() {
        for (wanted, name, expected) in [
            ("products", "products", true),
            ("calendar", "calendar/anna", true),
            ("calendar/anna", "calendar/anna", true),
            ("calendar/anna", "calendar/ben", false),
            ("calendar", "calendars", false),
        ] {
            assert_eq!(is_or_has(wanted, name), expected, "{wanted} {name}");
        }
    }
}
