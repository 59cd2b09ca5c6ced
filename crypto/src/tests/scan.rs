//! Searches the memory of this process for bytes that must not be there any more. Linux only.

use std::fs::{File, read_to_string};
use std::os::unix::fs::FileExt;
use zeroize::Zeroize;

/// Bytes to search for, masked, so that the pattern itself is not found.
pub(crate) struct Pattern(Vec<u8>);

impl Pattern {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|byte| byte ^ MASK).collect())
    }

    /// Returns how often the bytes occur in the writable memory of this process.
    pub(crate) fn count(&self) -> usize {
        let memory = File::open("/proc/self/mem").unwrap();
        let mut chunk = vec![0u8; CHUNK];
        let maps = read_to_string("/proc/self/maps").unwrap();
        let writable = maps.lines().filter(|line| line.contains(" rw")).filter_map(range);
        writable.map(|area| self.count_in(&memory, area, &mut chunk)).sum()
    }

    fn count_in(&self, memory: &File, (mut start, end): (usize, usize), chunk: &mut [u8]) -> usize {
        let own = chunk.as_ptr() as usize;
        let mut count = 0;
        while start < end {
            let length = chunk.len().min(end - start);
            if memory.read_at(&mut chunk[..length], start as u64).is_err() {
                break;
            }
            let hits = chunk[..length].windows(self.0.len()).enumerate().filter(|(at, window)| {
                let here = start + at;
                !(own..own + CHUNK).contains(&here) && window.iter().zip(&self.0).all(|(a, b)| a ^ MASK == *b)
            });
            count += hits.count();
            chunk.zeroize();
            start += length;
        }
        count
    }
}

/// Returns the addresses at the beginning of a line of `/proc/self/maps`.
pub(crate) fn range(line: &str) -> Option<(usize, usize)> {
    let (start, end) = line.split_once(' ')?.0.split_once('-')?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}

const MASK: u8 = 0x5a;
const CHUNK: usize = 1 << 20;
