//! Plays a whole meeting of real processes, and prints what each of them does and sees.

use crate::packages;
use crate::process::{cargo, exit_code, run as run_process};
use anyhow::Result;
use std::process::ExitCode;

/// Builds the programs and plays the meeting. Returns 0 if all went as expected.
///
/// # Errors
/// Returns an error if packages or build fail, or if a signal ends the program.
pub fn run() -> Result<ExitCode> {
    packages::install(&[packages::BUILD, packages::SCREEN])?;
    run_process(cargo().args(["build", "--quiet", "--workspace", "--bins"]))?;
    exit_code(cargo().args([
        "test",
        "--quiet",
        "--workspace",
        "--test",
        "processes",
        "--",
        "--nocapture",
        "scenario::",
    ]))
}
