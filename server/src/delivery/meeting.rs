//! One meeting as the delivery service sees it: its members, those who wait to be admitted, and the log.

use super::actions::{Actions, encode};
use super::log::Log;
use crate::{Limits, sfu};
use bytes::Bytes;
use proto::{Blob, Down, Epoch, LogEntry, MAX_MEMBERS, MeetingId, ParticipantId, Position, Welcome};
use std::collections::{BTreeMap, VecDeque};

/// One meeting.
#[derive(Debug)]
pub struct Meeting {
    id: MeetingId,
    admission_key: Blob,
    /// Each member with the position of the first log entry that it has to see.
    members: BTreeMap<ParticipantId, Position>,
    /// Those who knocked, each with its request.
    waiting: BTreeMap<ParticipantId, Blob>,
    /// Participants that are logged as gone and not removed by a commit yet, oldest first. At most [`MAX_MEMBERS`].
    gone: VecDeque<ParticipantId>,
    log: Log,
    epoch: Epoch,
    /// The maximum of members plus waiting people.
    max_people: usize,
}

/// [`proto::Up::Commit`] with its sender.
#[derive(Debug)]
pub struct Commit {
    /// The sender.
    pub from: ParticipantId,
    /// The epoch that the commit ends.
    pub epoch: Epoch,
    /// The commit itself.
    pub blob: Blob,
    /// The Welcomes for the participants that the commit adds.
    pub welcomes: Vec<Welcome>,
    /// The participants that the commit removes.
    pub removed: Vec<ParticipantId>,
}

/// Who entered and left a meeting by a commit.
#[derive(Debug, Default)]
pub struct Changes {
    /// Members that were removed.
    pub removed: Vec<ParticipantId>,
    /// Waiting people who are members now.
    pub admitted: Vec<ParticipantId>,
}

impl Meeting {
    /// Returns a meeting at epoch 0 whose only member is `first`.
    pub fn new(id: MeetingId, admission_key: Blob, first: ParticipantId, limits: &Limits) -> Self {
        Self {
            id,
            admission_key,
            members: BTreeMap::from([(first, Position(0))]),
            waiting: BTreeMap::new(),
            gone: VecDeque::new(),
            log: Log::new(limits.log_entries, limits.log_bytes),
            epoch: Epoch(0),
            max_people: limits.members,
        }
    }

    /// Returns the public key that requests to be admitted are encrypted to.
    pub fn admission_key(&self) -> &Blob {
        &self.admission_key
    }

    /// Returns whether no member is left.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns who waits to be admitted.
    pub fn waiting(&self) -> impl Iterator<Item = ParticipantId> {
        self.waiting.keys().copied()
    }

    /// Stores a request to be admitted, and forwards it to the members. Returns false if the meeting is full.
    pub fn knock(&mut self, participant: ParticipantId, request: Blob, actions: &mut Actions) -> bool {
        if self.members.len() + self.waiting.len() >= self.max_people {
            return false;
        }
        self.waiting.insert(participant, request.clone());
        self.send_to_members(&Down::Knocked { participant, request }, actions);
        true
    }

    /// Removes a person who gave up waiting, and notifies the members. Does nothing if `participant` does not wait.
    pub fn withdraw(&mut self, participant: ParticipantId, actions: &mut Actions) {
        if self.stop_waiting(participant) {
            self.send_to_members(&Down::Withdrew { participant }, actions);
        }
    }

    /// Removes a person who waits. Returns whether `participant` waited.
    pub fn stop_waiting(&mut self, participant: ParticipantId) -> bool {
        self.waiting.remove(&participant).is_some()
    }

    /// Removes a member whose connection ended, and logs that it is gone.
    pub fn leave(&mut self, participant: ParticipantId, actions: &mut Actions) {
        actions.command_sfu(sfu::Command::Leave { participant });
        if self.members.remove(&participant).is_some() {
            self.append(LogEntry::Gone { participant }, actions);
        }
    }

    /// Appends an entry to the log, and sends it to the members.
    pub fn append(&mut self, entry: LogEntry, actions: &mut Actions) {
        let message = self.log_entry(entry);
        self.send_to_members(&message, actions);
    }

    /// Handles a commit. The first one for an epoch is accepted. The sender of a later one gets the current epoch.
    pub fn commit(&mut self, commit: Commit, actions: &mut Actions) -> Changes {
        let Commit { from, epoch, blob, welcomes, removed } = commit;
        if epoch != self.epoch {
            actions.send(from, &Down::CommitTooLate { epoch: self.epoch });
            return Changes::default();
        }
        self.epoch = epoch.next();
        let entry = self.log_entry(LogEntry::Commit { from, epoch, blob });
        self.gone.retain(|gone| !removed.contains(gone));
        let is_removed = |participant: &ParticipantId| self.members.remove(participant).is_some();
        let removed: Vec<_> = removed.into_iter().filter(is_removed).collect();
        for participant in &removed {
            actions.send(*participant, &Down::Removed);
            actions.close(*participant);
            actions.command_sfu(sfu::Command::Leave { participant: *participant });
        }
        self.send_to_members(&entry, actions);
        for participant in &removed {
            self.append(LogEntry::Gone { participant: *participant }, actions);
        }
        let admitted = welcomes.into_iter().flat_map(|welcome| self.admit(welcome, actions)).collect();
        Changes { removed, admitted }
    }

    /// Admits the receivers of a Welcome that still wait, and returns them. A receiver that neither waits nor is a
    /// member has left: it is logged as gone, because the commit added a leaf for it.
    fn admit(&mut self, Welcome { to, blob }: Welcome, actions: &mut Actions) -> Vec<ParticipantId> {
        let admission = encode(&self.admission(blob));
        let new = to.into_iter().filter(|participant| !self.members.contains_key(participant));
        let (admitted, absent): (Vec<_>, Vec<_>) = new.partition(|participant| self.waiting.contains_key(participant));
        let position = self.log.end();
        for participant in &admitted {
            self.waiting.remove(participant);
            self.members.insert(*participant, position);
        }
        let following: Vec<Bytes> = self.messages_since(position).map(|message| encode(&message)).collect();
        for participant in &admitted {
            actions.send_encoded([*participant], &admission);
            for bytes in &following {
                actions.send_encoded([*participant], bytes);
            }
            actions.command_sfu(sfu::Command::Join { meeting: self.id, participant: *participant });
        }
        for participant in absent {
            self.append(LogEntry::Gone { participant }, actions);
        }
        admitted
    }

    fn admission(&self, welcome: Blob) -> Down {
        let gone = self.gone.iter().copied().collect();
        Down::Admitted { welcome, position: self.log.end(), epoch: self.epoch, gone }
    }

    /// Returns the messages that a new member gets after its Welcome: the log entries since `position`, and who else
    /// waits.
    fn messages_since(&self, position: Position) -> impl Iterator<Item = Down> {
        let entries = self.log.since(position);
        let waiting = self.waiting.iter();
        entries.map(|(position, entry)| Down::Log { position, entry: entry.clone() }).chain(
            waiting.map(|(participant, request)| Down::Knocked { participant: *participant, request: request.clone() }),
        )
    }

    fn log_entry(&mut self, entry: LogEntry) -> Down {
        if let LogEntry::Gone { participant } = &entry {
            self.gone.push_back(*participant);
            if self.gone.len() > MAX_MEMBERS {
                self.gone.pop_front();
            }
        }
        let position = self.log.append(entry.clone());
        Down::Log { position, entry }
    }

    fn send_to_members(&self, message: &Down, actions: &mut Actions) {
        actions.send_all(self.members.keys().copied(), message);
    }
}
