//! All fuzz targets in one program, which knows by the name that it is called by which of them it is: `shopify`, `edge`.
//! So a new provider has its target without a file. What they run is in `tests/src/fuzzing`, where the tests run it too.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;
use std::{env, fs};

use hooktide_tests::fuzzing::{self, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = name();
    let unknown = || panic!("{name:?} is no target; these are: {:?}", fuzzing::names().collect::<Vec<_>>());
    Target::of(&name).unwrap_or_else(unknown)
});

fn name() -> String {
    let program = env::args().next().unwrap_or_default();
    Path::new(&program).file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned()
}

/// Writes down what to begin with: derived in a moment, so that it is always of the code that runs.
fn write_seeds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/seeds");
    let (seeds, dictionary) = (folder.join(name()), folder.join(format!("{}.dictionary", name())));
    fs::create_dir_all(&seeds).expect("a folder for the seeds");
    fs::write(dictionary, TARGET.dictionary()).expect("a dictionary that is written");
    for (name, input) in TARGET.seeds() {
        fs::write(seeds.join(name), input).expect("a seed that is written");
    }
}

fuzz_target!(init: write_seeds(), |input: &[u8]| {
    if let Err(wrong) = TARGET.examine(input) {
        panic!("{wrong}");
    }
});
