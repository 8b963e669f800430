//! Google's OAuth: the token to refresh with stays the same, and comes only with a consent that is asked for.

use crate::Base;
use crate::protocols::oauth2::{ConsentPage, Format, OAuth};

/// The scopes that allow to read everything.
const WHOLE: &[&str] =
    &["https://www.googleapis.com/auth/calendar", "https://www.googleapis.com/auth/calendar.readonly"];

/// How access tokens are got.
pub(super) const OAUTH: OAuth = OAuth {
    token: Base::Fixed("https://oauth2.googleapis.com/token"),
    format: Format::Form,
    in_own_name: false,
    covers: |_| true,
    consent: ConsentPage {
        parameters: &[("access_type", "offline"), ("prompt", "consent")],
        implies: |granted, wanted| {
            WHOLE.contains(&granted) || wanted.strip_suffix(".readonly").is_some_and(|of| of == granted)
        },
        ..ConsentPage::of(
            Base::Fixed("https://accounts.google.com/o/oauth2/v2/auth"),
            &[
                "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
                "https://www.googleapis.com/auth/calendar.events.readonly",
            ],
        )
    },
};
