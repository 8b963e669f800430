//! Shopify's OAuth: tokens that expire come in pairs; an app of the shop's own gets one in its own name.

use super::host;
use crate::Base;
use crate::protocols::oauth2::{ConsentPage, Format, OAuth};

/// How access tokens are got.
pub(super) const OAUTH: OAuth = OAuth {
    token: Base::OfConnection(|account, _| Some(format!("https://{}/admin/oauth/access_token", host(account)?))),
    format: Format::Json,
    in_own_name: true,
    covers: |_| true,
    consent: ConsentPage {
        separator: ",",
        with_code: &[("expiring", "1")],
        is_signed: true,
        // Shopify does not name a right to read beside the one to write.
        implies: |granted, wanted| {
            granted.strip_prefix("write_").is_some_and(|of| wanted.strip_prefix("read_") == Some(of))
        },
        ..ConsentPage::of(
            Base::OfConnection(|account, _| Some(format!("https://{}/admin/oauth/authorize", host(account)?))),
            &["read_products", "read_inventory", "read_locations"],
        )
    },
};
