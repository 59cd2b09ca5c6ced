//! The screen of this machine.

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

/// Opens the screen that this program is shown on, pointer included.
///
/// # Errors
/// [`Error::NoScreen`] where there is none, or none that this system lets us see.
pub fn open(clock: Clock) -> Result<Box<dyn Source>, Error> {
    system::open(None, clock)
}
