//! The interface between the driver and an SFU: a signalling dialect as a sans-IO state machine.
//!
//! A dialect handles opaque signalling frames and the state of its transports, and orders offers, descriptions and
//! tracks. It opens no socket and knows no message of the meeting. Each dialect is one file in this module:
//! [`native::Native`] is that of our own server, [`null::Null`] negotiates nothing.
//!
//! The caller of [`crate::start_with`] chooses the dialect: it passes one in [`crate::Backends`]. If the SFU has a URL
//! and a token, the caller gives them to the dialect when it creates it, and the dialect passes them to the driver in
//! [`Output::Connect`]. Our server stays needed with every SFU: it admits members, orders the group's commits and
//! relays its messages.

pub mod native;
pub mod null;

use bytes::Bytes;
use media::Bitrate;
use proto::{
    DownlinkReport, DownlinkSettings, Kind, ParticipantId, Published, Slot, SpatialLayer, TileWish, TrackDemand,
    TrackId, TurnAccess,
};
use std::time::Instant;

/// The signalling dialect of an SFU.
pub trait Sfu: Send {
    /// Returns what the SFU can do. It does not change during a session.
    fn caps(&self) -> Caps;
    /// Handles an input.
    fn handle(&mut self, input: Input, now: Instant);
    /// Returns the next order. The driver executes it completely before it polls for the next one.
    fn poll(&mut self) -> Option<Output>;
    /// Returns when [`Input::Timeout`] is due at the latest.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// What an SFU can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// The transports that the driver opens.
    pub topology: Topology,
    /// True if the SFU reports to senders which layers have a viewer. If false, the driver requests all layers.
    pub sender_feedback: bool,
}

/// The transports of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One transport in both directions.
    One,
    /// One transport that sends and another one that receives.
    PublisherSubscriber,
}

impl Topology {
    /// Returns the ids of the transports to open.
    #[must_use]
    pub const fn transport_ids(self) -> &'static [TransportId] {
        match self {
            Self::One => &[TransportId::Primary],
            Self::PublisherSubscriber => &[TransportId::Primary, TransportId::Subscriber],
        }
    }
}

/// A transport of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportId {
    /// The transport that sends. It also receives if it is the only one.
    Primary,
    /// The transport that only receives.
    Subscriber,
}

/// An input of a dialect.
#[derive(Debug)]
pub enum Input {
    /// The client is in the meeting as this participant. Signalling may begin.
    Entered(ParticipantId),
    /// The connection to our server was lost, perhaps with its last messages. Nothing is negotiated until the next
    /// [`Input::Entered`]. If [`Input::Restart`] does not come before, the transports are the same, and the SFU names all tracks
    /// again. A dialect that has ordered a connection of its own never gets this input.
    Suspended,
    /// The SFU has forgotten this client, and the transports are new: everything begins again with the next
    /// [`Input::Entered`]. What is published stays published, and what the SFU has named since the last [`Input::Suspended`] can be
    /// received: it is not named again. A dialect that has ordered a connection of its own never gets this input.
    Restart,
    /// The connection of [`Output::Connect`] is open.
    Connected,
    /// The connection of [`Output::Connect`] is lost, or was never opened.
    SignalLost,
    /// Signalling from the SFU.
    Signal(Bytes),
    /// The local description: the offer of [`Output::Offer`], or the answer to the offer in [`Output::Apply`].
    Local {
        /// The transport that it describes.
        transport: TransportId,
        /// The session description.
        sdp: String,
        /// The `mid`s of its media descriptions.
        mids: Mids,
    },
    /// A local ICE candidate.
    Candidate {
        /// Of which transport.
        transport: TransportId,
        /// The candidate.
        candidate: IceCandidate,
    },
    /// The state of a transport has changed.
    TransportState {
        /// Of which transport.
        transport: TransportId,
        /// Its state now.
        state: TransportState,
    },
    /// This client publishes a track, or replaces its layers.
    Publish(TrackSpec),
    /// This client no longer sends the track of this slot.
    Unpublish(Slot),
    /// Make an offer now: the transport gathers further ICE candidates with it.
    Renegotiate {
        /// Which transport.
        transport: TransportId,
    },
    /// The sizes at which tracks are shown now.
    Wishes(Vec<TileWish>),
    /// The limit of this client's downlink, and what is known of it. A dialect that has no such message ignores it.
    Downlink(DownlinkSettings),
    /// The client leaves. Signalling that the dialect orders now is still sent.
    Leave,
    /// The time of [`Sfu::poll_timeout`] has come, or 100 ms have passed.
    Timeout,
}

/// The states of a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportState {
    /// Media can be sent and received.
    Connected,
    /// Nothing has been received for some seconds. The transport may recover.
    Interrupted,
}

/// A track that this client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackSpec {
    /// The slot.
    pub slot: Slot,
    /// How it is encoded.
    pub codec: Codec,
    /// Its layers, smallest first. Empty for audio.
    pub layers: Vec<SpatialLayer>,
}

/// The codec of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Opus (RFC 6716).
    Opus,
    /// H.264.
    H264,
}

impl Codec {
    /// Returns the kind of media that the codec encodes.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Opus => Kind::Audio,
            Self::H264 => Kind::Video,
        }
    }
}

impl From<Kind> for Codec {
    /// Returns the codec that is used for all tracks of a kind.
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Audio => Self::Opus,
            Kind::Video => Self::H264,
        }
    }
}

/// An ICE candidate (RFC 8839, section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceCandidate {
    /// The value of the candidate attribute.
    pub candidate: String,
    /// The `mid` of its media description, if known.
    pub mid: Option<String>,
}

/// An order of a dialect to the driver.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// Open a WebSocket to the SFU's own server. Without this order, signalling goes through our server.
    Connect {
        /// A `wss` URL; `ws` only for a loopback address.
        url: String,
        /// Additional request headers.
        headers: Vec<(String, String)>,
    },
    /// Send this signalling.
    Signal(Bytes),
    /// Create an offer by this plan. [`Input::Local`] returns it.
    Offer {
        /// On which transport.
        transport: TransportId,
        /// What it holds.
        plan: Plan,
    },
    /// Apply a description of the SFU.
    Apply {
        /// To which transport.
        transport: TransportId,
        /// The session description.
        sdp: String,
        /// Offer or answer. [`Input::Local`] returns the answer to an offer.
        kind: SdpKind,
    },
    /// Use these TURN servers if no other path leads to the SFU. They replace the servers before.
    TurnServers {
        /// Of which transport.
        transport: TransportId,
        /// The servers and the credentials.
        access: TurnAccess,
    },
    /// Keep this token. It opens a media tunnel to our server if UDP does not work.
    TunnelToken {
        /// For which transport.
        transport: TransportId,
        /// The token.
        token: String,
    },
    /// Add an ICE candidate of the SFU.
    AddCandidate {
        /// To which transport.
        transport: TransportId,
        /// The candidate.
        candidate: IceCandidate,
    },
    /// A track can be received.
    Track(Incoming),
    /// A track is no longer received.
    TrackEnded(TrackId),
    /// The media descriptions with these `mid`s receive whoever speaks. Each packet names its owner ([`proto::voice_owner`]).
    SharedVoices {
        /// The transport that receives them.
        transport: TransportId,
        /// Their `mid`s.
        mids: Vec<String>,
    },
    /// A received track has other layers from now on.
    LayersChanged(TrackId, Vec<SpatialLayer>),
    /// The layers of an own track that have a viewer.
    TrackDemand(TrackDemand),
    /// What the paths to the receivers do to our sound.
    SoundLoss {
        /// The loss on the way to the receiver that loses most, in percent.
        percent: u8,
        /// The bitrate, with all headers, for which the narrowest downlink has room. `None` if none is narrow.
        max_bitrate: Option<Bitrate>,
    },
    /// What the SFU measures of the path to this client, and which tracks are reduced.
    Downlink(DownlinkReport),
    /// Negotiation has failed: the session ends.
    Failed(&'static str),
}

/// The type of a session description (RFC 3264).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdpKind {
    /// The SFU offers.
    Offer,
    /// The SFU answers.
    Answer,
}

/// A track that is received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Which track.
    pub track: TrackId,
    /// How it is encoded.
    pub codec: Codec,
    /// Its layers, smallest first.
    pub layers: Vec<SpatialLayer>,
    /// The transport that receives it.
    pub transport: TransportId,
    /// The media description that receives it.
    pub mid: String,
}

/// The content of the next offer. It never contains less than the offer before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The slots that can be sent.
    pub send: Vec<(Slot, Kind)>,
    /// How many audio tracks can be received.
    pub receive_audio: usize,
    /// How many video tracks can be received.
    pub receive_video: usize,
}

/// The `mid`s of an offer, in the order in which they were added to the plans. Empty for an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mids {
    /// The `mid`s of the slots that are sent.
    pub send: Vec<(Slot, String)>,
    /// The `mid`s of received audio.
    pub receive_audio: Vec<String>,
    /// The `mid`s of received video.
    pub receive_video: Vec<String>,
}

impl Mids {
    /// Returns the `mid`s that receive one kind.
    #[must_use]
    pub fn receive(&self, kind: Kind) -> &[String] {
        match kind {
            Kind::Audio => &self.receive_audio,
            Kind::Video => &self.receive_video,
        }
    }
}

/// Returns the kind of a slot's track.
#[must_use]
pub const fn kind_of(slot: Slot) -> Kind {
    match slot {
        Slot::Microphone => Kind::Audio,
        Slot::Camera | Slot::Screen => Kind::Video,
    }
}

/// Returns the bitrate of all layers together.
pub fn total(published: &[Published]) -> Bitrate {
    published.iter().flat_map(|track| &track.layers).map(|layer| Bitrate::bps(layer.bitrate.into())).sum()
}
