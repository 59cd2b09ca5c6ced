//! Tests of cameras that are connected, disconnected or faulty, with the fake driver of each system.

use super::fake_driver::{FakeCamera, FakeHost, Fault, System};
use super::*;
use crate::{CaptureThread, Report, Source, Stop};
use media::{Pool, Size};
use nokhwa::utils::{CameraFormat, CameraIndex, FrameFormat, Resolution};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

const SYSTEMS: [System; 2] = [System::V4l2, System::MediaFoundation];

fn working_host(system: System) -> FakeHost {
    let host = FakeHost::new(system);
    host.plug(FakeCamera::new(0, "Front"));
    host
}

fn open(host: &FakeHost, id: Option<&str>) -> Result<Box<dyn Source>, Error> {
    open_on(host, id, Clock::default())
}

fn refusal(host: &FakeHost) -> Error {
    open(host, None).err().expect("refused")
}

fn next(source: &mut dyn Source) -> Result<bool, Error> {
    source.next(&Pool::new(2), &Stop::new()).map(|frame| frame.is_some())
}

/// Opens the camera on its own thread, as in a meeting, and returns its events.
fn run(host: &FakeHost) -> (CaptureThread, Receiver<Report>) {
    let (sender, reports) = sync_channel(1);
    let driver = host.clone();
    let open = Box::new(move || open_on(&driver, None, Clock::default()));
    // The receiver is dropped at the end of the test.
    let on = Box::new(move |report| drop(sender.send(report)));
    (CaptureThread::start("camera", open, on).unwrap(), reports)
}

fn expect_frame(reports: &Receiver<Report>) {
    for _ in 0..3 {
        match reports.recv_timeout(TIMEOUT).unwrap() {
            Report::Frame(frame) => return assert_eq!(frame.size(), Size::new(32, 16)),
            Report::Opened { name, .. } => assert_eq!(name, "Front"),
            Report::Changed(format) => panic!("{format:?}"),
            Report::Failed(error) => panic!("{error}"),
        }
    }
    panic!("no frame");
}

fn expect_failure(reports: &Receiver<Report>) -> Error {
    loop {
        if let Report::Failed(error) = reports.recv_timeout(TIMEOUT).unwrap() {
            return error;
        }
    }
}

const TIMEOUT: Duration = Duration::from_secs(20);

fn offer(kind: FrameFormat, width: u32, height: u32, rate: u32) -> CameraFormat {
    CameraFormat::new(Resolution::new(width, height), kind, rate)
}

#[test]
fn a_camera_is_found_by_id_or_name() {
    let camera = |index, name: &str| CameraInfo::new(name, "", "", CameraIndex::Index(index));
    let cameras = [camera(0, "Front "), camera(2, "Back")];
    let id = |wanted| find(&cameras, wanted).map(|camera| describe(camera).id).ok();
    assert_eq!(id(None).as_deref(), Some("0"));
    assert_eq!(id(Some("2")).as_deref(), Some("2"));
    assert_eq!(id(Some("Front")).as_deref(), Some("0"));
    assert_eq!(id(Some("1")), None);
    assert!(matches!(find(&[], None), Err(Error::NotFound(None))));
    assert!(matches!(find(&[], Some("x")), Err(Error::NotFound(Some(_)))));
}

#[cfg(target_os = "linux")]
#[test]
fn cameras_are_listed_once_and_by_number() {
    let host = FakeHost::new(System::V4l2);
    for index in [102, 100, 102, 101] {
        host.plug(FakeCamera::new(index, "x"));
    }
    let ids: Vec<_> = cameras(&host).iter().map(|camera| describe(camera).id).collect();
    assert_eq!(ids, ["100", "101", "102"]);
}

#[test]
fn a_host_without_cameras_returns_not_found() {
    for system in SYSTEMS {
        assert!(matches!(refusal(&FakeHost::new(system)), Error::NotFound(None)));
        assert!(matches!(open(&FakeHost::new(system), Some("0")), Err(Error::NotFound(Some(_)))));
    }
    if list().is_empty() {
        assert!(matches!(super::open(None, Clock::default()), Err(Error::NotFound(None))));
    }
}

#[test]
fn a_working_camera_delivers_frames_in_its_format() {
    for system in SYSTEMS {
        let host = working_host(system);
        let mut camera = open(&host, None).unwrap();
        assert_eq!(camera.format().rate, media::FrameRate::THIRTY, "{system:?}");
        assert_eq!(camera.format().size, Size::new(32, 16));
        assert!(next(&mut *camera).unwrap());
        drop(camera);
        assert_eq!(host.open_handles(), 0);
    }
}

#[test]
fn a_camera_in_use_is_reported_on_open_and_on_read() {
    for system in SYSTEMS {
        let host = working_host(system);
        host.set_fault(Fault::TakenOnOpen);
        assert!(matches!(refusal(&host), Error::Taken { name } if name == "Front"));
        host.set_fault(Fault::TakenOnRead);
        let (_thread, reports) = run(&host);
        assert!(matches!(expect_failure(&reports), Error::Taken { name } if name == "Front"), "{system:?}");
        assert_eq!(host.open_handles(), 0);
        host.set_fault(Fault::None);
        let (_thread, reports) = run(&host);
        expect_frame(&reports);
    }
}

#[test]
fn a_camera_taken_or_denied_later_returns_that_error() {
    for system in SYSTEMS {
        let host = working_host(system);
        let mut camera = open(&host, None).unwrap();
        assert!(next(&mut *camera).unwrap());
        host.set_fault(Fault::TakenOnRead);
        assert!(matches!(next(&mut *camera), Err(Error::Taken { .. })));
        host.set_fault(Fault::Denied);
        assert!(matches!(next(&mut *camera), Err(Error::Denied { .. })));
        assert!(matches!(refusal(&host), Error::Denied { .. }));
    }
}

#[test]
fn an_unplugged_camera_is_lost_and_works_again_after_it_is_plugged_in() {
    for system in SYSTEMS {
        let host = working_host(system);
        let (thread, reports) = run(&host);
        expect_frame(&reports);
        host.unplug();
        assert!(matches!(expect_failure(&reports), Error::Lost { name } if name == "Front"), "{system:?}");
        drop(thread);
        assert_eq!(host.open_handles(), 0, "the device node is closed");
        let (_thread, reports) = run(&host);
        assert!(matches!(expect_failure(&reports), Error::NotFound(None)));
        host.plug(FakeCamera::new(0, "Front"));
        let (_thread, reports) = run(&host);
        expect_frame(&reports);
    }
}

#[test]
fn a_camera_unplugged_before_its_first_frame_is_lost() {
    for system in SYSTEMS {
        let host = working_host(system);
        let mut camera = open(&host, None).unwrap();
        host.unplug();
        assert!(matches!(next(&mut *camera), Err(Error::Lost { .. })));
    }
}

#[test]
fn a_panic_in_nokhwa_loses_only_the_camera() {
    for system in SYSTEMS {
        let host = working_host(system);
        let (thread, reports) = run(&host);
        expect_frame(&reports);
        host.set_fault(Fault::Panics);
        assert!(
            matches!(expect_failure(&reports), Error::Lost { .. }),
            "reported although reading and closing panicked"
        );
        drop(thread);
        assert_eq!(host.open_handles(), 0);
    }
}

#[test]
fn a_refused_format_is_replaced_by_the_next_best() {
    let host = FakeHost::new(System::V4l2);
    let (best, second) = (offer(FrameFormat::NV12, 1280, 720, 30), offer(FrameFormat::MJPEG, 640, 360, 30));
    let camera = FakeCamera { offers: vec![second, best], refuses: vec![best], ..FakeCamera::new(0, "Front") };
    host.plug(camera);
    assert_eq!(open(&host, None).unwrap().format().size, Size::new(640, 360));
}

#[test]
fn formats_that_nokhwa_does_not_list_on_windows_are_found() {
    let host = FakeHost::new(System::MediaFoundation);
    let offers = vec![
        offer(FrameFormat::GRAY, 320, 240, 30),
        offer(FrameFormat::YUYV, 640, 480, 30),
        offer(FrameFormat::MJPEG, 1280, 720, 30),
    ];
    host.plug(FakeCamera { offers, ..FakeCamera::new(0, "Front") });
    assert_eq!(open(&host, None).unwrap().format().size, Size::new(1280, 720));
}

#[test]
fn a_camera_without_a_supported_format_is_skipped_unless_requested() {
    for system in SYSTEMS {
        let host = FakeHost::new(system);
        let infrared = vec![offer(FrameFormat::GRAY, 640, 360, 15)];
        host.plug(FakeCamera { offers: infrared, ..FakeCamera::new(100, "Infrared") });
        assert!(matches!(refusal(&host), Error::Format { .. }));
        host.plug(FakeCamera::new(101, "Front"));
        assert_eq!(open(&host, None).unwrap().name(), "Front");
        assert!(matches!(open(&host, Some("Infrared")), Err(Error::Format { .. })));
    }
}

#[test]
fn a_camera_with_only_damaged_frames_fails() {
    let host = working_host(System::V4l2);
    let mut camera = open(&host, None).unwrap();
    host.unplug();
    let short = FakeCamera { picture: vec![0; 7], ..FakeCamera::new(0, "Front") };
    host.plug(short);
    assert!(
        matches!(next(&mut *camera), Err(Error::Lost { .. })),
        "a new camera with the same index is another camera"
    );
    let mut camera = open(&host, None).unwrap();
    let failed = (0..1_000).find_map(|_| next(&mut *camera).err());
    assert!(matches!(failed, Some(Error::Failed { .. })));
}
