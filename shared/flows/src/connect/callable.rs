//! Addresses that a connection gives: whether any of them can be called, as far as that is known without asking anybody. Pure.

use hooktide_model::network::{PrivateHost, is_public};
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_providers::Provider;
use url::{Host, Url};

use super::Refusal;
use crate::Settings;

/// What is done about an address that a user and a password are in.
const NAMED: &str = "it names a user or a password, which would be stored and shown as it is: leave them out, and give them as the \
                     connection's own settings and secrets";
/// What is done about an address that names no host.
const NOWHERE: &str = "it names no host that can be called: give it whole, such as https://shop.example.com/path";

/// Refuses addresses in settings that can never be called. Those that `former` has already are left as they are.
pub(super) fn check(
    operator: &Settings,
    provider: &dyn Provider,
    settings: &ConnectionSettings,
    former: Option<&ConnectionSettings>,
) -> Result<(), Refusal> {
    // Where the operator moved the provider, the host that a connection names is not the one that is called.
    let private = (!operator.apis.contains_key(provider.id())).then_some(&operator.private_hosts[..]);
    let given = |of: &ConnectionSettings| [("url", of.url.clone()), ("site", of.site.clone())];
    let before = former.map(given).unwrap_or_default();
    for (name, address) in given(settings).into_iter().filter(|new| !before.contains(new)) {
        if let Some(why) = address.and_then(|address| why_not(&address, private)) {
            return Err(Refusal::invalid(format!("settings.{name}"), why));
        }
    }
    Ok(())
}

/// Why an address can never be called, and what to do; `None` if it may be. Whose it is counts where hosts are given that may be
/// private.
fn why_not(address: &str, private: Option<&[PrivateHost]>) -> Option<String> {
    // Calendars are shared by this scheme, and asked for by HTTPS.
    let address = address.trim().strip_prefix("webcal://").map_or(address.to_owned(), |rest| format!("https://{rest}"));
    let authority = address.split_once("://").map_or("", |(_, rest)| rest).split(['/', '?', '#', '\\']).next();
    let Ok(url) = Url::parse(&address) else { return Some(NOWHERE.to_owned()) };
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else { return Some(NOWHERE.to_owned()) };
    if authority.is_none_or(str::is_empty) {
        return Some(NOWHERE.to_owned());
    }
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Some(NAMED.to_owned());
    }
    if port == 0 {
        return Some("nobody listens on port 0: give the port that the server has, or none".to_owned());
    }
    let name = host.to_string();
    let private = private?;
    if private.iter().any(|private| private.is(&name, port)) {
        return None;
    }
    let is_own = match host {
        Host::Ipv4(address) => !is_public(address),
        Host::Ipv6(address) => !is_public(address),
        // By RFC 6761 it is whoever asks, also with the dot of the root at its end.
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
    };
    if is_own {
        return Some(format!(
            "{name} is no public address, and nothing is sent there: if it is the operator's own, let them add {name}:{port} to \
             HOOKTIDE_PRIVATE_HOSTS"
        ));
    }
    (url.scheme() != "https").then(|| {
        format!(
            "credentials are sent by HTTPS alone: begin it with https://, or, if it is the operator's own host, let them add \
             {name}:{port} to HOOKTIDE_PRIVATE_HOSTS"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_refused_that_can_never_be_called() {
        let private: Vec<PrivateHost> =
            ["127.0.0.1:5232", "[::1]:8443", "dav.internal:80"].map(|host| host.parse().unwrap()).into();
        for (address, expected) in [
            ("https://dav.example.com", None),
            ("https://dav.example.com:8443/a?b#c", None),
            ("webcal://calendar.example.com/a@b", None),
            ("https://8.8.8.8/", None),
            ("http://127.0.0.1:5232/anna/", None),
            ("https://[::1]:8443/", None),
            ("http://dav.internal/", None),
            ("https://", Some("no host")),
            ("https:///calendar", Some("no host")),
            ("https://?x", Some("no host")),
            ("webcal://", Some("no host")),
            ("ftp://dav.example.com/", Some("begin it with https://")),
            ("https://dav example.com/", Some("no host")),
            ("https://dav.example.com:70000/", Some("no host")),
            ("https://anna:secret@dav.example.com/", Some("a user or a password")),
            ("webcal://anna@dav.example.com/", Some("a user or a password")),
            ("https://dav.example.com:0/", Some("port 0")),
            ("http://dav.example.com/", Some("begin it with https://")),
            ("http://dav.internal:81/", Some("dav.internal:81 to HOOKTIDE_PRIVATE_HOSTS")),
            ("https://127.0.0.1/", Some("127.0.0.1:443 to HOOKTIDE_PRIVATE_HOSTS")),
            ("https://127.1:5233/", Some("127.0.0.1:5233 to HOOKTIDE_PRIVATE_HOSTS")),
            ("https://2130706433/", Some("127.0.0.1:443")),
            ("https://10.0.0.7/", Some("no public address")),
            ("https://169.254.169.254/latest/meta-data/", Some("no public address")),
            ("https://[fd00::1]/", Some("[fd00::1]:443")),
            ("https://[::ffff:10.0.0.1]/", Some("no public address")),
            ("https://localhost/", Some("localhost:443")),
            ("https://dav.localhost/", Some("no public address")),
            ("https://localhost./", Some("no public address")),
            ("https://dav.localhost.:8443/", Some("no public address")),
            ("https://127.0.0.1./", Some("no public address")),
        ] {
            let why = why_not(address, Some(&private));
            assert_eq!(why.is_some(), expected.is_some(), "{address}: {why:?}");
            assert!(why.unwrap_or_default().contains(expected.unwrap_or_default()), "{address}");
        }
        // Whoever has the host of a provider that the operator moved is not called.
        assert_eq!(why_not("http://127.0.0.1/", None), None);
        assert!(why_not("https://anna@shop.example.com/", None).is_some());
    }
}
