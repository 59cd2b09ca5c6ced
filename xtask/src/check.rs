//! Static checks: formatting, lints, documentation, licences.

use crate::process::{at_root, cargo, exists, run as run_process, target_folder};
use crate::{cross, packages};
use anyhow::{Result, bail};
use std::path::PathBuf;

/// Checks formatting, lints with warnings denied, documentation, then licences, bans and sources. With `--target`, only
/// type-checks for another system.
///
/// # Errors
/// Returns an error at the first failed check.
pub fn run(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => {}
        [option, target] if option == "--target" => return cross::check(target),
        [unknown, ..] => bail!("usage: cargo xtask check [--target TARGET], but `{unknown}` was given"),
    }
    packages::install(&[packages::BUILD])?;
    run_process(cargo().args(["fmt", "--all", "--check"]))?;
    run_process(cargo().args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    run_process(cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings"))?;
    run_process(at_root(deny()?).args(["--workspace", "check", "licenses", "bans", "sources"]))
}

/// Returns the installed cargo-deny, or builds one into the target folder.
fn deny() -> Result<PathBuf> {
    if exists("cargo-deny") {
        return Ok(PathBuf::from("cargo-deny"));
    }
    let tools = target_folder().join("tools");
    let program = tools.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        println!(
            "Building cargo-deny {DENY}, which checks licences, bans and sources; it is kept in {}",
            tools.display()
        );
        let build = tools.join("build");
        // Without optimisation: an optimised build would take longer than the time that it saves.
        let mut install = cargo();
        install.args(["install", "cargo-deny", "--version", DENY, "--locked", "--debug", "--quiet", "--root"]);
        run_process(install.arg(&tools).env("CARGO_TARGET_DIR", &build))?;
        std::fs::remove_dir_all(build)?;
    }
    Ok(program)
}

/// The pinned version: licence detection differs between versions.
const DENY: &str = "0.20.2";
