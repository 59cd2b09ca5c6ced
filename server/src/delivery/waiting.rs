//! The clients that wait to be admitted to a meeting: those that knock, and organisers that come back.
//!
//! The members learn of a request when it is their turn, so that a flood of requests cannot flood the members. Origins take
//! turns: many requests from one of them delay those from others by one turn.

use super::connection_id::ConnectionId;
use crate::bucket::Bucket;
use crate::{Limits, Origin};
use proto::{Blob, Down, ParticipantId, Signature};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// The clients that wait to be admitted to a meeting.
#[derive(Debug)]
pub struct Waiting {
    by_id: BTreeMap<ParticipantId, WaitingClient>,
    /// The requests that the members have not learned of, by origin. The first origin is next.
    unannounced: VecDeque<(Origin, VecDeque<ParticipantId>)>,
    announcements: Bucket,
}

/// A client that waits, and its request.
#[derive(Debug)]
pub struct WaitingClient {
    /// The connection.
    pub connection: ConnectionId,
    /// The address that the connection comes from.
    pub origin: Origin,
    /// The request.
    pub request: Request,
}

/// A request to be admitted.
#[derive(Debug)]
pub enum Request {
    /// A manager decides it.
    Knock(Blob),
    /// The authority has signed it, so each member may commit it.
    Return(Blob, Signature),
}

impl WaitingClient {
    /// Returns the message that tells the members of the request.
    fn message(&self, participant: ParticipantId) -> Down {
        match &self.request {
            Request::Knock(request) => Down::Knocked { participant, request: request.clone() },
            Request::Return(request, signature) => {
                Down::Returned { participant, request: request.clone(), signature: *signature }
            }
        }
    }
}

impl Waiting {
    /// Returns a list without requests.
    pub fn new(limits: &Limits, now: Instant) -> Self {
        let announcements = Bucket::new(limits.knocks_per_second, limits.knock_burst, now);
        Self { by_id: BTreeMap::new(), unannounced: VecDeque::new(), announcements }
    }

    /// Adds a request.
    pub fn insert(&mut self, participant: ParticipantId, client: WaitingClient) {
        let origin = client.origin;
        self.by_id.insert(participant, client);
        match self.unannounced.iter_mut().find(|(other, _)| *other == origin) {
            Some((_, queue)) => queue.push_back(participant),
            None => self.unannounced.push_back((origin, VecDeque::from([participant]))),
        }
    }

    /// Returns the message that tells the members of the next request, if it is time for one.
    pub fn announce(&mut self, now: Instant) -> Option<Down> {
        let (origin, mut queue) = self.unannounced.pop_front()?;
        if !self.announcements.take(1, now) {
            self.unannounced.push_front((origin, queue));
            return None;
        }
        // No queue is empty.
        let participant = queue.pop_front()?;
        if !queue.is_empty() {
            self.unannounced.push_back((origin, queue));
        }
        self.by_id.get(&participant).map(|client| client.message(participant))
    }

    /// Removes a request. Returns the connection that waited, and whether the members have learned of the request.
    pub fn remove(&mut self, participant: ParticipantId) -> Option<(ConnectionId, bool)> {
        let client = self.by_id.remove(&participant)?;
        let announced = !self.is_unannounced(participant);
        for (_, queue) in &mut self.unannounced {
            queue.retain(|other| *other != participant);
        }
        self.unannounced.retain(|(_, queue)| !queue.is_empty());
        Some((client.connection, announced))
    }

    /// Returns whether a client waits.
    pub fn contains(&self, participant: ParticipantId) -> bool {
        self.by_id.contains_key(&participant)
    }

    /// Returns how many clients wait.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Returns how many clients from `origin` wait.
    pub fn count_of(&self, origin: Origin) -> usize {
        self.by_id.values().filter(|client| client.origin == origin).count()
    }

    /// Returns the connection that makes room for a request from `origin` if the list is full: the last one of the origin
    /// with the most requests, if that has more than `origin` and the members have not learned of it.
    pub fn crowding(&self, origin: Origin) -> Option<ConnectionId> {
        let counts = self.unannounced.iter().map(|(other, queue)| (self.count_of(*other), queue));
        let (count, queue) = counts.max_by_key(|(count, _)| *count)?;
        let last = queue.back().filter(|_| count > self.count_of(origin) + 1)?;
        self.by_id.get(last).map(|client| client.connection)
    }

    /// Returns the connections that wait.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.by_id.values().map(|client| client.connection)
    }

    /// Returns the messages that tell a new member of the requests that the others know.
    pub fn messages(&self) -> impl Iterator<Item = Down> {
        let announced = self.by_id.iter().filter(|(participant, _)| !self.is_unannounced(**participant));
        announced.map(|(participant, client)| client.message(*participant))
    }

    fn is_unannounced(&self, participant: ParticipantId) -> bool {
        self.unannounced.iter().any(|(_, queue)| queue.contains(&participant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    fn client(last: u8) -> WaitingClient {
        let origin = IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)).into();
        WaitingClient { connection: ConnectionId(last.into()), origin, request: Request::Knock(Blob(vec![1])) }
    }

    fn announced(waiting: &mut Waiting, now: Instant) -> Vec<u64> {
        let next = || waiting.announce(now);
        std::iter::from_fn(next)
            .map(|message| {
                let Down::Knocked { participant, .. } = message else { panic!("{message:?}") };
                participant.0
            })
            .collect()
    }

    #[test]
    fn the_origin_with_the_most_requests_makes_room_for_others() {
        let (limits, now) = (Limits { knock_burst: 1, ..Limits::default() }, Instant::now());
        let mut waiting = Waiting::new(&limits, now);
        let crowding = |waiting: &Waiting, last| waiting.crowding(client(last).origin);
        (1..=3).for_each(|id| waiting.insert(ParticipantId(id), client(1)));
        waiting.insert(ParticipantId(4), client(2));
        assert_eq!(crowding(&waiting, 3), Some(ConnectionId(1)));
        assert_eq!(crowding(&waiting, 1), None, "its own");
        waiting.remove(ParticipantId(3));
        assert_eq!((crowding(&waiting, 2), crowding(&waiting, 3)), (None, Some(ConnectionId(1))));
        waiting.remove(ParticipantId(2));
        assert_eq!(crowding(&waiting, 3), None, "each has one");
    }

    #[test]
    fn origins_take_turns_and_requests_beyond_the_burst_wait() {
        let (limits, now) = (Limits { knocks_per_second: 10, knock_burst: 3, ..Limits::default() }, Instant::now());
        let mut waiting = Waiting::new(&limits, now);
        (1..=6).for_each(|id| waiting.insert(ParticipantId(id), client(1)));
        assert_eq!(announced(&mut waiting, now), [1, 2, 3]);
        waiting.insert(ParticipantId(7), client(2));
        assert_eq!(waiting.remove(ParticipantId(4)).map(|(_, announced)| announced), Some(false));
        assert_eq!(waiting.remove(ParticipantId(1)).map(|(_, announced)| announced), Some(true));
        assert_eq!(waiting.messages().count(), 2, "two and three");
        assert_eq!(announced(&mut waiting, now + Duration::from_millis(200)), [5, 7]);
        assert_eq!(announced(&mut waiting, now + Duration::from_secs(1)), [6]);
    }
}
