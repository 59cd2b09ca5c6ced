//! `cargo xtask attack [--json] [--short]`: attacks a meeting, and prints what was tried and what happened. It also runs as the
//! organiser of that meeting, as a guest that speaks although it was muted, and as guests that speak or show pictures as somebody else.

use anyhow::{Context, Result, bail};
use std::process::ExitCode;
use tests::attack::effort::Effort;
use tests::attack::loud_guest::{self, What};
use tests::attack::{organiser, run};

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [role, port, fingerprint, clip, dump] = arguments.as_slice()
        && role == "organiser"
    {
        organiser::run(port.parse()?, digest(fingerprint)?, clip.into(), dump.into())?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some((role, speaks_as)) = arguments.split_first() {
        let what = match role.as_str() {
            "loud-guest" => Some(What::Voice),
            "camera-guest" => Some(What::Pictures),
            _ => None,
        };
        if let Some(what) = what {
            loud_guest::run(what, speaks_as.first().map(String::as_str))?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    if let Some(unknown) = arguments.iter().find(|argument| !["--json", "--short"].contains(&argument.as_str())) {
        bail!("unknown argument `{unknown}`; expected --json or --short");
    }
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let report = run(if has("--short") { Effort::SHORT } else { Effort::FULL })?;
    if has("--json") {
        println!("{}", serde_json::to_string_pretty(&report.json())?);
    } else {
        println!("{}", report.table());
    }
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads 64 hexadecimal digits.
fn digest(text: &str) -> Result<[u8; 32]> {
    let digits = text.as_bytes().chunks(2).map(|digits| {
        let digits = std::str::from_utf8(digits).ok()?;
        u8::from_str_radix(digits, 16).ok()
    });
    let bytes: Option<Vec<u8>> = digits.collect();
    bytes.and_then(|bytes| bytes.try_into().ok()).context("expected 64 hexadecimal digits")
}
