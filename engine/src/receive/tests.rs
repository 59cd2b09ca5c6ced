//! Tests from sealed frames to the screen, with a real decode thread.

use super::{DecodeQueue, PictureReceiver, PlayoutQueue, Report, WaitingFrames};
use crate::stats::track_stats::{ReceiveStats, TrackStats};
use crate::video_output::{Meta, VideoSink};
use crate::worker::Worker;
use audio::PlayoutTime;
use codec::decode::probe::{self, Fault};
use codec::decode::{Backends, Candidate, Picture};
use codec::encode::{self, Encoder};
use crypto::{Group, Identity, KeyRing, Leaf, ManagerKeys, Opener, Profile, ReceivedFrame, Sealer};
use media::{Bitrate, BufferPool, Clock, Colour, FrameRate, Pool, Sender, Size, Timestamp, VideoCodec, bounded};
use proto::{ParticipantId, Rights, Slot, TrackId};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// What the receiver of a track did, in order.
#[derive(Debug)]
enum Seen {
    Shown(u64),
    KeyRequested,
    Reported(Report),
}

struct Screen(SyncSender<Seen>);

impl VideoSink for Screen {
    fn show(&mut self, _: &Picture<'_>, meta: Meta) {
        self.0.send(Seen::Shown(meta.number)).unwrap();
    }
}

/// A sink that panics.
struct BrokenScreen;

impl VideoSink for BrokenScreen {
    fn show(&mut self, _: &Picture<'_>, _: Meta) {
        panic!("no memory is mapped")
    }
}

/// The sender of a camera, with the probe's encoder and real encryption.
struct Camera {
    encoder: Encoder,
    sealer: Sealer,
    frames: Pool,
    sequence: u64,
}

impl Camera {
    fn new(ring: &KeyRing) -> Self {
        let config = encode::Config {
            codec: VideoCodec::H264,
            size: SIZE,
            rate: FrameRate::THIRTY,
            bitrate: Bitrate::kbps(100),
            temporal_layers: 1,
            content: encode::Content::Camera,
            spatial: 0,
        };
        let backend = encode::probe::Backend::new(config, encode::probe::Log::default());
        let encoder = Encoder::with(Box::new(backend));
        Self { encoder, sealer: Sealer::new(ring.clone(), Slot::Camera), frames: Pool::new(1), sequence: 0 }
    }

    fn send(&mut self, to: &Sender<ReceivedFrame>, key: bool) {
        let picture = self.frames.take(SIZE).unwrap();
        let captured = Timestamp::from_micros(self.sequence * 33_333);
        let picture = picture.freeze(self.sequence, captured, Colour::default());
        let encoded = self.encoder.encode(&picture, key, &BufferPool::new(1)).unwrap().unwrap();
        let sealed = self.sealer.seal(encoded).unwrap();
        let (header, sequence) = (*sealed.header(), self.sequence);
        let received = ReceivedFrame { header, bytes: sealed.into_bytes(), sequence, received: Instant::now() };
        to.try_send(received).unwrap();
        self.sequence += 1;
    }
}

fn keys() -> (KeyRing, Leaf) {
    let identity = Identity::generate().unwrap();
    let (keys, profile) = (ManagerKeys::new().unwrap(), Profile::new("Anne").unwrap());
    let group = Group::create(&identity, profile, ParticipantId(1), &keys, SystemTime::now()).unwrap();
    let ring = KeyRing::new();
    ring.install(group.media_keys().unwrap(), &[group.me()], &[], Instant::now());
    (ring, group.me())
}

/// A camera that a worker receives.
struct Track {
    camera: Camera,
    frames: Sender<ReceivedFrame>,
    seen: Receiver<Seen>,
    sound: PlayoutTime,
    clock: Clock,
    stats: Arc<Mutex<ReceiveStats>>,
    /// The keys of the receiver, and the leaf of the sender.
    keys: (KeyRing, Leaf),
}

impl Track {
    fn start(
        worker: &mut Worker,
        decoders: Backends,
        sink: impl FnOnce(SyncSender<Seen>) -> Box<dyn VideoSink>,
    ) -> Self {
        let ((ring, leaf), clock) = (keys(), Clock::default());
        let (frames, receiver) = bounded(1 << 20);
        let (sender, seen) = sync_channel(1_000);
        let track = TrackId { owner: ParticipantId(1), slot: Slot::Camera };
        let (requested, reported) = (sender.clone(), sender.clone());
        let (sound, stats) = (PlayoutTime::default(), TrackStats::default().track(track));
        worker.add(Box::new(PictureReceiver {
            track,
            frames: receiver,
            opener: Opener::new(ring.clone(), Slot::Camera, leaf, clock),
            waiting: WaitingFrames::default(),
            playout: PlayoutQueue::default(),
            sound: sound.clone(),
            queue: DecodeQueue::default(),
            decoders,
            decoder: None,
            needs_key: true,
            was_not_allowed: false,
            sink: sink(sender),
            shown: None,
            stats: Arc::clone(&stats),
            clock,
            request_key: Box::new(move || requested.send(Seen::KeyRequested).unwrap()),
            report: Box::new(move |report| reported.send(Seen::Reported(report)).unwrap()),
        }));
        Self { camera: Camera::new(&ring), frames, seen, sound, clock, stats, keys: (ring, leaf) }
    }

    /// Changes what the sender may send.
    fn allow(&self, rights: Rights) {
        self.keys.0.set_rights(vec![(self.keys.1, rights)]);
    }

    /// Sends a picture and returns what happens: all events up to its display or to a request for a key frame.
    fn send(&mut self, key: bool) -> Vec<Seen> {
        self.camera.send(&self.frames, key);
        let mut seen = Vec::new();
        while !matches!(seen.last(), Some(Seen::Shown(_) | Seen::KeyRequested | Seen::Reported(Report::TrackFailed(_))))
        {
            seen.push(self.seen.recv_timeout(TIMEOUT).expect("the picture is processed"));
        }
        seen
    }
}

fn candidate(name: &'static str) -> Candidate {
    probe::candidate(name, SIZE, probe::Log::default())
}

fn failing(fault: Fault) -> Candidate {
    probe::faulty("failing", candidate("inner"), fault)
}

#[test]
fn a_failing_decoder_is_replaced_at_the_same_picture_and_reported_once() {
    for (fault, at) in [(Fault::Open, 0), (Fault::ErrorAt(100), 100), (Fault::PanicAt(100), 100)] {
        let mut worker = Worker::start("test").unwrap();
        let decoders = Backends::new(vec![failing(fault), candidate("spare")]);
        let mut track = Track::start(&mut worker, decoders, |seen| Box::new(Screen(seen)));
        let mut needs_key = true;
        for number in 0..120 {
            let seen = track.send(needs_key);
            needs_key = false;
            match &seen[..] {
                [Seen::Shown(shown)] => assert!(*shown == number && number != at, "{fault:?}: {seen:?}"),
                // The replacement opens before the first picture, and shows it.
                [Seen::Reported(Report::DecoderReplaced(reported)), Seen::Shown(0)] if number == at => {
                    assert_eq!((reported.refusal.name, reported.by), ("failing", "spare"));
                }
                // After the first picture it needs a key frame, which is requested at once and is the next picture.
                [Seen::Reported(Report::DecoderReplaced(reported)), Seen::KeyRequested] if number == at => {
                    assert_eq!((reported.refusal.name, reported.by), ("failing", "spare"));
                    needs_key = true;
                }
                _ => panic!("{fault:?}, picture {number}: {seen:?}"),
            }
        }
    }
}

#[test]
fn a_picture_is_shown_when_its_sound_is_heard() {
    let mut worker = Worker::start("test").unwrap();
    let mut track = Track::start(&mut worker, Backends::new(vec![candidate("good")]), |seen| Box::new(Screen(seen)));
    assert!(matches!(track.send(true)[..], [Seen::Shown(0)]));
    assert_eq!(track.stats.lock().unwrap().sound_skew.percentile(50), None, "no sound");
    let start = Instant::now();
    let captured = Timestamp::from_micros(track.camera.sequence * 33_333);
    track.sound.update(captured, track.clock.at(start) + Duration::from_millis(150));
    assert!(matches!(track.send(false)[..], [Seen::Shown(1)]));
    assert!(start.elapsed() >= Duration::from_millis(110), "{:?}", start.elapsed());
    // A picture is counted after it is shown, and before the next one.
    track.send(false);
    assert!(track.stats.lock().unwrap().sound_skew.percentile(50).is_some());
}

/// The sender has a changed program: it knows that its camera was stopped, and sends all the same.
#[test]
fn pictures_outside_the_rights_of_their_sender_are_counted_and_neither_decoded_nor_shown() {
    let mut worker = Worker::start("test").unwrap();
    let mut track = Track::start(&mut worker, Backends::new(vec![candidate("good")]), |seen| Box::new(Screen(seen)));
    assert!(matches!(track.send(true)[..], [Seen::Shown(0)]));
    let decoded = |track: &Track| track.stats.lock().unwrap().decoding.decoded;
    let not_allowed = |track: &Track| {
        let failures = track.stats.lock().unwrap().open_failures;
        failures.not_allowed + failures.not_allowed_unproven
    };
    track.allow(Rights::ALL.without(Rights::CAMERA));
    for _ in 0..20 {
        track.camera.send(&track.frames, false);
    }
    // The first picture that it may send again is no key frame, so one is requested, once.
    let start = Instant::now();
    while not_allowed(&track) < 20 {
        assert!(start.elapsed() < TIMEOUT);
        std::thread::yield_now();
    }
    track.allow(Rights::ALL);
    assert!(matches!(track.send(false)[..], [Seen::KeyRequested]));
    assert!(matches!(track.send(true)[..], [Seen::Shown(22)]));
    assert_eq!((not_allowed(&track), track.stats.lock().unwrap().open_failures.failed()), (20, 0));
    track.send(false);
    assert!(decoded(&track) <= 3, "the pictures in between are not decoded");
    let signed = track.stats.lock().unwrap().open_failures.not_allowed;
    assert!(signed > 0, "its digests show that it has sent them");
}

#[test]
fn a_track_without_any_decoder_left_is_reported_as_failed_and_the_others_continue() {
    for fault in [Fault::Open, Fault::ErrorAt(0), Fault::PanicAt(0)] {
        let mut worker = Worker::start("test").unwrap();
        let mut other =
            Track::start(&mut worker, Backends::new(vec![candidate("good")]), |seen| Box::new(Screen(seen)));
        let mut track = Track::start(&mut worker, Backends::new(vec![failing(fault)]), |seen| Box::new(Screen(seen)));
        // The last decoder is opened again until it has failed for three key frames.
        let attempts = if fault == Fault::Open { 1 } else { 3 };
        for attempt in 1..=attempts {
            let seen = track.send(true);
            let last = attempt == attempts;
            match &seen[..] {
                [Seen::KeyRequested] => assert!(!last, "{fault:?}"),
                [Seen::Reported(Report::TrackFailed(reason))] => {
                    assert!(last && reason.starts_with("no decoder is left; tried failing: "), "{fault:?}: {reason}");
                }
                _ => panic!("{fault:?}: {seen:?}"),
            }
        }
        assert!(track.seen.recv().is_err(), "the receiver is dropped, and reports no more");
        assert!(matches!(other.send(true)[..], [Seen::Shown(0)]));
    }
}

#[test]
fn a_panic_at_one_track_is_reported_and_the_others_of_its_thread_continue() {
    let mut worker = Worker::start("test").unwrap();
    let decoders = || Backends::new(vec![candidate("good")]);
    let mut other = Track::start(&mut worker, decoders(), |seen| Box::new(Screen(seen)));
    assert!(matches!(other.send(true)[..], [Seen::Shown(0)]));
    let mut track = Track::start(&mut worker, decoders(), |_| Box::new(BrokenScreen));
    let seen = track.send(true);
    let [Seen::Reported(Report::TrackFailed(reason))] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(reason, "panicked: no memory is mapped");
    assert!(matches!(other.send(false)[..], [Seen::Shown(1)]));
}

const SIZE: Size = Size::new(16, 16);

/// The limit for steps that take milliseconds on an idle machine.
const TIMEOUT: Duration = Duration::from_secs(20);
