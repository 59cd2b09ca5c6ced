//! Runs other programs from the workspace's root.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The workspace's root folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The folder of the development profile's programs: the one that contains this program.
pub fn binaries() -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    here.parent().map_or_else(|| root().join("target/debug"), PathBuf::from)
}

/// The target folder of cargo.
pub fn target_folder() -> PathBuf {
    binaries().parent().map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that runs this program, without the variables that describe the package xtask. Some build scripts read these
/// variables. If they differed from those of a `cargo` run by hand, the crates that depend on them would be built again.
pub fn cargo() -> Command {
    let mut cargo = at_root(std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from));
    for (name, _) in std::env::vars_os().filter(|(name, _)| describes_package(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    cargo
}

fn describes_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

/// A command that runs `program` in the workspace's root.
pub fn at_root(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// True if `program` can be started.
pub fn exists(program: &str) -> bool {
    let mut probe = Command::new(program);
    probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok()
}

/// Runs `command` to its end, with the output of this program.
///
/// # Errors
/// Returns an error if it cannot start, or does not succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", describe(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", describe(command));
    }
    Ok(())
}

/// Runs `command` in the folder of the user to its end, with the output of this program. Returns its exit code.
///
/// # Errors
/// Returns an error if it cannot start, or if a signal ends it.
pub fn exit_code(command: &mut Command) -> Result<ExitCode> {
    command.current_dir(std::env::current_dir()?);
    let status = command.status().with_context(|| format!("cannot start {}", describe(command)))?;
    let code = status.code().with_context(|| format!("a signal ended {}", describe(command)))?;
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Runs `command` to its end. Prints each line of its standard output and passes it to `line`. Returns true on success.
///
/// # Errors
/// Returns an error if it cannot start or its output cannot be read.
pub fn watch(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", describe(command)))?;
    let output = child.stdout.take().context("the output was piped")?;
    for text in BufReader::new(output).lines() {
        let text = text?;
        println!("{text}");
        line(&text);
    }
    Ok(child.wait()?.success())
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_gets_no_variables_that_describe_this_package() {
        assert!(std::env::vars().any(|(name, _)| describes_package(&name)), "cargo sets them for tests, too");
        let cargo = cargo();
        let removed: Vec<_> = cargo.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        assert!(removed.iter().any(|name| *name == "CARGO_MANIFEST_DIR"), "{removed:?}");
        assert!(removed.iter().all(|name| *name != "CARGO"), "{removed:?}");
    }
}
