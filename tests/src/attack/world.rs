//! The honest side of an attack, as real processes: the server, the organiser and two guests, whose connections have a
//! round trip of 100 ms; and what they notice.

use crate::delay_proxy::DelayProxy;
use crate::program::{NO_DEVICES, Program, TIMEOUT, client, command, server};
use crate::temp_folder::TempFolder;
use anyhow::{Context, Result, bail};
use crypto::Invitation;
use proto::ParticipantId;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A server, and a meeting on it.
pub struct World {
    /// The address of the server.
    pub address: SocketAddr,
    server: Program,
    idle_bytes: u64,
    max_bytes: u64,
    organiser: Program,
    guests: Vec<(&'static str, Program)>,
    /// How many lines of each guest were read.
    marks: Vec<usize>,
    /// How many lines of the organiser were read.
    organiser_mark: usize,
    folder: TempFolder,
    _proxy: DelayProxy,
}

/// A server as a process.
pub struct Host {
    /// The process.
    pub program: Program,
    /// Its address.
    pub address: SocketAddr,
    /// SHA-256 of its certificate.
    pub fingerprint: String,
}

impl Host {
    /// Starts a server that keeps its certificate in `data`.
    ///
    /// # Errors
    /// Returns an error if the line that it prints is not as expected.
    pub fn start(data: &str) -> Result<Self> {
        let mut command = server(&["--listen", "127.0.0.1:0", "--data", data]);
        command.env("RUST_LOG", "warn");
        let program = Program::start("server", command);
        let line = program.first_line();
        let words: Vec<&str> = line.split(' ').collect();
        let ["listening", "on", address, "fingerprint", fingerprint] = words[..] else { bail!("{line}") };
        Ok(Self { address: address.parse()?, fingerprint: fingerprint.to_owned(), program })
    }
}

impl World {
    /// Starts all processes, and waits until the guests are members.
    ///
    /// # Errors
    /// Returns an error if one does not start.
    pub fn start() -> Result<Self> {
        let folder = TempFolder::create("attack-world")?;
        let Host { program: server, address, fingerprint } = Host::start(&folder.path("data"))?;
        let idle_bytes = server.resident_bytes();
        let proxy = DelayProxy::before(address, ROUND_TRIP)?;
        let clip = folder.path(CAMERA);
        fs::write(&clip, camera())?;
        let port = proxy.port().to_string();
        let mut command = command("attack", &["organiser", &port, &fingerprint, &clip, &folder.path(ORGANISER)]);
        command.stdin(Stdio::piped());
        let organiser = Program::start("organiser", command);
        let mut world = Self {
            address,
            server,
            idle_bytes,
            max_bytes: idle_bytes,
            organiser,
            guests: Vec::new(),
            marks: Vec::new(),
            organiser_mark: 0,
            folder,
            _proxy: proxy,
        };
        world.wait(TIMEOUT, "the organiser has a link", |world| world.link().is_some())?;
        for name in GUESTS {
            let link = world.link().context("there is a link")?;
            let guest = world.join(name, &link)?;
            world.guests.push((name, guest));
            world.marks.push(0);
            let count = world.guests.len() + 1;
            world.wait(TIMEOUT, "the guest is a member", |world| world.people().len() == count)?;
        }
        Ok(world)
    }

    /// Lets an honest guest with a camera join by a link.
    ///
    /// # Errors
    /// Returns an error if it does not start.
    pub fn join(&self, name: &str, link: &str) -> Result<Program> {
        let (camera, dump) = (format!("file:{}", self.folder.path(CAMERA)), self.folder.path(name));
        let devices = ["--headless", "--camera", &camera, "--microphone", "off", "--speaker", "off"];
        let files = ["--tile", "320x180", "--dump", &dump, "--name", name, "--no-recent"];
        let mut command = client(&[&["join", "-", "--json", "--commands"], &devices[..], &files].concat());
        command.stdin(Stdio::piped());
        // As by default, without the messages that the MLS library does not open.
        command.env("CONCLAVE_LOG", "warn,conclave=info,openmls=off");
        let mut program = Program::start(name, command);
        program.send_line(link);
        Ok(program)
    }

    /// Lets an honest newcomer join by the link. Returns how long it took.
    ///
    /// # Errors
    /// Returns an error if it is not admitted in time.
    pub fn newcomer(&self, limit: Duration) -> Result<Duration> {
        let link = self.link().context("there is a link")?;
        enter(&link, limit)
    }

    /// Lets an honest newcomer join without the slow connection of the others. Returns how long it took.
    ///
    /// # Errors
    /// Returns an error if it is not admitted in time.
    pub fn direct_newcomer(&self) -> Result<Duration> {
        let link: Invitation = self.link().context("there is a link")?.parse()?;
        let direct = link.at("127.0.0.1", self.address.port(), link.fingerprint).to_text();
        enter(&direct, TIMEOUT)
    }

    /// Returns the newest link of the meeting.
    pub fn link(&self) -> Option<String> {
        self.last("link ")
    }

    /// Returns the members, as the organiser sees them.
    pub fn people(&self) -> Vec<ParticipantId> {
        let list = self.last("people ").unwrap_or_default();
        list.split(' ').filter_map(|id| id.parse().ok().map(ParticipantId)).collect()
    }

    fn last(&self, key: &str) -> Option<String> {
        let lines = self.organiser.output();
        lines.iter().rev().find_map(|line| line.strip_prefix(key).map(str::to_owned))
    }

    /// Lets the organiser remove a member.
    pub fn remove(&mut self, participant: ParticipantId) {
        self.organiser.send_line(&format!("remove {}", participant.0));
    }

    /// Returns the role and the rights of each member, as the organiser sees them: `ID:ROLE:BITS`.
    pub fn rights(&self) -> Vec<String> {
        self.last("rights ").unwrap_or_default().split(' ').map(str::to_owned).collect()
    }

    /// Gives the organiser a command about a member: `promote`, `demote`, `mute` or `allow`.
    pub fn command(&mut self, word: &str, participant: ParticipantId) {
        self.organiser.send_line(&format!("{word} {}", participant.0));
    }

    /// Gives the organiser a command that is not about a member.
    pub fn say(&mut self, line: &str) {
        self.organiser.send_line(line);
    }

    /// Lets the first honest guest choose an answer of the last vote, by its number.
    ///
    /// # Errors
    /// Returns an error if it knows no vote.
    pub fn choose(&mut self, choice: u8) -> Result<()> {
        let guest = &mut self.guests[0].1;
        let vote = last_vote(guest).context("it knows a vote")?;
        let id = vote["id"].as_str().context("a line has an id")?;
        guest.send_line(&serde_json::json!({ "ballot": { "vote": id, "choice": choice } }).to_string());
        Ok(())
    }

    /// Returns what the organiser and each honest guest know of the last vote: whether it has ended, the ballots, and the counts.
    pub fn votes(&self) -> Vec<String> {
        let organiser = self.last("votes ").and_then(|votes| votes.split(' ').next_back().map(str::to_owned));
        let guests = self.guests.iter().map(|(_, guest)| last_vote(guest).map(|line| described(&line["vote"])));
        std::iter::once(organiser).chain(guests).map(Option::unwrap_or_default).collect()
    }

    /// Returns what each honest guest has heard of somebody.
    ///
    /// # Errors
    /// Returns an error if a guest does not print its counters.
    pub fn heard(&mut self, name: &str) -> Result<Vec<VoiceCounters>> {
        self.guests.iter_mut().map(|(_, guest)| VoiceCounters::by(guest, name)).collect()
    }

    /// Returns each member as each honest guest sees it: name, role and rights by id. A change of a microphone or camera is no difference.
    pub fn seen_members(&self) -> Vec<BTreeMap<String, String>> {
        self.guests.iter().map(|(_, guest)| last_people(guest)).collect()
    }

    /// Returns whose keys each honest guest has found to differ from its own, at any time so far, and in its newest report.
    pub fn differing(&self) -> Vec<(BTreeSet<String>, BTreeSet<String>)> {
        self.guests.iter().map(|(_, guest)| differing(guest)).collect()
    }

    /// Returns what each honest guest has seen others type.
    pub fn typed(&self) -> Vec<Vec<String>> {
        let text = |line: &String| {
            let event: Value = serde_json::from_str(line).ok()?;
            event["typing"]["text"].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
        };
        self.guests.iter().map(|(_, guest)| guest.output().iter().filter_map(text).collect()).collect()
    }

    /// Returns how many votes the organiser knows.
    pub fn vote_count(&self) -> usize {
        self.last("votes ").unwrap_or_default().split_whitespace().count()
    }

    /// Returns how many members each guest saw last.
    pub fn seen_by_guests(&self) -> Vec<usize> {
        let last = |guest: &Program| {
            let lines = guest.errors(0);
            let count = lines.iter().rev().find_map(|line| line.split_once("people=")?.1.trim().parse().ok());
            count.unwrap_or(0)
        };
        self.guests.iter().map(|(_, guest)| last(guest)).collect()
    }

    /// Waits until `done`, for at most `limit`.
    ///
    /// # Errors
    /// Returns an error with `what` if it is not done in time.
    pub fn wait(&self, limit: Duration, what: &str, done: impl Fn(&Self) -> bool) -> Result<Duration> {
        let start = Instant::now();
        while !done(self) {
            if start.elapsed() > limit {
                bail!("not within {limit:?}: {what}; organiser: {:?}", self.organiser.output());
            }
            pause();
        }
        Ok(start.elapsed())
    }

    /// Returns what went wrong on the honest side since the last call: programs that ended, and lines that report a
    /// lost member, connection or meeting.
    pub fn complaints(&mut self) -> Vec<String> {
        self.max_bytes = self.max_bytes.max(self.server.resident_bytes());
        let mut complaints = Vec::new();
        for ((name, guest), mark) in self.guests.iter().zip(&mut self.marks) {
            let lines = guest.errors(*mark);
            *mark += lines.len();
            complaints.extend(lines.iter().filter(|line| is_bad(line)).map(|line| format!("{name}: {line}")));
            if !guest.is_running() {
                complaints.push(format!("{name} has ended"));
            }
        }
        let lines = self.organiser.output();
        let new = lines.iter().skip(self.organiser_mark);
        complaints.extend(new.filter(|line| is_bad_of_organiser(line)).map(|line| format!("{ORGANISER}: {line}")));
        self.organiser_mark = lines.len();
        for (name, program) in [(ORGANISER, &self.organiser), ("the server", &self.server)] {
            let panics = program.errors(0).into_iter().filter(|line| line.contains("panicked"));
            complaints.extend(panics.map(|line| format!("{name}: {line}")));
            if !program.is_running() {
                complaints.push(format!("{name} has ended"));
            }
        }
        complaints
    }

    /// Returns by how many bytes the server uses more memory than when it was idle: now, and at most since it started.
    pub fn grown_bytes(&mut self) -> (u64, u64) {
        let now = self.server.resident_bytes();
        self.max_bytes = self.max_bytes.max(now);
        (now.saturating_sub(self.idle_bytes), self.max_bytes.saturating_sub(self.idle_bytes))
    }

    /// Returns the fewest pictures a second that an honest member saw of another one in any window of some seconds that
    /// begins after `from` and ends before `to`, in microseconds of the system's monotonic clock.
    pub fn min_pictures_per_second(&self, from: u64, to: u64) -> f64 {
        let names = [GUESTS[0], GUESTS[1], ORGANISER];
        let pairs = names.iter().flat_map(|by| names.iter().map(move |of| (*by, *of))).filter(|(by, of)| by != of);
        let rates = pairs.map(|(by, of)| {
            let shown = shown(&self.folder.join(by), of);
            lowest_rate(&shown, from, to)
        });
        rates.fold(f64::INFINITY, f64::min)
    }

    /// Ends the meeting. Returns what went wrong at the end.
    pub fn end(mut self) -> Vec<String> {
        let mut complaints = self.complaints();
        for (name, guest) in self.guests.drain(..) {
            // A program that has ended takes no signal.
            let outcome = if guest.is_running() { guest.leave() } else { guest.end(TIMEOUT) };
            if outcome.code != Some(0) {
                complaints.push(format!("{name} ended with {:?}", outcome.code));
            }
        }
        self.organiser.send_line("leave");
        let outcome = self.organiser.end(TIMEOUT);
        if outcome.code != Some(0) {
            complaints.push(format!("{ORGANISER} ended with {:?}: {}", outcome.code, outcome.err));
        }
        if self.server.is_running() {
            self.server.signal("TERM");
        }
        let outcome = self.server.end(TIMEOUT);
        if outcome.code != Some(0) {
            complaints.push(format!("the server ended with {:?}", outcome.code));
        }
        complaints
    }
}

/// What a guest has heard.
#[derive(Clone, Copy, Debug)]
pub struct VoiceCounters {
    /// Packets of somebody's voice that it has played.
    pub played: u64,
    /// Frames of all that it has dropped, because their senders had no right to send them.
    pub not_allowed: u64,
    /// Frames of all that it has dropped, because their owners have not signed them, or have signed others.
    pub unproven: u64,
}

impl VoiceCounters {
    /// Lets a guest print its counters. `name` is whose voice is meant.
    ///
    /// # Errors
    /// Returns an error if it does not print them.
    pub fn by(guest: &mut Program, name: &str) -> Result<Self> {
        let report = report(guest)?;
        let voices = report["audio"].as_array().into_iter().flatten().filter(|voice| voice["from"] == name);
        let played = voices.filter_map(|voice| voice["packets_played"].as_u64()).sum();
        let count = |name: &str| report["e2ee"][name].as_u64().with_context(|| format!("no counter {name}"));
        Ok(Self { played, not_allowed: count("not_allowed")?, unproven: count("unproven")? + count("forged")? })
    }
}

/// What a guest has seen.
#[derive(Clone, Copy, Debug)]
pub struct PictureCounters {
    /// Pictures of somebody's camera that it has shown.
    pub shown: u64,
    /// Frames of all that it has dropped, because their owners have not signed them, or have signed others.
    pub unproven: u64,
}

impl PictureCounters {
    /// Lets a guest print its counters. `name` is whose camera is meant.
    ///
    /// # Errors
    /// Returns an error if it does not print them.
    pub fn by(guest: &mut Program, name: &str) -> Result<Self> {
        let report = report(guest)?;
        let cameras = report["video"].as_array().into_iter().flatten();
        let of_name = cameras.filter(|video| video["from"] == name && video["track"] == "camera");
        let shown = of_name.filter_map(|video| video["frames_shown"].as_u64()).sum();
        let count = |name: &str| report["e2ee"][name].as_u64().with_context(|| format!("no counter {name}"));
        Ok(Self { shown, unproven: count("unproven")? + count("forged")? })
    }
}

/// Returns the members of the newest list that a guest has printed.
fn last_people(guest: &Program) -> BTreeMap<String, String> {
    let lines = guest.output();
    let mut events = lines.iter().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let people = events.find_map(|event| event["people"].as_array().cloned()).unwrap_or_default();
    let described = |person: Value| format!("{} {} {}", person["name"], person["role"], person["rights"]);
    people.into_iter().map(|person| (person["id"].as_str().unwrap_or_default().to_owned(), described(person))).collect()
}

/// Returns the ids in all reports of differing keys, and in the newest one.
fn differing(guest: &Program) -> (BTreeSet<String>, BTreeSet<String>) {
    let ids = |line: &String| -> Option<BTreeSet<String>> {
        let event: Value = serde_json::from_str(line).ok()?;
        let ids = event["agreement"]["differ"].as_array()?;
        Some(ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect())
    };
    let reports: Vec<_> = guest.output().iter().filter_map(ids).collect();
    (reports.iter().flatten().cloned().collect(), reports.last().cloned().unwrap_or_default())
}

/// Returns the counters of a guest.
fn report(guest: &mut Program) -> Result<Value> {
    let reports = |guest: &Program| -> Vec<String> {
        guest.output().into_iter().filter(|line| line.starts_with("{\"report\"")).collect()
    };
    let (before, start) = (reports(guest).len(), Instant::now());
    guest.send_line("{\"report\":true}");
    while reports(guest).len() <= before {
        if start.elapsed() > TIMEOUT {
            bail!("it does not print its counters: {:?}", guest.errors(0));
        }
        pause();
    }
    let mut last: Value = serde_json::from_str(reports(guest).last().context("a report")?)?;
    Ok(last["report"].take())
}

/// Returns the newest event of the newest vote that a guest has printed.
fn last_vote(guest: &Program) -> Option<Value> {
    let lines = guest.output();
    let events = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let votes: Vec<_> = events.map(|mut event| event["chat"].take()).filter(|line| !line["vote"].is_null()).collect();
    let newest = votes.iter().map(|line| line["place"].as_u64()).max()?;
    votes.into_iter().rfind(|line| line["place"].as_u64() == newest)
}

/// Describes a vote as the organiser's program does.
fn described(vote: &Value) -> String {
    let options = vote["options"].as_array().cloned().unwrap_or_default();
    let counts: Vec<_> =
        options.iter().map(|option| option["count"].as_u64().map_or("-".into(), |count| count.to_string())).collect();
    format!("{}:{}:{}", vote["ended"], vote["ballots"], counts.join(","))
}

/// Joins by a link, and leaves. Returns how long joining took.
fn enter(link: &str, limit: Duration) -> Result<Duration> {
    let mut command = client(&[&["join", link, "--no-recent"], NO_DEVICES.as_slice()].concat());
    command.env("CONCLAVE_LOG", "conclave=info");
    let (start, newcomer) = (Instant::now(), Program::start("newcomer", command));
    let entered = |newcomer: &Program| newcomer.errors(0).iter().any(|line| line.contains("participants people="));
    while !entered(&newcomer) {
        if start.elapsed() > limit || !newcomer.is_running() {
            bail!("not admitted within {limit:?}: {:?}", newcomer.errors(0));
        }
        pause();
    }
    let took = start.elapsed();
    if newcomer.is_running() {
        newcomer.leave();
    }
    Ok(took)
}

/// Returns now in microseconds of the system's monotonic clock, as the dumps have it.
pub fn now_us() -> u64 {
    engine::clock::system().now().as_micros()
}

fn is_bad(line: &str) -> bool {
    let bad = ["panicked", " ERROR ", "removed you", "ended the meeting", "Reconnecting", "The server", "Server error"];
    bad.iter().any(|part| line.contains(part))
}

fn is_bad_of_organiser(line: &str) -> bool {
    ["ended ", "notice Reconnecting", "notice NotRemoved"].iter().any(|part| line.starts_with(part))
}

/// Returns when pictures of `of` were shown, from the dumps in `folder`.
fn shown(folder: &Path, of: &str) -> Vec<u64> {
    let mut times = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_table = entry.path().extension().is_some_and(|extension| extension == "csv");
        if name.starts_with(of) && is_table {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            times.extend(text.lines().filter_map(|line| line.rsplit(',').next()?.parse::<u64>().ok()));
        }
    }
    times.sort_unstable();
    times
}

/// Returns the fewest pictures a second in any window of [`WINDOW`] between `from` and `to`.
fn lowest_rate(shown: &[u64], from: u64, to: u64) -> f64 {
    let window = u64::try_from(WINDOW.as_micros()).unwrap_or(u64::MAX);
    let starts = (0..).map(|step| from + step * window / 2).take_while(|start| start + window <= to);
    let count = |start: u64| shown.iter().filter(|at| (start..start + window).contains(at)).count();
    let fewest = starts.map(count).min().unwrap_or(0);
    f64::from(u32::try_from(fewest).unwrap_or(u32::MAX)) / WINDOW.as_secs_f64()
}

/// Returns a small clip of 30 pictures a second with a moving square, as a Y4M file.
fn camera() -> Vec<u8> {
    let (width, height) = (96, 64);
    let mut bytes = format!("YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C420jpeg\n").into_bytes();
    for number in 0..60 {
        bytes.extend_from_slice(b"FRAME\n");
        let inside = |x: usize, y: usize| (number..number + 24).contains(&x) && (20..44).contains(&y);
        bytes.extend((0..height).flat_map(|y| (0..width).map(move |x| if inside(x, y) { 200 } else { 60 })));
        bytes.extend(vec![128; width * height / 2]);
    }
    bytes
}

/// Waits a moment: nothing notifies about lines of other programs.
pub fn pause() {
    std::thread::park_timeout(Duration::from_millis(10));
}

const GUESTS: [&str; 2] = ["Ben", "Cleo"];
const ORGANISER: &str = "Olga";

/// The file with the pictures of the cameras.
const CAMERA: &str = "camera.y4m";

/// The round trip between the honest members and the server.
pub const ROUND_TRIP: Duration = Duration::from_millis(100);

/// The time over which pictures are counted.
const WINDOW: Duration = Duration::from_secs(4);
