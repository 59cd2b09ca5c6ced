//! Where pictures go: past the interface's messages, straight to whatever draws or stores them.

use codec::decode::Picture;
use media::{Frame, Layer, Timestamp};
use proto::TrackId;

/// Hands out a canvas for each picture track. Called on the engine's threads.
pub trait VideoOutput: Send + Sync {
    /// A place for the pictures of `track`, which belongs to `name`.
    fn open(&self, track: TrackId, name: &str) -> Box<dyn VideoSink>;

    /// Our own camera's newest picture, by handle: as others see it, before any compression. Called on the camera's thread.
    fn own(&self, frame: Frame);
}

/// A place for one track's pictures. Lives on one decode thread; dropped when the track ends.
pub trait VideoSink: Send {
    /// Takes over a picture; it is shown from now until the next one. Copies what it needs before it returns.
    fn show(&mut self, picture: &Picture<'_>, meta: Meta);
}

/// What is known of a decoded picture.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// The source's number of it.
    pub number: u64,
    /// When its source saw it, by this machine's clock where both ends share one machine.
    pub captured: Timestamp,
    /// The layer it came by.
    pub layer: Layer,
}
