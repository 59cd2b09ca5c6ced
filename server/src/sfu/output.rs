//! The results of the rooms for the SFU.

use super::dirty_peers::DirtyPeers;
use super::metrics::Metrics;
use super::reply::Reply;
use proto::{ParticipantId, ServerSignal};
use std::collections::VecDeque;

/// The results of the rooms for the SFU.
#[derive(Debug, Default)]
pub struct Output {
    /// Replies to participants, in order.
    pub replies: VecDeque<(ParticipantId, Reply)>,
    /// Peers whose transport has something new to send.
    pub dirty: DirtyPeers,
    /// The counters of all rooms.
    pub metrics: Metrics,
}

impl Output {
    /// Queues a signal to `participant`.
    pub fn signal(&mut self, participant: ParticipantId, signal: ServerSignal) {
        self.replies.push_back((participant, Reply::Signal(signal)));
    }
}
