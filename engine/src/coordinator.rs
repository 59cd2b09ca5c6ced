//! The one owner of a meeting's parts: hears commands, the network and the devices, and ties them together.

mod devices;
mod room;
mod tracks;

pub use devices::{warning, warnings};
pub use room::linear;

use crate::event::{Command, Event, Reason, Step};
use crate::receive::Receivers;
use crate::send::{Pictures, Report, Uplink};
use crate::setup::Setup;
use crate::sources::Cameras;
use crate::track_stats::TrackStats;
use crate::video_output::VideoOutput;
use crate::{measure, reason};
use capture::Format;
use crypto::KeyRing;
use media::{Bitrate, BufferPool, Clock, Mailbox};
use net::meeting::{self, MediaState, Microphone};
use net::{Session, meeting::Person as Member};
use proto::{ParticipantId, SenderLayers, Slot, TrackId};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// What the coordinator is made of.
pub struct Parts {
    /// The way to the server.
    pub session: Session,
    /// The sound engine.
    pub audio: audio::Engine,
    /// The voice's way out.
    pub uplink: Uplink,
    /// The keys.
    pub ring: KeyRing,
    /// The time.
    pub clock: Clock,
    /// Where bitstreams live.
    pub pool: BufferPool,
    /// What is counted.
    pub stats: TrackStats,
    /// Where pictures go.
    pub screen: Arc<dyn VideoOutput>,
    /// Where they come from.
    pub cameras: Cameras,
    /// As whom, with which devices.
    pub setup: Setup,
    /// Who hears what happens.
    pub events: mpsc::Sender<Event>,
    /// What a report is made of.
    pub measure: measure::Shared,
    /// True where the meeting was made here.
    pub organiser: bool,
}

/// The state of one meeting, owned by one task.
pub struct Coordinator {
    parts: Parts,
    receivers: Receivers,
    members: Vec<Member>,
    sources: BTreeMap<Slot, Source>,
    /// Sources on their way to be closed: each box ends when its device is free.
    closing: BTreeMap<Slot, Mailbox<()>>,
    waiting: Vec<tracks::Waiting>,
    /// What the server said last of each slot.
    wanted: BTreeMap<Slot, SenderLayers>,
    state: MediaState,
    entered: bool,
    epoch: u64,
    budget: Bitrate,
    reports: mpsc::Sender<(Slot, u64, Report)>,
    heard: mpsc::Receiver<(Slot, u64, Report)>,
    births: u64,
    speaking: Vec<ParticipantId>,
    level: f32,
}

/// One picture source, from the moment it is asked for.
struct Source {
    pictures: Pictures,
    format: Option<Format>,
    /// Tells a late report of a source that was closed from one of its successor.
    birth: u64,
}

impl Coordinator {
    /// Ties `parts` together. `early` is what the sound engine warned of when it started.
    ///
    /// # Errors
    /// Where the system has no thread left.
    pub fn new(parts: Parts, early: &[audio::Warning]) -> std::io::Result<Self> {
        let (reports, heard) = mpsc::channel(16);
        let microphone = match (&parts.setup.microphone, parts.setup.muted) {
            (audio::Choice::Off, _) => Microphone::Off,
            _ if early.iter().any(devices::takes_the_microphone) => Microphone::Off,
            (_, true) => Microphone::Muted,
            (_, false) => Microphone::On,
        };
        Ok(Self {
            parts,
            receivers: Receivers::start()?,
            members: Vec::new(),
            sources: BTreeMap::new(),
            closing: BTreeMap::new(),
            waiting: Vec::new(),
            wanted: BTreeMap::new(),
            state: MediaState { microphone, ..MediaState::default() },
            entered: false,
            epoch: 0,
            budget: START,
            reports,
            heard,
            births: 0,
            speaking: Vec::new(),
            level: 0.0,
        })
    }

    /// Runs until the meeting is over for us, then tells why and closes every device.
    pub async fn run(mut self, mut network: mpsc::Receiver<net::Event>, mut commands: mpsc::Receiver<Command>) {
        self.open_devices();
        let mut tick = interval_at(Instant::now() + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let reason = loop {
            let flow = tokio::select! {
                event = network.recv() => match event {
                    Some(event) => self.handle_network(event).await,
                    None => ControlFlow::Break(Reason::Here("the network task ended".into())),
                },
                command = commands.recv() => match command {
                    Some(command) => self.handle_command(command).await,
                    None => self.handle_command(Command::Leave).await,
                },
                Some((slot, birth, report)) = self.heard.recv() => self.handle_report(slot, birth, report).await,
                _ = tick.tick() => self.handle_tick().await,
            };
            if let ControlFlow::Break(reason) = flow {
                break reason;
            }
        };
        self.close(reason).await;
    }

    async fn handle_network(&mut self, event: net::Event) -> ControlFlow<Reason> {
        match event {
            net::Event::Meeting(event) => return self.handle_meeting(event).await,
            net::Event::Track { track, kind, frames, .. } => self.add_track(tracks::Waiting { track, kind, frames }),
            net::Event::Rekeyed(epoch) => self.rekeyed(epoch.0),
            net::Event::Connected => tracing::info!("media flow"),
            net::Event::TrackEnded(track) => self.end_track(track),
            net::Event::LayersWanted(layers) => self.want(layers),
            net::Event::KeyFrameWanted { slot, spatial } => self.key_frame(slot, spatial),
            net::Event::Estimate(budget) => self.share(budget),
            net::Event::Totals(totals) => {
                self.parts.measure.totals(totals);
                let at = self.parts.measure.since_entered(self.parts.clock.now());
                self.tell(Event::Totals(room::totals(totals, at))).await;
            }
            net::Event::Failed(error) => return ControlFlow::Break(error.reason()),
        }
        ControlFlow::Continue(())
    }

    async fn handle_meeting(&mut self, event: meeting::Event) -> ControlFlow<Reason> {
        match event {
            meeting::Event::Approaching => self.tell(Event::Progress(Step::Approaching)).await,
            meeting::Event::Knocking => self.tell(Event::Progress(Step::Knocking)).await,
            meeting::Event::Entered { me } => self.enter(me).await,
            meeting::Event::Members(members) => self.meet(members).await,
            // The driver keeps the keys to itself and tells that they are in place.
            meeting::Event::Joined(_) | meeting::Event::Keys { .. } => {}
            meeting::Event::Left { id, .. } => self.forget(id),
            meeting::Event::Words(words) => self.lock(words).await,
            meeting::Event::Ended(reason) => return ControlFlow::Break(reason),
            meeting::Event::Notice(notice) => self.tell(Event::Notice(reason::notice(notice))).await,
        }
        ControlFlow::Continue(())
    }

    async fn handle_command(&mut self, command: Command) -> ControlFlow<Reason> {
        match command {
            Command::Mute(muted) => self.mute(muted).await,
            Command::Camera(on) => self.camera(on).await,
            Command::Share(on) => self.screen(on).await,
            Command::ChooseCamera(choice) => self.choose_camera(choice).await,
            Command::ChooseMicrophone(choice) => self.choose_microphone(choice).await,
            Command::ChooseSpeaker(choice) => self.parts.audio.set_speaker(choice),
            Command::Tiles(tiles) => self.parts.session.wishes(tiles),
            Command::Remove(id) => self.ask(meeting::Command::Remove(id)).await,
            Command::Count => self.parts.session.count(),
            // The meeting answers with its last event, which ends the loop.
            Command::Leave => self.ask(meeting::Command::Leave).await,
        }
        ControlFlow::Continue(())
    }

    async fn handle_report(&mut self, slot: Slot, birth: u64, report: Report) -> ControlFlow<Reason> {
        match report {
            _ if self.sources.get(&slot).is_none_or(|source| source.birth != birth) => {}
            Report::Opened(format) => self.opened(slot, format).await,
            Report::Failed(error) => {
                self.drop_source(slot);
                self.closed(slot).await;
                self.tell(Event::Notice(reason::source(slot, &error))).await;
            }
        }
        ControlFlow::Continue(())
    }

    async fn handle_tick(&mut self) -> ControlFlow<Reason> {
        self.listen().await;
        for warning in self.parts.audio.take_warnings() {
            self.hear_warning(&warning).await;
            self.tell(Event::Notice(devices::warning(&warning))).await;
        }
        ControlFlow::Continue(())
    }

    async fn ask(&mut self, command: meeting::Command) {
        if self.parts.session.send(command).is_err() {
            let notice = crate::Notice { kind: crate::NoticeKind::Refused, detail: "too many commands at once".into() };
            self.tell(Event::Notice(notice)).await;
        }
    }

    // A reader that has gone misses nothing.
    async fn tell(&self, event: Event) {
        let _ = self.parts.events.send(event).await;
    }

    /// Devices and codecs are closed where they may block; the last word comes after it.
    async fn close(self, reason: Reason) {
        let Self { parts, receivers, sources, .. } = self;
        self::tracks::keep_sound_counts(&parts);
        let Parts { session, audio, uplink, events, .. } = parts;
        uplink.disconnect();
        // Receivers first: what still waits for them may be opened by nobody any more.
        let devices = tokio::task::spawn_blocking(move || drop((receivers, sources, audio)));
        if devices.await.is_err() {
            tracing::warn!("a device did not close in order");
        }
        drop(session);
        let _ = events.send(Event::Ended(reason)).await;
    }
}

/// Where a track comes from, as a key for the sound engine.
fn sound_key(track: TrackId) -> u64 {
    track.owner.0
}

/// Levels and statistics are looked at this often.
const TICK: Duration = Duration::from_millis(100);

/// What the link is taken to carry until an estimate comes.
const START: Bitrate = Bitrate::kbps(2_500);
