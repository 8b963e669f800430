//! Signed texts: what a token permits its holder, stateless, signed with a key of its own for each purpose.
//!
//! The form is `<prefix><root key id>.<base64url of JSON>.<base64url of the MAC>`.

use data_encoding::BASE64URL_NOPAD;
use hooktide_model::fault::Fault;
use hooktide_model::signing;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::state::Api;

/// The longest signed text that is looked at, in bytes.
const LONGEST: usize = 8 * 1024;

/// A kind of signed text.
pub(crate) trait Signed: Serialize + DeserializeOwned {
    /// What every text of the kind begins with.
    const PREFIX: &'static str;
    /// What its signing key is derived for.
    const PURPOSE: &'static str;
}

/// Signs with the current root key.
pub(crate) async fn sign<S: Signed>(api: &Api, permit: &S) -> Result<String, Fault> {
    let text = serde_json::to_vec(permit).map_err(|error| Fault::failed(format!("a signed text: {error}")))?;
    let keys = api.ports().keys.root().await?;
    let key = keys.derived(keys.current_id(), S::PURPOSE).ok_or_else(|| Fault::failed("the current key is missing"))?;
    let mac = signing::hmac_sha256(key.expose(), &[&text]);
    let (payload, mac) = (BASE64URL_NOPAD.encode(&text), BASE64URL_NOPAD.encode(&mac));
    Ok(format!("{}{}.{payload}.{mac}", S::PREFIX, keys.current_id()))
}

/// What a text permits, if it is of this kind and genuine; whether it still counts is for the caller to say.
pub(crate) async fn open<S: Signed>(api: &Api, text: &str) -> Result<Option<S>, Fault> {
    let text = if text.len() > LONGEST { None } else { text.strip_prefix(S::PREFIX) };
    let parts: Vec<&str> = text.unwrap_or_default().split('.').collect();
    let [id, payload, mac] = parts[..] else { return Ok(None) };
    let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).ok();
    let (Some(payload), Some(mac)) = (decode(payload), decode(mac)) else { return Ok(None) };
    let Some(key) = api.ports().keys.root_with(id).await?.derived(id, S::PURPOSE) else { return Ok(None) };
    let genuine = signing::equal(&signing::hmac_sha256(key.expose(), &[&payload]), &mac);
    Ok(if genuine { serde_json::from_slice(&payload).ok() } else { None })
}
