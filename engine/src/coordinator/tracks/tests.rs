//! Tests of failures of our own tracks, with real devices, layer threads and a session without a server.

use super::{Context, Failure, TrackEvent, TrackReport, Tracks};
use crate::clock;
use crate::event::NoticeKind;
use crate::hardware::Codecs;
use crate::receive;
use crate::send::VoiceSender;
use crate::stats::Stats;
use crate::video_output::{VideoOutput, VideoSink};
use capture::Open;
use codec::encode::{Backends, Candidate};
use crypto::{Identity, KeyRing, Profile};
use media::{BufferPool, Frame, FrameRate, Size, VideoCodec};
use net::meeting::Entry;
use proto::{DemandedLayer, MeetingId, Slot, TrackDemand, TrackId};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
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
        let fill = || TrackReport::Received(receive::Report::TrackFailed(String::new()));
        while tracks.reporter.try_send(fill()).is_ok() {}
        tracks.set_demand(TrackDemand {
            slot: Slot::Camera,
            wanted: vec![DemandedLayer { spatial: 0, temporal_layers: 3 }],
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
    let entry = Entry::Create { meeting: MeetingId([1; 16]), identity, profile };
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
