//! One meeting, from the first packet to the last.

use crate::clock;
use crate::coordinator::{Coordinator, Parts, warnings};
use crate::event::{Command, Event};
use crate::measure::{Facts, Shared};
use crate::send::Uplink;
use crate::setup::{Entry, Setup};
use crate::sources::{Cameras, Hardware};
use crate::track_stats::TrackStats;
use crate::video_output::VideoOutput;
use crypto::{Identity, Invitation, KeyRing, Profile};
use media::{BufferPool, Clock};
use net::meeting;
use proto::MeetingId;
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

/// What happens in the meeting, in order. Read it until [`Event::Ended`].
pub type Events = mpsc::Receiver<Event>;

/// A running meeting. Dropping it leaves, flushes for at most a second and closes every device.
pub struct Engine {
    commands: mpsc::Sender<Command>,
    stats: TrackStats,
    measure: Shared,
    clock: Clock,
    runtime: Option<Runtime>,
}

/// The meeting could not even begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name cannot be shown to others.
    #[error("this name cannot be used: {0}")]
    Name(crypto::identity::BadName),
    /// The system has no thread, or no randomness, left.
    #[error("the system refuses what a meeting needs: {0}")]
    System(#[from] std::io::Error),
}

/// Too many commands are waiting: the engine is stuck, or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the meeting does not take commands")]
pub struct Busy;

impl Engine {
    /// Begins to enter a meeting and returns at once; [`Event::Entered`] or [`Event::Ended`] tell how it went.
    /// `identity` is this device's long-term key. Pictures go to `screen`.
    ///
    /// # Errors
    /// [`Error`] where nothing was begun.
    pub fn start(
        entry: Entry,
        setup: Setup,
        identity: Identity,
        screen: Arc<dyn VideoOutput>,
    ) -> Result<(Self, Events), Error> {
        Self::start_with(entry, setup, identity, screen, Cameras::default())
    }

    /// Like [`Engine::start`], with the caller's own cameras, encoders and decoders.
    ///
    /// # Errors
    /// [`Error`] where nothing was begun.
    pub fn start_with(
        entry: Entry,
        setup: Setup,
        identity: Identity,
        screen: Arc<dyn VideoOutput>,
        hardware: impl Into<Hardware>,
    ) -> Result<(Self, Events), Error> {
        let Hardware { cameras, codecs } = hardware.into();
        let clock = clock::system();
        let measure = Shared::new(clock.now());
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("net").enable_all().build()?;
        let (commands, inbox) = mpsc::channel(64);
        let (events, outbox) = mpsc::channel(256);
        let stats = TrackStats::default();
        let pool = BufferPool::new(256);
        let (ring, uplink) = (KeyRing::new(), Uplink::default());
        let organiser = matches!(entry, Entry::Create { .. });
        let config = network(entry, &setup, identity, ring.clone(), pool.clone())?;
        let (session, network) = net::start(config, runtime.handle());
        let (audio, early) = sound(&setup, clock, pool.clone(), &uplink);
        let parts = Parts {
            session,
            audio,
            uplink,
            ring,
            clock,
            pool,
            stats: stats.clone(),
            screen,
            cameras,
            codecs,
            setup,
            events: events.clone(),
            measure: measure.clone(),
            organiser,
        };
        let coordinator = Coordinator::new(parts, &early)?;
        runtime.spawn(async move {
            let _ = events.send(Event::Progress(crate::Step::Connecting)).await;
            for notice in warnings(&early) {
                // A reader that has gone misses nothing.
                let _ = events.send(Event::Notice(notice)).await;
            }
            coordinator.run(network, inbox).await;
        });
        Ok((Self { commands, stats, measure, clock, runtime: Some(runtime) }, outbox))
    }

    /// Passes a command on. Never waits.
    ///
    /// # Errors
    /// [`Busy`] where 64 commands wait already, or the meeting has ended.
    pub fn send(&self, command: Command) -> Result<(), Busy> {
        self.commands.try_send(command).map_err(|_| Busy)
    }

    /// What was counted of each track so far.
    #[must_use]
    pub fn stats(&self) -> TrackStats {
        self.stats.clone()
    }

    /// What is known of this client's meeting so far.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.measure.facts()
    }

    /// The clock of every time in this meeting.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Without room for the command, closing the channel says the same.
        let _ = self.commands.try_send(Command::Leave);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
    }
}

fn network(
    entry: Entry,
    setup: &Setup,
    identity: Identity,
    ring: KeyRing,
    pool: BufferPool,
) -> Result<net::Config, Error> {
    let profile = Profile::new(&setup.name).map_err(Error::Name)?;
    let (host, port, fingerprint, entry) = match entry {
        Entry::Create { host, port, fingerprint } => {
            let meeting = MeetingId(random()?);
            (host, port, fingerprint, meeting::Entry::Create { meeting, identity, profile })
        }
        Entry::Join(invitation) => {
            let Invitation { host, port, fingerprint, .. } = &invitation;
            (host.clone(), *port, *fingerprint, meeting::Entry::Join { invitation, identity, profile })
        }
    };
    Ok(net::Config { entry, host, port, fingerprint, ring, pool })
}

fn sound(setup: &Setup, clock: Clock, pool: BufferPool, uplink: &Uplink) -> (audio::Engine, Vec<audio::Warning>) {
    let uplink = uplink.clone();
    audio::Engine::start(audio::Config {
        microphone: setup.microphone.clone(),
        speaker: setup.speaker.clone(),
        clock,
        pool,
        uplink: Box::new(move |packet| uplink.send(packet)),
    })
}

fn random() -> Result<[u8; 16], Error> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| std::io::Error::other("no randomness"))?;
    Ok(bytes)
}
