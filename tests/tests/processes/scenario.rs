//! A whole meeting of real processes over a real server: a waiting room, rights that come and go, a muted guest with a changed program, a
//! vote, a hand-over, and a person who is removed by the one to whom the meeting was handed. Its log can be read: `cargo xtask scenario`.

use crate::program::{NO_DEVICES, Outcome, Program, TIMEOUT, client, command, lock_meetings, server, until};
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::Instant;
use tests::temp_folder::TempFolder;

/// A client without a window, which the test controls by JSON lines.
struct Client {
    name: &'static str,
    program: Program,
    start: Instant,
}

impl Client {
    fn start(name: &'static str, mut command: Command, start: Instant) -> Self {
        command.args(NO_DEVICES).args(["--json", "--commands", "--no-recent", "--name", name]).stdin(Stdio::piped());
        Self { name, program: Program::start(name, command), start }
    }

    fn join(name: &'static str, link: &str, start: Instant) -> Self {
        let mut client = Self::start(name, client(&["join", "-"]), start);
        client.program.send_line(link);
        client.say("asks to join");
        client
    }

    fn say(&self, text: &str) {
        println!("{:7.3} s  {:<8} {text}", self.start.elapsed().as_secs_f64(), self.name);
    }

    fn send(&mut self, line: &str) {
        self.say(line);
        self.program.send_line(line);
    }

    fn events(&self) -> Vec<Value> {
        self.program.output().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits for an event, and returns what `wanted` finds in it.
    fn wait<T>(&self, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
        let find = || self.events().iter().rev().find_map(&wanted);
        until(TIMEOUT, &format!("{}: {what}; it printed {:#?}", self.name, self.program.output()), || find().is_some());
        self.say(&format!("-> {what}"));
        find().expect("it was found")
    }

    /// Waits until the newest list of people is as `wanted`.
    fn until_people(&self, what: &str, wanted: impl Fn(&[Value]) -> bool) {
        let newest = || self.events().iter().rev().find_map(|event| event["people"].as_array().cloned());
        until(TIMEOUT, &format!("{}: {what}; it sees {:#?}", self.name, newest()), || {
            newest().is_some_and(|people| wanted(&people))
        });
        self.say(&format!("-> {what}"));
    }

    /// Asks for the counters, and returns them.
    fn report(&mut self) -> Value {
        let reports = |client: &Self| {
            client
                .events()
                .into_iter()
                .filter_map(|mut event| {
                    let report = event["report"].take();
                    (!report.is_null()).then_some(report)
                })
                .collect::<Vec<_>>()
        };
        let before = reports(self).len();
        self.program.send_line(r#"{"report":true}"#);
        until(TIMEOUT, &format!("{} prints its counters", self.name), || reports(self).len() > before);
        reports(self).pop().expect("it was printed")
    }

    /// Returns how many packets of somebody's voice it has played, and how many frames it has dropped because their senders had no
    /// right to send them.
    fn heard(&mut self, name: &str) -> (u64, u64) {
        let report = self.report();
        let voices = report["audio"].as_array().into_iter().flatten().filter(|voice| voice["from"] == name);
        let played = voices.filter_map(|voice| voice["packets_played"].as_u64()).sum();
        (played, report["e2ee"]["not_allowed"].as_u64().expect("a counter"))
    }

    /// Polls the counters until `done`.
    fn until_heard(&mut self, name: &str, what: &str, done: impl Fn((u64, u64)) -> bool) -> (u64, u64) {
        let start = Instant::now();
        loop {
            let heard = self.heard(name);
            if done(heard) {
                self.say(&format!("-> {what}: {} packets played, {} dropped", heard.0, heard.1));
                return heard;
            }
            assert!(start.elapsed() < TIMEOUT, "{}: {what}, not {heard:?}", self.name);
            std::thread::park_timeout(std::time::Duration::from_millis(100));
        }
    }

    /// Returns the texts of the chat, in the order of their places.
    fn chat(&self) -> Vec<String> {
        let events = self.events();
        let mut lines: Vec<(u64, String)> = events
            .iter()
            .filter_map(|event| Some((event["chat"]["place"].as_u64()?, event["chat"]["text"].as_str()?.to_owned())))
            .collect();
        lines.sort();
        lines.dedup();
        lines.into_iter().map(|(_, text)| text).collect()
    }

    fn until_chat(&self, wanted: &[&str]) {
        until(TIMEOUT, &format!("{} reads {wanted:?}, not {:?}", self.name, self.chat()), || self.chat() == wanted);
        self.say(&format!("-> reads {wanted:?}"));
    }

    fn until_chat_ends_with(&self, text: &str) {
        let is_last = || self.chat().last().is_some_and(|last| last == text);
        until(TIMEOUT, &format!("{} reads {text:?}, not {:?}", self.name, self.chat()), is_last);
        self.say(&format!("-> reads {text:?}"));
    }

    fn leave(mut self) {
        self.send(r#"{"leave":true}"#);
        assert_eq!(self.program.end(TIMEOUT).code, Some(0));
    }
}

fn person<'a>(people: &'a [Value], name: &str) -> Option<&'a Value> {
    people.iter().find(|person| person["name"] == name)
}

fn has_right(people: &[Value], name: &str, right: &str) -> bool {
    person(people, name)
        .is_some_and(|one| one["rights"].as_array().is_some_and(|all| all.iter().any(|one| one == right)))
}

fn has_role(people: &[Value], name: &str, role: &str) -> bool {
    person(people, name).is_some_and(|one| one["role"] == role)
}

/// Admits somebody by name, after the manager has seen who it is.
fn admit(manager: &mut Client, name: &str) {
    manager.wait(&format!("{name} asks to join, as a guest"), |event| {
        (event["asks"]["name"] == name && event["asks"]["identity"] == "guest").then_some(())
    });
    manager.send(&format!(r#"{{"admit":{{"name":"{name}"}}}}"#));
}

#[test]
fn a_meeting_is_handed_over_and_its_former_organiser_removed() {
    let _lock = lock_meetings();
    let folder = TempFolder::new("scenario");
    let delivery = Program::start("server", server(&["--listen", "127.0.0.1:0", "--data", &folder.path("data")]));
    let line = delivery.first_line();
    let words: Vec<&str> = line.split(' ').collect();
    let ["listening", "on", address, "fingerprint", fingerprint] = words[..] else { panic!("{line}") };
    let start = Instant::now();
    let meet = client(&["meet", "--server", address, "--fingerprint", fingerprint, "--waiting-room"]);
    let mut ada = Client::start("Ada", meet, start);
    let first_link = ada.wait("has opened the meeting, with a waiting room", |event| {
        event["entered"]["link"].as_str().map(str::to_owned)
    });

    let mut bob = Client::join("Bob", &first_link, start);
    admit(&mut ada, "Bob");
    bob.wait("is in the meeting", |event| event.get("entered").cloned());
    ada.send(r#"{"chat":"Good morning"}"#);
    bob.until_chat(&["Good morning"]);
    let mut chloe = Client::join("Chloe", &first_link, start);
    admit(&mut ada, "Chloe");
    chloe.wait("is in the meeting", |event| event.get("entered").cloned());
    bob.send(r#"{"chat":"Hello Chloe"}"#);
    bob.until_chat(&["Good morning", "Hello Chloe"]);
    ada.until_chat(&["Good morning", "Hello Chloe"]);
    // Without the rule, who comes late reads nothing from before.
    chloe.until_chat(&["Hello Chloe"]);

    grant_and_withdraw(&mut ada, &bob, &chloe);
    mute_a_changed_program(&mut ada, &mut bob, &mut chloe, &first_link);
    history_and_vote(&mut ada, &mut bob, &mut chloe, &first_link);
    let removed = hand_over(ada, &mut bob, &chloe);
    let new_link = bob
        .wait("has another link", |event| event["link"].as_str().filter(|link| *link != first_link).map(str::to_owned));
    bob.send(r#"{"chat":"Now without Ada"}"#);
    chloe.until_chat_ends_with("Now without Ada");
    assert!(!removed.out.contains("Now without Ada"), "Ada reads nothing of it");
    let again = Client::join("Ada", &first_link, start);
    bob.wait("somebody with the old link asks", |event| (event["asks"]["old_link"] == true).then_some(()));
    bob.send(r#"{"decline":"all"}"#);
    let refused = again.program.end(TIMEOUT);
    assert_eq!(refused.code, Some(1), "{refused:?}");

    send_back(&mut bob, &new_link);
    chloe.leave();
    bob.leave();
}

/// Chloe gets the right to share, and loses it.
fn grant_and_withdraw(ada: &mut Client, bob: &Client, chloe: &Client) {
    ada.send(r#"{"role":{"of":"Chloe","role":"guest"}}"#);
    for one in [&*ada, bob, chloe] {
        one.until_people("Chloe is a guest, who may not share", |people| {
            has_role(people, "Chloe", "guest") && !has_right(people, "Chloe", "screen")
        });
    }
    ada.send(r#"{"grant":{"to":"Chloe","right":"screen"}}"#);
    for one in [&*ada, bob, chloe] {
        one.until_people("Chloe may share the screen", |people| has_right(people, "Chloe", "screen"));
    }
    ada.send(r#"{"withdraw":{"from":"Chloe","right":"screen"}}"#);
    for one in [&*ada, bob, chloe] {
        one.until_people("Chloe may not share the screen any more", |people| !has_right(people, "Chloe", "screen"));
    }
}

/// A guest is muted, and speaks all the same with a changed program: nobody hears it until it is allowed again.
fn mute_a_changed_program(ada: &mut Client, bob: &mut Client, chloe: &mut Client, link: &str) {
    let mut changed = command("attack", &["loud-guest"]);
    changed.stdin(Stdio::piped());
    let mut mallory = Program::start("Mallory", changed);
    mallory.send_line(link);
    admit(ada, "Mallory");
    for one in [&mut *ada, &mut *bob, &mut *chloe] {
        one.until_heard("Mallory", "hears Mallory, who has a changed program", |(played, _)| played > 50);
    }
    ada.send(r#"{"stop-sending":{"of":"Mallory","what":"microphone"}}"#);
    for one in [&mut *ada, &mut *bob, &mut *chloe] {
        let mut last = one.until_heard("Mallory", "drops what Mallory says all the same", |(_, dropped)| dropped > 0);
        // What arrived before is played for a moment.
        loop {
            let next = one.until_heard("Mallory", "gets more of it", |(_, dropped)| dropped >= last.1 + 50);
            if std::mem::replace(&mut last, next).0 == next.0 {
                break;
            }
        }
        let later = one.until_heard("Mallory", "hears nothing of 3 s", |(_, dropped)| dropped >= last.1 + 150);
        assert_eq!(later.0, last.0, "{} hears Mallory", one.name);
    }
    let told = |what: &str| until(TIMEOUT, what, || mallory.output().iter().any(|line| line == what));
    told("told that it may not speak");
    ada.send(r#"{"allow-sending":{"of":"Mallory","what":"microphone"}}"#);
    for one in [&mut *ada, &mut *bob, &mut *chloe] {
        let (before, _) = one.heard("Mallory");
        one.until_heard("Mallory", "hears Mallory again", |(played, _)| played > before + 50);
    }
    told("told that it may speak");
    mallory.close_input();
    assert_eq!(mallory.end(TIMEOUT).code, Some(0));
    for one in [&*ada, &*bob, &*chloe] {
        one.until_people("Mallory has left", |people| person(people, "Mallory").is_none());
    }
}

/// Who comes late reads what was written under the rule, and knows the open vote. All get the same result.
fn history_and_vote(ada: &mut Client, bob: &mut Client, chloe: &mut Client, link: &str) {
    ada.send(r#"{"chat-history":true}"#);
    for one in [&*ada, &*bob, &*chloe] {
        one.wait("knows the rule", |event| (event["policy"]["chat_history"] == true).then_some(()));
    }
    chloe.send(r#"{"chat":"For later"}"#);
    bob.until_chat_ends_with("For later");
    ada.send(r#"{"vote":{"question":"When?","options":["now","later"]}}"#);
    let vote = bob.wait("knows the vote", |event| {
        event["chat"]["vote"].is_object().then(|| event["chat"]["id"].as_str().map(str::to_owned)).flatten()
    });
    let ballot = |choice: u8| format!(r#"{{"ballot":{{"vote":"{vote}","choice":{choice}}}}}"#);
    bob.send(&ballot(1));
    let counts = |one: &Client, expected: [u64; 2], ended: bool| {
        one.wait(&format!("counts {expected:?}"), |event| {
            let vote = &event["chat"]["vote"];
            let is_it = vote["options"][0]["count"] == expected[0] && vote["options"][1]["count"] == expected[1];
            (is_it && vote["ended"] == ended).then_some(())
        });
    };
    counts(ada, [0, 1], false);
    let mut emil = Client::join("Emil", link, ada.start);
    admit(ada, "Emil");
    emil.until_chat(&["For later", "When?"]);
    counts(&emil, [0, 1], false);
    emil.send(&ballot(0));
    counts(bob, [1, 1], false);
    ada.send(&format!(r#"{{"end-vote":"{vote}"}}"#));
    for one in [&*ada, &*bob, &*chloe, &emil] {
        counts(one, [1, 1], true);
    }
    emil.leave();
    for one in [&*ada, &*bob, &*chloe] {
        one.until_people("Emil has left", |people| person(people, "Emil").is_none());
    }
}

/// Ada hands the meeting over to Bob, who removes Ada. Returns how the program of Ada ended.
fn hand_over(mut ada: Client, bob: &mut Client, chloe: &Client) -> Outcome {
    let start = ada.start;
    ada.send(r#"{"role":{"of":"Bob","role":"co-organiser"}}"#);
    bob.until_people("Bob is a co-organiser", |people| has_role(people, "Bob", "co-organiser"));
    bob.wait("has the keys and the link", |event| event["link"].as_str().map(str::to_owned));
    ada.send(r#"{"hand-over":"Bob"}"#);
    for one in [&ada, &*bob, chloe] {
        one.until_people("Bob is the organiser", |people| has_role(people, "Bob", "organiser"));
    }
    ada.send(r#"{"remove":"Bob"}"#);
    ada.wait("is told that Bob is not below Ada", |event| (event["notice"] == "not-below").then_some(()));
    bob.send(r#"{"remove":"Ada"}"#);
    let removed = ada.program.end(TIMEOUT);
    assert!(removed.code == Some(1) && removed.err.contains("removed"), "{removed:?}");
    println!(
        "{:7.3} s  Ada      -> is out: {}",
        start.elapsed().as_secs_f64(),
        removed.err.lines().last().unwrap_or_default()
    );
    for one in [&*bob, chloe] {
        one.until_people("Ada is not in the meeting", |people| people.len() == 2 && person(people, "Ada").is_none());
    }
    removed
}

/// Somebody is admitted, sent back to the waiting room, and declined.
fn send_back(bob: &mut Client, link: &str) {
    let dora = Client::join("Dora", link, bob.start);
    admit(bob, "Dora");
    dora.wait("is in the meeting", |event| event.get("entered").cloned());
    bob.send(r#"{"send-back":"Dora"}"#);
    dora.wait("is sent back to the waiting room", |event| (event["lobby"] == "sent-back").then_some(()));
    bob.wait("Dora asks again, and was sent back", |event| (event["asks"]["sent_back"] == true).then_some(()));
    bob.send(r#"{"decline":{"name":"Dora"}}"#);
    assert_eq!(dora.program.end(TIMEOUT).code, Some(1));
}
