//! One call over a network with limits, of real programs.

use super::competing::{FlowFigures, TcpFlow};
use super::figures::{CallFigures, ExternalMeasurements, processor_time, round, used};
use super::heard;
use super::picture_quality::Reference;
use super::running::{OutputFolder, RunningProgram};
use super::turn_server::TurnServer;
use crate::bench::wait;
use crate::netlab::{LinkChange, LinkSetting, Namespace, Netlab, NetworkSpec, Participant};
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
    /// What else runs.
    pub extra: Option<ExtraProgram>,
    /// True if the receiver writes what it shows, for the quality of the pictures. That takes processor time.
    pub records_pictures: bool,
    /// The folder for reports and logs.
    pub out: PathBuf,
}

/// The files of a call or meeting.
#[derive(Clone, Copy, Debug)]
pub struct BenchFiles<'a> {
    /// The folder of `conclave` and `conclave-server`.
    pub programs: &'a Path,
    /// The Y4M file of the large cameras.
    pub clip: &'a Path,
    /// The Y4M file of the small cameras.
    pub small_clip: &'a Path,
    /// The folder for reports and logs.
    pub out: &'a Path,
}

/// A program that runs in addition to the server and the clients of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtraProgram {
    /// A TURN server over TLS, which media take. The server has no media tunnel.
    TurnServer,
    /// A TCP connection that sends as much as it can from the server's namespace to the receiver's.
    TcpFlow,
}

impl Call {
    /// Returns a call without limits and of no length, whose folder for reports is the current one.
    pub fn new(programs: PathBuf, clip: PathBuf) -> Self {
        let (spec, extra) = (NetworkSpec::default(), None);
        let (length, records_pictures, out) = (Duration::ZERO, false, PathBuf::new());
        Self { spec, length, programs, clip, extra, records_pictures, out }
    }

    /// Holds the call, and returns what the receiver measured.
    ///
    /// # Errors
    /// Returns a [`crate::netlab::Error`] if there is no network, or another error if a program does not start, fails, or does
    /// not end in time.
    pub fn hold(&self) -> Result<CallFigures> {
        let lab = Netlab::new(&self.spec)?;
        self.hold_over(&lab, &self.out)
    }

    /// Holds two calls, one after the other, over the same network. In the second one, the clients remember what they measured in the
    /// first one. Returns the figures of both.
    ///
    /// # Errors
    /// Returns the errors of [`Call::hold`].
    pub fn hold_twice(&self) -> Result<[CallFigures; 2]> {
        let lab = Netlab::new(&self.spec)?;
        let first = self.hold_over(&lab, &self.out)?;
        Ok([first, self.hold_over(&lab, &self.out.join("again"))?])
    }

    /// Holds a call over the networks of `lab`, and writes its reports and logs to the folder `out`. The programs end before it returns.
    fn hold_over(&self, lab: &Netlab, out: &Path) -> Result<CallFigures> {
        let folder = OutputFolder::new(Some(out))?;
        let turn =
            (self.extra == Some(ExtraProgram::TurnServer)).then(|| TurnServer::start(lab, &folder)).transpose()?;
        let arguments = turn.as_ref().map(|turn| turn.arguments.as_slice()).unwrap_or_default();
        let (_server, sender, link) = self.start_meeting(lab, &folder, arguments, &SENDER, &[])?;
        wait(SETTLING_TIME);
        let (bytes, processor) = (lab.received_bytes(Participant::Receiver)?, processor_time());
        let schedule = lab.start_schedule(&self.spec)?;
        let flow = (self.extra == Some(ExtraProgram::TcpFlow)).then(|| TcpFlow::start(lab, &folder)).transpose()?;
        // One second more, because the last second of the timeline must be over.
        let seconds = (self.length.as_secs() + 1).to_string();
        let receiver = self.start_client(lab, &folder, &RECEIVER, &["join", &link, "--for", &seconds])?;
        let competing = flow.as_ref().map(|_| self.measure_flow(lab, &receiver)).transpose()?;
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
        let figures = CallFigures::new(&report, SENDER.name, &measured);
        let voice = SENDER.voice().context("the sender speaks")?;
        let stoi = heard::intelligibility(&voice, &folder.file(&RECEIVER.played()))?;
        let psnr_db = self.quality_of_pictures(&folder)?;
        Ok(CallFigures { stoi: stoi.map(round), psnr_db, competing, ..figures })
    }

    /// Returns the mean PSNR of the shown pictures if they were written, and removes them.
    fn quality_of_pictures(&self, folder: &OutputFolder) -> Result<Option<f64>> {
        if !self.records_pictures {
            return Ok(None);
        }
        let pictures = folder.file(PICTURES);
        let psnr = Reference::read(&self.clip)?.of_dump(&pictures, SENDER.name)?;
        fs::remove_dir_all(pictures)?;
        Ok(psnr)
    }

    /// Measures the shares of the flow and of the call, from the moment at which the receiver is admitted.
    fn measure_flow(&self, lab: &Netlab, receiver: &RunningProgram) -> Result<FlowFigures> {
        receiver.first_line()?;
        let rate = |change: &LinkChange| {
            let LinkSetting::Down(rate) = change.setting else { return None };
            rate.filter(|_| change.participant == Participant::Receiver)
        };
        let capacity = self.spec.changes.iter().find_map(rate).context("the path beside a flow has a rate")?;
        TcpFlow::measure(lab, self.length, capacity)
    }

    /// Starts the server with `server_arguments`, and an organiser with the arguments `further`, who opens a meeting. Returns the server,
    /// the organiser and the link of the meeting.
    ///
    /// # Errors
    /// Returns an error if a program does not start.
    pub fn start_meeting(
        &self,
        lab: &Netlab,
        folder: &OutputFolder,
        server_arguments: &[String],
        organiser: &BenchClient,
        further: &[&str],
    ) -> Result<(RunningProgram, RunningProgram, String)> {
        let server = self.start_server(lab, folder, "server", server_arguments)?;
        let listening = server.first_line()?;
        let (_, fingerprint) = listening.split_once(" fingerprint ").context("the server prints its fingerprint")?;
        let address = format!("{}:{PORT}", Netlab::server_address(Participant::Sender));
        let meet = ["meet", "--server", &address, "--fingerprint", fingerprint];
        let organiser = self.start_client(lab, folder, organiser, &[&meet, further].concat())?;
        let link = organiser.first_line()?;
        Ok((server, organiser, link))
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
        client.args(enter).args(["--headless", "--no-recent"]);
        if !enter.contains(&"--tile") {
            client.args(["--tile", "1280x720"]);
        }
        let speaker =
            if setup.records { format!("file:{}", folder.file(&setup.played()).display()) } else { "off".into() };
        client.args(["--speaker", &speaker]);
        client.args(["--name", setup.name]).arg("--report").arg(folder.file(&setup.report()));
        if self.records_pictures && setup.records {
            client.arg("--dump").arg(folder.file(PICTURES));
        }
        let clip = setup.clip.as_ref().unwrap_or(&self.clip);
        client.arg("--camera").arg(format!("file:{}", clip.display()));
        // The user's own file is neither read nor written: each client is a computer of its own.
        client.env("XDG_STATE_HOME", std::path::absolute(&self.out)?.join("state").join(setup.name));
        let microphone = |voice: PathBuf| format!("file:{}", voice.display());
        client.arg("--microphone").arg(setup.voice().map_or_else(|| "off".to_owned(), microphone));
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
#[derive(Clone, Debug)]
pub struct BenchClient {
    /// The name in the meeting.
    pub name: &'static str,
    namespace: Namespace,
    /// The Y4M file of its camera. `None` if it is that of the call.
    clip: Option<PathBuf>,
    /// The file of its voice. `None` if it has no microphone.
    voice: Option<&'static str>,
    /// True if it writes what it plays into a file.
    records: bool,
}

impl BenchClient {
    /// Returns a sender without a microphone.
    pub const fn muted_sender(name: &'static str) -> Self {
        Self { name, namespace: Namespace::Sender, clip: None, voice: None, records: false }
    }

    /// Returns a guest with its own namespace and camera.
    pub fn guest(number: u8, voice: Option<&'static str>, clip: &Path) -> Self {
        let name = GUEST_NAMES[usize::from(number) % GUEST_NAMES.len()];
        Self { name, namespace: Namespace::Guest(number), clip: Some(clip.to_owned()), voice, records: false }
    }

    /// Returns the same client, which plays nothing.
    pub fn without_recording(self) -> Self {
        Self { records: false, ..self }
    }

    /// Returns the name of the file of its report.
    pub fn report(&self) -> String {
        format!("{}.json", self.name)
    }

    /// Returns the name of the file with what it played.
    fn played(&self) -> String {
        format!("{}.wav", self.name)
    }

    /// Returns the path of its voice.
    fn voice(&self) -> Option<PathBuf> {
        self.voice.map(|voice| assets().join("voices").join(voice))
    }
}

/// The participant that is shown.
pub const SENDER: BenchClient =
    BenchClient { name: "sender", namespace: Namespace::Sender, clip: None, voice: Some("anne.wav"), records: false };
/// The participant that measures.
pub const RECEIVER: BenchClient =
    BenchClient { name: "receiver", namespace: Namespace::Receiver, clip: None, voice: Some("bob.wav"), records: true };

/// The folder of the demo's footage and voices.
pub fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo")
}

/// The folder of the pictures that the receiver shows.
const PICTURES: &str = "pictures";

/// The names of guests.
const GUEST_NAMES: [&str; 7] = ["one", "two", "three", "four", "five", "six", "seven"];

/// The port of the server.
pub const PORT: u16 = 7443;

/// How long the sender is in the meeting before the receiver joins.
const SETTLING_TIME: Duration = Duration::from_secs(2);

/// How long joining and leaving may take in addition to the call. They take long if packets are lost.
const JOIN_TIMEOUT: Duration = Duration::from_mins(1);

/// How long the sender may take to leave.
const END_TIMEOUT: Duration = Duration::from_secs(20);
