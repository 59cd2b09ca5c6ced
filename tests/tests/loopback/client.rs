//! A complete client without codecs: real keys and sockets. The content of a frame is its own number.

use crypto::open::Error;
use crypto::{Fingerprint, Identity, Invitation, KeyRing, Leaf, ManagerKeys, Opener, Profile, Sealer};
use media::{AudioCodec, BufferPool, Clock, Encoded, EncodedAudio, Layer, Level, Size, Timestamp, VideoCodec};
use net::meeting::{self, Command, Entry, LobbyEvent, Notice};
use net::{Backends, Config, Event, FrameSender, Session};
use proto::{
    Kind, MeetingFlags, ParticipantId, Reason, Rights, Role, Slot, SpatialLayer, TileWish, Totals, TrackDemand, TrackId,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tests::simulation::ChatList;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, mpsc};

/// The state of a client. Tests wait for changes of it.
#[derive(Default)]
pub struct State {
    pub me: Option<ParticipantId>,
    pub members: Vec<ParticipantId>,
    pub leaves: HashMap<ParticipantId, Leaf>,
    /// The role and the rights of each member.
    pub roles: HashMap<ParticipantId, (Role, Rights)>,
    /// The order of succession, and the flags of the meeting.
    pub succession: Vec<ParticipantId>,
    pub flags: MeetingFlags,
    pub notices: Vec<Notice>,
    /// The lines of the chat.
    pub chat: ChatList,
    /// How often the link has changed, or arrived with the keys of a manager.
    pub links: u32,
    /// When the client became a member.
    pub entered: Option<Instant>,
    pub connected: Option<Instant>,
    pub epoch: u64,
    pub received: BTreeMap<TrackId, Received>,
    pub ended: BTreeSet<TrackId>,
    /// The layers of its tracks that receivers want.
    pub wanted: BTreeMap<Slot, TrackDemand>,
    pub key_frames_wanted: u64,
    pub removed: bool,
    /// The people whose hands are up, in order.
    pub hands: Vec<ParticipantId>,
    /// Who changed its own rights.
    pub actors: Vec<Option<ParticipantId>>,
    /// Why the session ended.
    pub over: Option<String>,
    /// Whether the session has closed its sockets and stored the keys of an organiser.
    pub closed: bool,
    pub totals: Option<Totals>,
    /// How often it lost the connection or the group, and how often it came back.
    pub reconnecting: u32,
    pub reconnected: u32,
    /// Who asks to join and no rule lets in.
    pub asking: Vec<(ParticipantId, meeting::Evidence)>,
    /// What happened in the waiting room.
    pub lobby: Vec<LobbyEvent>,
    /// The paths of media, the newest one last.
    pub paths: Vec<net::MediaPath>,
    /// The estimated bandwidth, in bits per second.
    pub estimate: u64,
    /// The number of frames sent in each layer of the camera.
    pub sent: [u64; 3],
    /// The number of frames of sound that were sent.
    pub sounds_sent: u64,
    /// True while it sends no sound.
    pub muted: bool,
    /// The loss of its sound that the server has named last, in percent.
    pub sound_loss: u8,
}

/// What a client received of one track.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub opened: u64,
    /// Frames that were not authentic, replayed, malformed or contradictory. Must stay 0.
    pub failed: u64,
    /// Frames sealed in an epoch whose commit has not arrived yet. This client does not keep such frames.
    pub keyless: u64,
    /// Frames sealed before this client joined, or by a former member.
    pub refused: u64,
    /// Frames that were dropped, because their owner has not signed them.
    pub unproven: u64,
    /// Frames that their sender had no right to send.
    pub not_allowed: u64,
    /// The number of opened frames of each layer.
    pub layers: [u64; 3],
    pub newest: Option<Layer>,
    pub last: Option<Instant>,
    pub longest_gap: Duration,
    /// When the last frame arrived, opened or not.
    pub arrived: Option<Instant>,
    /// The longest time between two frames that arrived.
    pub longest_silence: Duration,
}

pub struct Client {
    pub session: Session,
    pub started: Instant,
    /// Its media keys.
    pub ring: KeyRing,
    shared: Arc<Shared>,
    frozen: Arc<AtomicBool>,
    /// The runtime of this client only, with one thread.
    runtime: Option<Runtime>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

impl Shared {
    fn change(&self, with: impl FnOnce(&mut State)) {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_waiters();
    }

    fn look<T>(&self, with: impl FnOnce(&State) -> T) -> T {
        with(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Client {
    /// Creates a client that opens a meeting on the server.
    pub fn create(server: &server::Server, name: &str) -> Self {
        Self::create_with(server, name, Backends::default())
    }

    /// Creates a client that opens a meeting on the server, with other backends.
    pub fn create_with(server: &server::Server, name: &str, backends: Backends) -> Self {
        let (keys, profile) = (ManagerKeys::new().unwrap(), Profile::new(name).unwrap());
        let entry = Entry::Create { keys, identity: Identity::generate().unwrap(), profile };
        let (host, port) = (server.address().ip().to_string(), server.address().port());
        Self::start(entry, &host, port, Some(server.fingerprint().into()), backends)
    }

    /// Creates a client that opens a meeting on the server over another port.
    pub fn create_over(server: &server::Server, port: u16, name: &str) -> Self {
        let (keys, profile) = (ManagerKeys::new().unwrap(), Profile::new(name).unwrap());
        let entry = Entry::Create { keys, identity: Identity::generate().unwrap(), profile };
        Self::start(entry, "127.0.0.1", port, Some(server.fingerprint().into()), Backends::default())
    }

    /// Creates a client that joins by a link.
    pub fn join(link: &str, name: &str) -> Self {
        Self::join_with(link, name, Backends::default())
    }

    /// Creates a client that joins by a link, with other backends.
    pub fn join_with(link: &str, name: &str, backends: Backends) -> Self {
        let invitation: Invitation = link.parse().unwrap();
        let (host, port, fingerprint) = (invitation.host.clone(), invitation.port, invitation.fingerprint);
        let profile = Profile::new(name).unwrap();
        let entry = Entry::Join { invitation, identity: Identity::generate().unwrap(), profile };
        Self::start(entry, &host, port, fingerprint, backends)
    }

    /// Creates a client that comes back to its meeting as organiser.
    pub fn come_back(server: &server::Server, entry: Entry) -> Self {
        let fingerprint = Some(server.fingerprint().into());
        Self::start(entry, "127.0.0.1", server.address().port(), fingerprint, Backends::default())
    }

    fn start(entry: Entry, host: &str, port: u16, fingerprint: Option<Fingerprint>, backends: Backends) -> Self {
        let (ring, clock, pool) = (KeyRing::new(), Clock::default(), BufferPool::new(64));
        let config = Config { entry, host: host.into(), port, fingerprint, ring: ring.clone(), pool };
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let started = Instant::now();
        let (session, events) = net::start_with(config, runtime.handle(), backends);
        let shared = Arc::new(Shared::default());
        runtime.spawn(follow(session.clone(), events, ring.clone(), clock, Arc::clone(&shared)));
        Self { session, started, ring, shared, frozen: Arc::default(), runtime: Some(runtime) }
    }

    /// Stops all its tasks, as if its process were stopped. Its sockets stay open and are not read.
    pub fn freeze(&self) {
        let frozen = Arc::clone(&self.frozen);
        frozen.store(true, Ordering::Relaxed);
        let runtime = self.runtime.as_ref().expect("not dropped");
        runtime.spawn(async move {
            while frozen.load(Ordering::Relaxed) {
                std::thread::park_timeout(Duration::from_millis(50));
            }
        });
    }

    /// Waits until `condition` holds; panics with `what` after a minute.
    pub async fn until(&self, what: &str, condition: impl Fn(&State) -> bool) {
        self.until_within(Duration::from_mins(1), what, condition).await;
    }

    /// Waits until `condition` holds; panics with `what` after `limit`.
    pub async fn until_within(&self, limit: Duration, what: &str, condition: impl Fn(&State) -> bool) {
        let waiting = async {
            loop {
                let changed = self.shared.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if self.shared.look(&condition) {
                    return;
                }
                changed.await;
            }
        };
        if tokio::time::timeout(limit, waiting).await.is_err() {
            let state = self.look(|state| {
                format!("over {:?}, members {}, received {:?}", state.over, state.members.len(), state.received)
            });
            panic!("not within {limit:?}: {what}; {state}");
        }
    }

    pub fn look<T>(&self, with: impl FnOnce(&State) -> T) -> T {
        self.shared.look(with)
    }

    /// Resets the measured gaps and silences.
    pub fn forget_gaps(&self) {
        self.shared.change(|state| {
            for received in state.received.values_mut() {
                (received.last, received.arrived) = (None, None);
                (received.longest_gap, received.longest_silence) = (Duration::ZERO, Duration::ZERO);
            }
        });
    }

    pub fn me(&self) -> ParticipantId {
        self.look(|state| state.me).expect("the client is a member")
    }

    pub fn camera(&self) -> TrackId {
        TrackId { owner: self.me(), slot: Slot::Camera }
    }

    pub fn microphone(&self) -> TrackId {
        TrackId { owner: self.me(), slot: Slot::Microphone }
    }

    /// Stops to send sound, or starts again.
    pub fn mute(&self, muted: bool) {
        self.shared.change(|state| state.muted = muted);
    }

    pub fn remove(&self, who: ParticipantId) {
        self.session.send(Command::Remove(who)).unwrap();
    }

    /// Leaves the meeting of which it is the organiser. Returns the entry by which it can come back.
    pub async fn leave_as_organiser(&self) -> Entry {
        self.leave();
        self.until("it has left", |state| state.closed).await;
        self.session.take_return_entry().expect("the organiser can come back")
    }

    pub fn leave(&self) {
        self.session.send(Command::Leave).unwrap();
    }

    /// Requests the cameras of `of` in tiles of this size.
    pub fn show(&self, of: &[&Client], width: u16, height: u16) {
        let tile = |client: &&Client| TileWish {
            track: client.camera(),
            width,
            height,
            frames_per_second: 30,
            priority: 1,
            hidden: false,
        };
        self.session.set_wishes(of.iter().map(tile).collect());
    }

    pub fn link(&self) -> String {
        self.session.link().expect("the client is a member").expose().to_owned()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.frozen.store(false, Ordering::Relaxed);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn follow(session: Session, mut events: mpsc::Receiver<Event>, ring: KeyRing, clock: Clock, shared: Arc<Shared>) {
    let (mut encoder, mut waiting) = (None, Vec::new());
    while let Some(event) = events.recv().await {
        match event {
            Event::Meeting(event) => {
                if matches!(event, meeting::Event::Entered { .. }) {
                    encoder = Some(Encoder::start(&session, &ring, clock, &shared));
                }
                shared.change(|state| state.handle_meeting(event));
                start_readers(&mut waiting, &ring, clock, &shared);
            }
            Event::LayersChanged(..) | Event::Downlink(_) | Event::InboundStats(_) => {}
            Event::Rekeyed(epoch) => shared.change(|state| state.epoch = epoch.0),
            Event::Track { track, kind, frames, .. } => {
                waiting.push(IncomingTrack { track, kind, frames });
                start_readers(&mut waiting, &ring, clock, &shared);
            }
            Event::TrackEnded(track) => shared.change(|state| _ = state.ended.insert(track)),
            Event::DemandChanged(layers) => shared.change(|state| drop(state.wanted.insert(layers.slot, layers))),
            Event::KeyFrameWanted { spatial, .. } => {
                shared.change(|state| state.key_frames_wanted += 1);
                if let Some(encoder) = &encoder {
                    encoder.key_frame(spatial);
                }
            }
            Event::SoundLoss { percent, .. } => shared.change(|state| state.sound_loss = percent),
            Event::Estimate { bitrate, .. } => shared.change(|state| state.estimate = bitrate.as_bps()),
            Event::Connected => shared.change(|state| state.connected = Some(Instant::now())),
            Event::MediaPath(path) => shared.change(|state| state.paths.push(path)),
            Event::Totals(totals) => shared.change(|state| state.totals = Some(totals)),
            Event::Failed(error) => shared.change(|state| state.over = Some(error.to_string())),
        }
    }
    shared.change(|state| {
        let _ = state.over.get_or_insert("the events ended".into());
        state.closed = true;
    });
}

impl State {
    fn handle_meeting(&mut self, event: meeting::Event) {
        use meeting::Event;
        match event {
            Event::Entered { me } => (self.me, self.entered) = (Some(me), Some(Instant::now())),
            Event::Members(members) => {
                self.members = members.iter().map(|member| member.id).collect();
                self.leaves = members.iter().map(|member| (member.id, member.leaf)).collect();
                self.roles = members.iter().map(|member| (member.id, (member.role, member.rights))).collect();
            }
            Event::Policy(policy) => (self.succession, self.flags) = (policy.succession, policy.flags),
            Event::Hands(hands) => self.hands = hands,
            Event::OwnRightsChanged { by, .. } => self.actors.push(by),
            Event::Notice(notice) => self.notices.push(notice),
            Event::Chat(event) => self.chat.handle(event),
            Event::LinkChanged => self.links += 1,
            Event::Reconnecting => self.reconnecting += 1,
            Event::Reconnected { me } => (self.me, self.reconnected) = (Some(me), self.reconnected + 1),
            Event::AsksToJoin { id, evidence, .. } => self.asking.push((id, evidence)),
            Event::Lobby(event) => self.lobby.push(event),
            Event::Ended(reason) => {
                self.removed = matches!(reason, Reason::Removed | Reason::RemovedBy(_));
                self.over = Some(reason.to_string());
            }
            Event::Approaching
            | Event::Knocking
            | Event::Joined(_)
            | Event::Left { .. }
            | Event::Keys { .. }
            | Event::HandLowered { .. }
            | Event::Malformed { .. }
            | Event::Verification(_)
            | Event::Words(_)
            | Event::StoppedAsking(_) => {}
        }
    }
}

/// A track that can be received.
struct IncomingTrack {
    track: TrackId,
    kind: Kind,
    frames: media::Receiver<crypto::ReceivedFrame>,
}

/// Starts to read the tracks whose owner is a known member. Other tracks wait, because the server may announce a track before
/// the commit that adds its owner arrives.
fn start_readers(waiting: &mut Vec<IncomingTrack>, ring: &KeyRing, clock: Clock, shared: &Arc<Shared>) {
    for incoming in std::mem::take(waiting) {
        let Some(leaf) = shared.look(|state| state.leaves.get(&incoming.track.owner).copied()) else {
            waiting.push(incoming);
            continue;
        };
        let IncomingTrack { track, kind, frames } = incoming;
        let opener = Opener::new(ring.clone(), track.slot, leaf, clock);
        let shared = Arc::clone(shared);
        shared.change(|state| _ = state.received.entry(track).or_default());
        std::thread::Builder::new()
            .name("decode".into())
            .spawn(move || read(track, kind, &frames, opener, &shared))
            .unwrap();
    }
}

fn read(
    track: TrackId,
    kind: Kind,
    frames: &media::Receiver<crypto::ReceivedFrame>,
    mut opener: Opener,
    shared: &Shared,
) {
    while let Some(received) = frames.recv() {
        let (layer, arrived) = (received.header.layer, Instant::now());
        let result = match kind {
            Kind::Audio => opener.open_audio(received).map(|_| ()),
            Kind::Video => opener.open(received).map(|_| ()),
        };
        let now = Instant::now();
        shared.change(|state| {
            let received = state.received.entry(track).or_default();
            if let Some(last) = received.arrived.replace(arrived) {
                received.longest_silence = received.longest_silence.max(arrived - last);
            }
            match result {
                Ok(()) => {}
                Err(Error::UnknownKey) => {
                    received.keyless += 1;
                    return;
                }
                Err(Error::BeforeUs | Error::AfterUs | Error::NotAMember) => {
                    received.refused += 1;
                    return;
                }
                Err(Error::NotAllowed) => {
                    received.not_allowed += 1;
                    return;
                }
                Err(error) => {
                    received.unproven += u64::from(error == Error::Unproven);
                    eprintln!("frame of {track:?} not opened: {error}");
                    received.failed += 1;
                    return;
                }
            }
            received.opened += 1;
            received.layers[usize::from(layer.spatial)] += 1;
            received.newest = Some(layer);
            if let Some(last) = received.last.replace(now) {
                received.longest_gap = received.longest_gap.max(now - last);
            }
        });
    }
}

/// Sends a camera of three layers and a microphone. Sends only the layers that receivers want.
struct Encoder {
    keys: Arc<Mutex<[bool; 3]>>,
}

pub const SIZES: [Size; 3] = [Size::new(320, 180), Size::new(640, 360), Size::new(1280, 720)];
const BITRATES: [u32; 3] = [150_000, 500_000, 1_500_000];

impl Encoder {
    fn start(session: &Session, ring: &KeyRing, clock: Clock, shared: &Arc<Shared>) -> Self {
        let layers = (0u8..).zip(SIZES).zip(BITRATES).map(|((spatial, size), bitrate)| SpatialLayer {
            spatial,
            width: size.width,
            height: size.height,
            bitrate,
        });
        let camera = session.publish(Slot::Camera, layers.collect());
        let voice = session.publish(Slot::Microphone, Vec::new());
        let keys = Arc::new(Mutex::new([true; 3]));
        let sealers = (Sealer::new(ring.clone(), Slot::Camera), Sealer::new(ring.clone(), Slot::Microphone));
        let work = EncoderTask { camera, voice, sealers, clock, keys: Arc::clone(&keys), shared: Arc::clone(shared) };
        tokio::spawn(work.run());
        Self { keys }
    }

    fn key_frame(&self, spatial: u8) {
        if let Some(key) = self.keys.lock().unwrap().get_mut(usize::from(spatial)) {
            *key = true;
        }
    }
}

struct EncoderTask {
    camera: FrameSender,
    voice: FrameSender,
    sealers: (Sealer, Sealer),
    clock: Clock,
    keys: Arc<Mutex<[bool; 3]>>,
    shared: Arc<Shared>,
}

impl EncoderTask {
    async fn run(mut self) {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let pool = BufferPool::new(64);
        let mut active = [true; 3];
        for number in 0u64.. {
            tick.tick().await;
            if self.camera.is_closed() {
                return;
            }
            self.send_sound(number, &pool);
            // 25 pictures a second.
            if number % 2 == 0 {
                self.send_picture(number / 2, &mut active, &pool);
            }
        }
    }

    fn send_sound(&mut self, number: u64, pool: &BufferPool) {
        if self.shared.look(|state| state.muted) {
            return;
        }
        let sound = EncodedAudio {
            codec: AudioCodec::Opus,
            position: number * 960,
            samples: 960,
            captured: self.clock.now(),
            voice: true,
            level: Level::new(30),
            payload: pool.copy(&number.to_be_bytes().repeat(8)),
        };
        if let Ok(sealed) = self.sealers.1.seal_audio(sound) {
            let queued = self.voice.try_send(sealed).is_ok();
            self.shared.change(|state| state.sounds_sent += u64::from(queued));
        }
    }

    fn send_picture(&mut self, number: u64, active: &mut [bool; 3], pool: &BufferPool) {
        let wanted = self.shared.look(|state| state.wanted.get(&Slot::Camera).cloned());
        for spatial in 0..3u8 {
            let index = usize::from(spatial);
            let on = wanted.as_ref().is_none_or(|layers| layers.wanted.iter().any(|layer| layer.spatial == spatial));
            let resumed = on && !active[index];
            active[index] = on;
            if !on {
                continue;
            }
            let key = std::mem::take(&mut self.keys.lock().unwrap()[index]) || resumed || number == 0;
            let sealed = self.sealers.0.seal(picture(number, spatial, key, self.clock.now(), pool));
            let Ok(sealed) = sealed else { continue };
            if self.camera.try_send(sealed).is_ok() {
                self.shared.change(|state| state.sent[index] += 1);
            }
        }
    }
}

/// Returns a picture with about as many bytes as a real one of its layer. Its payload repeats its number.
pub fn picture(number: u64, spatial: u8, key: bool, captured: Timestamp, pool: &BufferPool) -> Encoded {
    let temporal = if key { 0 } else { [0, 2, 1, 2][usize::try_from(number % 4).unwrap()] };
    let length = usize::try_from(BITRATES[usize::from(spatial)] / 8 / 25).unwrap() * if key { 4 } else { 1 };
    Encoded {
        codec: VideoCodec::H264,
        layer: Layer { spatial, temporal },
        size: SIZES[usize::from(spatial)],
        key,
        discardable: temporal == 2,
        number,
        captured,
        payload: pool.copy(&number.to_be_bytes().repeat(length / 8)),
    }
}
