//! Files are about one thing, and functions take few parameters.

use std::fs;

use crate::sources::{product, root};

/// How many lines the file in the middle may have.
const MEDIAN: usize = 120;
/// How many lines a file may have.
const MOST: usize = 400;

#[test]
fn files_are_about_one_thing() {
    let mut lines: Vec<(usize, String)> =
        product().into_iter().map(|(name, text)| (text.lines().count(), name)).collect();
    lines.sort();
    let long: Vec<_> = lines.iter().filter(|(lines, _)| *lines > MOST).collect();
    assert_eq!(long, Vec::<&(usize, String)>::new());
    let (median, name) = &lines[lines.len() / 2];
    assert!(*median <= MEDIAN, "the median is {median} lines ({name})");
}

/// Clippy counts the parameters, the receiver among them, and is part of the checks.
#[test]
fn functions_take_six_parameters_at_most() {
    let settings = fs::read_to_string(root().join("clippy.toml")).expect("clippy's settings");
    assert!(settings.lines().any(|line| line == "too-many-arguments-threshold = 6"), "{settings}");
    let excused: Vec<String> = product()
        .into_iter()
        .filter(|(_, text)| text.contains("clippy::too_many_arguments"))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(excused, Vec::<String>::new());
}
