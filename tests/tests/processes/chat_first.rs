//! Meetings that begin with the chat: no camera and no microphone is opened before one is switched on.

use crate::program::{NO_DEVICES, Program, TIMEOUT, client, lock_meetings, until};
use serde_json::Value;
use std::process::{Command, Stdio};
use tests::temp_folder::TempFolder;

fn controlled(mut command: Command) -> Command {
    command.args(["--json", "--commands", "--no-recent"]).stdin(Stdio::piped());
    command
}

/// Starts a meeting without devices. Returns its link, too.
fn meet() -> (Program, String) {
    let mut command = client(&["meet", "--name", "Ada"]);
    command.args(NO_DEVICES);
    let ada = Program::start("ada", controlled(command));
    let entered = ada.first_line();
    let link = entered.split('"').find(|part| part.starts_with("conclave://")).expect("a link").to_owned();
    (ada, link)
}

/// Joins with a camera and a microphone, but begins with the chat.
fn join(name: &str, link: &str, devices: [&str; 2]) -> Program {
    let command = client(&["join", "-", "--headless", "--chat", "--name", name, "--speaker", "off"]);
    let mut command = controlled(command);
    command.args(["--camera", devices[0], "--microphone", devices[1]]);
    let mut program = Program::start(name, command);
    program.send_line(link);
    assert!(program.first_line().starts_with("{\"entered\""));
    program
}

fn events(program: &Program) -> Vec<Value> {
    program.output().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn wait(program: &Program, what: &str, wanted: impl Fn(&Value) -> bool) {
    until(TIMEOUT, &format!("{what}: {:#?}", program.output()), || events(program).iter().any(&wanted));
}

/// Waits until the others see the devices of somebody in this state.
fn until_sees(program: &Program, name: &str, microphone: &str, camera: bool) {
    let is_so =
        |person: &Value| person["name"] == name && person["microphone"] == microphone && person["camera"] == camera;
    let what = format!("{name}: microphone {microphone}, camera {camera}");
    until(TIMEOUT, &what, || {
        let newest = events(program).into_iter().rev().find(|event| event["people"].is_array());
        newest.is_some_and(|event| event["people"].as_array().is_some_and(|people| people.iter().any(is_so)))
    });
}

/// Returns how many packets of a voice were played, and how many pictures were shown.
fn received(program: &mut Program, name: &str) -> (u64, u64) {
    let reports = |program: &Program| events(program).into_iter().filter(|event| event["report"].is_object()).count();
    let before = reports(program);
    program.send_line(r#"{"report":true}"#);
    until(TIMEOUT, "the counters are printed", || reports(program) > before);
    let report = events(program).into_iter().rev().find(|event| event["report"].is_object()).expect("a report");
    let sum = |kind: &str, count: &str| {
        let tracks = report["report"][kind].as_array().into_iter().flatten().filter(|track| track["from"] == name);
        tracks.filter_map(|track| track[count].as_u64()).sum()
    };
    (sum("audio", "packets_played"), sum("video", "frames_shown"))
}

#[test]
fn a_meeting_that_begins_with_the_chat_is_raised_to_sound_and_video() {
    let _lock = lock_meetings();
    let voice = concat!(env!("CARGO_MANIFEST_DIR"), "/../app/assets/demo/voices/bob.wav");
    let (mut ada, link) = meet();
    let mut bob = join("Bob", &link, ["synthetic", &format!("file:{voice}")]);
    bob.send_line(r#"{"chat":"Good morning"}"#);
    wait(&ada, "Ada reads it", |event| event["chat"]["text"] == "Good morning");
    until_sees(&ada, "Bob", "muted", false);
    assert_eq!(received(&mut ada, "Bob"), (0, 0));
    bob.send_line(r#"{"mute":false}"#);
    until_sees(&ada, "Bob", "on", false);
    bob.send_line(r#"{"camera":true}"#);
    until_sees(&ada, "Bob", "on", true);
    let start = std::time::Instant::now();
    loop {
        let (packets, pictures) = received(&mut ada, "Bob");
        if packets > 50 && pictures > 10 {
            break;
        }
        assert!(start.elapsed() < TIMEOUT, "Ada hears {packets} packets and sees {pictures} pictures");
        std::thread::park_timeout(std::time::Duration::from_millis(100));
    }
    for mut program in [bob, ada] {
        program.send_line(r#"{"leave":true}"#);
        assert_eq!(program.end(TIMEOUT).code, Some(0));
    }
}

/// A file that does not exist is reported when it is opened.
#[test]
fn a_device_is_opened_when_it_is_switched_on_and_not_before() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("chat-first"));
    let (camera, microphone) = (folder.path("missing.y4m"), folder.path("missing.wav"));
    let (mut ada, link) = meet();
    let mut bob = join("Bob", &link, [&format!("file:{camera}"), &format!("file:{microphone}")]);
    bob.send_line(r#"{"chat":"Good morning"}"#);
    wait(&bob, "it is in the log", |event| event["chat"]["text"] == "Good morning");
    let missing = |program: &Program| events(program).iter().filter(|event| event["notice"] == "missing-file").count();
    assert_eq!(missing(&bob), 0, "nothing is opened");
    bob.send_line(r#"{"mute":false}"#);
    until(TIMEOUT, "the microphone is opened", || missing(&bob) == 1);
    until_sees(&ada, "Bob", "off", false);
    bob.send_line(r#"{"camera":true}"#);
    until(TIMEOUT, "the camera is opened", || missing(&bob) == 2);
    for program in [&mut bob, &mut ada] {
        program.send_line(r#"{"leave":true}"#);
    }
    assert_eq!((bob.end(TIMEOUT).code, ada.end(TIMEOUT).code), (Some(0), Some(0)));
}
