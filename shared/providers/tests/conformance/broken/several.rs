//! A provider with several items in a body, and one flaw in how it reads them.

use bytes::Bytes;
use hooktide_model::fault::{AuthFault, ErrorClass, Fault};
use hooktide_model::notice::{Notice, What};
use hooktide_providers::verified::Verified;
use hooktide_providers::{Arrival, Label, Profile, Proved, Provider, Sample, Unsigned, Webhooks};
use http::Request;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// One odd item, and nothing is read.
    LosesTheBody,
    /// An odd item is passed over.
    LosesTheItem,
    /// An odd item ends the reading.
    StopsAtTheItem,
}

/// What is wrong, and the rules that catch it.
pub(super) const FLAWS: &[(Flaw, &[&str])] = &[
    (Flaw::LosesTheBody, &["reads_each_item_though_another_is_odd"]),
    (Flaw::LosesTheItem, &["reads_each_item_though_another_is_odd"]),
    (Flaw::StopsAtTheItem, &["reads_each_item_though_another_is_odd"]),
];

pub(super) struct Several(pub(super) Option<Flaw>);

impl Several {
    /// The provider that is broken here.
    pub(super) fn sound() -> &'static dyn Webhooks {
        hooktide_providers::webhooks_by_id("square").unwrap()
    }
}

impl Provider for Several {
    fn profile(&self) -> &'static Profile {
        Self::sound().profile()
    }

    fn webhooks(&self) -> Option<&dyn Webhooks> {
        Some(self)
    }
}

impl Webhooks for Several {
    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        Self::sound().verify(arrival)
    }

    fn label(&self, verified: &Verified) -> Label {
        Self::sound().label(verified)
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let mut notices = Self::sound().parse(verified)?;
        let is_odd = |notice: &Notice| !matches!(notice.what, What::Entity(_)) && notices.len() > 1;
        let odd = notices.iter().filter(|notice| is_odd(notice)).cloned().collect::<Vec<_>>();
        match self.0 {
            Some(Flaw::LosesTheBody) if !odd.is_empty() => Err(Fault::permanent(ErrorClass::Unreadable, "an odd item")),
            Some(Flaw::LosesTheItem) => {
                notices.retain(|notice| !odd.contains(notice));
                Ok(notices)
            }
            Some(Flaw::StopsAtTheItem) if !odd.is_empty() => Ok(odd),
            _ => Ok(notices),
        }
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        Self::sound().sample(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        Self::sound().sign(unsigned)
    }
}
