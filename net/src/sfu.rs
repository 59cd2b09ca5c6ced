//! The seam between the driver and an SFU: a dialect of signalling as a sans-IO machine.
//!
//! A dialect reads opaque signalling frames and facts of its transports, and orders offers, descriptions and tracks. It
//! opens no socket and knows no message of the meeting. Each dialect is one file below: [`native::Native`] is that of our own
//! server, [`null::Null`] negotiates nothing.

pub mod native;
pub mod null;

use bytes::Bytes;
use media::Bitrate;
use proto::{Kind, ParticipantId, Published, SenderLayers, Slot, SpatialLayer, TileWish, TrackId};
use std::time::Instant;

/// A dialect.
pub trait Sfu: Send {
    /// What the SFU can do. The same for the whole session.
    fn caps(&self) -> Caps;
    /// Takes an input.
    fn handle(&mut self, input: Input, now: Instant);
    /// The next order. The driver carries out one completely before it polls for the next.
    fn poll(&mut self) -> Option<Output>;
    /// When [`Input::Timeout`] is due at the latest.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// What an SFU can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Which transports the driver opens.
    pub topology: Topology,
    /// True if the SFU tells senders which layers have a viewer. If false, the driver has the sender send all layers.
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
    /// The transports to open.
    #[must_use]
    pub const fn transports(self) -> &'static [TransportId] {
        match self {
            Self::One => &[TransportId::Primary],
            Self::PublisherSubscriber => &[TransportId::Primary, TransportId::Subscriber],
        }
    }
}

/// A transport of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportId {
    /// The one that sends; also receives if it is the only one.
    Primary,
    /// The one that only receives.
    Subscriber,
}

/// What a dialect learns.
#[derive(Debug)]
pub enum Input {
    /// The client is in the meeting as this participant: signalling may begin.
    Entered(ParticipantId),
    /// The connection of [`Output::Connect`] is open.
    Connected,
    /// The connection of [`Output::Connect`] is lost, or was never opened.
    SignalLost,
    /// Signalling from the SFU.
    Signal(Bytes),
    /// The local description: the offer of [`Output::Offer`], or the answer to the offer in [`Output::Apply`].
    Local {
        /// Whose description.
        transport: TransportId,
        /// The session description.
        sdp: String,
        /// The `mid`s of its parts.
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
    /// This client sends a track, or sends it in other layers than before.
    Publish(TrackSpec),
    /// This client no longer sends the track of this slot.
    Unpublish(Slot),
    /// How large the tiles are now.
    Wishes(Vec<TileWish>),
    /// The client leaves. Signalling that is ordered now is still sent.
    Leave,
    /// Time has passed.
    Timeout,
}

/// The states of a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportState {
    /// Media can flow.
    Connected,
    /// Nothing has been received for some seconds; it may recover.
    Interrupted,
}

/// A track that this client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackSpec {
    /// In which slot.
    pub slot: Slot,
    /// How it is encoded.
    pub codec: Codec,
    /// Its layers, smallest first; none for sound.
    pub layers: Vec<SpatialLayer>,
}

/// How a track is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Opus (RFC 6716).
    Opus,
    /// H.264.
    H264,
}

impl Codec {
    /// Sound or pictures.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Opus => Kind::Audio,
            Self::H264 => Kind::Video,
        }
    }
}

impl From<Kind> for Codec {
    /// The codec that is used for all tracks of a kind.
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

/// What a dialect orders.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// Open a WebSocket to a server of the SFU's own. Without this order, signalling goes through our server.
    Connect {
        /// A `wss` URL; `ws` only for a loopback address.
        url: String,
        /// Additional request headers.
        headers: Vec<(String, String)>,
    },
    /// Send this signalling.
    Signal(Bytes),
    /// Make an offer by this plan. Answered by [`Input::Local`].
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
        /// Offer or answer. An offer is answered by [`Input::Local`].
        kind: SdpKind,
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
    /// Which layers of an own track have a viewer.
    SenderLayers(SenderLayers),
    /// Negotiation has failed: the session ends.
    Failed(&'static str),
}

/// Which part of an exchange a description is (RFC 3264).
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

/// What the next offer must hold. It never holds less than the offer before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What can be sent.
    pub send: Vec<(Slot, Kind)>,
    /// How many sounds can be received.
    pub receive_audio: usize,
    /// How many pictures can be received.
    pub receive_video: usize,
}

/// The `mid`s of an offer, in the order in which its plan grew. Empty for an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mids {
    /// Of what is sent.
    pub send: Vec<(Slot, String)>,
    /// Of the sounds.
    pub receive_audio: Vec<String>,
    /// Of the pictures.
    pub receive_video: Vec<String>,
}

impl Mids {
    /// The `mid`s of one kind.
    #[must_use]
    pub fn receive(&self, kind: Kind) -> &[String] {
        match kind {
            Kind::Audio => &self.receive_audio,
            Kind::Video => &self.receive_video,
        }
    }
}

/// The kind of a slot's track.
#[must_use]
pub const fn kind_of(slot: Slot) -> Kind {
    match slot {
        Slot::Microphone => Kind::Audio,
        Slot::Camera | Slot::Screen => Kind::Video,
    }
}

/// The bit rate of all layers together.
pub fn total(published: &[Published]) -> Bitrate {
    published.iter().flat_map(|track| &track.layers).map(|layer| Bitrate::bps(layer.bitrate.into())).sum()
}
