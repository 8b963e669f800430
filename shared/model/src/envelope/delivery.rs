//! Requests of providers, as an envelope carries them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Payload;
use crate::secret::KeyId;
use crate::tenant::Tenant;

/// A code that a provider sent to check that the endpoint is ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// The provider, by the address that was called.
    pub provider: String,
    /// The endpoint that received it.
    pub endpoint: String,
    /// The code.
    pub code: String,
}

/// A verified request.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The provider that sent it.
    pub provider: String,
    /// The endpoint that received it.
    pub endpoint: String,
    /// The endpoint's tenant at receipt, if known. The delivery is filed there if the endpoint's record is absent later;
    /// nothing else depends on it.
    pub tenant: Option<Tenant>,
    /// The secret that verified it.
    pub key_id: Option<KeyId>,
    /// The provider's topic, if the request names one.
    pub topic: Option<String>,
    /// The provider's own id of the delivery, if the request names one.
    pub delivery: Option<String>,
    /// The headers that the provider's parser reads, without any others.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The items of the body whose sender is unproven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<usize>,
    /// What to fetch instead of reading the body, which was too large to be kept; the payload is then empty.
    pub oversized: Option<Oversized>,
    /// The body.
    #[serde(flatten)]
    pub payload: Payload,
    /// SHA-256 of the raw body, in hexadecimal.
    pub sha256: String,
}

/// The remains of a body that was too large to be kept.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oversized {
    /// The size that it had.
    pub bytes: usize,
    /// The resources to fetch instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Inquiry>,
    /// Why nothing is done about the rest of it, or about any of it.
    pub ignored: Option<String>,
}

/// A resource to fetch.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inquiry {
    /// The account to ask about, if the delivery names one.
    pub account: Option<String>,
    /// The identity of the notice that it replaces.
    pub identity: String,
    /// The resource.
    pub resource: String,
    /// The one of several such resources of the connection.
    pub of: Option<String>,
}
