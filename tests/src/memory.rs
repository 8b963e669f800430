//! What a process holds and uses, from `/proc`.

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

/// The processor time that this process has used, in seconds.
pub fn processor_seconds() -> Option<f64> {
    /// What the kernel counts in.
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may have spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_A_SECOND)
}

fn field(process: u32, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix("kB")?.trim();
    Some(kilobytes.parse::<f64>().ok()? / 1024.0)
}
