//! Frames whose keys are still on their way: media and commits travel by different connections.

use crypto::{Arrived, Opener};
use media::Weigh;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Keeps a track's frames in order, and back for a while where their key is not here yet.
#[derive(Default)]
pub struct Early {
    frames: VecDeque<Arrived>,
    bytes: usize,
}

impl Early {
    /// Adds what arrived.
    pub fn push(&mut self, arrived: Arrived) {
        self.bytes += arrived.weight();
        self.frames.push_back(arrived);
    }

    /// The next frame to open: one whose key is here, or will not come any more. Looked at again whenever something
    /// arrives on the track, which while somebody sends is every few milliseconds.
    pub fn next(&mut self, opener: &Opener, now: Instant) -> Option<Arrived> {
        let arrived = self.frames.front()?;
        let patient = now.saturating_duration_since(arrived.received) < LONGEST
            && self.frames.len() <= MOST
            && self.bytes <= MOST_BYTES;
        if patient && opener.is_early(arrived) {
            return None;
        }
        let arrived = self.frames.pop_front()?;
        self.bytes -= arrived.weight();
        Some(arrived)
    }
}

/// On a quiet machine a commit is a few round trips behind the frames that were sealed after it, on a loaded one a second.
/// The sender seals nothing with older keys any more, so waiting costs no picture that could be shown instead.
const LONGEST: Duration = Duration::from_secs(2);

/// Frames kept back at most: two seconds of any track.
const MOST: usize = 128;

/// Bytes kept back at most.
const MOST_BYTES: usize = 1 << 20;
