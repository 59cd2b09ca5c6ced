//! Type-checks the workspace for systems that this machine is not. Nothing is linked and nothing runs.
//!
//! Debian ships a stable compiler together with the sources of its standard library, so that cargo builds that library for
//! any target the compiler knows. C sources are compiled for Windows by Debian's MinGW. For macOS there is no SDK to
//! compile them with: a stand-in takes the place of the C tools and makes empty files, and only Rust is checked.

use crate::packages;
use crate::process::{built, cargo, exists, root, run as run_process};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Checks all crates but those of tests, which look at the systems they were written for, for `target`.
///
/// # Errors
/// Returns an error if the target is none of ours, the system is not Debian, or something does not type-check.
pub fn check(target: &str) -> Result<()> {
    let Some(target) = TARGETS.iter().find(|known| known.triple == target) else {
        let known: Vec<_> = TARGETS.iter().map(|target| target.triple).collect();
        bail!("cannot check for `{target}`; known: {}", known.join(", "));
    };
    if !exists("apt-get") {
        bail!(
            "checking for {0} needs the packages {1} of Debian 12, and this system has no apt. \
             On the system itself, `cargo xtask check` checks the same and more",
            target.triple,
            [packages::CROSS, target.packages].concat().join(", ")
        );
    }
    packages::install(&[packages::BUILD, packages::CROSS, target.packages])?;
    run_process(&mut command(target, &built().join("cross"))?)?;
    println!("{}: it type-checks; {}", target.triple, target.but);
    Ok(())
}

/// A system to check for.
struct Target {
    triple: &'static str,
    /// What Debian calls its C tools.
    packages: &'static [&'static str],
    /// True if those tools are a stand-in.
    empty_c: bool,
    /// What the check does not cover.
    but: &'static str,
}

const TARGETS: [Target; 2] = [
    Target {
        triple: "x86_64-pc-windows-gnu",
        packages: packages::WINDOWS,
        empty_c: false,
        but: "its C sources were compiled, nothing was linked or run",
    },
    Target {
        triple: "aarch64-apple-darwin",
        packages: &[],
        empty_c: true,
        but: "its C and Objective-C sources were not looked at, nothing was linked or run",
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
        // A try takes minutes: all that is wrong is told by the first, and a warning of our own is wrong too.
        "--keep-going",
        "-Zwarnings",
        "--config",
        "build.warnings=\"deny\"",
    ]);
    // A check runs nothing: what the profile says about speed would only make it slow.
    check.args(["--config", "profile.dev.package.\"*\".opt-level=0"]);
    for package in hot_packages()? {
        check.args(["--config", &format!("profile.dev.package.{package}.opt-level=0")]);
    }
    check.env("CARGO_TARGET_DIR", folder).env("RUSTC", COMPILER).env("RUSTC_BOOTSTRAP", "1");
    if target.empty_c {
        let tool = stand_in(folder)?;
        let triple = target.triple.replace('-', "_");
        for name in ["CC", "CXX", "AR", "RANLIB"] {
            check.env(format!("{name}_{triple}"), &tool);
        }
        // An SDK that is named is not asked for: any folder will do, nothing reads it.
        check.env("CMAKE", &tool).env("SDKROOT", folder).env("MACOSX_DEPLOYMENT_TARGET", "11.0");
    }
    Ok(check)
}

/// The packages for which the workspace's profile asks for speed by name.
fn hot_packages() -> Result<Vec<String>> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).context("the workspace's Cargo.toml")?;
    Ok(named_packages(&manifest))
}

fn named_packages(manifest: &str) -> Vec<String> {
    let named = |line: &str| Some(line.strip_prefix("[profile.dev.package.")?.strip_suffix(']')?.to_owned());
    manifest.lines().filter_map(named).filter(|name| !name.starts_with('"')).collect()
}

/// Writes the stand-in for compilers, archivers and `CMake`.
fn stand_in(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    let path = folder.join("empty-c");
    fs::write(&path, STAND_IN).with_context(|| format!("{}", path.display()))?;
    run_process(Command::new("chmod").arg("+x").arg(&path))?;
    Ok(path)
}

/// Answers those who ask what it is, and makes every file that it is told to make, empty.
const STAND_IN: &str = r#"#!/bin/sh
# Stands in for C tools in a check that links nothing: see xtask/src/cross.rs.
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

/// Debian's stable compiler; rustup's has no standard library of targets that were not installed with it.
const COMPILER: &str = "/usr/bin/rustc";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_with_a_speed_of_their_own_are_found() {
        let manifest =
            "[profile.dev]\n[profile.dev.package.\"*\"]\nopt-level = 1\n[profile.dev.package.ring]\n[lints]\n";
        assert_eq!(named_packages(manifest), ["ring"]);
    }

    #[test]
    fn another_target_is_refused_by_name() {
        let refused = check("riscv64gc-unknown-none").expect_err("not ours").to_string();
        assert!(refused.contains("riscv64gc-unknown-none") && refused.contains("x86_64-pc-windows-gnu"), "{refused}");
    }
}
