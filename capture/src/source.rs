//! The interface of a frame source.

use crate::Error;
use media::{Frame, FrameRate, Mailbox, Pool, Size};
use std::time::Instant;

/// The format of a source's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The frame size, upright and in square samples. It may change later; each frame contains its own size.
    pub size: Size,
    /// The maximum frame rate.
    pub rate: FrameRate,
}

/// A source of frames. It is opened, read and dropped on one thread.
pub trait Source {
    /// The name shown to users.
    fn name(&self) -> &str;

    /// The format of its frames.
    fn format(&self) -> Format;

    /// Waits for the next frame and writes it into a buffer of `pool`. Returns `None` if the frame was skipped (every
    /// buffer is in use, or a screen has not changed) or if `stop` was requested. The caller checks `stop` and calls
    /// again. Frame numbers start at 0 and count skipped frames, too.
    ///
    /// # Errors
    /// Returns an [`Error`] if the source will never deliver another frame.
    fn next(&mut self, pool: &Pool, stop: &Stop) -> Result<Option<Frame>, Error>;
}

/// A stop request for the thread that reads a source. Clones share it.
#[derive(Clone, Default)]
pub struct Stop {
    request: Mailbox<()>,
}

impl Stop {
    /// Creates an object without a stop request.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests the stop. Ends all current and later waits.
    pub fn request(&self) {
        self.request.close();
    }

    /// True if the stop was requested.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.request.is_closed()
    }

    /// Waits until `deadline`. Returns true if the stop was requested before.
    #[must_use]
    pub fn wait_until(&self, deadline: Instant) -> bool {
        // The mailbox never holds a value; it is only closed.
        let _ = self.request.take_until(deadline);
        self.is_requested()
    }
}
