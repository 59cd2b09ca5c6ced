//! The members of a meeting: their connections, and what each may still send.

use super::actions::Actions;
use super::connection_id::ConnectionId;
use super::tree::Tree;
use crate::Limits;
use crate::bucket::Bucket;
use proto::{Down, Epoch, MAX_BEACONS_PER_SECOND, ParticipantId, Position};
use std::collections::BTreeMap;
use std::time::Instant;

/// The members of a meeting.
#[derive(Debug, Default)]
pub struct Members {
    by_id: BTreeMap<ParticipantId, Member>,
}

/// A member.
#[derive(Debug)]
pub struct Member {
    /// Its connection.
    pub presence: Presence,
    /// The position of the next log entry that the member expects, as far as it has said.
    pub acknowledged: Position,
    /// Whether it has created the meeting or sent a signed command.
    pub is_manager: bool,
    last_counter: Option<u64>,
    /// How often the keys had changed when the member last proved that it has them. `None` if it has not, or before the
    /// server was started.
    proved: Option<usize>,
    may_commit_at: Instant,
    may_update_at: Instant,
    tells: Bucket,
    tell_bytes: Bucket,
    beacons: Bucket,
    relays: Bucket,
    /// The tree for its next message with Welcomes.
    pub tree: Tree,
}

/// Whether a member is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// By this connection.
    Connected(ConnectionId),
    /// Its connection was lost. It may resume until this time.
    Absent(Instant),
}

impl Member {
    /// Returns a member that expects the log entry at `position`.
    pub fn new(connection: ConnectionId, position: Position, limits: &Limits, now: Instant) -> Self {
        Self {
            presence: Presence::Connected(connection),
            acknowledged: position,
            is_manager: false,
            last_counter: None,
            proved: None,
            may_commit_at: now,
            may_update_at: now,
            tells: Bucket::new(limits.tells_per_second, limits.tell_burst, now),
            tell_bytes: Bucket::new(limits.tell_bytes_per_second, limits.tell_byte_burst, now),
            beacons: Bucket::new(MAX_BEACONS_PER_SECOND, BEACON_BURST, now),
            relays: Bucket::new(RELAYS_PER_SECOND, RELAY_BURST, now),
            tree: Tree::default(),
        }
    }

    /// Returns an absent member, as it was before the server was started again. It expects the log entry at `position` or a
    /// later one.
    pub fn absent(
        position: Position,
        is_manager: bool,
        last_counter: Option<u64>,
        limits: &Limits,
        now: Instant,
    ) -> Self {
        let presence = Presence::Absent(now + limits.absence);
        // The connection is replaced at once.
        Self { presence, is_manager, last_counter, ..Self::new(ConnectionId(0), position, limits, now) }
    }

    /// Returns the connection, or `None` if the member is absent.
    pub fn connection(&self) -> Option<ConnectionId> {
        match self.presence {
            Presence::Connected(connection) => Some(connection),
            Presence::Absent(_) => None,
        }
    }

    /// Returns the counter of the last signed command.
    pub fn last_counter(&self) -> Option<u64> {
        self.last_counter
    }

    /// Returns whether the member may send an application message of `length` bytes now.
    pub fn take_tell(&mut self, length: usize, now: Instant) -> bool {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.tells.take(1, now) && self.tell_bytes.take(length, now)
    }

    /// Returns whether a beacon of the member is passed on now.
    pub fn take_beacon(&mut self, now: Instant) -> bool {
        self.beacons.take(1, now)
    }

    /// Returns whether the member may send a message that is not in the log now.
    pub fn take_relay(&mut self, now: Instant) -> bool {
        self.relays.take(1, now)
    }

    /// Returns whether the member may commit without a signature now. `is_needed` is true if the commit removes somebody who has left, or
    /// answers an organiser who comes back.
    pub fn may_commit(&self, is_needed: bool, now: Instant) -> bool {
        now >= self.may_commit_at && (is_needed || now >= self.may_update_at)
    }

    /// Handles a commit without a signature that was accepted.
    pub fn committed(&mut self, is_needed: bool, limits: &Limits, now: Instant) {
        self.may_commit_at = now + limits.commit_interval;
        if !is_needed {
            self.may_update_at = now + limits.update_interval;
        }
    }

    /// Records that the member has the keys after this number of changes. Returns true if that is new.
    pub fn prove(&mut self, rotations: usize) -> bool {
        self.proved.replace(rotations) != Some(rotations)
    }

    /// Returns whether the member has proved that it has the keys after this number of changes.
    pub fn has_proved(&self, rotations: usize) -> bool {
        self.proved == Some(rotations)
    }

    /// Accepts the counter of a signed command. Returns false if it is not higher than the last one.
    pub fn accept_counter(&mut self, counter: u64) -> bool {
        let is_new = self.last_counter.is_none_or(|last| counter > last);
        if is_new {
            self.last_counter = Some(counter);
        }
        is_new
    }
}

impl Members {
    /// Adds a member.
    pub fn insert(&mut self, participant: ParticipantId, member: Member) {
        self.by_id.insert(participant, member);
    }

    /// Removes a member.
    pub fn remove(&mut self, participant: ParticipantId) -> Option<Member> {
        self.by_id.remove(&participant)
    }

    /// Returns a member.
    pub fn get(&self, participant: ParticipantId) -> Option<&Member> {
        self.by_id.get(&participant)
    }

    /// Returns a member.
    pub fn get_mut(&mut self, participant: ParticipantId) -> Option<&mut Member> {
        self.by_id.get_mut(&participant)
    }

    /// Returns the number of members, connected or absent.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Returns all members.
    pub fn iter(&self) -> impl Iterator<Item = (ParticipantId, &Member)> {
        self.by_id.iter().map(|(participant, member)| (*participant, member))
    }

    /// Returns the ids of all members.
    pub fn ids(&self) -> impl Iterator<Item = ParticipantId> {
        self.by_id.keys().copied()
    }

    /// Returns the connections of the members that are connected.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.by_id.values().filter_map(Member::connection)
    }

    /// Returns the connections of the members that have the current keys of the meeting, which have changed `rotations` times. Who
    /// is no manager any more has only older ones.
    pub fn managers(&self, rotations: usize) -> impl Iterator<Item = ConnectionId> {
        let managers = self.by_id.values().filter(move |member| member.has_proved(rotations));
        managers.filter_map(Member::connection)
    }

    /// Returns the connections of those who decide about knocks: the managers. If none of them has shown yet that it has the current
    /// keys, as after the server was started again, all who have ever been managers: a lone manager sends no command by itself.
    pub fn deciders(&self, rotations: usize) -> impl Iterator<Item = ConnectionId> {
        let has_proved = move |member: &Member| member.has_proved(rotations);
        let is_any = self.by_id.values().any(|member| member.connection().is_some() && has_proved(member));
        let deciders =
            self.by_id.values().filter(move |member| if is_any { has_proved(member) } else { member.is_manager });
        deciders.filter_map(Member::connection)
    }

    /// Returns the connections of all members but one.
    pub fn connections_except(&self, one: ParticipantId) -> impl Iterator<Item = ConnectionId> {
        let others = self.by_id.iter().filter(move |(participant, _)| **participant != one);
        others.filter_map(|(_, member)| member.connection())
    }

    /// Returns who is connected.
    pub fn connected(&self) -> impl Iterator<Item = ParticipantId> {
        self.by_id.iter().filter(|(_, member)| member.connection().is_some()).map(|(participant, _)| *participant)
    }

    /// Returns who is absent.
    pub fn absent(&self) -> impl Iterator<Item = ParticipantId> {
        self.by_id.iter().filter(|(_, member)| member.connection().is_none()).map(|(participant, _)| *participant)
    }

    /// Returns the members whose time to resume is over.
    pub fn expired(&self, now: Instant) -> Vec<ParticipantId> {
        let expired = |member: &Member| matches!(member.presence, Presence::Absent(until) if until <= now);
        self.by_id.iter().filter(|(_, member)| expired(member)).map(|(participant, _)| *participant).collect()
    }

    /// Drops the trees that no commit has followed.
    pub fn expire_trees(&mut self, now: Instant) {
        self.by_id.values_mut().for_each(|member| member.tree.expire(now));
    }

    /// Returns the position that all members have acknowledged.
    pub fn acknowledged(&self) -> Option<Position> {
        self.by_id.values().map(|member| member.acknowledged).min()
    }
}

/// Tells a member that its commit was not accepted. `epoch` is the current one.
pub fn send_lost(to: ParticipantId, members: &Members, epoch: Epoch, actions: &mut Actions) {
    if let Some(connection) = members.get(to).and_then(Member::connection) {
        actions.send(connection, &Down::CommitTooLate { epoch });
    }
}

/// How many beacons of one member may come at once.
const BEACON_BURST: u32 = 10;
/// The messages outside the log that a member sends in a second, on average. An honest client sends at most four.
const RELAYS_PER_SECOND: u32 = 6;

/// The messages outside the log that a member sends at once.
const RELAY_BURST: u32 = 24;
