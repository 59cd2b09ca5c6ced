//! Tests of failures of our own tracks, with real devices, layer threads and a session without a server.

use super::{Context, Failure, TrackEvent, TrackReport, Tracks};
use crate::clock;
use crate::event::NoticeKind;
use crate::hardware::Codecs;
use crate::receive;
use crate::send::{Report, VoiceSender};
use crate::stats::Stats;
use crate::video_output::{VideoOutput, VideoSink};
use capture::{Format, Open, Source, Stop};
use codec::encode::{Backends, Candidate};
use crypto::{Identity, KeyRing, ManagerKeys, Profile};
use media::{BufferPool, Colour, Frame, FrameRate, Pool, Size, VideoCodec};
use net::meeting::Entry;
use proto::{DemandedLayer, ParticipantId, Slot, TrackDemand, TrackId};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

#[test]
fn a_source_without_threads_for_its_layers_fails() {
    for inside in [true, false] {
        let (runtime, mut tracks) = tracks(Codecs::default());
        tracks.start_source(Slot::Camera, camera());
        let report = next_report(&runtime, &mut tracks);
        tracks.sources.get_mut(&Slot::Camera).unwrap().pictures.refuse_layer_threads();
        let event = tracks.handle_report(report, inside);
        let failures = match (inside, event) {
            (true, Some(TrackEvent::Failed(failure))) => vec![failure],
            (false, Some(TrackEvent::Opened)) => tracks.publish_all(),
            (_, event) => panic!("{event:?}"),
        };
        let [Failure { slot: Slot::Camera, notice }] = &failures[..] else { panic!("{failures:?}") };
        assert_eq!((notice.kind, notice.detail.as_str()), (NoticeKind::TrackFailed, "no thread is left"));
    }
}

#[test]
fn a_full_report_channel_delays_neither_close_nor_drop() {
    for end in [Tracks::close, drop::<Tracks>] {
        let (opening, opened) = sync_channel(1);
        let broken = Candidate::new("broken", VideoCodec::H264, move |_| {
            // For the second layer, the channel may be full.
            let _ = opening.try_send(());
            Err("it does not open".into())
        });
        let codecs = Codecs { encoders: Backends::new(vec![broken]), ..Codecs::default() };
        let (runtime, mut tracks) = tracks(codecs);
        tracks.start_source(Slot::Camera, camera());
        let report = next_report(&runtime, &mut tracks);
        assert!(matches!(tracks.handle_report(report, true), Some(TrackEvent::Opened)));
        let fill = || TrackReport::Received(TRACK, receive::Report::TrackFailed(String::new()));
        while tracks.reporter.try_send(fill()).is_ok() {}
        tracks.set_demand(TrackDemand {
            slot: Slot::Camera,
            wanted: vec![DemandedLayer { spatial: 0, temporal_layers: 3, max_bitrate: None }],
        });
        // The layer's thread now reports that its encoder failed, but the channel is full.
        opened.recv_timeout(TIMEOUT).expect("the encoder is opened");
        let (ended, seen) = sync_channel(1);
        let thread = std::thread::Builder::new().name("end".into()).spawn(move || {
            end(tracks);
            ended.send(()).unwrap();
        });
        seen.recv_timeout(TIMEOUT).expect("every thread ends");
        thread.unwrap().join().unwrap();
    }
}

/// A source whose pictures have the size that the test sends last.
struct Resized {
    size: Size,
    sizes: Receiver<Size>,
}

impl Source for Resized {
    fn name(&self) -> &'static str {
        "resized"
    }

    fn format(&self) -> Format {
        Format { size: self.size, rate: FrameRate::THIRTY }
    }

    fn next(&mut self, pool: &Pool, stop: &Stop) -> Result<Option<Frame>, capture::Error> {
        let _ = stop.wait_until(Instant::now() + Duration::from_millis(5));
        self.size = self.sizes.try_iter().last().unwrap_or(self.size);
        let frame = pool.take(self.size);
        let captured = clock::system().now();
        Ok(frame.map(|frame| frame.freeze(0, captured, Colour::default())))
    }
}

/// Starts a shared screen of `size`. The returned sender changes its size.
fn share(tracks: &mut Tracks, size: Size) -> SyncSender<Size> {
    let (resize, sizes) = sync_channel(1);
    tracks.start_source(Slot::Screen, Box::new(move || Ok(Box::new(Resized { size, sizes }))));
    resize
}

fn demand_screen(tracks: &mut Tracks) {
    let wanted = vec![DemandedLayer { spatial: 0, temporal_layers: 1, max_bitrate: None }];
    tracks.set_demand(TrackDemand { slot: Slot::Screen, wanted });
}

#[test]
fn a_resized_screen_is_encoded_in_its_new_shape() {
    let (opening, opened) = sync_channel(16);
    let recorder = Candidate::new("recorder", VideoCodec::H264, move |config| {
        let _ = opening.try_send(config.size);
        Err("it only records".into())
    });
    let codecs = Codecs { encoders: Backends::new(vec![recorder]), ..Codecs::default() };
    let (runtime, mut tracks) = tracks(codecs);
    let resize = share(&mut tracks, Size::new(320, 200));
    let report = next_report(&runtime, &mut tracks);
    assert!(matches!(tracks.handle_report(report, true), Some(TrackEvent::Opened)));
    demand_screen(&mut tracks);
    assert_eq!(opened.recv_timeout(TIMEOUT), Ok(Size::new(320, 200)));
    resize.send(Size::new(200, 320)).unwrap();
    let changed = loop {
        match next_report(&runtime, &mut tracks) {
            report @ TrackReport::Sent { report: Report::Changed(_), .. } => break report,
            // The recorder fails at the first picture.
            TrackReport::Sent { .. } | TrackReport::Received(..) => {}
        }
    };
    assert!(matches!(tracks.handle_report(changed, true), Some(TrackEvent::Opened)));
    assert_eq!(opened.recv_timeout(TIMEOUT), Ok(Size::new(200, 320)), "nothing stretches the new pictures");
}

#[test]
fn a_source_that_is_too_narrow_is_not_published_and_the_user_is_told() {
    let (runtime, mut tracks) = tracks(Codecs::default());
    let _resize = share(&mut tracks, Size::new(4_000, 4));
    let report = next_report(&runtime, &mut tracks);
    let event = tracks.handle_report(report, true);
    let Some(TrackEvent::Failed(Failure { slot: Slot::Screen, notice })) = event else { panic!("{event:?}") };
    assert_eq!((notice.kind, notice.detail.as_str()), (NoticeKind::TooNarrow, "4000x4"));
}

/// Its owner can make it fail, and publish it again, as often as it likes.
#[test]
fn the_user_is_told_once_of_a_received_track_that_fails_again_and_again() {
    let (_runtime, mut tracks) = tracks(Codecs::default());
    let failed = |track| TrackReport::Received(track, receive::Report::TrackFailed(String::new()));
    let other = TrackId { slot: Slot::Screen, ..TRACK };
    let mut told = |track| tracks.handle_report(failed(track), true).is_some();
    assert_eq!([told(TRACK), told(TRACK), told(other), told(TRACK)], [true, false, true, false]);
    tracks.remove_owner(TRACK.owner);
    assert!(tracks.handle_report(failed(TRACK), true).is_some(), "nothing is kept of who left");
}

/// A track of somebody else.
const TRACK: TrackId = TrackId { owner: ParticipantId(7), slot: Slot::Camera };

/// An output that shows nothing.
struct NoOutput;

impl VideoOutput for NoOutput {
    fn open(&self, _: TrackId, _: &str) -> Box<dyn VideoSink> {
        panic!("nothing is received")
    }

    fn own(&self, _: Frame) {}
}

/// Returns tracks whose session has no server.
fn tracks(codecs: Codecs) -> (Runtime, Tracks) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (ring, pool, clock) = (KeyRing::new(), BufferPool::new(16), clock::system());
    let (identity, profile) = (Identity::generate().unwrap(), Profile::new("Anne").unwrap());
    let entry = Entry::Create { keys: ManagerKeys::new().unwrap(), identity, profile };
    let config = net::Config {
        entry,
        host: "127.0.0.1".into(),
        port: 9,
        fingerprint: None,
        ring: ring.clone(),
        pool: pool.clone(),
    };
    let (session, _) = net::start(config, runtime.handle());
    let stats = Stats::new(clock).tracks().clone();
    let (output, uplink) = (Arc::new(NoOutput), VoiceSender::default());
    let context = Context { session, ring, clock, pool, stats, output, uplink, codecs };
    (runtime, Tracks::start(context).unwrap())
}

fn camera() -> Open {
    Box::new(|| capture::synthetic::open(Size::new(320, 180), FrameRate::THIRTY, clock::system()))
}

fn next_report(runtime: &Runtime, tracks: &mut Tracks) -> TrackReport {
    let next = async { tokio::time::timeout(TIMEOUT, tracks.next_report()).await };
    runtime.block_on(next).expect("a report arrives")
}

/// The limit for one report, which normally comes within milliseconds.
const TIMEOUT: Duration = Duration::from_secs(20);
