//! What the timeline knows besides counters: the tiles, the path, the senders, their layers, and the limits of this computer.

use crate::bandwidth::BandwidthLimits;
use codec::adapt::{EncodeLimitReason, decode};
use net::InboundRtpStats;
use net::MediaPath;
use net::meeting::{Member, SendLimit};
use proto::{DownlinkReport, ParticipantId, Slot, SpatialLayer, TileWish, TrackId};
use std::collections::{BTreeMap, BTreeSet};

/// The newest values.
#[derive(Debug, Default)]
pub struct Known {
    /// Width and height of each visible tile.
    pub wishes: BTreeMap<TrackId, (u16, u16)>,
    /// The estimated capacity of the uplink.
    pub uplink: Option<media::Bitrate>,
    /// The path by which media go. `None` before they are connected.
    pub media_path: Option<MediaPath>,
    /// What the server reports about the path.
    pub downlink: Option<DownlinkReport>,
    /// The statistics of each received track.
    pub inbound_stats: BTreeMap<TrackId, InboundRtpStats>,
    /// The layers of each received picture track.
    pub layers: BTreeMap<TrackId, Vec<SpatialLayer>>,
    /// The other members.
    pub senders: BTreeMap<ParticipantId, Sender>,
    /// The slots whose layers do not fit into the uplink.
    pub uplink_limits: BTreeSet<Slot>,
    /// The tracks of which this computer encodes or decodes less.
    pub computer_limits: ComputerLimits,
    /// How much of the network may be used.
    pub bandwidth: BandwidthLimits,
    /// True while our connection to the server is lost.
    pub reconnecting: bool,
}

/// The tracks of which this computer encodes or decodes less.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComputerLimits {
    /// The slots of which less is encoded than viewers want, and why.
    pub sent: BTreeMap<Slot, EncodeLimitReason>,
    /// The received tracks of which less is decoded than their tiles wish.
    pub received: BTreeMap<TrackId, decode::Limit>,
}

/// What another member has announced.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// False while its connection to the server is lost.
    pub connected: bool,
    /// Why its camera is sent smaller or slower than viewers request.
    pub camera_limit: Option<SendLimit>,
    /// Why its screen is sent smaller or slower than viewers request.
    pub screen_limit: Option<SendLimit>,
}

impl Sender {
    /// Returns why the pictures of `slot` are sent smaller or slower.
    #[must_use]
    pub const fn limit(self, slot: Slot) -> Option<SendLimit> {
        match slot {
            Slot::Camera => self.camera_limit,
            Slot::Screen => self.screen_limit,
            Slot::Microphone => None,
        }
    }
}

impl Known {
    /// Sets the tiles that we wish.
    pub fn set_wishes(&mut self, tiles: &[TileWish]) {
        let visible = tiles.iter().filter(|tile| !tile.hidden);
        self.wishes = visible.map(|tile| (tile.track, (tile.width, tile.height))).collect();
    }

    /// Sets the members.
    pub fn set_members(&mut self, members: &[Member]) {
        let sender = |member: &Member| Sender {
            connected: member.connected,
            camera_limit: member.state.camera_limit,
            screen_limit: member.state.screen_limit,
        };
        let others = members.iter().filter(|member| !member.me);
        self.senders = others.map(|member| (member.id, sender(member))).collect();
    }

    /// Forgets a received track, which has ended.
    pub fn end_track(&mut self, track: TrackId) {
        self.layers.remove(&track);
        self.inbound_stats.remove(&track);
    }
}
