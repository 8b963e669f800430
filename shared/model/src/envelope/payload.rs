//! Bodies, as small as they must be to travel.

use std::cell::RefCell;
use std::io;

use bytes::Bytes;
use data_encoding::BASE64;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use zstd::bulk::{Compressor, Decompressor};

use crate::fault::{ErrorClass, Fault};

/// The largest body that is kept, in bytes; also the limit for a decompressed one.
pub const LARGEST_BODY: usize = 1024 * 1024;
/// The largest body that a request may have, in bytes. One larger than [`LARGEST_BODY`] is verified and not kept.
pub const LARGEST_VERIFIED: usize = 6 * 1024 * 1024;
/// The largest body that travels inline as it is, in bytes. Compressing a larger one takes no longer than escaping it, and leaves far
/// less to store.
pub const INLINE: usize = 1024;
/// The largest body that travels as it is where it does not get smaller, in bytes.
const LARGEST_PLAIN: usize = 48 * 1024;
/// The largest encoded body that travels inline, in bytes.
pub const LARGEST_TEXT: usize = 240 * 1024;
/// The zstd level of what is stored.
const LEVEL: i32 = 1;
/// The zstd level of what travels: it is compressed on the accept path, where speed counts. Those below zero are the fast ones.
const FAST: i32 = -1;

type Kept<T> = RefCell<Option<T>>;

thread_local! {
    // One of each for a thread: making one takes as long as a small body.
    static COMPRESSOR: Kept<Compressor<'static>> = const { RefCell::new(None) };
    static FAST_COMPRESSOR: Kept<Compressor<'static>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// A body, encoded for the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "encoding")]
pub enum Payload {
    /// As it is.
    #[serde(rename = "utf-8")]
    Text {
        /// The body.
        body: String,
    },
    /// Compressed.
    #[serde(rename = "zstd+base64")]
    Compressed {
        /// The encoded body.
        body: String,
    },
    /// In the blob store, compressed.
    #[serde(rename = "zstd")]
    Blob {
        /// Its path.
        blob: String,
    },
}

/// An encoded body, and the blob that must be stored before it is sent.
#[derive(Debug)]
pub struct Packed {
    /// The body as the envelope carries it.
    pub payload: Payload,
    /// The claim check's path and bytes, if the body needs one.
    pub claim: Option<(Path, Bytes)>,
}

/// Encodes a body for the envelope `id` of `provider`.
pub fn pack(body: &Bytes, provider: &str, id: &str) -> Result<Packed, Fault> {
    let text = std::str::from_utf8(body).ok();
    let plain = |text: &str| Packed { payload: Payload::Text { body: text.to_owned() }, claim: None };
    if let Some(text) = text.filter(|_| body.len() <= INLINE) {
        return Ok(plain(text));
    }
    let mut bytes = FAST_COMPRESSOR.with_borrow_mut(|kept| compressed(kept, FAST, body))?;
    if let Some(text) = text.filter(|_| body.len() <= LARGEST_PLAIN && BASE64.encode_len(bytes.len()) >= body.len()) {
        return Ok(plain(text));
    }
    if BASE64.encode_len(bytes.len()) > LARGEST_TEXT {
        bytes = compress(body)?;
    }
    if BASE64.encode_len(bytes.len()) <= LARGEST_TEXT {
        return Ok(Packed { payload: Payload::Compressed { body: BASE64.encode(&bytes) }, claim: None });
    }
    let path = Path::from(format!("claims/{provider}/{id}"));
    Ok(Packed { payload: Payload::Blob { blob: path.to_string() }, claim: Some((path, bytes.into())) })
}

/// Compresses bytes for storing.
pub fn compress(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    COMPRESSOR.with_borrow_mut(|kept| compressed(kept, LEVEL, bytes))
}

fn compressed(kept: &mut Option<Compressor<'static>>, level: i32, bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let compressed = made(kept, || Compressor::new(level)).and_then(|compressor| compressor.compress(bytes));
    compressed.map_err(|error| Fault::failed(format!("compressing failed: {error}")))
}

/// Decompresses the output of [`compress`], up to `limit` bytes.
pub fn decompress(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    let text = DECOMPRESSOR.with_borrow_mut(|kept| made(kept, Decompressor::new)?.decompress(bytes, limit));
    text.map_err(|error| Fault::permanent(ErrorClass::BodyLost, format!("stored bytes do not decompress: {error}")))
}

/// What is kept, made if it is not there.
fn made<T>(kept: &mut Option<T>, make: impl FnOnce() -> io::Result<T>) -> io::Result<&mut T> {
    Ok(match kept {
        Some(kept) => kept,
        none => none.insert(make()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing;

    #[test]
    fn bodies_travel_inline_then_compressed_then_by_claim_check() {
        let text = Bytes::from(vec![b'a'; INLINE]);
        assert!(matches!(pack(&text, "p", "i").unwrap().payload, Payload::Text { .. }));
        let larger = Bytes::from(vec![b'a'; INLINE + 1]);
        assert!(matches!(pack(&larger, "p", "i").unwrap().payload, Payload::Compressed { .. }));
        let noisy: String = (0..40_u32).map(|n| signing::sha256_hex(&n.to_be_bytes())).collect();
        let noisy = Bytes::from(noisy);
        assert!(matches!(pack(&noisy, "p", "i").unwrap().payload, Payload::Text { .. }), "it does not get smaller");
        let binary = Bytes::from_static(b"\xff");
        assert!(matches!(pack(&binary, "p", "i").unwrap().payload, Payload::Compressed { .. }));
        let noise: Vec<u8> = (0..10_000_u32).flat_map(|n| signing::sha256(&[&n.to_be_bytes()])).collect();
        let packed = pack(&Bytes::from(noise), "p", "i").unwrap();
        assert_eq!(packed.payload, Payload::Blob { blob: "claims/p/i".into() });
        assert!(packed.claim.is_some());
    }

    #[test]
    fn a_bomb_does_not_grow_beyond_the_largest_body() {
        let bomb = compress(&vec![0; LARGEST_BODY + 1]).unwrap();
        assert!(decompress(&bomb, LARGEST_BODY).is_err());
    }
}
