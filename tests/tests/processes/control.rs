//! What a program without a window does with commands that go wrong, come too early, or end something.

use crate::program::{NO_DEVICES, Program, TIMEOUT, client, lock_meetings, until};
use serde_json::Value;
use std::process::{Command, Stdio};

fn controlled(arguments: &[&str]) -> Command {
    let mut command = client(arguments);
    command.args(NO_DEVICES).args(["--json", "--commands", "--no-recent"]).stdin(Stdio::piped());
    command
}

fn meet(arguments: &[&str]) -> (Program, String) {
    let program = Program::start("Ada", controlled(&[&["meet", "--name", "Ada"], arguments].concat()));
    let link = wait(&program, "enters", |event| event["entered"]["link"].as_str().map(str::to_owned));
    (program, link)
}

fn join(name: &str, link: &str) -> Program {
    let mut program = Program::start(name, controlled(&["join", "-", "--name", name]));
    program.send_line(link);
    program
}

fn events(program: &Program) -> Vec<Value> {
    program.output().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Waits for an event, and returns what `wanted` finds in the newest one.
fn wait<T>(program: &Program, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
    let find = || events(program).iter().rev().find_map(&wanted);
    until(TIMEOUT, &format!("{what}; {:#?}", program.output()), || find().is_some());
    find().expect("it was found")
}

fn until_entered(program: &Program) {
    wait(program, "enters", |event| event.get("entered").map(|_| ()));
}

fn wait_for_error(program: &Program, part: &str) {
    wait(program, part, |event| event["error"].as_str().filter(|error| error.contains(part)).map(|_| ()));
}

fn asks(program: &Program) -> Vec<Value> {
    events(program).into_iter().filter_map(|mut event| Some(event["asks"].take()).filter(Value::is_object)).collect()
}

/// Returns how it ended, as its last event says, and its exit code.
fn end(program: Program) -> (String, Option<i32>) {
    let outcome = program.end(TIMEOUT);
    let last: Value = outcome.out.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    let reason = last["ended"]["reason"].as_str().unwrap_or_else(|| panic!("{outcome:?}"));
    assert!(last["ended"]["text"].is_string(), "{outcome:?}");
    (reason.to_owned(), outcome.code)
}

#[test]
fn two_people_with_one_name_are_told_apart_by_their_ids() {
    let _lock = lock_meetings();
    let (mut ada, link) = meet(&["--waiting-room"]);
    let bobs = [join("Bob", &link), join("Bob", &link)];
    until(TIMEOUT, "both ask", || asks(&ada).len() == 2);
    ada.send_line(r#"{"admit":{"name":"Bob"}}"#);
    wait_for_error(&ada, "admit: several people with this name ask to join");
    let first = asks(&ada)[0]["id"].as_str().expect("an id").to_owned();
    ada.send_line(&serde_json::json!({ "decline": { "name": first, "reason": "not-now" } }).to_string());
    wait(&ada, "the decline is answered", |event| (event["stopped_asking"] == first.as_str()).then_some(()));
    ada.send_line(r#"{"admit":{"name":"Bob"}}"#);
    let [one, other] = bobs;
    let is_in = |bob: &Program| events(bob).iter().any(|event| event.get("entered").is_some());
    until(TIMEOUT, "one of them is in", || is_in(&one) || is_in(&other));
    let (inside, outside) = if is_in(&one) { (one, other) } else { (other, one) };
    assert_eq!(end(outside), ("not-now".into(), Some(1)));
    let me = wait(&inside, "it is listed", |event| {
        let me = event["people"].as_array()?.iter().find(|person| person["me"] == true)?;
        me["id"].as_str().map(str::to_owned)
    });
    ada.send_line(&serde_json::json!({ "remove": me }).to_string());
    assert_eq!(end(inside), ("removed".into(), Some(1)));
    ada.send_line(r#"{"leave":true}"#);
    assert_eq!(end(ada).1, Some(0));
}

#[test]
fn a_host_that_has_handed_the_meeting_over_leaves_and_its_server_says_that_it_stops() {
    let _lock = lock_meetings();
    let (mut ada, link) = meet(&[]);
    let bob = join("Bob", &link);
    until_entered(&bob);
    ada.send_line(r#"{"hand-over":"Bob"}"#);
    wait(&bob, "it is the organiser", |event| (event["rights"]["role"] == "organiser").then_some(()));
    wait(&ada, "it is none any more", |event| {
        let me = event["people"].as_array()?.iter().find(|person| person["me"] == true)?;
        (me["role"] == "co-organiser").then_some(())
    });
    ada.send_line(r#"{"leave":true}"#);
    assert_eq!(end(ada), ("left".into(), Some(0)));
    assert_eq!(end(bob), ("host-stopped".into(), Some(1)));
}

#[test]
fn the_organiser_ends_the_meeting_for_all_and_that_is_no_error() {
    let _lock = lock_meetings();
    let (mut ada, link) = meet(&[]);
    let mut bob = join("Bob", &link);
    bob.send_line(r#"{"chat":"too early"}"#);
    wait_for_error(&bob, "chat: we are not in the meeting");
    until_entered(&bob);
    ada.send_line(r#"{"end":true}"#);
    assert_eq!(end(bob), ("ended".into(), Some(0)));
    assert_eq!(end(ada).1, Some(0));
}

#[test]
fn lines_that_wait_for_the_pace_of_the_chat_are_sent_before_it_leaves() {
    let _lock = lock_meetings();
    let (mut ada, link) = meet(&[]);
    let mut bob = join("Bob", &link);
    until_entered(&bob);
    let wanted: Vec<_> = (0..25).map(|number| format!("line {number}")).collect();
    for text in &wanted {
        bob.send_line(&serde_json::json!({ "chat": text }).to_string());
    }
    bob.send_line(r#"{"leave":true}"#);
    assert_eq!(end(bob), ("left".into(), Some(0)));
    let lines = || -> Vec<String> {
        events(&ada).iter().filter_map(|event| Some(event["chat"]["text"].as_str()?.to_owned())).collect()
    };
    until(TIMEOUT, "all lines have come", || lines() == wanted);
    ada.send_line(r#"{"leave":true}"#);
    end(ada);
}

#[test]
fn who_was_sent_back_writes_to_the_managers_and_leaves_without_an_error() {
    let _lock = lock_meetings();
    let (mut ada, link) = meet(&[]);
    let mut bob = join("Bob", &link);
    until_entered(&bob);
    ada.send_line(r#"{"send-back":"Bob"}"#);
    wait(&bob, "it waits", |event| (event["lobby"] == "received").then_some(()));
    bob.send_line(r#"{"lobby":"Why?"}"#);
    wait(&ada, "the text comes", |event| (event["lobby_text"]["text"] == "Why?").then_some(()));
    bob.send_line(r#"{"leave":true}"#);
    assert_eq!(end(bob), ("left".into(), Some(0)));
    ada.send_line(r#"{"leave":true}"#);
    end(ada);
}

#[test]
fn lines_are_answered_changed_reacted_to_and_removed_by_their_ids() {
    let _lock = lock_meetings();
    let (mut ada, link) = meet(&[]);
    let mut bob = join("Bob", &link);
    until_entered(&bob);
    ada.send_line(r#"{"chat":"When?"}"#);
    let id = |program: &Program, text: &str| {
        wait(program, text, |event| {
            let chat = &event["chat"];
            (chat["text"] == text).then(|| chat["id"].as_str().expect("an id").to_owned())
        })
    };
    let asked = id(&bob, "When?");
    bob.send_line(&serde_json::json!({ "chat": { "text": "Nwo", "reply": asked } }).to_string());
    let answer = id(&bob, "Nwo");
    bob.send_line(&serde_json::json!({ "edit": { "line": answer, "text": "Now" } }).to_string());
    wait(&ada, "the answer is changed", |event| {
        let chat = &event["chat"];
        (chat["text"] == "Now" && chat["reply"] == asked.as_str() && chat["edited"] == true).then_some(())
    });
    ada.send_line(&serde_json::json!({ "react": { "line": answer, "reaction": "like" } }).to_string());
    wait(&bob, "the reaction comes", |event| {
        let reactions = event["chat"]["reactions"].as_array()?;
        reactions.iter().any(|one| one["reaction"] == "like" && one["from"] == "Ada").then_some(())
    });
    ada.send_line(&serde_json::json!({ "delete": answer }).to_string());
    wait(&bob, "the answer is removed", |event| {
        (event["chat"]["removed_by"] == "Ada" && event["chat"]["id"] == answer.as_str()).then_some(())
    });
    let words =
        |program: &Program| wait(program, "it has words", |event| event["words"]["english"].as_array().cloned());
    assert_eq!(words(&ada).len(), 12);
    bob.send_line(r#"{"leave":true}"#);
    end(bob);
    ada.send_line(r#"{"leave":true}"#);
    end(ada);
}
