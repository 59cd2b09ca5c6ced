//! Cameras, through nokhwa: V4L2 on Linux, Media Foundation on Windows, `AVFoundation` on macOS.
//!
//! Format selection, conversion to I420 and the interpretation of error messages are pure functions. Only `host` accesses
//! devices; tests replace it with a fake driver.

mod convert;
mod error;
#[cfg(test)]
mod fake_driver;
mod format;
mod host;
mod info;
#[cfg(target_os = "linux")]
mod linux;
mod open;
#[cfg(not(target_os = "linux"))]
mod other;
mod stream;
#[cfg(test)]
mod tests;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

pub use info::Info;

use crate::{Error, Source};
use host::{Host, Native};
use info::describe;
use media::Clock;
use nokhwa::utils::CameraInfo;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Lists the cameras, in the system's order.
#[must_use]
pub fn list() -> Vec<Info> {
    cameras(&Native).iter().map(describe).collect()
}

/// Opens the camera with this id or name, or the first camera with a supported format if `id` is `None`.
///
/// # Errors
/// Returns [`Error::NotFound`] if there is no such camera, [`Error::Taken`] if another program uses it,
/// [`Error::Denied`] if the system denies access, [`Error::Format`] if it offers no supported format, otherwise
/// [`Error::Failed`]. Later, [`Source::next`] returns [`Error::Lost`] if the camera is unplugged, and [`Error::Taken`]
/// or [`Error::Denied`] if the system gives it to another program.
pub fn open(id: Option<&str>, clock: Clock) -> Result<Box<dyn Source>, Error> {
    open_on(&Native, id, clock)
}

fn open_on(host: &dyn Host, id: Option<&str>, clock: Clock) -> Result<Box<dyn Source>, Error> {
    let cameras = cameras(host);
    if id.is_some() {
        return open::camera(host, find(&cameras, id)?, clock);
    }
    let mut refused = Error::NotFound(None);
    for camera in &cameras {
        match open::camera(host, camera, clock) {
            // Skip devices without a supported format, such as infrared sensors and hardware codecs.
            Err(error @ Error::Format { .. }) => refused = error,
            // Report a camera that is in use. Another one may show something the user does not expect.
            result => return result,
        }
    }
    Err(refused)
}

fn cameras(host: &dyn Host) -> Vec<CameraInfo> {
    // nokhwa panics if a device node is not what it expects.
    let cameras = catch_unwind(AssertUnwindSafe(|| host.cameras()));
    let cameras = cameras.unwrap_or_else(|_| Ok(Vec::new())).unwrap_or_else(|error| {
        tracing::debug!(%error, "cannot list cameras");
        Vec::new()
    });
    system::filter(cameras)
}

fn find<'a>(cameras: &'a [CameraInfo], id: Option<&str>) -> Result<&'a CameraInfo, Error> {
    let wanted = |camera: &&CameraInfo| {
        let Info { id: camera_id, name } = describe(camera);
        id.is_none_or(|id| id == camera_id || id == name || id == system::path(&camera_id))
    };
    cameras.iter().find(wanted).ok_or_else(|| Error::NotFound(id.map(String::from)))
}
