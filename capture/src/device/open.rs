//! Opens and starts a camera.

use super::error::{classify, open_error};
use super::format;
use super::host::Host;
use super::info::{Info, describe};
use super::stream::Stream;
use crate::{Error, Source};
use media::Clock;
use nokhwa::utils::{CameraFormat, CameraInfo, RequestedFormat, RequestedFormatType};
use nokhwa::{Camera, NokhwaError};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Opens `camera` with the best format that it accepts, and starts it.
pub(super) fn camera(host: &dyn Host, camera: &CameraInfo, clock: Clock) -> Result<Box<dyn Source>, Error> {
    let Info { name, .. } = describe(camera);
    // nokhwa panics on invalid lists from drivers.
    let started = catch_unwind(AssertUnwindSafe(|| start(host, camera, &name)));
    let (camera, format) = started
        .unwrap_or_else(|_| Err(Error::Failed { name: name.clone(), source: "the camera library panicked".into() }))?;
    Ok(Box::new(Stream::new(camera, name, format, clock)))
}

fn start(host: &dyn Host, camera: &CameraInfo, name: &str) -> Result<(Camera, CameraFormat), Error> {
    let open_error = |error: NokhwaError| open_error(name, &error);
    // Open with any format; the formats can be listed only after that.
    let request = RequestedFormat::with_formats(RequestedFormatType::None, &format::KNOWN);
    let mut camera = host.open(camera.index().clone(), request).map_err(open_error)?;
    let format = select_format(&mut camera, name)?;
    camera.open_stream().map_err(open_error)?;
    Ok((camera, format))
}

/// Sets the best format that the camera accepts. Some cameras list formats that they refuse.
fn select_format(camera: &mut Camera, name: &str) -> Result<CameraFormat, Error> {
    let offered = offered(camera).map_err(|error| open_error(name, &error))?;
    let mut last = Error::Format { name: name.to_owned() };
    for wanted in format::ranked(&offered).into_iter().take(MAX_ATTEMPTS) {
        match set_format(camera, wanted) {
            Ok(format) if format::size(format).is_some() && format::KNOWN.contains(&format.format()) => {
                return Ok(format);
            }
            Ok(_) => {}
            // Another format does not help if the camera is in use, denied or unplugged.
            Err(error) if classify(&error).is_some() => return Err(open_error(name, &error)),
            Err(error) => last = open_error(name, &error),
        }
    }
    Err(last)
}

/// The formats of a camera with a supported pixel format. nokhwa's own list of pixel formats is incomplete on Windows.
fn offered(camera: &mut Camera) -> Result<Vec<CameraFormat>, NokhwaError> {
    // This call fails if the camera is in use or unplugged. The calls below may also fail for a missing pixel format,
    // which is not an error.
    camera.compatible_fourcc()?;
    let mut offered = Vec::new();
    for kind in format::KNOWN {
        for (size, rates) in camera.compatible_list_by_resolution(kind).unwrap_or_default() {
            offered.extend(rates.into_iter().map(|rate| CameraFormat::new(size, kind, rate)));
        }
    }
    Ok(offered)
}

/// Requests `wanted` and returns the format that the driver set. The frame rate is not read back, because nokhwa reads it
/// wrongly on Media Foundation (always 1).
fn set_format(camera: &mut Camera, wanted: CameraFormat) -> Result<CameraFormat, NokhwaError> {
    if camera.camera_format() != wanted {
        let request = RequestedFormat::with_formats(RequestedFormatType::Exact(wanted), &format::KNOWN);
        camera.set_camera_requset(request)?;
    }
    let found = camera.refresh_camera_format()?;
    Ok(CameraFormat::new(found.resolution(), found.format(), wanted.frame_rate()))
}

/// The number of formats that are tried before opening the camera fails.
const MAX_ATTEMPTS: usize = 4;
