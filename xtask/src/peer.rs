//! Runs groups of our implementation of MLS and of another one together.

use crate::packages;
use crate::process::{cargo, run as run_process, target_folder};
use anyhow::Result;
use std::process::Command;

/// Builds and runs `tests/peer` with `arguments`: how many seeds.
///
/// # Errors
/// Returns an error if packages or build fail, or the implementations do not agree.
pub fn run(arguments: &[String]) -> Result<()> {
    packages::install(&[packages::BUILD])?;
    run_process(command().arg("--").args(arguments))
}

/// Returns the command that builds and runs it. It has its own target folder, because its dependencies have other features than
/// those of the workspace.
pub fn command() -> Command {
    let mut peer = cargo();
    peer.args(["run", "--quiet", "--locked", "--manifest-path", "tests/peer/Cargo.toml"]);
    peer.env("CARGO_TARGET_DIR", target_folder().join("peer"));
    peer
}
