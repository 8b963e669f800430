//! Instead: the notices that replace a body which was too large to keep.

use hooktide_model::envelope::{Inquiry, Oversized};
use hooktide_model::fault::Fault;
use hooktide_model::names::MarkReason;
use hooktide_model::notice::{Notice, What};
use hooktide_providers::Provider;

/// The notices that replace those of the body.
pub(super) fn notices(oversized: &Oversized, provider: &dyn Provider) -> Result<Vec<Notice>, Fault> {
    let hint = |ask: &Inquiry| {
        // Newer code that knew the provider may have been rolled back.
        let unknown = || Fault::retryable(format!("no resource is called {:?} here", ask.resource));
        let resource = provider.profile().resource(&ask.resource).ok_or_else(unknown)?;
        let (of, reason) = (ask.of.clone(), MarkReason::Hint);
        let what = What::Hint { resource, of, subscription: None, entity: None, reason };
        Ok(Notice { account: ask.account.clone(), identity: ask.identity.clone(), what })
    };
    // The ignored notice comes last, so that it does not affect the numbers of the others.
    let ignored = oversized.ignored.as_deref().map(|reason| {
        let what = What::ignored(reason);
        Ok(Notice { account: None, identity: oversized.bytes.to_string(), what })
    });
    oversized.asks.iter().map(hint).chain(ignored).collect()
}
