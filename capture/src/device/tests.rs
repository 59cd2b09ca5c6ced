//! Cameras that come, go and refuse, on a stand-in for the machine that speaks as each system does.

use super::stand_in::{Machine, Plugged, System, Trouble};
use super::*;
use crate::{Pump, Report, Source, Stop};
use media::{Pool, Size};
use nokhwa::utils::{CameraFormat, CameraIndex, FrameFormat, Resolution};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

const SYSTEMS: [System; 2] = [System::V4l2, System::MediaFoundation];

fn machine(system: System) -> Machine {
    let machine = Machine::new(system);
    machine.plug(Plugged::new(0, "Front"));
    machine
}

fn open(machine: &Machine, id: Option<&str>) -> Result<Box<dyn Source>, Error> {
    open_on(machine, id, Clock::default())
}

fn refusal(machine: &Machine) -> Error {
    open(machine, None).err().expect("refused")
}

fn next(source: &mut dyn Source) -> Result<bool, Error> {
    source.next(&Pool::new(2), &Stop::new()).map(|frame| frame.is_some())
}

/// What happens after a camera is asked to run, on a thread of its own as in a meeting.
fn run(machine: &Machine) -> (Pump, Receiver<Report>) {
    let (sender, reports) = sync_channel(1);
    let host = machine.clone();
    let open = Box::new(move || open_on(&host, None, Clock::default()));
    // Nobody listens any more where the test is over.
    let on = Box::new(move |report| drop(sender.send(report)));
    (Pump::start("camera", open, on).unwrap(), reports)
}

fn await_picture(reports: &Receiver<Report>) {
    for _ in 0..3 {
        match reports.recv_timeout(LONG).unwrap() {
            Report::Frame(frame) => return assert_eq!(frame.size(), Size::new(32, 16)),
            Report::Opened { name, .. } => assert_eq!(name, "Front"),
            Report::Failed(error) => panic!("{error}"),
        }
    }
    panic!("no picture");
}

fn await_failure(reports: &Receiver<Report>) -> Error {
    loop {
        if let Report::Failed(error) = reports.recv_timeout(LONG).unwrap() {
            return error;
        }
    }
}

const LONG: Duration = Duration::from_secs(20);

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
fn cameras_are_listed_by_number_and_once() {
    let machine = Machine::new(System::V4l2);
    for index in [102, 100, 102, 101] {
        machine.plug(Plugged::new(index, "x"));
    }
    let ids: Vec<_> = cameras(&machine).iter().map(|camera| describe(camera).id).collect();
    assert_eq!(ids, ["100", "101", "102"]);
}

#[test]
fn a_machine_without_cameras_says_so() {
    for system in SYSTEMS {
        assert!(matches!(refusal(&Machine::new(system)), Error::NotFound(None)));
        assert!(matches!(open(&Machine::new(system), Some("0")), Err(Error::NotFound(Some(_)))));
    }
    if list().is_empty() {
        assert!(matches!(super::open(None, Clock::default()), Err(Error::NotFound(None))));
    }
}

#[test]
fn a_camera_that_works_gives_pictures_at_its_rate() {
    for system in SYSTEMS {
        let machine = machine(system);
        let mut camera = open(&machine, None).unwrap();
        assert_eq!(camera.format().rate, media::FrameRate::THIRTY, "{system:?}");
        assert_eq!(camera.format().size, Size::new(32, 16));
        assert!(next(&mut *camera).unwrap());
        drop(camera);
        assert_eq!(machine.open_handles(), 0);
    }
}

#[test]
fn a_camera_in_use_is_taken_whenever_the_system_says_so() {
    for system in SYSTEMS {
        let machine = machine(system);
        machine.trouble(Trouble::TakenAtOnce);
        assert!(matches!(refusal(&machine), Error::Taken { name } if name == "Front"));
        machine.trouble(Trouble::TakenLater);
        let (_pump, reports) = run(&machine);
        assert!(matches!(await_failure(&reports), Error::Taken { name } if name == "Front"), "{system:?}");
        assert_eq!(machine.open_handles(), 0);
        machine.trouble(Trouble::None);
        let (_pump, reports) = run(&machine);
        await_picture(&reports);
    }
}

#[test]
fn a_camera_taken_or_forbidden_in_the_meeting_says_which() {
    for system in SYSTEMS {
        let machine = machine(system);
        let mut camera = open(&machine, None).unwrap();
        assert!(next(&mut *camera).unwrap());
        machine.trouble(Trouble::TakenLater);
        assert!(matches!(next(&mut *camera), Err(Error::Taken { .. })));
        machine.trouble(Trouble::Denied);
        assert!(matches!(next(&mut *camera), Err(Error::Denied { .. })));
        assert!(matches!(refusal(&machine), Error::Denied { .. }));
    }
}

#[test]
fn a_camera_pulled_out_in_the_meeting_is_lost_and_comes_back_when_it_is_plugged_in_again() {
    for system in SYSTEMS {
        let machine = machine(system);
        let (pump, reports) = run(&machine);
        await_picture(&reports);
        machine.unplug();
        assert!(matches!(await_failure(&reports), Error::Lost { name } if name == "Front"), "{system:?}");
        drop(pump);
        assert_eq!(machine.open_handles(), 0, "the node is free for whatever is plugged in next");
        let (_pump, reports) = run(&machine);
        assert!(matches!(await_failure(&reports), Error::NotFound(None)));
        machine.plug(Plugged::new(0, "Front"));
        let (_pump, reports) = run(&machine);
        await_picture(&reports);
    }
}

#[test]
fn a_camera_pulled_out_before_its_first_picture_is_lost_too() {
    for system in SYSTEMS {
        let machine = machine(system);
        let mut camera = open(&machine, None).unwrap();
        machine.unplug();
        assert!(matches!(next(&mut *camera), Err(Error::Lost { .. })));
    }
}

#[test]
fn a_library_that_panics_costs_the_camera_and_nothing_else() {
    for system in SYSTEMS {
        let machine = machine(system);
        let (pump, reports) = run(&machine);
        await_picture(&reports);
        machine.trouble(Trouble::Panics);
        assert!(matches!(await_failure(&reports), Error::Lost { .. }), "told although reading and closing panicked");
        drop(pump);
        assert_eq!(machine.open_handles(), 0);
    }
}

#[test]
fn what_is_offered_and_then_refused_gives_way_to_the_next_best() {
    let machine = Machine::new(System::V4l2);
    let (best, second) = (offer(FrameFormat::NV12, 1280, 720, 30), offer(FrameFormat::MJPEG, 640, 360, 30));
    let camera = Plugged { offers: vec![second, best], refuses: vec![best], ..Plugged::new(0, "Front") };
    machine.plug(camera);
    assert_eq!(open(&machine, None).unwrap().format().size, Size::new(640, 360));
}

#[test]
fn kinds_that_the_library_does_not_list_on_windows_are_found() {
    let machine = Machine::new(System::MediaFoundation);
    let offers = vec![
        offer(FrameFormat::GRAY, 320, 240, 30),
        offer(FrameFormat::YUYV, 640, 480, 30),
        offer(FrameFormat::MJPEG, 1280, 720, 30),
    ];
    machine.plug(Plugged { offers, ..Plugged::new(0, "Front") });
    assert_eq!(open(&machine, None).unwrap().format().size, Size::new(1280, 720));
}

#[test]
fn what_gives_no_pictures_that_can_be_read_is_passed_over_unless_it_was_asked_for() {
    for system in SYSTEMS {
        let machine = Machine::new(system);
        let infrared = vec![offer(FrameFormat::GRAY, 640, 360, 15)];
        machine.plug(Plugged { offers: infrared, ..Plugged::new(100, "Infrared") });
        assert!(matches!(refusal(&machine), Error::Format { .. }));
        machine.plug(Plugged::new(101, "Front"));
        assert_eq!(open(&machine, None).unwrap().name(), "Front");
        assert!(matches!(open(&machine, Some("Infrared")), Err(Error::Format { .. })));
    }
}

#[test]
fn a_camera_whose_pictures_are_damaged_for_seconds_has_failed() {
    let machine = machine(System::V4l2);
    let mut camera = open(&machine, None).unwrap();
    machine.unplug();
    let short = Plugged { picture: vec![0; 7], ..Plugged::new(0, "Front") };
    machine.plug(short);
    assert!(matches!(next(&mut *camera), Err(Error::Lost { .. })), "another camera at the same place is another");
    let mut camera = open(&machine, None).unwrap();
    let failed = (0..1_000).find_map(|_| next(&mut *camera).err());
    assert!(matches!(failed, Some(Error::Failed { .. })));
}
