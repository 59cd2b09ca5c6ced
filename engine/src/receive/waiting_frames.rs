//! Frames that wait for their keys, because media and commits arrive on different connections.

use crypto::{Opener, ReceivedFrame};
use media::ByteSize;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Keeps a track's frames in order. A frame waits for a limited time if its key has not arrived yet.
#[derive(Default)]
pub struct WaitingFrames {
    frames: VecDeque<ReceivedFrame>,
    bytes: usize,
}

impl WaitingFrames {
    /// Adds a frame that arrived.
    pub fn push(&mut self, received: ReceivedFrame) {
        self.bytes += received.byte_size();
        self.frames.push_back(received);
    }

    /// Returns the next frame to open: its key has arrived, or it has waited long enough. Returns `None` if there is no
    /// such frame. The caller tries again when something arrives on the track, which is every few milliseconds while
    /// its owner sends.
    pub fn next(&mut self, opener: &Opener, now: Instant) -> Option<ReceivedFrame> {
        let received = self.frames.front()?;
        let may_wait = now.saturating_duration_since(received.received) < KEY_TIMEOUT
            && self.frames.len() <= MAX_FRAMES
            && self.bytes <= MAX_BYTES;
        if may_wait && opener.is_early(received) {
            return None;
        }
        let received = self.frames.pop_front()?;
        self.bytes -= received.byte_size();
        Some(received)
    }
}

/// How long a frame waits for its key. On an idle machine a commit arrives a few round trips after the frames that were
/// sealed after it, on a loaded one a second. The sender no longer seals with older keys, so waiting delays no picture
/// that could be shown instead.
const KEY_TIMEOUT: Duration = Duration::from_secs(2);

/// The maximum number of frames that wait: two seconds of any track.
const MAX_FRAMES: usize = 128;

/// The maximum number of bytes that wait.
const MAX_BYTES: usize = 1 << 20;
