//! The meeting of a member: routes messages and commands to the parts that own the state.

use super::admissions::Admissions;
use super::announcements::Announcements;
use super::chat::Chat;
use super::claim;
use super::context::Context;
use super::envelope::Envelope;
use super::event::{Exit, no_keys};
use super::exits::{is_of_leader, removed_by_commit, verified};
use super::group_log::{self, GroupLog, Outcome, is_of_this_epoch};
use super::history::GroupState;
use super::joining::NewMember;
use super::key_sharing::KeySharing;
use super::moderation::Moderation;
use super::outputs::Outputs;
use super::policy_changes::{PolicyChanges, Request, state_of};
use super::refresh::Refresh;
use super::rejections;
use super::removals::Removals;
use super::returns::Returns;
use super::roster::{self, Roster, judge};
use super::state::Message;
use super::unread_commit::UnreadCommit;
use super::verification::{Verification, show_other_group};
use super::{Command, Event, MediaState, Notice, PolicyState};
use proto::{
    Blob, Epoch, GoneMember, LogEntry, ManagerCommand, MeetingFlags, ParticipantId, Position, Reason, ResumeToken,
    Rights, Role, Signature, SignedCommand,
};
use std::time::Instant;

/// A meeting that this client is a member of.
pub(super) struct JoinedMeeting {
    pub(super) log: GroupLog,
    pub(super) roster: Roster,
    pub(super) admissions: Admissions,
    removals: Removals,
    returns: Returns,
    policy_changes: PolicyChanges,
    key_sharing: KeySharing,
    /// The policy as the screens know it.
    policy: PolicyState,
    announcements: Announcements,
    pub(super) chat: Chat,
    moderation: Moderation,
    pub(super) verification: Verification,
    refresh: Refresh,
    resume: ResumeToken,
    /// False while the connection is lost. Nothing is sent then.
    connected: bool,
}

impl JoinedMeeting {
    /// Enters the meeting: emits the keys and the members, and sends what is due.
    pub(super) fn new(new_member: NewMember, own: MediaState, context: &mut Context<'_>) -> Result<Self, Reason> {
        let mut joined = create(new_member, own, context)?;
        emit_keys(&joined.log, &joined.roster, Vec::new(), false, context.outputs)?;
        context.outputs.event(Event::Entered { me: joined.me() });
        emit_members(&joined.roster, context.outputs);
        context.outputs.event(Event::Policy(joined.policy.clone()));
        if !joined.roster.is_attended() && context.manager.is_none() {
            context.outputs.notice(Notice::Unattended);
        }
        joined.send_due(context);
        Ok(joined)
    }

    /// Enters the meeting again, after this client lost it.
    pub(super) fn again(self, new_member: NewMember, context: &mut Context<'_>) -> Result<Self, Reason> {
        let Self { roster: before, mut admissions, removals, policy_changes, announcements, chat, .. } = self;
        let (moderation, verification) = (self.moderation, self.verification);
        let mut joined = create(new_member, announcements.own(), context)?;
        let left = before.departed_since(&joined.roster);
        let known = |id: &ParticipantId| before.contains(*id) || *id == joined.me();
        let new: Vec<_> = joined.roster.list().into_iter().map(|person| person.id).filter(|id| !known(id)).collect();
        admissions.handle_lost_connection();
        admissions.devices.handle_rejoined(&left, &joined.roster);
        (joined.admissions, joined.removals, joined.policy_changes) = (admissions, removals, policy_changes);
        emit_keys(
            &joined.log,
            &joined.roster,
            left.iter().map(|departure| departure.leaf).collect(),
            true,
            context.outputs,
        )?;
        context.outputs.members_changed(&left, &new);
        context.outputs.event(Event::Reconnected { me: joined.me() });
        joined.moderation.resume(&moderation, before.me(), (&joined.log, &mut joined.roster), context);
        joined.removals.handle_group_change(&joined.roster, joined.log.group().policy());
        joined.policy_changes.handle_group_change(&joined.roster, joined.log.group().policy(), context.now);
        emit_members(&joined.roster, context.outputs);
        context.outputs.event(Event::Policy(joined.policy.clone()));
        verification.end(context.outputs);
        joined.chat = chat;
        joined.chat.handle_rejoined(&joined.log, context);
        joined.send_due(context);
        Ok(joined)
    }

    pub(super) const fn me(&self) -> ParticipantId {
        self.roster.me()
    }

    /// Returns the token and the position with which a new connection continues this membership.
    pub(super) const fn resume(&self) -> (ResumeToken, Position) {
        (self.resume, self.log.next())
    }

    /// Handles the end of the connection. Commands are kept until it is resumed.
    pub(super) fn handle_lost_connection(&mut self) {
        self.connected = false;
        self.log.handle_lost_connection();
        self.admissions.handle_lost_connection();
        self.announcements.handle_lost_connection();
        self.chat.handle_lost_connection();
        self.moderation.handle_lost_connection();
        self.verification.handle_lost_connection();
        self.key_sharing.repeat();
        self.returns.clear();
        self.roster.clear_absent();
    }

    /// Continues on a new connection. The entries that this client missed follow.
    pub(super) fn handle_resumed(&mut self, context: &mut Context<'_>) {
        self.connected = true;
        self.log.handle_resumed(context.now);
        self.verification.handle_resumed(&self.roster, context.now);
        context.outputs.event(Event::Reconnected { me: self.me() });
        emit_members(&self.roster, context.outputs);
    }

    /// Handles a ping. After the connection was resumed, the first one means that all entries have arrived. Returns the
    /// position of the next entry.
    pub(super) fn handle_ping(&mut self, context: &mut Context<'_>) -> Position {
        self.log.handle_caught_up();
        self.admissions.handle_caught_up(context.outputs);
        self.chat.handle_caught_up(context.now);
        self.moderation.handle_caught_up();
        self.verification.handle_ping(context.now);
        self.send_due(context);
        self.log.next()
    }

    pub(super) fn handle_command(&mut self, command: Command, context: &mut Context<'_>) {
        let rest = self.moderation.handle_command(command, (&self.log, &mut self.roster), context);
        let Some(command) = rest else { return self.send_due(context) };
        match command {
            Command::Announce(state) => {
                self.announcements.announce(state);
                self.roster.set_state(self.me(), state);
                emit_members(&self.roster, context.outputs);
            }
            Command::Remove(participant) => self.removals.handle_command(participant, &self.roster, context),
            Command::Admit(_)
            | Command::AdmitAll(_)
            | Command::Refuse(..)
            | Command::SendBack(_)
            | Command::ChangeLink
            | Command::WriteLobby { .. } => {
                self.admissions.handle_command(command, (&self.log, &self.roster), context);
            }
            Command::Refresh => self.refresh.request(context.now),
            Command::Chat(command) => self.chat.handle_command(command, &self.log, &self.roster, context),
            Command::Verify(command) => {
                self.verification.handle_command(command, (&self.log, &self.roster), context);
            }
            Command::SetRole(..)
            | Command::GrantRights(..)
            | Command::WithdrawRights(..)
            | Command::HandOver(_)
            | Command::SetFlags { .. }
            | Command::SetDefaultRole(_) => {
                if let Some(request) = Request::of(&command) {
                    self.policy_changes.request(request, &self.roster, &self.log, context);
                }
            }
            // `Meeting` or `Moderation` handles them.
            Command::Leave
            | Command::End
            | Command::Floor(_)
            | Command::RaiseHand(_)
            | Command::LowerHand(_)
            | Command::StopEverything => {}
        }
        self.send_due(context);
    }

    pub(super) fn handle_knock(&mut self, participant: ParticipantId, request: &Blob, context: &mut Context<'_>) {
        if !self.roster.contains(participant) {
            self.admissions.handle_knock(participant, request, (&self.log, &self.roster), &self.removals, context);
        }
        self.send_due(context);
    }

    pub(super) fn handle_withdrawal(&mut self, participant: ParticipantId, context: &mut Context<'_>) {
        self.admissions.handle_withdrawal(participant, context.outputs);
        self.returns.handle_withdrawal(participant);
        self.send_due(context);
    }

    /// Handles the request of an organiser to come back.
    pub(super) fn handle_return(
        &mut self,
        participant: ParticipantId,
        request: &Blob,
        signature: &Signature,
        context: &mut Context<'_>,
    ) {
        // The server announces a request before its end: a request that comes again is an old one.
        if !self.roster.contains(participant) && roster::gone(&self.roster, participant).is_none() {
            self.returns.handle_request(participant, request, signature, &self.log, context.now);
        }
        self.send_due(context);
    }

    /// Handles the loss of another member's connection, or its return.
    pub(super) fn handle_presence(&mut self, participant: ParticipantId, connected: bool, context: &mut Context<'_>) {
        if self.roster.set_connected(participant, connected) {
            emit_members(&self.roster, context.outputs);
            self.verification.handle_presence(&self.roster, context);
        }
    }

    /// Handles the server's answer that it did not accept a commit of this client.
    pub(super) fn handle_commit_too_late(&mut self, epoch: Epoch, context: &mut Context<'_>) {
        self.log.handle_commit_too_late(epoch, context.now);
        self.send_due(context);
    }

    /// Handles a beacon of a manager. One without a valid signature is ignored, and one of a manager that does not lead.
    pub(super) fn handle_beacon(&mut self, signed: &SignedCommand, outputs: &mut Outputs) -> Result<(), Exit> {
        let command = verified(&self.log, signed).filter(|_| is_of_leader(&self.log, &self.roster, signed));
        let Some(ManagerCommand::Beacon { epoch, mls_epoch, transcript }) = command else { return Ok(()) };
        let result = self.log.handle_beacon(signed.from, epoch, GroupState { mls_epoch, transcript });
        rejections::handle_agreement(result.is_ok(), epoch, &mut self.log);
        result.inspect_err(|_| show_other_group(signed.from, &self.roster, outputs))
    }

    /// Skips application messages of others that the server did not keep for this client.
    pub(super) fn handle_skipped(
        &mut self,
        position: Position,
        count: u64,
        context: &mut Context<'_>,
    ) -> Result<(), Exit> {
        self.log.advance(position, count)?;
        self.chat.handle_gap(&self.log, context);
        Ok(())
    }

    /// Processes the next entry of the log.
    pub(super) fn handle_log_entry(
        &mut self,
        position: Position,
        entry: LogEntry,
        context: &mut Context<'_>,
    ) -> Result<(), Exit> {
        self.log.advance(position, 1)?;
        match entry {
            LogEntry::Commit { from, epoch, blob } => self.handle_commit(from, epoch, &blob, false, context)?,
            LogEntry::Managed { signed } => self.handle_managed(&signed, context)?,
            LogEntry::Told { from, epoch, blob } => self.handle_application_message(from, epoch, &blob, context),
            LogEntry::Gone { participant, by } => self.handle_gone(GoneMember { participant, by }, context)?,
        }
        self.send_due(context);
        Ok(())
    }

    /// Handles a manager's command in the log. The word of the leading manager decides what a commit that cannot be merged means,
    /// and whether a void counts.
    fn handle_managed(&mut self, signed: &SignedCommand, context: &mut Context<'_>) -> Result<(), Exit> {
        let proved = is_of_leader(&self.log, &self.roster, signed);
        match signed.decode() {
            Ok(ManagerCommand::Commit { epoch, blob, .. }) => {
                self.handle_commit(signed.from, epoch, &blob, proved, context)
            }
            Ok(ManagerCommand::Void { epoch, .. }) if proved && self.log.history().was_merged(epoch.0) => {
                Err(Exit::CutOff)
            }
            Ok(ManagerCommand::Void { epoch, .. }) if proved => rejections::handle_void(&mut self.log, epoch),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Handles a commit in the log. `proved` is true if the leading manager has signed it.
    fn handle_commit(
        &mut self,
        from: ParticipantId,
        epoch: Epoch,
        blob: &Blob,
        proved: bool,
        context: &mut Context<'_>,
    ) -> Result<(), Exit> {
        match self.log.handle_commit(epoch, blob, &|id| roster::gone(&self.roster, id), context.now)? {
            Outcome::MergedOwn { refresh } => {
                self.admissions.reset_batch();
                if refresh {
                    self.refresh.restart(&self.roster, context.now);
                }
                self.handle_group_change(true, context)
            }
            Outcome::MergedOther => self.handle_group_change(false, context),
            Outcome::RemovedMe => Err(removed_by_commit(&self.log, &self.roster)),
            // The others have merged it.
            Outcome::Rejected(why) if proved => {
                Err(rejections::cut_off(why, (from, epoch), (&mut self.log, &self.roster), context.now))
            }
            // The server cannot check commits, so an invalid one ended the log's epoch.
            Outcome::Rejected(why) => {
                let parts = (&mut self.log, &self.roster, &mut self.removals);
                rejections::handle(why, (from, epoch), parts, context);
                self.verification.handle_epoch(&self.log, &self.roster, context.now);
                Ok(())
            }
        }
    }

    /// Handles a new epoch of the group, by this client's own commit if `own` is true. The keys come before the events about
    /// members.
    fn handle_group_change(&mut self, own: bool, context: &mut Context<'_>) -> Result<(), Exit> {
        let policy = self.log.group().policy();
        let (state, members) = (self.announcements.own(), self.log.group().members());
        let changes = self.roster.update(members, state, |device| policy.is_barred(device));
        judge(&mut self.roster, policy);
        let leader = roster::leader(&self.roster, policy);
        let facts = (&self.log, &mut self.roster);
        if self.moderation.handle_group_change(!changes.joined.is_empty(), facts, context.outputs) {
            self.admissions.handle_stop();
        }
        if let Some(manager) = context.manager {
            manager.handle_merged(policy.chain(), context.now, context.outputs);
        }
        let removed = changes.left.iter().map(|departure| departure.leaf).collect();
        emit_keys(&self.log, &self.roster, removed, false, context.outputs)?;
        context.outputs.members_changed(&changes.left, &changes.joined);
        group_log::handle_leader(&mut self.log, leader);
        let policy = self.log.group().policy();
        self.key_sharing.handle_group_change(&self.roster, policy, context);
        self.removals.handle_group_change(&self.roster, policy);
        self.policy_changes.handle_group_change(&self.roster, policy, context.now);
        self.returns.handle_group_change(&self.roster);
        self.admissions.complaints.handle_commit(&self.log, &self.roster);
        self.admissions.handle_group_change(&changes.left, (&self.roster, policy), context.outputs);
        if !self.roster.own().1.contains(Rights::ADMIT) {
            self.admissions.close(context);
        }
        self.announcements.handle_group_change(&self.roster, !changes.joined.is_empty());
        self.chat.handle_group_change(&self.log, &self.roster);
        self.verification.handle_epoch(&self.log, &self.roster, context.now);
        self.refresh.handle_group_change(&self.roster, context.now);
        emit_members(&self.roster, context.outputs);
        show_policy(self, own, context);
        Ok(())
    }

    /// Handles an application message. One that cannot be read is skipped, because it may be older than this client's
    /// membership.
    fn handle_application_message(
        &mut self,
        from: ParticipantId,
        epoch: Epoch,
        blob: &Blob,
        context: &mut Context<'_>,
    ) {
        if self.chat.handle_own(blob, &self.log, &self.roster, context) {
            return;
        }
        if from == self.me() {
            // The others may have deleted the secrets of its epoch.
            let is_old = self.log.epoch() > epoch;
            if is_old {
                self.announcements.repeat();
                self.key_sharing.repeat();
            }
            self.moderation.handle_own(blob, is_old, (&self.log, &self.roster), context.outputs);
            self.verification.handle_own(blob, &self.roster, context);
            return;
        }
        let Some((author, bytes)) = self.log.open_message(blob) else { return };
        match Message::decode(&bytes) {
            Some(Message::State { count, state }) => {
                if self.announcements.receive(author, count, &self.roster) && self.roster.set_state(author, state) {
                    emit_members(&self.roster, context.outputs);
                }
            }
            Some(Message::SealingKey { public }) => {
                self.key_sharing.handle_public_key(author, public.into());
                self.admissions.devices.handle_new_manager(author, &self.roster);
            }
            Some(Message::SentBack { devices }) => {
                self.admissions.handle_sent_back(author, &devices, &self.roster);
            }
            Some(Message::ManagerKeys { to, sealed }) if to == self.me() => {
                let facts = (self.log.group().policy(), &self.roster);
                self.key_sharing.handle_keys(author, &sealed, facts, context);
            }
            Some(Message::Chat { body }) if is_of_this_epoch(&self.log, blob) => {
                self.chat.handle_message(author, &body, &self.log, &self.roster, context);
            }
            Some(Message::Floor(message)) => {
                let epoch = Envelope::read(&blob.0).map_or(0, |envelope| envelope.epoch);
                self.moderation.handle_floor(author, message, epoch, (&self.log, &mut self.roster), context);
            }
            Some(Message::Hands(message)) => {
                self.moderation.handle_hands(author, message, self.log.next(), &self.roster, context.outputs);
            }
            Some(Message::Verification(message)) if is_of_this_epoch(&self.log, blob) => {
                self.verification.handle_message(author, &message, (&self.log, &self.roster), context);
            }
            Some(Message::ManagerKeys { .. } | Message::Chat { .. } | Message::Verification(_)) => {}
            None => context.outputs.malformed(author, context.now),
        }
    }

    fn handle_gone(&mut self, member: GoneMember, context: &mut Context<'_>) -> Result<(), Exit> {
        let GoneMember { participant, by } = member;
        if participant == self.me() {
            // The server has told the others that this client is gone, so they remove it.
            return Err(Exit::CutOff);
        }
        self.admissions.handle_withdrawal(participant, context.outputs);
        self.returns.handle_withdrawal(participant);
        if self.roster.mark_gone(member, self.log.group().policy(), context.now) {
            context.outputs.notice(Notice::Unattended);
        }
        if by.is_some() {
            // It may be displaced, and is shown without a connection then.
            emit_members(&self.roster, context.outputs);
        }
        self.verification.handle_presence(&self.roster, context);
        Ok(())
    }

    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>) -> Result<(), Exit> {
        if self.log.commit_deadline().is_some_and(|deadline| context.now >= deadline) {
            return Err(Exit::Lost);
        }
        if self.log.delete_past_epochs(context.now) {
            self.chat.delete_past_epochs();
        }
        rejections::handle_timeout(&mut self.log, &self.roster, context);
        self.send_due(context);
        Ok(())
    }

    /// Returns when [`Self::handle_timeout`] has something to do. `manager` is true if this client is a manager.
    pub(super) fn poll_timeout(&self, manager: bool) -> Option<Instant> {
        let due = [
            self.roster.removal_deadline(),
            self.returns.deadline(&self.roster),
            Some(self.refresh.deadline(manager)),
            self.policy_changes.deadline().filter(|_| manager),
            self.moderation.deadline().filter(|_| manager),
            self.admissions.commit_deadline(&self.log).filter(|_| manager && may_admit(self)),
        ];
        let unread = self.log.unread.as_ref().map(UnreadCommit::until);
        let beacons = self.verification.deadline(&self.roster, manager && unread.is_none());
        let chat = self.chat.deadline().into_iter().chain(beacons);
        let commit = due.into_iter().flatten().min().and_then(|due| self.log.commit_time(due));
        let log = [self.log.commit_deadline(), self.log.past_epochs_end(), unread].into_iter().flatten();
        log.chain(commit).chain(self.admissions.deadline()).chain(chat).min()
    }

    /// Sends everything that can be sent now, but at most one commit. Removals come before admissions, so that a new
    /// member never shares an epoch with one that is to be removed. The commit for an organiser that comes back removes
    /// those who left by itself: the server reserves an epoch for that commit, and for no other of this member. Requests
    /// are kept until a merged commit fulfils them.
    fn send_due(&mut self, context: &mut Context<'_>) {
        if !self.connected {
            return;
        }
        self.removals.remove_devices(&self.admissions.complaints.take_devices_to_remove(), &self.roster);
        self.removals.expel(&self.roster, context);
        self.admissions.open_sealed((&self.log, &self.roster), &self.removals, context);
        self.admissions.send_refusals(context);
        self.announcements.send(&mut self.log, context.outputs);
        self.moderation.send(&mut self.log, context.outputs);
        self.admissions.devices.send(&mut self.log, context.outputs);
        self.key_sharing.send(&mut self.log, &self.roster, context);
        self.chat.send(&mut self.log, &self.roster, context);
        self.verification.send((&mut self.log, &self.roster), context);
        if self.log.may_commit(context.now) {
            self.commit(context);
        }
        // Who has merged what a manager could not read must not believe it before it has decided.
        if self.log.unread.is_none() {
            self.verification.send_manager_beacon(&self.log, &self.roster, context);
        }
    }

    fn commit(&mut self, context: &mut Context<'_>) {
        let (now, may_admit) = (context.now, may_admit(self));
        let enters = may_admit && self.admissions.commit_deadline(&self.log).is_some_and(|due| due <= now);
        // A policy can list only members, and who leaves may come back at once: so the orders of floor control are a part of the
        // policy when their authors and those whom they are about are removed.
        let leaves = self.removals.is_due(&self.roster, now)
            || self.returns.is_due(&self.roster, now)
            || self.moderation.is_stopping()
            || self.admissions.sends_back();
        let at_once = enters || leaves || self.policy_changes.is_waiting();
        let floor = self.moderation.due_edits(at_once, &self.log, context);
        let sent = claim::commit(&mut self.log, &self.roster, context)
            || self.moderation.commit_stop(&floor, &self.roster, &mut self.log, context)
            || self.returns.commit(&floor, &self.roster, &mut self.log, context)
            || self.removals.commit(&floor, &mut self.roster, &mut self.log, &mut self.key_sharing, context)
            || self.policy_changes.commit(floor, &self.roster, &mut self.log, &mut self.key_sharing, context)
            || may_admit && self.admissions.commit(&self.roster, &mut self.log, &mut self.key_sharing, context);
        let may_update = context.manager.is_some() || self.refresh.may_update(now);
        let is_due = self.refresh.is_due(&self.log, &self.roster, now) && may_update;
        let wants_epoch = !sent && (is_due || self.moderation.needs_epoch());
        if wants_epoch && !self.log.commit_refresh(context) {
            self.refresh.restart(&self.roster, now);
        }
    }
}

/// Returns true if this client may end the meeting for everybody: only the organiser may, because the end removes all.
pub(super) fn may_end(joined: &JoinedMeeting) -> bool {
    joined.roster.own().0 == Role::Organiser
}

/// Returns true if this client may admit, and the group is not forked.
fn may_admit(joined: &JoinedMeeting) -> bool {
    joined.roster.own().1.contains(Rights::ADMIT) && !joined.verification.is_forked()
}

/// Tells the screens the policy if it has changed. The member that has locked the meeting tells the server.
fn show_policy(joined: &mut JoinedMeeting, own: bool, context: &mut Context<'_>) {
    let policy = state_of(joined.log.group().policy(), &joined.roster);
    if policy == joined.policy {
        return;
    }
    let changed = policy.flags.difference(joined.policy.flags);
    let locked = policy.flags.contains(MeetingFlags::LOCKED);
    if let Some(manager) = context.manager.as_mut().filter(|_| own && changed.contains(MeetingFlags::LOCKED)) {
        manager.send(ManagerCommand::Lock { locked }, context.now, context.outputs);
    }
    joined.policy = policy.clone();
    context.outputs.event(Event::Policy(policy));
}

fn emit_keys(
    log: &GroupLog,
    roster: &Roster,
    removed: Vec<crypto::Leaf>,
    rejoined: bool,
    outputs: &mut Outputs,
) -> Result<(), Reason> {
    let (keys, leaves) = (log.group().media_keys().map_err(|_| no_keys())?, roster.leaves());
    outputs.event(Event::Keys { keys, removed, leaves, epoch: log.group().epoch(), rejoined });
    outputs.event(Event::Words(log.group().words()));
    Ok(())
}

fn emit_members(roster: &Roster, outputs: &mut Outputs) {
    outputs.event(Event::Members(roster.list()));
}

fn create(new_member: NewMember, own: MediaState, context: &mut Context<'_>) -> Result<JoinedMeeting, Reason> {
    let NewMember { me, group, position, epoch, gone, resume } = new_member;
    let log = GroupLog::new(group, position, epoch);
    let mut roster = Roster::new(me, gone, context.now);
    roster.update(log.group().members(), own, |_| false);
    judge(&mut roster, log.group().policy());
    if !roster.contains(me) {
        return Err(Reason::Forged);
    }
    let refresh = Refresh::new(&roster, context.now);
    if let Some(manager) = context.manager {
        // Its commit with the next keys may have been accepted while it was away.
        manager.handle_merged(log.group().policy().chain(), context.now, context.outputs);
    }
    let (mut key_sharing, mut policy_changes) = (KeySharing::default(), PolicyChanges::default());
    key_sharing.handle_group_change(&roster, log.group().policy(), context);
    policy_changes.handle_group_change(&roster, log.group().policy(), context.now);
    let policy = state_of(log.group().policy(), &roster);
    let mut admissions = Admissions::new();
    admissions.handle_entered(&roster, context.now);
    let chat = Chat::new(&log, &roster, context.now);
    let moderation = Moderation::new(&mut roster, &log);
    let verification = Verification::new(&log, &roster, context.now);
    Ok(JoinedMeeting {
        chat,
        log,
        roster,
        admissions,
        removals: Removals::default(),
        returns: Returns::default(),
        policy_changes,
        key_sharing,
        policy,
        announcements: Announcements::new(own),
        moderation,
        verification,
        refresh,
        resume,
        connected: true,
    })
}
