//! Invariants of the notices of a delivery, whatever it contains.

use hooktide_model::fault::Fault;
use hooktide_model::notice::{Notice, State, What};
use hooktide_providers::{Label, Provider};

/// The longest text of a request that is kept or shown as a name: a topic, or the id of a delivery.
const LONGEST_NAME: usize = 1_024;
/// The longest id of an entity: it is a part of keys.
const LONGEST_ID: usize = 768;
/// The longest reason or detail: these are our own texts, and quote nothing.
const LONGEST_REASON: usize = 512;
/// More notices than any provider has in a delivery, and the least bytes that each takes in a larger one.
const MOST_NOTICES: (usize, usize) = (2_000, 16);
/// How many times its own size a delivery may grow to, and what a small one may grow to.
const GROWTH: (usize, usize) = (64, 64 * 1_024);

/// The fault in the notices of a delivery of `size` bytes, if there is one.
pub fn check(
    provider: &dyn Provider,
    label: &Label,
    readable: &Result<(), Fault>,
    parsed: &Result<Vec<Notice>, Fault>,
    size: usize,
) -> Result<(), String> {
    let named = |what: &str, text: Option<&String>| match text {
        Some(text) if text.len() > LONGEST_NAME => Err(format!("{what} has {} bytes", text.len())),
        _ => Ok(()),
    };
    named("the topic", label.topic.as_ref())?;
    named("the delivery's id", label.delivery.as_ref())?;
    permanent("readable", readable.as_ref().err())?;
    permanent("parse", parsed.as_ref().err())?;
    let notices = parsed.as_deref().unwrap_or_default();
    if notices.len() > MOST_NOTICES.0.max(size / MOST_NOTICES.1) {
        return Err(format!("{} notices of one delivery", notices.len()));
    }
    let mut told = 0;
    for notice in notices {
        if notice.identity.is_empty() {
            return Err(format!("a notice without an identity: {notice:?}"));
        }
        // Flows take no account of more than 255 bytes, so that here only counts what all of them come to.
        if let Some(account) =
            notice.account.as_ref().filter(|account| (provider.profile().normalise_account)(account) != **account)
        {
            return Err(format!("routes would not find the account {account:?}: they know it in another form"));
        }
        told += notice.identity.len() + notice.account.as_ref().map_or(0, String::len) + size_of_what(&notice.what)?;
    }
    let most = GROWTH.1.max(GROWTH.0 * size);
    if told > most { Err(format!("{told} bytes are told by a delivery of {size}")) } else { Ok(()) }
}

/// A fault in reading is permanent: another try would read the same bytes.
fn permanent(step: &str, fault: Option<&Fault>) -> Result<(), String> {
    match fault {
        None => Ok(()),
        Some(Fault::Permanent { detail, .. }) if (1..=LONGEST_REASON).contains(&detail.len()) => Ok(()),
        Some(fault) => Err(format!("{step} gives {fault:?}")),
    }
}

/// The size of a notice, in bytes.
fn size_of_what(what: &What) -> Result<usize, String> {
    match what {
        What::Entity(entity) => {
            if !(1..=LONGEST_ID).contains(&entity.id.len()) || entity.id.chars().any(char::is_control) {
                return Err(format!("{:?} cannot be the id of a thing", entity.id));
            }
            let document = match &entity.state {
                State::Present(document) => document.to_json().map_err(|fault| fault.to_string())?,
                State::Deleted => Vec::new(),
            };
            Ok(entity.id.len() + document.len())
        }
        What::Hint { of: Some(of), .. } if !(1..=LONGEST_ID).contains(&of.len()) => {
            Err(format!("{of:?} cannot be a part of a resource"))
        }
        What::Hint { entity: Some(id), .. } if !(1..=LONGEST_ID).contains(&id.len()) => {
            Err(format!("{id:?} cannot be the id of an entity"))
        }
        What::Hint { of, entity, .. } => Ok([of, entity].into_iter().flatten().map(String::len).sum()),
        What::Privacy(_) => Ok(0),
        What::Ignored { reason } | What::Kept { reason, .. } if (1..=LONGEST_REASON).contains(&reason.len()) => {
            Ok(reason.len())
        }
        What::Ignored { reason } | What::Kept { reason, .. } => Err(format!("a reason of {} bytes", reason.len())),
    }
}
