//! The tokens that an owner's consent gave: the lasting one is a secret of the connection like those that people give, the
//! other is in its authorization.

use hooktide_providers::oauth2::{ACCESS_TOKEN, REFRESH_TOKEN, Tokens};
use hooktide_store::records::authorization::{self, Authorization};
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::endpoint::SealedSecret;
use hooktide_store::records::{self, Upkeep};

use super::lookup::connection_of;
use super::secrets::seal_one;
use super::{Context, Refusal, transact};

/// How often the tokens are stored when others change the same connection at the same time.
const ATTEMPTS: usize = 5;

/// Stores tokens in place of those before, all at once. What was refused is forgotten.
pub(super) async fn store(context: Context<'_>, id: &str, tokens: &Tokens) -> Result<Connection, Refusal> {
    let (own_key, key) = (connection::key(context.tenant, id), authorization::key(context.tenant, id));
    let mut last = Refusal::NotFound("connection");
    for _ in 0..ATTEMPTS {
        let stored = connection_of(context, id).await?;
        let former = records::get::<Authorization>(context.table(), &key).await?;
        let mut connection = stored.record;
        let mut authorization = Authorization {
            consents: former.as_ref().map(|former| former.record.consents.clone()).unwrap_or_default(),
            ..Authorization::default()
        };
        let (name, lasting) = match &tokens.refresh {
            Some(refresh) => (REFRESH_TOKEN, refresh),
            None => (ACCESS_TOKEN, &tokens.access),
        };
        connection.credentials.retain(|secret| ![name, ACCESS_TOKEN].contains(&secret.name.as_str()));
        let mut sealed = seal_one(context, &own_key, name, lasting).await?;
        if tokens.refresh.is_none() {
            sealed.retires_at = tokens.expires_at;
        } else {
            let access = seal_one(context, &key, ACCESS_TOKEN, &tokens.access).await?;
            authorization.expires_at = tokens.expires_at;
            authorization.tokens = vec![SealedSecret { retires_at: tokens.expires_at, ..access }];
        }
        connection.credentials.insert(0, sealed);
        let writes = vec![
            records::replace(&own_key, Some(stored.rev), &connection, Upkeep::default())?,
            records::replace(&key, former.map(|former| former.rev), &authorization, Upkeep::default())?,
        ];
        match transact(context, writes).await {
            Ok(()) => return Ok(connection),
            Err(refusal) if refusal.is_race() => last = refusal,
            Err(refusal) => return Err(refusal),
        }
    }
    Err(last)
}
