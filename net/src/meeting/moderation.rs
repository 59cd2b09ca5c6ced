//! Floor control, raised hands and the stop of everything: what the managers of a meeting do in the room.

use super::context::Context;
use super::event::{Command, Event, Notice};
use super::floor::{Floor, fold_time};
use super::group_log::{self, GroupLog};
use super::hands::Hands;
use super::moderation_message::{FloorMessage, FloorOrder, FloorTarget, HandMessage};
use super::outputs::Outputs;
use super::roster::{self, Roster};
use super::stop::Stop;
use super::timing::FOLD_INTERVAL;
use crypto::PolicyEdit;
use crypto::group::edits::may_edit;
use proto::{Blob, ParticipantId, Position, Rights, Role};
use std::time::Instant;

/// What the managers do in the room.
pub(super) struct Moderation {
    floor: Floor,
    hands: Hands,
    stop: Stop,
    /// This client's role and rights as the user knows them.
    own: (Role, Rights),
}

impl Moderation {
    /// Returns the state of a new member, and gives the members their rights.
    pub(super) fn new(roster: &mut Roster, log: &GroupLog) -> Self {
        let mut floor = Floor::new(roster.me());
        let own = roster.own();
        update_floor(&mut floor, roster, log);
        Self { floor, hands: Hands::new(log.next(), roster), stop: Stop::default(), own }
    }

    /// Takes over what the user wanted before this client entered the group again.
    pub(super) fn resume(
        &mut self,
        before: &Self,
        me_before: ParticipantId,
        facts: (&GroupLog, &mut Roster),
        context: &mut Context<'_>,
    ) {
        self.hands.raise_again(&before.hands, me_before);
        self.stop.resume(&before.stop);
        let (log, _) = facts;
        let fold = fold_time(true, 0, context.now);
        self.floor.resume(&before.floor, log.group().policy(), log.group().epoch().0, fold);
        self.own = before.own;
        self.show(None, facts, context.outputs);
        context.outputs.event(Event::Hands(self.hands.order()));
    }

    /// Handles a command of the user. Returns the command, or the rest of it, that the policy is about.
    pub(super) fn handle_command(
        &mut self,
        command: Command,
        (log, roster): (&GroupLog, &mut Roster),
        context: &mut Context<'_>,
    ) -> Option<Command> {
        match command {
            Command::Floor(order) => self.order(order, (log, roster), context),
            Command::RaiseHand(up) if !up || roster.own().1.contains(Rights::REACT) => self.hands.raise(up),
            Command::LowerHand(id) if id.is_none_or(|id| roster::may_lower_hand(roster, roster.me(), id)) => {
                if roster.own().0.is_manager() {
                    self.hands.lower(id);
                } else {
                    context.outputs.notice(Notice::NotAllowed);
                }
            }
            Command::RaiseHand(_) | Command::LowerHand(_) => context.outputs.notice(Notice::NotAllowed),
            Command::StopEverything => self.stop.request(roster, context),
            Command::GrantRights(id, rights) => {
                let rest = self.order_media(id, rights, true, (log, roster), context);
                return rest.map(|rest| Command::GrantRights(id, rest));
            }
            Command::WithdrawRights(id, rights) => {
                let rest = self.order_media(id, rights, false, (log, roster), context);
                return rest.map(|rest| Command::WithdrawRights(id, rest));
            }
            Command::Announce(_)
            | Command::Remove(_)
            | Command::Admit(_)
            | Command::Refuse(..)
            | Command::AdmitAll(_)
            | Command::SendBack(_)
            | Command::ChangeLink
            | Command::WriteLobby { .. }
            | Command::Chat(_)
            | Command::Verify(_)
            | Command::SetRole(..)
            | Command::HandOver(_)
            | Command::SetFlags { .. }
            | Command::SetDefaultRole(_)
            | Command::End
            | Command::Leave
            | Command::Refresh => return Some(command),
        }
        None
    }

    /// Gives or takes the rights to send sound and pictures by an order, which counts at once and for those who come later.
    /// Returns the other rights; `None` if there are none.
    fn order_media(
        &mut self,
        id: ParticipantId,
        rights: Rights,
        allow: bool,
        facts: (&GroupLog, &mut Roster),
        context: &mut Context<'_>,
    ) -> Option<Rights> {
        let media = rights & Rights::MEDIA;
        if !media.is_empty() {
            self.order(FloorOrder { target: FloorTarget::Person(id), rights: media, allow }, facts, context);
        }
        Some(rights.without(Rights::MEDIA)).filter(|rest| !rest.is_empty())
    }

    fn order(&mut self, order: FloorOrder, (log, roster): (&GroupLog, &mut Roster), context: &mut Context<'_>) {
        let fold = fold_time(true, 0, context.now);
        match self.floor.order(order, log.group().epoch().0, Some(fold)) {
            Ok(()) => self.show(Some(roster.me()), (log, roster), context.outputs),
            Err(why) => context.outputs.notice(Notice::PolicyRefused(why)),
        }
    }

    /// Gives the members the rights that they have now. Tells the user of changes.
    fn show(&mut self, by: Option<ParticipantId>, (log, roster): (&GroupLog, &mut Roster), outputs: &mut Outputs) {
        let policy = log.group().policy();
        let changed = roster::set_rights(roster, |id, device| self.floor.rights(id, policy.rights_of(device, id)));
        self.show_own(by, (log, roster), outputs);
        if changed {
            outputs.event(Event::Members(roster.list()));
        }
    }

    fn show_own(&mut self, by: Option<ParticipantId>, (log, roster): (&GroupLog, &Roster), outputs: &mut Outputs) {
        let now = roster.own();
        let is_named = |device| log.group().policy().role_of_device(device).is_manager();
        if !now.0.is_manager() && roster.device(roster.me()).is_some_and(is_named) {
            // A manager that came back is one again after its next commit. That is no news.
            return;
        }
        let before = std::mem::replace(&mut self.own, now);
        if before != now {
            outputs.event(Event::OwnRightsChanged { by, before, now });
        }
    }

    /// Handles a message of floor control that was sealed in the MLS epoch `epoch`.
    pub(super) fn handle_floor(
        &mut self,
        author: ParticipantId,
        message: FloorMessage,
        epoch: u64,
        facts: (&GroupLog, &mut Roster),
        context: &mut Context<'_>,
    ) {
        let fold = fold_time(false, facts.1.rank(), context.now);
        if self.floor.receive(author, epoch, message, fold) {
            self.show(Some(author), facts, context.outputs);
        } else {
            tracing::debug!(?author, "an order of floor control does not count");
        }
    }

    /// Handles a message about hands at `position` of the log.
    pub(super) fn handle_hands(
        &mut self,
        author: ParticipantId,
        message: HandMessage,
        position: Position,
        roster: &Roster,
        outputs: &mut Outputs,
    ) {
        self.hands.handle_message(author, message, position, roster, outputs);
    }

    /// Handles this client's own message in the log. `is_old` is true if the others may have deleted the secrets of its
    /// epoch.
    pub(super) fn handle_own(
        &mut self,
        blob: &Blob,
        is_old: bool,
        (log, roster): (&GroupLog, &Roster),
        outputs: &mut Outputs,
    ) {
        self.hands.handle_own(blob, is_old, log.next(), roster, outputs);
        if is_old {
            self.floor.repeat();
        }
    }

    /// Handles a new epoch. The roster has the rights of the policy. `joined` is true if somebody joined. Returns true if the
    /// user's stop of everything is fulfilled.
    pub(super) fn handle_group_change(
        &mut self,
        joined: bool,
        (log, roster): (&GroupLog, &mut Roster),
        outputs: &mut Outputs,
    ) -> bool {
        update_floor(&mut self.floor, roster, log);
        let committer =
            group_log::committer(log).and_then(|leaf| roster::member_at(roster, leaf)).map(|member| member.id);
        self.show_own(committer, (log, roster), outputs);
        self.hands.handle_group_change(roster, joined, outputs);
        self.stop.handle_group_change(roster, log.group().policy(), outputs)
    }

    pub(super) fn handle_lost_connection(&mut self) {
        self.floor.repeat();
        self.hands.handle_lost_connection();
    }

    /// Handles that all entries from before the connection was resumed have arrived.
    pub(super) fn handle_caught_up(&mut self) {
        self.hands.handle_caught_up();
    }

    /// Sends the messages that wait.
    pub(super) fn send(&mut self, log: &mut GroupLog, outputs: &mut Outputs) {
        self.floor.send(log, outputs);
        self.hands.send(log, outputs);
    }

    /// Returns true if [`Self::commit_stop`] has something to do.
    pub(super) const fn is_stopping(&self) -> bool {
        self.stop.is_requested()
    }

    /// Stops everything, if that was requested. `floor` are the edits of [`Self::due_edits`]. Returns false if no commit was sent.
    pub(super) fn commit_stop(
        &mut self,
        floor: &[PolicyEdit],
        roster: &Roster,
        log: &mut GroupLog,
        context: &mut Context<'_>,
    ) -> bool {
        self.stop.commit(floor, roster, log, context)
    }

    /// Returns the edits that make the orders part of the policy, if it is time. `at_once` is true if somebody is about to
    /// enter, who does not know the orders, or to be removed, because an order ends with its author's leaf and that of the
    /// person, or if the policy changes anyway.
    pub(super) fn due_edits(&mut self, at_once: bool, log: &GroupLog, context: &Context<'_>) -> Vec<PolicyEdit> {
        if context.manager.is_none() || !self.floor.is_fold_due(at_once, context.now) {
            return Vec::new();
        }
        let mut wanted = self.floor.edits(log.group().policy());
        wanted.truncate(MAX_FOLDED);
        // A commit may lose against another one, and what this client may not do now, it or its author may do later.
        let is_again = !wanted.is_empty();
        self.floor.set_fold_due(is_again.then(|| context.now + FOLD_INTERVAL));
        allowed(wanted, log)
    }

    /// Returns true if an order waits for the next epoch.
    pub(super) const fn needs_epoch(&self) -> bool {
        self.floor.needs_epoch()
    }

    /// Returns when [`Self::due_edits`] has some.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.floor.fold_due()
    }
}

/// The edits of one commit. A policy does not list more people.
const MAX_FOLDED: usize = 256;

fn update_floor(floor: &mut Floor, roster: &mut Roster, log: &GroupLog) {
    let policy = log.group().policy();
    let members = roster.list().into_iter().map(|person| (person.id, person.device));
    floor.handle_group_change(policy, members, log.group().epoch().0);
    roster::set_rights(roster, |id, device| floor.rights(id, policy.rights_of(device, id)));
}

/// Returns the edits that this client may make. Orders of a higher manager about a manager are not among them.
fn allowed(edits: Vec<PolicyEdit>, log: &GroupLog) -> Vec<PolicyEdit> {
    if edits.is_empty() || may_edit(log.group(), &edits).is_ok() {
        return edits;
    }
    let mut allowed = Vec::new();
    for edit in edits {
        allowed.push(edit);
        if may_edit(log.group(), &allowed).is_err() {
            allowed.pop();
        }
    }
    allowed
}
