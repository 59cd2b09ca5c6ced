//! Runs simulated meetings with hostile members.

use crate::packages;
use crate::process::{cargo, run as run_process};
use anyhow::{Context, Result, bail};

/// Runs `arguments`: how many seeds, and the first one. A seed that fails is printed and can be repeated alone.
///
/// # Errors
/// Returns an error if an argument is not a number, the build fails, or a seed fails.
pub fn run(arguments: &[String]) -> Result<()> {
    let [count, first] = match arguments {
        [] => [Some(DEFAULT), None],
        [count] => [Some(number(count)?), None],
        [count, first] => [Some(number(count)?), Some(number(first)?)],
        _ => bail!("usage: cargo xtask seeds [NUMBER [FIRST]]"),
    };
    packages::install(&[packages::BUILD])?;
    let mut test = cargo();
    test.args(["test", "--package", "tests", "--test", "simulation", TEST, "--", "--exact", "--nocapture"]);
    for (name, value) in [("CONCLAVE_SEEDS", count), ("CONCLAVE_SEED", first)] {
        if let Some(value) = value {
            test.env(name, value.to_string());
        }
    }
    run_process(&mut test)
}

fn number(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("`{text}` is not a number"))
}

const DEFAULT: u64 = 1_000;

/// The test that reads the variables.
const TEST: &str = "hostile::a_hostile_member_that_says_anything_at_any_time_changes_nothing_for_the_others";
