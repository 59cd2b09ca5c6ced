//! Calls of real programs over networks with limits: `cargo xtask bench net`. Linux only; needs root.
//!
//! A server, a sender and a receiver run in the three namespaces of a [`crate::netlab::Netlab`]. Both participants have a
//! camera of 1280x720 at 30 pictures a second and a microphone, both from files (`clip.rs`, and the demo's voices). The sender is in the meeting first. What is measured is
//! what the receiver shows and plays of the sender, from the moment at which the receiver is admitted.

mod call;
mod clip;
mod figures;
mod options;
mod path;
mod running;

use crate::netlab::Error as NetlabError;
use anyhow::Result;
use call::Call;
use figures::Figures;
use options::Options;
use path::Goal;
use running::Folder;
use serde::Serialize;
use std::process::ExitCode;

/// One line of `cargo xtask bench net --json`.
#[derive(Debug, Serialize)]
struct Measured {
    row: String,
    spec: String,
    /// One entry for each run.
    runs: Vec<Figures>,
    /// The medians of the runs, compared with the limits.
    goals: Vec<Goal>,
}

/// Measures the paths that `arguments` choose, and prints them. Returns 77 if this machine or this user cannot have such
/// networks.
///
/// # Errors
/// Returns an error if an argument is wrong, or if a program does not start or ends early.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let options = Options::parse(arguments)?;
    let work = Folder::new(None)?;
    let clip = work.file("camera.y4m");
    clip::write(&call::assets().join("footage/portrait.mp4"), &clip)?;
    let mut all = Vec::new();
    for path in &options.paths {
        let mut runs = Vec::new();
        for run in 1..=options.runs {
            let call = Call {
                spec: path.spec.parse()?,
                length: path.length(options.length),
                programs: options.programs.clone(),
                clip: clip.clone(),
                out: options.out.as_deref().unwrap_or(work.path()).join(format!("{}-{run}", path.file_name())),
            };
            let figures = match call.hold() {
                Ok(figures) => figures,
                Err(error) => match error.downcast_ref::<NetlabError>() {
                    Some(reason) if reason.is_unavailable() => {
                        eprintln!("bench net: {reason}. Nothing was measured");
                        return Ok(ExitCode::from(UNAVAILABLE));
                    }
                    Some(_) | None => return Err(error.context(format!("row {}, {}", path.row, path.spec))),
                },
            };
            if !options.json {
                println!("{:<4} {:<28} {figures}", path.row, path.spec);
            }
            runs.push(figures);
        }
        let goals = path.goals(&runs);
        if !options.json {
            goals.iter().for_each(|goal| println!("     {goal}"));
        }
        all.push(Measured { row: path.row.to_string(), spec: path.spec.to_string(), runs, goals });
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// The exit code if this machine or this user cannot have such networks: EX_NOPERM of sysexits.h.
const UNAVAILABLE: u8 = 77;
