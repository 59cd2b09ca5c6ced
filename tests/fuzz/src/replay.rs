//! Runs targets over a committed corpus, over what our encoders write, and over a bounded number of seeded mutations. Tests call it.

use crate::Target;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};
use std::{fs, panic};

/// Targets with their corpus: a folder that has a folder for each target.
pub struct FuzzTargets {
    /// The targets.
    pub targets: &'static [Target],
    /// The folder.
    pub corpus: PathBuf,
}

impl FuzzTargets {
    /// Asserts that each target has a corpus, and each corpus a target.
    ///
    /// # Panics
    /// Panics if not.
    pub fn check_folders(&self) {
        let mut folders: Vec<_> = fs::read_dir(&self.corpus).expect("there is a corpus").flatten().collect();
        folders.sort_by_key(fs::DirEntry::file_name);
        let folders: Vec<_> = folders.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        let mut targets: Vec<_> = self.targets.iter().map(|target| target.name).collect();
        targets.sort_unstable();
        assert_eq!(folders, targets);
        assert!(self.targets.iter().all(|target| !committed(&self.corpus, target).is_empty()));
    }

    /// Runs the committed inputs.
    ///
    /// # Panics
    /// Panics with an input that fails.
    pub fn run_corpus(&self) {
        for target in self.targets {
            for (name, bytes) in committed(&self.corpus, target) {
                try_one(target, &bytes, &name);
            }
        }
    }

    /// Runs what our encoders write, and truncations of it.
    ///
    /// # Panics
    /// Panics with an input that fails.
    pub fn run_seeds(&self) {
        for target in self.targets {
            for bytes in (target.seeds)() {
                let step = bytes.len() / 24 + 1;
                for length in (0..bytes.len()).step_by(step).chain([bytes.len()]) {
                    try_one(target, &bytes[..length], "seed");
                }
            }
        }
    }

    /// Runs mutations of the committed inputs: `rounds` times those of the table.
    ///
    /// # Panics
    /// Panics with an input that fails.
    pub fn run_mutations(&self, rounds: usize) {
        for target in self.targets {
            let mut random = ChaCha8Rng::seed_from_u64(target.name.bytes().map(u64::from).sum());
            let seeds: Vec<_> = committed(&self.corpus, target).into_iter().map(|(_, bytes)| bytes).collect();
            // Each target has its own number of mutations, independent of the size of its corpus.
            for round in 0..target.mutations * rounds {
                let Some(seed) = seeds.choose(&mut random) else { break };
                let other = seeds.choose(&mut random).unwrap_or(seed);
                let mutant = mutate(seed, other, &mut random);
                try_one(target, &mutant, &format!("mutation {round}"));
            }
        }
    }
}

/// Runs the target. Panics with the input if the target panics.
fn try_one(target: &Target, bytes: &[u8], name: &str) {
    let passed = panic::catch_unwind(|| (target.run)(bytes)).is_ok();
    let shown = &bytes[..bytes.len().min(4_096)];
    assert!(passed, "{}: {name} failed, {} bytes: {shown:02x?}", target.name, bytes.len());
}

/// Returns `seed` with a few changes: flipped bits, insertions, truncations, repetitions, parts of another input.
fn mutate(seed: &[u8], other: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.random_range(1..=6) {
        let place = random.random_range(0..=bytes.len());
        let end = random.random_range(place..=bytes.len().min(place + 64));
        match random.random_range(0..8) {
            0 => bytes.truncate(place),
            1 => bytes.insert(place, random.random()),
            2 => drop(bytes.drain(place..end)),
            3 => {
                let piece = bytes[place..end].to_vec();
                bytes.splice(place..place, piece);
            }
            4 => {
                let from = random.random_range(0..=other.len());
                let piece = &other[from..other.len().min(from + 64)];
                bytes.splice(place..end, piece.iter().copied());
            }
            5 => bytes[place..end].fill(*[0, 0xff, 0x7f, 0x80].choose(random).unwrap_or(&0)),
            _ => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 1 << random.random_range(0..8);
                }
            }
        }
    }
    bytes
}

fn committed(corpus: &Path, target: &Target) -> Vec<(String, Vec<u8>)> {
    let mut inputs: Vec<_> = fs::read_dir(corpus.join(target.name))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).ok()?)))
        .collect();
    inputs.sort();
    inputs
}
