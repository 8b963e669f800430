//! The providers' trait: what one is, as data, and which facets it has.

use super::{Api, Profile, Source, Subscriptions, Target, Webhooks};

/// A provider. Pure: no clock, no socket, no store.
pub trait Provider: Send + Sync {
    /// The facts about it, as data.
    fn profile(&self) -> &'static Profile;

    /// Its id in URLs, function names and logs: `shopify`.
    fn id(&self) -> &'static str {
        self.profile().id
    }

    /// The webhooks that it sends.
    fn webhooks(&self) -> Option<&dyn Webhooks> {
        None
    }

    /// The API that can be called.
    fn api(&self) -> Option<&dyn Api> {
        None
    }

    /// The reading of its resources.
    fn source(&self) -> Option<&dyn Source> {
        None
    }

    /// The subscriptions that it offers.
    fn subscriptions(&self) -> Option<&dyn Subscriptions> {
        None
    }

    /// The writing into its calendars.
    fn target(&self) -> Option<&dyn Target> {
        None
    }

    /// A simulation of its API, with an account that is made from a seed.
    #[cfg(feature = "simulators")]
    fn simulator(&self, _seed: u64) -> Option<Box<dyn crate::simulator::Simulator>> {
        None
    }
}

/// A provider's type, which has the facets that are named. `PROFILE` is its description.
macro_rules! provider {
    ($name:ident: $($facet:ident),*) => {
        /// The provider.
        pub(super) struct $name;

        impl $crate::Provider for $name {
            fn profile(&self) -> &'static $crate::Profile {
                &PROFILE
            }

            $(provider!(facet $facet);)*
        }
    };
    (facet webhooks) => { provider!(facet webhooks: Webhooks); };
    (facet api) => { provider!(facet api: Api); };
    (facet source) => { provider!(facet source: Source); };
    (facet target) => { provider!(facet target: Target); };
    (facet subscriptions) => { provider!(facet subscriptions: Subscriptions); };
    (facet $facet:ident: $trait:ident) => {
        fn $facet(&self) -> Option<&dyn $crate::$trait> {
            Some(self)
        }
    };
    (facet simulator) => {
        #[cfg(feature = "simulators")]
        fn simulator(&self, seed: u64) -> Option<Box<dyn $crate::simulator::Simulator>> {
            Some(Box::new(simulator::Account::new(seed)))
        }
    };
}

pub(crate) use provider;
