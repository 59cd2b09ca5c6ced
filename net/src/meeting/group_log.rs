//! The MLS group, and the server's log of commits and messages. All members process the log in the same order.

use super::context::Context;
use super::envelope::{Content, Envelope};
use super::event::{Exit, Violation, no_keys};
use super::history::{GroupState, GroupStateHistory};
use super::state;
use super::timing::{COMMIT_INTERVAL, COMMIT_TIMEOUT, PAST_EPOCH_TIMEOUT};
use super::unread_commit::UnreadCommit;
use super::upload_pacer::UploadPacer;
use crypto::group::{Error, Reject, log_epoch};
use crypto::{Changes, Gone, Group, Leaf, MergedCommit, Received};
use proto::{
    Blob, Epoch, MAX_TREE, MAX_TREE_PART, ManagerCommand, NextAuthority, ParticipantId, Position, Reason,
    SignedCommand, Up, Welcome,
};
use std::time::Instant;

/// The group as this member sees it. At most one commit of this member is pending.
pub(super) struct GroupLog {
    group: Group,
    /// The position of the next entry.
    next: Position,
    /// The log's epoch: the number of commits before `next`. It is greater than the MLS epoch by the number of commits
    /// that the members rejected.
    epoch: Epoch,
    /// The log's epoch in which this client entered.
    entered: Epoch,
    history: GroupStateHistory,
    pending: Option<SentCommit>,
    /// How many `CommitTooLate` are still to come, each for a commit of this client whose epoch another one has ended.
    overtaken: u32,
    /// No commit is sent before this time.
    pause: Option<Instant>,
    /// When the secrets of past epochs are deleted.
    past_epochs_end: Option<Instant>,
    /// The leaf whose commit was merged last.
    committer: Option<Leaf>,
    /// What this client has sent for admissions.
    upload: UploadPacer,
    /// A commit that this client could not read. While it is not known whether the others have merged it, this client does not commit.
    pub(super) unread: Option<UnreadCommit>,
}

/// What a commit in the log did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// This client's own commit was merged.
    MergedOwn {
        /// True if it updated this member's keys for the schedule.
        refresh: bool,
    },
    /// Another member's commit was merged.
    MergedOther,
    /// The commit removed this client.
    RemovedMe,
    /// The commit is invalid. It changed nothing but the log's epoch.
    Rejected(Rejection),
}

/// Why a commit was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// Its path secret for this client is not valid. Others may have merged it. No honest client makes one.
    Unreadable,
    /// It is no commit that MLS accepts in this epoch of the group. No honest client makes one.
    Forged,
    /// It is of another epoch of the group, as of a member of a fork that has not noticed it yet, or the rules forbid it.
    Refused,
}

/// A commit that was sent and has not appeared in the log yet.
struct SentCommit {
    /// The log's epoch that it ends if it is accepted.
    epoch: Epoch,
    verdict: Verdict,
    sent: Instant,
    refresh: bool,
}

enum Verdict {
    /// The server has not answered. The commit is recognised in the log by its bytes, because the author that the
    /// server names is not authenticated.
    Unknown(Blob),
    /// The connection was lost, then resumed. The commit is in the entries that the server sends again, or it is lost.
    Unconfirmed(Blob),
    /// It came too late: the server accepted another commit for its epoch, which has not arrived yet.
    TooLate,
}

impl GroupLog {
    pub(super) fn new(group: Group, next: Position, epoch: Epoch) -> Self {
        let mut history = GroupStateHistory::default();
        history.record(epoch.0, state_of(&group));
        Self {
            group,
            next,
            epoch,
            entered: epoch,
            history,
            pending: None,
            overtaken: 0,
            pause: None,
            past_epochs_end: None,
            committer: None,
            upload: UploadPacer::default(),
            unread: None,
        }
    }

    pub(super) const fn group(&self) -> &Group {
        &self.group
    }

    /// Returns the group, for commits that the rules forbid: only a hostile client makes them.
    pub(super) const fn group_mut(&mut self) -> &mut Group {
        &mut self.group
    }

    /// Returns the position of the next entry.
    pub(super) const fn next(&self) -> Position {
        self.next
    }

    /// Counts `count` entries from `position` on, which must be the next ones.
    pub(super) fn advance(&mut self, position: Position, count: u64) -> Result<(), Reason> {
        if position != self.next {
            return Err(Violation::OutOfOrder.into());
        }
        self.next = Position(position.0.saturating_add(count));
        Ok(())
    }

    /// Processes the commit that ends the log's epoch. `gone` returns why a member is gone, if the log says so.
    ///
    /// # Errors
    /// Returns [`Exit::CutOff`] if a beacon shows that this client's group is not the others'.
    pub(super) fn handle_commit(
        &mut self,
        epoch: Epoch,
        blob: &Blob,
        gone: &dyn Fn(ParticipantId) -> Option<Gone>,
        now: Instant,
    ) -> Result<Outcome, Exit> {
        if epoch != self.epoch {
            return Err(Violation::OutOfOrder.into());
        }
        self.epoch = epoch.next();
        let outcome = self.process(blob, gone)?;
        if !matches!(outcome, Outcome::Rejected(_)) {
            self.past_epochs_end = Some(now + PAST_EPOCH_TIMEOUT);
        }
        let agrees = outcome == Outcome::RemovedMe || self.history.record(self.epoch.0, state_of(&self.group));
        if agrees { Ok(outcome) } else { Err(Exit::CutOff) }
    }

    fn process(&mut self, blob: &Blob, gone: &dyn Fn(ParticipantId) -> Option<Gone>) -> Result<Outcome, Exit> {
        if let Some(pending) = self.pending.take() {
            if pending.is(blob) {
                self.committer = Some(self.group.merge_pending_commit().map_err(|_| no_keys())?.committer);
                return Ok(Outcome::MergedOwn { refresh: pending.refresh });
            }
            if let Verdict::Unknown(_) = pending.verdict {
                self.overtaken += 1;
            }
            self.group.clear_pending_commit();
        }
        let change = match open_commit(&mut self.group, blob, gone) {
            Ok(change) => change,
            Err(why) => return Ok(Outcome::Rejected(why)),
        };
        self.committer = Some(change.committer);
        Ok(if change.removed_me { Outcome::RemovedMe } else { Outcome::MergedOther })
    }

    /// Deletes the secrets of past epochs if it is time. Returns true then.
    pub(super) fn delete_past_epochs(&mut self, now: Instant) -> bool {
        let is_due = self.past_epochs_end.take_if(|end| *end <= now).is_some();
        if is_due {
            self.group.delete_past_epochs();
        }
        is_due
    }

    /// Returns when [`Self::delete_past_epochs`] has something to do.
    pub(super) const fn past_epochs_end(&self) -> Option<Instant> {
        self.past_epochs_end
    }

    /// Handles a beacon of the leading manager, whose signature was verified.
    ///
    /// # Errors
    /// Returns [`Exit::CutOff`] if this client's group is not the manager's.
    pub(super) fn handle_beacon(&mut self, from: ParticipantId, epoch: Epoch, state: GroupState) -> Result<(), Exit> {
        if self.history.handle_beacon(from, epoch.0, state) { Ok(()) } else { Err(Exit::CutOff) }
    }

    /// Returns the log's epoch.
    pub(super) const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Returns the states of the group so far.
    pub(super) const fn history(&self) -> &GroupStateHistory {
        &self.history
    }

    /// Returns the state of the group now.
    pub(super) fn state(&self) -> GroupState {
        state_of(&self.group)
    }

    /// Handles the server's answer that it did not accept a commit. It gives one such answer for each, in the order in
    /// which they were sent. If another commit was accepted, its entry came before. If `epoch` is that of our commit, the
    /// server asks us to wait.
    pub(super) fn handle_commit_too_late(&mut self, epoch: Epoch, now: Instant) {
        if self.overtaken > 0 {
            self.overtaken -= 1;
            return;
        }
        let Some(pending) = &mut self.pending else { return };
        self.group.clear_pending_commit();
        if pending.epoch < epoch {
            pending.verdict = Verdict::TooLate;
        } else {
            self.pending = None;
            self.pause = Some(now + COMMIT_INTERVAL);
        }
    }

    /// Handles the end of the connection. The server's answers on it are lost.
    pub(super) fn handle_lost_connection(&mut self) {
        self.overtaken = 0;
        if let Some(pending) = &mut self.pending
            && let Verdict::Unknown(blob) = &mut pending.verdict
        {
            pending.verdict = Verdict::Unconfirmed(Blob(std::mem::take(&mut blob.0)));
        }
    }

    /// Handles the resumption of the connection. The time for an answer starts again.
    pub(super) fn handle_resumed(&mut self, now: Instant) {
        self.pending.iter_mut().for_each(|pending| pending.sent = now);
    }

    /// Handles the first ping after the connection was resumed: all entries from before have arrived, so a commit that was
    /// not among them is lost.
    pub(super) fn handle_caught_up(&mut self) {
        if self.pending.take_if(|pending| matches!(pending.verdict, Verdict::Unconfirmed(_))).is_some() {
            self.group.clear_pending_commit();
        }
    }

    /// Opens an application message. Returns its author and its bytes, or `None` if it cannot be read.
    pub(super) fn open_message(&mut self, blob: &Blob) -> Option<(ParticipantId, Vec<u8>)> {
        match open(&mut self.group, blob, Content::Application, &|_| None)? {
            Received::Message { participant, bytes, .. } => Some((participant, bytes)),
            Received::Commit(_) => None,
        }
    }

    /// Encrypts an application message. Returns `None` while a commit is pending.
    pub(super) fn seal(&mut self, message: &state::Message) -> Option<Up> {
        seal_bytes(self, &message.encode())
    }

    /// Returns true if a commit may be sent now.
    pub(super) fn may_commit(&self, now: Instant) -> bool {
        self.pending.is_none() && self.unread.is_none() && self.pause.is_none_or(|pause| pause <= now)
    }

    /// Returns when a commit that is due at `due` can be sent; `None` if that depends on the server's answer, or on others.
    pub(super) fn commit_time(&self, due: Instant) -> Option<Instant> {
        let may_commit = self.pending.is_none() && self.unread.is_none();
        may_commit.then(|| self.pause.map_or(due, |pause| pause.max(due)))
    }

    /// Returns until when the server must accept the pending commit, or answer that it came too late.
    pub(super) fn commit_deadline(&self) -> Option<Instant> {
        self.pending.as_ref().map(|pending| pending.sent + COMMIT_TIMEOUT)
    }

    /// Sends a commit with these changes. Returns false if none could be made.
    pub(super) fn commit(&mut self, changes: Changes, context: &mut Context<'_>) -> bool {
        let rotation = context.manager.as_ref().and_then(|manager| manager.next_authority(changes.policy.as_ref()));
        // The joiners learn the log's epoch from this client, not from the server alone.
        log_epoch::set(&mut self.group, self.epoch);
        let staged = self.group.commit(changes);
        self.send_commit(staged, rotation, false, context)
    }

    /// Sends a commit that updates this member's keys. Returns false if none could be made.
    pub(super) fn commit_refresh(&mut self, context: &mut Context<'_>) -> bool {
        let staged = self.group.refresh();
        self.send_commit(staged, None, true, context)
    }

    /// Sends a staged commit, with the authority's signature if this client is a manager. Returns false if staging failed,
    /// or if the commit is too long to send and is dropped.
    fn send_commit(
        &mut self,
        staged: Result<crypto::PendingCommit, Error>,
        rotation: Option<NextAuthority>,
        refresh: bool,
        context: &mut Context<'_>,
    ) -> bool {
        let Ok(crypto::PendingCommit { commit, welcome, tree, added: to, removed }) = staged else { return false };
        let tree = tree.unwrap_or_default();
        let (epoch, blob) = (self.epoch, Blob(commit));
        let welcome = welcome.map(|bytes| Welcome { to, blob: Blob(bytes) });
        let message = match context.manager {
            Some(manager) => {
                let command = ManagerCommand::Commit { epoch, blob: blob.clone(), removed, rotation };
                manager.command(&command, welcome.into_iter().collect())
            }
            None => Up::Commit { epoch, blob: blob.clone(), removed, welcome },
        };
        if !proto::is_sendable(&message) || tree.len() > MAX_TREE {
            self.group.clear_pending_commit();
            return false;
        }
        for (index, part) in tree.chunks(MAX_TREE_PART).enumerate() {
            context.outputs.transmit(Up::Tree { first: index == 0, part: Blob(part.to_vec()) });
        }
        if !tree.is_empty() {
            self.upload.count(tree.len() + blob.0.len(), context.now);
        }
        self.pause = context.manager.is_none().then(|| context.now + COMMIT_INTERVAL);
        self.pending = Some(SentCommit { epoch, verdict: Verdict::Unknown(blob), sent: context.now, refresh });
        context.outputs.transmit(message);
        true
    }
}

impl SentCommit {
    fn is(&self, blob: &Blob) -> bool {
        match &self.verdict {
            Verdict::Unknown(sent) | Verdict::Unconfirmed(sent) => sent == blob,
            Verdict::TooLate => false,
        }
    }
}

/// Passes a message to MLS if its envelope has the content type `content`. Without this check, a commit that was sent as an
/// application message would be merged outside the log's order.
fn open(
    group: &mut Group,
    blob: &Blob,
    content: Content,
    gone: &dyn Fn(ParticipantId) -> Option<Gone>,
) -> Option<Received> {
    let envelope = Envelope::read(&blob.0).filter(|envelope| envelope.content == content);
    envelope.and_then(|_| group.process(&blob.0, gone).ok())
}

/// Merges the commit of another member, or returns why not.
fn open_commit(
    group: &mut Group,
    blob: &Blob,
    gone: &dyn Fn(ParticipantId) -> Option<Gone>,
) -> Result<MergedCommit, Rejection> {
    let envelope = Envelope::read(&blob.0).filter(|envelope| envelope.content == Content::Commit);
    let epoch = envelope.ok_or(Rejection::Forged)?.epoch;
    let is_of_this_epoch = epoch == group.epoch().0;
    match group.process(&blob.0, gone) {
        Ok(Received::Commit(change)) => Ok(change),
        Err(Error::Rejected(Reject::UnreadablePath)) => Err(Rejection::Unreadable),
        Err(Error::Malformed | Error::Credential) if is_of_this_epoch => Err(Rejection::Forged),
        Ok(Received::Message { .. }) | Err(_) => Err(Rejection::Refused),
    }
}

/// Awaits a commit that is staged already, as if this client had sent it: only a hostile client makes one elsewhere.
pub(super) fn expect_own(log: &mut GroupLog, blob: &Blob, now: Instant) {
    let verdict = Verdict::Unknown(blob.clone());
    log.pending = Some(SentCommit { epoch: log.epoch, verdict, sent: now, refresh: true });
}

/// Returns when this client may send the next admission, so that it does not send more than a server accepts. `None` if that is at any
/// time.
pub(super) fn admission_time(log: &GroupLog) -> Option<Instant> {
    log.upload.free()
}

/// Returns true if the header of an application message names the group's epoch. If the message can be read, the header is
/// authentic.
pub(super) fn is_of_this_epoch(log: &GroupLog, blob: &Blob) -> bool {
    Envelope::read(&blob.0).is_some_and(|envelope| envelope.epoch == log.group.epoch().0)
}

/// Encrypts the plaintext of an application message. `None` while a commit is pending.
pub(super) fn seal_bytes(log: &mut GroupLog, plaintext: &[u8]) -> Option<Up> {
    let bytes = log.group.seal_message(plaintext).ok()?;
    Some(Up::Tell { epoch: log.epoch, blob: Blob(bytes) })
}

/// Returns the leaf whose commit was merged last, as MLS authenticated it; `None` before the first one.
pub(super) const fn committer(log: &GroupLog) -> Option<Leaf> {
    log.committer
}

/// Returns the log's epoch in which this client entered.
pub(super) const fn entered(log: &GroupLog) -> Epoch {
    log.entered
}

/// Handles that `leader` is the manager whose word about the group counts.
pub(super) fn handle_leader(log: &mut GroupLog, leader: Option<ParticipantId>) {
    log.history.handle_leader(leader);
}

/// Merges a commit that removes this client, which is no member any more then. Returns false if it does not.
pub(super) fn merge_removal(log: &mut GroupLog, blob: &Blob) -> bool {
    log.group.clear_pending_commit();
    let Some(Received::Commit(change)) = open(&mut log.group, blob, Content::Commit, &|_| None) else { return false };
    log.committer = Some(change.committer);
    change.removed_me
}

/// Returns the manager who signed the command: a member who is a manager by the policy in force, and the authority's
/// signature. The server rotates the authority with the commit that does so, so no older authority counts.
pub(super) fn signer(group: &Group, signed: &SignedCommand) -> Option<crypto::Member> {
    let policy = group.policy();
    let SignedCommand { from, counter, command, signature } = signed;
    let meeting = policy.chain().meeting();
    if !policy.authority().signed_command(meeting, *from, *counter, &command.0, signature) {
        return None;
    }
    group.members().into_iter().find(|member| member.participant == *from && member.role.is_manager())
}

fn state_of(group: &Group) -> GroupState {
    GroupState { mls_epoch: group.epoch().0, transcript: group.transcript_hash() }
}
