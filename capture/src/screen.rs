//! Screen capture.

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(target_os = "linux")]
mod x11;

#[cfg(not(target_os = "linux"))]
use other as system;
#[cfg(target_os = "linux")]
use x11 as system;

use crate::{Error, Source};
use media::Clock;

/// Opens the screen that this program uses, with the pointer drawn into the frames.
///
/// # Errors
/// Returns [`Error::NoScreen`] if there is no screen, or if the system does not allow its capture, and
/// [`Error::ScreenFormat`] if its pixel format is not supported.
pub fn open(clock: Clock) -> Result<Box<dyn Source>, Error> {
    system::open(None, clock)
}
