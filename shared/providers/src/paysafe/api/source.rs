//! Transactions, each asked by its id. Paysafe documents no list of them without a reference of the merchant's, so nothing is
//! found by listing, and nothing ever counts as gone.

use http::{Method, StatusCode};

use crate::lenient::{Lenient, Object, fields};
use crate::paysafe::Paysafe;
use crate::paysafe::resource::{Beside, Resource, Sort};
use crate::paysafe::topics::{ACCOUNTS, TRANSACTIONS};
use crate::protocols::rest;
use crate::{Answer, Api, Ask, Next, Page, Reach, Refusal, Source, Task};
use hooktide_model::notice::What;

/// The cursor of a reading that is complete. Paysafe has none.
const BY_ID: &str = "by-id";
/// The question of a reading without an entity: a look-up by a reference that no order has. The answer says whether the
/// credentials count, and that is all.
const NO_ORDER: &str = "payments?merchantRefNum=hooktide&limit=1";
/// The outcome of a reading of everything.
const UNLISTED: &str = "Paysafe lists no transactions without the merchant's reference: each is asked by its id, when a delivery \
                        does not settle its state; nothing counts as gone";

fields! {
    struct Refused {
        error: Lenient<Object<Reason>>,
    }
}

fields! {
    struct Reason {
        code: Lenient<String>,
    }
}

impl Source for Paysafe {
    fn ask(&self, task: &Task<'_>) -> Vec<Ask> {
        let path = match task.reach {
            _ if task.resource != TRANSACTIONS => None,
            Reach::Changes | Reach::Everything => Some(NO_ORDER.to_owned()),
            Reach::One(entity) => asked(entity).map(|(_, path, id)| format!("{path}/{id}")),
        };
        let question = |path| Ask::Http(rest::request(Method::GET, &format!("{}/{path}", task.api), None));
        path.map(question).into_iter().collect()
    }

    fn read(&self, task: &Task<'_>, answers: &[Answer]) -> Result<Page, Refusal> {
        let answer = answers.first();
        match task.reach {
            _ if task.resource != TRANSACTIONS => Err(Refusal::Invalid),
            Reach::Changes | Reach::Everything => looked_up(self, task, answer),
            Reach::One(entity) => match asked(entity) {
                Some((sort, _, id)) => one(self, task, (sort, id), answer),
                None => Ok(stays(entity, "Paysafe's API has none of its sort by an id")),
            },
        }
    }

    fn resources(&self) -> &'static [&'static str] {
        &[TRANSACTIONS]
    }

    /// No question about accounts is documented, so that nobody can read them: as with what is read by its parts only, their
    /// mark waits.
    fn has_parts(&self, resource: &str) -> bool {
        resource == ACCOUNTS
    }
}

/// The sort of an entity, its path, and Paysafe's id of it; `None` where nothing can be asked.
fn asked(entity: &str) -> Option<(&'static Sort, &'static str, &str)> {
    let (sort, id) = Sort::of_entity(entity)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    Some((sort, sort.path?, id)).filter(|_| !id.is_empty() && id.bytes().all(is_plain))
}

/// The answer to the look-up.
fn looked_up(api: &Paysafe, task: &Task<'_>, answer: Option<&Answer>) -> Result<Page, Refusal> {
    let answer = answer.ok_or(Refusal::Unreadable("no answer"))?;
    if !is_absent(answer) {
        api.sort(answer)?;
        rest::object::<Refused>(answer, "no list of Paysafe's")?;
    }
    // An item that names no entity may be about any that is known, so a listing with one lets all of them be.
    let facts = match task.reach {
        Reach::Everything => vec![What::ignored(UNLISTED)],
        Reach::Changes | Reach::One(_) => Vec::new(),
    };
    Ok(Page::of(facts, Next::Done(BY_ID.to_owned())))
}

/// The answer about one transaction.
fn one(api: &Paysafe, task: &Task<'_>, (sort, id): (&Sort, &str), answer: Option<&Answer>) -> Result<Page, Refusal> {
    let answer = answer.ok_or(Refusal::Unreadable("no answer"))?;
    let entity = format!("{}:{id}", sort.prefix);
    if is_absent(answer) {
        return Ok(stays(
            &entity,
            "Paysafe has none of that id, which alone is no reason to delete what is about money",
        ));
    }
    api.sort(answer)?;
    let mut resource: Resource = rest::object(answer, "no transaction of Paysafe's")?;
    if resource.id.as_ref().is_none_or(|own| own != id) {
        return Err(Refusal::Unreadable("another transaction than was asked for, or none"));
    }
    if resource.amount.as_ref().is_none() || resource.currency_code.as_ref().is_none() {
        return Ok(stays(&entity, "the answer has no amount with its currency"));
    }
    if matches!(resource.account_id, Lenient::Missing | Lenient::Null) {
        match own_account(task, &resource) {
            Some(account) => resource.account_id = Lenient::Read(account),
            None => {
                return Ok(stays(&entity, "the answer does not say the account, and the connection has not just one"));
            }
        }
    }
    let beside = Beside { within: "", id: None, status: None, event_date: None };
    Ok(match resource.read(sort, beside) {
        Ok(told) => Page::of(vec![What::Entity(told.entity)], Next::Done(BY_ID.to_owned())),
        Err(fault) => stays(&entity, &fault.to_string()),
    })
}

/// The account of the connection, where all that it is answered is of that one.
fn own_account(task: &Task<'_>, resource: &Resource) -> Option<String> {
    let own = task.account.filter(|account| !account.is_empty())?;
    let is_only_one = task.settings.companies.keys().all(|company| company == own);
    (is_only_one && !resource.child_account_num.is_there()).then(|| own.to_owned())
}

/// A page that changes nothing, and says why: the entity is there as it is known.
fn stays(entity: &str, why: &str) -> Page {
    let told = What::ignored(format!("{entity}: {why}; it stays as it is known"));
    Page { seen: vec![entity.to_owned()], ..Page::of(vec![told], Next::Done(BY_ID.to_owned())) }
}

/// Whether Paysafe itself says that there is none: a wrong address has no error of its own.
fn is_absent(answer: &Answer) -> bool {
    let reason = || rest::object::<Refused>(answer, "").ok()?.error.read();
    answer.status() == StatusCode::NOT_FOUND && reason().is_some_and(|Object(reason)| reason.code.is_there())
}
