//! The events of a session.

use crate::error::Error;
use crate::meeting;
use crypto::ReceivedFrame;
use media::Bitrate;
use proto::{Epoch, Kind, SenderLayers, Slot, SpatialLayer, Totals, TrackId};

/// What happens in a session. The last event is [`meeting::Event::Ended`] or [`Event::Failed`]; then the channel closes.
pub enum Event {
    /// Something in the meeting. Its keys do not come here but as [`Event::Rekeyed`].
    Meeting(meeting::Event),
    /// The keys of a new epoch are in the key ring.
    Rekeyed(Epoch),
    /// A member's track can be received. Read it on a thread of its own. It may come before the event that names its owner
    /// as a member: media are negotiated beside the group.
    Track {
        /// The track.
        track: TrackId,
        /// Audio or video.
        kind: Kind,
        /// Its layers, smallest first.
        layers: Vec<SpatialLayer>,
        /// Its frames. A reader that is too slow loses frames up to a key frame, which is requested.
        frames: media::Receiver<ReceivedFrame>,
    },
    /// The track is no longer received; its queue has ended.
    TrackEnded(TrackId),
    /// The layers that the receivers want of a track of this client.
    LayersWanted(SenderLayers),
    /// A receiver needs a key frame.
    KeyFrameWanted {
        /// The slot of this client's track.
        slot: Slot,
        /// The layer.
        spatial: u8,
    },
    /// The estimated bandwidth of the uplink, if it has changed by a twentieth.
    Estimate(Bitrate),
    /// Media flow. Frames sent before were dropped.
    Connected,
    /// The server's counters for this meeting.
    Totals(Totals),
    /// The session failed.
    Failed(Error),
}
