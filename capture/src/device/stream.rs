//! A running camera.

use super::error::read_error;
use super::{convert, format};
use crate::{Error, Format, Source, Stop};
use media::{Clock, Frame, FrameRate, Pool};
use nokhwa::utils::CameraFormat;
use nokhwa::{Camera, NokhwaError};
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A started camera.
pub(super) struct Stream {
    /// `None` only during drop.
    camera: Option<Camera>,
    name: String,
    format: CameraFormat,
    clock: Clock,
    number: u64,
    /// The buffer for decoded JPEG, kept to reuse its memory.
    scratch: Vec<u8>,
    /// Consecutive damaged frames.
    damaged: u32,
}

impl Stream {
    /// Creates a source from a camera that was started with `format`.
    pub(super) fn new(camera: Camera, name: String, format: CameraFormat, clock: Clock) -> Self {
        Self { camera: Some(camera), name, format, clock, number: 0, scratch: Vec::new(), damaged: 0 }
    }

    /// Tolerates single damaged frames, which cheap cameras send. Fails after five seconds without an intact frame.
    fn handle_damaged_frame(&self) -> Result<Option<Frame>, Error> {
        if self.damaged < MAX_DAMAGED {
            return Ok(None);
        }
        Err(Error::Failed { name: self.name.clone(), source: "its frames are damaged".into() })
    }
}

impl Source for Stream {
    fn name(&self) -> &str {
        &self.name
    }

    fn format(&self) -> Format {
        let rate = FrameRate::new(self.format.frame_rate(), 1).unwrap_or(FrameRate::THIRTY);
        Format { size: format::size(self.format).unwrap_or_default(), rate }
    }

    fn next(&mut self, pool: &Pool, _: &Stop) -> Result<Option<Frame>, Error> {
        // A stop request cannot interrupt this wait; it ends with the camera's next frame.
        let pixels = read(self.camera.as_mut()).map_err(|error| read_error(&self.name, &error, self.number > 0))?;
        let captured = self.clock.now();
        let number = self.number;
        self.number += 1;
        let size = format::size(self.format).ok_or_else(|| Error::Format { name: self.name.clone() })?;
        let Some(mut frame) = pool.take(size) else { return Ok(None) };
        let Some(colour) = convert::to_i420(&pixels, self.format.format(), &mut self.scratch, &mut frame) else {
            self.damaged += 1;
            return self.handle_damaged_frame();
        };
        self.damaged = 0;
        Ok(Some(frame.freeze(number, captured, colour)))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let camera = self.camera.take();
        // nokhwa panics in drop if the driver fails to stop the stream.
        if catch_unwind(AssertUnwindSafe(|| drop(camera))).is_err() {
            tracing::warn!("the camera did not stop properly");
        }
    }
}

/// Reads the bytes of the next frame. A panic of nokhwa becomes an error.
fn read(camera: Option<&mut Camera>) -> Result<Cow<'_, [u8]>, NokhwaError> {
    let camera = camera.ok_or(NokhwaError::UnitializedError)?;
    let camera = AssertUnwindSafe(camera);
    let read = catch_unwind(move || {
        let AssertUnwindSafe(camera) = { camera };
        camera.frame_raw()
    });
    read.unwrap_or_else(|_| Err(NokhwaError::ReadFrameError("the library panicked".into())))
}

/// The frames of five seconds at 30 frames per second.
const MAX_DAMAGED: u32 = 150;
