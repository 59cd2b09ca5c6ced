//! Calls of real programs over networks with limits: `cargo xtask bench net`. Linux only; needs root.
//!
//! A server, a sender and a receiver run in the three namespaces of a [`crate::netlab::Netlab`]. Both participants have a
//! camera of 1280x720 at 30 pictures a second and a microphone, both from files (`clip.rs`, and the demo's voices). The
//! sender is in the meeting first. The bench measures what the receiver shows and plays of the sender, from the
//! moment at which the receiver is admitted.

mod call;
mod clip;
mod figures;
mod options;
mod outages;
mod path;
mod running;
mod tile_changes;
mod turn_server;

use crate::netlab::Error as NetlabError;
use anyhow::Result;
use call::Call;
use figures::CallFigures;
use options::BenchOptions;
use path::Verdict;
use running::OutputFolder;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::{fs, thread};
use tile_changes::TileChangeFigures;

/// One line of `cargo xtask bench net --json`.
#[derive(Debug, Serialize)]
struct MeasuredPath {
    row: String,
    spec: String,
    /// One entry for each run.
    runs: Vec<CallFigures>,
    /// The medians of the runs, compared with the limits.
    goals: Vec<Verdict>,
}

/// Measures the paths that `arguments` choose, and prints them. Returns 77 if this machine or this user cannot have such
/// networks. A call that fails is a line of the result, and the others go on.
///
/// # Errors
/// Returns an error if an argument is wrong, or if the clip cannot be made.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let options = BenchOptions::parse(arguments)?;
    let work = OutputFolder::new(None)?;
    remove_when_stopped(work.path().to_owned())?;
    let clip = work.file("camera.y4m");
    clip::write(&call::assets().join("footage/portrait.mp4"), &clip)?;
    let mut all = Vec::new();
    for path in &options.paths {
        if path.turn && !turn_server::is_installed() {
            eprintln!("{:<4} {:<28} not measured: there is no turnserver (package coturn)", path.row, path.spec);
            continue;
        }
        let mut runs = Vec::new();
        for run in 1..=options.runs {
            let call = Call {
                spec: path.spec.parse()?,
                length: path.length(options.length),
                programs: options.programs.clone(),
                clip: clip.clone(),
                turn: path.turn,
                out: options.out.as_deref().unwrap_or(work.path()).join(format!("{}-{run}", path.file_name())),
            };
            let figures = match call.hold() {
                Ok(figures) => figures,
                Err(error) if is_unavailable(&error) => return Ok(ExitCode::from(UNAVAILABLE)),
                Err(error) => CallFigures { failed: Some(format!("{error:#}")), ..CallFigures::default() },
            };
            if !options.json {
                println!("{:<4} {:<28} {figures}", path.row, path.spec);
            }
            runs.push(figures);
        }
        let goals = path.goals(&runs);
        if !options.json {
            for goal in &goals {
                println!("     {goal}");
            }
        }
        all.push(MeasuredPath { row: path.row.to_string(), spec: path.spec.to_string(), runs, goals });
    }
    if options.json && !all.is_empty() {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    let out = options.out.as_deref().unwrap_or(work.path());
    if options.tile_changes && measure_tile_changes(&options, &clip, out)? == Measured::No {
        return Ok(ExitCode::from(UNAVAILABLE));
    }
    interrupt(&options, &clip, out)
}

/// Whether this machine and this user can have networks with limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measured {
    Yes,
    No,
}

/// Measures what is received as tiles change, and prints it.
fn measure_tile_changes(options: &BenchOptions, clip: &Path, out: &Path) -> Result<Measured> {
    let mut all = Vec::new();
    for run in 1..=options.runs {
        let figures = match TileChangeFigures::measure(&options.programs, clip, &out.join(format!("14-tiles-{run}"))) {
            Ok(figures) => figures,
            Err(error) if is_unavailable(&error) => return Ok(Measured::No),
            Err(error) => TileChangeFigures::failure(&error),
        };
        if !options.json {
            println!("{figures}");
        }
        all.push(figures);
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(Measured::Yes)
}

/// Measures the outages, and prints them.
fn interrupt(options: &BenchOptions, clip: &Path, out: &Path) -> Result<ExitCode> {
    let mut all = Vec::new();
    for outage in &options.outages {
        for run in 1..=options.runs {
            let out = out.join(format!("{}-{run}", outage.file_name()));
            let figures = match outage.measure(&options.programs, clip, &out) {
                Ok(figures) => figures,
                Err(error) if is_unavailable(&error) => return Ok(ExitCode::from(UNAVAILABLE)),
                Err(error) => outage.failure(&error),
            };
            if !options.json {
                println!("{}", outage.line(&figures));
            }
            all.push(figures);
        }
    }
    if options.json && !all.is_empty() {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns true, and says so, if this machine or this user cannot have such networks.
fn is_unavailable(error: &anyhow::Error) -> bool {
    let reason = error.downcast_ref::<NetlabError>().filter(|reason| reason.is_unavailable());
    if let Some(reason) = reason {
        eprintln!("bench net: {reason}. Nothing was measured");
    }
    reason.is_some()
}

/// Removes `folder`, which contains a large clip, if this program is asked to stop. The namespaces and the programs in them
/// end with this process.
fn remove_when_stopped(folder: PathBuf) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut stop = runtime.block_on(async { server::Stop::listen() })?;
    thread::Builder::new().name("stop".into()).spawn(move || {
        runtime.block_on(stop.requested());
        // If this fails, the folder stays among the system's temporary files.
        let _ = fs::remove_dir_all(folder);
        process::exit(i32::from(STOPPED));
    })?;
    Ok(())
}

/// The exit code if this machine or this user cannot have such networks: `EX_NOPERM` of sysexits.h.
const UNAVAILABLE: u8 = 77;

/// The exit code after Ctrl+C, as of a shell.
const STOPPED: u8 = 130;
