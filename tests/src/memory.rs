//! What a process holds, from `/proc`.

use std::fs;

/// The resident memory of a process, in MB; `None` where there is no `/proc`.
pub fn resident(process: u32) -> Option<f64> {
    field(process, "VmRSS:")
}

/// The most that it ever was.
pub fn peak(process: u32) -> Option<f64> {
    field(process, "VmHWM:")
}

/// The part of it that is no file's.
pub fn anonymous(process: u32) -> Option<f64> {
    field(process, "RssAnon:")
}

fn field(process: u32, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix("kB")?.trim();
    Some(kilobytes.parse::<f64>().ok()? / 1024.0)
}
