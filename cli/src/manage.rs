//! Connections and endpoints: the same commands, since a plain connection is an endpoint with one account.

use clap::{Args, Subcommand};
use hooktide_model::secret::Secret;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Output, Table, facts, field, harmless, time};
use crate::{moment, secrets};

/// Connections or endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One account at one provider.
    Connection,
    /// One provider app with many accounts.
    Endpoint,
}

impl Kind {
    fn path(self) -> &'static str {
        match self {
            Self::Connection => "connections",
            Self::Endpoint => "endpoints",
        }
    }
}

/// The actions on connections or endpoints.
#[derive(Subcommand)]
pub(crate) enum ManageCommand<A: Args, C: Args> {
    /// Add one; the answer names the address to enter at the provider.
    #[command(after_help = secrets::FORMS)]
    Add(A),
    /// List all.
    List,
    /// Show one.
    Show {
        /// Its id.
        id: String,
    },
    /// Change one; what is not given stays as it is.
    Change {
        /// Its id.
        id: String,
        /// The changes.
        #[command(flatten)]
        change: C,
    },
    /// Remove one, with the data of its entities; its dead letters stay until they expire.
    Remove {
        /// Its id.
        id: String,
    },
    /// Add and remove secrets, so that they can be changed without missing a delivery.
    #[command(subcommand)]
    Secret(SecretCommand),
}

/// The fields of a new connection or endpoint.
#[derive(Args)]
pub(crate) struct AddEndpoint {
    /// Provider, as `hooktide providers` names it.
    pub(crate) provider: String,
    /// Name for people [default: the account, or the provider].
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Secret, as NAME=VALUE, NAME=@FILE or NAME=-; repeatable, of several with one name the newest first.
    #[arg(long = "secret", value_name = "NAME=VALUE", value_parser = secrets::hidden)]
    pub(crate) secrets: Vec<Secret>,
    /// Setting, as KEY=VALUE; a value that is JSON is taken as such, anything else as text.
    #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, Value)>,
}

/// The fields of connections and endpoints that can be changed.
#[derive(Args)]
#[group(skip)]
pub(crate) struct Change {
    /// Name for people.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Setting, as KEY=VALUE; a value that is JSON is taken as such, `null` removes the setting. Repeatable.
    #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, Value)>,
}

/// The actions on secrets.
#[derive(Subcommand)]
pub(crate) enum SecretCommand {
    /// Add a secret beside those that are there.
    #[command(after_help = secrets::FORMS)]
    Add {
        /// Id of the connection or endpoint.
        id: String,
        /// Secret, as NAME=VALUE, NAME=@FILE or NAME=-.
        #[arg(value_name = "NAME=VALUE", value_parser = secrets::hidden)]
        secret: Secret,
        /// Retire the others of that name after so long, such as 24h.
        #[arg(long, value_name = "DURATION", value_parser = moment::duration)]
        retire_others_after: Option<SignedDuration>,
    },
    /// Remove a secret.
    Remove {
        /// Id of the connection or endpoint.
        id: String,
        /// Name of the secret.
        name: String,
        /// Its key id, as `show` tells it.
        key_id: String,
    },
}

/// A patch, if it changes anything.
pub(crate) fn changed(body: Map<String, Value>) -> Result<Value, Failure> {
    if body.is_empty() {
        return Err(Failure::Usage("Say what to change; see --help.".to_owned()));
    }
    Ok(Value::Object(body))
}

/// What is sent to create or change something.
pub(crate) trait Create {
    /// The JSON body.
    fn body(&self) -> Result<Value, Failure>;
}

impl Create for AddEndpoint {
    fn body(&self) -> Result<Value, Failure> {
        let mut texts = Map::new();
        for (name, values) in secrets::read_all(&self.secrets)? {
            let values: Vec<&str> = values.iter().filter_map(Secret::expose_text).collect();
            texts.insert(name, json!(values));
        }
        let settings: Map<String, Value> = self.settings.iter().cloned().collect();
        let name = self.name.as_ref().unwrap_or(&self.provider);
        Ok(json!({ "provider": self.provider, "name": name, "secrets": texts, "settings": settings }))
    }
}

impl Change {
    /// The fields of the patch.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        let name = self.name.iter().map(|name| ("name".to_owned(), json!(name)));
        let settings: Map<String, Value> = self.settings.iter().cloned().collect();
        let settings = (!settings.is_empty()).then(|| ("settings".to_owned(), Value::Object(settings)));
        name.chain(settings).collect()
    }
}

/// Runs the command.
pub(crate) async fn run<A: Args + Create, C: Args + Create>(
    kind: Kind,
    command: ManageCommand<A, C>,
    client: &Client,
    output: &Output,
) -> Result<(), Failure> {
    let path = kind.path();
    match command {
        ManageCommand::Add(new) => {
            let added = client.post(&["v1", path], &new.body()?).await?;
            show(&added, output)
        }
        ManageCommand::List => list(kind, client.list(&["v1", path]).await?, output),
        ManageCommand::Show { id } => show(&client.get(&["v1", path, &id], &[]).await?, output),
        ManageCommand::Change { id, change } => show(&client.patch(&["v1", path, &id], &change.body()?).await?, output),
        ManageCommand::Remove { id } => {
            let mut removed = client.delete(&["v1", path, &id]).await?;
            // One request erases a bounded number of entities.
            while removed.get("remaining") == Some(&Value::Bool(true)) {
                output.note(&format!("{id}{}; there is more", erased(&removed)));
                removed = client.delete(&["v1", path, &id]).await?;
            }
            if let Some(ending) = removed.get("ending").and_then(Value::as_u64).filter(|ending| *ending > 0) {
                output.note(&format!("its {ending} subscriptions are being ended at the provider"));
            }
            report(&removed, &format!("{id} is removed{}.", erased(&removed)), output)
        }
        ManageCommand::Secret(SecretCommand::Add { id, secret, retire_others_after }) => {
            let (name, secret) = secrets::read_named(&secret)?;
            let mut body = json!({ "value": secret.expose_text() });
            if let Some(after) = retire_others_after {
                body["retire_others_after"] = json!(after.as_secs());
            }
            let added = client.post(&["v1", path, &id, "secrets", &name], &body).await?;
            let key = added.get("key_id").and_then(Value::as_str).map(|key| format!(" with key id {}", harmless(key)));
            report(&added, &format!("{id} has a new `{name}`{}.", key.unwrap_or_default()), output)
        }
        ManageCommand::Secret(SecretCommand::Remove { id, name, key_id }) => {
            let removed = client.delete(&["v1", path, &id, "secrets", &name, &key_id]).await?;
            report(&removed, &format!("The `{name}` with key id {key_id} of {id} is removed."), output)
        }
    }
}

/// Reports the result: the server's answer if JSON was asked for, else a line.
pub(crate) fn report(answer: &Value, line: &str, output: &Output) -> Result<(), Failure> {
    match (output.json, answer) {
        (true, Value::Null) => Ok(()),
        (true, answer) => output.value(answer),
        (false, _) => output.line(line),
    }
}

fn list(kind: Kind, items: Vec<Value>, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.value(&json!({ "items": items, "next": null }));
    }
    let mut table = match kind {
        Kind::Connection => Table::new(&["id", "provider", "account", "name", "created"]),
        Kind::Endpoint => Table::new(&["id", "provider", "name", "created"]),
    };
    for item in &items {
        let account = (kind == Kind::Connection).then(|| field(item, "account"));
        let cells = [Some(field(item, "id")), Some(field(item, "provider")), account, Some(field(item, "name"))];
        table.row(cells.into_iter().flatten().chain([time(item, "created_at")]));
    }
    output.table(&table, &format!("There are none. Add one with `hooktide {} add PROVIDER`.", kind.path()))
}

fn show(item: &Value, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.value(item);
    }
    let mut told: Vec<(&str, String)> = ["id", "provider", "name", "account", "endpoint", "tenants", "settings"]
        .into_iter()
        .filter(|name| item.get(*name).is_some_and(|value| ![json!(null), json!({}), json!([])].contains(value)))
        .map(|name| (name, field(item, name)))
        .collect();
    if item.get("webhook_url").is_some_and(|url| !url.is_null()) {
        told.push(("webhook address", field(item, "webhook_url")));
    }
    if let Some(refused) = item.get("needs_reauthorization") {
        let (since, advice) = (time(refused, "since"), field(refused, "advice"));
        told.push(("needs reauthorization", format!("since {since}: {advice}")));
    }
    told.push(("created", time(item, "created_at")));
    for (name, keys) in item.get("secrets").and_then(Value::as_object).into_iter().flatten() {
        for key in keys.as_array().into_iter().flatten() {
            let (id, created) = (field(key, "key_id"), time(key, "created_at"));
            let verified = match key.get("last_verified_at") {
                None | Some(Value::Null) => "has verified nothing yet".to_owned(),
                Some(_) => format!("last verified {}", time(key, "last_verified_at")),
            };
            let retires = match key.get("retires_at") {
                None | Some(Value::Null) => String::new(),
                Some(_) => format!(", retires {}", time(key, "retires_at")),
            };
            told.push(("secret", format!("{name}, key id {id}, since {created}, {verified}{retires}")));
        }
    }
    output.line(&facts(told))
}

/// The data that was erased with a connection: `, and with it 12 entities, 3 tags`.
fn erased(removed: &Value) -> String {
    let counts = removed.get("erased").and_then(Value::as_object);
    let told: Vec<String> = counts
        .into_iter()
        .flatten()
        .filter(|(_, count)| count.as_u64() != Some(0))
        .map(|(what, count)| format!("{} {}", harmless(&count.to_string()), harmless(&what.replace('_', " "))))
        .collect();
    if told.is_empty() { String::new() } else { format!(", and with it {}", told.join(", ")) }
}

/// Reads `KEY=VALUE`.
fn setting(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| json!(value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_json_where_it_can_be() {
        assert_eq!(setting("a=60"), Ok(("a".to_owned(), json!(60))));
        assert_eq!(setting("a=\"60\""), Ok(("a".to_owned(), json!("60"))));
        assert_eq!(setting("a=b=c"), Ok(("a".to_owned(), json!("b=c"))));
        assert!(setting("a").is_err() && setting("=a").is_err());
    }

    #[test]
    fn what_was_erased_is_told_but_for_zeros() {
        let removed = json!({ "erased": { "entities": 12, "dead_letters": 3, "tags": 0 } });
        assert_eq!(erased(&removed), ", and with it 3 dead letters, 12 entities");
        assert_eq!(erased(&Value::Null), "");
    }
}
