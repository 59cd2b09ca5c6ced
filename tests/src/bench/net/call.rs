//! One call over a network with limits, of real programs.

use super::figures::{CallFigures, ExternalMeasurements};
use super::running::{OutputFolder, RunningProgram};
use super::turn_server::TurnServer;
use crate::bench::wait;
use crate::netlab::{Namespace, Netlab, NetworkSpec, Participant};
use anyhow::{Context, Result};
use engine::report::Report;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A call to hold.
#[derive(Debug)]
pub struct Call {
    /// What the links do. The times of its changes count from the start of the receiver.
    pub spec: NetworkSpec,
    /// How long the receiver stays in the meeting.
    pub length: Duration,
    /// The folder of `conclave` and `conclave-server`.
    pub programs: PathBuf,
    /// The Y4M file that both cameras play.
    pub clip: PathBuf,
    /// True if media take a TURN server over TLS, and the server has no media tunnel.
    pub turn: bool,
    /// The folder for reports and logs.
    pub out: PathBuf,
}

impl Call {
    /// Holds the call, and returns what the receiver measured.
    ///
    /// # Errors
    /// Returns a [`crate::netlab::Error`] if there is no network, or another error if a program does not start, fails, or does
    /// not end in time.
    pub fn hold(&self) -> Result<CallFigures> {
        let folder = OutputFolder::new(Some(&self.out))?;
        // Declared before the programs, so that it is dropped after them.
        let lab = Netlab::new(&self.spec)?;
        let turn = if self.turn { Some(TurnServer::start(&lab, &folder)?) } else { None };
        let arguments = turn.as_ref().map(|turn| turn.arguments.as_slice()).unwrap_or_default();
        let server = self.start_server(&lab, &folder, "server", arguments)?;
        let listening = server.first_line()?;
        let (_, fingerprint) = listening.split_once(" fingerprint ").context("the server prints its fingerprint")?;
        let address = format!("{}:{PORT}", Netlab::server_address(Participant::Sender));
        let meet = ["meet", "--server", &address, "--fingerprint", fingerprint];
        let sender = self.start_client(&lab, &folder, &SENDER, &meet)?;
        let link = sender.first_line()?;
        wait(SETTLING_TIME);
        let (bytes, processor) = (lab.received_bytes(Participant::Receiver)?, processor_time());
        let schedule = lab.start_schedule(&self.spec)?;
        // One second more, because the last second of the timeline must be over.
        let seconds = (self.length.as_secs() + 1).to_string();
        let receiver = self.start_client(&lab, &folder, &RECEIVER, &["join", &link, "--for", &seconds])?;
        receiver.end(self.length + JOIN_TIMEOUT)?;
        schedule.stop()?;
        let received_bytes = lab.received_bytes(Participant::Receiver)? - bytes;
        let processor = used(processor, processor_time());
        sender.interrupt();
        sender.end(END_TIMEOUT)?;
        let report = fs::read(folder.file(&RECEIVER.report()))?;
        let report: Report = serde_json::from_slice(&report).context("the receiver's report cannot be read")?;
        let measured =
            ExternalMeasurements { length: self.length, received_bytes, processor, changes: &self.spec.changes };
        Ok(CallFigures::new(&report, SENDER.name, &measured))
    }

    /// Starts the server, with further arguments. Its log is the file `NAME.log`.
    ///
    /// # Errors
    /// Returns an error if it does not start.
    pub fn start_server(
        &self,
        lab: &Netlab,
        folder: &OutputFolder,
        name: &str,
        arguments: &[String],
    ) -> Result<RunningProgram> {
        let mut server = self.command(lab, Namespace::Server, "conclave-server")?;
        server.arg("--listen").arg(format!("0.0.0.0:{PORT}")).arg("--data").arg(folder.file("data"));
        server.args(arguments);
        RunningProgram::start(name, server, folder)
    }

    /// Starts a client. `enter` are the arguments by which it enters the meeting.
    ///
    /// # Errors
    /// Returns an error if it does not start.
    pub fn start_client(
        &self,
        lab: &Netlab,
        folder: &OutputFolder,
        setup: &BenchClient,
        enter: &[&str],
    ) -> Result<RunningProgram> {
        let mut client = self.command(lab, setup.namespace, "conclave")?;
        client.args(enter).args(["--headless", "--no-recent", "--tile", "1280x720", "--speaker", "off"]);
        client.args(["--name", setup.name]).arg("--report").arg(folder.file(&setup.report()));
        client.arg("--camera").arg(format!("file:{}", self.clip.display()));
        let voice = |voice| format!("file:{}", assets().join("voices").join(voice).display());
        client.arg("--microphone").arg(setup.voice.map_or_else(|| "off".to_owned(), voice));
        RunningProgram::start(setup.name, client, folder)
    }

    /// Returns a command that runs a program before all other work of this machine: in a session of its own, whose group the
    /// scheduler prefers (sched(7), autogroup). Without this feature, other work disturbs the figures more.
    fn command(&self, lab: &Netlab, namespace: Namespace, program: &str) -> Result<Command> {
        let path = self.programs.join(program);
        let path = path.canonicalize().with_context(|| format!("{} is not built", path.display()))?;
        let mut command = lab.command(namespace, "setsid".as_ref());
        let script = "{ echo -20 > /proc/self/autogroup; } 2> /dev/null; exec \"$0\" \"$@\"";
        command.args(["sh", "-c", script]).arg(path);
        Ok(command)
    }
}

/// A client of the call.
#[derive(Debug)]
pub struct BenchClient {
    /// The name in the meeting.
    pub name: &'static str,
    namespace: Namespace,
    /// The file of its voice. `None` if it has no microphone.
    voice: Option<&'static str>,
}

impl BenchClient {
    /// Returns a sender without a microphone.
    pub const fn muted_sender(name: &'static str) -> Self {
        Self { name, namespace: Namespace::Sender, voice: None }
    }

    /// Returns the name of the file of its report.
    pub fn report(&self) -> String {
        format!("{}.json", self.name)
    }
}

/// The participant that is shown.
pub const SENDER: BenchClient = BenchClient { name: "sender", namespace: Namespace::Sender, voice: Some("anne.wav") };
/// The participant that measures.
pub const RECEIVER: BenchClient =
    BenchClient { name: "receiver", namespace: Namespace::Receiver, voice: Some("bob.wav") };

/// The folder of the demo's footage and voices.
pub fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo")
}

/// Returns the busy and the total processor time of this machine since its start, in ticks. Returns `None` if `/proc/stat`
/// cannot be read.
fn processor_time() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    // The first line is `cpu user nice system idle iowait irq softirq steal ...` (proc(5)).
    let fields: Vec<u64> = stat.lines().next()?.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
    let (all, idle) = (fields.iter().sum::<u64>(), fields.get(3)? + fields.get(4)?);
    Some((all - idle, all))
}

/// Returns the share of processor time that was used between two readings, from 0 to 1.
fn used(before: Option<(u64, u64)>, now: Option<(u64, u64)>) -> Option<f64> {
    let ((used_before, before), (used, now)) = before.zip(now)?;
    let part = |ticks: u64| u32::try_from(ticks).ok().map(f64::from);
    Some(part(used - used_before)? / part((now - before).max(1))?)
}

/// The port of the server.
pub const PORT: u16 = 7443;

/// How long the sender is in the meeting before the receiver joins.
const SETTLING_TIME: Duration = Duration::from_secs(2);

/// How long joining and leaving may take in addition to the call. They take long if packets are lost.
const JOIN_TIMEOUT: Duration = Duration::from_mins(1);

/// How long the sender may take to leave.
const END_TIMEOUT: Duration = Duration::from_secs(20);
