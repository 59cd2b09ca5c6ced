//! A camera is unplugged in the meeting, plugged in again, in use, or missing: the user is notified, and the meeting
//! continues.

use super::TIMEOUT;
use anyhow::Result;
use capture::{Error, Format, Source, Stop, synthetic};
use engine::{AudioChoice, Cameras, Choice, Command, Entry, NoticeKind, ParticipantId};
use media::{Clock, Colour, Frame, FrameRate, Notify, Pool, Size};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tests::people::{Host, Person};

#[test]
fn an_unplugged_camera_is_reported_and_used_again_when_it_is_back() -> Result<()> {
    let (host, usb) = (Host::start()?, UsbPort::default());
    let (mut anne, mut bob, from) = anne_and_bob(&host, usb.cameras())?;
    bob.wait(TIMEOUT, "Bob sees Anne", |bob| bob.shown_pictures(from).shown > 10)?;

    usb.set(State::Unplugged);
    expect_notice(&mut anne, NoticeKind::CameraLost)?;
    wait_for_other_camera(&mut bob, false)?;
    for (state, notice) in [(State::Unplugged, NoticeKind::NoCamera), (State::InUse, NoticeKind::CameraTaken)] {
        usb.set(state);
        anne.engine.send(Command::Camera(true))?;
        expect_notice(&mut anne, notice)?;
    }

    usb.set(State::PluggedIn);
    anne.engine.send(Command::Camera(true))?;
    anne.wait(TIMEOUT, "the camera is back", |anne| anne.camera)?;
    wait_for_other_camera(&mut bob, true)?;
    let before = bob.shown_pictures(from).shown;
    bob.wait(TIMEOUT, "Bob sees Anne again", |bob| bob.shown_pictures(from).shown > before + 10)?;
    assert!(anne.ended.is_none() && bob.ended.is_none() && bob.notices.is_empty(), "{:?}", bob.notices);
    Ok(())
}

/// Closing a device takes time. The engine opens it again only after that.
#[test]
fn a_camera_that_is_switched_off_and_on_is_not_reported_as_in_use() -> Result<()> {
    let (host, usb) = (Host::start()?, UsbPort::default());
    let chosen = (Choice::Device(None), usb.cameras());
    let mut anne = Person::enter_with(host.entry(), "Anne", chosen, AudioChoice::Off)?;
    anne.wait(TIMEOUT, "Anne is a member", |anne| anne.me.is_some() && anne.camera)?;
    for _ in 0..3 {
        anne.engine.send(Command::Camera(false))?;
        anne.wait(TIMEOUT, "the camera is off", |anne| !anne.camera)?;
        anne.engine.send(Command::Camera(true))?;
        anne.wait(TIMEOUT, "the camera is on", |anne| anne.camera || !anne.notices.is_empty())?;
    }
    assert_eq!(anne.notices, []);
    Ok(())
}

/// If the camera is off for a very short time, the server may not notice it, and sends no new list of wanted layers.
#[test]
fn a_camera_that_is_off_for_a_moment_is_shown_again() -> Result<()> {
    let (host, small) = (Host::start()?, Size::new(320, 180));
    let cameras = Cameras::new(move |_, clock| synthetic::open(small, FrameRate::THIRTY, clock));
    let (anne, mut bob, from) = anne_and_bob(&host, cameras)?;
    for _ in 0..5 {
        let before = bob.shown_pictures(from).shown;
        bob.wait(TIMEOUT, "Bob sees Anne", |bob| bob.shown_pictures(from).shown > before + 20)?;
        anne.engine.send(Command::Camera(false))?;
        anne.engine.send(Command::Camera(true))?;
    }
    let before = bob.shown_pictures(from).shown;
    bob.wait(TIMEOUT, "Bob still sees Anne", |bob| bob.shown_pictures(from).shown > before + 60)?;
    Ok(())
}

/// A camera or a screen may be turned, or a window resized, in the meeting.
#[test]
fn a_source_that_changes_its_shape_is_shown_in_its_new_shape() -> Result<()> {
    let (host, resizable) = (Host::start()?, Resizable::new(Size::new(320, 180)));
    let (anne, mut bob, from) = anne_and_bob(&host, resizable.cameras())?;
    for (width, height) in [(320, 180), (180, 320), (640, 480), (320, 180)] {
        resizable.set(Size::new(width, height));
        let has_shape =
            |size: Size| u32::from(size.width) * u32::from(height) == u32::from(size.height) * u32::from(width);
        let took =
            bob.wait(TIMEOUT, "the new shape is shown", |bob| bob.shown_pictures(from).size.is_some_and(has_shape))?;
        println!("{width}x{height} after {took:?}: {:?}", bob.shown_pictures(from));
        let before = bob.shown_pictures(from).shown;
        bob.wait(TIMEOUT, "it goes on", |bob| bob.shown_pictures(from).shown > before + 20)?;
        assert!(bob.shown_pictures(from).size.is_some_and(has_shape), "{:?}", bob.shown_pictures(from));
    }
    assert!(anne.notices.is_empty() && bob.notices.is_empty(), "{:?} {:?}", anne.notices, bob.notices);
    Ok(())
}

/// The encoders accept no side under 16 samples.
#[test]
fn a_tiny_camera_is_shown_and_a_narrow_one_is_refused_and_the_meeting_continues() -> Result<()> {
    let (host, resizable) = (Host::start()?, Resizable::new(Size::new(8, 8)));
    let (mut anne, mut bob, from) = anne_and_bob(&host, resizable.cameras())?;
    bob.wait(TIMEOUT, "Bob sees Anne", |bob| bob.shown_pictures(from).size == Some(Size::new(16, 16)))?;
    resizable.set(Size::new(4_000, 4));
    expect_notice(&mut anne, NoticeKind::TooNarrow)?;
    wait_for_other_camera(&mut bob, false)?;
    resizable.set(Size::new(320, 180));
    anne.engine.send(Command::Camera(true))?;
    wait_for_other_camera(&mut bob, true)?;
    bob.wait(TIMEOUT, "Bob sees Anne again", |bob| bob.shown_pictures(from).size == Some(Size::new(320, 180)))?;
    assert!(anne.ended.is_none() && bob.ended.is_none());
    Ok(())
}

/// Starts a meeting of Anne, who sends one of `cameras`, and Bob, who knows that her camera is on. Returns Anne's id, too.
fn anne_and_bob(host: &Host, cameras: Cameras) -> Result<(Person, Person, ParticipantId)> {
    let mut anne = Person::enter_with(host.entry(), "Anne", (Choice::Device(None), cameras), AudioChoice::Off)?;
    anne.wait(TIMEOUT, "Anne is a member", |anne| anne.me.is_some() && anne.camera)?;
    let from = anne.me.expect("Anne is a member");
    let mut bob = Person::enter(Entry::Join(anne.link.parse()?), "Bob", Choice::Off, AudioChoice::Off)?;
    wait_for_other_camera(&mut bob, true)?;
    Ok((anne, bob, from))
}

/// A camera whose size the test sets.
#[derive(Clone)]
struct Resizable(Arc<Mutex<Size>>);

impl Resizable {
    fn new(size: Size) -> Self {
        Self(Arc::new(Mutex::new(size)))
    }

    fn set(&self, size: Size) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = size;
    }

    fn size(&self) -> Size {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cameras(&self) -> Cameras {
        let size = self.clone();
        Cameras::new(move |_, clock| {
            Ok(Box::new(ResizableCamera { opened: size.size(), size: size.clone(), clock, next: 0 }))
        })
    }
}

struct ResizableCamera {
    /// The size when it was opened.
    opened: Size,
    size: Resizable,
    clock: Clock,
    next: u64,
}

impl Source for ResizableCamera {
    fn name(&self) -> &str {
        NAME
    }

    fn format(&self) -> Format {
        Format { size: self.opened, rate: FrameRate::THIRTY }
    }

    fn next(&mut self, pool: &Pool, stop: &Stop) -> Result<Option<Frame>, Error> {
        if stop.wait_until(Instant::now() + Duration::from_millis(33)) {
            return Ok(None);
        }
        self.next += 1;
        let frame = pool.take(self.size.size());
        let (number, captured) = (self.next, self.clock.now());
        Ok(frame.map(|frame| frame.freeze(number, captured, Colour::default())))
    }
}

fn expect_notice(person: &mut Person, notice: NoticeKind) -> Result<()> {
    person.wait(TIMEOUT, "the notice arrives", |person| person.notices.contains(&notice))?;
    assert_eq!((std::mem::take(&mut person.notices), person.camera), (vec![notice], false));
    Ok(())
}

fn wait_for_other_camera(person: &mut Person, on: bool) -> Result<()> {
    let shown = |person: &Person| person.people.iter().any(|other| !other.me && other.camera == on);
    person.wait(TIMEOUT, "the other camera's state is known", shown)?;
    person.look(Size::new(320, 180))
}

/// A USB port with one camera, which can be opened once at a time.
#[derive(Clone, Default)]
struct UsbPort {
    state: Arc<Mutex<State>>,
    open: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    PluggedIn,
    Unplugged,
    /// Another program uses it.
    InUse,
}

impl UsbPort {
    fn cameras(&self) -> Cameras {
        let usb = self.clone();
        Cameras::new(move |_, clock| {
            match usb.state() {
                State::Unplugged => return Err(Error::NotFound(None)),
                State::InUse => return Err(Error::Taken { name: NAME.into() }),
                State::PluggedIn => {}
            }
            let pictures = synthetic::open(Size::new(320, 180), FrameRate::THIRTY, clock)?;
            if usb.open.swap(true, Ordering::AcqRel) {
                return Err(Error::Taken { name: NAME.into() });
            }
            Ok(Box::new(Camera { pictures, usb: usb.clone() }))
        })
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Camera {
    pictures: Box<dyn Source>,
    usb: UsbPort,
}

impl Source for Camera {
    fn name(&self) -> &str {
        NAME
    }

    fn format(&self) -> Format {
        self.pictures.format()
    }

    fn next(&mut self, pool: &Pool, stop: &Stop) -> Result<Option<Frame>, Error> {
        if self.usb.state() == State::Unplugged {
            return Err(Error::Lost { name: NAME.into() });
        }
        self.pictures.next(pool, stop)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // Closing takes this long, as with a slow driver. Nothing notifies, so this waits for the full time.
        let _ = Notify::new().wait_until(Instant::now() + Duration::from_millis(200));
        self.usb.open.store(false, Ordering::Release);
    }
}

const NAME: &str = "USB camera";
