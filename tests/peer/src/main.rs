//! A group of openmls with the provider of the crate `crypto`, and of another implementation of MLS. `cargo xtask peer [SEEDS]`
//! runs it.
//!
//! The provider's own files are compiled here, so what is compared is what the programs use, apart from the suite.
#![expect(dead_code, reason = "the provider has more than the classical suite needs")]

#[path = "../../../crypto/src/tests/classical.rs"]
mod classical;
#[path = "../../../crypto/src/memory.rs"]
mod memory;
mod peer;
#[path = "../../../crypto/src/provider.rs"]
mod provider;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seeds = match arguments.as_slice() {
        [] => Some(SEEDS),
        [seeds] => seeds.parse().ok(),
        _ => None,
    };
    let Some(seeds) = seeds else {
        eprintln!("usage: peer [SEEDS]");
        return ExitCode::from(2);
    };
    let mut sum = peer::Counts::default();
    for seed in 0..seeds {
        println!("seed {seed}");
        sum = peer::run(seed, sum);
    }
    println!("{seeds} seeds: {sum:?}");
    if sum.mixed * 2 > sum.epochs { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

const SEEDS: u64 = 20;
