//! Other programs, started from the workspace's root.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace's root folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Returns an error if cargo puts programs of the development profile: we were built there ourselves.
pub fn binaries() -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    here.parent().map_or_else(|| root().join("target/debug"), PathBuf::from)
}

/// The folder for everything that is built.
pub fn built() -> PathBuf {
    binaries().parent().map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that runs us, as if it had been started by hand. What cargo tells us about our own package is kept from it:
/// build scripts that look at these variables would take each of the two for a change, and build all above them again.
pub fn cargo() -> Command {
    let mut cargo = at_root(std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from));
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_about_us(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    cargo
}

fn is_about_us(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

/// A program to be run from the workspace's root.
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

/// Runs `command` to its end with our own output.
///
/// # Errors
/// Returns an error if it cannot start, or ends with anything but success.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", name(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", name(command));
    }
    Ok(())
}

/// Runs `command` to its end, passing each line of its standard output to `line` and on to ours. True if it succeeded.
///
/// # Errors
/// Returns an error if it cannot start or its output cannot be read.
pub fn watch(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", name(command)))?;
    let output = child.stdout.take().context("the output was piped")?;
    for text in BufReader::new(output).lines() {
        let text = text?;
        println!("{text}");
        line(&text);
    }
    Ok(child.wait()?.success())
}

fn name(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_told_nothing_about_this_package() {
        assert!(std::env::vars().any(|(name, _)| is_about_us(&name)), "cargo tells its tests as well");
        let cargo = cargo();
        let removed: Vec<_> = cargo.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        assert!(removed.iter().any(|name| *name == "CARGO_MANIFEST_DIR"), "{removed:?}");
        assert!(removed.iter().all(|name| *name != "CARGO"), "{removed:?}");
    }
}
