//! The promises of [`Keys`].

#![expect(clippy::unwrap_used, reason = "a broken promise ends the test that looks at it")]

use hooktide_store::ports::Keys;

/// Panics at the first promise that the keys break.
pub async fn keep_their_promises(keys: &dyn Keys) {
    let root = keys.root().await.unwrap();
    assert!(root.knows(root.current_id()));
    let again = keys.root().await.unwrap();
    assert_eq!(root.current_id(), again.current_id(), "the same for everybody");
    assert_eq!(root.address_key(), again.address_key());
    let with = keys.root_with("made-up").await.unwrap();
    assert!(!with.knows("made-up") && with.knows(root.current_id()), "asking for what is not there fails nobody");
}
