//! What the SFU reports to a viewer about the path to it, so that the viewer can explain a reduced picture.

use crate::{Slot, TrackId};
use minicbor::{CborLen, Decode, Encode};

/// The path between the SFU and a viewer, and the tracks of which the viewer gets less than its tiles wish.
///
/// It is not authenticated end to end: a viewer only shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct DownlinkReport {
    /// The bits per second that the SFU may send to the viewer.
    #[n(0)]
    pub bitrate: u32,
    /// The packets that are lost on the way to the viewer although the link is not full, in percent. Receivers of the message
    /// treat more than 100 as 100.
    #[n(1)]
    pub lost_down: u8,
    /// The packets that are lost on the way from the viewer to the SFU, in percent, in the same way.
    #[n(2)]
    pub lost_up: u8,
    /// The round-trip time in milliseconds. `None` before the first measurement.
    #[n(3)]
    pub round_trip: Option<u16>,
    /// The tracks of which the viewer gets less than it wishes. A track that is not in the list gets what its tile needs.
    #[n(4)]
    pub limited: Vec<LimitedTrack>,
}

/// What a client knows of its downlink when it offers: a limit, and what its network carried before. The SFU never sends more than
/// the limit. It only starts with the rate from before, and measures what the network carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct DownlinkSettings {
    /// The bits per second, with all headers, that the SFU may send. `None` if there is no limit.
    #[n(0)]
    pub max_bitrate: Option<u32>,
    /// The bits per second that the SFU could send to this client when it was last in a meeting in the same network. `None` if
    /// that is not known.
    #[n(1)]
    pub last_bitrate: Option<u32>,
}

/// A track of which a viewer gets less than its tile wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct LimitedTrack {
    /// The track.
    #[n(0)]
    pub track: TrackId,
    /// The cause, as far as the SFU knows it.
    #[n(1)]
    pub cause: LimitCause,
}

/// Why a viewer gets less of a track than it wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(index_only)]
pub enum LimitCause {
    /// The viewer's downlink has no room for the wished layers.
    #[n(0)]
    Downlink,
    /// The viewer's downlink has room for sound only.
    #[n(1)]
    SoundOnly,
    /// The sender does not send the layer that the SFU requests.
    #[n(2)]
    Sender,
}

impl DownlinkReport {
    /// Returns the cause for which the viewer gets less of `track` than it wishes. `None` if it gets all.
    #[must_use]
    pub fn cause(&self, track: TrackId) -> Option<LimitCause> {
        self.limited.iter().find(|limited| limited.track == track).map(|limited| limited.cause)
    }

    /// Returns true if the list has no more than `max` tracks, and only pictures.
    pub(crate) fn is_within(&self, max: usize) -> bool {
        self.limited.len() <= max && self.limited.iter().all(|limited| limited.track.slot != Slot::Microphone)
    }
}
