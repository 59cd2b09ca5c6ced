//! People at real engines: real sockets, codecs, keys and files; no window.

use anyhow::{Result, bail};
use engine::{
    AudioChoice, Cameras, Choice, Command, Engine, Entry, Event, Events, Hardware, Identity, Meta, Microphone,
    VideoOutput, VideoSink,
};
use engine::{NoticeKind, ParticipantId, Person as Seen, Setup, Slot, TileWish, TrackId};
use media::{Frame, Notify, Size};
use server::{Config, Server};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// A server on a free port of this machine, in this process.
pub struct Host {
    server: Option<Server>,
    runtime: Runtime,
}

impl Host {
    /// Starts it.
    ///
    /// # Errors
    /// Where no port or thread is left.
    pub fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("server").enable_all().build()?;
        let server = runtime.block_on(Server::start(Config::new("127.0.0.1:0".parse()?)))?;
        Ok(Self { server: Some(server), runtime })
    }

    /// A new meeting on it.
    ///
    /// # Panics
    /// Never before it is dropped.
    #[must_use]
    pub fn entry(&self) -> Entry {
        let server = self.server.as_ref().expect("the server runs");
        let address = server.address();
        let (host, fingerprint) = (address.ip().to_string(), Some(server.fingerprint()));
        Entry::Create { host, port: address.port(), fingerprint }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop(Duration::from_secs(1)));
        }
    }
}

/// Somebody in a meeting.
pub struct Person {
    /// The engine.
    pub engine: Engine,
    /// The link, once inside.
    pub link: String,
    /// Our number, once inside.
    pub me: Option<ParticipantId>,
    /// Who is here, as last told.
    pub people: Vec<Seen>,
    /// True while our camera is seen by the others.
    pub camera: bool,
    /// True while our microphone is muted.
    pub muted: bool,
    /// The level of our microphone, as last told: 0.0 to 1.0.
    pub level: f32,
    /// What we were told, in order.
    pub notices: Vec<NoticeKind>,
    /// Why it ended, once it has.
    pub ended: Option<engine::Reason>,
    events: Events,
    gallery: Gallery,
}

impl Person {
    /// Begins to enter.
    ///
    /// # Errors
    /// Where the engine does not start.
    pub fn enter(entry: Entry, name: &str, camera: Choice, microphone: AudioChoice) -> Result<Self> {
        Self::enter_with(entry, name, (camera, Cameras::default()), microphone)
    }

    /// Begins to enter, with the test's cameras.
    ///
    /// # Errors
    /// Where the engine does not start.
    pub fn enter_with(
        entry: Entry,
        name: &str,
        (camera, cameras): (Choice, Cameras),
        microphone: AudioChoice,
    ) -> Result<Self> {
        Self::enter_at(entry, name, (camera, microphone), Hardware { cameras, ..Hardware::default() })
    }

    /// Begins to enter, with the test's devices.
    ///
    /// # Errors
    /// Returns the engine's error if it does not start.
    pub fn enter_at(
        entry: Entry,
        name: &str,
        (camera, microphone): (Choice, AudioChoice),
        hardware: Hardware,
    ) -> Result<Self> {
        let gallery = Gallery::default();
        let setup =
            Setup { name: name.into(), camera, microphone, speaker: AudioChoice::Off, screen: false, muted: false };
        let (engine, events) =
            Engine::start_with(entry, setup, Identity::generate()?, Arc::new(gallery.clone()), hardware)?;
        let (link, me, people, ended) = (String::new(), None, Vec::new(), None);
        let (camera, muted, level, notices) = (false, false, 0.0, Vec::new());
        Ok(Self { engine, link, me, people, camera, muted, level, notices, ended, events, gallery })
    }

    /// Follows what happens until `done`.
    ///
    /// # Errors
    /// Where it is not so after `limit`.
    pub fn wait(&mut self, limit: Duration, what: &str, done: impl Fn(&Self) -> bool) -> Result<Duration> {
        let begin = Instant::now();
        while begin.elapsed() < limit {
            self.follow();
            if done(self) {
                return Ok(begin.elapsed());
            }
            // Pictures ring; events alone are looked for ten times a second.
            let _ = self.gallery.notify.wait_until((begin + limit).min(Instant::now() + Duration::from_millis(100)));
        }
        bail!("not within {limit:?}: {what}")
    }

    /// Asks to see every camera at `size`.
    ///
    /// # Errors
    /// Where the engine takes no command.
    pub fn look(&self, size: Size) -> Result<()> {
        let wish = |owner| TileWish {
            track: TrackId { owner, slot: Slot::Camera },
            width: size.width,
            height: size.height,
            frames_per_second: 60,
            priority: 1,
            paused: false,
        };
        let tiles = self.people.iter().filter(|person| !person.me && person.camera).map(|person| wish(person.id));
        Ok(self.engine.send(Command::Tiles(tiles.collect()))?)
    }

    /// What was seen of somebody's camera.
    #[must_use]
    pub fn sight(&self, of: ParticipantId) -> Sight {
        let sights = self.gallery.lock();
        sights.get(&TrackId { owner: of, slot: Slot::Camera }).copied().unwrap_or_default()
    }

    /// Forgets the longest gaps seen so far.
    pub fn forget_gaps(&self) {
        self.gallery.lock().values_mut().for_each(|sight| sight.longest_gap = Duration::ZERO);
    }

    /// Takes in what has happened.
    pub fn follow(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            match event {
                Event::Entered { me, link, .. } => (self.me, self.link) = (Some(me), link),
                Event::People(people) => self.people = people,
                Event::Camera(on) => self.camera = on,
                Event::Microphone(microphone) => self.muted = microphone == Microphone::Muted,
                Event::Level(level) => self.level = level,
                Event::Notice(notice) => self.notices.push(notice.kind),
                Event::Ended(reason) => self.ended = Some(reason),
                Event::Progress(_) | Event::Locked(_) | Event::Speaking(_) | Event::Sharing(_) | Event::Totals(_) => {}
            }
        }
    }
}

/// What was seen of one camera.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sight {
    /// Pictures.
    pub shown: u64,
    /// The newest one's layer.
    pub spatial: u8,
    /// The longest time between two pictures.
    pub longest_gap: Duration,
    last: Option<Instant>,
}

/// A screen that counts.
#[derive(Clone, Default)]
struct Gallery {
    sights: Arc<Mutex<BTreeMap<TrackId, Sight>>>,
    notify: Notify,
}

impl Gallery {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<TrackId, Sight>> {
        self.sights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VideoOutput for Gallery {
    fn open(&self, track: TrackId, _: &str) -> Box<dyn VideoSink> {
        Box::new(Counted { track, gallery: self.clone() })
    }

    fn own(&self, _: Frame) {}
}

struct Counted {
    track: TrackId,
    gallery: Gallery,
}

impl VideoSink for Counted {
    fn show(&mut self, _: &codec::decode::Picture<'_>, meta: Meta) {
        let mut sights = self.gallery.lock();
        let sight = sights.entry(self.track).or_default();
        let now = Instant::now();
        if let Some(last) = sight.last.replace(now) {
            sight.longest_gap = sight.longest_gap.max(now - last);
        }
        sight.shown += 1;
        sight.spatial = meta.layer.spatial;
        self.gallery.notify.notify();
    }
}
