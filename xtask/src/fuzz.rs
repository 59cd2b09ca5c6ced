//! Fuzzing of the parsers with libFuzzer.

use crate::packages;
use crate::process::{at_root, binaries, cargo, root, run as run_process, target_folder};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs;

/// Fuzzes one target, or each in turn, from its committed corpus. `arguments` are a name or `all`, and the seconds.
///
/// # Errors
/// Returns an error if there is no such target, the build fails, or libFuzzer finds an input that fails.
pub fn run(arguments: &[String]) -> Result<()> {
    let (name, seconds) = match arguments {
        [name] => (name, 60),
        [name, seconds] => (name, seconds.parse::<u32>().with_context(|| format!("`{seconds}` is not a number"))?),
        _ => bail!("usage: cargo xtask fuzz TARGET|all [SECONDS]"),
    };
    packages::install(&[packages::BUILD])?;
    let mut build = cargo();
    build.args(["build", "--workspace", "--features", "fuzz/libfuzzer", "--bin", "fuzz"]);
    run_process(build.env("RUSTC_WORKSPACE_WRAPPER", root().join("tests/fuzz/rustc")))?;
    let targets = targets()?;
    let chosen: Vec<_> = targets.iter().filter(|target| name == "all" || *target == name.as_str()).collect();
    if chosen.is_empty() {
        bail!("there is no target `{name}`; the targets are {targets:?}");
    }
    chosen.into_iter().try_for_each(|target| search(target, seconds))
}

/// Returns the names of all targets. Every target has a folder in the corpus; tests/tests/fuzz.rs checks this.
fn targets() -> Result<Vec<OsString>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(root().join("tests/corpus"))? {
        targets.push(entry?.file_name());
    }
    targets.sort();
    Ok(targets)
}

/// Runs libFuzzer for one target. It writes new inputs into the target folder of cargo. Only inputs that failed are added to
/// the corpus, by hand.
fn search(target: &OsString, seconds: u32) -> Result<()> {
    let found = target_folder().join("fuzz").join(target);
    fs::create_dir_all(&found)?;
    println!("\n{} for {seconds} s", target.display());
    let mut search = at_root(binaries().join("fuzz"));
    search.arg(&found).arg(root().join("tests/corpus").join(target)).env("CONCLAVE_FUZZ", target);
    search.args(["-print_final_stats=1", "-verbosity=0", "-timeout=10"]).arg(format!("-max_total_time={seconds}"));
    run_process(search.arg(format!("-artifact_prefix={}-", found.display())))
}
