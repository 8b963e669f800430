//! The blob store on S3, against MiniStack; and the local host's, by the same promises.

use hooktide_tests::contracts::blobs::keep_their_promises;
use hooktide_tests::emulator::{Emulator, REGION};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;

#[tokio::test(flavor = "multi_thread")]
async fn blobs_on_s3_keep_their_promises() {
    let emulator = Emulator::start().await;
    let made = reqwest::Client::new().put(format!("{}/blobs", emulator.url)).send().await.expect("an answer");
    assert!(made.status().is_success(), "{made:?}");
    let bucket = AmazonS3Builder::new()
        .with_bucket_name("blobs")
        .with_region(REGION)
        .with_endpoint(&emulator.url)
        .with_allow_http(true)
        .with_access_key_id("test")
        .with_secret_access_key("test")
        .build()
        .expect("a bucket");
    keep_their_promises(&bucket).await;
}

#[tokio::test]
async fn blobs_in_a_folder_and_in_memory_keep_them_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    keep_their_promises(&LocalFileSystem::new_with_prefix(folder.path()).expect("a store")).await;
    keep_their_promises(&InMemory::new()).await;
}
