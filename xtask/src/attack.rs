//! Attacks a meeting of real processes.

use crate::packages;
use crate::process::{at_root, binaries, cargo, run as run_process};
use anyhow::Result;

/// Builds the programs, then runs the attacks of the `tests` crate with `arguments`.
///
/// # Errors
/// Returns an error if packages or build fail, if an attack succeeds, or if a limit is exceeded.
pub fn run(arguments: &[String]) -> Result<()> {
    packages::install(&[packages::BUILD])?;
    // Built with the features of the whole workspace, so that nothing is built twice.
    let programs = ["--bin", "attack", "--bin", "conclave", "--bin", "conclave-server"];
    run_process(cargo().args(["build", "--quiet", "--workspace"]).args(programs))?;
    run_process(at_root(binaries().join(format!("attack{}", std::env::consts::EXE_SUFFIX))).args(arguments))
}
