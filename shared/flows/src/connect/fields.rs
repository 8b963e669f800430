//! Checks of what a request gives: each names the field that does not fit.

use hooktide_model::settings::connection::{ConnectionSettings, OF_ENDPOINTS, OF_EVERY_PROVIDER};
use hooktide_providers::{Provider, Webhooks};
use serde_json::{Map, Value};

use super::Refusal;

/// The longest name and account.
pub const LONGEST_TEXT: usize = 255;

/// The provider of that id.
pub fn provider_of(id: &str) -> Result<&'static dyn Provider, Refusal> {
    hooktide_providers::by_id(id).ok_or_else(|| {
        let known: Vec<&str> = hooktide_providers::ALL.iter().map(|provider| provider.id()).collect();
        Refusal::invalid("provider", format!("it is one of {}", known.join(", ")))
    })
}

/// The webhooks of the provider of that id.
pub fn webhooks_of(id: &str) -> Result<&'static dyn Webhooks, Refusal> {
    provider_of(id)?.webhooks().ok_or_else(|| Refusal::invalid("provider", format!("{id} sends no webhooks")))
}

/// Checks a name, or takes another.
pub(super) fn name_of(name: Option<String>, otherwise: &str) -> Result<String, Refusal> {
    let name = name.unwrap_or_else(|| otherwise.to_owned());
    if name.trim().is_empty() || name.chars().count() > LONGEST_TEXT {
        return Err(Refusal::invalid("name", "it has 1 to 255 characters"));
    }
    Ok(name)
}

/// Checks an account, and makes it the same for every way of writing it.
pub fn account_of(provider: &dyn Provider, account: &str) -> Result<String, Refusal> {
    let account = (provider.profile().normalise_account)(account);
    if account.is_empty() || account.len() > LONGEST_TEXT || account.chars().any(|c| c.is_control() || c == '#') {
        return Err(Refusal::invalid("account", "it has 1 to 255 characters, and no control characters or #"));
    }
    Ok(account)
}

/// Reads the settings of a provider's connection.
pub(super) fn settings_of(provider: &dyn Provider, given: &Map<String, Value>) -> Result<ConnectionSettings, Refusal> {
    let taken: Vec<&str> = OF_EVERY_PROVIDER.iter().chain(provider.profile().settings).copied().collect();
    ConnectionSettings::parse(given, &taken).map_err(Refusal::Invalid)
}

/// Reads the settings of a shared endpoint.
pub(super) fn settings_of_endpoint(given: &Map<String, Value>) -> Result<ConnectionSettings, Refusal> {
    ConnectionSettings::parse(given, OF_ENDPOINTS).map_err(Refusal::Invalid)
}

/// Applies a JSON merge patch (RFC 7396) to settings; the result is still to be read.
pub(super) fn patched(settings: &ConnectionSettings, patch: Map<String, Value>) -> Map<String, Value> {
    let mut map = settings.to_map();
    for (name, value) in patch {
        merge(&mut map, name, value);
    }
    map
}

/// Applies a JSON merge patch (RFC 7396) to a field of an object.
fn merge(object: &mut Map<String, Value>, name: String, patch: Value) {
    match patch {
        Value::Null => drop(object.remove(&name)),
        Value::Object(patch) => {
            let entry = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
            if !entry.is_object() {
                *entry = Value::Object(Map::new());
            }
            if let Value::Object(inner) = entry {
                patch.into_iter().for_each(|(name, value)| merge(inner, name, value));
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => drop(object.insert(name, patch)),
    }
}
