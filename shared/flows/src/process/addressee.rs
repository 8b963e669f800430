//! The addressee of a notice, by its endpoint, the endpoint's routes, and the account that it names. Pure.

use crate::foreign::is_foreign;
use hooktide_model::notice::{Notice, What};
use hooktide_model::tenant::Tenant;
use hooktide_store::records::endpoint::{Endpoint, Route};

/// The addressee of a notice.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Addressee {
    /// A connection of a tenant.
    Connection(Tenant, String),
    /// The endpoint's owner: for a request about a person whom several may know, or about an account that is not connected,
    /// since the request must not wait for it; or for a notice that is of no use to anybody.
    Owner,
    /// Nobody, for this reason.
    Misfit(&'static str),
    /// Its account, which nobody has connected.
    Unknown(String),
}

/// Decides whom a notice belongs to. If one connection has the endpoint, its secret decides, unless the provider signs
/// another account or the secret is an app's.
pub(super) fn addressee(endpoint: &Endpoint, routes: &[(String, Route)], notice: &Notice) -> Addressee {
    match (&endpoint.connection, &notice.account) {
        (Some(connection), Some(account)) if is_foreign(endpoint, account) => {
            match hooktide_providers::by_id(&endpoint.provider).filter(|provider| !provider.profile().signs_account) {
                None => {
                    Addressee::Misfit("the delivery names another account than the connection's; check its settings")
                }
                Some(provider) if provider.profile().shares_secret => match &notice.what {
                    What::Ignored { .. } | What::Kept { .. } => {
                        Addressee::Misfit("the delivery names another account of the app than the connection's")
                    }
                    // Deliveries for that account are held here.
                    What::Privacy(_) => Addressee::Owner,
                    What::Entity(_) | What::Hint { .. } => Addressee::Unknown(account.clone()),
                },
                Some(_) => Addressee::Connection(endpoint.tenant.clone(), connection.clone()),
            }
        }
        (Some(connection), _) => Addressee::Connection(endpoint.tenant.clone(), connection.clone()),
        (None, None) if matches!(notice.what, What::Privacy(_)) => Addressee::Owner,
        (None, None) => Addressee::Misfit("the delivery names no account"),
        (None, Some(account)) if !is_account(account) => Addressee::Misfit("what the delivery names is no account"),
        (None, Some(account)) => match (routes.iter().find(|(routed, _)| routed == account), &notice.what) {
            (Some((_, route)), _) => Addressee::Connection(route.tenant.clone(), route.connection.clone()),
            // A notice that would be useless when the account connects is not kept for it: it may be somebody's mail.
            (None, What::Ignored { .. } | What::Kept { .. } | What::Privacy(_)) => Addressee::Owner,
            (None, _) => Addressee::Unknown(account.clone()),
        },
    }
}

/// The warning about a notice that names another account than the connection's, processed or not.
pub(super) fn foreign(endpoint: &Endpoint, notice: &Notice) -> Option<String> {
    let account = notice.account.as_deref().filter(|account| is_foreign(endpoint, account))?;
    let own = endpoint.account.as_deref().unwrap_or_default();
    Some(format!(
        "it names the account {account}, and the connection's is {own}: if that changed, change the connection's account; \
         if the account has several names, list the others in its settings as `sources`"
    ))
}

/// Whether the owner of a useful notice is unknown: its endpoint serves many accounts, and the field that should name the
/// account is missing or has no account. If that field is not signed, it may have been lost on the way.
pub(super) fn names_nobody(endpoint: &Endpoint, notice: &Notice) -> bool {
    let signs = hooktide_providers::by_id(&endpoint.provider).is_none_or(|provider| provider.profile().signs_account);
    endpoint.connection.is_none()
        && !signs
        && matches!(notice.what, What::Entity(_) | What::Hint { .. })
        && !notice.account.as_deref().is_some_and(is_account)
}

/// Whether a text can be an account; connections take no others either.
pub(super) fn is_account(text: &str) -> bool {
    (1..=255).contains(&text.len()) && !text.contains('#') && !text.chars().any(char::is_control)
}

#[cfg(test)]
pub(super) mod tests {
    use hooktide_model::names::PrivacyAct;
    use hooktide_model::notice::{PrivacyRequest, Subject};
    use jiff::Timestamp;

    use super::*;

    /// An endpoint of one connection, or a shared one.
    pub(in crate::process) fn endpoint(connection: Option<&str>) -> Endpoint {
        Endpoint {
            id: "shared".into(),
            provider: "some".into(),
            tenant: Tenant::default_local(),
            name: "An app".into(),
            connection: connection.map(str::to_owned),
            account: None,
            tenants: Vec::new(),
            secrets: Vec::new(),
            settings: Default::default(),
            created_at: Timestamp::UNIX_EPOCH,
            request: None,
            deleted_at: None,
        }
    }

    fn notice(account: Option<&str>, what: What) -> Notice {
        Notice { account: account.map(str::to_owned), identity: "1".into(), what }
    }

    fn erasure() -> What {
        let (act, subject) = (PrivacyAct::Erase, Subject::Person(vec!["ann".into()]));
        What::Privacy(PrivacyRequest { act, subject })
    }

    #[test]
    fn requests_about_personal_data_go_to_the_owner_of_a_shared_endpoint() {
        let shared = |account, what| addressee(&endpoint(None), &[], &notice(account, what));
        assert_eq!(shared(None, erasure()), Addressee::Owner);
        assert!(matches!(shared(None, What::hint("orders")), Addressee::Misfit(_)));
        assert_eq!(
            shared(Some("shop"), erasure()),
            Addressee::Owner,
            "it does not wait until somebody connects the shop"
        );
        assert_eq!(shared(Some("shop"), What::hint("orders")), Addressee::Unknown("shop".into()));
        let own = addressee(&endpoint(Some("one")), &[], &notice(None, erasure()));
        assert_eq!(own, Addressee::Connection(Tenant::default_local(), "one".into()));
    }

    #[test]
    fn of_one_account_its_own_secret_decides_and_an_apps_does_not() {
        let connection = Addressee::Connection(Tenant::default_local(), "one".into());
        let unknown = Addressee::Unknown("www.shop.example".into());
        for (provider, expected, warns) in [
            // The account is signed: the delivery is another account's.
            ("square", None, true),
            // The secret is the account's own.
            ("woocommerce", Some(&connection), true),
            ("google-calendar", Some(&connection), true),
            ("microsoft-graph", Some(&connection), true),
            // The secret is an app's.
            ("shopify", Some(&unknown), true),
            ("clover", Some(&unknown), true),
        ] {
            let one =
                Endpoint { provider: provider.into(), account: Some("shop.example".into()), ..endpoint(Some("one")) };
            let others = notice(Some("www.shop.example"), What::hint("orders"));
            match (addressee(&one, &[], &others), expected) {
                (Addressee::Misfit(_), None) => {}
                (found, expected) => assert_eq!(Some(&found), expected, "{provider}"),
            }
            assert_eq!(foreign(&one, &others).is_some(), warns, "{provider}");
            let own = notice(Some("shop.example"), What::hint("orders"));
            assert_eq!((addressee(&one, &[], &own), foreign(&one, &own)), (connection.clone(), None), "{provider}");
            let mut named = one.clone();
            named.settings.sources = vec!["www.shop.example".into()];
            assert_eq!(addressee(&named, &[], &others), connection, "{provider}");
            assert_eq!(foreign(&named, &others), None, "{provider}");
            assert!(!names_nobody(&one, &notice(None, What::hint("orders"))), "{provider}");
            let many = Endpoint { provider: provider.into(), ..endpoint(None) };
            assert_eq!(addressee(&many, &[], &others), unknown, "{provider}: it is held");
            let signs = hooktide_providers::by_id(provider).unwrap().profile().signs_account;
            assert_eq!(names_nobody(&many, &notice(None, What::hint("orders"))), !signs, "{provider}");
        }
    }
}
