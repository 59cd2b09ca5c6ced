//! A participant as the SFU sees it: its transport, and what it declared about its tracks.

use super::downlink_report::LastReport;
use super::handshake::Handshake;
use super::sound_limit::SoundLimit;
use super::switch::Switch;
use super::transport::{Context, Transport};
use crate::Origin;
use crate::bucket::Bucket;
use proto::{DownlinkSettings, LimitedTrack, MeetingId, ParticipantId, TileWish, TrackId};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;
use str0m::media::Mid;

/// All peers of a server.
pub type Peers = HashMap<ParticipantId, Peer, BuildHasherDefault<IdHasher>>;

/// Hashes participant ids, which the server chooses at random: they are hashes already. Each packet needs several.
#[derive(Debug, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        // Not used by ids.
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = id;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Where the signalling of a participant comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientAddress {
    /// The address of this machine to which it connected; `None` if it is unknown.
    pub arrived_at: Option<IpAddr>,
    /// The participant's own address; `None` if it is unknown.
    pub origin: Option<Origin>,
}

/// One participant.
#[derive(Debug)]
pub struct Peer {
    /// The meeting that it is in.
    pub meeting: MeetingId,
    /// Where its signalling comes from.
    pub address: ClientAddress,
    /// The connection to it.
    pub transport: Transport,
    /// The handshake of that connection.
    pub handshake: Handshake,
    /// The track that it sends by each media description.
    pub sources: HashMap<Mid, TrackId>,
    /// The tile sizes that it requested. `None` before the first request.
    pub wishes: Option<HashMap<TrackId, TileWish>>,
    /// What it said about its downlink in its last offer.
    pub downlink_settings: DownlinkSettings,
    /// Switches of media descriptions that receive nothing now: their sequence numbers continue when the description is
    /// used again. There are at most as many as media descriptions.
    pub idle_switches: HashMap<Mid, Switch>,
    /// How many offers it may send now.
    pub offers: Bucket,
    /// The tracks of which it gets less than it wishes, since its downlink was last divided.
    pub limited: Vec<LimitedTrack>,
    /// The last report to it about its downlink.
    pub last_report: LastReport,
    /// The server's and the participant's address of the last datagram to it.
    pub path: Option<(SocketAddr, SocketAddr)>,
    /// The bits per second for which its downlink has room, for each voice that it receives, if it is narrow.
    pub sound_limit: SoundLimit,
}

impl Peer {
    /// Returns a participant that has declared nothing and has no connection.
    pub fn new(context: &Context, meeting: MeetingId, address: ClientAddress, now: Instant) -> Self {
        Self {
            meeting,
            address,
            transport: Transport::new(context, address.arrived_at, now),
            handshake: Handshake::default(),
            sources: HashMap::new(),
            wishes: None,
            downlink_settings: DownlinkSettings::default(),
            idle_switches: HashMap::new(),
            offers: Bucket::new(OFFERS_PER_SECOND, OFFER_BURST, now),
            limited: Vec::new(),
            last_report: LastReport::default(),
            path: None,
            sound_limit: SoundLimit::default(),
        }
    }

    /// Replaces a failed transport. Drops the state of its media descriptions, and keeps the requested tile sizes, the settings of
    /// the downlink and the number of offers.
    pub fn reset_transport(&mut self, context: &Context, now: Instant) {
        let new = Self::new(context, self.meeting, self.address, now);
        let Self { wishes, offers, downlink_settings, .. } = std::mem::replace(self, new);
        (self.wishes, self.offers) = (wishes, offers);
        self.set_downlink_settings(downlink_settings);
    }

    /// Sets what the participant says about its downlink.
    pub fn set_downlink_settings(&mut self, settings: DownlinkSettings) {
        self.downlink_settings = settings;
        let downlink = &mut self.transport.downlink;
        downlink.set_limit(settings.max_bitrate.map(u64::from));
        if let Some(rate) = settings.last_bitrate {
            downlink.set_last_rate(rate.into());
        }
    }
}

/// Offers per second of one participant. Each one that changes its tracks makes all others offer. Our clients send half as
/// many.
const OFFERS_PER_SECOND: u32 = 10;

/// Offers that a participant may send at once after a pause.
const OFFER_BURST: u32 = 40;
