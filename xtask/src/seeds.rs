//! Runs simulated meetings and the models of rights, seed by seed.

use crate::packages;
use crate::process::{cargo, run as run_process};
use anyhow::{Context, Result, bail};
use std::process::Command;

/// Runs `arguments`: how many seeds, and the first one. A seed that fails is printed and can be repeated alone. All simulations run,
/// also after one has failed.
///
/// # Errors
/// Returns an error if an argument is not a number, the build fails, or a seed fails.
pub fn run(arguments: &[String]) -> Result<()> {
    let (count, first) = match arguments {
        [] => (DEFAULT, None),
        [count] => (number(count)?, None),
        [count, first] => (number(count)?, Some(number(first)?)),
        _ => bail!("usage: cargo xtask seeds [NUMBER [FIRST]]"),
    };
    packages::install(&[packages::BUILD])?;
    let mut failed = Vec::new();
    for simulation in SIMULATIONS {
        println!("\n{}, {count} seeds:", simulation.what);
        if let Err(error) = run_process(&mut simulation.command(count, first)) {
            eprintln!("{error:#}");
            failed.push(simulation.what);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("failed: {}. The seeds are printed above; `cargo xtask seeds 1 SEED` repeats one", failed.join("; "))
}

fn number(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("`{text}` is not a number"))
}

/// A test that reads the variables `CONCLAVE_SEEDS` and `CONCLAVE_SEED`, and prints the seeds that fail.
struct Simulation {
    what: &'static str,
    /// Where cargo finds it.
    target: &'static [&'static str],
    test: &'static str,
}

impl Simulation {
    /// Without `first`, the test begins with its usual seed.
    fn command(&self, count: u64, first: Option<u64>) -> Command {
        let mut test = cargo();
        test.args(["test", "--quiet", "--package"]).args(self.target).args([self.test, "--", "--exact", "--nocapture"]);
        test.env("CONCLAVE_SEEDS", count.to_string());
        if let Some(first) = first {
            test.env("CONCLAVE_SEED", first.to_string());
        }
        test
    }
}

const DEFAULT: u64 = 1_000;

const SIMULATIONS: [Simulation; 4] = [
    Simulation {
        what: "the model of rights without MLS",
        target: &["crypto", "--lib"],
        test: "group::authorize::simulation::authorize_and_a_naive_model_of_rights_agree_at_every_step",
    },
    // One of twenty seeds, so 50 of 1,000.
    Simulation {
        what: "the model of rights with real MLS groups (one of twenty seeds)",
        target: &["crypto", "--test", "group"],
        test: "roles::real_groups_and_a_naive_model_of_rights_agree_at_every_step",
    },
    Simulation {
        what: "whole meetings with real MLS and the model of rights",
        target: &["tests", "--test", "simulation"],
        test: "whole::a_naive_model_of_rights_agrees_at_every_step_of_whole_meetings",
    },
    Simulation {
        what: "meetings with hostile members",
        target: &["tests", "--test", "simulation"],
        test: "hostile::a_hostile_member_that_says_anything_at_any_time_changes_nothing_for_the_others",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;

    /// A name that no test has would run nothing, and succeed.
    #[test]
    fn each_simulation_is_a_test_that_exists() {
        for Simulation { what, target, test } in &SIMULATIONS {
            let (module, name) = test.rsplit_once("::").expect("a test in a module");
            let module = module.replace("::", "/");
            let path = match target {
                [package, "--lib"] => format!("{package}/src/{module}.rs"),
                [package, "--test", file] => format!("{package}/tests/{file}/{module}.rs"),
                other => panic!("{other:?}"),
            };
            let text = std::fs::read_to_string(root().join(path)).expect("a file");
            assert!(text.contains(&format!("fn {name}()")), "{what}");
        }
    }

    #[test]
    fn numbers_are_checked() {
        assert!(number("x").is_err());
        assert_eq!(number("7").expect("a number"), 7);
    }
}
