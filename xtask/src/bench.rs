//! Builds and runs the benchmarks.

use crate::packages;
use crate::process::{binaries, cargo, exit_code, run as run_process};
use anyhow::Result;
use std::process::{Command, ExitCode};

/// Runs the bench program of the `tests` crate with `arguments`. Returns its exit code.
///
/// # Errors
/// Returns an error if packages or build fail, or if a signal ends the program.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    if arguments.first().is_some_and(|group| group == "net") {
        packages::install(&[packages::BUILD, packages::NET])?;
    } else {
        packages::install(&[packages::BUILD, packages::DRAW, packages::TEST])?;
    }
    // Built with the features of the whole workspace, so that nothing is built twice. `cargo run` would use the features of
    // one package.
    let programs = ["--bin", "bench", "--bin", "conclave", "--bin", "conclave-server"];
    run_process(cargo().args(["build", "--quiet", "--workspace"]).args(programs))?;
    let bench = binaries().join(format!("bench{}", std::env::consts::EXE_SUFFIX));
    exit_code(Command::new(bench).args(arguments))
}
