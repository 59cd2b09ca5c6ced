//! The clients that wait to be admitted to a meeting: those that knock, and organisers that come back.
//!
//! The members learn of a request when it is their turn, so that a flood of requests cannot flood the members. Origins take
//! turns: many requests from one of them delay those from others by one turn. Messages of waiting clients to the managers have
//! a rate for each client, and one for all clients of the meeting.

use super::actions::Actions;
use super::connection_id::ConnectionId;
use super::members::Members;
use crate::bucket::Bucket;
use crate::{Limits, Origin};
use proto::{Blob, Down, ParticipantId, Problem, Signature};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// The clients that wait to be admitted to a meeting.
#[derive(Debug)]
pub struct Waiting {
    by_id: BTreeMap<ParticipantId, WaitingClient>,
    /// The requests that the members have not learned of, by origin. The first origin is next.
    unannounced: VecDeque<(Origin, VecDeque<ParticipantId>)>,
    announcements: Bucket,
    /// Messages of all waiting clients together.
    messages: Bucket,
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
    /// Its messages to the managers.
    messages: Bucket,
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
    /// Returns a client that begins to wait.
    pub fn new(connection: ConnectionId, origin: Origin, request: Request, now: Instant) -> Self {
        Self { connection, origin, request, messages: Bucket::new(MESSAGES_PER_SECOND, MESSAGE_BURST, now) }
    }

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
        let messages = Bucket::new(ALL_MESSAGES_PER_SECOND, ALL_MESSAGES_BURST, now);
        Self { by_id: BTreeMap::new(), unannounced: VecDeque::new(), announcements, messages }
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

    /// Returns whether a message of a waiting client goes to the managers. They must know of its request, and all waiting clients
    /// together have a rate, so that many of them cannot flood the managers.
    ///
    /// # Errors
    /// Returns [`Problem::TooFast`] if the client sends too many messages.
    pub fn take_message(&mut self, participant: ParticipantId, now: Instant) -> Result<bool, Problem> {
        let announced = !self.is_unannounced(participant);
        let Some(client) = self.by_id.get_mut(&participant) else { return Ok(false) };
        if !client.messages.take(1, now) {
            return Err(Problem::TooFast);
        }
        Ok(announced && matches!(client.request, Request::Knock(_)) && self.messages.take(1, now))
    }

    /// Returns the connection of a client that knocks.
    pub fn knocking(&self, participant: ParticipantId) -> Option<ConnectionId> {
        let client = self.by_id.get(&participant)?;
        matches!(client.request, Request::Knock(_)).then_some(client.connection)
    }

    /// Returns whether a client waits.
    pub fn contains(&self, participant: ParticipantId) -> bool {
        self.by_id.contains_key(&participant)
    }

    /// Returns how many clients wait.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Returns how many organisers wait to come back.
    pub fn returning(&self) -> usize {
        self.by_id.values().filter(|client| matches!(client.request, Request::Return(..))).count()
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

    /// Returns the messages that tell a new manager of the knocks that the others know.
    pub fn knocks(&self) -> impl Iterator<Item = Down> {
        self.messages(|request| matches!(request, Request::Knock(_)))
    }

    /// Tells a new or resumed member which managers want to come back and who is absent, and a manager also who knocks.
    pub fn describe(&self, members: &Members, (connection, is_manager): (ConnectionId, bool), actions: &mut Actions) {
        self.returns().for_each(|message| actions.send(connection, &message));
        if is_manager {
            self.knocks().for_each(|message| actions.send(connection, &message));
        }
        for participant in members.absent() {
            actions.send(connection, &Down::Presence { participant, connected: false });
        }
    }

    /// Returns the messages that tell a new member of the managers who want to come back, as the others know.
    fn returns(&self) -> impl Iterator<Item = Down> {
        self.messages(|request| matches!(request, Request::Return(..)))
    }

    fn messages(&self, wanted: impl Fn(&Request) -> bool) -> impl Iterator<Item = Down> {
        let wanted = self.by_id.iter().filter(move |(_, client)| wanted(&client.request));
        let announced = wanted.filter(|(participant, _)| !self.is_unannounced(**participant));
        announced.map(|(participant, client)| client.message(*participant))
    }

    fn is_unannounced(&self, participant: ParticipantId) -> bool {
        self.unannounced.iter().any(|(_, queue)| queue.contains(&participant))
    }
}

/// Messages of one waiting client. No person writes a line each second for long.
const MESSAGES_PER_SECOND: u32 = 1;
const MESSAGE_BURST: u32 = 20;

/// Messages of all waiting clients of a meeting. Further ones are dropped.
const ALL_MESSAGES_PER_SECOND: u32 = 20;
const ALL_MESSAGES_BURST: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    fn client(last: u8) -> WaitingClient {
        let origin = IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)).into();
        let request = Request::Knock(Blob(vec![1]));
        WaitingClient::new(ConnectionId(last.into()), origin, request, Instant::now())
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
        assert_eq!(waiting.knocks().count(), 2, "two and three");
        assert_eq!(announced(&mut waiting, now + Duration::from_millis(200)), [5, 7]);
        assert_eq!(announced(&mut waiting, now + Duration::from_secs(1)), [6]);
    }

    #[test]
    fn messages_of_waiting_clients_have_a_rate_for_each_and_for_all() {
        let (limits, now) = (Limits { knock_burst: 50, ..Limits::default() }, Instant::now());
        let mut waiting = Waiting::new(&limits, now);
        let ids: Vec<_> = (1..=51).map(ParticipantId).collect();
        for id in &ids {
            waiting.insert(*id, client(1));
        }
        assert_eq!(announced(&mut waiting, now).len(), 50);
        assert_eq!(waiting.take_message(ids[50], now), Ok(false), "the managers do not know of it");
        assert_eq!(waiting.take_message(ParticipantId(99), now), Ok(false), "it does not wait");
        let burst: Vec<_> = (0..21).map(|_| waiting.take_message(ids[0], now)).collect();
        assert!(burst[..20].iter().all(|taken| *taken == Ok(true)));
        assert_eq!(burst[20], Err(Problem::TooFast));
        // 80 of the others have room.
        let taken = ids[1..50].iter().cycle().take(98).filter(|id| waiting.take_message(**id, now) == Ok(true)).count();
        assert_eq!(taken, 80);
        let later = now + Duration::from_secs(2);
        assert_eq!(waiting.take_message(ids[0], later), Ok(true));
    }
}
