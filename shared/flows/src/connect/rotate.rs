//! Rotating secrets: a new one counts at once, the others of its name end when the caller says, and the last live one
//! stays.

use hooktide_model::fault::Fault;
use hooktide_model::secret::Secret;
use hooktide_providers::oauth2::CLIENT_SECRET;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::endpoint::{Endpoint, SealedSecret};
use hooktide_store::records::{self, Stored, Upkeep};
use jiff::Timestamp;

use super::fields::provider_of;
use super::lookup::{connection_of, endpoint_of};
use super::secrets::{self, MOST_LIVE, is_among, seal_one, unknown_name};
use super::wake::wake;
use super::{Context, Refusal};

/// A secret to be added.
#[derive(Debug)]
pub struct NewSecret {
    /// The secret.
    pub value: Secret,
    /// When the other secrets of its name stop counting; never without a time.
    pub others_retire_at: Option<Timestamp>,
}

impl NewSecret {
    /// Puts the new secret first, and lets the others of its name end.
    fn put_into(&self, sealed: SealedSecret, secrets: &mut Vec<SealedSecret>, now: Timestamp) {
        // Expired secrets need not be kept.
        secrets.retain(|secret| secret.retires_at.is_none_or(|retires_at| retires_at > now));
        for other in secrets.iter_mut().filter(|secret| secret.name == sealed.name) {
            other.retires_at = match (other.retires_at, self.others_retire_at) {
                (Some(own), Some(new)) => Some(own.min(new)),
                (own, new) => own.or(new),
            };
        }
        secrets.insert(0, sealed);
    }
}

/// Adds a secret to a connection.
pub async fn add_secret(context: Context<'_>, id: &str, name: &str, new: NewSecret) -> Result<SealedSecret, Refusal> {
    let mut connection = connection_of(context, id).await?;
    let provider = provider_of(&connection.record.provider)?;
    if is_among(provider.profile().needs, name) {
        if !connection.record.owns_endpoint() {
            return Err(Refusal::invalid("name", "the secrets of a shared endpoint are added to the endpoint"));
        }
        let endpoint = endpoint_of(context, &connection.record.endpoint).await?;
        let sealed = add(context, endpoint, name, new).await?;
        // The app's secret is what its tokens are got with as well.
        if name == CLIENT_SECRET {
            wake(context, &connection.record).await?;
        }
        return Ok(sealed);
    }
    if !is_among(provider.profile().credentials, name) {
        return Err(Refusal::invalid("name", unknown_name(provider)));
    }
    secrets::check(provider, name, &new.value).map_err(|detail| Refusal::invalid("value", detail))?;
    let sealed = seal_one(context, &connection::key(context.tenant, id), name, &new.value).await?;
    new.put_into(sealed.clone(), &mut connection.record.credentials, context.now);
    check_count(&connection.record.credentials, name)?;
    let woken = connection.record.clone();
    store_connection(context, connection).await?;
    wake(context, &woken).await?;
    Ok(sealed)
}

/// Removes a secret of a connection.
pub async fn remove_secret(context: Context<'_>, id: &str, name: &str, key_id: &str) -> Result<(), Refusal> {
    let mut connection = connection_of(context, id).await?;
    if connection.record.owns_endpoint() {
        let endpoint = endpoint_of(context, &connection.record.endpoint).await?;
        if endpoint.record.secrets.iter().any(|secret| secret.name == name) {
            return remove(context, endpoint, name, key_id).await;
        }
    }
    let before = connection.record.credentials.len();
    connection.record.credentials.retain(|secret| secret.name != name || secret.key_id.0 != key_id);
    if connection.record.credentials.len() == before {
        return Err(Refusal::NotFound("secret"));
    }
    Ok(store_connection(context, connection).await?)
}

/// Adds a secret to an endpoint.
pub async fn add_secret_to_endpoint(
    context: Context<'_>,
    id: &str,
    name: &str,
    new: NewSecret,
) -> Result<SealedSecret, Refusal> {
    let endpoint = endpoint_of(context, id).await?;
    let provider = provider_of(&endpoint.record.provider)?;
    if !is_among(provider.profile().needs, name) {
        return Err(Refusal::invalid("name", unknown_name(provider)));
    }
    add(context, endpoint, name, new).await
}

/// Removes a secret of an endpoint.
pub async fn remove_secret_of_endpoint(
    context: Context<'_>,
    id: &str,
    name: &str,
    key_id: &str,
) -> Result<(), Refusal> {
    let endpoint = endpoint_of(context, id).await?;
    remove(context, endpoint, name, key_id).await
}

async fn add(
    context: Context<'_>,
    Stored { rev, record: mut endpoint }: Stored<Endpoint>,
    name: &str,
    new: NewSecret,
) -> Result<SealedSecret, Refusal> {
    let provider = provider_of(&endpoint.provider)?;
    secrets::check(provider, name, &new.value).map_err(|detail| Refusal::invalid("value", detail))?;
    let sealed = seal_one(context, &endpoint.key(), name, &new.value).await?;
    new.put_into(sealed.clone(), &mut endpoint.secrets, context.now);
    check_count(&endpoint.secrets, name)?;
    store_endpoint(context, rev, &endpoint).await?;
    Ok(sealed)
}

async fn remove(
    context: Context<'_>,
    Stored { rev, record: mut endpoint }: Stored<Endpoint>,
    name: &str,
    key_id: &str,
) -> Result<(), Refusal> {
    let live = |endpoint: &Endpoint| {
        let of_name = endpoint.secrets.iter().filter(|secret| secret.name == name);
        of_name.filter(|secret| secret.retires_at.is_none_or(|retires_at| context.now < retires_at)).count()
    };
    let (before, live_before) = (endpoint.secrets.len(), live(&endpoint));
    endpoint.secrets.retain(|secret| secret.name != name || secret.key_id.0 != key_id);
    if endpoint.secrets.len() == before {
        return Err(Refusal::NotFound("secret"));
    }
    if live_before > 0 && live(&endpoint) == 0 {
        let detail =
            "It is the only live secret of its name, and without one every delivery is refused. Add another first.";
        return Err(Refusal::conflict(detail));
    }
    Ok(store_endpoint(context, rev, &endpoint).await?)
}

async fn store_endpoint(context: Context<'_>, rev: u64, endpoint: &Endpoint) -> Result<(), Fault> {
    let write = records::replace(&endpoint.key(), Some(rev), endpoint, Upkeep::default())?;
    context.table().write(write).await.map(drop).map_err(records::raced)
}

async fn store_connection(context: Context<'_>, stored: Stored<Connection>) -> Result<(), Fault> {
    let key = connection::key(context.tenant, &stored.record.id);
    let write = records::replace(&key, Some(stored.rev), &stored.record, Upkeep::default())?;
    context.table().write(write).await.map(drop).map_err(records::raced)
}

fn check_count(secrets: &[SealedSecret], name: &str) -> Result<(), Refusal> {
    if secrets.iter().filter(|secret| secret.name == name).count() <= MOST_LIVE {
        return Ok(());
    }
    Err(Refusal::conflict(format!("At most {MOST_LIVE} secrets of a name are live at once; remove one first.")))
}
