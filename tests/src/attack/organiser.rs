//! The organiser as a program of its own: the engine of the product, which a window would drive. Lines on standard input
//! are commands; lines on standard output report what happened.

use crate::people::Person;
use anyhow::{Context, Result};
use engine::dump::Dump;
use engine::{AudioChoice, Choice, Command, Entry, Hardware, ParticipantId};
use media::Size;
use std::io::{BufRead, Write, stdin, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

/// Creates a meeting on the server at `port` of this machine, and follows the commands on standard input until it ends:
/// `remove ID` and `leave`. `clip` is its camera; what it sees is written to `dump`.
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
            Err(TryRecvError::Disconnected) => person.engine.send(Command::Leave)?,
        }
    }
}

fn execute(person: &Person, line: &str) -> Result<()> {
    match line.split_once(' ') {
        Some(("remove", id)) => {
            let id = ParticipantId(id.parse().context("an id is a number")?);
            person.engine.send(Command::Remove(id))?;
        }
        Some(_) | None => person.engine.send(Command::Leave)?,
    }
    Ok(())
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
