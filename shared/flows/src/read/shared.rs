//! Answers that processes share by the table. As with those that a process keeps, only the versions of tags make one right, so a
//! table that fails, or has an old one, costs the making of an answer and nothing else.

use hooktide_model::fault::Fault;
use hooktide_model::{envelope, signing};
use hooktide_store::records::shared_answer::{self, LARGEST, SharedAnswer};
use hooktide_store::records::{self, Upkeep};
use serde_bytes::ByteBuf;
use tracing::debug;

use super::answers::{Asked, Versions};
use super::kept::Kept;

/// The largest body that is taken, in bytes.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// The answer to a question that another process made from these versions.
pub(super) async fn find(asked: &Asked<'_>, question: &str, versions: Versions) -> Option<Kept> {
    read(asked, question)
        .await
        .unwrap_or_else(|fault| {
            debug!(%fault, "a shared answer cannot be read, so it is made");
            None
        })
        .filter(|kept| kept.counts(versions, asked.lifetime(), asked.reader.context.now))
}

async fn read(asked: &Asked<'_>, question: &str) -> Result<Option<Kept>, Fault> {
    let context = asked.reader.context;
    let key = shared_answer::key(context.tenant, &hash(question));
    let Some(stored) = records::get::<SharedAnswer>(context.table(), &key).await? else { return Ok(None) };
    let SharedAnswer { versions, etag, made_at, body } = stored.record;
    let Some(versions) = Versions::read(&versions) else { return Ok(None) };
    let body = envelope::decompress(&body, LARGEST_BODY)?.into();
    Ok(Some(Kept { versions, body, etag, made_at }))
}

/// Shares an answer, unless it is too large.
pub(super) async fn share(asked: &Asked<'_>, question: &str, kept: &Kept) {
    if let Err(fault) = write(asked, question, kept).await {
        debug!(%fault, "an answer is not shared");
    }
}

async fn write(asked: &Asked<'_>, question: &str, kept: &Kept) -> Result<(), Fault> {
    let context = asked.reader.context;
    let body = ByteBuf::from(envelope::compress(&kept.body)?);
    if body.len() > LARGEST {
        return Ok(());
    }
    let (versions, etag) = (ByteBuf::from(kept.versions.bytes().to_vec()), kept.etag.clone());
    let record = SharedAnswer { versions, etag, made_at: kept.made_at, body };
    let key = shared_answer::key(context.tenant, &hash(question));
    let write = records::put(&key, &record, Upkeep::until(kept.made_at + asked.lifetime()))?;
    context.table().write(write).await.map(drop).map_err(records::raced)
}

fn hash(question: &str) -> String {
    signing::sha256_hex(question.as_bytes())
}
