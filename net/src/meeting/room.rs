//! The meeting of a member: routes messages and commands to the parts that own the state.

use super::admissions::Admissions;
use super::announcements::Announcements;
use super::group_log::{GroupLog, Outcome};
use super::joining::Membership;
use super::outbox::Outbox;
use super::removals::Removals;
use super::roster::Roster;
use super::{Command, Event, MediaState, Notice};
use proto::{Blob, Entry, Epoch, ParticipantId, Position, Reason};
use std::time::Instant;

/// A meeting that this client is a member of.
pub(super) struct Room {
    log: GroupLog,
    roster: Roster,
    admissions: Admissions,
    removals: Removals,
    announcements: Announcements,
}

impl Room {
    /// Enters the meeting: emits the keys and the members, and sends what is due.
    pub(super) fn new(
        membership: Membership,
        own: MediaState,
        now: Instant,
        outbox: &mut Outbox,
    ) -> Result<Self, Reason> {
        let Membership { me, group, keys, position, epoch, gone } = membership;
        let mut room = Self {
            log: GroupLog::new(group, position, epoch),
            roster: Roster::new(me, gone, now),
            admissions: Admissions::new(keys),
            removals: Removals::default(),
            announcements: Announcements::new(own),
        };
        room.roster.update(room.log.members(), own);
        if !room.roster.contains(me) {
            return Err(Reason::Forged);
        }
        room.emit_keys(Vec::new(), outbox)?;
        outbox.event(Event::Entered { me });
        room.emit_members(outbox);
        if !room.roster.has_organiser() {
            outbox.notice(Notice::Unattended);
        }
        room.send_due(now, outbox);
        Ok(room)
    }

    pub(super) const fn me(&self) -> ParticipantId {
        self.roster.me()
    }

    #[cfg(test)]
    pub(super) fn admission_key(&self) -> Option<proto::Blob> {
        self.admissions.admission_key()
    }

    pub(super) fn handle_command(&mut self, command: Command, now: Instant, outbox: &mut Outbox) {
        match command {
            Command::Announce(state) => {
                self.announcements.announce(state);
                self.roster.set_state(self.me(), state);
                self.emit_members(outbox);
            }
            Command::Remove(participant) if self.roster.am_organiser() && participant != self.me() => {
                if self.roster.contains(participant) {
                    self.removals.request(participant);
                }
            }
            Command::Remove(_) => outbox.notice(Notice::NotAllowed),
            Command::Refresh => self.log.request_refresh(),
            // `Meeting` handles it.
            Command::Leave => {}
        }
        self.send_due(now, outbox);
    }

    pub(super) fn handle_knock(
        &mut self,
        participant: ParticipantId,
        request: &Blob,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        if !self.roster.contains(participant) {
            self.admissions.handle_knock(participant, request, outbox);
        }
        self.send_due(now, outbox);
    }

    pub(super) fn handle_withdrawal(&mut self, participant: ParticipantId, now: Instant, outbox: &mut Outbox) {
        self.admissions.handle_withdrawal(participant);
        self.send_due(now, outbox);
    }

    /// Handles the server's answer that it rejected a commit of this client.
    pub(super) fn handle_lost(&mut self, epoch: Epoch, now: Instant, outbox: &mut Outbox) {
        self.log.handle_lost(epoch);
        self.send_due(now, outbox);
    }

    /// Processes the next entry of the log.
    pub(super) fn handle_entry(
        &mut self,
        position: Position,
        entry: Entry,
        now: Instant,
        outbox: &mut Outbox,
    ) -> Result<(), Reason> {
        self.log.advance(position)?;
        match entry {
            Entry::Commit { from, epoch, blob } => self.handle_commit(from, epoch, &blob, outbox)?,
            Entry::Told { from, epoch, blob } => self.handle_application_message(from, epoch, &blob, outbox)?,
            Entry::Gone { participant } => self.handle_gone(participant, now, outbox)?,
        }
        self.send_due(now, outbox);
        Ok(())
    }

    fn handle_commit(
        &mut self,
        from: ParticipantId,
        epoch: Epoch,
        blob: &Blob,
        outbox: &mut Outbox,
    ) -> Result<(), Reason> {
        match self.log.handle_commit(epoch, blob, &|id| self.roster.is_gone(id))? {
            Outcome::Won => {
                self.admissions.reset_batch();
                self.handle_group_change(outbox)
            }
            Outcome::Merged => self.handle_group_change(outbox),
            Outcome::RemovedMe => Err(Reason::Removed),
            // The server cannot check commits, so an invalid one ended the log's epoch. All honest members reject it.
            Outcome::Rejected => {
                outbox.notice(Notice::CommitRejected(from));
                self.log.handle_unreadable(from, blob, &self.roster)
            }
        }
    }

    /// Handles a new epoch of the group. The keys come before the events about members.
    fn handle_group_change(&mut self, outbox: &mut Outbox) -> Result<(), Reason> {
        let changes = self.roster.update(self.log.members(), self.announcements.own());
        self.emit_keys(changes.left.iter().map(|departure| departure.leaf).collect(), outbox)?;
        for departure in &changes.left {
            outbox.event(Event::Left { id: departure.id, removed: departure.removed });
        }
        for id in &changes.joined {
            outbox.event(Event::Joined(*id));
        }
        self.removals.settle(&self.roster);
        self.admissions.settle(&self.roster);
        self.announcements.settle(&self.roster, !changes.joined.is_empty());
        self.emit_members(outbox);
        Ok(())
    }

    /// Handles an application message. One that cannot be read is skipped, because it may be older than this client's
    /// membership.
    fn handle_application_message(
        &mut self,
        from: ParticipantId,
        epoch: Epoch,
        blob: &Blob,
        outbox: &mut Outbox,
    ) -> Result<(), Reason> {
        if from == self.me() {
            // The others have dropped the keys of its epoch and cannot read it.
            if self.log.epochs_since(epoch) > READABLE_EPOCHS {
                self.announcements.repeat();
            }
            return Ok(());
        }
        let Some((author, bytes)) = self.log.open_message(blob) else {
            return self.log.handle_unreadable(from, blob, &self.roster);
        };
        if let Some(state) = self.announcements.receive(author, &bytes, &self.roster)
            && self.roster.set_state(author, state)
        {
            self.emit_members(outbox);
        }
        Ok(())
    }

    fn handle_gone(&mut self, participant: ParticipantId, now: Instant, outbox: &mut Outbox) -> Result<(), Reason> {
        if participant == self.me() {
            // The server has told the others that this client is gone, so it cannot stay.
            return Err(Reason::ServerSilent);
        }
        self.admissions.handle_withdrawal(participant);
        if self.roster.mark_gone(participant, now) {
            outbox.notice(Notice::Unattended);
        }
        Ok(())
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) -> Result<(), Reason> {
        if self.log.commit_deadline().is_some_and(|deadline| now >= deadline) {
            return Err(Reason::ServerSilent);
        }
        self.send_due(now, outbox);
        Ok(())
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.log.commit_deadline().or_else(|| self.roster.removal_deadline())
    }

    /// Sends everything that can be sent now, but at most one commit. Removals come before admissions, so that a new
    /// member never shares an epoch with one that is to be removed. Requests are kept until a merged commit fulfils
    /// them.
    fn send_due(&mut self, now: Instant, outbox: &mut Outbox) {
        self.announcements.send(&mut self.log, outbox);
        if !self.roster.has_organiser() && self.roster.rank() == 0 {
            self.admissions.refuse_all(outbox);
        }
        if self.log.has_pending() {
            return;
        }
        let sent = self.removals.commit(&mut self.roster, &mut self.log, now, outbox)
            || self.admissions.commit(&mut self.log, now, outbox);
        if !sent {
            self.log.commit_refresh(now, outbox);
        }
    }

    fn emit_keys(&self, removed: Vec<crypto::Leaf>, outbox: &mut Outbox) -> Result<(), Reason> {
        let (keys, leaves) = (self.log.media_keys()?, self.roster.leaves());
        outbox.event(Event::Keys { keys, removed, leaves, epoch: self.log.mls_epoch() });
        outbox.event(Event::Words(self.log.words()));
        Ok(())
    }

    fn emit_members(&self, outbox: &mut Outbox) {
        outbox.event(Event::Members(self.roster.list()));
    }
}

/// For how many epochs after its own an application message can be read.
const READABLE_EPOCHS: u64 = 2;
