//! Writes the test vectors of our formats.

use crate::packages;
use crate::process::{binaries, cargo, run as run_process};
use anyhow::{Result, bail};
use std::process::Command;

/// Builds the generator of the `tests` crate, and writes the vectors into the folder of `--out DIR`.
///
/// # Errors
/// Returns an error if the arguments are others, packages or build fail, or the files cannot be written.
pub fn run(arguments: &[String]) -> Result<()> {
    let [option, folder] = arguments else { bail!(USAGE) };
    if option != "--out" {
        bail!(USAGE);
    }
    packages::install(&[packages::BUILD])?;
    run_process(cargo().args(["build", "--quiet", "--workspace", "--bin", "vectors"]))?;
    // In the user's folder, to which `folder` may be relative.
    run_process(Command::new(binaries().join(format!("vectors{}", std::env::consts::EXE_SUFFIX))).arg(folder))
}

const USAGE: &str = "usage: cargo xtask vectors --out DIR";
