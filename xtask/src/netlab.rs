//! Runs a command in a network with limited rates and lost packets.

use crate::packages;
use crate::process::{binaries, cargo, exit_code, run as run_process};
use anyhow::Result;
use std::process::{Command, ExitCode};

/// Builds the program `netlab` of the `tests` crate and runs it with `arguments`. Returns its exit code: that of the command,
/// or 77 if this machine or this user cannot have such a network.
///
/// # Errors
/// Returns an error if packages or build fail, or if a signal ends the program.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    packages::install(&[packages::BUILD, packages::NET])?;
    // Built with the features of the whole workspace, so that nothing is built twice.
    run_process(cargo().args(["build", "--quiet", "--workspace", "--bin", "netlab"]))?;
    let netlab = binaries().join(format!("netlab{}", std::env::consts::EXE_SUFFIX));
    exit_code(Command::new(netlab).args(arguments))
}
