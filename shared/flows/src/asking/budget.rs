//! The budget of an account: calls are leased in portions through the table, and a provider that does not answer is left alone.

use std::time::Duration;

use jiff::Timestamp;

use super::Failure;
use super::account::Account;
use super::breaker::{self, Gate};
use super::portions::{self, Priority, Wish, granted};
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_store::ports::WriteFault;
use hooktide_store::records::budget::{self, Budget};
use hooktide_store::records::{self, Stored, Upkeep};

/// How often a lease is tried against others.
const ATTEMPTS: usize = 8;

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

/// Notes whether a call got an answer that can be used.
pub(super) async fn note(ports: &Ports, account: &Account, answered: bool, now: Timestamp) -> Result<(), Failure> {
    let mut leased = account.leased.lock().await;
    for _ in 0..ATTEMPTS {
        let known = leased.stored.as_ref().map(|stored| stored.record.clone()).unwrap_or_default();
        let Some(next) = breaker::after(&known.breaker, answered, now) else { return Ok(()) };
        if put(ports, account, &mut leased, Budget { breaker: next, ..known }).await? {
            return Ok(());
        }
        leased.stored = read(ports, account).await?;
    }
    // A failure counts one less, which the next call makes good.
    Ok(())
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
