//! What the receiver of a track reports.

use codec::decode::Replacement;

/// What happened to a track that is received. Comes on the track's decode thread, which must not wait for the reader.
#[derive(Debug)]
pub enum Report {
    /// A decoder failed, and another one took over.
    DecoderReplaced(Replacement),
    /// No decoder is left, or the work on the track panicked; the text is the reason. Nothing more of the track is shown
    /// or played.
    TrackFailed(String),
}
