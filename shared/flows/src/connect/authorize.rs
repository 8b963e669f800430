//! Authorising: the owner of an account lets us in on a page of the provider, and comes back with a code, which is exchanged
//! for tokens.

use data_encoding::BASE64URL_NOPAD;
use hooktide_model::fault::Fault;
use hooktide_model::secret::Secret;
use hooktide_model::signing;
use hooktide_providers::oauth2::{CLIENT_SECRET, Grant, OAuth, TokenRefusal, Tokens};
use hooktide_store::records::authorization::{self, Authorization, UsedConsent};
use hooktide_store::records::connection::Connection;
use hooktide_store::records::{self, Stored, Upkeep};
use jiff::Timestamp;

use super::granted::store;
use super::lookup::connection_of;
use super::wake::wake;
use super::{Context, Refusal};
use crate::asking::account::{self, Account, Way};
use crate::asking::tokens_for;

/// How many consents of a connection are used at the most, of those that have not ended.
const MOST_CONSENTS: usize = 50;

/// One attempt to be let in.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The connection.
    pub connection: &'a str,
    /// The number that only this attempt has.
    pub nonce: &'a str,
    /// The id of the root key that its verifier is derived from.
    pub key: &'a str,
    /// When it ends.
    pub until: Timestamp,
}

impl Attempt<'_> {
    /// The verifier of RFC 7636. It is derived, so that nothing has to be kept until the owner comes back.
    async fn verifier(&self, context: Context<'_>) -> Result<Secret, Fault> {
        let root = context.ports.keys.root_with(self.key).await?;
        let purpose = format!("hooktide consent\0{}\0{}\0{}", context.tenant, self.connection, self.nonce);
        let key = root.derived(self.key, &purpose).ok_or_else(|| Fault::retryable("a root key is not known here"))?;
        Ok(Secret::new(BASE64URL_NOPAD.encode(key.expose())))
    }
}

/// The address of the page on which the owner lets us in, and from which they come back with `state`.
pub async fn consent_url(context: Context<'_>, attempt: &Attempt<'_>, state: &str) -> Result<String, Refusal> {
    let (account, oauth) = asked(context, attempt.connection).await?;
    let page = account::oauth_way(context.settings, account.provider, &account.connection, oauth.consent.page);
    let page =
        page.ok_or_else(|| Refusal::conflict("The connection does not say where its provider is; give its account."))?;
    let challenge = BASE64URL_NOPAD.encode(&signing::sha256(&[attempt.verifier(context).await?.expose()]));
    let secrets = account.secrets();
    let back = back(context, &account.connection);
    let url = oauth.consent_url(&page.base, &secrets, (&back, state), &challenge, context.now);
    let has_secret = secrets.live(CLIENT_SECRET, context.now).next().is_some();
    url.filter(|_| has_secret).ok_or_else(|| {
        Refusal::conflict(
            "The app is not known yet: give the connection the secrets client_id and client_secret first.",
        )
    })
}

/// Exchanges the code that an owner came back with, in this query, for tokens, and stores these. An attempt counts once.
pub async fn authorize(
    context: Context<'_>,
    attempt: &Attempt<'_>,
    (code, query): (&Secret, &str),
) -> Result<Connection, Refusal> {
    let (account, oauth) = asked(context, attempt.connection).await?;
    if !oauth.proves(query, &account.secrets(), context.now) {
        return Err(Refusal::conflict(
            "The provider signed nothing of this with the app's secret. Give the connection the right client_secret, and \
             begin again.",
        ));
    }
    use_up(context, attempt).await?;
    let back = back(context, &account.connection);
    let verifier = attempt.verifier(context).await?;
    let grant = Grant::Code { code, verifier: &verifier, back: &back };
    let tokens = exchange(context, &account, oauth, &grant).await?;
    let missing = oauth.not_granted(&tokens);
    if !missing.is_empty() {
        return Err(Refusal::conflict(format!(
            "The provider let us in, but without {}: begin again, and allow all that its page asks for. Where the page does not \
             ask for it, give the app these scopes in the provider's console first.",
            missing.join(", ")
        )));
    }
    let of = account.provider.profile().normalise_account;
    let other = |own: &String| tokens.account.as_ref().is_some_and(|given| of(given) != *own);
    if account.connection.account.as_ref().is_some_and(other) {
        return Err(Refusal::conflict(
            "The provider let us into another account than the connection's; log in there with the right one, and begin \
             again.",
        ));
    }
    let connection = store(context, attempt.connection, &tokens).await?;
    wake(context, &connection).await?;
    Ok(connection)
}

/// The account, and how its access tokens are got.
async fn asked(context: Context<'_>, id: &str) -> Result<(Account, &'static OAuth), Refusal> {
    let connection = connection_of(context, id).await?.record;
    let account = account::of(context.ports, context.settings, context.tenant, id, context.now).await?;
    let account = account.and_then(|account| account.oauth().map(|oauth| (account, oauth)));
    account.ok_or_else(|| {
        let detail = format!(
            "A connection of {} is not authorised on a page; give it its secrets instead.",
            connection.provider
        );
        Refusal::conflict(detail)
    })
}

/// The address that owners come back to.
fn back(context: Context<'_>, connection: &Connection) -> String {
    format!("{}/oauth/callback/{}", context.settings.public_url, connection.provider)
}

/// Writes down that an attempt was used, before anything else: none is used twice.
async fn use_up(context: Context<'_>, attempt: &Attempt<'_>) -> Result<(), Refusal> {
    let key = authorization::key(context.tenant, attempt.connection);
    let stored = records::get::<Authorization>(context.table(), &key).await?;
    let (rev, mut next) = stored.map_or((None, Authorization::default()), |Stored { rev, record }| (Some(rev), record));
    if next.consents.iter().any(|used| used.nonce == attempt.nonce) {
        return Err(Refusal::conflict("This consent was used already; begin again."));
    }
    next.consents.retain(|used| context.now < used.until);
    if next.consents.len() >= MOST_CONSENTS {
        return Err(Refusal::conflict("The connection was authorised too often lately; begin again in a few minutes."));
    }
    next.consents.push(UsedConsent { nonce: attempt.nonce.to_owned(), until: attempt.until });
    let write = records::replace(&key, rev, &next, Upkeep::default())?;
    Ok(context.table().write(write).await.map(drop).map_err(records::raced)?)
}

/// Asks the provider for the tokens of a code.
async fn exchange(
    context: Context<'_>,
    account: &Account,
    oauth: &OAuth,
    grant: &Grant<'_>,
) -> Result<Tokens, Refusal> {
    let way: Option<Way> = account::oauth_way(context.settings, account.provider, &account.connection, oauth.token);
    let ask = way.as_ref().and_then(|way| oauth.ask(&way.base, &account.secrets(), grant, context.now));
    let (Some(way), Some(ask)) = (way, ask) else {
        return Err(Refusal::conflict(
            "The app is not known any more: give the connection client_id and client_secret.",
        ));
    };
    tokens_for(context.ports, oauth, &way, ask, context.now).await.map_err(|refusal| {
        Refusal::conflict(match refusal {
            TokenRefusal::Ended(code) => format!("The provider does not accept the consent ({code}); begin again."),
            TokenRefusal::UnknownApp(code) => format!(
                "The provider does not accept the app's client_id and client_secret ({code}); give the connection the right \
                 ones, and begin again."
            ),
            TokenRefusal::Passing(_) => "The provider gave no answer that can be used; begin again.".to_owned(),
        })
    })
}
