//! Bodies that are too large to be kept: what they tell is asked for instead, where there is somebody to ask. A refusal could
//! end the subscription.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hooktide_model::envelope::{Inquiry, Oversized};
use hooktide_model::fault::Fault;
use hooktide_model::notice::{Notice, What};
use hooktide_model::signing;
use hooktide_providers::verified::Verified;
use hooktide_providers::{Becomes, Webhooks};

/// How many different questions one body may raise.
const MOST_ASKS: usize = 100;

/// What is queued instead of a body that is too large; `None` if nobody can be asked what it tells, or not for all of it.
pub(super) fn instead(webhooks: &dyn Webhooks, verified: &Verified, topic: Option<&str>) -> Option<Oversized> {
    let read = || -> Result<Vec<Notice>, Fault> {
        webhooks.readable(verified)?;
        webhooks.parse(verified)
    };
    let (mut asks, mut ignored) = (Vec::new(), None);
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(notices)) if !notices.is_empty() => {
            let mut seen = BTreeSet::new();
            for Notice { account, identity, what } in notices {
                let (resource, of) = match what {
                    What::Entity(entity) => {
                        (entity.source.or_else(|| webhooks.profile().resource_of(entity.kind))?, None)
                    }
                    What::Hint { resource, of, .. } => (resource, of),
                    What::Ignored { reason } => {
                        ignored.get_or_insert(reason);
                        continue;
                    }
                    // Nobody can be asked for it.
                    What::Privacy(_) | What::Kept { .. } => return None,
                };
                if seen.insert((account.clone(), resource, of.clone())) {
                    asks.push(Inquiry {
                        account,
                        identity,
                        resource: webhooks.profile().resource(resource)?.to_owned(),
                        of,
                    });
                }
            }
        }
        // What cannot be read has at least its topic.
        Ok(Ok(_) | Err(_)) | Err(_) => {
            let resource = match webhooks.profile().becomes(topic?)? {
                Becomes::Kind(kind) => webhooks.profile().resource_of(kind)?,
                Becomes::Sync(resource) => resource,
                Becomes::Privacy => return None,
                Becomes::Ignored(reason) => {
                    return Some(Oversized { bytes: verified.body().len(), asks, ignored: Some(reason.to_owned()) });
                }
            };
            let (resource, identity) = (resource.to_owned(), signing::sha256_hex(verified.body()));
            asks.push(Inquiry { account: None, identity, resource, of: None });
        }
    }
    let fits = asks.len() <= MOST_ASKS && (!asks.is_empty() || ignored.is_some());
    fits.then_some(Oversized { bytes: verified.body().len(), asks, ignored })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::*;
    use hooktide_model::secret::Secret;
    use hooktide_providers::verified;
    use hooktide_providers::{Sample, Unsigned};

    #[test]
    fn what_a_notice_says_can_be_asked_is_what_its_provider_declares() {
        let (now, secret) = (Timestamp::from_second(1_790_000_000).unwrap(), Secret::new("hush"));
        let mut asked = 0;
        for provider in hooktide_providers::ALL.iter().filter_map(|provider| provider.webhooks()) {
            let account = provider.profile().sample_account;
            for topic in provider.profile().topics {
                let sample = Sample { number: 1, updated_at: now, account };
                let Some(body) = provider.sample(topic.name, &sample) else { continue };
                let secrets = &hooktide_providers::signing_with(provider.profile(), &secret);
                let (url, delivery) = ("https://hooks.example/", "1");
                let unsigned = Unsigned { topic: topic.name, body: body.clone(), account, delivery, secrets, url, now };
                let Ok(request) = provider.sign(unsigned) else { continue };
                let verified = verified::trust(provider, request.headers(), Bytes::clone(request.body()), now);
                for notice in provider.parse(&verified).unwrap_or_default() {
                    if let What::Entity(entity) = notice.what
                        && let Some(source) = entity.source
                    {
                        assert_eq!(
                            provider.profile().resource_of(entity.kind),
                            Some(source),
                            "{} {}",
                            provider.id(),
                            topic.name
                        );
                        assert_eq!(provider.profile().resource(source), Some(source), "{}", provider.id());
                        assert!(instead(provider, &verified, None).is_some(), "{} {}", provider.id(), topic.name);
                        asked += 1;
                    }
                }
            }
        }
        assert!(asked > 5, "{asked}");
    }
}
