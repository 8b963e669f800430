//! Secrets as a request gives them: checked, sorted by what they are for, and sealed.

use std::collections::BTreeMap;

use hooktide_model::fault::Fault;
use hooktide_model::problem::FieldError;
use hooktide_model::secret::Secret;
use hooktide_providers::{Need, Provider};
use hooktide_store::ports::Key;
use hooktide_store::records::endpoint::{self, SealedSecret};

use super::{Context, Refusal};

/// How many secrets of one name may be live: each costs a MAC for every delivery.
pub(crate) const MOST_LIVE: usize = 8;
/// The longest secret, in bytes.
const LONGEST: usize = 4096;

/// Secrets by name, newest first within a name.
pub type GivenSecrets = BTreeMap<String, Vec<Secret>>;

/// The secrets of a request, sorted by what they are for.
#[derive(Default)]
pub(super) struct Sorted {
    /// What verifies deliveries.
    pub(super) verifying: Vec<(String, Secret)>,
    /// What the provider's API wants.
    pub(super) credentials: Vec<(String, Secret)>,
}

/// Checks names and values, all at once.
pub(super) fn sort(provider: &dyn Provider, given: GivenSecrets) -> Result<Sorted, Refusal> {
    let mut sorted = Sorted::default();
    let mut errors = Vec::new();
    for (name, values) in given {
        let field = format!("secrets.{name}");
        let into = if is_among(provider.profile().needs, &name) {
            &mut sorted.verifying
        } else if is_among(provider.profile().credentials, &name) {
            &mut sorted.credentials
        } else {
            errors.push(FieldError { field, detail: unknown_name(provider) });
            continue;
        };
        if values.is_empty() || values.len() > MOST_LIVE {
            errors.push(FieldError { field: field.clone(), detail: format!("give 1 to {MOST_LIVE} secrets") });
        }
        for value in values {
            match check(provider, &name, &value) {
                Ok(()) => into.push((name.clone(), value)),
                Err(detail) => errors.push(FieldError { field: field.clone(), detail }),
            }
        }
    }
    if errors.is_empty() { Ok(sorted) } else { Err(Refusal::Invalid(errors)) }
}

/// Refuses to go without what verifies deliveries: all of them would be refused.
pub(super) fn require_all(provider: &dyn Provider, verifying: &[(String, Secret)]) -> Result<(), Refusal> {
    let given = |need: &Need| verifying.iter().any(|(name, _)| name == need.name);
    let needs = provider.profile().needs;
    // Where none is needed always, one of several suffices. The only one comes with the subscription.
    let one_of_several = needs.len() > 1 && needs.iter().all(|need| !need.required) && !needs.iter().any(given);
    let missing = needs.iter().filter(|need| one_of_several || need.required && !given(need));
    let errors: Vec<FieldError> = missing
        .map(|need| FieldError { field: format!("secrets.{}", need.name), detail: format!("give {}", need.about) })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Refusal::Invalid(errors)) }
}

/// Seals secrets for the record at `key`, in their order.
pub(super) async fn seal(
    context: Context<'_>,
    key: &Key,
    secrets: &[(String, Secret)],
) -> Result<Vec<SealedSecret>, Fault> {
    let keys = context.ports.keys.root().await?;
    let record = endpoint::sealed_for(key);
    let place = (context.tenant, record.as_str());
    let seal = |(name, secret): &(String, Secret)| {
        SealedSecret::seal(name, secret, place, &keys, &context.ports.entropy, context.now)
    };
    secrets.iter().map(seal).collect()
}

/// Seals one secret for the record at `key`.
pub(super) async fn seal_one(
    context: Context<'_>,
    key: &Key,
    name: &str,
    value: &Secret,
) -> Result<SealedSecret, Fault> {
    let mut sealed = seal(context, key, &[(name.to_owned(), value.clone())]).await?;
    sealed.pop().ok_or_else(|| Fault::failed("a secret was not sealed"))
}

/// Whether a list of needs has one of that name.
pub(super) fn is_among(needs: &[Need], name: &str) -> bool {
    needs.iter().any(|need| need.name == name)
}

/// Names the secrets that a provider's connections have.
pub(super) fn unknown_name(provider: &dyn Provider) -> String {
    let profile = provider.profile();
    let names: Vec<&str> = profile.needs.iter().chain(profile.credentials).map(|need| need.name).collect();
    format!("{} knows the secrets {}", provider.id(), names.join(", "))
}

/// Checks one secret.
pub(super) fn check(provider: &dyn Provider, name: &str, value: &Secret) -> Result<(), String> {
    let bytes = value.expose();
    if bytes.is_empty() || bytes.len() > LONGEST {
        return Err(format!("a secret has 1 to {LONGEST} bytes"));
    }
    if value.expose_text().is_some_and(|text| text.trim() != text) {
        return Err("it begins or ends with white space, which was hardly meant".into());
    }
    provider.profile().check_secret(name, value).map_err(str::to_owned)
}
