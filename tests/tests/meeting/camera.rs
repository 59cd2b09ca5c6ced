//! A camera that is pulled out in the meeting, plugged in again, taken, or not there: each is told, and the meeting goes on.

use super::PATIENCE;
use anyhow::Result;
use capture::{Error, Format, Source, Stop, synthetic};
use engine::{AudioChoice, Cameras, Choice, Command, Entry, NoticeKind};
use media::{Frame, FrameRate, Notify, Pool, Size};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tests::people::{Host, Person};

#[test]
fn a_camera_that_is_pulled_out_is_told_and_one_that_comes_back_is_used_again() -> Result<()> {
    let (host, desk) = (Host::start()?, Desk::default());
    let chosen = (Choice::Device(None), desk.cameras());
    let mut anne = Person::enter_with(host.entry(), "Anne", chosen, AudioChoice::Off)?;
    anne.wait(PATIENCE, "Anne is in", |anne| anne.me.is_some() && anne.camera)?;
    let from = anne.me.expect("Anne is in");
    let mut bob = Person::enter(Entry::Join(anne.link.parse()?), "Bob", Choice::Off, AudioChoice::Off)?;
    sees(&mut bob, true)?;
    bob.wait(PATIENCE, "Bob sees Anne", |bob| bob.shown_pictures(from).shown > 10)?;

    desk.befall(Fate::PulledOut);
    told(&mut anne, NoticeKind::CameraLost)?;
    sees(&mut bob, false)?;
    for (fate, notice) in [(Fate::PulledOut, NoticeKind::NoCamera), (Fate::Taken, NoticeKind::CameraTaken)] {
        desk.befall(fate);
        anne.engine.send(Command::Camera(true))?;
        told(&mut anne, notice)?;
    }

    desk.befall(Fate::PluggedIn);
    anne.engine.send(Command::Camera(true))?;
    anne.wait(PATIENCE, "the camera is back", |anne| anne.camera)?;
    sees(&mut bob, true)?;
    let before = bob.shown_pictures(from).shown;
    bob.wait(PATIENCE, "Bob sees Anne again", |bob| bob.shown_pictures(from).shown > before + 10)?;
    assert!(anne.ended.is_none() && bob.ended.is_none() && bob.notices.is_empty(), "{:?}", bob.notices);
    Ok(())
}

/// Closing a device takes its time; opening waits for it.
#[test]
fn a_camera_that_is_switched_off_and_on_again_does_not_find_itself_taken() -> Result<()> {
    let (host, desk) = (Host::start()?, Desk::default());
    let chosen = (Choice::Device(None), desk.cameras());
    let mut anne = Person::enter_with(host.entry(), "Anne", chosen, AudioChoice::Off)?;
    anne.wait(PATIENCE, "Anne is in", |anne| anne.me.is_some() && anne.camera)?;
    for _ in 0..3 {
        anne.engine.send(Command::Camera(false))?;
        anne.wait(PATIENCE, "the camera is off", |anne| !anne.camera)?;
        anne.engine.send(Command::Camera(true))?;
        anne.wait(PATIENCE, "the camera is on", |anne| anne.camera || !anne.notices.is_empty())?;
    }
    assert_eq!(anne.notices, []);
    Ok(())
}

/// As fast as commands go: the server may never learn that the camera was off, and has nothing new to say of who looks.
#[test]
fn a_camera_that_is_off_for_a_moment_is_seen_again() -> Result<()> {
    let (host, small) = (Host::start()?, Size::new(320, 180));
    let cameras = Cameras::new(move |_, clock| synthetic::open(small, FrameRate::THIRTY, clock));
    let chosen = (Choice::Device(None), cameras);
    let mut anne = Person::enter_with(host.entry(), "Anne", chosen, AudioChoice::Off)?;
    anne.wait(PATIENCE, "Anne is in", |anne| anne.me.is_some() && anne.camera)?;
    let from = anne.me.expect("Anne is in");
    let mut bob = Person::enter(Entry::Join(anne.link.parse()?), "Bob", Choice::Off, AudioChoice::Off)?;
    sees(&mut bob, true)?;
    for _ in 0..5 {
        let before = bob.shown_pictures(from).shown;
        bob.wait(PATIENCE, "Bob sees Anne", |bob| bob.shown_pictures(from).shown > before + 20)?;
        anne.engine.send(Command::Camera(false))?;
        anne.engine.send(Command::Camera(true))?;
    }
    let before = bob.shown_pictures(from).shown;
    bob.wait(PATIENCE, "Bob sees Anne for good", |bob| bob.shown_pictures(from).shown > before + 60)?;
    Ok(())
}

fn told(person: &mut Person, notice: NoticeKind) -> Result<()> {
    person.wait(PATIENCE, "the camera's fate is told", |person| person.notices.contains(&notice))?;
    assert_eq!((std::mem::take(&mut person.notices), person.camera), (vec![notice], false));
    Ok(())
}

fn sees(person: &mut Person, on: bool) -> Result<()> {
    let shown = |person: &Person| person.people.iter().any(|other| !other.me && other.camera == on);
    person.wait(PATIENCE, "it is known who has a camera", shown)?;
    person.look(Size::new(320, 180))
}

/// A desk with one camera, which only one can have at a time.
#[derive(Clone, Default)]
struct Desk {
    fate: Arc<Mutex<Fate>>,
    open: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    PluggedIn,
    PulledOut,
    /// By another program.
    Taken,
}

impl Desk {
    fn cameras(&self) -> Cameras {
        let desk = self.clone();
        Cameras::new(move |_, clock| {
            match desk.fate() {
                Fate::PulledOut => return Err(Error::NotFound(None)),
                Fate::Taken => return Err(Error::Taken { name: NAME.into() }),
                Fate::PluggedIn => {}
            }
            let pictures = synthetic::open(Size::new(320, 180), FrameRate::THIRTY, clock)?;
            if desk.open.swap(true, Ordering::AcqRel) {
                return Err(Error::Taken { name: NAME.into() });
            }
            Ok(Box::new(Camera { pictures, desk: desk.clone() }))
        })
    }

    fn befall(&self, fate: Fate) {
        *self.fate.lock().unwrap_or_else(PoisonError::into_inner) = fate;
    }

    fn fate(&self) -> Fate {
        *self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Camera {
    pictures: Box<dyn Source>,
    desk: Desk,
}

impl Source for Camera {
    fn name(&self) -> &str {
        NAME
    }

    fn format(&self) -> Format {
        self.pictures.format()
    }

    fn next(&mut self, pool: &Pool, stop: &Stop) -> Result<Option<Frame>, Error> {
        if self.desk.fate() == Fate::PulledOut {
            return Err(Error::Lost { name: NAME.into() });
        }
        self.pictures.next(pool, stop)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // A driver that takes its time; nobody rings.
        let _ = Notify::new().wait_until(Instant::now() + Duration::from_millis(200));
        self.desk.open.store(false, Ordering::Release);
    }
}

const NAME: &str = "the desk's camera";
