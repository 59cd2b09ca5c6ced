//! A whole meeting of real processes over a real server: a waiting room, rights that come and go, a muted guest with a changed program,
//! lines of three people at the same time, a vote, a hand-over, and a person who is removed by the one to whom the meeting was handed, reads
//! nothing more, and does not come back. Its log can be read: `cargo xtask scenario`.

#[path = "scenario/client.rs"]
mod client;
#[path = "scenario/screen.rs"]
mod screen;

use crate::memory::{default_rights, role_in_policy};
use crate::program::{Program, TIMEOUT, client as conclave, command, lock_meetings, until};
use crate::server::RunningServer;
use client::{Client, SURNAME, asked, full, has_right, has_role, person, with_input};
use crypto::Invitation;
use screen::Screen;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tests::process_memory::Search;
use tests::temp_folder::TempFolder;

#[test]
fn a_meeting_is_handed_over_and_its_former_organiser_removed() {
    let _lock = lock_meetings();
    let (folder, screen) = (TempFolder::new("scenario"), Screen::start());
    let delivery = RunningServer::start(&folder.path("data"), &[]);
    let (start, own) = (Instant::now(), folder.path("ada"));
    let server = ["--server", &delivery.address, "--fingerprint", &delivery.fingerprint];
    let meet = conclave(&[&["meet", "--waiting-room", "--identity", &own], &server[..]].concat());
    let mut ada = Client::start("Ada", meet, start);
    let first_link = ada.wait("has opened the meeting, with a waiting room", |event| {
        event["entered"]["link"].as_str().map(str::to_owned)
    });

    let mut bob = Client::join("Bob", &first_link, start);
    ada.admit("Bob", "guest");
    bob.until_entered();
    ada.chat(MORNING);
    bob.until_reads_only(&[MORNING]);
    let mut with_screen = conclave(&["join", "-"]);
    with_screen.env("DISPLAY", &screen.display);
    let mut chloe = Client::join_with("Chloe", with_screen, &first_link, start);
    let asked = ada.admit("Chloe", "guest");
    chloe.until_entered();
    bob.chat(HELLO);
    for one in [&ada, &bob] {
        one.until_reads_only(&[MORNING, HELLO]);
    }
    // Without the rule, who comes late reads nothing from before.
    chloe.until_reads_only(&[HELLO]);

    grant_and_withdraw(&mut ada, &mut bob, &mut chloe);
    mute_a_changed_program(&mut ada, &mut bob, &mut chloe, &first_link);
    let order = one_order(&mut ada, &mut bob, &mut chloe);
    late_comer_and_vote((&mut ada, &mut bob, &mut chloe), &order, (&first_link, &folder.path("emil")));
    let removed_link = hand_over(ada, &mut bob, &mut chloe, &first_link);
    bob.send(r#"{"new-link":true}"#);
    let fresh_link = another_link(&bob, &[&first_link, &removed_link]);
    stay_out(&mut bob, &own, [&first_link, &removed_link, &fresh_link]);
    send_back(&mut bob, &fresh_link);

    let mut search = secrets(&first_link);
    search.add(ROLE, role_in_policy(&asked.device, &asked.id, GUEST));
    // The search finds all of that in the memory of a client, so it would find it in that of the server as well.
    let run = |id| search.run(id).expect("a process of this one can be read");
    let (in_client, in_server) = (run(bob.program.id()), run(delivery.id()));
    bob.say(&format!(
        "the memory of the server has {:?}, that of this client {:?}",
        keys(&in_server),
        keys(&in_client)
    ));
    assert_eq!(keys(&in_server), [MEETING], "{in_server:?}");
    let control = [NAMES, DEFAULT_RIGHTS, ROLE, MEETING].map(str::to_owned);
    for what in control.into_iter().chain(LINES.map(line_name)) {
        assert!(in_client.contains_key(what.as_str()), "{what}: {in_client:?}");
    }
    chloe.leave();
    bob.leave();
    let after = run(delivery.id());
    assert!(keys(&after).iter().all(|what| *what == MEETING), "{after:?}");
}

/// Chloe gets the right to share, shares, and loses it.
fn grant_and_withdraw(ada: &mut Client, bob: &mut Client, chloe: &mut Client) {
    ada.send(&format!(r#"{{"role":{{"of":"{}","role":"guest"}}}}"#, full("Chloe")));
    for one in [&*ada, &*bob, &*chloe] {
        one.until_people("Chloe is a guest, who may not share", |people| {
            has_role(people, "Chloe", "guest") && !has_right(people, "Chloe", "screen")
        });
    }
    let may_not = |chloe: &mut Client| {
        let refusals = |one: &Client| one.events().iter().filter(|event| event["notice"] == "not-allowed").count();
        let before = refusals(chloe);
        chloe.send(r#"{"share":true}"#);
        until(TIMEOUT, "Chloe is told that it may not share", || refusals(chloe) > before);
        chloe.say("-> is told that it may not share");
    };
    may_not(chloe);
    ada.send(&format!(r#"{{"grant":{{"to":"{}","right":"screen"}}}}"#, full("Chloe")));
    for one in [&*ada, &*bob, &*chloe] {
        one.until_people("Chloe may share the screen", |people| has_right(people, "Chloe", "screen"));
    }
    chloe.send(r#"{"share":true}"#);
    for one in [&mut *ada, &mut *bob] {
        one.poll("pictures of Chloe's screen are shown", |one| one.seen("Chloe"), |shown| shown >= 3);
    }
    ada.send(&format!(r#"{{"withdraw":{{"from":"{}","right":"screen"}}}}"#, full("Chloe")));
    chloe.wait("its sharing has ended", |event| (event["sharing"] == false).then_some(()));
    for one in [&mut *ada, &mut *bob] {
        one.until_people("Chloe may not share the screen any more, and does not", |people| {
            !has_right(people, "Chloe", "screen") && person(people, "Chloe").is_some_and(|one| one["screen"] == false)
        });
    }
    may_not(chloe);
    // An unchanged screen has two pictures a second.
    let before = [ada.seen("Chloe"), bob.seen("Chloe")];
    std::thread::park_timeout(Duration::from_millis(1_500));
    assert_eq!([ada.seen("Chloe"), bob.seen("Chloe")], before, "pictures of a share that was withdrawn");
    ada.say("-> and nobody sees more of it");
}

/// A guest is muted, and speaks all the same with a changed program: nobody hears it until it is allowed again.
fn mute_a_changed_program(ada: &mut Client, bob: &mut Client, chloe: &mut Client, link: &str) {
    let mut mallory = Program::start("Mallory", with_input(command("attack", &["loud-guest"])));
    mallory.send_line(link);
    ada.wait("Mallory asks to join", |event| (event["asks"]["name"] == "Mallory").then_some(()));
    ada.send(r#"{"admit":{"name":"Mallory"}}"#);
    let voice = |one: &mut Client| one.heard("Mallory");
    for one in [&mut *ada, &mut *bob, &mut *chloe] {
        one.poll("hears Mallory, who has a changed program (played, dropped)", voice, |(played, _)| played > 50);
    }
    ada.send(r#"{"stop-sending":{"of":"Mallory","what":"microphone"}}"#);
    for one in [&mut *ada, &mut *bob, &mut *chloe] {
        let mut last = one.poll("drops what Mallory says all the same", voice, |(_, dropped)| dropped > 0);
        // What arrived before is played for a moment.
        loop {
            let next = one.poll("gets more of it", voice, |(_, dropped)| dropped >= last.1 + 50);
            if std::mem::replace(&mut last, next).0 == next.0 {
                break;
            }
        }
        let later = one.poll("hears nothing of 3 s", voice, |(_, dropped)| dropped >= last.1 + 150);
        assert_eq!(later.0, last.0, "{} hears Mallory", one.name);
    }
    let told = |what: &str| until(TIMEOUT, what, || mallory.output().iter().any(|line| line == what));
    told("told that it may not speak");
    ada.send(r#"{"allow-sending":{"of":"Mallory","what":"microphone"}}"#);
    for one in [&mut *ada, &mut *bob, &mut *chloe] {
        let (before, _) = one.heard("Mallory");
        one.poll("hears Mallory again", voice, |(played, _)| played > before + 50);
    }
    told("told that it may speak");
    mallory.close_input();
    assert_eq!(mallory.end(TIMEOUT).code, Some(0));
    for one in [&*ada, &*bob, &*chloe] {
        let is_gone = |people: &[serde_json::Value]| people.iter().all(|person| person["name"] != "Mallory");
        one.until_people("Mallory has left", is_gone);
    }
}

/// Three people write at the same time, and all read that in one order. Returns it: what is written under the rule for those who come late.
fn one_order(ada: &mut Client, bob: &mut Client, chloe: &mut Client) -> Vec<(u64, String)> {
    ada.send(r#"{"chat-history":true}"#);
    for one in [&*ada, &*bob, &*chloe] {
        one.wait("knows the rule", |event| (event["policy"]["chat_history"] == true).then_some(()));
    }
    let mut written = BTreeSet::new();
    for number in 1..=AT_ONCE {
        for one in [&mut *ada, &mut *bob, &mut *chloe] {
            let text = format!("Line {number} of {}", one.name);
            one.chat(&text);
            written.insert(text);
        }
    }
    let has_all = |lines: &[(u64, String)]| written.iter().all(|text| lines.iter().any(|line| line.1 == *text));
    for one in [&*ada, &*bob, &*chloe] {
        one.until_lines("reads the lines of all three", has_all);
    }
    let order = under_the_rule(bob.lines());
    assert_eq!(order.len(), written.len());
    for one in [&*ada, &*chloe] {
        assert_eq!(under_the_rule(one.lines()), order, "{} reads another order than Bob", one.name);
    }
    bob.say(&format!("-> all three read this order: {:?}", order.iter().map(|line| &line.1).collect::<Vec<_>>()));
    order
}

/// Returns the lines after the rule was set.
fn under_the_rule(lines: Vec<(u64, String)>) -> Vec<(u64, String)> {
    lines.into_iter().filter(|line| ![MORNING, HELLO].contains(&line.1.as_str())).collect()
}

/// Who comes late reads what was written under the rule in the same `order`, and knows the open vote; its device is known when it comes
/// again, so nobody is asked. All get the same result.
fn late_comer_and_vote(
    (ada, bob, chloe): (&mut Client, &mut Client, &mut Client),
    order: &[(u64, String)],
    (link, device): (&str, &str),
) {
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
    let mut emil = Client::join_on("Emil", device, link, ada.start);
    ada.admit("Emil", "guest");
    emil.until_lines("reads what was written under the rule, in the same order", |lines| {
        let with_vote = under_the_rule(bob.lines());
        lines == with_vote && with_vote.len() == order.len() + 1
    });
    counts(&emil, [0, 1], false);
    emil.send(&ballot(0));
    counts(bob, [1, 1], false);
    ada.send(&format!(r#"{{"end-vote":"{vote}"}}"#));
    for one in [&*ada, &*bob, &*chloe, &emil] {
        counts(one, [1, 1], true);
    }
    emil.leave();
    let is_gone = |people: &[serde_json::Value]| person(people, "Emil").is_none();
    for one in [&*ada, &*bob, &*chloe] {
        one.until_people("Emil has left", is_gone);
    }
    // The device was a member and was not removed, so nobody is asked.
    let asked = ada.asked();
    let again = Client::join_on("Emil", device, link, ada.start);
    again.until_entered();
    again.say("(on the same device, which was a member before)");
    assert_eq!(ada.asked(), asked, "Ada was asked about a device that was a member before");
    again.leave();
    for one in [&*ada, &*bob, &*chloe] {
        one.until_people("Emil has left again", is_gone);
    }
}

/// Ada hands the meeting over to Bob, who removes Ada. Ada's program is stopped before that and goes on when the others have written again:
/// it reads what was written before the removal, and nothing of what was written after it. Returns the link after the removal.
fn hand_over(mut ada: Client, bob: &mut Client, chloe: &mut Client, first_link: &str) -> String {
    ada.send(&format!(r#"{{"role":{{"of":"{}","role":"co-organiser"}}}}"#, full("Bob")));
    bob.until_people("Bob is a co-organiser", |people| has_role(people, "Bob", "co-organiser"));
    bob.wait("has the keys and the link", |event| event["link"].as_str().map(str::to_owned));
    ada.send(&format!(r#"{{"hand-over":"{}"}}"#, full("Bob")));
    for one in [&ada, &*bob, &*chloe] {
        one.until_people("Bob is the organiser", |people| has_role(people, "Bob", "organiser"));
    }
    ada.send(&format!(r#"{{"remove":"{}"}}"#, full("Bob")));
    ada.wait("is told that Bob is not below Ada", |event| (event["notice"] == "not-below").then_some(()));
    ada.say("(its program is stopped for a while)");
    ada.program.signal("STOP");
    bob.chat(LAST_WITH_ADA);
    chloe.until_reads(LAST_WITH_ADA);
    let before = bob.events().len();
    bob.send(&format!(r#"{{"remove":"{}"}}"#, full("Ada")));
    for one in [&*bob, &*chloe] {
        one.until_people("Ada is not in the meeting", |people| people.len() == 2 && person(people, "Ada").is_none());
    }
    let new_link = another_link(bob, &[first_link]);
    assert!(bob.events().len() > before, "Bob has a new link");
    bob.chat(WITHOUT_ADA);
    chloe.until_reads(WITHOUT_ADA);
    chloe.chat(WITHOUT_ADA_TOO);
    bob.until_reads(WITHOUT_ADA_TOO);
    ada.program.signal("CONT");
    ada.say("(goes on)");
    ada.until_reads(LAST_WITH_ADA);
    let start = ada.start;
    let removed = ada.program.end(TIMEOUT);
    assert!(removed.code == Some(1) && removed.err.contains("removed you"), "{removed:?}");
    let reason = removed.err.lines().last().unwrap_or_default();
    println!("{:7.3} s  Ada      -> is out: {reason}", start.elapsed().as_secs_f64());
    assert!(removed.out.contains(LAST_WITH_ADA));
    for line in [WITHOUT_ADA, WITHOUT_ADA_TOO] {
        assert!(!removed.out.contains(line) && !removed.err.contains(line), "Ada reads {line:?}: {removed:?}");
    }
    println!("{:7.3} s  Ada      -> has read nothing of what was written after that", start.elapsed().as_secs_f64());
    new_link
}

fn another_link(bob: &Client, old: &[&str]) -> String {
    bob.wait("has another link", |event| event["link"].as_str().filter(|link| !old.contains(link)).map(str::to_owned))
}

/// Ada comes again on the same device, by each of the links: the meeting refuses it by itself, and Bob is not even asked. Another device
/// with the first link leads only to Bob's decision.
fn stay_out(bob: &mut Client, device: &str, links: [&str; 3]) {
    let asked = bob.asked();
    for (link, which) in links.into_iter().zip(["the first link", "the link after the removal", "the newest link"]) {
        let again = Client::join_on("Ada", device, link, bob.start);
        again.say(&format!("(on the same device, with {which})"));
        again.expect_refusal("You were removed from this meeting");
    }
    assert_eq!(bob.asked(), asked, "Bob was asked");
    let other = Client::join("Ada", links[0], bob.start);
    other.say("(on another device, with the first link)");
    bob.wait("somebody with the old link asks", |event| (event["asks"]["old_link"] == true).then_some(()));
    bob.send(r#"{"decline":"all"}"#);
    other.expect_refusal("This link is no longer valid");
}

/// Somebody is admitted, sent back to the waiting room, asks again as a device that is known, and is declined.
fn send_back(bob: &mut Client, link: &str) {
    let dora = Client::join("Dora", link, bob.start);
    let first = bob.admit("Dora", "guest");
    dora.until_entered();
    bob.send(&format!(r#"{{"send-back":"{}"}}"#, full("Dora")));
    dora.wait("is sent back to the waiting room", |event| (event["lobby"] == "sent-back").then_some(()));
    let second = bob.wait("Dora asks again; the device was a member before, and was sent back", |event| {
        let asks = &event["asks"];
        (asks["sent_back"] == true && asks["identity"] == "known").then(|| asked(asks))
    });
    assert!(second.device == first.device, "the evidence is the key of the device");
    bob.send(&format!(r#"{{"decline":{{"name":"{}"}}}}"#, full("Dora")));
    dora.expect_refusal("declined your request");
}

/// Returns what the server must not know of the meeting, and its number, which it must.
fn secrets(link: &str) -> Search {
    let invitation: Invitation = link.parse().expect("a link");
    let mut search = Search::default();
    search.add(NAMES, SURNAME);
    for line in LINES {
        search.add(line_name(line), line);
    }
    search.add(DEFAULT_RIGHTS, default_rights());
    search.add("the secret of the first link", invitation.secret.expose());
    search.add(MEETING, invitation.meeting.0);
    search
}

fn line_name(line: &str) -> String {
    format!("the line {line:?}")
}

fn keys<'a, T>(found: &std::collections::BTreeMap<&'a str, T>) -> Vec<&'a str> {
    found.keys().copied().collect()
}

const MORNING: &str = "Good morning from the lighthouse";
const HELLO: &str = "Hello Chloe, the vermilion folder is yours";
const LAST_WITH_ADA: &str = "Thank you for the meeting, Ada";
const WITHOUT_ADA: &str = "Now without the one who began";
const WITHOUT_ADA_TOO: &str = "And nobody else reads along";

/// The lines that the server's memory is searched for. The client at the end still has all of them.
const LINES: [&str; 5] = [MORNING, HELLO, LAST_WITH_ADA, WITHOUT_ADA, WITHOUT_ADA_TOO];

/// How many lines each of three people writes at once.
const AT_ONCE: usize = 5;

const NAMES: &str = "the names";
const DEFAULT_RIGHTS: &str = "the default rights";
const ROLE: &str = "the role of a guest";
const MEETING: &str = "the number of the meeting";

/// The number of the role of a guest.
const GUEST: u8 = 4;
