//! Parting: the blocks of a connection that is deleted, or becomes another person's, go: those in its calendars and those that its
//! events made in others. A request only notes that they are to; the job that looks at the connection's events lets them go, some
//! in each run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::person::{self, Person};
use super::planner::BUSY;
use super::writer::BLOCKS;
use super::{kept, wake};
use crate::Ports;
use crate::connect::Context;
use crate::jobs::announce::announce;
use hooktide_model::fault::Fault;
use hooktide_model::names::{BlockState, MarkReason};
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Query, Range, TransactFault, Write, WriteFault};
use hooktide_store::records::block::{self, Block};
use hooktide_store::records::calendars::{self, Calendars, Parting};
use hooktide_store::records::job::{self, Mark, Raise};
use hooktide_store::records::{self, Stored, Upkeep};

/// How many blocks are read, and changed, at once.
const PAGE: usize = 25;
/// How often something is tried while others change the same records.
const ATTEMPTS: usize = 5;

/// Notes that the blocks of a connection go, whatever people did with those that are there: all of them, where it is deleted, else
/// those of the person whose it was before `next`. What was chosen goes with it, or becomes that of the next person. Returns
/// whether blocks lie in its own calendars.
pub(crate) async fn begin(context: Context<'_>, connection: &str, next: Option<&str>) -> Result<bool, Fault> {
    let Context { ports, tenant, now, .. } = context;
    let key = calendars::key(tenant, connection);
    for _ in 0..ATTEMPTS {
        let Some(chosen) = records::get::<Calendars>(&*ports.table, &key).await? else {
            return kept::has_blocks(ports, tenant, connection).await;
        };
        let (rev, mut parting) = noted((ports, tenant), connection).await?;
        parting.users.insert(chosen.record.user.clone());
        if let Some(user) = next {
            parting.users.remove(user);
        }
        parting.is_whole |= next.is_none();
        let membership = calendars::membership_key(tenant, &chosen.record.user, connection);
        let mut becomes = match next {
            None => vec![Write::Delete { key: key.clone(), condition: Some(records::unchanged(chosen.rev)) }],
            Some(user) => {
                // Whoever looks by memberships from now on is to find all of them.
                Person::listed(ports, tenant, user).await?;
                let next = Calendars { user: user.to_owned(), ..chosen.record };
                person::writes(tenant, Some(chosen.rev), &next)?
            }
        };
        if next.is_none_or(|user| membership != calendars::membership_key(tenant, user, connection)) {
            becomes.push(Write::Delete { key: membership, condition: None });
        }
        if note((ports, tenant), connection, (rev, &parting), becomes, now).await? {
            return kept::has_blocks(ports, tenant, connection).await;
        }
    }
    Err(Fault::retryable("others change what was chosen for the calendars all the time"))
}

/// Lets what a look made for a person go from a connection that became another person's, or was deleted, while it looked: its
/// parting may have been over before.
pub(super) async fn again(
    (ports, tenant): (&Ports, &Tenant),
    connection: &str,
    user: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    let chosen = records::get::<Calendars>(&*ports.table, &calendars::key(tenant, connection)).await?;
    if chosen.is_some_and(|chosen| chosen.record.user == user) {
        return Ok(());
    }
    for _ in 0..ATTEMPTS {
        let (rev, mut parting) = noted((ports, tenant), connection).await?;
        parting.users.insert(user.to_owned());
        if note((ports, tenant), connection, (rev, &parting), Vec::new(), now).await? {
            return Ok(());
        }
    }
    Err(Fault::retryable("others change the same parting all the time"))
}

/// What is noted of a connection's parting, to be done from its beginning on, and the revision of that.
async fn noted((ports, tenant): (&Ports, &Tenant), connection: &str) -> Result<(Option<u64>, Parting), Fault> {
    let stored = records::get::<Parting>(&*ports.table, &calendars::parting_key(tenant, connection)).await?;
    let (rev, noted) = stored.map(|stored| (stored.rev, stored.record)).unzip();
    Ok((rev, Parting { after: None, ..noted.unwrap_or_default() }))
}

/// Notes a parting, raises the mark of the job that does it, and makes some writes more; whether nobody changed the same records
/// meanwhile.
async fn note(
    (ports, tenant): (&Ports, &Tenant),
    connection: &str,
    (rev, parting): (Option<u64>, &Parting),
    more: Vec<Write>,
    now: Timestamp,
) -> Result<bool, Fault> {
    let (former, mark) = raised(ports, tenant, connection, now).await?;
    let key = calendars::parting_key(tenant, connection);
    let mut writes = vec![
        records::replace(&key, rev, parting, Upkeep::default())?,
        job::store(former.as_ref().map(|former| former.rev), &mark)?,
    ];
    writes.extend(more);
    match ports.table.transact(writes).await {
        Ok(()) => {
            if mark.is_news(former.as_ref().map(|former| &former.record)) {
                announce(ports, &mark, now).await;
            }
            Ok(true)
        }
        Err(TransactFault::Cancelled(_)) => Ok(false),
        Err(TransactFault::Fault(fault)) => Err(fault),
    }
}

/// The mark of the job that lets blocks go, as it is and as it is raised.
async fn raised(
    ports: &Ports,
    tenant: &Tenant,
    connection: &str,
    now: Timestamp,
) -> Result<(Option<Stored<Mark>>, Mark), Fault> {
    let former = records::get::<Mark>(&*ports.table, &job::key(tenant, &BUSY, connection)).await?;
    let (reasons, entities) = (BTreeMap::from([(MarkReason::Full, 1)]), BTreeSet::new());
    let raise = Raise { tenant, job: BUSY, resource: connection, reasons: &reasons, entities: &entities };
    let mark = job::raised(former.as_ref(), &raise, Duration::ZERO, now);
    Ok((former, mark))
}

/// Whether blocks of a connection are still to be let go; sees to it that the job which does so goes on.
pub(crate) async fn is_under_way(
    ports: &Ports,
    tenant: &Tenant,
    connection: &str,
    now: Timestamp,
) -> Result<bool, Fault> {
    if ports.table.get(&calendars::parting_key(tenant, connection)).await?.is_none() {
        return Ok(false);
    }
    if ports.table.get(&job::key(tenant, &BUSY, connection)).await?.is_none() {
        wake(ports, tenant, (BUSY, connection), BTreeSet::new(), now).await?;
    }
    Ok(true)
}

/// Lets some blocks of a connection go, if that is noted; whether none is left that is to.
pub(super) async fn go_on(
    (ports, tenant): (&Ports, &Tenant),
    connection: &str,
    is_over: &(dyn Fn() -> bool + Sync),
    now: Timestamp,
) -> Result<bool, Fault> {
    let key = calendars::parting_key(tenant, connection);
    let Some(stored) = records::get::<Parting>(&*ports.table, &key).await? else { return Ok(true) };
    let Stored { rev, record: mut parting } = stored;
    let mut writers = BTreeSet::new();
    let ended = some((ports, tenant), connection, &mut parting, &mut writers, is_over).await;
    // What is written down is done, also where this was cut off.
    for lies_in in &writers {
        wake(ports, tenant, (BLOCKS, lies_in), BTreeSet::new(), now).await?;
    }
    if !ended? {
        let write = records::replace(&key, Some(rev), &parting, Upkeep::default())?;
        records::unless_raced(ports.table.write(write).await)?;
        return Ok(false);
    }
    // Others of the person may have looked while these were there. What was never sent goes without a word, so they look once more.
    if !parting.is_whole
        && let Some(person) = Person::of(ports, tenant, connection).await?
    {
        for one in person.choices.iter().filter(|one| one.connection != connection) {
            wake(ports, tenant, (BUSY, &one.connection), BTreeSet::new(), now).await?;
        }
    }
    // Where somebody noted more meanwhile, that is done as well.
    match ports.table.write(Write::Delete { key, condition: Some(records::unchanged(rev)) }).await {
        Ok(_) => Ok(true),
        Err(WriteFault::Condition(_) | WriteFault::Conflict) => Ok(false),
        Err(WriteFault::Fault(fault)) => Err(fault),
    }
}

/// Goes through the blocks of a connection from where an earlier run stopped, page by page; whether that was all.
async fn some(
    (ports, tenant): (&Ports, &Tenant),
    connection: &str,
    parting: &mut Parting,
    writers: &mut BTreeSet<String>,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<bool, Fault> {
    let mut prefixes = BTreeMap::from([(block::prefix_in(connection), connection.to_owned())]);
    for user in &parting.users {
        let others = Person::listed(ports, tenant, user).await?.all().into_iter();
        for calendar in others.filter(|calendar| calendar.connection != connection) {
            let prefix = format!("{}{connection}#", block::prefix_of_calendar(&calendar));
            prefixes.insert(prefix, calendar.connection);
        }
    }
    let mut has_looked = false;
    for (prefix, lies_in) in prefixes {
        let Some(mut range) = block::beyond(&prefix, parting.after.as_deref()) else { continue };
        if matches!(range, Range::Prefix(_)) {
            parting.after = Some(prefix.clone());
        }
        loop {
            if has_looked && is_over() {
                return Ok(false);
            }
            has_looked = true;
            let is_meant = |block: &Block| parting.is_whole || parting.users.contains(&block.user);
            let (going, last) = page(ports, tenant, range, is_meant).await?;
            if going > 0 {
                writers.insert(lies_in.clone());
            }
            let Some(last) = last else { break };
            range = records::after(&prefix, &last);
            parting.after = Some(last);
        }
    }
    Ok(true)
}

/// Lets those blocks go that sort under a prefix and that are meant; how many are to be removed.
pub(super) async fn sweep(
    ports: &Ports,
    tenant: &Tenant,
    prefix: &str,
    is_meant: impl Fn(&Block) -> bool + Sync,
) -> Result<usize, Fault> {
    let mut range = Range::Prefix(prefix.to_owned());
    let mut count = 0;
    loop {
        let (going, last) = page(ports, tenant, range, &is_meant).await?;
        count += going;
        let Some(last) = last else { return Ok(count) };
        range = records::after(prefix, &last);
    }
}

/// Lets the blocks of a page go that are meant: of those of which nothing was ever sent nothing is left to do, all others are marked
/// as to be removed. Returns how many these are, and the place where there may be more.
async fn page(
    ports: &Ports,
    tenant: &Tenant,
    range: Range,
    is_meant: impl Fn(&Block) -> bool + Sync,
) -> Result<(usize, Option<String>), Fault> {
    let query = Query { partition: block::partition(tenant), range, descending: false, limit: PAGE };
    for _ in 0..ATTEMPTS {
        let (found, more) = records::list::<Block>(&*ports.table, &query).await?;
        let last = found.last().map(|(sort, _)| sort.clone()).filter(|_| more);
        let (mut writes, mut going) = (Vec::with_capacity(found.len()), 0);
        for (_, Stored { rev, record }) in found.into_iter().filter(|(_, stored)| is_meant(&stored.record)) {
            let key = record.record_key(tenant);
            if record.is_unsent() {
                writes.push(Write::Delete { key, condition: Some(records::unchanged(rev)) });
                continue;
            }
            going += 1;
            if record.state != BlockState::Removing {
                let next = Block { state: BlockState::Removing, etag: None, failures: 0, reason: None, ..record };
                writes.push(records::replace(&key, Some(rev), &next, next.upkeep())?);
            }
        }
        if writes.is_empty() {
            return Ok((going, last));
        }
        match ports.table.transact(writes).await {
            Ok(()) => return Ok((going, last)),
            // One of them is being written right now.
            Err(TransactFault::Cancelled(_)) => {}
            Err(TransactFault::Fault(fault)) => return Err(fault),
        }
    }
    Err(Fault::retryable("others change the same blocks all the time"))
}

/// Forgets the blocks that sort under a prefix: they are gone.
pub(super) async fn forget(ports: &Ports, tenant: &Tenant, prefix: &str) -> Result<(), Fault> {
    let partition = block::partition(tenant);
    loop {
        let range = Range::Prefix(prefix.to_owned());
        let query = Query { partition: partition.clone(), range, descending: false, limit: PAGE };
        let page = ports.table.query(&query).await?;
        let keys = page.items.iter().map(|item| partition.clone().key(records::sort_of(item)));
        let writes: Vec<Write> = keys.map(|key| Write::Delete { key, condition: None }).collect();
        if writes.is_empty() {
            return Ok(());
        }
        ports.table.transact(writes).await.map_err(records::overtaken)?;
    }
}
