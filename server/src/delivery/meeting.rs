//! One meeting as the delivery service sees it: members, those who knock, and the log.

use super::log::Log;
use crate::Limits;
use proto::{Blob, Down, Entry, Epoch, MAX_MEMBERS, ParticipantId, Position, Welcome};
use std::collections::{BTreeMap, VecDeque};

/// See the module.
#[derive(Debug)]
pub struct Meeting {
    admission_key: Blob,
    /// Each with the place of the first entry that it has to see.
    members: BTreeMap<ParticipantId, Position>,
    knocking: BTreeMap<ParticipantId, Blob>,
    /// Logged as gone, and named in no commit's `removed` yet.
    gone: VecDeque<ParticipantId>,
    log: Log,
    epoch: Epoch,
    most: usize,
}

/// A commit that somebody asks to be ordered.
#[derive(Debug)]
pub struct Commit {
    pub from: ParticipantId,
    pub epoch: Epoch,
    pub blob: Blob,
    pub welcomes: Vec<Welcome>,
    pub removed: Vec<ParticipantId>,
}

/// What follows from a commit that won.
#[derive(Debug)]
pub struct Won {
    /// The commit's entry.
    pub entry: Down,
    /// Who is to see it: the members of before, without those put out.
    pub told: Vec<ParticipantId>,
    /// Members that the commit put out.
    pub removed: Vec<ParticipantId>,
    /// Whom it lets in.
    pub welcomes: Vec<Welcome>,
}

impl Meeting {
    /// A meeting at epoch 0 whose only member is `first`.
    pub fn new(admission_key: Blob, first: ParticipantId, limits: &Limits) -> Self {
        Self {
            admission_key,
            members: BTreeMap::from([(first, Position(0))]),
            knocking: BTreeMap::new(),
            gone: VecDeque::new(),
            log: Log::new(limits.log_entries, limits.log_bytes),
            epoch: Epoch(0),
            most: limits.members,
        }
    }

    /// The public key that knocks are sealed to.
    pub fn admission_key(&self) -> &Blob {
        &self.admission_key
    }

    /// Who is in, in the order of their numbers.
    pub fn members(&self) -> impl Iterator<Item = ParticipantId> {
        self.members.keys().copied()
    }

    /// Who waits to be let in.
    pub fn knocking(&self) -> impl Iterator<Item = ParticipantId> {
        self.knocking.keys().copied()
    }

    /// Somebody asks to be let in. False where the meeting is full.
    pub fn knock(&mut self, participant: ParticipantId, request: Blob) -> bool {
        let room = self.members.len() + self.knocking.len() < self.most;
        if room {
            self.knocking.insert(participant, request);
        }
        room
    }

    /// Somebody who knocked waits no more. None where it did not wait.
    pub fn forget_knock(&mut self, participant: ParticipantId) -> Option<Blob> {
        self.knocking.remove(&participant)
    }

    /// A member is no more. True where it was one: its going is to be logged.
    pub fn leave(&mut self, participant: ParticipantId) -> bool {
        self.members.remove(&participant).is_some()
    }

    /// Puts an entry in the log; members are to get the message.
    pub fn append(&mut self, entry: Entry) -> Down {
        if let Entry::Gone { participant } = &entry {
            self.gone.push_back(*participant);
            if self.gone.len() > MAX_MEMBERS {
                self.gone.pop_front();
            }
        }
        let position = self.log.append(entry.clone());
        Down::Log { position, entry }
    }

    /// Orders a commit: the first for an epoch wins it.
    ///
    /// # Errors
    /// The epoch now, where another commit was first.
    pub fn commit(&mut self, commit: Commit) -> Result<Won, Epoch> {
        if commit.epoch != self.epoch {
            return Err(self.epoch);
        }
        let Commit { from, epoch, blob, welcomes, removed } = commit;
        self.epoch = epoch.next();
        let entry = self.append(Entry::Commit { from, epoch, blob });
        self.gone.retain(|gone| !removed.contains(gone));
        let removed: Vec<_> =
            removed.into_iter().filter(|participant| self.members.remove(participant).is_some()).collect();
        let told = self.members().collect();
        Ok(Won { entry, told, removed, welcomes })
    }

    /// What those hear first whom `welcome` lets in now.
    pub fn admission(&self, welcome: Blob) -> Down {
        let gone = self.gone.iter().copied().collect();
        Down::Admitted { welcome, position: self.log.end(), epoch: self.epoch, gone }
    }

    /// Makes members of those of `to` who wait at the door. Back come these, and those who do not wait and are no members.
    pub fn admit(&mut self, to: Vec<ParticipantId>) -> (Vec<ParticipantId>, Vec<ParticipantId>) {
        let strangers = to.into_iter().filter(|participant| !self.members.contains_key(participant));
        let (admitted, vanished): (Vec<_>, Vec<_>) =
            strangers.partition(|participant| self.knocking.contains_key(participant));
        let position = self.log.end();
        for participant in &admitted {
            self.knocking.remove(participant);
            self.members.insert(*participant, position);
        }
        (admitted, vanished)
    }

    /// What somebody who was just let in has to hear behind its Welcome: the entries since, and who else waits.
    pub fn since_admission(&self, participant: ParticipantId) -> impl Iterator<Item = Down> {
        let position = self.members.get(&participant).copied().unwrap_or(self.log.end());
        let entries = self.log.since(position);
        let waiting = self.knocking.iter();
        entries
            .map(|(position, entry)| Down::Log { position, entry: entry.clone() })
            .chain(waiting.map(|(who, request)| Down::Knocked { participant: *who, request: request.clone() }))
    }
}
