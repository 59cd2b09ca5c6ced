//! Replays the committed corpus, and a bounded number of seeded mutations of it, through every fuzz target.
//!
//! Inputs that libFuzzer finds (`cargo xtask fuzz`) are added to the corpus, and replayed here.

use fuzz::TARGETS;
use fuzz::replay::FuzzTargets;
use std::path::Path;

fn targets() -> FuzzTargets {
    FuzzTargets { targets: TARGETS, corpus: Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus") }
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    targets().check_folders();
}

#[test]
fn no_corpus_input_fails() {
    targets().run_corpus();
}

#[test]
fn no_output_of_our_encoders_and_no_truncation_of_it_fails() {
    targets().run_seeds();
}

#[test]
fn no_mutation_fails() {
    targets().run_mutations(ROUNDS);
}

/// Rounds of mutations for each target.
const ROUNDS: usize = 10;
