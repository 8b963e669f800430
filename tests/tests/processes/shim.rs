//! The disk that forgets: `disk_shim.c`, made, preloaded, and read after the power cut.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the server finds it: the environment of a server whose files are in `beside`.
///
/// Its flag files are `lies`, `broken` and `full` in `beside`; the shadow folder is `shadow`.
pub fn environment(beside: &Path) -> Vec<(&'static str, OsString)> {
    let library = beside.join("disk_shim.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/processes/disk_shim.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"])
        .arg(&library)
        .args([source, "-ldl"])
        .status()
        .expect("a C compiler, `cc`; on Debian `apt-get install gcc libc6-dev`");
    assert!(compiled.success(), "{source} does not compile");
    fs::create_dir(beside.join("shadow")).expect("the shadow folder");
    let at = |name: &str| beside.join(name).into_os_string();
    vec![
        ("LD_PRELOAD", library.into_os_string()),
        ("DISK_SHIM_HOME", at("home")),
        ("DISK_SHIM_SHADOW", at("shadow")),
        ("DISK_SHIM_LIES", at("lies")),
        ("DISK_SHIM_BROKEN", at("broken")),
        ("DISK_SHIM_FULL", at("full")),
    ]
}

/// Makes at `into` what is left of `home` after a power cut.
pub fn after_power_cut(home: &Path, shadow: &Path, into: &Path) {
    let root = fs::metadata(home).expect("the data folder").ino();
    restore(shadow, root, into);
}

fn restore(shadow: &Path, folder: u64, into: &Path) {
    fs::create_dir(into).expect("a folder");
    // A folder that was never synced is there and empty.
    let entries = fs::read_to_string(shadow.join(format!("d{folder}"))).unwrap_or_default();
    for entry in entries.lines() {
        let mut parts = entry.splitn(3, ' ');
        let (Some(kind), Some(inode), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            panic!("{entry:?} is no entry of a folder");
        };
        let (inode, path) = (inode.parse().expect("an inode"), into.join(name));
        if kind == "d" {
            restore(shadow, inode, &path);
        } else if !name.ends_with("-shm") {
            // What SQLite shares between processes does not outlive them; of any other file at least the name is left.
            fs::write(path, fs::read(shadow.join(format!("i{inode}"))).unwrap_or_default()).expect("a file");
        }
    }
}

/// Makes the disk misbehave from now on, where paths contain `part`.
pub fn raise(flag: &Path, part: &str) {
    // In one step, so that no half of it is read.
    let draft: PathBuf = flag.with_extension("draft");
    fs::write(&draft, part).expect("a flag file");
    fs::rename(draft, flag).expect("a flag file");
}
