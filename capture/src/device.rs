//! Cameras of the system, through nokhwa: V4L2 on Linux, Media Foundation on Windows, `AVFoundation` on macOS.
//!
//! Which of a camera's formats is best, how its pictures become I420, and what a system's messages mean, are pure
//! functions; only `host` reaches the machine's devices, and a stand-in takes its place in tests.

mod choice;
mod convert;
mod explain;
mod host;
#[cfg(target_os = "linux")]
mod linux;
mod open;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(test)]
mod stand_in;
mod stream;
#[cfg(test)]
mod tests;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

use crate::{Error, Source};
use host::{Host, Native};
use media::Clock;
use nokhwa::utils::CameraInfo;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A camera to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// What a choice names it by.
    pub id: String,
    /// What people know it as.
    pub name: String,
}

/// The cameras, in the system's order.
#[must_use]
pub fn list() -> Vec<Info> {
    cameras(&Native).iter().map(describe).collect()
}

/// Opens a camera, by its id or the name that people know it as. Where none is named, it is the first one whose pictures
/// can be read here.
///
/// # Errors
/// [`Error::NotFound`] where there is none, or none of that name; [`Error::Taken`], [`Error::Denied`], [`Error::Format`],
/// [`Error::Failed`]. Once it runs, [`Source::next`] ends with [`Error::Lost`] where the camera is unplugged, and with
/// [`Error::Taken`] or [`Error::Denied`] where the system gives it to somebody else.
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
            // What gives no pictures that can be read (an infrared sensor, a codec on the board) is passed over.
            Err(error @ Error::Format { .. }) => refused = error,
            // A camera that is taken is told, and not replaced by one that points elsewhere.
            decided => return decided,
        }
    }
    Err(refused)
}

fn cameras(host: &dyn Host) -> Vec<CameraInfo> {
    // The library takes every node for what it expects, and panics where it is something else.
    let cameras = catch_unwind(AssertUnwindSafe(|| host.cameras()));
    let cameras = cameras.unwrap_or_else(|_| Ok(Vec::new())).unwrap_or_else(|error| {
        tracing::debug!(%error, "no list of cameras");
        Vec::new()
    });
    system::tidy(cameras)
}

fn describe(camera: &CameraInfo) -> Info {
    Info { id: camera.index().as_string(), name: camera.human_name().trim().to_owned() }
}

fn find<'a>(cameras: &'a [CameraInfo], id: Option<&str>) -> Result<&'a CameraInfo, Error> {
    let wanted = |camera: &&CameraInfo| {
        let Info { id: own, name } = describe(camera);
        id.is_none_or(|id| id == own || id == name || id == system::path(&own))
    };
    cameras.iter().find(wanted).ok_or_else(|| Error::NotFound(id.map(String::from)))
}
