//! Codes that providers send to find out whether we are who we say, as they are shown.

use hooktide_model::fault::Fault;
use hooktide_store::records;
use hooktide_store::records::endpoint;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::Api;

/// A code that a provider sent to find out whether we are who we say, and those that came before. Nobody proved who sent
/// them: where one is not taken by the provider, another may be.
#[derive(Serialize, ToSchema)]
pub(crate) struct HandshakeView {
    code: String,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    earlier: Vec<Code>,
}

/// A code, and when it came.
#[derive(Serialize, ToSchema)]
pub(crate) struct Code {
    code: String,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
}

/// The codes that came to an address.
pub(crate) async fn handshake_of(api: &Api, provider: &str, endpoint: &str) -> Result<Option<HandshakeView>, Fault> {
    let key = endpoint::handshake_key(provider, endpoint);
    let stored = records::get::<endpoint::Handshake>(api.table(), &key).await?;
    Ok(stored.map(|stored| HandshakeView {
        code: stored.record.code,
        received_at: stored.record.received_at,
        earlier: stored
            .record
            .earlier
            .into_iter()
            .map(|earlier| Code { code: earlier.code, received_at: earlier.received_at })
            .collect(),
    }))
}
