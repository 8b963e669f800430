//! Asking: sends the questions of a step to a provider, for an account.

pub(crate) mod account;
mod advice;
mod breaker;
mod budget;
pub(crate) mod credentials;
mod limit;
mod portions;
mod renew;
mod renewal;
mod verdict;

use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};

use self::account::{Account, Way};
use self::advice::Refused;
use self::budget::Heard;
use self::credentials::Credentials;
pub(crate) use self::portions::Priority;
pub(crate) use self::renew::tokens_for;
use self::renewal::Said;
use self::verdict::{Asked, Verdict, verdict};
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_providers::{Answer, Ask, Refusal};
use hooktide_store::ports::{Call, Limits};
use hooktide_store::records::authorization::Authorization;

/// How long a limit lasts of which nothing is known.
const LIMITED: Duration = Duration::from_secs(60);
/// How long a provider may take to answer, and the largest answer that is read.
const LIMITS: Limits = Limits { time: Duration::from_secs(15), size: 16 * 1024 * 1024 };

/// Why a step got no answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The connection has no credentials that can be asked with.
    NoCredentials,
    /// The connection does not say where its API is; what of it would say so.
    NoAddress(&'static str),
    /// Somebody has to authorise us again; what to do, and how long these credentials are not tried.
    Reauthorize(String, Option<Duration>),
    /// The account is asked nothing until then: somebody else is about to get what is needed, or there were too many calls. It is
    /// no failure.
    Later(Timestamp),
    /// The provider failed several times in a row, and is left alone for so long: nothing was asked.
    Resting(Duration),
    /// The pages that the provider gives have no end; the text says how. They cannot be gone on with.
    Endless(&'static str),
    /// The provider refused.
    Refused(Refusal),
    /// Our own side failed.
    Fault(Fault),
    /// No answer came; the text says why.
    Silent(String),
}

impl Failure {
    /// Whether the same question may get an answer later.
    pub(crate) fn may_pass(&self) -> bool {
        !self.is_about_the_question()
    }

    /// Whether there are only too many calls for now.
    pub(crate) fn is_for_now(&self) -> bool {
        self.until(Timestamp::UNIX_EPOCH).is_some()
    }

    /// Until when nothing can be asked, where that is all that is wrong.
    pub(crate) fn until(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Later(at) => Some(*at),
            Self::Resting(rests) => Some(now + *rests),
            Self::Refused(Refusal::Limited { after }) => Some(now + after.unwrap_or(LIMITED)),
            _ => None,
        }
    }

    /// Whether less might have been answered in time.
    pub(crate) fn asked_too_much(&self) -> bool {
        matches!(self, Self::Silent(_) | Self::Refused(Refusal::Unavailable { .. }))
    }

    /// Whether the answer about one entity is the trouble, and not the account or the provider.
    pub(crate) fn spoils_one(&self) -> bool {
        self.is_about_the_question() || matches!(self, Self::Refused(Refusal::Unreadable(_)))
    }

    /// Whether the question cannot be asked on: its cursor has expired, leads nowhere, or what it names is gone.
    pub(crate) fn is_about_the_question(&self) -> bool {
        matches!(self, Self::Endless(_) | Self::Refused(Refusal::Expired | Refusal::Invalid))
    }
}

/// What it is, and what to do.
impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoCredentials => "there are no API credentials; add them to the connection's secrets",
            Self::NoAddress(what) => {
                return write!(f, "the connection does not say where its API is; give it {what}");
            }
            Self::Silent(why) | Self::Reauthorize(why, _) => why,
            Self::Resting(_) => {
                "the provider did not answer as it should several times in a row, and is left alone for a while"
            }
            Self::Later(_) => {
                "nothing is asked for now: another run is about to get a token, or the account had too many calls"
            }
            Self::Fault(fault) => return fault.fmt(f),
            Self::Endless(how) => return write!(f, "the provider's answer cannot be read: {how}"),
            Self::Refused(refusal) => match refusal {
                Refusal::Refused => {
                    "the provider refuses the credentials; authorise the connection again, or give it new ones"
                }
                Refusal::Forbidden => {
                    "the credentials do not allow what is asked; the provider's README names the scopes that are needed"
                }
                Refusal::Closed(why) => why,
                Refusal::Limited { .. } => "the provider limits our calls",
                Refusal::Unavailable { .. } => "the provider does not answer as it should",
                Refusal::Unreadable(why) => return write!(f, "the provider's answer cannot be read: {why}"),
                Refusal::Expired => "the provider says that what was asked for has expired",
                Refusal::Invalid | Refusal::Unknown => {
                    "the provider does not accept the question; what it is about may be gone, or closed to us"
                }
            },
        })
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Sends questions one after the other; counts the calls.
pub(crate) async fn ask(
    ports: &Ports,
    account: &Account,
    asks: (Vec<Ask>, Priority),
    calls: &mut u32,
    now: Timestamp,
) -> Result<Vec<Answer>, Failure> {
    ask_until(ports, account, asks, (calls, &|| false), now).await
}

/// The same, as long as the run has time: questions that belong together and take longer than that have no answers.
pub(crate) async fn ask_until(
    ports: &Ports,
    account: &Account,
    (asks, priority): (Vec<Ask>, Priority),
    (calls, is_over): (&mut u32, &(dyn Fn() -> bool + Sync)),
    now: Timestamp,
) -> Result<Vec<Answer>, Failure> {
    let way = account.way.as_ref().ok_or_else(|| Failure::NoAddress(account.says_where()))?;
    if asks.iter().any(|Ask::Http(request)| account.proves(request.uri().path())) {
        prepare(ports, account, now).await?;
    }
    let wanted = u32::try_from(asks.len()).unwrap_or(u32::MAX);
    budget::admit(ports, account, wanted, priority, now).await?;
    let mut answers = Vec::with_capacity(asks.len());
    for ask in asks {
        if !answers.is_empty() && is_over() {
            return Err(Failure::Silent("the answers that belong together take longer than a run may".to_owned()));
        }
        answers.push(answer(ports, account, (way, ask), calls, now).await?);
    }
    Ok(answers)
}

/// Gets an access token where there is none, or it ends soon. Credentials that were refused lately are not tried.
async fn prepare(ports: &Ports, account: &Account, now: Timestamp) -> Result<(), Failure> {
    let credentials = account.credentials();
    // A refusal by whoever gives no tokens may pass: a store's plugin, or whatever stands before it.
    if account.oauth().is_some() && credentials.refused_since().is_some() {
        let Authorization { not_before, reason, .. } = credentials.authorization();
        if not_before.is_some_and(|not_before| renewal::is_ahead(not_before, now)) {
            return Err(Failure::Reauthorize(reason.unwrap_or_default(), Some(renewal::RESTS)));
        }
    }
    let serves = credentials.access.as_ref().is_some_and(|access| !access.ends_soon(now));
    if account.oauth().is_some()
        && !serves
        && let Some(others) = renew::serving(ports, account, None, now).await?
    {
        account.use_credentials(others);
    }
    Ok(())
}

/// Sends a question. A token that is not accepted is renewed once, and the question sent again. What the answer says about the
/// credentials and about the account's budget is noted.
async fn answer(
    ports: &Ports,
    account: &Account,
    (way, ask): (&Way, Ask),
    calls: &mut u32,
    now: Timestamp,
) -> Result<Answer, Failure> {
    let Ask::Http(request) = ask;
    let asked = Asked {
        by_account: account.proves(request.uri().path()),
        by_token: account.oauth().is_some(),
        writes: !is_reading(request.method()),
    };
    let mut credentials = account.credentials();
    let mut renewed = false;
    loop {
        // A run has one time for all that it does, and some proofs are taken once.
        let at = now + SignedDuration::from_nanos(i64::from(*calls));
        let call = call(account, way, request.clone(), (&credentials, at)).ok_or(Failure::NoCredentials)?;
        *calls += 1;
        let answer = match ports.http.send(call).await {
            Ok(answer) => answer,
            Err(fault) => {
                budget::note(ports, account, Heard::Nothing, now).await?;
                return Err(silent(fault));
            }
        };
        let sorted = account.api.sort(&answer);
        if let Some(until) = budget::note(ports, account, Heard::of(sorted), now).await? {
            let after = Duration::try_from(until.duration_since(now)).ok();
            return Err(Refusal::Limited { after }.into());
        }
        match verdict(sorted, asked) {
            Verdict::Nothing => return Ok(answer),
            Verdict::Accepted => {
                if credentials.are_doubted(&account.about) {
                    renew::note(ports, account, Said::Accepted, now).await?;
                    account.use_credentials(Credentials::of(ports, &account.tenant, &account.connection, now).await?);
                }
                return Ok(answer);
            }
            Verdict::Forbidden => {
                let lacking = account.oauth().map(|oauth| oauth.lacking(&answer)).unwrap_or_default();
                let reason = refused(account, &answer).for_this(&lacking);
                renew::note(ports, account, Said::Lacking(&lacking, &reason), now).await?;
                return Err(Failure::Reauthorize(reason, Some(renewal::RESTS)));
            }
            Verdict::Refused => {}
        }
        let refused_token = credentials.access.as_ref().filter(|_| !renewed).map(|access| &access.id);
        let others = match refused_token {
            Some(refused) => renew::serving(ports, account, Some(refused), now).await?,
            None => None,
        };
        let Some(others) = others else {
            let reason = refused(account, &answer).at_all();
            renew::note(ports, account, Said::Refused(&reason), now).await?;
            let rests = account.oauth().map(|_| renewal::RESTS);
            return Err(Failure::Reauthorize(reason, rests));
        };
        credentials = account.use_credentials(others);
        renewed = true;
    }
}

/// Whether requests of this method change nothing: those that HTTP names, and those of WebDAV (RFC 4918, section 9.1, and RFC
/// 3253, section 3.6).
fn is_reading(method: &Method) -> bool {
    method.is_safe() || matches!(method.as_str(), "PROPFIND" | "REPORT")
}

/// What is known of an answer that refuses the credentials.
fn refused<'a>(account: &'a Account, answer: &Answer) -> Refused<'a> {
    Refused {
        connection: &account.connection.id,
        status: answer.status(),
        scopes: account.oauth().map(|oauth| oauth.consent.scopes),
        more: account.api.advice(answer),
    }
}

/// The call of a question, with what proves us; `None` without credentials.
fn call(
    account: &Account,
    way: &Way,
    request: Request<Bytes>,
    (credentials, now): (&Credentials, Timestamp),
) -> Option<Call> {
    let mut request = account.api.authorise(request, &credentials.secrets, now)?;
    if let Some(host) = &way.host {
        request.headers_mut().insert(HOST, host.clone());
    }
    Some(Call { request, limits: LIMITS, to: way.to.clone() })
}

fn silent(fault: Fault) -> Failure {
    match fault {
        Fault::Retryable { detail, .. } | Fault::Failed { detail } | Fault::Permanent { detail, .. } => {
            Failure::Silent(detail)
        }
    }
}
