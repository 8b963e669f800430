//! Which accounts a connection's own endpoint takes deliveries for.
use hooktide_store::records::endpoint::Endpoint;

/// Whether an account that a delivery names is not that of the one connection that has this endpoint, nor one that its
/// settings name beside it.
pub fn is_foreign(endpoint: &Endpoint, account: &str) -> bool {
    let own = endpoint.account.as_deref().filter(|_| endpoint.connection.is_some());
    own.is_some_and(|own| own != account) && !is_a_source(endpoint, account)
}

fn is_a_source(endpoint: &Endpoint, account: &str) -> bool {
    let provider = hooktide_providers::by_id(&endpoint.provider);
    provider.is_some_and(|provider| {
        endpoint.sources().any(|source| (provider.profile().normalise_account)(source) == account)
    })
}
