//! Processor time and memory of this process.

use std::time::Duration;

/// Processor time and memory of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time of all threads, user and system.
    pub cpu: Duration,
    /// Resident memory in bytes.
    pub resident: u64,
}

/// Returns the usage so far, or `None` on systems without procfs (all except Linux).
#[must_use]
pub fn now() -> Option<Usage> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    Some(Usage { cpu: cpu(&stat)?, resident: resident(&status)? })
}

/// Returns the sum of fields 14 and 15 of proc(5) `stat`, which are in ticks of 1/100 s. Fields are counted after the
/// program's name, which may contain spaces.
fn cpu(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system).checked_mul(10)?))
}

/// Returns `VmRSS` of proc(5) `status`, in bytes. The file has kilobytes.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) b (c)) S 1 1 1 0 -1 4 9 0 0 0 120 30 0 0 20 0 8 0 5 1 1";
        assert_eq!(cpu(stat), Some(Duration::from_millis(1_500)));
        assert_eq!(resident("Name:\tx\nVmRSS:\t  2048 kB\n"), Some(2_097_152));
        assert_eq!((cpu(""), resident("")), (None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_some_memory() {
        assert!(now().unwrap().resident > 100_000);
    }
}
