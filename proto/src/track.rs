//! Tracks, their layers, and who wants how much of them.

use crate::{Slot, TrackId};
use minicbor::{CborLen, Decode, Encode};

/// What flows in a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(index_only)]
pub enum Kind {
    /// Sound.
    #[n(0)]
    Audio,
    /// Pictures.
    #[n(1)]
    Video,
}

/// One spatial layer of a video track, sent as a stream of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct SpatialLayer {
    /// 0 is the smallest.
    #[n(0)]
    pub spatial: u8,
    /// Width of its pictures.
    #[n(1)]
    pub width: u16,
    /// Height of its pictures.
    #[n(2)]
    pub height: u16,
    /// The bitrate it aims at, in bits a second.
    #[n(3)]
    pub bitrate: u32,
}

/// A track that its owner sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct Published {
    /// Which of the owner's.
    #[n(0)]
    pub slot: Slot,
    /// Sound or pictures.
    #[n(1)]
    pub kind: Kind,
    /// The media description's `mid` in the owner's offer (RFC 8843).
    #[n(2)]
    pub mid: String,
    /// Its layers, smallest first; empty for sound. The RID (RFC 8851) of layer n is the digit n.
    #[n(3)]
    pub layers: Vec<SpatialLayer>,
}

/// The media description by which a client receives a track.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct Subscription {
    /// The `mid` of a `recvonly` description in the client's offer.
    #[n(0)]
    pub mid: String,
    /// What is to be sent there.
    #[n(1)]
    pub track: TrackId,
}

/// How large a viewer shows a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct TileWish {
    /// Which track.
    #[n(0)]
    pub track: TrackId,
    /// Width of the tile in physical pixels.
    #[n(1)]
    pub width: u16,
    /// Height of the tile in physical pixels.
    #[n(2)]
    pub height: u16,
    /// Pictures a second that are of use.
    #[n(3)]
    pub frames_per_second: u8,
    /// Higher is served first when the network is short.
    #[n(4)]
    pub priority: u8,
    /// True where nothing is to be sent: the tile is hidden.
    #[n(5)]
    pub paused: bool,
}

/// What somebody wants of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct WantedLayer {
    /// Which layer.
    #[n(0)]
    pub spatial: u8,
    /// The most temporal layers that any receiver takes, 1..=3.
    #[n(1)]
    pub temporal_layers: u8,
}

/// What all receivers together want of a track; layers that are not named have no viewer, and need not be encoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct SenderLayers {
    /// Which of the receiver's own tracks.
    #[n(0)]
    pub slot: Slot,
    /// What is wanted, smallest first.
    #[n(1)]
    pub wanted: Vec<WantedLayer>,
}

/// What the SFU moved for one meeting since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct Totals {
    /// RTP packets that came in.
    #[n(0)]
    pub packets_in: u64,
    /// RTP packets that went out.
    #[n(1)]
    pub packets_out: u64,
    /// How many times a sender was told that nobody wants a layer any more.
    #[n(2)]
    pub layers_stopped: u64,
}
