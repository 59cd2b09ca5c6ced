//! Runs a command in a network with limited rates and lost packets.

use crate::packages;
use crate::process::{at_root, binaries, cargo, run as run_process};
use anyhow::{Context, Result};
use std::process::ExitCode;

/// Builds the program `netlab` of the `tests` crate and runs it with `arguments`. Returns its exit code: that of the command,
/// or 77 if this machine or this user cannot have such a network.
///
/// # Errors
/// Returns an error if packages or build fail, or if a signal ends the program.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    packages::install(&[packages::BUILD, packages::NET])?;
    // Built with the features of the whole workspace, so that nothing is built twice.
    run_process(cargo().args(["build", "--quiet", "--workspace", "--bin", "netlab"]))?;
    let mut lab = at_root(binaries().join("netlab"));
    lab.current_dir(std::env::current_dir()?);
    let status = lab.args(arguments).status().context("cannot start netlab")?;
    let code = status.code().context("a signal ended netlab")?;
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}
