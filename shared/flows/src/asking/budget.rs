//! The budget of an account: calls are leased in portions through the table, and a provider that does not answer, or says that
//! there were too many calls, is left alone.

use std::time::Duration;

use jiff::Timestamp;

use super::Failure;
use super::account::Account;
use super::breaker::{self, Gate};
use super::limit;
use super::portions::{self, Priority, Wish, granted};
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_providers::Refusal;
use hooktide_store::ports::WriteFault;
use hooktide_store::records::budget::{self, Budget};
use hooktide_store::records::{self, Stored, Upkeep};

/// How often a lease is tried against others.
const ATTEMPTS: usize = 8;

/// How a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// There was an answer that can be used.
    Answer,
    /// There was none.
    Nothing,
    /// The provider said that there were too many calls, and perhaps when to come again.
    Limit(Option<Duration>),
}

impl Heard {
    /// How a call went whose answer is of this sort.
    pub(super) fn of(sorted: Result<(), Refusal>) -> Self {
        match sorted {
            Err(Refusal::Unavailable { .. }) => Self::Nothing,
            Err(Refusal::Limited { after }) => Self::Limit(after),
            Ok(()) | Err(_) => Self::Answer,
        }
    }
}

/// What one run has of the budget of its account.
#[derive(Debug, Default)]
pub(super) struct Leased {
    /// The budget, as it was read or written last.
    stored: Option<Stored<Budget>>,
    /// Whether it was read.
    is_read: bool,
    /// The calls that are left of the portion.
    left: u32,
    /// The calls that the run was granted in all.
    taken: u32,
}

/// Lets a run make so many calls, if the account may have them now; else says when to come again.
pub(super) async fn admit(
    ports: &Ports,
    account: &Account,
    calls: u32,
    priority: Priority,
    now: Timestamp,
) -> Result<(), Failure> {
    let settings = &account.connection.settings;
    let rate = settings.rate_per_minute.or(account.provider.profile().calls_per_minute);
    let mut leased = account.leased.lock().await;
    for attempt in 0..ATTEMPTS {
        if !leased.is_read || attempt > 0 {
            *leased = Leased { stored: read(ports, account).await?, is_read: true, ..std::mem::take(&mut *leased) };
        }
        let known = leased.stored.as_ref().map(|stored| stored.record.clone()).unwrap_or_default();
        if let Some(until) = limit::held(&known.limit, now) {
            return Err(Failure::Later(until));
        }
        let (mut next, mut portion) = (known.clone(), 0);
        match breaker::gate(&known.breaker, now) {
            Gate::Closed => {}
            Gate::Open(until) => {
                return Err(Failure::Resting(Duration::try_from(until.duration_since(now)).unwrap_or_default()));
            }
            Gate::Try(trying) => next.breaker = trying,
        }
        if let Some(rate) = rate.filter(|_| leased.left < calls) {
            let least = calls - leased.left;
            let rest = portions::of_run(rate).saturating_sub(leased.taken);
            if leased.taken > 0 && rest < least {
                return Err(Failure::Later(now + portions::LASTS));
            }
            // A run that goes on gets more at once, so that it writes less often.
            let wish = Wish { rate, priority, least, most: leased.taken.min(rest).max(least) };
            (next, portion) = granted(&next, wish, now).map_err(Failure::Later)?;
        }
        if next == known || put(ports, account, &mut leased, next).await? {
            leased.taken += portion;
            leased.left = (leased.left + portion).saturating_sub(calls);
            return Ok(());
        }
    }
    Err(Failure::Fault(Fault::retryable("others lease of the same budget all the time")))
}

/// Notes how a call went; returns until when nobody asks any more, where the call was one too many.
pub(super) async fn note(
    ports: &Ports,
    account: &Account,
    heard: Heard,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let mut leased = account.leased.lock().await;
    let mut until = None;
    for _ in 0..ATTEMPTS {
        let known = leased.stored.as_ref().map(|stored| stored.record.clone()).unwrap_or_default();
        let next = after(&known, heard, now);
        until = next.limit.until.filter(|_| matches!(heard, Heard::Limit(_)));
        if next == known || put(ports, account, &mut leased, next).await? {
            return Ok(until);
        }
        leased.stored = read(ports, account).await?;
    }
    // A failure counts one less, which the next call makes good.
    Ok(until)
}

/// The budget after a call.
fn after(known: &Budget, heard: Heard, now: Timestamp) -> Budget {
    let breaker = breaker::after(&known.breaker, heard != Heard::Nothing, now);
    let limit = match heard {
        Heard::Answer => limit::passed(&known.limit, now),
        Heard::Nothing => known.limit.clone(),
        Heard::Limit(after) => limit::reached(&known.limit, after, now),
    };
    Budget { granted: known.granted.clone(), breaker: breaker.unwrap_or_else(|| known.breaker.clone()), limit }
}

async fn read(ports: &Ports, account: &Account) -> Result<Option<Stored<Budget>>, Fault> {
    records::get(&*ports.table, &budget::key(&account.tenant, &account.connection.id)).await
}

/// Stores a budget in place of the one that is known; whether nobody else did meanwhile.
async fn put(ports: &Ports, account: &Account, leased: &mut Leased, next: Budget) -> Result<bool, Fault> {
    let key = budget::key(&account.tenant, &account.connection.id);
    let rev = leased.stored.as_ref().map(|stored| stored.rev);
    match ports.table.write(records::replace(&key, rev, &next, Upkeep::default())?).await {
        Ok(_) => {
            leased.stored = Some(Stored { rev: rev.map_or(1, |rev| rev + 1), record: next });
            Ok(true)
        }
        Err(WriteFault::Condition(_) | WriteFault::Conflict) => Ok(false),
        Err(WriteFault::Fault(fault)) => Err(fault),
    }
}
