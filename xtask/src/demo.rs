//! The demo meeting. Builds the client and starts it.

use crate::packages;
use crate::process::{at_root, binaries, cargo, root};
use anyhow::Result;

/// Builds the client, then runs `conclave demo` with `arguments`.
///
/// # Errors
/// Returns an error if packages, build or meeting fail.
pub fn run(arguments: &[String]) -> Result<()> {
    packages::install(&[packages::BUILD, packages::DRAW])?;
    build()?;
    let assets = root().join("app/assets/demo");
    run_client(&[&["demo".into(), "--assets".into(), assets.display().to_string()], arguments].concat())
}

/// Builds the client and the server.
///
/// # Errors
/// Returns an error if the build fails.
pub fn build() -> Result<()> {
    run_cargo(&["build", "--package", "app", "--package", "server", "--bins"])
}

fn run_cargo(arguments: &[&str]) -> Result<()> {
    crate::process::run(cargo().args(arguments))
}

fn run_client(arguments: &[String]) -> Result<()> {
    let mut client = at_root(binaries().join("conclave"));
    client.current_dir(std::env::current_dir()?);
    crate::process::run(client.args(arguments))
}
