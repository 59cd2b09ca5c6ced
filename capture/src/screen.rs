//! Screen capture.

mod monitor;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(target_os = "linux")]
mod x11;

#[cfg(not(target_os = "linux"))]
use other as system;
#[cfg(target_os = "linux")]
use x11 as system;

pub use monitor::{Monitor, Thumbnail};

use crate::{Error, Source};
use media::Clock;

/// Lists the monitors, in the system's order. Reads the pixels of each, so it may take some hundred milliseconds.
///
/// # Errors
/// Returns [`Error::NoScreen`] if there is no screen, or if the system does not allow its capture, and
/// [`Error::ScreenFormat`] if its pixel format is not supported.
pub fn list() -> Result<Vec<Monitor>, Error> {
    system::list(None)
}

/// Opens the monitor with this id, or all monitors as one screen if `monitor` is `None`. The pointer is drawn into the
/// frames.
///
/// # Errors
/// Returns [`Error::NoScreen`] if there is no such monitor, or if the system does not allow its capture, and
/// [`Error::ScreenFormat`] if its pixel format is not supported. Later, [`Source::next`] returns [`Error::Lost`] if
/// the monitor is unplugged.
pub fn open(monitor: Option<&str>, clock: Clock) -> Result<Box<dyn Source>, Error> {
    system::open(None, monitor, clock)
}
