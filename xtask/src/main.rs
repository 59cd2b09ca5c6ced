//! The tasks `cargo xtask demo|test|check|bench|netlab|attack|scenario|vectors|peer|fuzz|seeds`. Each first prints and installs the system
//! packages that it needs.
//!
//! This crate has few dependencies, so that it builds in a second on a machine that has only Rust.

mod attack;
mod bench;
mod check;
mod cross;
mod demo;
mod fuzz;
mod netlab;
mod packages;
mod peer;
mod process;
mod scenario;
mod seeds;
mod test;
mod vectors;

use anyhow::{Result, bail};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let Some((task, rest)) = arguments.split_first() else { bail!("{USAGE}") };
    let done = match task.as_str() {
        "netlab" => return netlab::run(rest),
        "bench" => return bench::run(rest),
        "scenario" => return scenario::run(),
        "demo" => demo::run(rest),
        "test" => test::run(rest),
        "check" => check::run(rest),
        "attack" => attack::run(rest),
        "vectors" => vectors::run(rest),
        "peer" => peer::run(rest),
        "fuzz" => fuzz::run(rest),
        "seeds" => seeds::run(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no task `{other}`\n{USAGE}"),
    };
    done.map(|()| ExitCode::SUCCESS)
}

const USAGE: &str = "\
usage: cargo xtask TASK
  demo [--participants N] [--seconds N] [--headless] [--out DIR]
         a live meeting on this machine: embedded server, N participants, no account
  test [ARGUMENTS OF cargo test]
         run all tests of the workspace and count them
  check  formatting, lints, documentation, licences
  check --target x86_64-pc-windows-gnu|aarch64-apple-darwin
         type check for another system
  bench [draw|sfu [--janus]|crypto|codec|voice|meeting|window] [--json]
         benchmarks, each compared with a reference measured in the same run, or with a limit; --janus adds the SFU Janus, if it
         is installed
  bench net [--rows 1,2,...] [--spec SPEC] [--seconds N] [--stop N] [--outage NAME] [--minutes N] [--runs N] [--again] [--programs DIR]
            [--out DIR] [--chromium] [--chromium-codec VP8|H264] [--json]
         calls of real programs over networks with limits, each compared with a limit; needs root; --outage measures
         one outage of row 15: interface, handover, server, stopped or udp; --minutes is the length of row 21, which only
         --rows 21 measures; --again holds each call twice, by clients that remember the network; --chromium holds the calls of
         rows 1 to 10 between two Chromium, too, if it is installed
  netlab SPEC -- COMMAND
         run a command in such a network, as the receiver; SPEC is like `down=10M,300k@40s,10M@55s loss=2%`
  bench ladder CLIP
         cost and quality of each rung of the encoding ladder for an MP4 or Y4M file, and its quality in a tile at
         each bitrate
  attack [--json] [--short]
         hostile strangers, guests and servers send every message in every state to a meeting of real processes
  scenario
         a whole meeting of real processes: waiting room, rights, hand-over, removal, chat; prints what each of them sees
  vectors --out DIR
         write test vectors of all formats as JSON: bytes, what they say, and the keys that open and verify them
  peer [SEEDS]
         groups of our implementation of MLS and of another one, mls-rs, together
  fuzz TARGET|all [SECONDS]
         fuzz a parser with libFuzzer
  seeds [NUMBER [FIRST]]
         simulated meetings, 1000 by default: with hostile members, and with a naive model of rights, also with real MLS";
