//! Calls of real programs over networks with limits: `cargo xtask bench net`. Linux only; needs root.
//!
//! A server, a sender and a receiver run in the three namespaces of a [`crate::netlab::Netlab`]. Both participants have a
//! camera of 1280x720 at 30 pictures a second and a microphone, both from files (`clip.rs`, and the demo's voices). The
//! sender is in the meeting first. The bench measures what the receiver shows and plays of the sender, from the
//! moment at which the receiver is admitted.

mod call;
mod chromium;
mod clip;
mod competing;
mod crowd;
mod figures;
mod heard;
mod mixed_networks;
mod options;
mod outages;
mod path;
mod picture_quality;
mod running;
mod running_meeting;
mod soak;
mod tile_changes;
mod turn_server;

use crate::bench::draw::browser;
use crate::netlab::Error as NetlabError;
use anyhow::Result;
use call::{BenchFiles, Call, ExtraProgram};
use chromium::ChromiumCall;
use crowd::CrowdFigures;
use figures::CallFigures;
use mixed_networks::MixedNetworksFigures;
use options::{BenchOptions, MeetingRow};
use path::{NetworkPath, Verdict};
use running::OutputFolder;
use serde::Serialize;
use soak::SoakFigures;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::{fs, thread};
use tile_changes::TileChangeFigures;

pub use chromium::signalling::{COMMAND as BROWSER_SIGNALLING, run as run_browser_signalling};
pub use competing::{COMMAND as TCP_FLOW, run_end as run_tcp_flow_end};

/// One line of `cargo xtask bench net --json`.
#[derive(Debug, Serialize)]
struct MeasuredPath {
    row: String,
    spec: String,
    /// One entry for each run.
    runs: Vec<CallFigures>,
    /// A second call of the same clients over the same network, one entry for each run, if it was asked for.
    again: Vec<CallFigures>,
    /// The same between two Chromium, one entry for each run.
    chromium: Vec<CallFigures>,
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
    let (clip, small_clip) = (work.file("camera.y4m"), work.file("small.y4m"));
    clip::write(&clip, clip::LARGE)?;
    if !options.meetings.is_empty() {
        clip::write(&small_clip, clip::SMALL)?;
    }
    let browser = options.chromium.then(browser::program).flatten();
    if options.chromium && browser.is_none() {
        eprintln!(
            "bench net: Chromium is not installed (Debian: apt-get install chromium): no call is compared with it"
        );
    }
    let out = options.out.as_deref().unwrap_or(work.path());
    let files = BenchFiles { programs: &options.programs, clip: &clip, small_clip: &small_clip, out };
    if measure_paths(&options, files, browser.as_deref())? == Measured::No {
        return Ok(ExitCode::from(UNAVAILABLE));
    }
    for row in &options.meetings {
        if measure_meeting(&options, *row, files)? == Measured::No {
            return Ok(ExitCode::from(UNAVAILABLE));
        }
    }
    interrupt(&options, &clip, out)
}

/// Measures the paths, and prints them.
fn measure_paths(options: &BenchOptions, files: BenchFiles<'_>, browser: Option<&Path>) -> Result<Measured> {
    let mut all = Vec::new();
    for path in &options.paths {
        if path.extra == Some(ExtraProgram::TurnServer) && !turn_server::is_installed() {
            eprintln!("{:<4} {:<28} not measured: there is no turnserver (package coturn)", path.row, path.spec);
            continue;
        }
        let (mut runs, mut again, mut chromium) = (Vec::new(), Vec::new(), Vec::new());
        for run in 1..=options.runs {
            let folder = files.out.join(format!("{}-{run}", path.file_name()));
            let Some((figures, second)) = call(path, options, files, &folder) else { return Ok(Measured::No) };
            print_call(options, path, "", &figures);
            runs.push(figures);
            if let Some(figures) = second {
                print_call(options, path, "again: ", &figures);
                again.push(figures);
            }
            if let Some(browser) = browser.filter(|_| path.has_chromium()) {
                let figures = call_by_chromium(browser, path, options, files.clip, &folder);
                print_call(options, path, "Chromium: ", &figures);
                chromium.push(figures);
            }
        }
        let goals = path.goals(&runs);
        if !options.json {
            for goal in &goals {
                println!("     {goal}");
            }
        }
        let (row, spec) = (path.row.to_string(), path.spec.to_string());
        all.push(MeasuredPath { row, spec, runs, again, chromium, goals });
    }
    if options.json && !all.is_empty() {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(Measured::Yes)
}

fn print_call(options: &BenchOptions, path: &NetworkPath, who: &str, figures: &CallFigures) {
    if !options.json {
        println!("{:<4} {:<28} {who}{figures}", path.row, path.spec);
    }
}

/// Holds the call of a path, and the second one if the options ask for it. Returns `None` if this machine or this user cannot have such
/// networks.
fn call(
    path: &NetworkPath,
    options: &BenchOptions,
    files: BenchFiles<'_>,
    folder: &Path,
) -> Option<(CallFigures, Option<CallFigures>)> {
    let held = path.spec.parse().map_err(anyhow::Error::from).and_then(|spec| {
        let (length, extra, out) = (path.length(options.length), path.extra, folder.to_owned());
        let records_pictures = options.chromium && path.has_picture_quality();
        let usual = Call::new(files.programs.to_owned(), files.clip.to_owned());
        let call = Call { spec, length, extra, records_pictures, out, ..usual };
        if options.again {
            call.hold_twice().map(|[first, again]| (first, Some(again)))
        } else {
            Ok((call.hold()?, None))
        }
    });
    match held {
        Err(error) if is_unavailable(&error) => None,
        held => Some(held.unwrap_or_else(|error| (CallFigures::failure(&error), None))),
    }
}

/// Whether this machine and this user can have networks with limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measured {
    Yes,
    No,
}

/// Holds the call of a path between two Chromium. `folder` is that of our call.
fn call_by_chromium(
    browser: &Path,
    path: &NetworkPath,
    options: &BenchOptions,
    clip: &Path,
    folder: &Path,
) -> CallFigures {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let held = path.spec.parse().map_err(anyhow::Error::from).and_then(|spec| {
        let (length, clip) = (path.length(options.length), clip.to_owned());
        let codec = options.codec;
        let (records_pictures, out) = (path.has_picture_quality(), folder.with_file_name(format!("{name}-chromium")));
        ChromiumCall { spec, length, clip, codec, records_pictures, out }.hold(browser)
    });
    held.unwrap_or_else(|error| CallFigures::failure(&error))
}

/// Measures a meeting of many clients, and prints it.
fn measure_meeting(options: &BenchOptions, row: MeetingRow, files: BenchFiles<'_>) -> Result<Measured> {
    let folder = |name: &str, run| files.out.join(format!("{name}-{run}"));
    match row {
        MeetingRow::TileChanges => repeat(options, TileChangeFigures::failure, |run| {
            TileChangeFigures::measure(files.programs, files.clip, &folder("14-tiles", run))
        }),
        MeetingRow::MixedNetworks => repeat(options, MixedNetworksFigures::failure, |run| {
            MixedNetworksFigures::measure(BenchFiles { out: &folder("17-paths", run), ..files }, options.length)
        }),
        MeetingRow::Crowd => repeat(options, CrowdFigures::failure, |run| {
            CrowdFigures::measure(files.programs, &folder("19-crowd", run))
        }),
        MeetingRow::Soak => repeat(options, SoakFigures::failure, |run| {
            SoakFigures::measure(BenchFiles { out: &folder("21-soak", run), ..files }, options.soak)
        }),
    }
}

/// Measures as often as `options` say, and prints the figures. A run that fails is a line of the result.
fn repeat<T: Serialize + Display>(
    options: &BenchOptions,
    failure: fn(&anyhow::Error) -> T,
    measure: impl Fn(u32) -> Result<T>,
) -> Result<Measured> {
    let mut all = Vec::new();
    for run in 1..=options.runs {
        let figures = match measure(run) {
            Ok(figures) => figures,
            Err(error) if is_unavailable(&error) => return Ok(Measured::No),
            Err(error) => failure(&error),
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
