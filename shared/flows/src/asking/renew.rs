//! Renewing: gets an access token, by one worker at a time, and stores what came with it before it is used.

use std::time::Duration;

use jiff::Timestamp;

use super::account::{Account, Way};
use super::credentials::Credentials;
use super::renewal::{self, Need, Said, Step};
use super::{Failure, LIMITS};
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::secret::{KeyId, Secret};
use hooktide_providers::oauth2::{ACCESS_TOKEN, Grant, OAuth, REFRESH_TOKEN, TokenRefusal, Tokens};
use hooktide_providers::{Ask, Refusal};
use hooktide_store::ports::{Call, WriteFault};
use hooktide_store::records::authorization::{self, Authorization};
use hooktide_store::records::endpoint::{SealedSecret, sealed_for};
use hooktide_store::records::{self, Upkeep};

/// How often a write is tried, against others and against a store that fails.
const ATTEMPTS: usize = 5;

/// Credentials whose access token serves, where there can be any; `refused` is the one that the provider did not accept just
/// now. `None` if there is nothing to get another with.
pub(super) async fn serving(
    ports: &Ports,
    account: &Account,
    refused: Option<&KeyId>,
    now: Timestamp,
) -> Result<Option<Credentials>, Failure> {
    for _ in 0..ATTEMPTS {
        let current = Credentials::of(ports, &account.tenant, &account.connection, now).await?;
        let authorization = current.authorization();
        let can_renew = account.tokens.is_some() && current.can_renew(account.api, now);
        match Need::of(&current, &authorization, (refused, can_renew), now).step(now) {
            Step::Use => return Ok(Some(current)),
            Step::Impossible => return Ok(None),
            Step::Wait(at) => return Err(Failure::Later(at)),
            Step::Rest(at) => {
                let after = Duration::try_from(at.duration_since(now)).ok();
                return Err(Refusal::Unavailable { after }.into());
            }
            Step::Refused => {
                let reason = authorization.reason.unwrap_or_default();
                return Err(Failure::Reauthorize(reason, Some(renewal::RESTS)));
            }
            Step::Renew => {}
        }
        // Whoever writes this one refreshes; all others read it.
        let leased = renewal::leased(&authorization, now);
        match put(ports, account, current.stored.as_ref().map(|stored| stored.rev), &leased).await {
            Ok(()) => {}
            Err(WriteFault::Condition(_) | WriteFault::Conflict) => continue,
            Err(WriteFault::Fault(fault)) => return Err(fault.into()),
        }
        renew(ports, account, &current, &leased, now).await?;
    }
    Err(Failure::Fault(Fault::retryable("others change the same authorization all the time")))
}

/// Asks with one refresh token after the other, and stores what comes of it.
async fn renew(
    ports: &Ports,
    account: &Account,
    credentials: &Credentials,
    leased: &Authorization,
    now: Timestamp,
) -> Result<(), Failure> {
    let (Some(oauth), Some(way)) = (account.oauth(), &account.tokens) else { return Ok(()) };
    let held = credentials.refresh_tokens(now);
    let own_name = if held.is_empty() { Some(Grant::OwnName) } else { None };
    let mut last = Err(TokenRefusal::Passing(Refusal::Unavailable { after: None }));
    for grant in held.iter().map(Grant::Refresh).chain(own_name) {
        let Some(ask) = oauth.ask(&way.base, &credentials.secrets, &grant, now) else { break };
        last = tokens_for(ports, oauth, way, ask, now).await;
        // A former token may still count where the answer with the last one was lost.
        if !matches!(last, Err(TokenRefusal::Ended(_))) {
            break;
        }
    }
    let next = match last {
        Ok(tokens) => {
            // What they were got with may have been stored by a clock that was ahead; they are newer all the same.
            let at = credentials.given_at.map_or(now, |given_at| now.max(given_at));
            renewed(ports, account, leased, (tokens, held.first()), at).await?
        }
        Err(TokenRefusal::Passing(refusal)) => renewal::put_off(leased, &refusal, now),
        Err(refusal) => {
            let reason = renewal::reason(&refusal, &account.connection.id).unwrap_or_default();
            renewal::refused(leased, credentials.given_at, &reason, now)
        }
    };
    settle(ports, account, leased, &next).await
}

/// Sends a question for tokens, and reads its answer.
pub(crate) async fn tokens_for(
    ports: &Ports,
    oauth: &OAuth,
    way: &Way,
    ask: Ask,
    now: Timestamp,
) -> Result<Tokens, TokenRefusal> {
    let Ask::Http(mut request) = ask;
    if let Some(host) = &way.host {
        request.headers_mut().insert(http::header::HOST, host.clone());
    }
    let call = Call { request, limits: LIMITS, to: way.to.clone() };
    match ports.http.send(call).await {
        Ok(answer) => oauth.read(&answer, now),
        Err(fault) => {
            tracing::warn!(%fault, "a question for a token got no answer");
            Err(TokenRefusal::Passing(Refusal::Unavailable { after: None }))
        }
    }
}

/// The authorization with new tokens, sealed.
async fn renewed(
    ports: &Ports,
    account: &Account,
    authorization: &Authorization,
    (tokens, held): (Tokens, Option<&Secret>),
    now: Timestamp,
) -> Result<Authorization, Failure> {
    let access = seal(ports, account, ACCESS_TOKEN, &tokens.access, now).await?;
    let access = SealedSecret { retires_at: tokens.expires_at, ..access };
    let refresh = match &tokens.refresh {
        Some(token) if held != Some(token) => Some(seal(ports, account, REFRESH_TOKEN, token, now).await?),
        Some(_) | None => None,
    };
    let ungranted = account.oauth().filter(|_| tokens.scopes.is_some()).map(|oauth| oauth.not_granted(&tokens));
    Ok(renewal::renewed(authorization, access, refresh, ungranted.as_deref()))
}

async fn seal(
    ports: &Ports,
    account: &Account,
    name: &str,
    secret: &Secret,
    now: Timestamp,
) -> Result<SealedSecret, Fault> {
    let root = ports.keys.root().await?;
    let record = sealed_for(&authorization::key(&account.tenant, &account.connection.id));
    SealedSecret::seal(name, secret, (&account.tenant, &record), &root, &ports.entropy, now)
}

/// Stores how a refresh ended, if this worker still holds it. What another stored meanwhile stays.
async fn settle(ports: &Ports, account: &Account, leased: &Authorization, next: &Authorization) -> Result<(), Failure> {
    let key = authorization::key(&account.tenant, &account.connection.id);
    let mut last = Fault::retryable("others change the same authorization all the time");
    for _ in 0..ATTEMPTS {
        let stored = match records::get::<Authorization>(&*ports.table, &key).await {
            Ok(stored) => stored,
            Err(fault) => {
                last = fault;
                continue;
            }
        };
        let Some(stored) = stored.filter(|stored| stored.record.refreshing_until == leased.refreshing_until) else {
            return Ok(());
        };
        let next = Authorization { consents: stored.record.consents, ..next.clone() };
        match put(ports, account, Some(stored.rev), &next).await {
            Ok(()) => return Ok(()),
            Err(WriteFault::Condition(_) | WriteFault::Conflict) => {}
            Err(WriteFault::Fault(fault)) => last = fault,
        }
    }
    Err(last.into())
}

/// Notes what the provider says of the credentials.
pub(super) async fn note(ports: &Ports, account: &Account, said: Said<'_>, now: Timestamp) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let current = Credentials::of(ports, &account.tenant, &account.connection, now).await?;
        let authorization = current.authorization();
        let next = renewal::noted(&authorization, (current.given_at, &account.about), said, now);
        if next == authorization {
            return Ok(());
        }
        match put(ports, account, current.stored.as_ref().map(|stored| stored.rev), &next).await {
            Ok(()) => return Ok(()),
            Err(WriteFault::Condition(_) | WriteFault::Conflict) => {}
            Err(WriteFault::Fault(fault)) => return Err(fault.into()),
        }
    }
    Err(Failure::Fault(Fault::retryable("others change the same authorization all the time")))
}

async fn put(
    ports: &Ports,
    account: &Account,
    rev: Option<u64>,
    authorization: &Authorization,
) -> Result<(), WriteFault> {
    let key = authorization::key(&account.tenant, &account.connection.id);
    let write = records::replace(&key, rev, authorization, Upkeep::default()).map_err(WriteFault::Fault)?;
    ports.table.write(write).await.map(drop)
}
