//! Builds and runs the benchmarks.

use crate::packages;
use crate::process::{at_root, binaries, cargo, run as run_process};
use anyhow::Result;

/// Runs the bench program of the `tests` crate with `arguments`.
///
/// # Errors
/// Returns an error if packages, build or a bench fail.
pub fn run(arguments: &[String]) -> Result<()> {
    packages::install(&[packages::BUILD, packages::DRAW, packages::TEST])?;
    // Built with the features of the whole workspace, so that nothing is built twice. `cargo run` would use the features of
    // one package.
    run_process(cargo().args(["build", "--quiet", "--workspace", "--bin", "bench", "--bin", "conclave"]))?;
    run_process(at_root(binaries().join(format!("bench{}", std::env::consts::EXE_SUFFIX))).args(arguments))
}
