//! The way from a camera's name to its first picture.

use super::explain::{means, refused};
use super::host::Host;
use super::stream::Stream;
use super::{Info, choice, describe};
use crate::{Error, Source};
use media::Clock;
use nokhwa::utils::{CameraFormat, CameraInfo, RequestedFormat, RequestedFormatType};
use nokhwa::{Camera, NokhwaError};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Opens `camera` at the best format that it takes, and starts it.
pub(super) fn camera(host: &dyn Host, camera: &CameraInfo, clock: Clock) -> Result<Box<dyn Source>, Error> {
    let Info { name, .. } = describe(camera);
    // The library steps through lists that drivers make; one that is wrong makes it panic.
    let started = catch_unwind(AssertUnwindSafe(|| start(host, camera, &name)));
    let (camera, format) = started
        .unwrap_or_else(|_| Err(Error::Failed { name: name.clone(), source: "its driver confuses us".into() }))?;
    Ok(Box::new(Stream::new(camera, name, format, clock)))
}

fn start(host: &dyn Host, camera: &CameraInfo, name: &str) -> Result<(Camera, CameraFormat), Error> {
    let refused = |error: NokhwaError| refused(name, &error);
    // Any format will do to get in; then we see what there is.
    let request = RequestedFormat::with_formats(RequestedFormatType::None, &choice::KNOWN);
    let mut camera = host.open(camera.index().clone(), request).map_err(refused)?;
    let format = settle(&mut camera, name)?;
    camera.open_stream().map_err(refused)?;
    Ok((camera, format))
}

/// Sets the best format that the camera really takes: some offer more than they do.
fn settle(camera: &mut Camera, name: &str) -> Result<CameraFormat, Error> {
    let offered = offered(camera).map_err(|error| refused(name, &error))?;
    let mut last = Error::Format { name: name.to_owned() };
    for wanted in choice::ranked(&offered).into_iter().take(TRIES) {
        match set(camera, wanted) {
            Ok(format) if choice::size(format).is_some() && choice::KNOWN.contains(&format.format()) => {
                return Ok(format);
            }
            Ok(_) => {}
            // Nobody's format helps where the camera is taken, forbidden or gone.
            Err(error) if means(&error).is_some() => return Err(refused(name, &error)),
            Err(error) => last = refused(name, &error),
        }
    }
    Err(last)
}

/// All that a camera offers in formats that are read here. The library's own list of kinds ends after two on Windows.
fn offered(camera: &mut Camera) -> Result<Vec<CameraFormat>, NokhwaError> {
    // A camera that is taken or gone says so here; one that lacks a kind says so below, which is no error.
    camera.compatible_fourcc()?;
    let mut offered = Vec::new();
    for kind in choice::KNOWN {
        for (size, rates) in camera.compatible_list_by_resolution(kind).unwrap_or_default() {
            offered.extend(rates.into_iter().map(|rate| CameraFormat::new(size, kind, rate)));
        }
    }
    Ok(offered)
}

/// What the driver makes of `wanted`: it has the last word on size and kind. Its word on the rate counts for nothing:
/// Media Foundation's is read as the denominator, 1.
fn set(camera: &mut Camera, wanted: CameraFormat) -> Result<CameraFormat, NokhwaError> {
    if camera.camera_format() != wanted {
        let request = RequestedFormat::with_formats(RequestedFormatType::Exact(wanted), &choice::KNOWN);
        camera.set_camera_requset(request)?;
    }
    let found = camera.refresh_camera_format()?;
    Ok(CameraFormat::new(found.resolution(), found.format(), wanted.frame_rate()))
}

/// Formats that are tried before a camera counts as refusing.
const TRIES: usize = 4;
