//! The chat of simulated meetings: members write while keys change, connections end, and some enter the group again.
//!
//! The variable `CONCLAVE_SEEDS` is the number of seeds of each test, and `CONCLAVE_SEED` the first one.

use super::hostile::variable;
use net::meeting::Command;
use net::meeting::chat::{Command as ChatCommand, NewLine, Text};
use proto::MeetingFlags;
use rand::Rng;
use rand::seq::IndexedRandom;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tests::simulation::{ClientId, Simulation};

/// Seeds of each test.
const RUNS: u64 = 10;

const NAMES: [&str; 8] = ["Ada", "Blaise", "Chloé", "Denis", "Émile", "Fanny", "Gaspard", "Hedy"];

/// What disturbs the members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// Commits that end epochs while lines are on their way.
    Commits,
    /// Connections end, and members resume. The server is killed and started again.
    Resets,
    /// One member after the other is away for so long that it has to enter the group again.
    Rejoins,
}

#[test]
fn all_have_the_same_lines_in_one_order_although_epochs_end_while_lines_are_on_their_way() {
    each_seed(3_000, |seed| write_under(Trouble::Commits, seed));
}

#[test]
fn all_have_the_same_lines_in_one_order_although_connections_end() {
    each_seed(3_100, |seed| write_under(Trouble::Resets, seed));
}

#[test]
fn who_enters_the_group_again_has_the_same_lines_as_the_others() {
    each_seed(3_200, |seed| write_under(Trouble::Rejoins, seed));
}

/// Runs `RUNS` seeds, or as many as wanted, and prints those that fail.
fn each_seed(first: u64, run: impl Fn(u64)) {
    let (first, count) = (variable("CONCLAVE_SEED").unwrap_or(first), variable("CONCLAVE_SEEDS").unwrap_or(RUNS));
    let fails = |seed: &u64| catch_unwind(AssertUnwindSafe(|| run(*seed))).is_err();
    let failed: Vec<_> = (first..first + count).filter(fails).collect();
    assert!(failed.is_empty(), "repeat with CONCLAVE_SEEDS=1 and CONCLAVE_SEED= one of {failed:?}");
}

fn write_under(trouble: Trouble, seed: u64) {
    let mut simulation = Simulation::seeded(seed);
    let people = simulation.random().random_range(3..=NAMES.len());
    let members = simulation.meeting(&NAMES[..people]);
    simulation.command(members[0], Command::SetFlags { flags: MeetingFlags::CHAT_HISTORY, set: true });
    simulation.run(Duration::from_secs(5));
    let mut written = Vec::new();
    for number in 0..40 {
        let author = *members.choose(simulation.random()).expect("there are members");
        let text = format!("{number} of {seed}");
        write(&mut simulation, author, &text);
        written.push(text);
        disturb(&mut simulation, &members, trouble);
        let pause = Duration::from_millis(simulation.random().random_range(0..600));
        simulation.run(pause);
    }
    simulation.run(Duration::from_secs(90));
    simulation.assert_agreement(&members);
    let list = simulation.client(members[0]).chat.list();
    for member in &members {
        let client = simulation.client(*member);
        assert_eq!(client.chat.list(), list, "{trouble:?}, seed {seed}, {}", client.name);
        assert!(client.chat.unsent().is_empty(), "{trouble:?}, seed {seed}: {:?}", client.chat.unsent());
    }
    for text in &written {
        let count = list.iter().filter(|line| line.ends_with(&format!(": {text}"))).count();
        assert_eq!(count, 1, "{trouble:?}, seed {seed}: {text} in {list:?}");
    }
    assert_eq!(list.len(), written.len());
}

fn disturb(simulation: &mut Simulation, members: &[ClientId], trouble: Trouble) {
    let (chance, some) =
        (simulation.random().random_range(0..40), *members.choose(simulation.random()).expect("there are members"));
    match trouble {
        Trouble::Commits if chance < 20 => simulation.command(some, Command::Refresh),
        Trouble::Resets if chance == 0 => simulation.restart_server(),
        Trouble::Resets if chance < 10 => simulation.reset(some),
        Trouble::Resets if chance < 13 => away(simulation, some, 8),
        Trouble::Rejoins if chance == 0 => away(simulation, some, 45),
        Trouble::Commits | Trouble::Resets | Trouble::Rejoins => {}
    }
}

/// Cuts the network of a client for some seconds. It writes meanwhile.
fn away(simulation: &mut Simulation, client: ClientId, seconds: u64) {
    simulation.cut(client);
    simulation.run(Duration::from_secs(seconds));
    simulation.repair(client);
    simulation.run(Duration::from_secs(seconds));
}

fn write(simulation: &mut Simulation, author: ClientId, text: &str) {
    let text = Text::new(text).expect("a text");
    let line = NewLine { to: None, text, reply: None, mentions: Vec::new() };
    simulation.command(author, Command::Chat(ChatCommand::Send(line)));
}

#[test]
fn a_flood_of_one_member_leaves_the_lines_of_the_others() {
    let mut simulation = Simulation::seeded(3_300);
    let members = simulation.meeting(&NAMES[..4]);
    for number in 0..40 {
        write(&mut simulation, members[1], &format!("flood {number}"));
    }
    write(&mut simulation, members[2], "a question");
    simulation.run(Duration::from_secs(3));
    for member in &members {
        let chat = &simulation.client(*member).chat;
        assert!(chat.find("a question").is_some_and(|line| line.place.is_some()));
        assert!(chat.floods.is_empty(), "this program does not write faster than the others accept");
    }
    simulation.run(Duration::from_secs(30));
    let list = simulation.client(members[0]).chat.list();
    assert_eq!((list.len(), simulation.client(members[3]).chat.list()), (41, list));
}
