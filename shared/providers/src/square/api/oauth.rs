//! Square's OAuth: the token to refresh with stays the same for apps with a secret.

use super::OF_APPLICATION;
use crate::Base;
use crate::protocols::oauth2::{ConsentPage, Format, OAuth};

/// How access tokens are got.
pub(super) const OAUTH: OAuth = OAuth {
    token: Base::Fixed("https://connect.squareup.com/oauth2/token"),
    format: Format::Json,
    in_own_name: false,
    covers: |path| !path.contains(OF_APPLICATION),
    consent: ConsentPage {
        // Square takes a session that is open for its own consent otherwise, whoever sits before it.
        parameters: &[("session", "false")],
        ..ConsentPage::of(
            Base::Fixed("https://connect.squareup.com/oauth2/authorize"),
            &["ITEMS_READ", "INVENTORY_READ", "MERCHANT_PROFILE_READ"],
        )
    },
};
