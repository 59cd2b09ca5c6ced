//! A participant as the SFU sees it: its transport, and what it declared about its tracks.

use super::switch::Switch;
use super::transport::{Context, Transport};
use proto::{MeetingId, ParticipantId, TileWish, TrackId};
use std::collections::HashMap;
use std::time::Instant;
use str0m::media::Mid;

/// All peers of a server.
pub type Peers = HashMap<ParticipantId, Peer>;

/// One participant.
#[derive(Debug)]
pub struct Peer {
    /// The meeting that it is in.
    pub meeting: MeetingId,
    /// The connection to it.
    pub transport: Transport,
    /// The track that it sends by each media description.
    pub sources: HashMap<Mid, TrackId>,
    /// The tile sizes that it requested. `None` before the first request.
    pub wishes: Option<HashMap<TrackId, TileWish>>,
    /// Switches of media descriptions that receive nothing now: their sequence numbers continue when the description is
    /// used again. There are at most as many as media descriptions.
    pub idle_switches: HashMap<Mid, Switch>,
}

impl Peer {
    /// Returns a participant that has declared nothing and has no connection.
    pub fn new(context: &Context, meeting: MeetingId, now: Instant) -> Self {
        Self {
            meeting,
            transport: Transport::new(context, now),
            sources: HashMap::new(),
            wishes: None,
            idle_switches: HashMap::new(),
        }
    }

    /// Replaces a failed transport. Drops the state of its media descriptions, and keeps the requested tile sizes.
    pub fn reset_transport(&mut self, context: &Context, now: Instant) {
        let wishes = self.wishes.take();
        *self = Self { wishes, ..Self::new(context, self.meeting, now) };
    }
}
