//! eBay's API.

mod keys;

use super::Ebay;
use crate::{Api, RemoteKeys};

impl Api for Ebay {
    fn base(&self) -> &'static str {
        "https://api.ebay.com"
    }

    fn keys(&self) -> Option<&dyn RemoteKeys> {
        Some(&keys::Keys)
    }
}
