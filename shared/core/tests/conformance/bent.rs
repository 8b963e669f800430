//! Bodies with one field, or one item, of another type: what is not needed to know what changed costs nobody a delivery,
//! and an odd item spoils no other.

use hooktide_core::fault::Fault;
use hooktide_core::names::Kind;
use hooktide_core::notice::{EntityNotice, Notice, State, What};
use hooktide_core::providers::{Proof, Provider};
use serde_json::{Value, json};

use crate::evidence::{Evidence, Fixture};
use crate::places::{self, Place, is_below};
use crate::rule::{Complaints, Failure, each};

/// What stands in the place of a field: a value of each type.
fn bends() -> [Value; 6] {
    [Value::Null, json!(7), json!(true), json!("bent"), json!([["bent"]]), json!({ "bent": 1 })]
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
        What::Hint { resource, of } => Some(About::Hint(resource, of.as_deref())),
        What::Privacy(_) => Some(About::Privacy),
        What::Ignored { .. } | What::Kept { .. } => None,
    }
}

/// What the provider makes of a fixture with another body that it signed.
fn notices(provider: &dyn Provider, fixture: &Fixture, body: &Value) -> Option<Result<Vec<Notice>, Fault>> {
    let verified = fixture.sender(provider).send(body.to_string()).ok()?.open(provider).ok()?;
    Some(provider.parse(&verified))
}

/// Each field of each fixture, replaced by a value of each type: the same entities are told, and what became of the field is
/// said; or it is declared as needed.
pub(crate) fn fields(provider: &dyn Provider, evidence: &Evidence) -> Vec<Failure> {
    let mut known = Vec::new();
    let mut failures = each(provider, evidence, |fixture, complaints| {
        let Some((body, recorded)) = told(provider, fixture) else { return };
        for place in places::of(&body) {
            let needed = provider.needed().iter().any(|path| is_below(&place.tokens, path));
            for bend in bends() {
                let mut bent = body.clone();
                let Some(field) = bent.pointer_mut(&place.pointer) else { continue };
                let was = std::mem::replace(field, bend.clone());
                let Some(told) = notices(provider, fixture, &bent) else { continue };
                let what = format!("{} as {bend}", place.path());
                judge(&recorded, &told, needed, (&was, &bend), &what, complaints);
            }
        }
    });
    for fixture in evidence.fixtures.iter().filter_map(|fixture| serde_json::from_slice::<Value>(&fixture.body).ok()) {
        known.extend(places::of(&fixture));
    }
    let unknown = |path: &&&str| !known.iter().any(|place| is_below(&place.tokens, path) && place.ends(path));
    for path in provider.needed().iter().filter(unknown) {
        failures.push(Failure::new(provider, *path, "is declared as needed, and no fixture has it"));
    }
    failures
}

/// The body and the notices of a fixture that can be signed and says something in JSON.
fn told(provider: &dyn Provider, fixture: &Fixture) -> Option<(Value, Vec<Notice>)> {
    if fixture.is_unsignable() {
        return None;
    }
    let body = serde_json::from_slice(&fixture.body).ok()?;
    let recorded = notices(provider, fixture, &body)?.ok()?;
    Some((body, recorded))
}

fn judge(
    recorded: &[Notice],
    told: &Result<Vec<Notice>, Fault>,
    needed: bool,
    (was, bend): (&Value, &Value),
    place: &str,
    complaints: &mut Complaints,
) {
    let told = match told {
        Err(Fault::Permanent { .. }) if needed => return,
        Err(fault) => return complaints.add(format!("with {place} is not read at all: {fault}")),
        Ok(told) => told,
    };
    if needed {
        return;
    }
    let asks = told.iter().any(|notice| matches!(notice.what, What::Hint { .. }));
    for notice in recorded {
        let Some(subject) = about(notice) else { continue };
        let found = told.iter().any(|other| about(other).as_ref() == Some(&subject));
        if !(found || asks && matches!(subject, About::Entity(..))) {
            complaints.add(format!("with {place} loses {subject:?}"));
        }
        let container = bend.is_array() || bend.is_object();
        if let Some(entity) = entity_of(notice)
            && container
            && std::mem::discriminant(was) != std::mem::discriminant(bend)
            && told.iter().filter_map(entity_of).any(|other| is_silent(entity, other))
        {
            complaints.add(format!("with {place} changes the document and names nothing as unread"));
        }
    }
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
pub(crate) fn items(provider: &dyn Provider, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let Some((body, recorded)) = told(provider, fixture) else { return };
        for list in places::of(&body).into_iter().filter(|place| provider.items().iter().any(|path| place.is(path))) {
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
    })
}

/// Items of no known form. Where each item is proved on its own, an odd one has its proof: what nobody proved is never reported.
fn odd_items(provider: &dyn Provider, item: &Value) -> Vec<Value> {
    let proof = provider.schemes().iter().find_map(|scheme| match scheme.proof {
        Proof::Field(name) => Some(name),
        Proof::Header(_) => None,
    });
    let (Some(proof), Value::Object(fields)) = (proof, item) else {
        return bends().into_iter().chain([json!([]), json!({})]).collect();
    };
    let bent = |name: &String| {
        let mut fields = fields.clone();
        fields.insert(name.clone(), json!({ "bent": 1 }));
        Value::Object(fields)
    };
    fields.keys().filter(|name| *name != proof).map(bent).collect()
}

fn beside(
    provider: &dyn Provider,
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
    match notices(provider, fixture, &with) {
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
            let proved = provider.schemes().iter().all(|scheme| matches!(scheme.proof, Proof::Header(_)));
            if proved && told.len() <= recorded.len() {
                complaints.add(format!("with {place} says nothing of it"));
            }
        }
    }
}
