//! The seam to whatever makes pictures.

use crate::Error;
use media::{Frame, FrameRate, Mailbox, Pool, Size};
use std::time::Instant;

/// What a source delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The size of its pictures, before rotation. A source may change it later; each frame knows its own.
    pub size: Size,
    /// Pictures in a second, at most.
    pub rate: FrameRate,
}

/// Something that makes pictures. It is opened, asked and dropped on one thread.
pub trait Source {
    /// What people call it.
    fn name(&self) -> &str;

    /// What it delivers.
    fn format(&self) -> Format;

    /// Waits for the next picture and writes it into a buffer of `pool`. `None` where the picture was skipped (every
    /// buffer is in use, or nothing has changed on a screen), or `stop` was given; the caller looks at `stop` and asks
    /// again. Frame numbers count every picture, skipped ones included, from 0.
    ///
    /// # Errors
    /// Where no picture will ever come again.
    fn next(&mut self, pool: &Pool, stop: &Stop) -> Result<Option<Frame>, Error>;
}

/// The order to stop, for a thread that waits for its next picture. Clones share it.
#[derive(Clone, Default)]
pub struct Stop {
    order: Mailbox<()>,
}

impl Stop {
    /// Nobody has said stop yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends every wait, now and later.
    pub fn give(&self) {
        self.order.close();
    }

    /// True once the order was given.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.order.is_closed()
    }

    /// Waits until `deadline`. True where the order came first.
    #[must_use]
    pub fn wait_until(&self, deadline: Instant) -> bool {
        // Nothing is ever put in: the box only ends.
        let _ = self.order.take_until(deadline);
        self.is_given()
    }
}
