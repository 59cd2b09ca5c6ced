//! The events of a session.

use crate::error::Error;
use crate::meeting;
use crypto::ReceivedFrame;
use media::Bitrate;
use proto::{Epoch, Kind, MediaPath, Slot, SpatialLayer, Totals, TrackDemand, TrackId};

/// An event of a session. The last one is [`meeting::Event::Ended`] or [`Event::Failed`]; then the channel closes.
pub enum Event {
    /// An event of the meeting, except [`meeting::Event::Keys`], which is reported as [`Event::Rekeyed`].
    Meeting(meeting::Event),
    /// The keys of a new epoch are in the key ring.
    Rekeyed(Epoch),
    /// A member's track can be received. The program reads it on a separate thread. The event may come before the one
    /// that names the owner as a member, because media are negotiated independently of the group.
    Track {
        /// The track.
        track: TrackId,
        /// Audio or video.
        kind: Kind,
        /// Its layers, smallest first.
        layers: Vec<SpatialLayer>,
        /// Its frames. A reader that is too slow loses frames until the next key frame, which is requested.
        frames: media::Receiver<ReceivedFrame>,
    },
    /// The track is no longer received. Its queue is closed.
    TrackEnded(TrackId),
    /// The layers of a track of this client that its receivers want.
    DemandChanged(TrackDemand),
    /// The loss of this client's sound in percent, 0 to 100, to the receiver that loses most. The server reports it, and it is
    /// not authenticated: it may only change how much redundancy is sent.
    SoundLoss(u8),
    /// A receiver needs a key frame.
    KeyFrameWanted {
        /// The slot of this client's track.
        slot: Slot,
        /// The layer.
        spatial: u8,
    },
    /// The estimated bandwidth of the uplink, if it changed by more than 5 %.
    Estimate(Bitrate),
    /// A media transport is connected. Frames sent before were dropped.
    Connected,
    /// The path by which media go, if it has changed. The first one follows [`Event::Connected`].
    MediaPath(MediaPath),
    /// The server's counters for this meeting.
    Totals(Totals),
    /// The session failed.
    Failed(Error),
}
