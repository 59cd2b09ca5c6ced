//! The reports of a track's receiver.

use codec::decode::Replacement;

/// A failure of a received track. It is reported on the track's decode thread, which must not wait for the reader.
#[derive(Debug)]
pub enum Report {
    /// A decoder failed, and another one replaced it.
    DecoderReplaced(Replacement),
    /// No decoder is left, or the work on the track panicked. The text is the reason. Nothing more of the track is
    /// shown or played.
    TrackFailed(String),
}
