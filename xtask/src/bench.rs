//! Figures, each with a peer or a limit that was measured in the same run.

use crate::packages;
use crate::process::{cargo, run as run_process};
use anyhow::Result;

/// Runs the bench program of the `tests` crate with `arguments`.
///
/// # Errors
/// Where packages, build or a bench fail.
pub fn run(arguments: &[String]) -> Result<()> {
    packages::install(&[packages::BUILD, packages::DRAW])?;
    run_process(cargo().args(["run", "--quiet", "--package", "tests", "--bin", "bench", "--"]).args(arguments))
}
