//! What a machine can judge without running the programs.

use crate::packages;
use crate::process::{at_root, cargo, exists, run as run_process};
use anyhow::{Result, bail};

/// Formatting, lints with warnings denied, documentation, then licences, bans and sources where cargo-deny is at hand.
///
/// # Errors
/// At the first thing that is not as it should be.
pub fn run(arguments: &[String]) -> Result<()> {
    if let Some(unknown) = arguments.first() {
        bail!("check takes no arguments, not `{unknown}`");
    }
    packages::install(&[packages::BUILD])?;
    run_process(cargo().args(["fmt", "--all", "--check"]))?;
    run_process(cargo().args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    run_process(cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings"))?;
    if exists("cargo-deny") {
        run_process(at_root("cargo-deny").args(["--workspace", "check", "licenses", "bans", "sources"]))
    } else {
        println!("cargo-deny is not installed: licences, bans and sources were not checked (cargo install cargo-deny)");
        Ok(())
    }
}
