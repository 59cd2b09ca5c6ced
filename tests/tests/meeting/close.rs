//! The end of a meeting: the last messages to the server, and the end of the threads.

use super::TIMEOUT;
use anyhow::{Context, Result};
use audio::Block;
use audio::device::{self, Device, Direction};
use capture::synthetic;
use codec::decode::Picture;
use engine::{
    AudioChoice, Cameras, Choice, Command, Engine, Entry, Event, Events, Hardware, Identity, Meta, NullOutput, Setup,
    Slot, SoundDevices, TileWish, TrackId, VideoOutput, VideoSink,
};
use futures_util::{SinkExt, StreamExt};
use media::{Frame, FrameRate, Notify, Size};
use proto::{ClientMessage, Down, FromSfu, ParticipantId, ServerMessage, ToSfu, Totals, Up};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};
use tests::attack::false_server::{FalseServer, Socket};
use tests::people::{Host, Person};
use tokio::runtime::{Builder, Runtime};
use tokio_tungstenite::tungstenite::Message;

#[test]
fn close_sends_leave_within_a_second() -> Result<()> {
    let server = Recorder::start()?;
    let (engine, mut events) = enter(server.entry(), Hardware::default(), Arc::new(NullOutput))?;
    until_entered(&mut events)?;
    let begin = Instant::now();
    engine.close();
    server.expect_leave(begin)?;
    let last = std::iter::from_fn(|| events.try_recv().ok()).last();
    assert!(matches!(last, Some(Event::Ended(engine::Reason::Left))), "{last:?}");
    Ok(())
}

#[test]
fn close_sends_leave_within_a_second_if_events_are_not_read() -> Result<()> {
    let server = Recorder::start()?;
    let (engine, events) = enter(server.entry(), Hardware::default(), Arc::new(NullOutput))?;
    until("the events fill their channel", || {
        // Fails while the engine has as many commands as it stores.
        let _ = engine.send(Command::RequestTotals);
        events.len() == events.max_capacity()
    })?;
    let begin = Instant::now();
    engine.close();
    server.expect_leave(begin)
}

#[test]
fn close_joins_the_threads_and_closes_the_devices() -> Result<()> {
    let host = Host::start()?;
    let threads = Threads::default();
    let engine = engine_in_meeting(&host, &threads)?;
    engine.close();
    assert_eq!(threads.running(), BTreeSet::new(), "these threads were not joined");
    Ok(())
}

#[test]
fn a_dropped_engine_joins_all_threads() -> Result<()> {
    let host = Host::start()?;
    let threads = Threads::default();
    drop(engine_in_meeting(&host, &threads)?);
    until("the threads end", || threads.running().is_empty())
}

/// The driver blocks until the test releases it, so only the time to join is measured.
#[test]
fn a_hanging_sound_device_does_not_delay_joining() -> Result<()> {
    let host = Host::start()?;
    let mut without_device = Duration::ZERO;
    for _ in 0..3 {
        without_device = without_device.max(join(&host, AudioChoice::Off, Hardware::default())?.1);
    }
    let driver = HangingDriver::default();
    let (release, hang) = sync_channel(1);
    let (mut anne, with_device) = join(&host, AudioChoice::Default, driver.hardware(hang))?;
    assert!(
        with_device < 2 * without_device + Duration::from_secs(1),
        "{with_device:?}, and {without_device:?} without the device"
    );
    assert!(driver.opened().is_empty(), "the device does not open");

    anne.engine.send(Command::Mute(true))?;
    anne.engine.send(Command::ChooseMicrophone(AudioChoice::Device(SECOND.into())))?;
    anne.wait(TIMEOUT, "the microphone is muted", |anne| anne.muted)?;
    drop(release);
    anne.wait(TIMEOUT, "the second microphone records sound", |anne| anne.level > 0.1)?;
    assert_eq!(driver.opened().last().map(String::as_str), Some(SECOND));
    // Alone, she would send nothing.
    let _bob = Person::enter(Entry::Join(anne.link.parse()?), "Bob", Choice::Off, AudioChoice::Off)?;
    anne.wait(TIMEOUT, "Bob has joined", |anne| anne.people.len() == 2)?;
    assert_eq!(sound_sent(&anne), 0, "a muted microphone sends nothing");
    anne.engine.send(Command::Mute(false))?;
    anne.wait(TIMEOUT, "sound is sent", |anne| sound_sent(anne) > 10)?;
    assert_eq!(anne.notices, []);
    anne.engine.close();
    Ok(())
}

/// Opens a meeting. Returns how long that took.
fn join(host: &Host, microphone: AudioChoice, hardware: Hardware) -> Result<(Person, Duration)> {
    let begin = Instant::now();
    let mut person = Person::enter_at(host.entry(), "Anne", (Choice::Off, microphone), hardware)?;
    person.wait(TIMEOUT, "Anne is a member", |person| person.me.is_some())?;
    Ok((person, begin.elapsed()))
}

fn sound_sent(person: &Person) -> u64 {
    let sent = person.engine.stats().all_sent().into_iter();
    sent.filter(|((slot, _), _)| *slot == Slot::Microphone).map(|(_, sent)| sent.frames).sum()
}

/// A sound system whose default microphone hangs while it opens.
#[derive(Clone, Default)]
struct HangingDriver {
    opened: Arc<Mutex<Vec<String>>>,
}

impl HangingDriver {
    /// The default microphone opens when the sender of `hang` is dropped.
    fn hardware(&self, hang: Receiver<()>) -> Hardware {
        let (opened, hang) = (Arc::clone(&self.opened), Mutex::new(hang));
        let sound = SoundDevices::new(move |direction, choice, now| {
            let name = match (direction, choice) {
                (Direction::Speaker, _) => return device::open(direction, choice, now),
                (Direction::Microphone, AudioChoice::Device(name)) => name.clone(),
                (Direction::Microphone, _) => {
                    // Returns with an error when the sender is dropped.
                    let _ = lock(&hang).recv();
                    "default".to_owned()
                }
            };
            lock(&opened).push(name);
            device::open(direction, &voice(), now)
        });
        Hardware { sound, ..Hardware::default() }
    }

    fn opened(&self) -> Vec<String> {
        lock(&self.opened).clone()
    }
}

const SECOND: &str = "the second microphone";

fn voice() -> AudioChoice {
    AudioChoice::File(Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/voices/carol.wav"))
}

fn enter(entry: Entry, hardware: Hardware, output: Arc<dyn VideoOutput>) -> Result<(Engine, Events)> {
    let setup = Setup {
        name: "Bob".into(),
        camera: Choice::Synthetic,
        microphone: voice(),
        speaker: AudioChoice::Off,
        screen: false,
        muted: false,
        chat_first: false,
        proxy: engine::ProxySettings::default(),
        bandwidth: engine::Bandwidth::default(),
        flags: engine::MeetingFlags::NONE,
    };
    Ok(Engine::start_with(entry, setup, Identity::generate()?, output, hardware)?)
}

/// Returns Bob's engine in a meeting. It sends a camera and a voice, and shows Anne's camera. Anne leaves at the end of this
/// function.
fn engine_in_meeting(host: &Host, threads: &Threads) -> Result<Engine> {
    let mut anne = Person::enter(host.entry(), "Anne", Choice::Synthetic, AudioChoice::Off)?;
    anne.wait(TIMEOUT, "Anne is a member", |anne| anne.me.is_some() && anne.camera)?;
    let owner = anne.me.context("Anne is a member")?;
    let (engine, mut events) = enter(
        Entry::Join(anne.link.parse()?),
        threads.hardware(),
        Arc::new(RecordedOutput { threads: threads.clone() }),
    )?;
    until_entered(&mut events)?;
    let track = TrackId { owner, slot: Slot::Camera };
    let tile = TileWish { track, width: 320, height: 180, frames_per_second: 60, priority: 1, hidden: false };
    engine.send(Command::SetWishes(vec![tile]))?;
    until("each thread has been seen", || threads.seen().is_superset(&THREADS.into()))?;
    Ok(engine)
}

/// The first parts of the names of the threads that call the engine's callbacks. `decode` stands for all decode threads.
const THREADS: [&str; 5] = ["audio", "audio devices", "camera", "decode", "net"];

fn until_entered(events: &mut Events) -> Result<()> {
    while !matches!(events.blocking_recv().context("the meeting ended")?, Event::Entered { .. }) {}
    Ok(())
}

fn until(what: &str, done: impl Fn() -> bool) -> Result<()> {
    let begin = Instant::now();
    while !done() {
        anyhow::ensure!(begin.elapsed() < TIMEOUT, "not within {TIMEOUT:?}: {what}");
        let _ = Notify::new().wait_until(Instant::now() + Duration::from_millis(10));
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records the engine's threads from within its callbacks, and their end.
#[derive(Clone, Default)]
struct Threads {
    running: Arc<Mutex<HashMap<ThreadId, &'static str>>>,
    seen: Arc<Mutex<BTreeSet<&'static str>>>,
}

/// Removes the thread from the running ones when it is dropped, which is at the end of the thread.
struct ThreadGuard(Threads);

thread_local! {
    static THREAD_GUARD: RefCell<Option<ThreadGuard>> = const { RefCell::new(None) };
}

impl Threads {
    /// Records the calling thread.
    fn record(&self) {
        let current = std::thread::current();
        let name = current.name().unwrap_or_default();
        let Some(name) = THREADS.into_iter().rfind(|known| name.starts_with(known)) else { return };
        THREAD_GUARD.with_borrow_mut(|guard| {
            guard.get_or_insert_with(|| {
                lock(&self.running).insert(current.id(), name);
                lock(&self.seen).insert(name);
                ThreadGuard(self.clone())
            });
        });
    }

    fn running(&self) -> BTreeSet<&'static str> {
        lock(&self.running).values().copied().collect()
    }

    fn seen(&self) -> BTreeSet<&'static str> {
        lock(&self.seen).clone()
    }

    fn hardware(&self) -> Hardware {
        let (camera, sound) = (self.clone(), self.clone());
        let cameras = Cameras::new(move |_, clock| {
            camera.record();
            synthetic::open(Size::new(320, 180), FrameRate::THIRTY, clock)
        });
        let sound = SoundDevices::new(move |direction, choice, now| {
            sound.record();
            let device = device::open(direction, choice, now)?;
            Ok(Box::new(RecordedDevice { device, threads: sound.clone() }))
        });
        Hardware { cameras, sound, ..Hardware::default() }
    }
}

impl Drop for ThreadGuard {
    fn drop(&mut self) {
        lock(&self.0.running).remove(&std::thread::current().id());
    }
}

/// A sound device that records the thread that uses it.
struct RecordedDevice {
    device: Box<dyn Device>,
    threads: Threads,
}

impl Device for RecordedDevice {
    fn name(&self) -> &str {
        self.device.name()
    }

    fn ready(&mut self, now: Instant) -> Result<usize, device::Error> {
        self.threads.record();
        self.device.ready(now)
    }

    fn pass(&mut self, block: &mut Block) -> Result<(), device::Error> {
        self.device.pass(block)
    }

    fn latency(&self) -> Duration {
        self.device.latency()
    }

    fn xruns(&self) -> u64 {
        self.device.xruns()
    }

    fn set_alone(&mut self, alone: bool) -> Result<(), device::Error> {
        self.device.set_alone(alone)
    }
}

/// A video output that records the threads that use it.
struct RecordedOutput {
    threads: Threads,
}

impl VideoOutput for RecordedOutput {
    fn open(&self, _: TrackId, _: &str) -> Box<dyn VideoSink> {
        self.threads.record();
        Box::new(Self { threads: self.threads.clone() })
    }

    fn own(&self, _: Frame) {}
}

impl VideoSink for RecordedOutput {
    fn show(&mut self, _: &Picture<'_>, _: Meta) {
        self.threads.record();
    }
}

/// A server with one client, which records the client's messages.
struct Recorder {
    server: FalseServer,
    received: Receiver<(Instant, Received)>,
    _runtime: Runtime,
}

#[derive(Debug)]
enum Received {
    Message(Up),
    /// The closing handshake of the WebSocket.
    Close,
    /// The connection broke.
    Broken,
}

impl Recorder {
    /// Opens the meeting that the client creates, and answers its requests for totals.
    fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("recorder").enable_all().build()?;
        let (record, received) = sync_channel(1_024);
        let server = runtime.block_on(FalseServer::start(move |socket| {
            let record = record.clone();
            async move {
                let end = serve(socket, &record).await;
                // Fails if the test does not read any more.
                let _ = record.try_send((Instant::now(), end.unwrap_or(Received::Broken)));
                Ok(())
            }
        }))?;
        Ok(Self { server, received, _runtime: runtime })
    }

    fn entry(&self) -> Entry {
        let FalseServer { port, fingerprint, .. } = self.server;
        Entry::Create { host: "127.0.0.1".to_owned(), port, fingerprint: Some(fingerprint) }
    }

    /// Checks that the client leaves within a second after `begin`, and then closes the WebSocket with a handshake.
    fn expect_leave(&self, begin: Instant) -> Result<()> {
        let next = || self.received.recv_timeout(TIMEOUT).context("the client sends nothing more");
        loop {
            match next()? {
                (at, Received::Message(Up::Leave)) => {
                    let took = at.saturating_duration_since(begin);
                    anyhow::ensure!(took < Duration::from_secs(1), "`Leave` came after {took:?}");
                    break;
                }
                (_, Received::Message(_)) => {}
                (_, end @ (Received::Close | Received::Broken)) => anyhow::bail!("no `Leave`: {end:?}"),
            }
        }
        let (_, end) = next()?;
        anyhow::ensure!(matches!(end, Received::Close), "after `Leave`: {end:?}");
        Ok(())
    }
}

async fn serve(mut socket: Socket, record: &SyncSender<(Instant, Received)>) -> Result<Received> {
    while let Some(message) = socket.next().await {
        let bytes = match message? {
            Message::Binary(bytes) => bytes,
            Message::Close(_) => return Ok(Received::Close),
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
        };
        let message = match proto::decode(&bytes)? {
            ClientMessage::Meeting(message) => message,
            ClientMessage::Sfu(ToSfu::Count) => {
                let totals = ServerMessage::Sfu(FromSfu::Totals { totals: Totals::default() });
                socket.send(Message::Binary(proto::encode(&totals).into())).await?;
                continue;
            }
            ClientMessage::Sfu(ToSfu::Signal(_)) => continue,
        };
        let answer = match &message {
            Up::Hello { .. } => Some(Down::Hello { version: proto::VERSION, participant: ParticipantId(1), time: 0 }),
            Up::Create { .. } => Some(Down::Created { resume: proto::ResumeToken([1; 32]) }),
            Up::Approach { .. }
            | Up::Knock { .. }
            | Up::Lobby { .. }
            | Up::Relay { .. }
            | Up::Tree { .. }
            | Up::Manage { .. }
            | Up::Commit { .. }
            | Up::Tell { .. }
            | Up::Beacon { .. }
            | Up::Leave
            | Up::Return { .. }
            | Up::Pong { .. }
            | Up::Resume { .. } => None,
        };
        // Fails if the test does not read any more.
        let _ = record.try_send((Instant::now(), Received::Message(message)));
        if let Some(answer) = answer {
            let answer = proto::encode(&ServerMessage::Meeting(answer));
            socket.send(Message::Binary(answer.into())).await?;
        }
    }
    Ok(Received::Broken)
}
