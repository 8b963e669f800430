//! eBay's API.

mod keys;

use super::Ebay;
use crate::{Api, Base, RemoteKeys};

impl Api for Ebay {
    fn base(&self) -> Base {
        Base::Fixed("https://api.ebay.com")
    }

    fn keys(&self) -> Option<&dyn RemoteKeys> {
        Some(&keys::Keys)
    }
}
