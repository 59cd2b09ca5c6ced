//! Participants with a real engine: real sockets, codecs, keys and files, but no window.

use crate::simulation::ChatList;
use anyhow::{Result, bail};
use engine::{
    AudioChoice, Authorship, Cameras, Choice, Command, Engine, Entry, Event, Events, Hardware, Identity, LobbyEvent,
    Meta, Microphone, RejoinState, VideoOutput, VideoSink,
};
use engine::{NoticeKind, ParticipantId, Person as EnginePerson, RightsChange, Second, Setup, Slot, TileWish, TrackId};
use media::{Frame, Notify, Size};
use server::{Config, Limits, Server};
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
    /// Starts the server.
    ///
    /// # Errors
    /// Returns an error if the system has no port or thread left.
    pub fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("server").enable_all().build()?;
        let server = runtime.block_on(Server::start(Config {
            limits: Limits::for_one_address(),
            ..Config::new("127.0.0.1:0".parse()?)
        }))?;
        Ok(Self { server: Some(server), runtime })
    }

    /// Returns the entry that opens a new meeting on it.
    ///
    /// # Panics
    /// Never: the server runs until the host is dropped.
    #[must_use]
    pub fn entry(&self) -> Entry {
        let server = self.server.as_ref().expect("the server runs");
        let address = server.address();
        let (host, fingerprint) = (address.ip().to_string(), Some(server.fingerprint()));
        Entry::Create { host, port: address.port(), fingerprint }
    }
}

impl Host {
    /// Stops the server as a participant's program does.
    pub fn stop_hosting(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop_hosting(Duration::from_secs(1)));
        }
    }

    /// Returns the number of meetings on the server.
    #[must_use]
    pub fn meetings(&self) -> usize {
        self.server.as_ref().map_or(0, Server::meetings)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop(Duration::from_secs(1)));
        }
    }
}

/// A participant of a meeting.
pub struct Person {
    /// The participant's engine.
    pub engine: Engine,
    /// The link of the meeting. Empty until the participant is admitted.
    pub link: String,
    /// Its participant id. `None` until the participant is admitted.
    pub me: Option<ParticipantId>,
    /// The participants, from the newest event.
    pub people: Vec<EnginePerson>,
    /// True while its camera is sent.
    pub camera: bool,
    /// True while its microphone is muted.
    pub muted: bool,
    /// The level of its microphone, from 0.0 to 1.0.
    pub level: f32,
    /// What happened in the last second. `None` before the first one.
    pub second: Option<Arc<Second>>,
    /// The tracks whose frames are dropped, because their owner has not signed them.
    pub doubted_tracks: BTreeMap<TrackId, Authorship>,
    /// Who asks to join, and whom no rule lets in.
    pub asking: Vec<(ParticipantId, String)>,
    /// The lines of the chat.
    pub chat: ChatList,
    /// The changes of its own role and rights, in order.
    pub changes: Vec<RightsChange>,
    /// The notices, in order.
    pub notices: Vec<NoticeKind>,
    /// Why the meeting ended. `None` until it has.
    pub ended: Option<engine::Reason>,
    events: Events,
    output: CountingOutput,
}

impl Person {
    /// Starts an engine that joins or opens a meeting. Returns before the participant is a member.
    ///
    /// # Errors
    /// Returns the engine's error if it does not start.
    pub fn enter(entry: Entry, name: &str, camera: Choice, microphone: AudioChoice) -> Result<Self> {
        Self::enter_with(entry, name, (camera, Cameras::default()), microphone)
    }

    /// As [`Person::enter`], with the cameras of the test.
    ///
    /// # Errors
    /// Returns the engine's error if it does not start.
    pub fn enter_with(
        entry: Entry,
        name: &str,
        (camera, cameras): (Choice, Cameras),
        microphone: AudioChoice,
    ) -> Result<Self> {
        Self::enter_at(entry, name, (camera, microphone), Hardware { cameras, ..Hardware::default() })
    }

    /// As [`Person::enter`], with the devices and codecs of the test.
    ///
    /// # Errors
    /// Returns the engine's error if it does not start.
    pub fn enter_at(
        entry: Entry,
        name: &str,
        (camera, microphone): (Choice, AudioChoice),
        hardware: Hardware,
    ) -> Result<Self> {
        Self::enter_through(entry, name, (camera, microphone), hardware, |output| output)
    }

    /// As [`Person::enter_at`]. `wrap` wraps the video output that counts pictures.
    ///
    /// # Errors
    /// Returns the engine's error if it does not start.
    pub fn enter_through(
        entry: Entry,
        name: &str,
        (camera, microphone): (Choice, AudioChoice),
        hardware: Hardware,
        wrap: impl FnOnce(Arc<dyn VideoOutput>) -> Arc<dyn VideoOutput>,
    ) -> Result<Self> {
        let output = CountingOutput::default();
        let proxy = engine::ProxySettings::default();
        let setup = Setup {
            name: name.into(),
            camera,
            microphone,
            speaker: AudioChoice::Off,
            screen: false,
            muted: false,
            chat_first: false,
            proxy,
            bandwidth: engine::Bandwidth::default(),
            flags: engine::MeetingFlags::NONE,
        };
        let started =
            Engine::start_with(entry, setup, Identity::generate()?, wrap(Arc::new(output.clone())), hardware)?;
        Ok(Self::new(started, output))
    }

    /// Starts an engine that comes back to a meeting as its organiser, without devices.
    ///
    /// # Errors
    /// Returns the engine's error if it does not start.
    pub fn rejoin(rejoin_state: RejoinState) -> Result<Self> {
        let output = CountingOutput::default();
        let (camera, microphone, speaker) = (Choice::Off, AudioChoice::Off, AudioChoice::Off);
        let proxy = engine::ProxySettings::default();
        let setup = Setup {
            name: String::new(),
            camera,
            microphone,
            speaker,
            screen: false,
            muted: false,
            chat_first: false,
            proxy,
            bandwidth: engine::Bandwidth::default(),
            flags: engine::MeetingFlags::NONE,
        };
        let started = Engine::rejoin(rejoin_state, setup, Arc::new(output.clone()))?;
        Ok(Self::new(started, output))
    }

    fn new((engine, events): (Engine, Events), output: CountingOutput) -> Self {
        let (link, me, people, ended) = (String::new(), None, Vec::new(), None);
        let (camera, muted, level, second) = (false, false, 0.0, None);
        let (asking, changes, notices) = (Vec::new(), Vec::new(), Vec::new());
        let doubted_tracks = BTreeMap::new();
        Self {
            engine,
            link,
            me,
            people,
            camera,
            muted,
            level,
            second,
            doubted_tracks,
            asking,
            chat: ChatList::default(),
            changes,
            notices,
            ended,
            events,
            output,
        }
    }

    /// Handles events until `done` returns true. Returns how long that took.
    ///
    /// # Errors
    /// Returns an error if `done` is still false after `limit`.
    pub fn wait(&mut self, limit: Duration, what: &str, done: impl Fn(&Self) -> bool) -> Result<Duration> {
        let start = Instant::now();
        while start.elapsed() < limit {
            self.follow();
            if done(self) {
                return Ok(start.elapsed());
            }
            // A picture notifies at once. Other events are polled ten times a second.
            let _ = self.output.notify.wait_until((start + limit).min(Instant::now() + Duration::from_millis(100)));
        }
        bail!("not within {limit:?}: {what}")
    }

    /// Requests the cameras of all other participants in tiles of `size`.
    ///
    /// # Errors
    /// Returns the engine's error if its queue is full or closed.
    pub fn look(&self, size: Size) -> Result<()> {
        let wish = |owner| TileWish {
            track: TrackId { owner, slot: Slot::Camera },
            width: size.width,
            height: size.height,
            frames_per_second: 60,
            priority: 1,
            hidden: false,
        };
        let tiles = self.people.iter().filter(|person| !person.me && person.camera).map(|person| wish(person.id));
        Ok(self.engine.send(Command::SetWishes(tiles.collect()))?)
    }

    /// Returns the statistics of the pictures shown from a participant's camera.
    #[must_use]
    pub fn shown_pictures(&self, of: ParticipantId) -> ShownPictures {
        let shown = self.output.lock();
        shown.get(&TrackId { owner: of, slot: Slot::Camera }).copied().unwrap_or_default()
    }

    /// Resets the longest gaps.
    pub fn forget_gaps(&self) {
        self.output.lock().values_mut().for_each(|entry| entry.longest_gap = Duration::ZERO);
    }

    /// Handles the events that wait in the queue.
    pub fn follow(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            match event {
                Event::Entered { me, link, .. } => (self.me, self.link) = (Some(me), link.expose().to_owned()),
                Event::LinkChanged { link } => link.expose().clone_into(&mut self.link),
                Event::AsksToJoin { id, name, .. } => self.asking.push((id, name)),
                Event::StoppedAsking(id) => self.asking.retain(|(asker, _)| *asker != id),
                Event::People(people) => self.people = people,
                Event::Camera(on) => self.camera = on,
                Event::Microphone(microphone) => self.muted = microphone == Microphone::Muted,
                Event::Level(level) => self.level = level,
                Event::Second(second) => self.second = Some(second),
                Event::DoubtedTracks(tracks) => self.doubted_tracks = tracks,
                // It is no member any more.
                Event::Lobby(LobbyEvent::SentBack) => self.people.clear(),
                Event::Chat(event) => self.chat.handle(event),
                Event::OwnRightsChanged(change) => self.changes.push(change),
                Event::Notice(notice) => self.notices.push(notice.kind),
                Event::Ended(reason) => self.ended = Some(reason),
                Event::Progress(_)
                | Event::Verification(_)
                | Event::Policy(_)
                | Event::Lobby(_)
                | Event::Hands(_)
                | Event::HandLowered { .. }
                | Event::Locked(_)
                | Event::Speaking(_)
                | Event::Sharing(_)
                | Event::Totals(_) => {}
            }
        }
    }
}

/// Statistics of the pictures shown from one camera.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShownPictures {
    /// The number of pictures.
    pub shown: u64,
    /// The spatial layer of the newest picture.
    pub spatial: u8,
    /// The size of the newest picture. `None` before the first one.
    pub size: Option<Size>,
    /// The longest time between two pictures.
    pub longest_gap: Duration,
    last: Option<Instant>,
}

/// A video output that only counts pictures.
#[derive(Clone, Default)]
struct CountingOutput {
    shown: Arc<Mutex<BTreeMap<TrackId, ShownPictures>>>,
    notify: Notify,
}

impl CountingOutput {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<TrackId, ShownPictures>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VideoOutput for CountingOutput {
    fn open(&self, track: TrackId, _: &str) -> Box<dyn VideoSink> {
        Box::new(CountingSink { track, output: self.clone() })
    }

    fn own(&self, _: Frame) {}
}

struct CountingSink {
    track: TrackId,
    output: CountingOutput,
}

impl VideoSink for CountingSink {
    fn show(&mut self, picture: &codec::decode::Picture<'_>, meta: Meta) {
        let mut shown = self.output.lock();
        let entry = shown.entry(self.track).or_default();
        let now = Instant::now();
        if let Some(last) = entry.last.replace(now) {
            entry.longest_gap = entry.longest_gap.max(now - last);
        }
        entry.shown += 1;
        entry.spatial = meta.layer.spatial;
        entry.size = Some(picture.planes[0].size);
        self.output.notify.notify();
    }
}
