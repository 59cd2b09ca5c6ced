//! A guest with a changed program, as a process of its own: it speaks all the time, and never asks whether it may. It can seal its sound
//! as another member. The keys, the sockets and the sound are real. The first line of standard input is the link; the end of standard
//! input ends it.

use anyhow::{Context, Result};
use codec::opus::Encoder;
use crypto::group::hostile;
use crypto::{Identity, Invitation, KeyRing, Leaf, Profile, Sealer};
use media::{AudioCodec, BufferPool, Clock, EncodedAudio, Level};
use net::meeting::{Command, Entry, MediaState, Microphone};
use net::{Backends, Config, Event, FrameSender, Session, meeting};
use proto::{Epoch, Rights, Slot};
use std::io::{Read, stdin};
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

/// Joins the meeting, and speaks until standard input ends, as the member with the name `speaks_as` if there is one. Prints `entered`,
/// `speaks as` and the participant id, `told that it may not speak`, `told that it may speak` and `ended`.
///
/// # Errors
/// Returns an error if the link is not valid, or the system has no thread or no random numbers.
pub fn run(speaks_as: Option<&str>) -> Result<()> {
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
    runtime.block_on(speak(link.trim(), speaks_as, ended))
}

async fn speak(link: &str, speaks_as: Option<&str>, mut ended: oneshot::Receiver<()>) -> Result<()> {
    let invitation: Invitation = link.parse()?;
    let (host, port, fingerprint) = (invitation.host.clone(), invitation.port, invitation.fingerprint);
    let entry = Entry::Join { invitation, identity: Identity::generate()?, profile: Profile::new(NAME)? };
    let (ring, pool) = (KeyRing::new(), BufferPool::new(64));
    let config = Config { entry, host, port, fingerprint, ring: ring.clone(), pool };
    let (session, mut events) = net::start_with(config, &Handle::current(), Backends::default());
    let (mut voice, mut tick, mut may_speak) = (None, interval(FRAME), true);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut is_leaving = false;
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(Event::Meeting(meeting::Event::Entered { .. })) => {
                    println!("entered");
                    voice = Some(Voice::start(&session, &ring)?);
                }
                Some(Event::Meeting(meeting::Event::Members(members))) => {
                    let victim = members.iter().find(|member| Some(member.name.as_str()) == speaks_as);
                    if let (Some(voice), Some(victim)) = (&mut voice, victim)
                        && voice.speaks_as.replace(victim.leaf) != Some(victim.leaf)
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
                if let Some(voice) = &mut voice {
                    voice.send()?;
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

/// The sound of a tone.
struct Voice {
    sender: FrameSender,
    ring: KeyRing,
    /// The leaf of the member as which it seals; `None` for its own.
    speaks_as: Option<Leaf>,
    /// The epoch of the sealer's keys; `None` while they follow the group.
    epoch: Option<Epoch>,
    sealer: Sealer,
    encoder: Encoder,
    pool: BufferPool,
    clock: Clock,
    frames: u64,
}

impl Voice {
    fn start(session: &Session, ring: &KeyRing) -> Result<Self> {
        let sender = session.publish(Slot::Microphone, Vec::new());
        session.send(Command::Announce(MediaState { microphone: Microphone::On, ..MediaState::default() }))?;
        let sealer = Sealer::new(ring.clone(), Slot::Microphone);
        let (encoder, pool, clock) = (Encoder::new()?, BufferPool::new(64), Clock::default());
        let (ring, speaks_as, epoch) = (ring.clone(), None, None);
        Ok(Self { sender, ring, speaks_as, epoch, sealer, encoder, pool, clock, frames: 0 })
    }

    fn send(&mut self) -> Result<()> {
        self.take_keys();
        let position = self.frames * SAMPLES;
        self.frames += 1;
        let samples: Vec<f32> = (position..position + SAMPLES).map(sample).collect();
        let Some(payload) = self.encoder.encode(&samples, &self.pool)? else { return Ok(()) };
        let sound = EncodedAudio {
            codec: AudioCodec::Opus,
            position,
            samples: 960,
            captured: self.clock.now(),
            voice: true,
            level: Level::new(30),
            payload,
        };
        // Without keys or a transport, the frame is lost.
        if let Ok(sealed) = self.sealer.seal_audio(sound) {
            let _ = self.sender.try_send(sealed);
        }
        Ok(())
    }
}

impl Voice {
    /// Takes the keys of the other member in a new epoch.
    fn take_keys(&mut self) {
        let Some(leaf) = self.speaks_as.filter(|_| self.epoch != self.ring.epoch()) else { return };
        if let Some(ring) = hostile::ring_of_another(&self.ring, leaf) {
            self.epoch = ring.epoch();
            self.sealer = Sealer::new(ring, Slot::Microphone);
        }
    }
}

/// A tone of 440 Hz that comes and goes, as speech does.
fn sample(at: u64) -> f32 {
    let phase = |frequency: u64| {
        let step = u16::try_from(at * frequency % RATE).unwrap_or(0);
        f32::from(step) / 48_000.0 * std::f32::consts::TAU
    };
    0.3 * phase(440).sin() * (0.6 + 0.4 * phase(3).sin())
}

/// The name that the others see.
pub const NAME: &str = "Mallory";
const FRAME: Duration = Duration::from_millis(20);
const SAMPLES: u64 = 960;
const RATE: u64 = 48_000;
