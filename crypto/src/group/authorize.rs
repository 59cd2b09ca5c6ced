//! Who may change the group. Every client calls [`authorize`] before it merges a commit.

mod committer;
mod policy_change;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use super::error::Reject;
use super::policy::{Gone, MeetingPolicy, PolicyContent};
use crate::Leaf;
use crate::credential::LeafCredential;
use committer::Committer;
use policy_change::Members;
use proto::{ParticipantId, Rights};

/// One proposal of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proposed {
    /// Adds a member with this verified credential.
    Add(LeafCredential),
    /// Removes a leaf.
    Remove(Leaf),
    /// Updates the committer's own leaf to this credential.
    Update(LeafCredential),
    /// Replaces the policy.
    Policy(Box<MeetingPolicy>),
    /// Any other proposal: other extensions, pre-shared keys, re-initialisation, proposals of other members.
    Other,
}

/// Decides whether `committer` may commit these proposals. All clients have the same inputs and get the same result: the
/// policy before the commit, the members, and the committer's leaf.
///
/// Who has the right to admit adds; who has the right to remove removes people of lower roles. Any member removes leaves
/// whose participant is `gone` according to the delivery service, whose device is barred, or which are its own, and adds a
/// manager who comes back with the authority's signature. Who was removed by a manager's command is gone only if that
/// manager has power over it by the policy before. Nobody adds or keeps a barred device. `policy_change` decides who
/// may change the policy.
pub(crate) fn authorize(
    policy: &MeetingPolicy,
    members: &[(Leaf, LeafCredential)],
    committer: Leaf,
    proposals: &[Proposed],
    gone: &dyn Fn(ParticipantId) -> Option<Gone>,
) -> Result<(), Reject> {
    let at = |leaf: Leaf| members.iter().find(|member| member.0 == leaf).map(|member| &member.1);
    let by = Committer::new(policy, at(committer).ok_or(Reject::NotAMember)?);
    let after = next_policy(policy, proposals)?;
    let mut present: Vec<&LeafCredential> = members.iter().map(|member| &member.1).collect();
    let mut left: Vec<&LeafCredential> = Vec::new();
    // Removals first (RFC 9420, section 12.3): a participant may be replaced in one commit.
    for proposal in proposals {
        if let Proposed::Remove(leaf) = proposal {
            let removed = at(*leaf).ok_or(Reject::EmptyLeaf)?;
            let is_gone = gone(removed.participant).is_some_and(|gone| policy.counts_as_gone(removed.device, gone));
            if !is_gone && !after.is_barred(removed.device) {
                may_remove(policy, &by, removed)?;
            }
            present.retain(|member| member.participant != removed.participant);
            left.push(removed);
        }
    }
    for proposal in proposals {
        match proposal {
            Proposed::Add(person) => {
                may_add(policy, after, person, &by, &present)?;
                present.push(person);
            }
            Proposed::Update(person) if !person.has_same_identity(by.person) => return Err(Reject::IdentityChanged),
            Proposed::Other => return Err(Reject::UnsupportedProposal),
            Proposed::Remove(_) | Proposed::Update(_) | Proposed::Policy(_) => {}
        }
    }
    if present.iter().any(|member| after.is_barred(member.device)) {
        return Err(Reject::Barred);
    }
    if after.serial() == policy.serial() {
        return Ok(());
    }
    policy_change::check(policy, after, &by, Members { present: &present, left: &left })
}

/// Returns `Ok` if the owner of the leaf `me` may commit `after`, which is not signed yet. Its client rotates the authority
/// if it must.
pub(super) fn may_edit(
    before: &PolicyContent,
    after: &PolicyContent,
    members: &[(Leaf, LeafCredential)],
    me: Leaf,
) -> Result<(), Reject> {
    let present: Vec<&LeafCredential> = members.iter().map(|member| &member.1).collect();
    let person = members.iter().find(|member| member.0 == me).ok_or(Reject::NotAMember)?;
    let members = Members { present: &present, left: &[] };
    match policy_change::check(before, after, &Committer::new(before, &person.1), members) {
        Err(Reject::NoRotation) => Ok(()),
        verdict => verdict,
    }
}

/// Returns the policy after the commit.
fn next_policy<'a>(before: &'a MeetingPolicy, proposals: &'a [Proposed]) -> Result<&'a MeetingPolicy, Reject> {
    let mut policies = proposals.iter().filter_map(|proposal| match proposal {
        Proposed::Policy(next) => Some(next.as_ref()),
        Proposed::Add(_) | Proposed::Remove(_) | Proposed::Update(_) | Proposed::Other => None,
    });
    match (policies.next(), policies.next()) {
        (None, _) => Ok(before),
        (Some(next), None) if next.may_follow(before) => Ok(next),
        (Some(_), _) => Err(Reject::InvalidPolicy),
    }
}

fn may_remove(before: &MeetingPolicy, by: &Committer<'_>, removed: &LeafCredential) -> Result<(), Reject> {
    if before.has_power((by.person.device, by.role, by.rights), removed.device) {
        return Ok(());
    }
    if by.rights.contains(Rights::REMOVE) { Err(Reject::NotBelow) } else { Err(Reject::NotAllowed) }
}

fn may_add(
    before: &MeetingPolicy,
    after: &MeetingPolicy,
    person: &LeafCredential,
    by: &Committer<'_>,
    present: &[&LeafCredential],
) -> Result<(), Reject> {
    if after.is_barred(person.device) {
        return Err(Reject::Barred);
    }
    if !by.rights.contains(Rights::ADMIT) && !before.allows_return(person) {
        return Err(Reject::NotAllowed);
    }
    if present.iter().any(|member| member.participant == person.participant) {
        return Err(Reject::AlreadyMember);
    }
    if present.len() >= MAX_MEMBERS { Err(Reject::Full) } else { Ok(()) }
}

/// Leaves that a key id can name (docs/frames.md).
const MAX_MEMBERS: usize = crate::frame::MAX_LEAVES as usize;
