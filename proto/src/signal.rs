//! Media signalling between our server's SFU and its clients. It travels as bytes in [`crate::ToSfu::Signal`] and
//! [`crate::FromSfu::Signal`], so the meeting's messages do not depend on it.

use crate::encoding::Limited;
use crate::{
    DownlinkReport, DownlinkSettings, Kind, MAX_SDP, MAX_SHARED_VOICES, MAX_SIGNAL, MAX_TILES, MAX_TRACKS, Malformed,
    ParticipantId, Published, Subscription, TileWish, TrackDemand, TurnAccess, is_tunnel_token,
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
        /// The `mid`s of `recvonly` descriptions on which the client receives whoever speaks, of all members. At most
        /// [`MAX_SHARED_VOICES`]. The contributing sources of each packet name the owner of the voice. Empty if `subscriptions` name each
        /// voice.
        #[n(4)]
        voices: Vec<String>,
        /// What the client knows of its downlink. Replaces what an earlier offer said. `None` is the same as no limit and no known
        /// rate.
        #[n(5)]
        downlink: Option<DownlinkSettings>,
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
        /// The token by which the client may open a media tunnel for some hours. `None` if the server has no tunnel.
        #[n(2)]
        tunnel: Option<String>,
        /// The TURN servers that the client may use for some hours. `None` if there are none.
        #[n(3)]
        turn: Option<TurnAccess>,
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
    /// The loss of the client's sound: on its way to the server, and from there to the receiver that loses most.
    /// Retransmissions do not lower it. Sent if it or the limit has changed, at most once a second.
    #[n(4)]
    SoundLoss {
        /// The lost packets in percent. Receivers of the message treat more than 100 as 100.
        #[n(0)]
        percent: u8,
        /// The bits per second, with all headers, for which the narrowest downlink of a receiver has room. `None` if all have
        /// room for sound in its usual form.
        #[n(1)]
        max_bitrate: Option<u32>,
    },
    /// What the SFU measures of the path to the client, and which tracks it gets less of than it wishes. Replaces the earlier
    /// report. Sent if it has changed, at most once a second.
    #[n(5)]
    Downlink {
        /// The report.
        #[n(0)]
        report: DownlinkReport,
    },
}

impl Limited for ClientSignal {
    fn within_limits(&self) -> bool {
        match self {
            Self::Offer { sdp, published, subscriptions, voices, .. } => {
                sdp.len() <= MAX_SDP
                    && subscriptions.len() <= MAX_TRACKS
                    && subscriptions.iter().all(|subscription| is_mid(&subscription.mid))
                    && voices.len() <= MAX_SHARED_VOICES
                    && voices.iter().all(|mid| is_mid(mid))
                    && are_tracks(published)
            }
            Self::Wishes { tiles } => tiles.len() <= MAX_TILES,
        }
    }
}

impl Limited for ServerSignal {
    fn within_limits(&self) -> bool {
        match self {
            Self::Answer { sdp, tunnel, turn, .. } => {
                sdp.len() <= MAX_SDP
                    && tunnel.as_deref().is_none_or(is_tunnel_token)
                    && turn.as_ref().is_none_or(Limited::within_limits)
            }
            Self::Tracks { tracks, .. } => are_tracks(tracks),
            Self::TrackDemand { layers } => layers.wanted.len() <= MAX_LAYERS,
            Self::Downlink { report } => report.is_within(MAX_TILES),
            Self::OfferRefused { .. } | Self::SoundLoss { .. } => true,
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

/// Returns whether there is at most one track per slot, and each has a valid `mid` and at most 8 layers. Audio has no
/// layers. Video without a layer is accepted here, and ignored: see [`Published::is_complete`].
fn are_tracks(tracks: &[Published]) -> bool {
    let has_valid_layers = |track: &Published| match track.kind {
        Kind::Audio => track.layers.is_empty(),
        Kind::Video => track.layers.len() <= MAX_LAYERS,
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
    use crate::{DemandedLayer, LimitCause, LimitedTrack, Slot, SpatialLayer, TrackId, encode};

    fn camera(mid: &str) -> Published {
        let layer = SpatialLayer { spatial: 0, width: 320, height: 180, bitrate: 150_000 };
        Published { slot: Slot::Camera, kind: Kind::Video, mid: mid.into(), layers: vec![layer] }
    }

    fn offer(published: Vec<Published>) -> ClientSignal {
        ClientSignal::Offer {
            number: 1,
            sdp: "v=0".into(),
            published,
            subscriptions: Vec::new(),
            voices: Vec::new(),
            downlink: None,
        }
    }

    #[test]
    fn signals_decode_to_what_was_encoded() {
        let offer = offer(vec![camera("0")]);
        assert_eq!(decode_signal::<ClientSignal>(&encode(&offer)), Ok(offer));
        let tracks = ServerSignal::Tracks { owner: ParticipantId(3), tracks: vec![camera("1")] };
        assert_eq!(decode_signal::<ServerSignal>(&encode(&tracks)), Ok(tracks));
    }

    #[test]
    fn a_truncated_or_extended_signal_is_malformed() {
        let bytes = encode(&offer(vec![camera("0")]));
        for length in 0..bytes.len() {
            assert_eq!(decode_signal::<ClientSignal>(&bytes[..length]), Err(Malformed));
        }
        assert_eq!(decode_signal::<ClientSignal>(&[bytes, vec![0x80]].concat()), Err(Malformed));
    }

    fn is_accepted<S: Encode<()> + for<'b> Decode<'b, ()> + Limited>(signal: &S) -> bool {
        decode_signal::<S>(&encode(signal)).is_ok()
    }

    #[test]
    fn tracks_beyond_a_limit_are_malformed() {
        let layers = |count| vec![camera("0").layers[0]; count];
        let sound = |layers| Published { slot: Slot::Microphone, kind: Kind::Audio, mid: "s".into(), layers };
        let layered = |count| Published { layers: layers(count), ..camera("0") };
        for (tracks, accepted, what) in [
            (vec![camera("0"), sound(Vec::new())], true, "one track in each slot"),
            (vec![camera("0"), camera("1")], false, "one slot twice"),
            (vec![sound(layers(1))], false, "sound with a layer"),
            (vec![layered(0)], true, "a camera without a layer, which is ignored"),
            (vec![layered(MAX_LAYERS)], true, "all layers"),
            (vec![layered(MAX_LAYERS + 1)], false, "too many layers"),
            (vec![camera("")], false, "an empty mid"),
            (vec![camera("0123456789abcdef")], true, "the longest mid"),
            (vec![camera("0123456789abcdefg")], false, "a mid that is too long"),
            (vec![camera("a b")], false, "a mid of other characters"),
        ] {
            assert_eq!(is_accepted(&offer(tracks.clone())), accepted, "offer: {what}");
            assert_eq!(
                is_accepted(&ServerSignal::Tracks { owner: ParticipantId(3), tracks }),
                accepted,
                "tracks: {what}"
            );
        }
    }

    #[test]
    fn only_a_video_track_whose_layers_have_sizes_is_complete() {
        let sized = |width, height| {
            let layer = SpatialLayer { width, height, ..camera("0").layers[0] };
            Published { layers: vec![camera("0").layers[0], layer], ..camera("0") }.is_complete()
        };
        assert!(sized(1, 1) && !sized(0, 180) && !sized(320, 0));
        assert!(!Published { layers: Vec::new(), ..camera("0") }.is_complete());
        assert!(Published { kind: Kind::Audio, layers: Vec::new(), ..camera("0") }.is_complete());
    }

    #[test]
    fn a_session_description_above_its_limit_is_malformed() {
        for (length, accepted) in [(MAX_SDP, true), (MAX_SDP + 1, false)] {
            let (number, sdp) = (1, "x".repeat(length));
            assert_eq!(
                is_accepted(&ServerSignal::Answer { number, sdp: sdp.clone(), tunnel: None, turn: None }),
                accepted,
                "answer"
            );
            let offer = ClientSignal::Offer {
                number,
                sdp,
                published: Vec::new(),
                subscriptions: Vec::new(),
                voices: Vec::new(),
                downlink: None,
            };
            assert_eq!(is_accepted(&offer), accepted, "offer");
        }
    }

    #[test]
    fn an_answer_without_a_tunnel_or_with_a_token_is_accepted() {
        let answer = |tunnel: Option<&str>| ServerSignal::Answer {
            number: 1,
            sdp: "v=0".into(),
            tunnel: tunnel.map(str::to_owned),
            turn: None,
        };
        assert!(is_accepted(&answer(None)) && is_accepted(&answer(Some("0a-Z_"))));
        for wrong in ["", "a b", "a\r\nHost: b", &"a".repeat(crate::MAX_TUNNEL_TOKEN + 1)] {
            assert!(!is_accepted(&answer(Some(wrong))), "{wrong:?}");
        }
        // As a server without tunnels sends it.
        let before = [&[0x82, 0x00, 0x82, 0x01][..], &[0x63], b"v=0"].concat();
        assert_eq!(decode_signal(&before), Ok(answer(None)));
    }

    #[test]
    fn an_offer_of_a_client_without_downlink_settings_is_accepted() {
        // As a client sends it that does not know the field.
        let before = [&[0x82, 0x00, 0x85, 0x01][..], &[0x63], b"v=0", &[0x80, 0x80, 0x80]].concat();
        assert_eq!(decode_signal(&before), Ok(offer(Vec::new())));
        let settings = DownlinkSettings { max_bitrate: Some(300_000), last_bitrate: None };
        let ClientSignal::Offer { number, sdp, published, subscriptions, voices, .. } = offer(Vec::new()) else {
            panic!()
        };
        let limited = ClientSignal::Offer { number, sdp, published, subscriptions, voices, downlink: Some(settings) };
        assert_eq!(decode_signal(&encode(&limited)), Ok(limited));
    }

    #[test]
    fn a_list_above_its_limit_is_malformed() {
        let track = TrackId { owner: ParticipantId(3), slot: Slot::Camera };
        let subscribing = |mid: &str, count| ClientSignal::Offer {
            number: 1,
            sdp: "v=0".into(),
            published: Vec::new(),
            subscriptions: vec![Subscription { mid: mid.into(), track }; count],
            voices: Vec::new(),
            downlink: None,
        };
        let sharing = |mid: &str, count| ClientSignal::Offer {
            number: 1,
            sdp: "v=0".into(),
            published: Vec::new(),
            subscriptions: Vec::new(),
            voices: vec![mid.into(); count],
            downlink: None,
        };
        assert!(is_accepted(&sharing("0", MAX_SHARED_VOICES)));
        assert!(!is_accepted(&sharing("0", MAX_SHARED_VOICES + 1)) && !is_accepted(&sharing("a b", 1)));
        assert!(is_accepted(&subscribing("0", MAX_TRACKS)));
        assert!(!is_accepted(&subscribing("0", MAX_TRACKS + 1)));
        assert!(!is_accepted(&subscribing("a b", 1)), "a mid of other characters");
        let tile = TileWish { track, width: 320, height: 180, frames_per_second: 30, priority: 0, hidden: false };
        assert!(is_accepted(&ClientSignal::Wishes { tiles: vec![tile; MAX_TILES] }));
        assert!(!is_accepted(&ClientSignal::Wishes { tiles: vec![tile; MAX_TILES + 1] }));
        let layers = |count| {
            let wanted = vec![DemandedLayer { spatial: 0, temporal_layers: 3, max_bitrate: None }; count];
            ServerSignal::TrackDemand { layers: TrackDemand { slot: Slot::Camera, wanted } }
        };
        let limited = |slot, count| {
            let limited = vec![LimitedTrack { track: TrackId { slot, ..track }, cause: LimitCause::Sender }; count];
            let report = DownlinkReport { limited, ..DownlinkReport::default() };
            is_accepted(&ServerSignal::Downlink { report })
        };
        assert!(limited(Slot::Camera, MAX_TILES) && !limited(Slot::Camera, MAX_TILES + 1));
        assert!(!limited(Slot::Microphone, 1), "sound is never reduced");
        assert!(is_accepted(&layers(MAX_LAYERS)));
        assert!(!is_accepted(&layers(MAX_LAYERS + 1)));
    }

    #[test]
    fn a_signal_with_unknown_fields_above_the_limit_is_malformed() {
        // `Wishes` without tiles, and a field of bytes that this version does not know.
        let signal = |length: usize| {
            let head = [0x82, 0x01, 0x82, 0x80, 0x5a];
            let field = u32::try_from(length - head.len() - 4).unwrap();
            let mut bytes = [&head[..], &field.to_be_bytes()].concat();
            bytes.resize(length, 0);
            decode_signal::<ClientSignal>(&bytes)
        };
        assert_eq!(signal(MAX_SIGNAL), Ok(ClientSignal::Wishes { tiles: Vec::new() }));
        assert_eq!(signal(MAX_SIGNAL + 1), Err(Malformed));
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
            voices: vec!["m".repeat(16); MAX_SHARED_VOICES],
            downlink: Some(DownlinkSettings { max_bitrate: Some(u32::MAX), last_bitrate: Some(u32::MAX) }),
        };
        assert_eq!(decode_signal::<ClientSignal>(&encode(&largest)), Ok(largest));
    }
}
