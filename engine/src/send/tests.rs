//! Tests from the budget and the requested layers to sealed packets, with real layer threads.

use super::layer::{LayerThread, Start};
use super::report::Reporter;
use super::{PictureSource, Report};
use crate::stats::track_stats::TrackStats;
use capture::{Format, Source, Stop};
use codec::encode::probe::{self, Fault};
use codec::encode::{Backends, Candidate, Config, Content};
use codec::rate::{EncoderTarget, LayerTarget};
use crypto::{Group, Header, Identity, KeyRing, ManagerKeys, Profile};
use media::{Bitrate, BufferPool, Colour, Frame, FrameRate, Pool, Size, Timestamp, VideoCodec};
use net::{FrameQueue, FrameSender, frame_sender};
use proto::{DemandedLayer, ParticipantId, Slot, TrackDemand};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

/// The network's end of a track.
struct Network {
    queue: FrameQueue,
    runtime: tokio::runtime::Runtime,
}

impl Network {
    fn new() -> (FrameSender, Self) {
        let (sender, queue) = frame_sender();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        (sender, Self { queue, runtime })
    }

    /// Returns the next frame. Panics if there is none.
    fn next(&mut self) -> Header {
        let next = async { tokio::time::timeout(TIMEOUT, self.queue.next()).await };
        *self.runtime.block_on(next).expect("a frame arrives").expect("the layers run").header()
    }

    /// Returns the next frame of each layer of `layers`, in their order, and nothing else.
    fn one_of_each(&mut self, layers: &[u8]) -> Vec<Header> {
        let mut found: Vec<Header> = layers.iter().map(|_| self.next()).collect();
        found.sort_by_key(|header| header.layer.spatial);
        assert_eq!(found.iter().map(|header| header.layer.spatial).collect::<Vec<_>>(), layers);
        found
    }
}

fn ring() -> KeyRing {
    let identity = Identity::generate().unwrap();
    let (keys, profile) = (ManagerKeys::new().unwrap(), Profile::new("Anne").unwrap());
    let group = Group::create(&identity, profile, ParticipantId(1), &keys, SystemTime::now()).unwrap();
    let ring = KeyRing::new();
    ring.install(group.media_keys().unwrap(), &[group.me()], &[], Instant::now());
    ring
}

/// Returns a picture that is completely grey.
fn picture(pool: &Pool, number: u64) -> Frame {
    let mut picture = pool.take(FORMAT.size).expect("a test holds few pictures");
    for mut plane in picture.planes_mut() {
        plane.rows_mut().for_each(|row| row.fill(100));
    }
    let captured = Timestamp::from_micros(1_000_000) + FORMAT.rate.due(number);
    picture.freeze(number, captured, Colour::default())
}

/// A camera that takes a picture when the test triggers it.
struct Camera {
    next: Receiver<u64>,
}

impl Source for Camera {
    fn name(&self) -> &'static str {
        "camera"
    }

    fn format(&self) -> Format {
        FORMAT
    }

    fn next(&mut self, pool: &Pool, _: &Stop) -> Result<Option<Frame>, capture::Error> {
        match self.next.recv() {
            Ok(number) => Ok(Some(picture(pool, number))),
            Err(_) => Err(capture::Error::Lost { name: "camera".into() }),
        }
    }
}

/// A published camera with its trigger, and the receivers of its packets and reports.
struct Published {
    /// Dropped before `pictures`: it ends the camera.
    shutter: Option<SyncSender<u64>>,
    pictures: PictureSource,
    network: Network,
    reports: Receiver<Report>,
    next: u64,
}

impl Published {
    fn new(encoders: &Backends) -> Self {
        let (shutter, next) = sync_channel(1);
        let (sender, reports) = sync_channel(16);
        let open: capture::Open = Box::new(move || Ok(Box::new(Camera { next })));
        let report = move |report| sender.send(report).unwrap();
        let pictures = PictureSource::start(Slot::Camera, open, Box::new(drop), report).unwrap();
        assert!(matches!(reports.recv_timeout(TIMEOUT), Ok(Report::Opened(format)) if format == FORMAT));
        let (frames, network) = Network::new();
        let (pool, stats) = (BufferPool::new(16), TrackStats::default());
        pictures.publish(FORMAT, &ring(), &frames, &pool, &stats, encoders).unwrap();
        Self { shutter: Some(shutter), pictures, network, reports, next: 0 }
    }

    fn demand(&self, wanted: &[(u8, u8)]) {
        let layer = |(spatial, temporal_layers): &(u8, u8)| DemandedLayer {
            spatial: *spatial,
            temporal_layers: *temporal_layers,
            max_bitrate: None,
        };
        let wanted = wanted.iter().map(layer).collect();
        self.pictures.set_demand(&TrackDemand { slot: Slot::Camera, wanted });
    }

    fn take_picture(&mut self) {
        self.shutter.as_ref().expect("open").send(self.next).unwrap();
        self.next += 1;
    }

    fn next_report(&self) -> Report {
        self.reports.recv_timeout(TIMEOUT).expect("a report")
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        self.shutter = None;
    }
}

#[test]
fn a_layer_without_bitrate_stops_and_resumes_with_a_key_frame() {
    let mut camera = Published::new(&Backends::default());
    camera.demand(&[(0, 3), (1, 3), (2, 3)]);
    camera.pictures.set_budget(Bitrate::kbps(5_000), FORMAT);
    for number in 0..3 {
        camera.take_picture();
        let headers = camera.network.one_of_each(&[0, 1, 2]);
        assert!(headers.iter().all(|header| header.key == (number == 0)));
    }
    // Enough for the two smaller layers. A frame of the third one would be among the next ones.
    camera.pictures.set_budget(Bitrate::kbps(200), FORMAT);
    for _ in 0..20 {
        camera.take_picture();
        let headers = camera.network.one_of_each(&[0, 1]);
        assert!(headers.iter().all(|header| !header.key), "layers that continue need no key frame");
    }
    camera.pictures.set_budget(Bitrate::kbps(5_000), FORMAT);
    camera.take_picture();
    let keys: Vec<_> = camera.network.one_of_each(&[0, 1, 2]).iter().map(|header| header.key).collect();
    assert_eq!(keys, [false, false, true]);
    camera.take_picture();
    assert!(camera.network.one_of_each(&[0, 1, 2]).iter().all(|header| !header.key), "one key frame is enough");
}

#[test]
fn a_layer_without_a_viewer_is_paused_and_resumes_with_a_key_frame() {
    let mut camera = Published::new(&Backends::default());
    camera.pictures.set_budget(Bitrate::kbps(5_000), FORMAT);
    for (demand, layers, keys) in [
        (vec![(0, 3), (1, 3)], vec![0, 1], vec![true, true]),
        (vec![(1, 3)], vec![1], vec![false]),
        (vec![(0, 3), (1, 3)], vec![0, 1], vec![true, false]),
    ] {
        camera.demand(&demand);
        camera.take_picture();
        let found: Vec<_> = camera.network.one_of_each(&layers).iter().map(|header| header.key).collect();
        assert_eq!(found, keys);
    }
}

#[test]
fn a_layer_for_which_the_uplink_has_no_room_is_replaced_by_a_smaller_one() {
    let mut camera = Published::new(&Backends::default());
    camera.demand(&[(2, 3)]);
    for (kilobits, layer) in [(5_000, 2), (170, 1), (60, 0), (5_000, 2)] {
        camera.pictures.set_budget(Bitrate::kbps(kilobits), FORMAT);
        for number in 0..3 {
            camera.take_picture();
            let headers = camera.network.one_of_each(&[layer]);
            assert_eq!(headers[0].key, number == 0, "{kilobits} kbit/s, picture {number}");
        }
    }
}

#[test]
fn temporal_layers_that_no_viewer_takes_are_not_encoded() {
    for (temporal_layers, expected) in [(3, vec![0, 2, 1, 2, 0, 2, 1, 2]), (2, vec![0, 1, 0, 1]), (1, vec![0, 0])] {
        let mut camera = Published::new(&Backends::default());
        camera.pictures.set_budget(Bitrate::kbps(5_000), FORMAT);
        camera.demand(&[(0, temporal_layers)]);
        let every = 1 << (3 - temporal_layers);
        let mut seen = Vec::new();
        for number in 0..8 {
            camera.take_picture();
            if number % every == 0 {
                seen.push(camera.network.next().layer.temporal);
            }
        }
        assert_eq!(seen, expected);
    }
}

#[test]
fn pictures_beyond_the_frame_rate_of_a_target_never_reach_the_encoder() {
    let log = probe::Log::default();
    let encoders = Backends::new(vec![probe::candidate("probe", log.clone())]);
    let (thread, mut network, _reports) = layer(&encoders);
    let pool = Pool::new(4);
    // The last picture of each frame rate is encoded, so that the next target does not apply to it.
    for (denominator, numbers) in [(1, 0..6), (2, 6..13), (4, 14..27), (1, 30..34)] {
        let frame_rate = FrameRate::new(30, denominator).unwrap();
        thread.set_target(LayerTarget::Running(EncoderTarget { frame_rate, ..TARGET }));
        for number in numbers.clone() {
            thread.put(&picture(&pool, number));
            if (number - numbers.start).is_multiple_of(u64::from(denominator)) {
                network.next();
            }
        }
    }
    let calls = log.calls().into_iter();
    let seen: Vec<u64> = calls
        .filter_map(|(_, call)| match call {
            probe::Call::Encode { number, .. } => Some(number),
            probe::Call::SetTarget(_) | probe::Call::Dropped => None,
        })
        .collect();
    assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 18, 22, 26, 30, 31, 32, 33]);
}

#[test]
fn a_failing_encoder_is_replaced_at_the_same_picture_and_reported_once() {
    for (fault, at) in [(Fault::Open, 0), (Fault::ErrorAt(100), 100), (Fault::PanicAt(100), 100)] {
        let encoders = Backends::new(vec![failing(fault), probe::candidate("spare", probe::Log::default())]);
        let (thread, mut network, reports) = layer(&encoders);
        thread.set_target(LayerTarget::Running(TARGET));
        let pool = Pool::new(4);
        for number in 0..120 {
            thread.put(&picture(&pool, number));
            // There is a frame for each picture, so the picture does not freeze, and the replacement begins with a key
            // frame.
            assert_eq!(network.next().key, number == 0 || number == at, "{fault:?}, picture {number}");
        }
        drop(thread);
        let reported: Vec<Report> = reports.iter().collect();
        let [Report::EncoderReplaced(replacement)] = &reported[..] else { panic!("{fault:?}: {reported:?}") };
        assert_eq!((replacement.refusal.name, replacement.by), ("failing", "spare"));
    }
}

#[test]
fn a_layer_without_any_encoder_left_is_reported_as_failed() {
    for (fault, pictures) in [(Fault::Open, 0), (Fault::ErrorAt(3), 3)] {
        let broken = probe::faulty("broken", probe::candidate("inner", probe::Log::default()), Fault::Open);
        let (thread, mut network, reports) = layer(&Backends::new(vec![failing(fault), broken]));
        thread.set_target(LayerTarget::Running(TARGET));
        let pool = Pool::new(4);
        for number in 0..pictures {
            thread.put(&picture(&pool, number));
            network.next();
        }
        thread.put(&picture(&pool, pictures));
        let Ok(Report::TrackFailed(reason)) = reports.recv_timeout(TIMEOUT) else { panic!("{fault:?}: not reported") };
        assert!(reason.starts_with("no encoder is left; tried failing: "), "{reason}");
        // The thread has ended, so later pictures are not kept, and there is no second report.
        thread.put(&picture(&pool, pictures + 1));
        drop(thread);
        assert_eq!(reports.iter().count(), 0);
        let free: Vec<_> = (0..4).map_while(|_| pool.take(FORMAT.size)).collect();
        assert_eq!(free.len(), 4, "every picture has returned to its pool");
    }
}

#[test]
fn a_camera_reports_its_layers_and_its_own_panic() {
    let broken = probe::faulty("broken", probe::candidate("inner", probe::Log::default()), Fault::Open);
    let mut camera = Published::new(&Backends::new(vec![broken]));
    camera.demand(&[(0, 3)]);
    camera.pictures.set_budget(Bitrate::kbps(5_000), FORMAT);
    camera.take_picture();
    assert!(matches!(camera.next_report(), Report::TrackFailed(_)));
    let open: capture::Open = Box::new(|| panic!("no driver"));
    let (sender, reports) = sync_channel(1);
    let report = move |report| sender.send(report).unwrap();
    let _camera = PictureSource::start(Slot::Camera, open, Box::new(drop), report).unwrap();
    let Ok(Report::Failed(error)) = reports.recv_timeout(TIMEOUT) else { panic!("not reported") };
    assert_eq!(error.to_string(), "camera failed: panicked: no driver");
}

#[test]
fn a_layer_beyond_the_limits_of_this_computer_is_replaced_by_a_smaller_one() {
    let mut camera = Published::new(&Backends::default());
    camera.demand(&[(0, 3), (2, 3)]);
    camera.pictures.set_budget(Bitrate::kbps(5_000), FORMAT);
    camera.take_picture();
    camera.network.one_of_each(&[0, 2]);
    let limits = codec::adapt::encode::Limits { max_spatial: 1, ..codec::adapt::encode::Limits::none() };
    camera.pictures.set_limits(limits);
    camera.take_picture();
    assert!(camera.network.one_of_each(&[0, 1])[1].key, "the smaller layer begins with a key frame");
    camera.pictures.set_limits(codec::adapt::encode::Limits::none());
    camera.take_picture();
    camera.network.one_of_each(&[0, 2]);
}

fn failing(fault: Fault) -> Candidate {
    probe::faulty("failing", probe::candidate("inner", probe::Log::default()), fault)
}

/// Returns a layer thread by itself, with its network and its reports.
fn layer(encoders: &Backends) -> (LayerThread, Network, Receiver<Report>) {
    let (frame_sender, network) = Network::new();
    let (sender, reports) = sync_channel(16);
    let thread = LayerThread::start(Start {
        slot: Slot::Camera,
        config: Config {
            codec: VideoCodec::H264,
            size: FORMAT.size,
            rate: FORMAT.rate,
            bitrate: TARGET.bitrate,
            temporal_layers: 3,
            content: Content::Camera,
            spatial: 0,
        },
        encoders: encoders.clone(),
        ring: ring(),
        frame_sender,
        pool: BufferPool::new(4),
        stats: TrackStats::default(),
        reporter: Reporter::new(move |report| sender.send(report).unwrap()),
    });
    (thread.unwrap(), network, reports)
}

const FORMAT: Format = Format { size: Size::new(640, 480), rate: FrameRate::THIRTY };

const TARGET: EncoderTarget =
    EncoderTarget { bitrate: Bitrate::kbps(300), max_temporal: 2, frame_rate: FrameRate::THIRTY };

/// The limit for steps that take milliseconds on an idle machine.
const TIMEOUT: Duration = Duration::from_secs(20);
