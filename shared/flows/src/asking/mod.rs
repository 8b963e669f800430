//! Asking: sends the questions of a step to a provider, for an account.

pub(crate) mod account;

use std::time::Duration;

use http::header::HOST;
use jiff::{SignedDuration, Timestamp};

use self::account::{Account, Way};
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_providers::{Answer, Ask, Refusal};
use hooktide_store::ports::{Call, Limits};

/// How long a provider may take to answer, and the largest answer that is read.
const LIMITS: Limits = Limits { time: Duration::from_secs(15), size: 16 * 1024 * 1024 };

/// Why a step got no answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The connection has no credentials that can be asked with.
    NoCredentials,
    /// The connection does not say where its API is.
    NoAddress,
    /// The provider refused.
    Refused(Refusal),
    /// No answer came; the text says why.
    Silent(String),
}

impl Failure {
    /// Whether the same question may get an answer later.
    pub(crate) fn may_pass(&self) -> bool {
        !self.is_about_the_question()
    }

    /// Whether the answer about one entity is the trouble, and not the account or the provider.
    pub(crate) fn spoils_one(&self) -> bool {
        self.is_about_the_question() || matches!(self, Self::Refused(Refusal::Unreadable(_)))
    }

    /// Whether the provider does not take the question: its cursor has expired, or what it names is gone.
    pub(crate) fn is_about_the_question(&self) -> bool {
        matches!(self, Self::Refused(Refusal::Expired | Refusal::Invalid))
    }
}

/// What it is, and what to do.
impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoCredentials => "there are no API credentials; add them to the connection's secrets",
            Self::NoAddress => "the connection does not say where its API is; give its account or site",
            Self::Silent(why) => why,
            Self::Refused(refusal) => match refusal {
                Refusal::Refused => {
                    "the provider refuses the credentials; authorise the connection again, or give it new ones"
                }
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

/// Sends questions one after the other; counts the calls.
pub(crate) async fn ask(
    ports: &Ports,
    account: &Account,
    asks: Vec<Ask>,
    calls: &mut u32,
    now: Timestamp,
) -> Result<Vec<Answer>, Failure> {
    let way = account.way.as_ref().ok_or(Failure::NoAddress)?;
    let mut answers = Vec::with_capacity(asks.len());
    for ask in asks {
        // A run has one time for all that it does, and some proofs are taken once.
        let at = now + SignedDuration::from_nanos(i64::from(*calls));
        let call = call(account, way, ask, at).ok_or(Failure::NoCredentials)?;
        *calls += 1;
        answers.push(ports.http.send(call).await.map_err(silent)?);
    }
    Ok(answers)
}

/// The call of a question, with what proves us; `None` without credentials.
fn call(account: &Account, way: &Way, ask: Ask, now: Timestamp) -> Option<Call> {
    let Ask::Http(request) = ask;
    let mut request = account.api.authorise(request, &account.secrets, now)?;
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
