//! The providers that this version knows; no server is asked.

use hooktide_providers::{ALL, Becomes, Covers, Need, Proof, Provider, Scheme};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{Output, Table};

/// Shows them.
pub(crate) fn run(output: &Output) -> Result<(), Failure> {
    if output.json {
        let items: Vec<Value> = ALL.iter().map(|provider| described(*provider)).collect();
        return output.value(&json!({ "items": items, "next": null }));
    }
    for (index, provider) in ALL.iter().enumerate() {
        if index > 0 {
            output.line("")?;
        }
        let schemes: Vec<String> = provider.profile().schemes.iter().map(told).collect();
        let proofs = if schemes.is_empty() { "polled, since it sends nothing".to_owned() } else { schemes.join("; ") };
        output.line(&format!("{}: {proofs}", provider.id()))?;
        let mut secrets = Table::new(&["  secret", "what it is"]);
        for need in needs(*provider) {
            secrets.row([format!("  {}", need.name), need.about.to_owned()]);
        }
        output.table(&secrets, "  no secrets")?;
        let mut topics = Table::new(&["  topic", "becomes"]);
        for topic in provider.profile().topics {
            topics.row([format!("  {}", topic.name), becomes(topic.becomes)]);
        }
        output.table(&topics, "  no topics")?;
    }
    Ok(())
}

fn described(provider: &dyn Provider) -> Value {
    json!({
        "id": provider.id(),
        "schemes": provider.profile().schemes,
        "needs": needs(provider),
        "topics": provider.profile().topics,
    })
}

/// The secrets that a provider needs: those that prove its deliveries, or, where it sends none, those that it is asked with.
fn needs(provider: &dyn Provider) -> &'static [Need] {
    if provider.webhooks().is_none() { provider.profile().credentials } else { provider.profile().needs }
}

fn told(scheme: &Scheme) -> String {
    match scheme.proof {
        Proof::Header(name) => format!("{name}, {}", covered(scheme.covers)),
        Proof::Field(name) => format!("the field {name}, {}", covered(scheme.covers)),
    }
}

fn covered(covers: Covers) -> String {
    let parts = [(covers.body, "body"), (covers.url, "address"), (covers.time, "time")];
    let covered: Vec<&str> = parts.into_iter().filter(|(is, _)| *is).map(|(_, part)| part).collect();
    if covered.is_empty() {
        "a token that signs nothing".to_owned()
    } else {
        format!("which signs {}", covered.join(", "))
    }
}

fn becomes(becomes: Becomes) -> String {
    match becomes {
        Becomes::Kind(kind) => format!("a change of kind {kind}"),
        Becomes::Sync(resource) => format!("a sync of {resource}"),
        Becomes::Privacy => "a request to disclose or erase".to_owned(),
        Becomes::Ignored(reason) => format!("nothing: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_signature_covers_is_told_in_words() {
        assert_eq!(covered(Covers { body: true, url: false, time: true }), "which signs body, time");
        let nothing = covered(Covers { body: false, url: false, time: false });
        assert_eq!(nothing, "a token that signs nothing");
    }
}
