//! Bodies of deliveries: inside their envelope, or in the blob store beside it.

use bytes::Bytes;
use data_encoding::BASE64;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::ports::{Blobs, blob_fault};
use hooktide_model::envelope::{self, Delivery, Envelope, LARGEST_BODY, Payload};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;

/// How much text copies of a body take at the most, in bytes; beyond that it is kept once, in the blob store.
const COPIED: usize = 48 * 1024;

/// Encodes a body for the envelope `id` of `provider`, and stores what is too large to travel in it.
pub async fn pack(body: &Bytes, provider: &str, id: &str, blobs: &dyn Blobs) -> Result<Payload, Fault> {
    let packed = envelope::pack(body, provider, id)?;
    if let Some((path, bytes)) = packed.claim {
        blobs.put(&path, bytes.into()).await.map_err(|error| blob_fault(&error))?;
    }
    Ok(packed.payload)
}

/// The raw body of a delivery, checked against its hash.
pub async fn read(delivery: &Delivery, blobs: &dyn Blobs) -> Result<Bytes, Fault> {
    let body = match &delivery.payload {
        Payload::Text { body } => Bytes::copy_from_slice(body.as_bytes()),
        Payload::Compressed { body } => envelope::decompress(&decode(body)?, LARGEST_BODY)?.into(),
        Payload::Blob { blob } => envelope::decompress(&fetch(blobs, blob).await?, LARGEST_BODY)?.into(),
    };
    if signing::sha256_hex(&body) == delivery.sha256 {
        Ok(body)
    } else {
        Err(Fault::permanent(ErrorClass::BodyLost, "the body is not the one that was received"))
    }
}

/// Moves the body to where it is kept for `count` records that each refer to it, unless so many copies of it are small.
pub async fn share(
    delivery: &mut Delivery,
    count: usize,
    tenant: &Tenant,
    id: &str,
    blobs: &dyn Blobs,
) -> Result<(), Fault> {
    let compressed = match &delivery.payload {
        Payload::Text { body } | Payload::Compressed { body }
            if count == 1 || body.len().saturating_mul(count) <= COPIED =>
        {
            return Ok(());
        }
        Payload::Text { body } => envelope::compress(body.as_bytes())?,
        Payload::Compressed { body } => decode(body)?,
        Payload::Blob { .. } => return keep(delivery, tenant, blobs).await,
    };
    let kept = kept(tenant, id);
    blobs.put(&kept, compressed.into()).await.map_err(|error| blob_fault(&error))?;
    delivery.payload = Payload::Blob { blob: kept.to_string() };
    Ok(())
}

/// Copies a claim check to where it is kept as long as the record that now refers to it.
pub async fn keep(delivery: &mut Delivery, tenant: &Tenant, blobs: &dyn Blobs) -> Result<(), Fault> {
    let Payload::Blob { blob } = &mut delivery.payload else { return Ok(()) };
    let name = blob.rsplit('/').next().unwrap_or_default();
    let kept = kept(tenant, name);
    // Put again even where it is kept already: its age counts from the last time that somebody needed it.
    let bytes = fetch(blobs, blob).await?;
    blobs.put(&kept, bytes.into()).await.map_err(|error| blob_fault(&error))?;
    *blob = kept.to_string();
    Ok(())
}

/// Erases what is kept of an envelope's body outside of it.
pub async fn erase(envelope: &Envelope, tenant: &Tenant, blobs: &dyn Blobs) -> Result<(), Fault> {
    let Some(Payload::Blob { blob }) = envelope.delivery().map(|delivery| &delivery.payload) else { return Ok(()) };
    // Only what is kept for this tenant's records: a claim check on the queue is somebody's to process.
    if !blob.starts_with(&format!("kept/{tenant}/")) {
        return Ok(());
    }
    match blobs.delete(&Path::from(blob.as_str())).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(blob_fault(&error)),
    }
}

/// Where a body is kept for records of a tenant.
fn kept(tenant: &Tenant, name: &str) -> Path {
    Path::from(format!("kept/{tenant}/{name}"))
}

fn decode(body: &str) -> Result<Vec<u8>, Fault> {
    BASE64.decode(body.as_bytes()).map_err(|error| Fault::permanent(ErrorClass::BodyLost, format!("the body: {error}")))
}

async fn fetch(blobs: &dyn Blobs, path: &str) -> Result<Bytes, Fault> {
    match blobs.get(&Path::from(path)).await {
        Ok(got) => got.bytes().await.map_err(|error| blob_fault(&error)),
        Err(object_store::Error::NotFound { .. }) => {
            Err(Fault::permanent(ErrorClass::BodyLost, format!("the blob {path} is gone")))
        }
        Err(error) => Err(blob_fault(&error)),
    }
}
