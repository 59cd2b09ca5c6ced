//! What is not in the log: the trees that members send for the next joiners, their relayed messages and beacons, and what waiting
//! clients send.

use super::super::actions::Actions;
use super::super::tree::Welcomes;
use super::Meeting;
use proto::{Blob, Down, MemberBeacon, ParticipantId, Problem, Welcome};
use std::time::Instant;

/// Keeps a part of the tree for a member's next message with Welcomes.
///
/// # Errors
/// Returns [`Problem::Malformed`] if the part does not fit to those before it.
pub fn add_to_tree(
    meeting: &mut Meeting,
    from: ParticipantId,
    first: bool,
    part: Blob,
    now: Instant,
) -> Result<(), Problem> {
    meeting.members.get_mut(from).map_or(Ok(()), |member| member.tree.add(first, part, now))
}

/// Returns the Welcomes with the tree that the member has sent before. It is not kept any longer, whether or not the commit is
/// accepted.
pub fn with_tree(meeting: &mut Meeting, from: ParticipantId, list: Vec<Welcome>) -> Welcomes {
    let member = meeting.members.get_mut(from).filter(|_| !list.is_empty());
    Welcomes { list, tree: member.map(|member| std::mem::take(&mut member.tree)).unwrap_or_default() }
}

/// Passes a message that is not in the log to the other members. Drops it if the member sends too many of them: its network
/// may deliver those of many seconds at once.
pub fn relay(meeting: &mut Meeting, from: ParticipantId, blob: Blob, now: Instant, actions: &mut Actions) {
    if meeting.members.get_mut(from).is_some_and(|member| member.take_relay(now)) {
        let others = meeting.members.connections_except(from);
        actions.relay(others, from, &Down::Relayed { from, blob });
    }
}

/// Passes a message of a waiting client to the managers: to the members that have the keys to read it.
///
/// # Errors
/// Returns [`Problem::TooFast`] if the client sends too many of them.
pub fn to_managers(
    meeting: &mut Meeting,
    from: ParticipantId,
    blob: Blob,
    now: Instant,
    actions: &mut Actions,
) -> Result<(), Problem> {
    if meeting.waiting.take_message(from, now)? {
        let managers = meeting.members.managers(meeting.authority.rotations());
        actions.send_all(managers, &Down::Lobby { participant: from, from, blob });
    }
    Ok(())
}

/// Passes a member's beacon to the others. It is not in the log: nobody needs an old one. Those that come too often are
/// dropped, because the next one says the same.
pub fn pass_beacon(
    meeting: &mut Meeting,
    from: ParticipantId,
    beacon: MemberBeacon,
    now: Instant,
    actions: &mut Actions,
) {
    if meeting.members.get_mut(from).is_some_and(|member| member.take_beacon(now)) {
        actions.send_all(meeting.members.connections_except(from), &Down::MemberBeacon { from, beacon });
    }
}
