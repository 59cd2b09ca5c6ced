//! Changes of the policy that this client's user wants. Each is kept until the policy shows it, or refuses it.

use super::context::Context;
use super::event::{PolicyRefusal, PolicyState};
use super::group_log::GroupLog;
use super::key_sharing::KeySharing;
use super::roster::Roster;
use super::timing::SUCCESSION_TIMEOUT;
use super::{Command, Notice};
use crypto::group::edits::{self, may_edit};
use crypto::group::{Error, PolicyError, Reject};
use crypto::{Changes, DeviceKey, MeetingPolicy, PolicyEdit};
use proto::{MeetingFlags, ParticipantId, Rights, Role};
use std::time::Instant;

/// A change that the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    SetRole(ParticipantId, Role),
    Grant(ParticipantId, Rights),
    Withdraw(ParticipantId, Rights),
    HandOver(ParticipantId),
    SetFlags(MeetingFlags, bool),
    SetDefaultRole(Role),
}

/// The changes that are not in force yet.
#[derive(Default)]
pub(super) struct PolicyChanges {
    requested: Vec<Request>,
    /// Since when the group has no organiser, if this client is the next in rank.
    vacant: Option<Instant>,
}

impl Request {
    /// Returns the request of a command, or `None` if the command is about something else.
    pub(super) fn of(command: &Command) -> Option<Self> {
        match *command {
            Command::SetRole(id, role) => Some(Self::SetRole(id, role)),
            Command::GrantRights(id, rights) => Some(Self::Grant(id, rights)),
            Command::WithdrawRights(id, rights) => Some(Self::Withdraw(id, rights)),
            Command::HandOver(id) => Some(Self::HandOver(id)),
            Command::SetFlags { flags, set } => Some(Self::SetFlags(flags, set)),
            Command::SetDefaultRole(role) => Some(Self::SetDefaultRole(role)),
            Command::Announce(_)
            | Command::Remove(_)
            | Command::Admit(_)
            | Command::Refuse(..)
            | Command::AdmitAll(_)
            | Command::SendBack(_)
            | Command::ChangeLink
            | Command::WriteLobby { .. }
            | Command::Floor(_)
            | Command::RaiseHand(_)
            | Command::LowerHand(_)
            | Command::StopEverything
            | Command::End
            | Command::Leave
            | Command::Chat(_)
            | Command::Verify(_)
            | Command::Refresh => None,
        }
    }

    /// Returns the edit of the policy, or `None` if the person is no member.
    fn edit(self, roster: &Roster, policy: &MeetingPolicy) -> Option<PolicyEdit> {
        let person = |id: ParticipantId| roster.device(id).map(|device| (device, id));
        Some(match self {
            Self::SetRole(id, role) => person(id).map(|(device, id)| PolicyEdit::SetRole(device, id, role))?,
            Self::Grant(id, rights) => person(id).map(|(device, id)| PolicyEdit::Grant(device, id, rights))?,
            Self::Withdraw(id, rights) => person(id).map(|(device, id)| PolicyEdit::Withdraw(device, id, rights))?,
            Self::HandOver(id) => person(id).map(|(device, id)| PolicyEdit::HandOver(device, id))?,
            Self::SetFlags(flags, set) => PolicyEdit::SetFlags(policy.flags().with(flags, set)),
            Self::SetDefaultRole(role) => PolicyEdit::SetEveryone(role),
        })
    }

    /// Returns true if this client is a manager, and the member is not of a lower role.
    fn is_above(self, roster: &Roster) -> bool {
        match self {
            Self::SetRole(id, _) | Self::Grant(id, _) | Self::Withdraw(id, _) => {
                roster.own().0.is_manager() && !roster.is_above(id)
            }
            Self::HandOver(_) | Self::SetFlags(..) | Self::SetDefaultRole(_) => false,
        }
    }

    /// Returns true if the policy already says this, or the person is no member any more.
    fn is_fulfilled(self, roster: &Roster, policy: &MeetingPolicy) -> bool {
        let is = |id: ParticipantId, test: &dyn Fn(DeviceKey) -> bool| roster.device(id).is_none_or(test);
        match self {
            Self::SetRole(id, role) => is(id, &|device| policy.role_of(device, id) == role),
            Self::Grant(id, rights) => is(id, &|device| policy.rights_of(device, id).contains(rights)),
            Self::Withdraw(id, rights) => is(id, &|device| (policy.rights_of(device, id) & rights).is_empty()),
            Self::HandOver(id) => is(id, &|device| policy.role_of(device, id) == Role::Organiser),
            Self::SetFlags(flags, set) => policy.flags().with(flags, set) == policy.flags(),
            Self::SetDefaultRole(role) => policy.everyone() == role,
        }
    }
}

impl PolicyChanges {
    /// Keeps a request, or tells the user why it is refused.
    pub(super) fn request(&mut self, request: Request, roster: &Roster, log: &GroupLog, context: &mut Context<'_>) {
        let policy = log.group().policy();
        let verdict = match request.edit(roster, policy) {
            None => Err(PolicyRefusal::NoMember),
            Some(_) if self.requested.len() >= MAX_REQUESTS => Err(PolicyRefusal::Full),
            Some(_) if request.is_above(roster) => Err(PolicyRefusal::NotBelow),
            Some(edit) => may_edit(log.group(), &[edit]).map_err(|error| refusal(&error)),
        };
        match verdict {
            Ok(()) if context.manager.is_none() => refuse(PolicyRefusal::NoKeys, context),
            Ok(()) if request.is_fulfilled(roster, policy) => {}
            Ok(()) => {
                // The newer of two requests that contradict each other counts.
                self.requested.retain(|earlier| !contradicts(*earlier, request));
                self.requested.push(request);
            }
            Err(why) => refuse(why, context),
        }
    }

    /// Drops the requests that are fulfilled. Notes since when there is no organiser.
    pub(super) fn handle_group_change(&mut self, roster: &Roster, policy: &MeetingPolicy, now: Instant) {
        self.requested.retain(|request| !request.is_fulfilled(roster, policy));
        self.vacant = is_next_in_rank(roster, policy).then(|| self.vacant.unwrap_or(now));
    }

    /// Returns when this client becomes the organiser, because there is none.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.vacant.map(|since| since + SUCCESSION_TIMEOUT)
    }

    /// Sends a commit with all requested changes, and with the edits `floor` of floor control. Returns false if none was sent.
    pub(super) fn commit(
        &mut self,
        floor: Vec<PolicyEdit>,
        roster: &Roster,
        log: &mut GroupLog,
        sharing: &mut KeySharing,
        context: &mut Context<'_>,
    ) -> bool {
        if context.manager.is_none() {
            return false;
        }
        let wanted = match self.deadline() {
            Some(deadline) if deadline <= context.now => succession(roster),
            Some(_) | None => self.edits(floor, roster, log, context),
        };
        if wanted.is_empty() {
            return false;
        }
        let Some(manager) = context.manager else { return false };
        let why = match edits::edited_policy(log.group().policy(), &wanted, false, manager.keys_mut()) {
            Ok(policy) => {
                sharing.send_next(Some(&policy), log, roster, context);
                if log.commit(Changes { policy: Some(policy), ..Changes::default() }, context) {
                    return true;
                }
                PolicyRefusal::Impossible
            }
            Err(error) => refusal(&error),
        };
        // The deadline of a succession starts again.
        self.vacant = self.vacant.map(|_| context.now);
        self.requested.clear();
        refuse(why, context);
        false
    }

    /// Returns the edits of all requests that are allowed together, and those of floor control. The other requests are refused.
    fn edits(
        &mut self,
        floor: Vec<PolicyEdit>,
        roster: &Roster,
        log: &GroupLog,
        context: &mut Context<'_>,
    ) -> Vec<PolicyEdit> {
        let (group, mut edits) = (log.group(), Vec::new());
        self.requested.retain(|request| {
            let Some(edit) = request.edit(roster, group.policy()) else { return false };
            edits.push(edit);
            match may_edit(group, &edits) {
                Ok(()) => true,
                // A hand-over is alone in its commit.
                Err(Error::Rejected(Reject::InvalidPolicy)) if edits.len() > 1 => edits.pop().is_some(),
                Err(error) => {
                    edits.pop();
                    refuse(refusal(&error), context);
                    false
                }
            }
        });
        let requested = edits.len();
        edits.extend(floor);
        if edits.len() > requested && requested > 0 && may_edit(group, &edits).is_err() {
            // Floor control first, because an order ends with the role of its author. The requests wait.
            edits.drain(..requested);
        }
        edits
    }

    /// Returns true if there are changes that are not in force yet.
    pub(super) fn is_waiting(&self) -> bool {
        !self.requested.is_empty()
    }
}

/// Returns what the screens know of a policy.
pub(super) fn state_of(policy: &MeetingPolicy, roster: &Roster) -> PolicyState {
    let succession = policy.people().iter().map(|person| person.participant).filter(|id| roster.contains(*id));
    PolicyState {
        flags: policy.flags(),
        everyone: policy.everyone(),
        rights: Role::ALL.map(|role| policy.default_rights(role)),
        succession: succession.collect(),
    }
}

/// Returns true if this client is a co-organiser, and nobody whom `policy` ranks higher is in the group.
fn is_next_in_rank(roster: &Roster, policy: &MeetingPolicy) -> bool {
    let members = roster.list();
    let is_here = |device| members.iter().any(|person| person.device == device);
    let first = policy.people().iter().find(|person| is_here(person.device));
    roster.own().0 == Role::CoOrganiser && first.is_some_and(|person| person.participant == roster.me())
}

fn succession(roster: &Roster) -> Vec<PolicyEdit> {
    let me = roster.me();
    roster.device(me).map(|device| PolicyEdit::HandOver(device, me)).into_iter().collect()
}

fn contradicts(earlier: Request, later: Request) -> bool {
    match (earlier, later) {
        (Request::SetRole(one, _), Request::SetRole(other, _)) => one == other,
        (
            Request::Grant(one, rights) | Request::Withdraw(one, rights),
            Request::Withdraw(other, others) | Request::Grant(other, others),
        ) => one == other && others.contains(rights),
        (Request::HandOver(_), Request::HandOver(_)) | (Request::SetDefaultRole(_), Request::SetDefaultRole(_)) => true,
        (Request::SetFlags(one, _), Request::SetFlags(other, _)) => other.contains(one),
        (
            Request::SetRole(..)
            | Request::Grant(..)
            | Request::Withdraw(..)
            | Request::HandOver(_)
            | Request::SetFlags(..)
            | Request::SetDefaultRole(_),
            _,
        ) => false,
    }
}

fn refuse(why: PolicyRefusal, context: &mut Context<'_>) {
    context.outputs.notice(Notice::PolicyRefused(why));
}

/// Returns why a change is not made, in words that a user can act on.
fn refusal(error: &Error) -> PolicyRefusal {
    match error {
        Error::Rejected(Reject::NotBelow) => PolicyRefusal::NotBelow,
        Error::Rejected(_) => PolicyRefusal::NotAllowed,
        Error::Policy(PolicyError::Full) => PolicyRefusal::Full,
        Error::Policy(PolicyError::NotAuthority) => PolicyRefusal::NoKeys,
        Error::Policy(_)
        | Error::Malformed
        | Error::OwnMessage
        | Error::Credential
        | Error::Forged
        | Error::Keys(_)
        | Error::CommitPending
        | Error::NoPendingCommit
        | Error::Removed
        | Error::NoRandomness(_)
        | Error::Mls(_)
        | _ => PolicyRefusal::Impossible,
    }
}

/// Requests that wait at the same time.
const MAX_REQUESTS: usize = 256;
