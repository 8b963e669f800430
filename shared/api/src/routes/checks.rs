//! Checks of what requests give: each says which field is not right.

use hooktide_providers::Provider;
use serde_json::{Map, Value};

use crate::answer::{Answer, Refused};

/// The longest name and account.
pub(crate) const LONGEST_TEXT: usize = 255;
/// The largest settings, in bytes of JSON.
const LARGEST_SETTINGS: usize = 16 * 1024;

/// The provider of that id.
pub(crate) fn provider_of(id: &str) -> Answer<&'static dyn Provider> {
    hooktide_providers::by_id(id).ok_or_else(|| {
        let known: Vec<&str> = hooktide_providers::ALL.iter().map(|provider| provider.id()).collect();
        Refused::invalid("provider", format!("it is one of {}", known.join(", ")))
    })
}

/// Checks a name, or takes another.
pub(crate) fn name_of(name: Option<String>, otherwise: &str) -> Answer<String> {
    let name = name.unwrap_or_else(|| otherwise.to_owned());
    if name.trim().is_empty() || name.chars().count() > LONGEST_TEXT {
        return Err(Refused::invalid("name", "it has 1 to 255 characters"));
    }
    Ok(name)
}

/// Checks an account, and makes it the same for every way of writing it.
pub(crate) fn account_of(provider: &dyn Provider, account: Option<String>) -> Answer<Option<String>> {
    let Some(account) = account else { return Ok(None) };
    let account = provider.normalise_account(&account);
    if account.is_empty() || account.len() > LONGEST_TEXT || account.chars().any(|c| c.is_control() || c == '#') {
        return Err(Refused::invalid("account", "it has 1 to 255 characters, and no control characters or #"));
    }
    Ok(Some(account))
}

/// Checks how large settings are.
pub(crate) fn check_settings(settings: &Map<String, Value>) -> Answer<()> {
    let size = serde_json::to_vec(settings).map_or(usize::MAX, |text| text.len());
    if size > LARGEST_SETTINGS {
        return Err(Refused::invalid("settings", "they have at most 16 KB"));
    }
    if settings.get("notification_url").is_some_and(|url| !is_address(url)) {
        let detail = "it is what the provider was told to call, exactly, such as https://hooks.example.com/path";
        return Err(Refused::invalid("settings.notification_url", detail));
    }
    Ok(())
}

fn is_address(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        (text.starts_with("https://") || text.starts_with("http://")) && text.len() <= 2048 && text.is_ascii()
    })
}

/// RFC 7396.
pub(crate) fn merge(object: &mut Map<String, Value>, name: String, patch: Value) {
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
