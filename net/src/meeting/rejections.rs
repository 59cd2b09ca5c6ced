//! What a client does about a commit of another member that it rejects.

use super::Notice;
use super::context::Context;
use super::event::Exit;
use super::exits::may_void;
use super::group_log::{GroupLog, Rejection};
use super::removals::Removals;
use super::roster::Roster;
use super::unread_commit::UnreadCommit;
use crypto::group::beacon;
use proto::{Epoch, ManagerCommand, MemberBeacon, ParticipantId};
use std::time::Instant;

/// Handles a commit of `from`, according to the server, that ended the epoch `epoch` of the log and was rejected. The leading
/// manager has not signed it. A manager's client voids it and removes who makes what no honest client makes, if that one is below it.
pub(super) fn handle(
    why: Rejection,
    (from, epoch): (ParticipantId, Epoch),
    (log, roster, removals): (&mut GroupLog, &Roster, &mut Removals),
    context: &mut Context<'_>,
) {
    if log.unread.is_some() {
        // Its author may have merged the commit that this client could not read.
        return;
    }
    let is_other = from != roster.me();
    let decides = is_other && context.manager.is_some() && roster.own().0.is_manager() && may_void(roster, from);
    match why {
        Rejection::Unreadable if is_other => {
            context.outputs.notice(Notice::KeysUnreadable(from));
            log.unread = Some(UnreadCommit::new((from, epoch), decides, roster, context.now));
            if decides {
                removals.handle_forged_commit(from, roster);
            }
            return handle_timeout(log, roster, context);
        }
        Rejection::Forged if decides => removals.handle_forged_commit(from, roster),
        Rejection::Refused if decides => removals.handle_invalid_commit(from, roster),
        Rejection::Unreadable | Rejection::Forged | Rejection::Refused => {}
    }
    context.outputs.notice(Notice::CommitRejected(from));
    if let Some(manager) = context.manager.as_mut().filter(|_| decides) {
        manager.send(ManagerCommand::Void { epoch, participant: from }, context.now, context.outputs);
    }
}

/// Returns how the membership ends: this client could not merge a commit that the leading manager has signed, so the others have merged it.
pub(super) fn cut_off(
    why: Rejection,
    (from, epoch): (ParticipantId, Epoch),
    (log, roster): (&mut GroupLog, &Roster),
    now: Instant,
) -> Exit {
    if why == Rejection::Unreadable {
        log.unread = Some(UnreadCommit::new((from, epoch), false, roster, now));
    }
    Exit::CutOff
}

/// Handles that the leading manager has voided a commit which this client has not merged either.
#[expect(clippy::unnecessary_wraps, reason = "it is one of several results")]
pub(super) fn handle_void(log: &mut GroupLog, epoch: Epoch) -> Result<(), Exit> {
    log.unread.take_if(|unread| unread.epoch() == epoch);
    Ok(())
}

/// Handles a beacon of the leading manager about the epoch `epoch` of the log. If it names the same group, a commit before that this client
/// could not read does not count. The leading manager sends none before it has decided itself.
pub(super) fn handle_agreement(agrees: bool, epoch: Epoch, log: &mut GroupLog) {
    let current = log.epoch();
    if agrees {
        log.unread.take_if(|unread| unread.epoch() < epoch && epoch <= current);
    }
}

/// Handles a member's beacon while it is not known whether the others have merged a commit that this client could not read.
///
/// # Errors
/// Returns [`Exit::CutOff`] if this client is a manager, and they have.
pub(super) fn handle_beacon(
    (from, beacon): (ParticipantId, &MemberBeacon),
    (log, roster): (&mut GroupLog, &Roster),
    context: &Context<'_>,
) -> Result<(), Exit> {
    let leaf = roster.leaf(from).filter(|_| from != roster.me());
    let is_signed = leaf.is_some_and(|leaf| beacon::has_signed(log.group(), (from, leaf), beacon));
    let own = log.state().mls_epoch;
    let unread = log.unread.as_mut().filter(|unread| is_signed && beacon.epoch > unread.epoch());
    let Some(unread) = unread else { return Ok(()) };
    // A member that has merged the commit has merged all after it.
    let merged = beacon.epoch.0.saturating_sub(unread.epoch().0);
    unread.handle_beacon(from, beacon.mls_epoch == own.saturating_add(merged));
    let decides = context.manager.is_some() && roster.own().0.is_manager();
    if decides && unread.is_merged_by_others(roster) { Err(Exit::CutOff) } else { Ok(()) }
}

/// Decides if it is time: the others have not merged the commit. A manager voids it, for those who have, if
/// its author is below it.
pub(super) fn handle_timeout(log: &mut GroupLog, roster: &Roster, context: &mut Context<'_>) {
    let Some(unread) = log.unread.take_if(|unread| unread.until() <= context.now) else { return };
    let decides = roster.own().0.is_manager() && may_void(roster, unread.from());
    if let Some(manager) = context.manager.as_mut().filter(|_| decides) {
        manager.send(unread.void(), context.now, context.outputs);
    }
}
