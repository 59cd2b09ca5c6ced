//! The interface for showing decoded pictures. They are not passed in events.

use codec::decode::Picture;
use media::{Frame, Layer, Timestamp};
use proto::TrackId;

/// Opens a [`VideoSink`] for each received picture track. Called on the engine's threads.
pub trait VideoOutput: Send + Sync {
    /// Opens a sink for the pictures of `track`, whose owner is called `name`. It is called on a `net` thread, so it
    /// must not block.
    fn open(&self, track: TrackId, name: &str) -> Box<dyn VideoSink>;

    /// Shows the newest picture of our own camera, uncompressed and not copied. It is called on the camera's thread.
    fn own(&self, frame: Frame);
}

/// Shows the pictures of one track. It stays on one decode thread, and is dropped when the track ends.
pub trait VideoSink: Send {
    /// Shows a picture until the next one. It must copy what it needs before it returns.
    fn show(&mut self, picture: &Picture<'_>, meta: Meta);
}

/// The metadata of a decoded picture.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// The source's number of the picture.
    pub number: u64,
    /// The time of capture. It can be compared with our own clock only if sender and receiver run on one machine.
    pub captured: Timestamp,
    /// The layer that was received.
    pub layer: Layer,
}

/// An output that shows nothing, for a client without a window.
pub struct NullOutput;

impl VideoOutput for NullOutput {
    fn open(&self, _track: TrackId, _name: &str) -> Box<dyn VideoSink> {
        Box::new(NullSink)
    }

    fn own(&self, _frame: Frame) {}
}

struct NullSink;

impl VideoSink for NullSink {
    fn show(&mut self, _picture: &Picture<'_>, _meta: Meta) {}
}
