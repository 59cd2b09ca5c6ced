//! Tracks, their layers, and what receivers request of them.

use crate::{Slot, TrackId};
use minicbor::{CborLen, Decode, Encode};

/// The kind of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(index_only)]
pub enum Kind {
    /// Audio.
    #[n(0)]
    Audio,
    /// Video.
    #[n(1)]
    Video,
}

/// One spatial layer of a video track. Each is sent as a separate simulcast stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct SpatialLayer {
    /// The number of the layer. 0 is the smallest.
    #[n(0)]
    pub spatial: u8,
    /// The width of its pictures in pixels.
    #[n(1)]
    pub width: u16,
    /// The height of its pictures in pixels.
    #[n(2)]
    pub height: u16,
    /// Its target bitrate in bits per second.
    #[n(3)]
    pub bitrate: u32,
}

/// A track that its owner sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct Published {
    /// The owner's slot.
    #[n(0)]
    pub slot: Slot,
    /// Audio or video.
    #[n(1)]
    pub kind: Kind,
    /// The media description's `mid` in the owner's offer (RFC 8843).
    #[n(2)]
    pub mid: String,
    /// Its layers, smallest first. Empty for audio. The RID (RFC 8851) of layer n is the digit n.
    #[n(3)]
    pub layers: Vec<SpatialLayer>,
}

impl Published {
    /// Returns whether the track can be forwarded: audio always, video if it has a layer and each of its layers has a
    /// size. A receiver ignores other tracks.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let has_size = |layer: &SpatialLayer| layer.width > 0 && layer.height > 0;
        match self.kind {
            Kind::Audio => true,
            Kind::Video => !self.layers.is_empty() && self.layers.iter().all(has_size),
        }
    }
}

/// The media description on which a client receives a track.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct Subscription {
    /// The `mid` of a `recvonly` description in the client's offer.
    #[n(0)]
    pub mid: String,
    /// The track to send there.
    #[n(1)]
    pub track: TrackId,
}

/// The size at which a viewer shows a track, and its priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct TileWish {
    /// The track.
    #[n(0)]
    pub track: TrackId,
    /// Width of the tile in physical pixels.
    #[n(1)]
    pub width: u16,
    /// Height of the tile in physical pixels.
    #[n(2)]
    pub height: u16,
    /// The maximum frame rate that the tile shows, in frames per second.
    #[n(3)]
    pub frames_per_second: u8,
    /// If the bandwidth is not enough for all tiles, higher priorities are served first.
    #[n(4)]
    pub priority: u8,
    /// True if the tile is hidden, so that nothing needs to be sent.
    #[n(5)]
    pub hidden: bool,
}

/// A layer that receivers request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct DemandedLayer {
    /// The spatial layer.
    #[n(0)]
    pub spatial: u8,
    /// The maximum number of temporal layers that any receiver takes, 1..=3.
    #[n(1)]
    pub temporal_layers: u8,
    /// The maximum bits per second that the downlink of any receiver has room for, with all requested temporal layers.
    /// `None` if one of them has room for the bitrate that the owner declared.
    #[n(2)]
    pub max_bitrate: Option<u32>,
}

/// The layers of a track that all receivers together request. A layer that is not in the list has no viewer and need
/// not be encoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct TrackDemand {
    /// The slot of the sender's track.
    #[n(0)]
    pub slot: Slot,
    /// The requested layers, smallest first.
    #[n(1)]
    pub wanted: Vec<DemandedLayer>,
}

/// Counters of the SFU for one meeting since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct Totals {
    /// Received RTP packets.
    #[n(0)]
    pub packets_in: u64,
    /// Sent RTP packets.
    #[n(1)]
    pub packets_out: u64,
    /// How many times the SFU told a sender to stop a layer.
    #[n(2)]
    pub layers_stopped: u64,
}
