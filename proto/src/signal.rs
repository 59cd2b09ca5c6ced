//! Media signalling between our server's SFU and its clients. It travels as bytes in [`crate::ToSfu::Signal`] and
//! [`crate::FromSfu::Signal`], so the meeting's messages do not depend on it.

use crate::encoding::Limited;
use crate::{
    Kind, MAX_SDP, MAX_SIGNAL, MAX_TILES, MAX_TRACKS, Malformed, ParticipantId, Published, Subscription, TileWish,
    TrackDemand,
};
use minicbor::{CborLen, Decode, Encode};

/// Signalling from a client to the SFU.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub enum ClientSignal {
    /// A WebRTC offer (RFC 8829). The client always offers. Answered by [`ServerSignal::Answer`] or
    /// [`ServerSignal::OfferRefused`].
    #[n(0)]
    Offer {
        /// A counter, which the answer repeats.
        #[n(0)]
        number: u32,
        /// The session description.
        #[n(1)]
        sdp: String,
        /// All tracks that the client sends.
        #[n(2)]
        published: Vec<Published>,
        /// All tracks that the client receives.
        #[n(3)]
        subscriptions: Vec<Subscription>,
    },
    /// The sizes at which subscribed tracks are shown. Replaces all earlier wishes.
    #[n(1)]
    Wishes {
        /// One for each tile.
        #[n(0)]
        tiles: Vec<TileWish>,
    },
}

/// Signalling from the SFU to a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub enum ServerSignal {
    /// Answers [`ClientSignal::Offer`].
    #[n(0)]
    Answer {
        /// The offer's number.
        #[n(0)]
        number: u32,
        /// The session description.
        #[n(1)]
        sdp: String,
    },
    /// The session description of an offer was refused.
    #[n(1)]
    OfferRefused {
        /// The offer's number.
        #[n(0)]
        number: u32,
    },
    /// All tracks that one member sends now. Replaces the earlier list. Empty if the member sends nothing.
    #[n(2)]
    Tracks {
        /// The member.
        #[n(0)]
        owner: ParticipantId,
        /// Its tracks.
        #[n(1)]
        tracks: Vec<Published>,
    },
    /// The layers of one of the client's own tracks that receivers need.
    #[n(3)]
    TrackDemand {
        /// The track and its layers.
        #[n(0)]
        layers: TrackDemand,
    },
}

impl Limited for ClientSignal {
    fn within_limits(&self) -> bool {
        match self {
            Self::Offer { sdp, published, subscriptions, .. } => {
                sdp.len() <= MAX_SDP
                    && subscriptions.len() <= MAX_TRACKS
                    && subscriptions.iter().all(|subscription| is_mid(&subscription.mid))
                    && are_tracks(published)
            }
            Self::Wishes { tiles } => tiles.len() <= MAX_TILES,
        }
    }
}

impl Limited for ServerSignal {
    fn within_limits(&self) -> bool {
        match self {
            Self::Answer { sdp, .. } => sdp.len() <= MAX_SDP,
            Self::Tracks { tracks, .. } => are_tracks(tracks),
            Self::TrackDemand { layers } => layers.wanted.len() <= MAX_LAYERS,
            Self::OfferRefused { .. } => true,
        }
    }
}

/// Decodes a signalling message. Checks the length before it allocates.
///
/// # Errors
/// Returns [`Malformed`] if `bytes` are not exactly one message within the limits.
pub fn decode_signal<S: for<'b> Decode<'b, ()> + Limited>(bytes: &[u8]) -> Result<S, Malformed> {
    if bytes.len() > MAX_SIGNAL {
        return Err(Malformed);
    }
    crate::decode(bytes)
}

/// Returns whether there is at most one track per slot, and each has a valid `mid` and 1 to 8 layers. Audio has no
/// layers.
fn are_tracks(tracks: &[Published]) -> bool {
    let has_valid_layers = |track: &Published| match track.kind {
        Kind::Audio => track.layers.is_empty(),
        Kind::Video => (1..=MAX_LAYERS).contains(&track.layers.len()),
    };
    let is_only_one_of_its_slot =
        |(index, track): (usize, &Published)| tracks[..index].iter().all(|other| other.slot != track.slot);
    tracks.len() <= MAX_SLOTS
        && tracks.iter().all(|track| has_valid_layers(track) && is_mid(&track.mid))
        && tracks.iter().enumerate().all(is_only_one_of_its_slot)
}

fn is_mid(mid: &str) -> bool {
    (1..=16).contains(&mid.len()) && mid.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The maximum number of spatial layers. The key id has three bits for them.
const MAX_LAYERS: usize = 8;

/// The maximum number of slots. The key id has three bits for them.
const MAX_SLOTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Slot, SpatialLayer, TrackId, encode};

    fn camera(mid: &str) -> Published {
        let layer = SpatialLayer { spatial: 0, width: 320, height: 180, bitrate: 150_000 };
        Published { slot: Slot::Camera, kind: Kind::Video, mid: mid.into(), layers: vec![layer] }
    }

    fn offer(published: Vec<Published>) -> ClientSignal {
        ClientSignal::Offer { number: 1, sdp: "v=0".into(), published, subscriptions: Vec::new() }
    }

    #[test]
    fn signals_decode_to_what_was_encoded() {
        let offer = offer(vec![camera("0")]);
        assert_eq!(decode_signal::<ClientSignal>(&encode(&offer)), Ok(offer));
        let tracks = ServerSignal::Tracks { owner: ParticipantId(3), tracks: vec![camera("1")] };
        assert_eq!(decode_signal::<ServerSignal>(&encode(&tracks)), Ok(tracks));
    }

    #[test]
    fn every_truncated_signal_is_malformed() {
        let bytes = encode(&offer(vec![camera("0")]));
        for length in 0..bytes.len() {
            assert_eq!(decode_signal::<ClientSignal>(&bytes[..length]), Err(Malformed));
        }
    }

    #[test]
    fn a_signal_above_a_limit_is_malformed() {
        let malformed = |signal: ClientSignal| decode_signal::<ClientSignal>(&encode(&signal)) == Err(Malformed);
        assert!(malformed(offer(vec![camera("0"), camera("1")])), "one slot twice");
        assert!(malformed(offer(vec![camera("a b")])), "a mid of other characters");
        let sdp = |length| ClientSignal::Offer {
            number: 1,
            sdp: "x".repeat(length),
            published: Vec::new(),
            subscriptions: Vec::new(),
        };
        assert!(!malformed(sdp(MAX_SDP)));
        assert!(malformed(sdp(MAX_SDP + 1)));
    }

    #[test]
    fn the_largest_offer_within_the_limits_of_its_parts_is_a_signal() {
        let track = TrackId { owner: ParticipantId(u64::MAX), slot: Slot::Screen };
        let subscription = Subscription { mid: "m".repeat(16), track };
        let largest = ClientSignal::Offer {
            number: u32::MAX,
            sdp: "x".repeat(MAX_SDP),
            published: vec![camera("0123456789abcdef")],
            subscriptions: vec![subscription; MAX_TRACKS],
        };
        assert_eq!(decode_signal::<ClientSignal>(&encode(&largest)), Ok(largest));
    }
}
