//! The events of a session.

use crate::error::Error;
use crate::meeting;
use crate::rtp::inbound_stats::InboundRtpStats;
use crypto::ReceivedFrame;
use media::Bitrate;
use proto::{DownlinkReport, Epoch, Kind, Slot, SpatialLayer, Totals, TrackDemand, TrackId};

/// The path of media between this client and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaPath {
    /// UDP.
    Udp,
    /// A TURN server.
    Relay,
    /// The media tunnel: TLS over TCP.
    Tls,
}

impl MediaPath {
    /// Returns the name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Relay => "relay",
            Self::Tls => "tls",
        }
    }
}

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
    /// The track has these layers from now on, smallest first.
    LayersChanged(TrackId, Vec<SpatialLayer>),
    /// The layers of a track of this client that its receivers want.
    DemandChanged(TrackDemand),
    /// What the paths to the receivers do to this client's sound. The server reports it, and it is not authenticated: it may
    /// only change how much redundancy is sent, and how many bits and frames the sound has.
    SoundLoss {
        /// The loss in percent, 0 to 100, to the receiver that loses most.
        percent: u8,
        /// The bitrate, with all headers, for which the narrowest downlink has room. `None` if none is narrow.
        max_bitrate: Option<Bitrate>,
    },
    /// What the server measures of the path to this client, and which tracks it gets less of than it wishes. It is not
    /// authenticated: it may only be shown.
    Downlink(DownlinkReport),
    /// The statistics of each received track since it began. Sent once a second.
    InboundStats(Vec<(TrackId, InboundRtpStats)>),
    /// A receiver needs a key frame.
    KeyFrameWanted {
        /// The slot of this client's track.
        slot: Slot,
        /// The layer.
        spatial: u8,
    },
    /// The estimated bandwidth of the uplink, if it changed by more than 5 %.
    Estimate {
        /// The estimate.
        bitrate: Bitrate,
        /// The delay-based estimate, which loss does not lower. If it is higher than `bitrate`, the uplink may carry more.
        delay_based: Bitrate,
    },
    /// A media transport is connected. Frames sent before were dropped.
    Connected,
    /// The path by which media go, if it has changed. The first one follows [`Event::Connected`].
    MediaPath(MediaPath),
    /// The server's counters for this meeting.
    Totals(Totals),
    /// The session failed.
    Failed(Error),
}
