//! The organiser as a program of its own: the engine of the product, which a window would drive. Lines on standard input
//! are commands; lines on standard output report what happened.

use crate::people::Person;
use anyhow::{Context, Result, bail};
use engine::dump::Dump;
use engine::{
    AudioChoice, Choice, Command, Entry, FloorOrder, FloorTarget, Hardware, ParticipantId, Rights, Role, chat,
};
use media::Size;
use std::io::{BufRead, Write, stdin, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

/// Creates a meeting on the server at `port` of this machine, and follows the commands on standard input until it ends:
/// `remove ID`, `promote ID`, `demote ID`, `mute ID`, `allow ID`, `no-react ID`, `react ID`, `ask open`, `ask secret`, `end-votes now` and
/// `leave`. `clip` is its camera; what it sees is written to `dump`.
///
/// # Errors
/// Returns an error if the engine does not start, or standard output is closed.
pub fn run(port: u16, fingerprint: [u8; 32], clip: PathBuf, dump: PathBuf) -> Result<()> {
    let entry = Entry::Create { host: "127.0.0.1".into(), port, fingerprint: Some(fingerprint) };
    std::fs::create_dir_all(&dump)?;
    let devices = (Choice::File(clip), AudioChoice::Off);
    let mut person = Person::enter_through(entry, "Olga", devices, Hardware::default(), |output| {
        Arc::new(Dump::new(output, dump, engine::clock::system()))
    })?;
    let (commands, mut printed) = (read_commands()?, Printed::default());
    loop {
        // Returns an error if nothing changed for a while, which is no failure.
        let _ = person.wait(Duration::from_millis(50), "something", |_| false);
        printed.print_changes(&person)?;
        if person.ended.is_some() {
            return Ok(());
        }
        if printed.looked != printed.cameras {
            printed.looked = printed.cameras;
            person.look(Size::new(320, 180))?;
        }
        match commands.try_recv() {
            Ok(line) => execute(&person, &line)?,
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                // Fails if the meeting has ended.
                let _ = person.engine.send(Command::Leave);
            }
        }
    }
}

fn execute(person: &Person, line: &str) -> Result<()> {
    let Some((word, id)) = line.split_once(' ') else { return Ok(person.engine.send(Command::Leave)?) };
    if let Some(commands) = about_votes(person, word, id)? {
        return Ok(commands.into_iter().try_for_each(|command| person.engine.send(Command::Chat(command)))?);
    }
    let id = ParticipantId(id.parse().context("an id is a number")?);
    let order =
        |allow| Command::Floor(FloorOrder { target: FloorTarget::Person(id), rights: Rights::MICROPHONE, allow });
    let command = match word {
        "remove" => Command::Remove(id),
        "promote" => Command::SetRole(id, Role::CoOrganiser),
        "demote" => Command::SetRole(id, Role::Participant),
        "mute" => order(false),
        "allow" => order(true),
        "no-react" => Command::WithdrawRights(id, Rights::REACT),
        "react" => Command::GrantRights(id, Rights::REACT),
        other => bail!("{other} is no command"),
    };
    Ok(person.engine.send(command)?)
}

/// Returns the commands of the chat, if the line is about votes.
fn about_votes(person: &Person, word: &str, what: &str) -> Result<Option<Vec<chat::Command>>> {
    let text = |text| chat::Text::new(text).context("a text");
    Ok(match word {
        "ask" => {
            let (question, options) = (text("when?")?, vec![text("now")?, text("later")?]);
            Some(vec![chat::Command::StartVote { question, options, secret: what == "secret" }])
        }
        "end-votes" => {
            let open = person.chat.lines().filter(|line| line.vote.as_ref().is_some_and(|vote| line.me && !vote.ended));
            Some(open.map(|line| chat::Command::EndVote(line.id)).collect())
        }
        _ => None,
    })
}

fn read_commands() -> Result<Receiver<String>> {
    let (sender, receiver) = sync_channel(64);
    let read = move || stdin().lock().lines().map_while(Result::ok).try_for_each(|line| sender.send(line));
    // It ends with the program.
    drop(std::thread::Builder::new().name("commands".into()).spawn(read)?);
    Ok(receiver)
}

/// What was printed already.
#[derive(Default)]
struct Printed {
    link: String,
    people: Vec<u64>,
    rights: Vec<String>,
    votes: Vec<String>,
    /// How many others send their camera.
    cameras: usize,
    looked: usize,
    notices: usize,
}

impl Printed {
    fn print_changes(&mut self, person: &Person) -> Result<()> {
        let mut out = stdout().lock();
        if self.link != person.link {
            self.link.clone_from(&person.link);
            writeln!(out, "link {}", self.link)?;
        }
        let people: Vec<u64> = person.people.iter().map(|person| person.id.0).collect();
        if self.people != people {
            let list: Vec<String> = people.iter().map(u64::to_string).collect();
            writeln!(out, "people {}", list.join(" "))?;
            self.people = people;
        }
        let rights: Vec<String> = person
            .people
            .iter()
            .map(|person| format!("{}:{}:{:x}", person.id.0, person.role.number(), person.rights.bits()))
            .collect();
        if self.rights != rights {
            writeln!(out, "rights {}", rights.join(" "))?;
            self.rights = rights;
        }
        let votes: Vec<_> = person.chat.lines().filter_map(|line| line.vote.as_ref()).map(describe).collect();
        if self.votes != votes {
            writeln!(out, "votes {}", votes.join(" "))?;
            self.votes = votes;
        }
        self.cameras = person.people.iter().filter(|other| !other.me && other.camera).count();
        for notice in person.notices.iter().skip(self.notices) {
            writeln!(out, "notice {notice:?}")?;
        }
        self.notices = person.notices.len();
        if let Some(reason) = &person.ended {
            writeln!(out, "ended {reason:?}")?;
        }
        Ok(out.flush()?)
    }
}

/// Describes a vote: whether it has ended, how many ballots are known, and those for each answer.
fn describe(vote: &chat::Vote) -> String {
    let counts = vote.options.iter().map(|option| option.count.map_or("-".to_owned(), |count| count.to_string()));
    format!("{}:{}:{}", vote.ended, vote.ballots, counts.collect::<Vec<_>>().join(","))
}
