//! Runs a whole meeting on this machine: one process for the server and the first participant, one for each other
//! participant.

mod participants;
mod summary;

use super::client::write_report;
use super::display;
use super::options::Demo;
use super::output;
use anyhow::{Context, Result, bail};
use engine::report::Report;
use participants::Participant;
use std::fmt::Display;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Runs the meeting, then merges the participants' reports into `report.json`.
///
/// # Errors
/// Returns an error if footage is missing, or if a participant cannot start or fails.
pub fn run(demo: &Demo) -> Result<()> {
    fs::create_dir_all(&demo.out).with_context(|| format!("cannot create the folder {}", demo.out.display()))?;
    let missing = if demo.headless { None } else { display::missing() };
    let headless = demo.headless || missing.is_some();
    if let Some(missing) = missing {
        print(format_args!("There is no display ({missing}). The meeting runs without a window and writes a picture."));
    }
    let seconds = demo.seconds.or(headless.then_some(HEADLESS_DURATION));
    let participants = participants::of(demo)?;
    let (first, others) = participants.split_first().context("a meeting needs at least one participant")?;
    let (mut host, link) = start_host(demo, first, seconds, headless)?;
    print(format_args!("Meeting: {link}"));
    let guests = others.iter().map(|guest| start_guest(demo, guest, &link, seconds));
    let mut guests = match guests.collect::<Result<Guests>>() {
        Ok(guests) => guests,
        Err(error) => {
            kill_and_wait(&mut host);
            return Err(error);
        }
    };
    print(format_args!("{} participants{}.", participants.len(), duration_text(seconds)));
    let status = host.wait()?;
    let ended = guests.wait();
    report(demo, &participants)?;
    if !status.success() {
        bail!("{} ended with {status}", first.name);
    }
    ended
}

/// Prints a line. May wait for the reader: the participants, which are other processes, do not wait.
fn print(text: impl Display) {
    output::line_blocking(text);
}

/// Merges the reports into `report.json`, deletes them, and prints a summary.
fn report(demo: &Demo, participants: &[Participant]) -> Result<()> {
    let mut reports = Vec::new();
    for participant in participants {
        let path = demo.out.join(format!("{}.json", participant.name));
        let Ok(json) = fs::read(&path) else {
            print(format_args!("{} wrote no report.", participant.name));
            continue;
        };
        reports
            .push(serde_json::from_slice::<Report>(&json).with_context(|| format!("cannot read {}", path.display()))?);
        // report.json contains it.
        let _ = fs::remove_file(path);
    }
    let report = Report::merge(reports);
    let path = demo.out.join("report.json");
    write_report(Some(&path), &report)?;
    print(summary::text(&report));
    print(format_args!("report.json and meeting.png are in {}", demo.out.display()));
    Ok(())
}

/// Starts the first participant. Returns its process and the link, once it is in the meeting.
fn start_host(demo: &Demo, host: &Participant, seconds: Option<Duration>, headless: bool) -> Result<(Child, String)> {
    let mut command = client()?;
    command.args(["meet", "--listen", "127.0.0.1:0"]);
    host.devices(&mut command);
    // The server is in the host's process, so the host stays longer than the guests.
    add_arguments(&mut command, demo, host, seconds.map(|seconds| seconds + HOST_EXTRA));
    command.arg("--picture").arg(demo.out.join("meeting.png"));
    if headless {
        command.arg("--headless");
    }
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start the first participant")?;
    let output = child.stdout.take().context("the first participant has no output")?;
    let mut link = String::new();
    BufReader::new(output).read_line(&mut link)?;
    if link.trim().is_empty() {
        kill_and_wait(&mut child);
        bail!("the first participant could not enter the meeting");
    }
    Ok((child, link.trim().to_owned()))
}

fn start_guest(demo: &Demo, guest: &Participant, link: &str, seconds: Option<Duration>) -> Result<Guest> {
    let mut command = client()?;
    // Not as an argument, which other users of the machine see.
    command.args(["join", "-", "--headless"]).stdin(Stdio::piped());
    guest.devices(&mut command);
    add_arguments(&mut command, demo, guest, seconds);
    let mut child = command.stdout(Stdio::null()).spawn().with_context(|| format!("cannot start {}", guest.name))?;
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "{link}").with_context(|| format!("{} does not read the link", guest.name))?;
    }
    Ok(Guest { name: guest.name.clone(), child, timed: seconds.is_some() })
}

/// A command that runs this program without input.
fn client() -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.stdin(Stdio::null());
    Ok(command)
}

/// Adds the arguments that host and guests have in common.
fn add_arguments(command: &mut Command, demo: &Demo, participant: &Participant, seconds: Option<Duration>) {
    command.args(["--no-recent", "--name", &participant.name]);
    command.arg("--report").arg(demo.out.join(format!("{}.json", participant.name)));
    if let Some(seconds) = seconds {
        command.args(["--for", &seconds.as_secs_f64().to_string()]);
    }
}

/// The guests' processes. Dropping it kills them.
struct Guests {
    guests: Vec<Guest>,
}

struct Guest {
    name: String,
    child: Child,
    /// It leaves when its duration is over. Otherwise it stays until the host ends the meeting.
    timed: bool,
}

impl FromIterator<Guest> for Guests {
    fn from_iter<I: IntoIterator<Item = Guest>>(guests: I) -> Self {
        Self { guests: guests.into_iter().collect() }
    }
}

impl Guests {
    /// Waits until every guest has ended. A guest without a duration ends with an error when its server is gone; that
    /// error is ignored.
    fn wait(&mut self) -> Result<()> {
        for guest in &mut self.guests {
            let status = guest.child.wait()?;
            if guest.timed && !status.success() {
                bail!("{} ended with {status}", guest.name);
            }
        }
        Ok(())
    }
}

impl Drop for Guests {
    fn drop(&mut self) {
        self.guests.iter_mut().for_each(|guest| kill_and_wait(&mut guest.child));
    }
}

fn kill_and_wait(child: &mut Child) {
    // Fails if the process has ended already.
    let _ = child.kill();
    let _ = child.wait();
}

/// The end of the line that announces the meeting; empty if the duration is open.
fn duration_text(seconds: Option<Duration>) -> String {
    seconds.map_or_else(String::new, |seconds| format!(" for {} s", seconds.as_secs_f64()))
}

/// How long a meeting without a window lasts if no duration is given: there is no window that the user could close.
const HEADLESS_DURATION: Duration = Duration::from_secs(15);

/// How much longer than the guests the host stays.
const HOST_EXTRA: Duration = Duration::from_secs(3);
