//! Replays the committed corpus, and a bounded number of seeded mutations of it, through every fuzz target.
//!
//! Inputs that libFuzzer finds (`cargo xtask fuzz`) are added to the corpus, and replayed here.

use fuzz::{TARGETS, Target};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let mut folders: Vec<_> = fs::read_dir(corpus()).expect("there is a corpus").flatten().collect();
    folders.sort_by_key(std::fs::DirEntry::file_name);
    let folders: Vec<_> = folders.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let mut targets: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    targets.sort_unstable();
    assert_eq!(folders, targets);
    assert!(TARGETS.iter().all(|target| !committed(target).is_empty()));
}

#[test]
fn no_corpus_input_fails() {
    for target in TARGETS {
        for (name, bytes) in committed(target) {
            try_one(target, &bytes, &name);
        }
    }
}

#[test]
fn no_output_of_our_encoders_and_no_truncation_of_it_fails() {
    for target in TARGETS {
        for bytes in (target.seeds)() {
            let step = bytes.len() / 24 + 1;
            for length in (0..bytes.len()).step_by(step).chain([bytes.len()]) {
                try_one(target, &bytes[..length], "seed");
            }
        }
    }
}

#[test]
fn no_mutation_fails() {
    for target in TARGETS {
        let mut random = ChaCha8Rng::seed_from_u64(target.name.bytes().map(u64::from).sum());
        let seeds: Vec<_> = committed(target).into_iter().map(|(_, bytes)| bytes).collect();
        // Each target has its own number of mutations, independent of the size of its corpus.
        for round in 0..target.mutations * ROUNDS {
            let Some(seed) = seeds.choose(&mut random) else { break };
            let other = seeds.choose(&mut random).unwrap_or(seed);
            let mutant = mutate(seed, other, &mut random);
            try_one(target, &mutant, &format!("mutation {round}"));
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

fn committed(target: &Target) -> Vec<(String, Vec<u8>)> {
    let mut inputs: Vec<_> = fs::read_dir(corpus().join(target.name))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).ok()?)))
        .collect();
    inputs.sort();
    inputs
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Rounds of mutations for each target.
const ROUNDS: usize = 10;
