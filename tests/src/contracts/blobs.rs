//! What is asked of the blob store: the library's own promises, as far as we build on them.

#![expect(clippy::unwrap_used, reason = "a broken promise ends the test that looks at it")]

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use hooktide_store::ports::Blobs;
use object_store::{ObjectStoreExt, path::Path};

/// Panics at the first promise that the store breaks. It must have nothing under `contract/`.
pub async fn keep_their_promises(blobs: &dyn Blobs) {
    let path = |name: &str| Path::from(format!("contract/{name}"));
    let bytes = |path: Path| async move { blobs.get(&path).await?.bytes().await };
    assert!(matches!(bytes(path("absent")).await, Err(object_store::Error::NotFound { .. })));

    let body: Bytes = (0..=255_u8).cycle().take(1_200_000).collect();
    blobs.put(&path("a/large"), body.clone().into()).await.unwrap();
    assert!(bytes(path("a/large")).await.unwrap() == body);
    blobs.put(&path("a/large"), Bytes::from_static(b"replaced").into()).await.unwrap();
    assert_eq!(bytes(path("a/large")).await.unwrap(), "replaced");

    for name in ["a/b", "a/c", "ab"] {
        blobs.put(&path(name), Bytes::new().into()).await.unwrap();
    }
    let list = |prefix: Path| async move {
        let found = blobs.list(Some(&prefix)).map_ok(|found| found.location.to_string());
        let mut found: Vec<String> = found.try_collect().await.unwrap();
        found.sort();
        found
    };
    assert_eq!(list(path("a")).await, ["contract/a/b", "contract/a/c", "contract/a/large"], "a folder, not a prefix");

    let found = blobs.list(Some(&path("a"))).map_ok(|found| found.location).boxed();
    let deleted: Vec<_> = blobs.delete_stream(found).try_collect().await.unwrap();
    assert_eq!((deleted.len(), list(path("a")).await.len()), (3, 0));
    blobs.delete(&path("ab")).await.unwrap();
}
