//! A client without a window that the scenario controls by JSON lines, and whose steps it prints.

use crate::program::{NO_DEVICES, Program, TIMEOUT, client, until};
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// All of the people have this surname, which nothing else contains by chance.
pub const SURNAME: &str = "Quillfeather";

/// Returns the name that the others see.
pub fn full(name: &str) -> String {
    format!("{name} {SURNAME}")
}

/// A client.
pub struct Client {
    pub name: &'static str,
    pub program: Program,
    pub start: Instant,
}

/// What a manager saw of somebody who asked to join.
pub struct Asked {
    /// The participant.
    pub id: Vec<u8>,
    /// The key of its device.
    pub device: Vec<u8>,
}

impl Client {
    pub fn start(name: &'static str, mut command: Command, start: Instant) -> Self {
        command.args(NO_DEVICES).args(["--json", "--commands", "--no-recent", "--name", &full(name)]);
        Self { name, program: Program::start(name, with_input(command)), start }
    }

    /// Joins on a new device.
    pub fn join(name: &'static str, link: &str, start: Instant) -> Self {
        Self::join_with(name, client(&["join", "-"]), link, start)
    }

    /// Joins on the device whose key is in `folder`.
    pub fn join_on(name: &'static str, folder: &str, link: &str, start: Instant) -> Self {
        Self::join_with(name, client(&["join", "-", "--identity", folder]), link, start)
    }

    pub fn join_with(name: &'static str, command: Command, link: &str, start: Instant) -> Self {
        let mut client = Self::start(name, command, start);
        client.program.send_line(link);
        client.say("asks to join");
        client
    }

    pub fn say(&self, text: &str) {
        println!("{:7.3} s  {:<8} {text}", self.start.elapsed().as_secs_f64(), self.name);
    }

    pub fn send(&mut self, line: &str) {
        self.say(line);
        self.program.send_line(line);
    }

    /// Writes to all.
    pub fn chat(&mut self, text: &str) {
        self.send(&serde_json::json!({ "chat": text }).to_string());
    }

    pub fn events(&self) -> Vec<Value> {
        self.program.output().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits for an event, and returns what `wanted` finds in the newest one.
    pub fn wait<T>(&self, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
        let find = || self.events().iter().rev().find_map(&wanted);
        until(TIMEOUT, &format!("{}: {what}; it printed {:#?}", self.name, self.program.output()), || find().is_some());
        self.say(&format!("-> {what}"));
        find().expect("it was found")
    }

    pub fn until_entered(&self) {
        self.wait("is in the meeting", |event| event.get("entered").map(|_| ()));
    }

    /// Returns the newest list of people.
    pub fn people(&self) -> Vec<Value> {
        self.events().iter().rev().find_map(|event| event["people"].as_array().cloned()).unwrap_or_default()
    }

    /// Waits until the newest list of people is as `wanted`.
    pub fn until_people(&self, what: &str, wanted: impl Fn(&[Value]) -> bool) {
        let complaint = || format!("{}: {what}; it sees {:#?}", self.name, self.people());
        until(TIMEOUT, &complaint(), || wanted(&self.people()));
        self.say(&format!("-> {what}"));
    }

    /// Admits somebody by name, after this manager has seen who it is: `known` or `guest`. Returns the evidence.
    pub fn admit(&mut self, name: &str, identity: &str) -> Asked {
        let asked = self.wait(&format!("{name} asks to join; the device is {}", of(identity)), |event| {
            (event["asks"]["name"] == full(name) && event["asks"]["identity"] == identity)
                .then(|| event["asks"].clone())
        });
        self.say(&format!("-> the key of its device is {}", asked["device"]));
        self.send(&serde_json::json!({ "admit": { "name": full(name) } }).to_string());
        self::asked(&asked)
    }

    /// Returns how often somebody has asked to join.
    pub fn asked(&self) -> usize {
        self.events().iter().filter(|event| event["asks"].is_object()).count()
    }

    /// Asks for the counters, and returns them.
    pub fn report(&mut self) -> Value {
        let reports = |client: &Self| {
            let taken = |mut event: Value| Some(event["report"].take()).filter(|report| !report.is_null());
            client.events().into_iter().filter_map(taken).collect::<Vec<_>>()
        };
        let before = reports(self).len();
        self.program.send_line(r#"{"report":true}"#);
        until(TIMEOUT, &format!("{} prints its counters", self.name), || reports(self).len() > before);
        reports(self).pop().expect("it was printed")
    }

    /// Returns how many packets of a voice it has played, and how many frames it has dropped because their senders had no right to
    /// send them. `name` is that of a changed program, without a surname.
    pub fn heard(&mut self, name: &str) -> (u64, u64) {
        let report = self.report();
        let voices = report["audio"].as_array().into_iter().flatten().filter(|voice| voice["from"] == name);
        let played = voices.filter_map(|voice| voice["packets_played"].as_u64()).sum();
        (played, report["e2ee"]["not_allowed"].as_u64().expect("a counter"))
    }

    /// Returns how many pictures of somebody's screen it has shown.
    pub fn seen(&mut self, name: &str) -> u64 {
        let report = self.report();
        let screens = report["video"].as_array().into_iter().flatten();
        let of_name = screens.filter(|video| video["from"] == full(name) && video["track"] == "screen");
        of_name.filter_map(|video| video["frames_shown"].as_u64()).sum()
    }

    /// Polls counters until `done`. Returns them.
    pub fn poll<T: Copy + std::fmt::Debug>(
        &mut self,
        what: &str,
        counters: impl Fn(&mut Self) -> T,
        done: impl Fn(T) -> bool,
    ) -> T {
        let start = Instant::now();
        loop {
            let now = counters(self);
            if done(now) {
                self.say(&format!("-> {what}: {now:?}"));
                return now;
            }
            assert!(start.elapsed() < TIMEOUT, "{}: {what}, not {now:?}", self.name);
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }

    /// Returns the lines of the chat with their places, in the order of these.
    pub fn lines(&self) -> Vec<(u64, String)> {
        let line = |event: &Value| Some((event["chat"]["place"].as_u64()?, event["chat"]["text"].as_str()?.to_owned()));
        let mut lines: Vec<_> = self.events().iter().filter_map(line).collect();
        lines.sort();
        lines.dedup();
        lines
    }

    pub fn until_lines(&self, what: &str, done: impl Fn(&[(u64, String)]) -> bool) {
        until(TIMEOUT, &format!("{}: {what}, not {:?}", self.name, self.lines()), || done(&self.lines()));
        self.say(&format!("-> {what}"));
    }

    /// Waits until these are all lines.
    pub fn until_reads_only(&self, wanted: &[&str]) {
        self.until_lines(&format!("reads {wanted:?}"), |lines| lines.iter().map(|line| &line.1).eq(wanted));
    }

    /// Waits until it has read a line.
    pub fn until_reads(&self, text: &str) {
        self.until_lines(&format!("reads {text:?}"), |lines| lines.iter().any(|line| line.1 == text));
    }

    pub fn leave(mut self) {
        self.send(r#"{"leave":true}"#);
        assert_eq!(self.program.end(TIMEOUT).code, Some(0));
    }

    /// Waits until the program ends, and expects that it was not let in for this reason.
    pub fn expect_refusal(self, reason: &str) {
        let (name, start) = (self.name, self.start);
        let outcome = self.program.end(TIMEOUT);
        assert!(outcome.code == Some(1) && outcome.err.contains(reason), "{name}: {outcome:?}");
        println!("{:7.3} s  {name:<8} -> ends with code 1: {reason}", start.elapsed().as_secs_f64());
    }
}

/// Returns the evidence in an event of somebody who asks to join.
pub fn asked(asks: &Value) -> Asked {
    let [id, device] = ["id", "device"].map(|field| hex(asks[field].as_str().expect("a text")));
    Asked { id, device }
}

pub fn person<'a>(people: &'a [Value], name: &str) -> Option<&'a Value> {
    people.iter().find(|person| person["name"] == full(name))
}

pub fn has_right(people: &[Value], name: &str, right: &str) -> bool {
    person(people, name)
        .is_some_and(|one| one["rights"].as_array().is_some_and(|all| all.iter().any(|one| one == right)))
}

pub fn has_role(people: &[Value], name: &str, role: &str) -> bool {
    person(people, name).is_some_and(|one| one["role"] == role)
}

/// Pipes the standard input of a program.
pub fn with_input(mut command: Command) -> Command {
    command.stdin(Stdio::piped());
    command
}

fn of(identity: &str) -> &str {
    if identity == "known" { "one that was a member before" } else { "a new one" }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("digits");
    digits.chunks(2).map(byte).collect()
}
