//! The chat of programs without a window: commands as JSON lines on standard input, events as JSON lines on standard output.

use crate::program::{NO_DEVICES, Program, TIMEOUT, client, lock_meetings, until};
use std::process::{Command, Stdio};

fn controlled(arguments: &[&str]) -> Command {
    let mut command = client(arguments);
    command.args(NO_DEVICES).args(["--json", "--commands", "--no-recent"]).stdin(Stdio::piped());
    command
}

/// Waits until a program has printed an event of the chat that contains all of `parts`.
fn wait_for(program: &Program, parts: &[&str]) {
    let printed = || {
        let lines = program.output();
        lines.iter().any(|line| line.contains("\"chat\"") && parts.iter().all(|part| line.contains(part)))
    };
    until(TIMEOUT, &format!("{parts:?} is printed: {:?}", program.output()), printed);
}

#[test]
fn programs_without_a_window_chat_by_json_lines() {
    let _lock = lock_meetings();
    let mut ada = Program::start("ada", controlled(&["meet", "--name", "Ada"]));
    let entered = ada.first_line();
    assert!(entered.starts_with("{\"entered\""), "{entered}");
    let link = entered.split('"').find(|part| part.starts_with("conclave://")).expect("a link").to_owned();
    let mut bob = Program::start("bob", controlled(&["join", "-", "--name", "Bob"]));
    bob.send_line(&link);
    assert!(bob.first_line().contains("\"Bob\""));
    bob.send_line("{\"chat\":\"from Bob\"}");
    wait_for(&ada, &["\"from\":\"Bob\"", "\"text\":\"from Bob\"", "\"me\":false"]);
    wait_for(&bob, &["\"text\":\"from Bob\"", "\"me\":true"]);
    ada.send_line("{\"chat\":{\"text\":\"only for Bob\",\"to\":\"Bob\"}}");
    wait_for(&bob, &["\"text\":\"only for Bob\"", "\"private\":\"Ada\""]);
    ada.send_line("{\"chat\":{\"text\":\"x\",\"to\":\"Nobody\"}}");
    ada.send_line("{\"dance\":true}");
    let errors = || ada.output().iter().filter(|line| line.starts_with("{\"error\"")).count();
    until(TIMEOUT, "both are refused", || errors() == 2);
    bob.send_line("{\"leave\":true}");
    let outcome = bob.end(TIMEOUT);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    ada.send_line("{\"leave\":true}");
    assert_eq!(ada.end(TIMEOUT).code, Some(0));
}

#[test]
fn commands_and_a_link_in_the_arguments_exclude_each_other() {
    let outcome = Program::start("join", controlled(&["join", "conclave://127.0.0.1:1/#x"])).end(TIMEOUT);
    assert!(outcome.code == Some(1) && outcome.err.contains("--link-file"), "{outcome:?}");
}
