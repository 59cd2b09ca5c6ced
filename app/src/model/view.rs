//! Which video a tile shows.

use engine::{Slot, TrackId};

/// The video of one tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// Our own camera. It has no track id until we are in the meeting.
    Own,
    /// A track of another participant.
    Track(TrackId),
}

impl View {
    /// Whether it is a shared screen.
    pub fn is_screen(self) -> bool {
        matches!(self, Self::Track(TrackId { slot: Slot::Screen, .. }))
    }
}
