//! Answers as they were recorded, or written by hand in the form that their provider documents.

use std::path::Path;

/// The body of a recorded answer, which says where it is from.
pub(crate) fn answer(provider: &str, name: &str) -> String {
    let path = format!("{}/src/{provider}/answers/{name}.answer", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(Path::new(&path)).unwrap();
    let (comments, body): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("# "));
    for (comment, sorts) in [("# source: ", &["documented ", "constructed ", "captured "][..]), ("# covers: ", &[""])] {
        let said =
            comments.iter().find_map(|line| line.strip_prefix(comment)).unwrap_or_else(|| panic!("{path}: {comment}"));
        assert!(sorts.iter().any(|sort| said.starts_with(sort)), "{path}: {said}");
    }
    body.join("\n")
}
