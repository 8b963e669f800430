//! What providers sent, as an envelope carries it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Payload;
use crate::secret::KeyId;
use crate::tenant::Tenant;

/// A code that a provider sent to find out whether we are who we say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// From which provider, as the address says.
    pub provider: String,
    /// To which endpoint.
    pub endpoint: String,
    /// The code.
    pub code: String,
}

/// A verified request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// From which provider.
    pub provider: String,
    /// To which endpoint.
    pub endpoint: String,
    /// The endpoint's tenant at receipt, if known: the delivery is filed there if the endpoint's record is absent later.
    /// Nothing else is decided by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Tenant>,
    /// Which secret verified it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// The provider's topic, if it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The provider's own id of the delivery, if it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// The headers that the provider's parser reads, and no others.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Which items of the body nobody proved to have sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<usize>,
    /// What is asked instead of reading the body, which was too large to be kept: the payload is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oversized: Option<Oversized>,
    /// The body.
    #[serde(flatten)]
    pub payload: Payload,
    /// SHA-256 of the raw body, in hexadecimal.
    pub sha256: String,
}

/// What is left of a body that was too large to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oversized {
    /// How large it was.
    pub bytes: usize,
    /// What has to be asked instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Inquiry>,
    /// Why nothing is done about the rest of it, or all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
}

/// A resource that has to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inquiry {
    /// The account to ask about, if the delivery names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The identity of the notice that it stands for.
    pub identity: String,
    /// The resource.
    pub resource: String,
    /// Which of several of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}
