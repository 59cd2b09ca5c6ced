//! A whole meeting on this machine: one process with the server and the first participant, one for each other.

mod cast;
mod summary;

use super::display;
use super::headless::write_report;
use super::options::Demo;
use anyhow::{Context, Result, bail};
use cast::Role;
use engine::report::Report;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Runs the meeting, then puts everybody's report together as `report.json`.
///
/// # Errors
/// Where footage is missing, a participant cannot start, or one ends with an error.
pub fn run(demo: &Demo) -> Result<()> {
    fs::create_dir_all(&demo.out).with_context(|| format!("cannot make the folder {}", demo.out.display()))?;
    let missing = if demo.headless { None } else { display::missing() };
    let headless = demo.headless || missing.is_some();
    if let Some(missing) = missing {
        println!("There is no display ({missing}): the meeting is drawn into a picture instead.");
    }
    let seconds = demo.seconds.or(headless.then_some(UNATTENDED));
    let cast = cast::of(demo)?;
    let (first, others) = cast.split_first().context("a meeting has at least two participants")?;
    let (mut host, link) = start_host(demo, first, &cast, seconds, headless)?;
    println!("Meeting: {link}");
    let guests = others.iter().map(|role| start_guest(demo, role, &cast, &link, seconds)).collect::<Result<Crowd>>();
    let mut guests = match guests {
        Ok(guests) => guests,
        Err(error) => {
            end(&mut host);
            return Err(error);
        }
    };
    println!("{} people are in it{}.", cast.len(), length(seconds));
    let status = host.wait()?;
    let ended = guests.wait();
    report(demo, &cast)?;
    if !status.success() {
        bail!("{} ended with {status}", first.name);
    }
    ended
}

fn report(demo: &Demo, cast: &[Role]) -> Result<()> {
    let mut reports = Vec::new();
    for role in cast {
        let path = demo.out.join(format!("{}.json", role.name));
        let Ok(json) = fs::read(&path) else {
            println!("{} left no report.", role.name);
            continue;
        };
        reports.push(serde_json::from_slice::<Report>(&json).with_context(|| format!("{}", path.display()))?);
        // Its content goes on in report.json.
        let _ = fs::remove_file(path);
    }
    let report = Report::merge(reports);
    let path = demo.out.join("report.json");
    write_report(Some(&path), &report)?;
    summary::print(&report);
    println!("report.json and meeting.png lie in {}", demo.out.display());
    Ok(())
}

fn start_host(
    demo: &Demo,
    role: &Role,
    cast: &[Role],
    seconds: Option<Duration>,
    headless: bool,
) -> Result<(Child, String)> {
    let mut command = client()?;
    command.args(["meet", "--listen", "127.0.0.1:0"]);
    role.devices(&mut command);
    // The host outlasts the guests, so that nobody is cut off.
    arguments(&mut command, demo, role, cast, seconds.map(|seconds| seconds + OUTLAST));
    command.arg("--picture").arg(demo.out.join("meeting.png"));
    if headless {
        command.arg("--headless");
    }
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start the first participant")?;
    let output = child.stdout.take().context("the output was piped")?;
    let mut link = String::new();
    BufReader::new(output).read_line(&mut link)?;
    if link.trim().is_empty() {
        end(&mut child);
        bail!("the first participant did not get into its own meeting");
    }
    Ok((child, link.trim().to_owned()))
}

fn start_guest(demo: &Demo, role: &Role, cast: &[Role], link: &str, seconds: Option<Duration>) -> Result<Guest> {
    let mut command = client()?;
    command.args(["join", link, "--headless"]);
    role.devices(&mut command);
    arguments(&mut command, demo, role, cast, seconds);
    let child = command.stdout(Stdio::null()).spawn().with_context(|| format!("cannot start {}", role.name))?;
    Ok(Guest { name: role.name.clone(), child, timed: seconds.is_some() })
}

fn client() -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.stdin(Stdio::null());
    Ok(command)
}

fn arguments(command: &mut Command, demo: &Demo, role: &Role, cast: &[Role], seconds: Option<Duration>) {
    command.args(["--name", &role.name]);
    command.arg("--report").arg(demo.out.join(format!("{}.json", role.name)));
    if let Some(seconds) = seconds {
        command.args(["--for", &seconds.as_secs_f64().to_string()]);
    }
    for other in cast.iter().filter(|other| other.name != role.name) {
        if let Some(footage) = &other.footage {
            command.arg("--reference").arg(format!("{}={}", other.name, footage.display()));
        }
    }
}

/// The guests' processes. Dropping them ends them.
struct Crowd {
    guests: Vec<Guest>,
}

struct Guest {
    name: String,
    child: Child,
    /// Leaves by itself; else it stays for as long as the host does.
    timed: bool,
}

impl FromIterator<Guest> for Crowd {
    fn from_iter<I: IntoIterator<Item = Guest>>(guests: I) -> Self {
        Self { guests: guests.into_iter().collect() }
    }
}

impl Crowd {
    /// Waits for those who leave by themselves. Those whose meeting just ended with its server have nothing more to do.
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

impl Drop for Crowd {
    fn drop(&mut self) {
        self.guests.iter_mut().for_each(|guest| end(&mut guest.child));
    }
}

fn end(child: &mut Child) {
    // One that has ended already needs no ending.
    let _ = child.kill();
    let _ = child.wait();
}

fn length(seconds: Option<Duration>) -> String {
    seconds.map_or_else(String::new, |seconds| format!(" for {} s", seconds.as_secs_f64()))
}

/// How long a meeting lasts that nobody can close.
const UNATTENDED: Duration = Duration::from_secs(15);

/// How much longer than its guests the host stays.
const OUTLAST: Duration = Duration::from_secs(3);
