//! A picture that became visible.

use media::Timestamp;

/// A picture that was drawn for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawnPicture {
    /// The tile's id.
    pub id: u64,
    /// The frame number, as published.
    pub number: u64,
    /// The capture time, as published.
    pub captured: Timestamp,
}
