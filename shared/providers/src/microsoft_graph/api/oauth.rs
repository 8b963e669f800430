//! Microsoft's OAuth: every use of a token to refresh with gives a new one, and the old one stays good for a while.

use crate::Base;
use crate::protocols::oauth2::{ConsentPage, OAuth};

/// The scope that lets us refresh. No answer names it among what was granted.
const OFFLINE: &str = "offline_access";
/// What scopes of Graph may be written with.
const AUDIENCE: &str = "https://graph.microsoft.com/";

/// How access tokens are got: of whatever organisation, or of a person without one.
pub(super) const OAUTH: OAuth = OAuth::of(
    Base::Fixed("https://login.microsoftonline.com/common/oauth2/v2.0/token"),
    ConsentPage {
        parameters: &[("response_mode", "query"), ("prompt", "select_account")],
        implies: |granted, wanted| {
            let granted = granted.strip_prefix(AUDIENCE).unwrap_or(granted);
            wanted == OFFLINE || granted.eq_ignore_ascii_case(wanted)
        },
        ..ConsentPage::of(
            Base::Fixed("https://login.microsoftonline.com/common/oauth2/v2.0/authorize"),
            &[OFFLINE, "Calendars.ReadWrite"],
        )
    },
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_granted_is_known_in_whatever_form_it_is_written() {
        for (granted, expected) in [
            ("Calendars.ReadWrite", true),
            ("https://graph.microsoft.com/Calendars.ReadWrite", true),
            ("calendars.readwrite", true),
            ("Calendars.Read", false),
            ("https://other.example.com/Calendars.ReadWrite", false),
            ("Calendars.ReadWrite.Shared", false),
        ] {
            assert_eq!((OAUTH.consent.implies)(granted, "Calendars.ReadWrite"), expected, "{granted}");
            assert!((OAUTH.consent.implies)(granted, OFFLINE), "no answer names it");
        }
    }
}
