//! Frames whose keys are still on their way: media and commits travel by different connections.

use crypto::{Arrived, Opener};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Keeps a track's frames in order, and back for a moment where their key is not here yet.
#[derive(Default)]
pub struct Early {
    frames: VecDeque<(Instant, Arrived)>,
}

impl Early {
    /// Adds what arrived.
    pub fn push(&mut self, arrived: Option<Arrived>) {
        self.frames.extend(arrived.map(|arrived| (Instant::now(), arrived)));
    }

    /// The next frame to open: one whose key is here, or will not come any more. Looked at again whenever something
    /// arrives on the track, which while somebody sends is every few milliseconds.
    pub fn next(&mut self, opener: &Opener, now: Instant) -> Option<Arrived> {
        let (since, arrived) = self.frames.front()?;
        let patient = now.saturating_duration_since(*since) < LONGEST && self.frames.len() <= MOST;
        if patient && opener.is_early(arrived) {
            return None;
        }
        self.frames.pop_front().map(|(_, arrived)| arrived)
    }
}

/// A commit is at most a few round trips behind the frames that were sealed after it.
const LONGEST: Duration = Duration::from_millis(300);

/// Frames kept back at most.
const MOST: usize = 32;
