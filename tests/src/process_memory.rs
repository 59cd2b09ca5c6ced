//! Searches the memory of a running process. Linux only, for a process that this one has started.

use std::collections::BTreeMap;
use std::fs::{File, read_to_string};
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes to search for, with what they are.
#[derive(Default)]
pub struct Search {
    patterns: Vec<(String, Vec<u8>)>,
}

impl Search {
    /// Adds bytes, at least four. Shorter ones would be found by chance.
    ///
    /// # Panics
    /// Panics if there are fewer.
    pub fn add(&mut self, what: impl Into<String>, bytes: impl AsRef<[u8]>) {
        assert!(bytes.as_ref().len() >= 4, "too short");
        self.patterns.push((what.into(), bytes.as_ref().to_vec()));
    }

    /// Returns what of it is in the writable memory of the process `id`, and how often: heap, stacks, and the data of
    /// libraries. What a program only has as a part of its file is not counted.
    ///
    /// # Errors
    /// Returns the system's error if the process has ended, or does not belong to this one.
    pub fn run(&self, id: u32) -> io::Result<BTreeMap<&str, usize>> {
        let memory = File::open(format!("/proc/{id}/mem"))?;
        let maps = read_to_string(format!("/proc/{id}/maps"))?;
        let mut starts = vec![Vec::new(); 1 << 16];
        for (index, (_, bytes)) in self.patterns.iter().enumerate() {
            starts[usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))].push(index);
        }
        let longest = self.patterns.iter().map(|(_, bytes)| bytes.len()).max().unwrap_or(0);
        let (mut found, mut chunk) = (BTreeMap::new(), vec![0; CHUNK + longest]);
        for (mut start, end) in maps.lines().filter(|line| line.contains(" rw")).filter_map(range) {
            // Chunks overlap, so that nothing at their edges is missed, and each hit belongs to one.
            while start < end {
                let length = usize::try_from(end - start).unwrap_or(usize::MAX).min(chunk.len());
                // Some pages cannot be read, such as those of devices.
                let Ok(read) = memory.read_at(&mut chunk[..length], start) else { break };
                let own = if read == chunk.len() { CHUNK } else { read };
                self.count(&chunk[..read], own, &starts, &mut found);
                if own == 0 {
                    break;
                }
                start += own as u64;
            }
        }
        Ok(found)
    }

    /// Counts the hits that begin in the first `own` of `bytes`.
    fn count<'a>(&'a self, bytes: &[u8], own: usize, starts: &[Vec<usize>], found: &mut BTreeMap<&'a str, usize>) {
        for at in 0..own.min(bytes.len().saturating_sub(1)) {
            for index in &starts[usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))] {
                let (what, pattern) = &self.patterns[*index];
                if bytes[at..].starts_with(pattern) {
                    *found.entry(what.as_str()).or_default() += 1;
                }
            }
        }
    }
}

/// Returns the addresses at the beginning of a line of `/proc/ID/maps`.
fn range(line: &str) -> Option<(u64, u64)> {
    let (start, end) = line.split_once(' ')?.0.split_once('-')?;
    Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?))
}

const CHUNK: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_memory_is_found_also_over_the_edge_of_a_chunk() {
        // The texts themselves exist in this process once each, in the middle of zeros, and nowhere else in this form.
        let mut heap = vec![0_u8; 3 * CHUNK];
        let masked = |text: &[u8]| text.iter().map(|byte| byte ^ 0x5a).collect::<Vec<_>>();
        let (one, two) = (masked(b"found by the search"), masked(b"found at an edge"));
        heap[100..100 + one.len()].copy_from_slice(&one);
        for at in (CHUNK - 8..2 * CHUNK).step_by(4_096) {
            heap[at..at + two.len()].copy_from_slice(&two);
        }
        let mut search = Search::default();
        search.add("one", &one);
        search.add("two", &two);
        search.add("three", masked(b"is not in the memory"));
        let found = search.run(std::process::id()).unwrap();
        // The patterns, and the vectors from which they were made, are in this process, too.
        assert!(found["one"] >= 2 && found["two"] >= 2 + CHUNK / 4_096, "{found:?}");
        assert!(heap[100] != 0);
    }
}
