//! A camera that runs.

use super::explain::stopped;
use super::{choice, convert};
use crate::{Error, Format, Source, Stop};
use media::{Clock, Frame, FrameRate, Pool, Rotation};
use nokhwa::utils::CameraFormat;
use nokhwa::{Camera, NokhwaError};
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A camera and what is needed to read it.
pub(super) struct Stream {
    /// Taken out only by drop.
    camera: Option<Camera>,
    name: String,
    format: CameraFormat,
    clock: Clock,
    number: u64,
    /// Where JPEG becomes red, green and blue; keeps its memory.
    scratch: Vec<u8>,
    /// Pictures in a row that made no sense.
    broken: u32,
}

impl Stream {
    /// A camera that was started with `format`.
    pub(super) fn new(camera: Camera, name: String, format: CameraFormat, clock: Clock) -> Self {
        Self { camera: Some(camera), name, format, clock, number: 0, scratch: Vec::new(), broken: 0 }
    }

    /// A torn picture now and then is how cheap cameras are; nothing else for seconds is not.
    fn endure(&self) -> Result<Option<Frame>, Error> {
        if self.broken < MAX_BROKEN {
            return Ok(None);
        }
        Err(Error::Failed { name: self.name.clone(), source: "its pictures are damaged".into() })
    }
}

impl Source for Stream {
    fn name(&self) -> &str {
        &self.name
    }

    fn format(&self) -> Format {
        let rate = FrameRate::new(self.format.frame_rate(), 1).unwrap_or(FrameRate::THIRTY);
        Format { size: choice::size(self.format).unwrap_or_default(), rate }
    }

    fn next(&mut self, pool: &Pool, _: &Stop) -> Result<Option<Frame>, Error> {
        // The wait for the device cannot be interrupted; it ends with the camera's next picture.
        let pixels = read(self.camera.as_mut()).map_err(|error| stopped(&self.name, &error, self.number > 0))?;
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

impl Drop for Stream {
    fn drop(&mut self) {
        let camera = self.camera.take();
        // The library panics where a driver does not stop in order; there is nothing left to save but this thread.
        if catch_unwind(AssertUnwindSafe(|| drop(camera))).is_err() {
            tracing::warn!("a camera did not stop in order");
        }
    }
}

/// The bytes of the next picture.
fn read(camera: Option<&mut Camera>) -> Result<Cow<'_, [u8]>, NokhwaError> {
    let camera = camera.ok_or(NokhwaError::UnitializedError)?;
    let camera = AssertUnwindSafe(camera);
    let read = catch_unwind(move || {
        let AssertUnwindSafe(camera) = { camera };
        camera.frame_raw()
    });
    read.unwrap_or_else(|_| Err(NokhwaError::ReadFrameError("the library panicked".into())))
}

/// Five seconds of damaged pictures.
const MAX_BROKEN: u32 = 150;
