//! A guest with a changed program, as a process of its own: it speaks or shows pictures all the time, and never asks whether it may. It can
//! seal what it sends as another member. The keys, the sockets, the sound and the pictures are real. The first line of standard input is the
//! link; the end of standard input ends it.

mod pictures;
mod seal;
mod voice;

use anyhow::{Context, Result};
use crypto::{Identity, Invitation, KeyRing, Profile};
use media::BufferPool;
use net::meeting::{Command, Entry};
use net::{Backends, Config, Event, Session, meeting};
use pictures::Pictures;
use proto::Rights;
use seal::Seal;
use std::io::{Read, stdin};
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};
use voice::Voice;

/// What it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A tone, in frames of 20 ms.
    Voice,
    /// Pictures of a camera, 30 a second.
    Pictures,
}

/// Joins the meeting, and sends until standard input ends, as the member with the name `speaks_as` if there is one. Prints `entered`,
/// `speaks as` and the participant id, `told that it may not speak`, `told that it may speak` and `ended`.
///
/// # Errors
/// Returns an error if the link is not valid, or the system has no thread or no random numbers.
pub fn run(what: What, speaks_as: Option<&str>) -> Result<()> {
    let mut link = String::new();
    stdin().read_line(&mut link)?;
    let (end, ended) = oneshot::channel();
    let wait = move || {
        // The error is an end, too.
        let _ = stdin().read_to_end(&mut Vec::new());
        let _ = end.send(());
    };
    drop(std::thread::Builder::new().name("input".into()).spawn(wait)?);
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(speak(link.trim(), what, speaks_as, ended))
}

async fn speak(link: &str, what: What, speaks_as: Option<&str>, mut ended: oneshot::Receiver<()>) -> Result<()> {
    let invitation: Invitation = link.parse()?;
    let (host, port, fingerprint) = (invitation.host.clone(), invitation.port, invitation.fingerprint);
    let entry = Entry::Join { invitation, identity: Identity::generate()?, profile: Profile::new(NAME)? };
    let (ring, pool) = (KeyRing::new(), BufferPool::new(64));
    let config = Config { entry, host, port, fingerprint, ring: ring.clone(), pool };
    let (session, mut events) = net::start_with(config, &Handle::current(), Backends::default());
    let (mut sender, mut tick, mut may_speak) = (None, interval(what.interval()), true);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut is_leaving = false;
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(Event::Meeting(meeting::Event::Entered { .. })) => {
                    println!("entered");
                    sender = Some(Sender::start(what, &session, &ring)?);
                }
                Some(Event::Meeting(meeting::Event::Members(members))) => {
                    let victim = members.iter().find(|member| Some(member.name.as_str()) == speaks_as);
                    if let (Some(sender), Some(victim)) = (&mut sender, victim)
                        && sender.seal().as_member.replace(victim.leaf) != Some(victim.leaf)
                    {
                        println!("speaks as {}", victim.id.0);
                    }
                    let me = members.iter().find(|member| member.me).context("it is a member")?;
                    let may = me.rights.contains(Rights::MICROPHONE);
                    if std::mem::replace(&mut may_speak, may) != may {
                        println!("told that it may{} speak", if may { "" } else { " not" });
                    }
                }
                Some(_) => {}
                None => break,
            },
            _ = tick.tick() => {
                if let Some(sender) = &mut sender {
                    sender.send()?;
                }
            }
            _ = &mut ended, if !is_leaving => {
                is_leaving = true;
                session.send(Command::Leave)?;
            }
        }
    }
    println!("ended");
    Ok(())
}

impl What {
    const fn interval(self) -> Duration {
        match self {
            Self::Voice => voice::FRAME,
            Self::Pictures => pictures::INTERVAL,
        }
    }
}

/// What seals and sends.
enum Sender {
    Voice(Box<Voice>),
    Pictures(Box<Pictures>),
}

impl Sender {
    fn start(what: What, session: &Session, ring: &KeyRing) -> Result<Self> {
        Ok(match what {
            What::Voice => Self::Voice(Box::new(Voice::start(session, ring)?)),
            What::Pictures => Self::Pictures(Box::new(Pictures::start(session, ring)?)),
        })
    }

    fn seal(&mut self) -> &mut Seal {
        match self {
            Self::Voice(voice) => &mut voice.seal,
            Self::Pictures(pictures) => &mut pictures.seal,
        }
    }

    fn send(&mut self) -> Result<()> {
        self.seal().take_keys();
        match self {
            Self::Voice(voice) => voice.send(),
            Self::Pictures(pictures) => pictures.send(),
        }
    }
}

/// The name that the others see.
pub const NAME: &str = "Mallory";
