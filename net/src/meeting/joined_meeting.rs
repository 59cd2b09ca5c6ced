//! The meeting of a member: routes messages and commands to the parts that own the state.

use super::admissions::Admissions;
use super::announcements::Announcements;
use super::group_log::{GroupLog, Outcome};
use super::joining::NewMember;
use super::outputs::Outputs;
use super::removals::Removals;
use super::roster::Roster;
use super::{Command, Event, MediaState, Notice};
use proto::{Blob, Epoch, LogEntry, ParticipantId, Position, Reason};
use std::time::Instant;

/// A meeting that this client is a member of.
pub(super) struct JoinedMeeting {
    log: GroupLog,
    roster: Roster,
    admissions: Admissions,
    removals: Removals,
    announcements: Announcements,
}

impl JoinedMeeting {
    /// Enters the meeting: emits the keys and the members, and sends what is due.
    pub(super) fn new(
        new_member: NewMember,
        own: MediaState,
        now: Instant,
        outputs: &mut Outputs,
    ) -> Result<Self, Reason> {
        let NewMember { me, group, admission_key, position, epoch, gone } = new_member;
        let mut joined = Self {
            log: GroupLog::new(group, position, epoch),
            roster: Roster::new(me, gone, now),
            admissions: Admissions::new(admission_key),
            removals: Removals::default(),
            announcements: Announcements::new(own),
        };
        joined.roster.update(joined.log.members(), own);
        if !joined.roster.contains(me) {
            return Err(Reason::Forged);
        }
        joined.emit_keys(Vec::new(), outputs)?;
        outputs.event(Event::Entered { me });
        joined.emit_members(outputs);
        if !joined.roster.has_organiser() {
            outputs.notice(Notice::Unattended);
        }
        joined.send_due(now, outputs);
        Ok(joined)
    }

    pub(super) const fn me(&self) -> ParticipantId {
        self.roster.me()
    }

    #[cfg(test)]
    pub(super) fn admission_key(&self) -> Option<&[u8]> {
        self.admissions.public_key()
    }

    pub(super) fn handle_command(&mut self, command: Command, now: Instant, outputs: &mut Outputs) {
        match command {
            Command::Announce(state) => {
                self.announcements.announce(state);
                self.roster.set_state(self.me(), state);
                self.emit_members(outputs);
            }
            Command::Remove(participant) if self.roster.am_organiser() && participant != self.me() => {
                if self.roster.contains(participant) {
                    self.removals.request(participant);
                }
            }
            Command::Remove(_) => outputs.notice(Notice::NotAllowed),
            Command::Refresh => self.log.request_refresh(),
            // `Meeting` handles it.
            Command::Leave => {}
        }
        self.send_due(now, outputs);
    }

    pub(super) fn handle_knock(
        &mut self,
        participant: ParticipantId,
        request: &Blob,
        now: Instant,
        outputs: &mut Outputs,
    ) {
        if !self.roster.contains(participant) {
            self.admissions.handle_knock(participant, request, outputs);
        }
        self.send_due(now, outputs);
    }

    pub(super) fn handle_withdrawal(&mut self, participant: ParticipantId, now: Instant, outputs: &mut Outputs) {
        self.admissions.handle_withdrawal(participant);
        self.send_due(now, outputs);
    }

    /// Handles the server's answer that a commit of this client came too late: it accepted another one for its epoch.
    pub(super) fn handle_commit_too_late(&mut self, epoch: Epoch, now: Instant, outputs: &mut Outputs) {
        self.log.handle_commit_too_late(epoch);
        self.send_due(now, outputs);
    }

    /// Processes the next entry of the log.
    pub(super) fn handle_log_entry(
        &mut self,
        position: Position,
        entry: LogEntry,
        now: Instant,
        outputs: &mut Outputs,
    ) -> Result<(), Reason> {
        self.log.advance(position)?;
        match entry {
            LogEntry::Commit { from, epoch, blob } => self.handle_commit(from, epoch, &blob, outputs)?,
            LogEntry::Told { from, epoch, blob } => self.handle_application_message(from, epoch, &blob, outputs)?,
            LogEntry::Gone { participant } => self.handle_gone(participant, now, outputs)?,
        }
        self.send_due(now, outputs);
        Ok(())
    }

    fn handle_commit(
        &mut self,
        from: ParticipantId,
        epoch: Epoch,
        blob: &Blob,
        outputs: &mut Outputs,
    ) -> Result<(), Reason> {
        match self.log.handle_commit(epoch, blob, &|id| self.roster.is_gone(id))? {
            Outcome::MergedOwn => {
                self.admissions.reset_batch();
                self.handle_group_change(outputs)
            }
            Outcome::MergedOther => self.handle_group_change(outputs),
            Outcome::RemovedMe => Err(Reason::Removed),
            // The server cannot check commits, so an invalid one ended the log's epoch. All honest members reject it.
            Outcome::Rejected => {
                outputs.notice(Notice::CommitRejected(from));
                self.log.handle_unreadable(from, blob, &self.roster)
            }
        }
    }

    /// Handles a new epoch of the group. The keys come before the events about members.
    fn handle_group_change(&mut self, outputs: &mut Outputs) -> Result<(), Reason> {
        let changes = self.roster.update(self.log.members(), self.announcements.own());
        self.emit_keys(changes.left.iter().map(|departure| departure.leaf).collect(), outputs)?;
        for departure in &changes.left {
            outputs.event(Event::Left { id: departure.id, removed: departure.removed });
        }
        for id in &changes.joined {
            outputs.event(Event::Joined(*id));
        }
        self.removals.handle_group_change(&self.roster);
        self.admissions.handle_group_change(&self.roster);
        self.announcements.handle_group_change(&self.roster, !changes.joined.is_empty());
        self.emit_members(outputs);
        Ok(())
    }

    /// Handles an application message. One that cannot be read is skipped, because it may be older than this client's
    /// membership.
    fn handle_application_message(
        &mut self,
        from: ParticipantId,
        epoch: Epoch,
        blob: &Blob,
        outputs: &mut Outputs,
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
            self.emit_members(outputs);
        }
        Ok(())
    }

    fn handle_gone(&mut self, participant: ParticipantId, now: Instant, outputs: &mut Outputs) -> Result<(), Reason> {
        if participant == self.me() {
            // The server has told the others that this client is gone, so it cannot stay.
            return Err(Reason::ServerSilent);
        }
        self.admissions.handle_withdrawal(participant);
        if self.roster.mark_gone(participant, now) {
            outputs.notice(Notice::Unattended);
        }
        Ok(())
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, outputs: &mut Outputs) -> Result<(), Reason> {
        if self.log.commit_deadline().is_some_and(|deadline| now >= deadline) {
            return Err(Reason::ServerSilent);
        }
        self.send_due(now, outputs);
        Ok(())
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.log.commit_deadline().or_else(|| self.roster.removal_deadline())
    }

    /// Sends everything that can be sent now, but at most one commit. Removals come before admissions, so that a new
    /// member never shares an epoch with one that is to be removed. Requests are kept until a merged commit fulfils
    /// them.
    fn send_due(&mut self, now: Instant, outputs: &mut Outputs) {
        self.announcements.send(&mut self.log, outputs);
        if !self.roster.has_organiser() && self.roster.rank() == 0 {
            self.admissions.refuse_all(outputs);
        }
        if self.log.has_pending() {
            return;
        }
        let sent = self.removals.commit(&mut self.roster, &mut self.log, now, outputs)
            || self.admissions.commit(&mut self.log, now, outputs);
        if !sent {
            self.log.commit_refresh(now, outputs);
        }
    }

    fn emit_keys(&self, removed: Vec<crypto::Leaf>, outputs: &mut Outputs) -> Result<(), Reason> {
        let (keys, leaves) = (self.log.media_keys()?, self.roster.leaves());
        outputs.event(Event::Keys { keys, removed, leaves, epoch: self.log.mls_epoch() });
        outputs.event(Event::Words(self.log.words()));
        Ok(())
    }

    fn emit_members(&self, outputs: &mut Outputs) {
        outputs.event(Event::Members(self.roster.list()));
    }
}

/// For how many epochs after its own an application message can be read.
const READABLE_EPOCHS: u64 = 2;
