//! One meeting as the delivery service sees it: its authority, its members, the clients that wait to be admitted, and
//! the log.

mod commit;
pub mod forwarding;
pub mod storage;

use commit::rotate;
pub use commit::{Changes, Commit};

use super::actions::{Actions, Trust};
use super::authority::Authority;
use super::connection_id::ConnectionId;
use super::departed::Departed;
use super::log::Log;
use super::members::{Member, Members, Presence, send_lost};
use super::returns::Returns;
use super::settings::Settings;
use super::stored::Unstored;
use super::tree::{Tree, Welcomes};
use super::waiting::{Request, Waiting, WaitingClient};
use crate::{Origin, sfu};
use proto::{
    Blob, Down, Epoch, GoneMember, LogEntry, ManagerCommand, MeetingId, ParticipantId, Position, Problem, Refusal,
    SignedCommand, Welcome,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// One meeting.
#[derive(Debug)]
pub struct Meeting {
    id: MeetingId,
    settings: Arc<Settings>,
    authority: Authority,
    /// Whether knocks are refused.
    pub is_locked: bool,
    members: Members,
    waiting: Waiting,
    returns: Returns,
    departed: Departed,
    /// What members that are absent may still need.
    pub log: Log,
    epoch: Epoch,
    /// Until then only managers commit, because a manager's commit lost against a member's.
    reserved_until: Option<Instant>,
    /// What is not stored yet.
    unstored: Unstored,
    /// True if the next step panics.
    #[cfg(test)]
    pub panics: bool,
}

impl Meeting {
    /// Returns a meeting at epoch 0 whose only member is `first`.
    pub fn new(
        authority: Authority,
        id: MeetingId,
        (first, connection): (ParticipantId, ConnectionId),
        settings: Arc<Settings>,
        now: Instant,
    ) -> Self {
        let mut creator = Member::new(connection, Position(0), &settings.limits, now);
        creator.is_manager = true;
        creator.prove(0);
        let mut members = Members::default();
        members.insert(first, creator);
        let log = Log::new(settings.limits.log_entries, settings.limits.log_bytes);
        let waiting = Waiting::new(&settings.limits, now);
        Self {
            id,
            settings,
            authority,
            is_locked: false,
            members,
            waiting,
            returns: Returns::default(),
            departed: Departed::default(),
            log,
            epoch: Epoch(0),
            reserved_until: None,
            unstored: Unstored::all(),
            #[cfg(test)]
            panics: false,
        }
    }

    /// Returns the answer to [`proto::Up::Approach`].
    pub fn admission_key(&self) -> Down {
        #[cfg(test)]
        assert!(!self.panics, "injected");
        Down::AdmissionKey { admission_key: self.authority.admission_key().clone(), chain: self.authority.chain() }
    }

    /// Returns whether no member is left.
    pub fn is_empty(&self) -> bool {
        self.members.len() == 0
    }

    /// Returns the members, connected or absent.
    pub fn members(&self) -> BTreeSet<ParticipantId> {
        self.members.ids().collect()
    }

    /// Returns the connections that wait to be admitted.
    pub fn waiting(&self) -> impl Iterator<Item = ConnectionId> {
        self.waiting.connections()
    }

    /// Stores a request to be admitted. The members learn of it in [`Self::announce`]. If there are too many, returns the
    /// connection that has to make room.
    ///
    /// # Errors
    /// Returns [`Problem::MeetingFull`], or [`Problem::NotAuthorised`] if the authority did not sign a request to come
    /// back.
    pub fn request(
        &mut self,
        participant: ParticipantId,
        (connection, origin): (ConnectionId, Origin),
        request: Request,
        now: Instant,
    ) -> Result<Option<ConnectionId>, Problem> {
        let mut crowding = None;
        let max = self.settings.limits.members;
        if let Request::Return(request, signature) = &request {
            if !self.authority.has_signed_return(participant, &request.0, signature) {
                return Err(Problem::NotAuthorised);
            }
            // Those who knock do not count: they could keep an organiser out.
            if self.members.len() + self.waiting.returning() >= self.settings.places(true) {
                return Err(Problem::MeetingFull);
            }
            self.returns.handle_request(participant, now);
        } else if self.members.len() >= max || self.waiting.count_of(origin) >= max.div_ceil(WAITING_SHARE) {
            return Err(Problem::MeetingFull);
        } else if self.members.len() + self.waiting.len() >= max {
            crowding = Some(self.waiting.crowding(origin).ok_or(Problem::MeetingFull)?);
        }
        self.waiting.insert(participant, WaitingClient::new(connection, origin, request, now));
        #[cfg(test)]
        assert!(!self.panics, "injected");
        Ok(crowding)
    }

    /// Tells the managers of the knocks whose turn it is, and all members of the managers who come back.
    pub fn announce(&mut self, now: Instant, actions: &mut Actions) {
        while let Some(message) = self.waiting.announce(now) {
            if let Down::Knocked { .. } = message {
                actions.send_all(self.members.deciders(self.authority.rotations()), &message);
            } else {
                actions.send_all(self.members.connections(), &message);
            }
        }
    }

    /// Removes a person who gave up waiting, and notifies the members that know of it. Does nothing if `participant` does
    /// not wait.
    pub fn withdraw(&mut self, participant: ParticipantId, actions: &mut Actions) {
        if let Some((_, true)) = self.waiting.remove(participant) {
            self.departed.add_withdrawn(participant);
            actions.send_all(self.members.connections(), &Down::Withdrew { participant });
            log_withdrawn_return(self, participant, None, actions);
        }
    }

    /// Removes a member that left, and logs that it is gone.
    pub fn leave(&mut self, participant: ParticipantId, actions: &mut Actions) {
        if self.members.remove(participant).is_some() {
            self.returns.forget(participant);
            actions.command_sfu(sfu::Command::Leave { participant });
            self.append(LogEntry::Gone { participant, by: None }, actions);
            self.trim_log();
        }
    }

    /// Handles the loss of a member's connection. The member may resume for some time.
    pub fn lose(&mut self, participant: ParticipantId, now: Instant, actions: &mut Actions) {
        let Some(member) = self.members.get_mut(participant) else { return };
        member.presence = Presence::Absent(now + self.settings.limits.absence);
        // Its client sends it again with the next commit.
        member.tree = Tree::default();
        #[cfg(test)]
        assert!(!self.panics, "injected");
        actions.send_all(self.members.connections(), &Down::Presence { participant, connected: false });
    }

    /// Continues a member on another connection. Returns the connection that it had, if that is still open.
    ///
    /// # Errors
    /// Returns [`Problem::NotResumable`] if `participant` is no member, or the log does not reach back to `position`.
    pub fn resume(
        &mut self,
        participant: ParticipantId,
        connection: ConnectionId,
        position: Position,
        actions: &mut Actions,
    ) -> Result<Option<ConnectionId>, Problem> {
        let reaches = self.log.reaches(position);
        let member = self.members.get_mut(participant).filter(|_| reaches).ok_or(Problem::NotResumable)?;
        let before = member.connection();
        member.presence = Presence::Connected(connection);
        member.acknowledged = position;
        member.tree = Tree::default();
        actions.trust(connection, if member.is_manager { Trust::Manager } else { Trust::Member });
        actions.send(connection, &Down::Resumed);
        for message in self.log.replay(position) {
            actions.send_encoded([connection], &message);
        }
        // It asks its user again about those of whom it had learned, also if the keys have changed since.
        let is_manager = member.is_manager;
        self.waiting.describe(&self.members, (connection, is_manager), actions);
        actions.join_sfu(self.id, participant, connection);
        if before.is_none() {
            let others = self.members.connections_except(participant);
            actions.send_all(others, &Down::Presence { participant, connected: true });
        }
        self.trim_log();
        Ok(before)
    }

    /// Handles that some time has passed: removes the members whose time to resume is over.
    pub fn expire(&mut self, now: Instant, actions: &mut Actions) {
        #[cfg(test)]
        assert!(!self.panics, "injected");
        for participant in self.members.expired(now) {
            self.leave(participant, actions);
        }
        self.members.expire_trees(now);
        self.unstored.handle_tick();
    }

    /// Notes which entry a member expects next.
    pub fn acknowledge(&mut self, participant: ParticipantId, position: Position) {
        if let Some(member) = self.members.get_mut(participant) {
            member.acknowledged = member.acknowledged.max(position);
            self.trim_log();
        }
    }

    /// Logs an application message.
    ///
    /// # Errors
    /// Returns [`Problem::TooFast`] if the member sends too many of them, or too many bytes.
    pub fn tell(
        &mut self,
        from: ParticipantId,
        epoch: Epoch,
        blob: Blob,
        now: Instant,
        actions: &mut Actions,
    ) -> Result<(), Problem> {
        let Some(member) = self.members.get_mut(from) else { return Ok(()) };
        if !member.take_tell(blob.0.len(), now) {
            return Err(Problem::TooFast);
        }
        let entry = self.log.append(LogEntry::Told { from, epoch, blob });
        #[cfg(test)]
        assert!(!self.panics, "injected");
        actions.tell(self.members.connections(), from, entry.position, &entry.message);
        if self.settings.stores {
            self.unstored.add(entry);
        }
        Ok(())
    }

    /// Handles a commit without a signature. It is accepted if it is the first one for its epoch, the member may commit
    /// now, and all organisers that it admits still wait; else its sender gets the current epoch.
    ///
    /// # Errors
    /// Returns [`Problem::NotAuthorised`] if only a manager may send such a commit.
    pub fn commit(
        &mut self,
        from: ParticipantId,
        commit: Commit,
        now: Instant,
        actions: &mut Actions,
    ) -> Result<Changes, Problem> {
        let is_reserved = self.reserved_until.is_some_and(|until| now < until);
        let Some(member) = self.members.get(from) else { return Ok(Changes::default()) };
        let admitted: Vec<_> = commit.welcomes.list.iter().flat_map(|welcome| welcome.to.iter().copied()).collect();
        let waits = |to: &ParticipantId| self.waiting.contains(*to) && self.returns.contains(*to);
        let answered: Vec<_> = admitted.iter().copied().filter(waits).collect();
        let is_answer = !answered.is_empty();
        // The members reject the leaf of an organiser that has given up: the log says so before this commit.
        let names_withdrawn = admitted.iter().any(|to| self.returns.contains(*to) && !waits(to));
        let is_guarded = self.returns.are_guarded(|organiser| self.waiting.contains(organiser), now);
        let is_needed = is_answer || self.departed.is_needed(&commit.removed);
        let may_commit =
            !is_reserved && member.may_commit(is_needed, now) && !names_withdrawn && (is_answer || !is_guarded);
        let has_turn = may_commit && self.returns.has_turn(from, is_answer, self.members.connected(), now);
        if has_turn && is_answer && commit.epoch < self.epoch {
            self.returns.reserve(from, now + self.settings.limits.commit_interval * RESERVED_INTERVALS, now);
        }
        if !has_turn || commit.epoch != self.epoch {
            send_lost(from, &self.members, self.epoch, actions);
            return Ok(Changes::default());
        }
        if !self.departed.contains_all(&commit.removed) || !admitted.iter().all(|to| self.returns.contains(*to)) {
            return Err(Problem::NotAuthorised);
        }
        for organiser in answered {
            self.returns.handle_answer(from, organiser, now);
        }
        if let Some(member) = self.members.get_mut(from) {
            member.committed(is_needed, &self.settings.limits, now);
        }
        let Commit { epoch, blob, welcomes, removed } = commit;
        self.departed.handle_commit(&removed);
        self.epoch = epoch.next();
        self.append(LogEntry::Commit { from, epoch, blob }, actions);
        let mut changes = Changes::default();
        self.admit((from, welcomes), now, &mut changes, actions);
        Ok(changes)
    }

    /// Handles a manager's command. A command that is signed by the authority before the last rotation has no effect: if
    /// it is a commit, its sender gets [`Down::CommitTooLate`].
    ///
    /// # Errors
    /// Returns [`Problem::NotAuthorised`] if the signature is not the authority's or the counter is not new, and
    /// [`Problem::Malformed`] if the bytes are no command.
    pub fn manage(
        &mut self,
        signed: SignedCommand,
        welcomes: Welcomes,
        now: Instant,
        actions: &mut Actions,
    ) -> Result<Changes, Problem> {
        let SignedCommand { from, counter, command, signature } = &signed;
        let Some(member) = self.members.get_mut(*from) else { return Ok(Changes::default()) };
        if !self.authority.has_signed(*from, *counter, &command.0, signature) {
            // A manager may have sent it before it learned of several rotations. If the server closed its connection, another
            // manager could have it reported as gone.
            if !member.is_manager && !self.authority.had_signed(*from, *counter, &command.0, signature) {
                return Err(Problem::NotAuthorised);
            }
            if let Ok(ManagerCommand::Commit { .. }) = signed.decode() {
                send_lost(*from, &self.members, self.epoch, actions);
            }
            return Ok(Changes::default());
        }
        if !member.accept_counter(*counter) {
            return Err(Problem::NotAuthorised);
        }
        let is_new = member.prove(self.authority.rotations());
        if let Some(connection) = member.connection().filter(|_| is_new) {
            self.waiting.knocks().for_each(|message| actions.send(connection, &message));
        }
        self.unstored.change_counter();
        if !member.is_manager {
            member.is_manager = true;
            self.unstored.change_state();
            if let Some(connection) = member.connection() {
                actions.trust(connection, Trust::Manager);
            }
        }
        self.returns.confirm(*from);
        let command = signed.decode().map_err(|proto::Malformed| Problem::Malformed)?;
        if !welcomes.list.is_empty() && !matches!(command, ManagerCommand::Commit { .. }) {
            return Err(Problem::Malformed);
        }
        self.execute(command, signed, welcomes, now, actions)
    }

    fn execute(
        &mut self,
        command: ManagerCommand,
        signed: SignedCommand,
        welcomes: Welcomes,
        now: Instant,
        actions: &mut Actions,
    ) -> Result<Changes, Problem> {
        let mut changes = Changes::default();
        match command {
            ManagerCommand::Commit { epoch, removed, rotation, .. } if epoch == self.epoch => {
                if let Some(next) = rotation {
                    rotate(&mut self.authority, self.members.get_mut(signed.from), next)?;
                }
                let from = signed.from;
                self.commit_signed(signed, &removed, &mut changes, actions);
                self.admit((from, welcomes), now, &mut changes, actions);
            }
            ManagerCommand::Commit { .. } => {
                self.reserved_until = Some(now + self.settings.limits.commit_interval);
                send_lost(signed.from, &self.members, self.epoch, actions);
            }
            ManagerCommand::Refuse { participant, why } => {
                self.refuse(participant, (why, signed.from), &mut changes, actions);
            }
            ManagerCommand::Expel { participant } => {
                if self.remove(participant, &signed, &mut changes, actions) {
                    self.append(LogEntry::Gone { participant, by: Some(signed.from) }, actions);
                }
            }
            ManagerCommand::Void { epoch, participant } if epoch < self.epoch => {
                let was_member = self.remove(participant, &signed, &mut changes, actions);
                let by = Some(signed.from);
                self.append(LogEntry::Managed { signed }, actions);
                if was_member {
                    self.append(LogEntry::Gone { participant, by }, actions);
                }
            }
            ManagerCommand::Void { .. } => {}
            ManagerCommand::Lock { locked } if locked == self.is_locked => {}
            ManagerCommand::Lock { locked } => {
                self.is_locked = locked;
                self.unstored.change_state();
            }
            ManagerCommand::Beacon { .. } => {
                actions.send_all(self.members.connections_except(signed.from), &Down::Beacon { signed });
            }
            ManagerCommand::End => self.end(&signed, &mut changes, actions),
            ManagerCommand::Lobby { participant, blob } => {
                if let Some(connection) = self.waiting.knocking(participant) {
                    let managers = self.members.managers(self.authority.rotations());
                    let to = managers.chain([connection]);
                    actions.send_all(to, &Down::Lobby { participant, from: signed.from, blob });
                }
            }
        }
        Ok(changes)
    }

    /// Refuses a client that waits, as a manager has decided. Other managers may keep the same request for a decision.
    fn refuse(
        &mut self,
        participant: ParticipantId,
        (why, by): (Refusal, ParticipantId),
        changes: &mut Changes,
        actions: &mut Actions,
    ) {
        let Some((connection, is_known)) = self.waiting.remove(participant) else { return };
        if is_known {
            actions.send_all(self.members.connections_except(by), &Down::Withdrew { participant });
        }
        actions.send(connection, &Down::Refused { why });
        actions.close(connection);
        changes.closed.push(connection);
        log_withdrawn_return(self, participant, Some(by), actions);
    }

    /// Accepts a manager's commit for the current epoch.
    fn commit_signed(
        &mut self,
        signed: SignedCommand,
        removed: &[ParticipantId],
        changes: &mut Changes,
        actions: &mut Actions,
    ) {
        self.reserved_until = None;
        self.epoch = self.epoch.next();
        self.departed.handle_commit(removed);
        let mut were_members = removed.to_vec();
        were_members.retain(|participant| self.remove(*participant, &signed, changes, actions));
        let by = Some(signed.from);
        self.append(LogEntry::Managed { signed }, actions);
        for participant in were_members {
            self.append(LogEntry::Gone { participant, by }, actions);
        }
    }

    /// Removes a member that a manager's command names. Returns whether it was a member.
    fn remove(
        &mut self,
        participant: ParticipantId,
        signed: &SignedCommand,
        changes: &mut Changes,
        actions: &mut Actions,
    ) -> bool {
        let Some(member) = self.members.remove(participant) else { return false };
        self.returns.forget(participant);
        actions.command_sfu(sfu::Command::Leave { participant });
        if let Some(connection) = member.connection() {
            actions.send(connection, &Down::Removed { signed: signed.clone() });
            actions.close(connection);
            changes.closed.push(connection);
        }
        self.trim_log();
        true
    }

    /// Admits the receivers of Welcomes that still wait, if there is a place. A receiver that neither waits nor is a member has
    /// left, and one without a place does: it is logged as gone, because the commit added a leaf for it. If it has not waited or
    /// was refused, only the committer says so: it is logged as removed by the committer.
    fn admit(
        &mut self,
        (from, welcomes): (ParticipantId, Welcomes),
        now: Instant,
        changes: &mut Changes,
        actions: &mut Actions,
    ) {
        let Welcomes { list, tree } = welcomes;
        for Welcome { to, blob } in list {
            let (position, mut admitted, mut absent) = (self.log.end(), Vec::new(), Vec::new());
            for participant in to {
                if self.members.get(participant).is_some() {
                    continue;
                }
                match self.waiting.remove(participant) {
                    Some((connection, _))
                        if self.members.len() < self.settings.places(self.returns.contains(participant)) =>
                    {
                        let member = Member::new(connection, position, &self.settings.limits, now);
                        self.members.insert(participant, member);
                        admitted.push((participant, connection));
                    }
                    // Those who have come back have taken the last place.
                    Some((connection, _)) => {
                        actions.send(connection, &Down::Problem { problem: Problem::MeetingFull });
                        actions.close(connection);
                        changes.closed.push(connection);
                        absent.push((participant, None));
                    }
                    None if self.departed.has_withdrawn(participant) => absent.push((participant, None)),
                    None => absent.push((participant, Some(from))),
                }
            }
            for (participant, connection) in &admitted {
                actions.trust(*connection, Trust::Member);
                let admission = Down::Admitted {
                    welcome: blob.clone(),
                    position,
                    epoch: self.epoch,
                    gone: self.departed.list(),
                    resume: self.settings.token(self.id, *participant),
                    tree: tree.length(),
                };
                actions.send(*connection, &admission);
                tree.parts().iter().for_each(|part| actions.send_encoded([*connection], part));
                self.waiting.describe(&self.members, (*connection, false), actions);
                actions.join_sfu(self.id, *participant, *connection);
            }
            changes.admitted.extend(admitted.into_iter().map(|(_, connection)| connection));
            absent.retain(|(participant, _)| !self.departed.contains(*participant));
            for (participant, by) in absent {
                self.append(LogEntry::Gone { participant, by }, actions);
            }
        }
    }

    fn end(&mut self, signed: &SignedCommand, changes: &mut Changes, actions: &mut Actions) {
        let connections: Vec<ConnectionId> = self.members.connections().collect();
        actions.send_all(connections.iter().copied(), &Down::Ended { signed: signed.clone() });
        for connection in &connections {
            actions.close(*connection);
        }
        changes.closed.extend(connections);
        self.close(actions);
    }

    /// Removes all members.
    pub fn close(&mut self, actions: &mut Actions) {
        self.members.ids().for_each(|participant| actions.command_sfu(sfu::Command::Leave { participant }));
        self.members = Members::default();
    }

    /// Appends an entry that every member needs, and sends it to the members.
    fn append(&mut self, entry: LogEntry, actions: &mut Actions) {
        if let LogEntry::Gone { participant, by } = entry {
            self.departed.add(GoneMember { participant, by });
        }
        let entry = self.log.append(entry);
        actions.send_encoded(self.members.connections(), &entry.message);
        if self.settings.stores {
            self.unstored.add(entry);
        }
        self.unstored.change_state();
    }

    fn trim_log(&mut self) {
        if let Some(position) = self.members.acknowledged() {
            self.log.forget_before(position);
        }
    }
}

/// Logs that an organiser that does not wait any more is gone. Any member may have added a leaf for it, or could do so later.
fn log_withdrawn_return(
    meeting: &mut Meeting,
    participant: ParticipantId,
    by: Option<ParticipantId>,
    actions: &mut Actions,
) {
    if meeting.returns.contains(participant) {
        meeting.append(LogEntry::Gone { participant, by }, actions);
    }
}

/// The clients from one origin that wait may take this fraction of the places of a meeting: 1/4.
const WAITING_SHARE: usize = 4;

/// How many commit intervals are reserved for a member that answers an organiser. It tries again after a little more than one.
const RESERVED_INTERVALS: u32 = 2;
