//! How each choice of a picture source is opened.

use crate::send::Open;
use crate::setup::Choice;
use capture::{device, file, null, screen as x11, synthetic};
use media::{Clock, FrameRate, Size};

/// Opens a camera on the thread that will read it.
pub fn camera(choice: Choice, clock: Clock) -> Open {
    Box::new(move || match choice {
        Choice::Off => Ok(null::open()),
        Choice::Synthetic => synthetic::open(Size::new(1280, 720), FrameRate::THIRTY, clock),
        Choice::Device(id) => device::open(id.as_deref(), clock),
        Choice::File(path) => file::open(&path, clock),
    })
}

/// Opens the screen on the thread that will read it.
pub fn screen(clock: Clock) -> Open {
    Box::new(move || x11::open(clock))
}
