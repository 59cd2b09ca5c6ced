//! What another process of this machine uses. Linux only.

use anyhow::{Context, Result};
use std::fs;
use std::time::Duration;

/// Returns the processor time of all threads of a process so far. The system counts in steps of 10 ms.
///
/// # Errors
/// Returns an error if the process has ended.
pub fn processor_time(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).context("the client ended")?;
    // The fields after the name, which ends with the last bracket: utime and stime are fields 14 and 15 (proc_pid_stat(5)).
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(10 * ticks))
}

/// Returns the resident memory of a process in KiB, and the number of its threads.
///
/// # Errors
/// Returns an error if the process has ended.
#[cfg(target_os = "linux")]
pub fn resident_kib_and_threads(process: u32) -> Result<(u64, u64)> {
    // The fields are those of proc_pid_status(5). A process that has ended, but was not waited for, has no memory.
    let status = fs::read_to_string(format!("/proc/{process}/status")).context("the client ended")?;
    let field = |name: &str| -> Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("the client ended")?;
        Ok(line.split_whitespace().next().context("a field is empty")?.parse()?)
    };
    Ok((field("VmRSS:")?, field("Threads:")?))
}
