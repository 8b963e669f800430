//! Bodies with one field, or one item, of another type, missing, or written twice: what is not needed to know what changed
//! costs nobody a delivery, and an odd item spoils no other.

use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, EntityNotice, Notice, State, What};
use hooktide_providers::{Proof, Webhooks};
use serde_json::{Value, json};

use crate::evidence::{Evidence, Fixture};
use crate::places::{self, Place, Token, is_below};
use crate::rule::{Complaints, Failure, each};

/// A value of each type.
const VALUES: [&str; 6] = ["null", "7", "true", r#""bent""#, r#"[["bent"]]"#, r#"{"bent":1}"#];
/// Amounts that are not in minor units without a doubt.
const FRACTIONS: [&str; 3] = ["10.00", "1e3", r#""10.00""#];
/// Longer than any id.
const LONG: usize = 300;
/// A text that no fixture has, where another is written in its place.
const HERE: &str = "here-another-stands";

/// What stands in the place of a field, as JSON.
enum Bend<'a> {
    /// This, instead of it.
    Instead(&'a str),
    /// Nothing: there is no such field.
    Nothing,
    /// Its name with something odd, and then its name with its value.
    Twice,
}

impl std::fmt::Display for Bend<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Instead(value) => f.write_str(value),
            Self::Nothing => f.write_str("nothing"),
            Self::Twice => f.write_str("two fields"),
        }
    }
}

impl Bend<'_> {
    /// The body with this in that place, if it can stand there.
    fn body(&self, body: &Value, place: &Place) -> Option<String> {
        let mut bent = body.clone();
        let (parent, _) = place.pointer.rsplit_once('/')?;
        let name = match place.tokens.last()? {
            Token::Key(name) => Some(name),
            Token::Item => None,
        };
        if let Self::Nothing = self {
            // An item that is written under its number is taken away from a list.
            let name = name.filter(|name| !name.bytes().all(|byte| byte.is_ascii_digit()))?;
            bent.pointer_mut(parent)?.as_object_mut()?.remove(name)?;
            return Some(bent.to_string());
        }
        let was = bent.pointer_mut(&place.pointer)?;
        let was = std::mem::replace(was, Value::from(HERE));
        let here = match self {
            Self::Instead(value) => (*value).to_owned(),
            Self::Nothing | Self::Twice => format!("[[\"bent\"]],{}:{was}", Value::from(name?.as_str())),
        };
        Some(bent.to_string().replacen(&Value::from(HERE).to_string(), &here, 1))
    }
}

/// What a notice is about.
#[derive(Debug, PartialEq)]
enum About<'a> {
    Entity(Kind, &'a str),
    Hint(&'a str, Option<&'a str>),
    Privacy,
}

fn about(notice: &Notice) -> Option<About<'_>> {
    match &notice.what {
        What::Entity(entity) => Some(About::Entity(entity.kind, &entity.id)),
        What::Hint { resource, of, .. } => Some(About::Hint(resource, of.as_deref())),
        What::Privacy(_) => Some(About::Privacy),
        What::Ignored { .. } | What::Kept { .. } => None,
    }
}

/// What the provider makes of a fixture with another body that it signed.
fn notices(provider: &dyn Webhooks, fixture: &Fixture, body: String) -> Option<Result<Vec<Notice>, Fault>> {
    let verified = fixture.sender(provider).send(body).ok()?.open(provider).ok()?;
    Some(provider.parse(&verified))
}

/// Each field of each fixture, replaced by a value of each type, or taken away: the same entities are told, and what became of
/// the field is said; or it is declared as needed, or as one that may be left out.
pub(crate) fn fields(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    let mut known = Vec::new();
    let mut failures = each(provider, evidence, |fixture, complaints| {
        let Some((body, recorded)) = told(provider, fixture) else { return };
        for place in places::of(&body) {
            let needed = provider.profile().needed.iter().any(|path| is_below(&place.tokens, path));
            let optional = provider.profile().optional.iter().any(|path| place.is(path));
            let Some(was) = body.pointer(&place.pointer) else { continue };
            let fractions = FRACTIONS.iter().filter(|_| was.is_number() && amounts(&recorded).next().is_some());
            let values = VALUES.iter().chain(fractions).map(|value| Bend::Instead(value));
            for bend in values.chain([Bend::Nothing]) {
                let Some(bent) = bend.body(&body, &place) else { continue };
                let Some(told) = notices(provider, fixture, bent) else { continue };
                let mut complain = |what: String| complaints.add(format!("with {} as {bend} {what}", place.path()));
                judge(&recorded, &told, (needed, optional), (was, &bend), &mut complain);
            }
        }
    });
    for fixture in evidence.fixtures.iter().filter_map(|fixture| serde_json::from_slice::<Value>(&fixture.body).ok()) {
        known.extend(places::of(&fixture));
    }
    let unknown = |path: &&&str| !known.iter().any(|place| is_below(&place.tokens, path) && place.ends(path));
    for path in provider.profile().needed.iter().chain(provider.profile().optional).filter(unknown) {
        failures.push(Failure::new(provider, *path, "is declared, and no fixture has it"));
    }
    failures
}

/// The body and the notices of a fixture that can be signed and says something in JSON.
fn told(provider: &dyn Webhooks, fixture: &Fixture) -> Option<(Value, Vec<Notice>)> {
    if fixture.is_unsignable() {
        return None;
    }
    let body: Value = serde_json::from_slice(&fixture.body).ok()?;
    let recorded = notices(provider, fixture, body.to_string())?.ok()?;
    Some((body, recorded))
}

fn judge(
    recorded: &[Notice],
    told: &Result<Vec<Notice>, Fault>,
    (needed, optional): (bool, bool),
    (was, bend): (&Value, &Bend<'_>),
    complain: &mut impl FnMut(String),
) {
    let told = match told {
        Err(Fault::Permanent { .. }) if needed => return,
        Err(fault) => return complain(format!("is not read at all: {fault}")),
        Ok(told) => told,
    };
    if let Bend::Instead(value) = bend
        && FRACTIONS.contains(value)
        && let Some(amount) = amounts(told).find(|amount| !amounts(recorded).any(|recorded| recorded == *amount))
    {
        complain(format!("makes {amount} minor units of it"));
    }
    let unsaid = match bend {
        Bend::Nothing => !optional,
        Bend::Instead(value) if needed || !(value.starts_with('[') || value.starts_with('{')) => false,
        Bend::Instead(value) => {
            !(was.is_array() && value.starts_with('[') || was.is_object() && value.starts_with('{'))
        }
        Bend::Twice => true,
    };
    let asks = told.iter().any(|notice| matches!(notice.what, What::Hint { .. }));
    for notice in recorded {
        let Some(subject) = about(notice) else { continue };
        let found = told.iter().any(|other| about(other).as_ref() == Some(&subject));
        // What is no longer of the form that tells it from others is said to be none.
        let says_so = matches!((bend, &subject), (Bend::Nothing, About::Hint(..))) && told.iter().all(is_refused);
        if !(needed || found || says_so || asks && matches!(subject, About::Entity(..))) {
            complain(format!("loses {subject:?}"));
        }
        if let Some(entity) = entity_of(notice)
            && unsaid
            && told.iter().filter_map(entity_of).any(|other| is_silent(entity, other))
        {
            complain("changes the document and names nothing as unread".into());
        }
    }
}

/// Whether nothing is done, with a reason.
fn is_refused(notice: &Notice) -> bool {
    matches!(notice.what, What::Ignored { .. } | What::Kept { .. })
}

/// The amounts of money that are told.
fn amounts(notices: &[Notice]) -> impl Iterator<Item = i64> {
    notices.iter().filter_map(|notice| match &entity_of(notice)?.state {
        State::Present(Document::Transaction(transaction)) => transaction.amount_minor,
        State::Present(_) | State::Deleted => None,
    })
}

/// Each field of each fixture with an odd one of its name before it: the same is told, since the last counts.
pub(crate) fn twice(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let Some((body, recorded)) = told(provider, fixture) else { return };
        for place in places::of(&body) {
            let Some(told) = Bend::Twice.body(&body, &place).and_then(|body| notices(provider, fixture, body)) else {
                continue;
            };
            let place = place.path();
            match told {
                Err(fault) => complaints.add(format!("with {place} twice is not read at all: {fault}")),
                Ok(told) => {
                    let is_told = |notice: &&Notice| told.iter().any(|other| other.what == notice.what);
                    for notice in recorded.iter().filter(|notice| about(notice).is_some() && !is_told(notice)) {
                        complaints.add(format!("with {place} twice loses {:?}", notice.what));
                    }
                }
            }
        }
    })
}

fn entity_of(notice: &Notice) -> Option<&EntityNotice> {
    match &notice.what {
        What::Entity(entity) => Some(entity),
        What::Hint { .. } | What::Privacy(_) | What::Ignored { .. } | What::Kept { .. } => None,
    }
}

/// Whether another state of the same entity differs without saying what was not read.
fn is_silent(recorded: &EntityNotice, other: &EntityNotice) -> bool {
    let same = (recorded.kind, &recorded.id) == (other.kind, &other.id);
    let present = matches!((&recorded.state, &other.state), (State::Present(_), State::Present(_)));
    same && present && recorded.state != other.state && other.unread.is_empty()
}

/// An odd item before and behind the items of each list that has a notice for each: all of theirs are told, and the odd one is
/// not passed over in silence.
pub(crate) fn items(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let Some((body, recorded)) = told(provider, fixture) else { return };
        for list in
            places::of(&body).into_iter().filter(|place| provider.profile().items.iter().any(|path| place.is(path)))
        {
            let Some(Value::Array(items)) = body.pointer(&list.pointer) else { continue };
            // Where several have one notice together, nobody can tell whose is missing.
            if items.is_empty() || recorded.len() < items.len() {
                continue;
            }
            for odd in odd_items(provider, &items[0]) {
                for at in [0, items.len()] {
                    beside(provider, fixture, (&body, &recorded), (&list, at, &odd), complaints);
                }
            }
        }
        for map in places::of(&body)
            .into_iter()
            .filter(|place| provider.profile().items.iter().any(|path| place.is_keyed(path)))
        {
            for odd in ["", "\u{0}", &"x".repeat(LONG)] {
                let mut with = body.clone();
                let Some(Value::Object(fields)) = with.pointer_mut(&map.pointer) else { continue };
                let Some(like_others) = fields.values().next().cloned() else { continue };
                fields.insert(odd.to_owned(), like_others);
                let place = format!("{odd:.10?} as a key of {}", map.path());
                compare(&recorded, notices(provider, fixture, with.to_string()), &place, complaints);
            }
        }
    })
}

/// Items of no known form. Where each item is proved on its own, an odd one has its proof: what nobody proved is never reported.
fn odd_items(provider: &dyn Webhooks, item: &Value) -> Vec<Value> {
    let proof = provider.profile().schemes.iter().find_map(|scheme| match scheme.proof {
        Proof::Field(name) => Some(name),
        Proof::Header(_) => None,
    });
    let (Some(proof), Value::Object(fields)) = (proof, item) else {
        let values = VALUES.iter().filter_map(|value| serde_json::from_str(value).ok());
        return values.chain([json!([]), json!({})]).collect();
    };
    let bent = |name: &String| {
        let mut fields = fields.clone();
        fields.insert(name.clone(), json!({ "bent": 1 }));
        Value::Object(fields)
    };
    fields.keys().filter(|name| *name != proof).map(bent).collect()
}

fn beside(
    provider: &dyn Webhooks,
    fixture: &Fixture,
    (body, recorded): (&Value, &[Notice]),
    (list, at, odd): (&Place, usize, &Value),
    complaints: &mut Complaints,
) {
    let mut with = body.clone();
    if let Some(Value::Array(items)) = with.pointer_mut(&list.pointer) {
        items.insert(at, odd.clone());
    }
    let place = format!("{odd} as item {at} of {}", list.path());
    let told = notices(provider, fixture, with.to_string());
    let proved = provider.profile().schemes.iter().all(|scheme| matches!(scheme.proof, Proof::Header(_)));
    let silent =
        proved && told.as_ref().is_some_and(|told| told.as_ref().is_ok_and(|told| told.len() <= recorded.len()));
    if silent {
        complaints.add(format!("with {place} says nothing of it"));
    }
    compare(recorded, told, &place, complaints);
}

/// What was recorded is told, although there is something odd at `place`.
fn compare(recorded: &[Notice], told: Option<Result<Vec<Notice>, Fault>>, place: &str, complaints: &mut Complaints) {
    match told {
        None => complaints.add(format!("with {place} is refused")),
        Some(Err(fault)) => complaints.add(format!("with {place} is not read at all: {fault}")),
        Some(Ok(told)) => {
            // What is known by the whole body has another identity.
            let is_told = |notice: &&Notice| {
                told.iter().any(|other| (&other.account, &other.what) == (&notice.account, &notice.what))
            };
            // What was odd before stands at another place now.
            for notice in recorded.iter().filter(|notice| about(notice).is_some() && !is_told(notice)) {
                complaints.add(format!("with {place} loses {:?}", notice.what));
            }
        }
    }
}
