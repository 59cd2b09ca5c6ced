//! Cameras of the system, through nokhwa: V4L2 on Linux, Media Foundation on Windows, `AVFoundation` on macOS.
//!
//! Which of a camera's formats is best, how its pictures become I420, and which of a system's messages means what, are
//! pure functions; only this file touches devices.

mod choice;
mod convert;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

use crate::{Error, Format, Source, Stop};
use media::{Clock, Frame, FrameRate, Pool, Rotation};
use nokhwa::utils::{ApiBackend, CameraFormat, CameraIndex, CameraInfo, RequestedFormat, RequestedFormatType};
use nokhwa::{Camera, NokhwaError};
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
    cameras().iter().map(describe).collect()
}

/// Opens a camera, by its id or the name that people know it as; the first one where none is named.
///
/// # Errors
/// [`Error::NotFound`] where there is none, or none of that name; [`Error::Taken`], [`Error::Denied`], [`Error::Format`],
/// [`Error::Failed`].
pub fn open(id: Option<&str>, clock: Clock) -> Result<Box<dyn Source>, Error> {
    let camera = find(&cameras(), id)?;
    let Info { name, .. } = describe(&camera);
    // The library steps through lists that drivers make; one that is wrong makes it panic.
    let opened = catch_unwind(AssertUnwindSafe(|| start(&camera, &name)));
    let (camera, format) = opened
        .unwrap_or_else(|_| Err(Error::Failed { name: name.clone(), source: "its driver confuses us".into() }))?;
    Ok(Box::new(Device { camera, name, format, clock, number: 0, scratch: Vec::new(), broken: 0 }))
}

struct Device {
    camera: Camera,
    name: String,
    format: CameraFormat,
    clock: Clock,
    number: u64,
    /// Where JPEG becomes red, green and blue; keeps its memory.
    scratch: Vec<u8>,
    /// Pictures in a row that made no sense.
    broken: u32,
}

impl Source for Device {
    fn name(&self) -> &str {
        &self.name
    }

    fn format(&self) -> Format {
        let rate = FrameRate::new(self.format.frame_rate(), 1).unwrap_or(FrameRate::THIRTY);
        Format { size: choice::size(self.format).unwrap_or_default(), rate }
    }

    fn next(&mut self, pool: &Pool, _: &Stop) -> Result<Option<Frame>, Error> {
        // The wait for the device cannot be interrupted; it ends with the camera's next picture.
        let pixels = self.camera.frame_raw().map_err(|error| lost(&self.name, &error))?;
        let captured = self.clock.now();
        let number = self.number;
        self.number += 1;
        let size = choice::size(self.format).ok_or_else(|| Error::Format { name: self.name.clone() })?;
        let Some(mut canvas) = pool.canvas(size) else { return Ok(None) };
        let Some(colour) = convert::to_i420(&pixels, self.format.format(), &mut self.scratch, &mut canvas) else {
            self.broken += 1;
            return self.endure();
        };
        self.broken = 0;
        Ok(Some(canvas.freeze(number, captured, colour, Rotation::Upright)))
    }
}

impl Device {
    /// A torn picture now and then is how cheap cameras are; nothing else for seconds is not.
    fn endure(&self) -> Result<Option<Frame>, Error> {
        if self.broken < MOST_BROKEN {
            return Ok(None);
        }
        Err(Error::Failed { name: self.name.clone(), source: "its pictures are damaged".into() })
    }
}

fn cameras() -> Vec<CameraInfo> {
    let cameras = catch_unwind(|| nokhwa::query(ApiBackend::Auto));
    let mut cameras = cameras.unwrap_or_else(|_| Ok(Vec::new())).unwrap_or_else(|error| {
        tracing::debug!(%error, "no list of cameras");
        Vec::new()
    });
    cameras.retain(system::takes_pictures);
    cameras
}

fn describe(camera: &CameraInfo) -> Info {
    Info { id: camera.index().as_string(), name: camera.human_name().trim().to_owned() }
}

fn find(cameras: &[CameraInfo], id: Option<&str>) -> Result<CameraInfo, Error> {
    let wanted = |camera: &&CameraInfo| {
        let Info { id: own, name } = describe(camera);
        id.is_none_or(|id| id == own || id == name || id == system::path(&own))
    };
    cameras.iter().find(wanted).cloned().ok_or_else(|| Error::NotFound(id.map(String::from)))
}

/// Opens a camera at its best format and starts it.
fn start(camera: &CameraInfo, name: &str) -> Result<(Camera, CameraFormat), Error> {
    let explain = |error: NokhwaError| explain(name, &error);
    let index: CameraIndex = camera.index().clone();
    // Any format will do to get in; then we see what there is.
    let request = RequestedFormat::with_formats(RequestedFormatType::None, &choice::KNOWN);
    let mut camera = Camera::new(index, request).map_err(explain)?;
    let offered = camera.compatible_camera_formats().map_err(explain)?;
    let best = choice::best(&offered).ok_or_else(|| Error::Format { name: name.into() })?;
    if camera.camera_format() != best {
        let request = RequestedFormat::with_formats(RequestedFormatType::Exact(best), &choice::KNOWN);
        camera.set_camera_requset(request).map_err(explain)?;
    }
    // The driver has the last word.
    let format = camera.refresh_camera_format().unwrap_or(best);
    if choice::size(format).is_none() || !choice::KNOWN.contains(&format.format()) {
        return Err(Error::Format { name: name.into() });
    }
    camera.open_stream().map_err(explain)?;
    Ok((camera, format))
}

/// What a system means when a camera does not open.
fn explain(name: &str, error: &NokhwaError) -> Error {
    let text = error.to_string();
    let name = name.to_owned();
    match system::cause(&text) {
        Some(Cause::Gone) => Error::NotFound(Some(name)),
        Some(Cause::Taken) => Error::Taken { name },
        Some(Cause::Denied) => Error::Denied { name },
        None if text.contains("Fufill") => Error::Format { name },
        None => Error::Failed { name, source: text.into() },
    }
}

/// What it means when one stops: whatever the reason, no picture comes any more.
fn lost(name: &str, error: &NokhwaError) -> Error {
    tracing::debug!(%error, "camera lost");
    Error::Lost { name: name.to_owned() }
}

/// What a system's message comes down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Gone,
    Taken,
    Denied,
}

/// Five seconds of damaged pictures.
const MOST_BROKEN: u32 = 150;

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(index: u32, name: &str) -> CameraInfo {
        CameraInfo::new(name, "", "", CameraIndex::Index(index))
    }

    #[test]
    fn a_camera_is_found_by_id_or_name() {
        let cameras = [camera(0, "Front "), camera(2, "Back")];
        let id = |wanted| find(&cameras, wanted).map(|camera| describe(&camera).id).ok();
        assert_eq!(id(None).as_deref(), Some("0"));
        assert_eq!(id(Some("2")).as_deref(), Some("2"));
        assert_eq!(id(Some("Front")).as_deref(), Some("0"));
        assert_eq!(id(Some("1")), None);
        assert!(matches!(find(&[], None), Err(Error::NotFound(None))));
        assert!(matches!(find(&[], Some("x")), Err(Error::NotFound(Some(_)))));
    }

    #[test]
    fn a_machine_without_cameras_says_so() {
        if !list().is_empty() {
            println!("skipped: this machine has a camera");
            return;
        }
        assert!(matches!(open(None, Clock::default()), Err(Error::NotFound(None))));
    }

    #[test]
    fn a_camera_that_offers_nothing_known_is_its_own_error() {
        let error = NokhwaError::GetPropertyError { property: "CameraFormat".into(), error: "Failed to Fufill".into() };
        assert!(matches!(explain("x", &error), Error::Format { .. }));
        let error = NokhwaError::GeneralError("something new".into());
        assert!(matches!(explain("x", &error), Error::Failed { .. }));
        assert!(matches!(lost("x", &error), Error::Lost { .. }));
    }
}
