//! Runs all tests of the workspace and counts them.

use crate::packages;
use crate::process::{cargo, target_folder, watch};
use anyhow::{Result, bail};
use std::process::Command;

/// Runs `cargo test --workspace` with `arguments` and prints how many tests passed, failed and were skipped in all
/// test programs. Without arguments, the loom models of the media queues run as well.
///
/// # Errors
/// Returns an error if packages or build fail, a test fails, or there was none.
pub fn run(arguments: &[String]) -> Result<()> {
    packages::install(&[packages::BUILD, packages::DRAW, packages::TEST])?;
    // Some tests start the programs, so these are built first. All targets are built in one call, with the same features as
    // the tests, so nothing is built twice.
    crate::process::run(cargo().args(["build", "--workspace", "--all-targets"]))?;
    let mut sum = Sum::default();
    let mut passed =
        watch(cargo().args(["test", "--workspace", "--no-fail-fast"]).args(arguments), |line| sum.add(line))?;
    if arguments.is_empty() {
        passed &= watch(&mut models(), |line| sum.add(line))?;
    }
    println!("\n{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.ignored);
    if !passed || sum.failed > 0 {
        bail!("tests failed");
    }
    if sum.passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}

/// Returns the command that runs `media/src/models.rs` with loom's locks instead of the standard library's. It has its own
/// target folder, because other `RUSTFLAGS` would rebuild everything in the usual one.
fn models() -> Command {
    let mut models = cargo();
    models.args(["test", "--package", "media", "--lib", "models"]);
    models.env("RUSTFLAGS", "--cfg loom").env("CARGO_TARGET_DIR", target_folder().join("loom"));
    models
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Sum {
    /// Reads lines such as `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for part in counts.split("; ") {
            let Some((number, what)) = part.split_once(' ') else { continue };
            let number = number.parse().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_summed_and_other_lines_are_not() {
        let mut sum = Sum::default();
        sum.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.1s");
        sum.add("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s");
        sum.add("test tests::a_name ... ok");
        assert_eq!(sum, Sum { passed: 14, failed: 1, ignored: 1 });
    }
}
