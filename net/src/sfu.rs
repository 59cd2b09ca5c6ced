//! What an SFU's dialect is to the driver: a machine that says what to negotiate and what flows where.
//!
//! Pure. Each kind of SFU is one file below; the server's own is [`own::Native`], the tests' silent one [`null::Null`].

pub mod native;
pub mod null;

use bytes::Bytes;
use media::Bitrate;
use proto::{Kind, Published, SenderLayers, Slot, SpatialLayer, TileWish, TrackId};
use std::time::Instant;

/// A dialect.
pub trait Sfu: Send {
    /// What it can do.
    fn caps(&self) -> Caps;
    /// Takes something in.
    fn handle(&mut self, input: Input, now: Instant);
    /// The next thing to do.
    fn poll(&mut self) -> Option<Output>;
    /// When [`Input::Timeout`] is to come at the latest.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// What an SFU can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a list of abilities")]
pub struct Caps {
    /// It chooses layers by the size of tiles.
    pub layers_by_size: bool,
    /// It divides the downlink itself.
    pub divides_bandwidth: bool,
    /// It tells senders which layers nobody wants.
    pub tells_senders: bool,
    /// It reads only the Dependency Descriptor of what it relays.
    pub reads_descriptor_only: bool,
}

/// What a dialect learns.
#[derive(Debug)]
pub enum Input {
    /// The client is in the meeting as this participant: media may be negotiated.
    Entered(proto::ParticipantId),
    /// Signalling from the SFU.
    Signal(Bytes),
    /// The local description of the offer that [`Output::Offer`] asked for.
    Offered {
        /// The session description.
        sdp: String,
        /// Where its parts stand.
        placed: Placed,
    },
    /// The answer of [`Output::Answer`] is in force.
    Answered,
    /// This client sends a track, or sends it otherwise than before.
    Publish {
        /// In which slot.
        slot: Slot,
        /// Its layers; none for sound.
        layers: Vec<SpatialLayer>,
    },
    /// This client no longer sends it.
    Unpublish(Slot),
    /// How large its tiles are now.
    Wishes(Vec<TileWish>),
    /// Time passed.
    Timeout,
}

/// What a dialect wants done.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// To send this signalling.
    Signal(Bytes),
    /// To make an offer by this plan.
    Offer(Plan),
    /// To take this answer.
    Answer(String),
    /// A track can be received.
    Track(Incoming),
    /// A track is no longer received.
    TrackEnded {
        /// Which.
        track: TrackId,
        /// Where it was.
        mid: String,
    },
    /// What receivers want of an own track.
    SenderLayers(SenderLayers),
    /// The server does not answer, or answers nonsense.
    Failed(&'static str),
}

/// A track that is received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Which.
    pub track: TrackId,
    /// Sound or pictures.
    pub kind: Kind,
    /// Its layers, smallest first.
    pub layers: Vec<SpatialLayer>,
    /// The media description by which it comes.
    pub mid: String,
}

/// What the next offer must hold. It never holds less than the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What can be sent.
    pub send: Vec<(Slot, Kind)>,
    /// How many sounds can be received.
    pub receive_audio: usize,
    /// How many pictures can be received.
    pub receive_video: usize,
}

/// The `mid`s of an offer, in the order in which its plan grew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Of what is sent.
    pub send: Vec<(Slot, String)>,
    /// Of the sounds.
    pub receive_audio: Vec<String>,
    /// Of the pictures.
    pub receive_video: Vec<String>,
}

impl Placed {
    /// The `mid`s of one kind.
    pub fn receive(&self, kind: Kind) -> &[String] {
        match kind {
            Kind::Audio => &self.receive_audio,
            Kind::Video => &self.receive_video,
        }
    }
}

/// What flows in a slot.
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
