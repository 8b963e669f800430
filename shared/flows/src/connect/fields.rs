//! Checks of what a request gives: each names the field that does not fit.

use hooktide_providers::{Provider, Webhooks};
use serde_json::{Map, Value};

use super::Refusal;

/// The longest name and account.
pub const LONGEST_TEXT: usize = 255;
/// The largest settings, in bytes of JSON.
const LARGEST_SETTINGS: usize = 16 * 1024;

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

/// Checks the size of settings, and the address among them.
pub(super) fn check_settings(settings: &Map<String, Value>) -> Result<(), Refusal> {
    let size = serde_json::to_vec(settings).map_or(usize::MAX, |text| text.len());
    if size > LARGEST_SETTINGS {
        return Err(Refusal::invalid("settings", "they have at most 16 KB"));
    }
    if settings.get("notification_url").is_some_and(|url| !is_address(url)) {
        let detail = "it is what the provider was told to call, exactly, such as https://hooks.example.com/path";
        return Err(Refusal::invalid("settings.notification_url", detail));
    }
    Ok(())
}

fn is_address(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        (text.starts_with("https://") || text.starts_with("http://")) && text.len() <= 2048 && text.is_ascii()
    })
}

/// Applies a JSON merge patch (RFC 7396) to a field of an object.
pub(super) fn merge(object: &mut Map<String, Value>, name: String, patch: Value) {
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
