//! Type-checks the workspace for other operating systems. Nothing is linked or run.
//!
//! Debian packages a stable compiler with the sources of its standard library, so cargo can build that library for any
//! target. C sources are compiled for Windows by Debian's MinGW. For macOS there is no SDK: a fake C compiler writes empty
//! files, and only Rust is checked.

use crate::packages;
use crate::process::{cargo, exists, root, run as run_process, target_folder};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Type-checks all crates for `target`, except the crate `tests`, which is specific to Linux.
///
/// # Errors
/// Returns an error if the target is not supported, the system is not Debian, or something does not type-check.
pub fn check(target: &str) -> Result<()> {
    let Some(target) = TARGETS.iter().find(|known| known.triple == target) else {
        let known: Vec<_> = TARGETS.iter().map(|target| target.triple).collect();
        bail!("cannot check for `{target}`; known: {}", known.join(", "));
    };
    if !exists("apt-get") {
        bail!(
            "checking for {0} needs the packages {1} of Debian 12, but this system has no apt. \
             Alternatively, run `cargo xtask check` on the target system",
            target.triple,
            [packages::CROSS, target.packages].concat().join(", ")
        );
    }
    packages::install(&[packages::BUILD, packages::CROSS, target.packages])?;
    run_process(&mut command(target, &target_folder().join("cross"))?)?;
    println!("{}: type check passed; {}", target.triple, target.not_covered);
    Ok(())
}

/// A system to check for.
struct Target {
    triple: &'static str,
    /// The Debian packages of its C tools.
    packages: &'static [&'static str],
    /// True if a fake C compiler is used.
    fake_c: bool,
    /// What the check does not cover.
    not_covered: &'static str,
}

const TARGETS: [Target; 2] = [
    Target {
        triple: "x86_64-pc-windows-gnu",
        packages: packages::WINDOWS,
        fake_c: false,
        not_covered: "C sources were compiled, nothing was linked or run",
    },
    Target {
        triple: "aarch64-apple-darwin",
        packages: &[],
        fake_c: true,
        not_covered: "C and Objective-C sources were not compiled, nothing was linked or run",
    },
];

fn command(target: &Target, folder: &Path) -> Result<Command> {
    let mut check = cargo();
    check.args([
        "check",
        "--workspace",
        "--exclude",
        "tests",
        "-Zbuild-std=std,panic_unwind",
        "--target",
        target.triple,
        // A check takes minutes, so it reports all errors at once. Warnings are errors.
        "--keep-going",
        "-Zwarnings",
        "--config",
        "build.warnings=\"deny\"",
    ]);
    // Nothing runs, so optimised dependencies would only slow down the check.
    check.args(["--config", "profile.dev.package.\"*\".opt-level=0"]);
    for package in hot_packages()? {
        check.args(["--config", &format!("profile.dev.package.{package}.opt-level=0")]);
    }
    check.env("CARGO_TARGET_DIR", folder).env("RUSTC", COMPILER).env("RUSTC_BOOTSTRAP", "1");
    if target.fake_c {
        let tool = fake_c_tool(folder)?;
        let triple = target.triple.replace('-', "_");
        for name in ["CC", "CXX", "AR", "RANLIB"] {
            check.env(format!("{name}_{triple}"), &tool);
        }
        // With SDKROOT set, build scripts do not search for an SDK. They do not read the folder.
        check.env("CMAKE", &tool).env("SDKROOT", folder).env("MACOSX_DEPLOYMENT_TARGET", "11.0");
    }
    Ok(check)
}

/// The packages whose optimisation level the workspace's profile sets by name.
fn hot_packages() -> Result<Vec<String>> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).context("the workspace's Cargo.toml")?;
    Ok(named_packages(&manifest))
}

fn named_packages(manifest: &str) -> Vec<String> {
    let named = |line: &str| Some(line.strip_prefix("[profile.dev.package.")?.strip_suffix(']')?.to_owned());
    manifest.lines().filter_map(named).filter(|name| !name.starts_with('"')).collect()
}

/// Writes the script that replaces compilers, archivers and `CMake`.
fn fake_c_tool(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    let path = folder.join("fake-c");
    fs::write(&path, FAKE_C_TOOL).with_context(|| format!("{}", path.display()))?;
    run_process(Command::new("chmod").arg("+x").arg(&path))?;
    Ok(path)
}

/// Identifies itself as clang, and creates each output file empty.
const FAKE_C_TOOL: &str = r#"#!/bin/sh
# Replaces C tools in a check that links nothing: see xtask/src/cross.rs.
previous=
for argument; do
    case "$argument" in
        -E) echo '"clang" __clang__ 1' ;;
        *.a) : > "$argument" ;;
    esac
    if [ "$previous" = -o ]; then : > "$argument"; fi
    previous=$argument
done
"#;

/// Debian's stable compiler. It comes with the sources of its standard library, which -Zbuild-std needs.
const COMPILER: &str = "/usr/bin/rustc";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_with_their_own_optimisation_level_are_found() {
        let manifest =
            "[profile.dev]\n[profile.dev.package.\"*\"]\nopt-level = 1\n[profile.dev.package.ring]\n[lints]\n";
        assert_eq!(named_packages(manifest), ["ring"]);
    }

    #[test]
    fn an_unsupported_target_is_refused() {
        let refused = check("riscv64gc-unknown-none").expect_err("the target is not supported").to_string();
        assert!(refused.contains("riscv64gc-unknown-none") && refused.contains("x86_64-pc-windows-gnu"), "{refused}");
    }
}
