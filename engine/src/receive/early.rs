//! Frames whose keys are still on their way: media and commits travel by different connections.

use crypto::{Opener, ReceivedFrame};
use media::ByteSize;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Keeps a track's frames in order, and back for a while where their key is not here yet.
#[derive(Default)]
pub struct Early {
    frames: VecDeque<ReceivedFrame>,
    bytes: usize,
}

impl Early {
    /// Adds what arrived.
    pub fn push(&mut self, received: ReceivedFrame) {
        self.bytes += received.byte_size();
        self.frames.push_back(received);
    }

    /// The next frame to open: one whose key is here, or will not come any more. Looked at again whenever something
    /// arrives on the track, which while somebody sends is every few milliseconds.
    pub fn next(&mut self, opener: &Opener, now: Instant) -> Option<ReceivedFrame> {
        let received = self.frames.front()?;
        let patient = now.saturating_duration_since(received.received) < KEY_TIMEOUT
            && self.frames.len() <= MAX_FRAMES
            && self.bytes <= MAX_BYTES;
        if patient && opener.is_early(received) {
            return None;
        }
        let received = self.frames.pop_front()?;
        self.bytes -= received.byte_size();
        Some(received)
    }
}

/// On a quiet machine a commit is a few round trips behind the frames that were sealed after it, on a loaded one a second.
/// The sender seals nothing with older keys any more, so waiting costs no picture that could be shown instead.
const KEY_TIMEOUT: Duration = Duration::from_secs(2);

/// Frames kept back at most: two seconds of any track.
const MAX_FRAMES: usize = 128;

/// Bytes kept back at most.
const MAX_BYTES: usize = 1 << 20;
