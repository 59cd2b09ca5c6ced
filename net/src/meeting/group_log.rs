//! The MLS group, and the server's log of commits and messages. All members process the log in the same order.

use super::envelope::{Content, Envelope};
use super::event::{Violation, no_keys};
use super::outputs::Outputs;
use super::roster::Roster;
use super::state;
use super::timing::COMMIT_TIMEOUT;
use crypto::group::Error;
use crypto::{Group, KnockRequest, Leaf, MediaKeys, Received, Words};
use proto::{Blob, Epoch, ParticipantId, Position, Reason, Up, Welcome};
use std::collections::BTreeSet;
use std::time::Instant;

/// The group as this member sees it. At most one commit of this member is pending.
pub(super) struct GroupLog {
    group: Group,
    /// The position of the next entry.
    next: Position,
    /// The log's epoch: the number of commits before `next`. It is greater than the MLS epoch by the number of commits
    /// that the members rejected.
    epoch: Epoch,
    pending: Option<SentCommit>,
    /// True if the user requested an update of this member's keys and no merged commit has done it yet.
    wants_refresh: bool,
    /// Members who sent messages of a later MLS epoch than this client's.
    ahead: BTreeSet<ParticipantId>,
}

/// What a commit in the log did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// This client's own commit was merged.
    MergedOwn,
    /// Another member's commit was merged.
    MergedOther,
    /// The commit removed this client.
    RemovedMe,
    /// The commit is invalid. It changed nothing but the log's epoch.
    Rejected,
}

/// A commit that was sent and has not appeared in the log yet.
struct SentCommit {
    /// The log's epoch that it ends if it is accepted.
    epoch: Epoch,
    verdict: Verdict,
    sent: Instant,
    /// True if it updates this member's keys for [`GroupLog::request_refresh`].
    refresh: bool,
}

enum Verdict {
    /// The server has not answered. The commit is recognised in the log by its bytes, because the author that the
    /// server names is not authenticated.
    Unknown(Blob),
    /// It came too late: the server accepted another commit for its epoch, which has not arrived yet.
    TooLate,
}

impl GroupLog {
    pub(super) fn new(group: Group, next: Position, epoch: Epoch) -> Self {
        Self { group, next, epoch, pending: None, wants_refresh: false, ahead: BTreeSet::new() }
    }

    pub(super) fn members(&self) -> Vec<crypto::Member> {
        self.group.members()
    }

    pub(super) fn media_keys(&self) -> Result<MediaKeys, Reason> {
        self.group.media_keys().map_err(|_| no_keys())
    }

    /// Returns the MLS epoch.
    pub(super) fn mls_epoch(&self) -> Epoch {
        self.group.epoch()
    }

    pub(super) fn words(&self) -> Words {
        self.group.words()
    }

    /// Returns how many commits the log has had since `epoch`.
    pub(super) fn epochs_since(&self, epoch: Epoch) -> u64 {
        self.epoch.0.saturating_sub(epoch.0)
    }

    /// Counts the entry at `position`, which must be the next one.
    pub(super) fn advance(&mut self, position: Position) -> Result<(), Reason> {
        if position != self.next {
            return Err(Violation::OutOfOrder.into());
        }
        self.next = Position(position.0.saturating_add(1));
        Ok(())
    }

    /// Processes the commit that ends the log's epoch. `gone` returns whether a member has left according to the log.
    pub(super) fn handle_commit(
        &mut self,
        epoch: Epoch,
        blob: &Blob,
        gone: &dyn Fn(ParticipantId) -> bool,
    ) -> Result<Outcome, Reason> {
        if epoch != self.epoch {
            return Err(Violation::OutOfOrder.into());
        }
        self.epoch = epoch.next();
        if let Some(pending) = self.pending.take() {
            if pending.is(blob) {
                self.group.merge_pending_commit().map_err(|_| no_keys())?;
                self.wants_refresh &= !pending.refresh;
                self.ahead.clear();
                return Ok(Outcome::MergedOwn);
            }
            self.group.clear_pending_commit();
        }
        Ok(match self.open(blob, Content::Commit, gone) {
            Some(Received::Commit(change)) if change.removed_me => Outcome::RemovedMe,
            Some(Received::Commit(_)) => {
                self.ahead.clear();
                Outcome::MergedOther
            }
            Some(Received::Message { .. }) | None => Outcome::Rejected,
        })
    }

    /// Handles the server's answer that the log's epoch is `epoch`, so that a commit for an earlier one came too late.
    /// If the winning commit has arrived already, the pending commit is a newer one and stays. Otherwise nothing is
    /// sent until the winning commit arrives.
    pub(super) fn handle_commit_too_late(&mut self, epoch: Epoch) {
        if let Some(pending) = &mut self.pending
            && pending.epoch < epoch
        {
            pending.verdict = Verdict::TooLate;
            self.group.clear_pending_commit();
        }
    }

    /// Opens an application message. Returns its author and its bytes, or `None` if it cannot be read.
    pub(super) fn open_message(&mut self, blob: &Blob) -> Option<(ParticipantId, Vec<u8>)> {
        match self.open(blob, Content::Application, &|_| false)? {
            Received::Message { participant, bytes, .. } => Some((participant, bytes)),
            Received::Commit(_) => None,
        }
    }

    /// Passes a message to MLS if its envelope has the content type `content`. Without this check, a commit that was
    /// sent as an application message would be merged outside the log's order.
    fn open(&mut self, blob: &Blob, content: Content, gone: &dyn Fn(ParticipantId) -> bool) -> Option<Received> {
        let envelope = Envelope::read(&blob.0).filter(|envelope| envelope.content == content);
        envelope.and_then(|_| self.group.process(&blob.0, gone).ok())
    }

    /// Records a message of `from` that could not be read.
    ///
    /// # Errors
    /// Returns the reason to end the meeting if more than half of the other members sent messages of a later epoch.
    /// Then this client rejected a commit that they accepted. A single message is not enough, because its envelope is
    /// not authenticated.
    pub(super) fn handle_unreadable(
        &mut self,
        from: ParticipantId,
        blob: &Blob,
        roster: &Roster,
    ) -> Result<(), Reason> {
        let later = Envelope::read(&blob.0).is_some_and(|envelope| envelope.epoch > self.mls_epoch().0);
        if later && roster.contains(from) {
            self.ahead.insert(from);
        }
        let others = || roster.present().filter(|person| !person.me);
        let ahead = others().filter(|person| self.ahead.contains(&person.id)).count();
        if ahead * 2 > others().count() {
            return Err(Reason::Server("this client cannot follow the other members' epoch".into()));
        }
        Ok(())
    }

    /// Encrypts an application message. Returns `None` while a commit is pending.
    pub(super) fn seal(&mut self, message: state::Message) -> Option<Up> {
        let bytes = self.group.seal_message(&message.encode()).ok()?;
        Some(Up::Tell { epoch: self.epoch, blob: Blob(bytes) })
    }

    pub(super) fn has_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Returns until when the server must accept the pending commit, or answer that it came too late.
    pub(super) fn commit_deadline(&self) -> Option<Instant> {
        self.pending.as_ref().map(|pending| pending.sent + COMMIT_TIMEOUT)
    }

    /// Sends a commit that adds members. Returns false if none could be made.
    pub(super) fn commit_adds(&mut self, requests: Vec<KnockRequest>, now: Instant, outputs: &mut Outputs) -> bool {
        let staged = self.group.add(requests);
        self.send_commit(staged, false, now, outputs)
    }

    /// Sends a commit that removes leaves. Returns false if none could be made.
    pub(super) fn commit_removals(&mut self, leaves: &[Leaf], now: Instant, outputs: &mut Outputs) -> bool {
        let staged = self.group.remove(leaves);
        self.send_commit(staged, false, now, outputs)
    }

    /// Requests an update of this member's keys with the next commit that is free for it.
    pub(super) fn request_refresh(&mut self) {
        self.wants_refresh = true;
    }

    /// Sends a commit that updates this member's keys, if that was requested.
    pub(super) fn commit_refresh(&mut self, now: Instant, outputs: &mut Outputs) {
        if self.wants_refresh {
            let staged = self.group.refresh();
            self.wants_refresh = self.send_commit(staged, true, now, outputs);
        }
    }

    /// Sends a staged commit. Returns false if staging failed, or if the commit is too long to send and is dropped.
    fn send_commit(
        &mut self,
        staged: Result<crypto::PendingCommit, Error>,
        refresh: bool,
        now: Instant,
        outputs: &mut Outputs,
    ) -> bool {
        let Ok(crypto::PendingCommit { commit, welcome, added: to, removed }) = staged else { return false };
        let blob = Blob(commit);
        let welcomes = welcome.map(|bytes| Welcome { to, blob: Blob(bytes) }).into_iter().collect();
        let message = Up::Commit { epoch: self.epoch, blob: blob.clone(), welcomes, removed };
        let sendable = proto::is_sendable(&message);
        if sendable {
            let verdict = Verdict::Unknown(blob);
            self.pending = Some(SentCommit { epoch: self.epoch, verdict, sent: now, refresh });
            outputs.transmit(message);
        } else {
            self.group.clear_pending_commit();
        }
        sendable
    }
}

impl SentCommit {
    fn is(&self, blob: &Blob) -> bool {
        match &self.verdict {
            Verdict::Unknown(sent) => sent == blob,
            Verdict::TooLate => false,
        }
    }
}
