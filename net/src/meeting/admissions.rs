//! Admits participants who knock. Only a manager can read their requests. Also what else concerns the waiting room: its chats,
//! members who are sent back to it, and changes of the link.

mod chats;
mod complaints;
mod devices;
mod link_change;
mod requests_by_id;
mod send_backs;
mod sent_back;

use super::context::Context;
use super::group_log::{GroupLog, admission_time};
use super::key_sharing::KeySharing;
use super::lobby::{Evidence, IdentityClass, LobbyEvent};
use super::outputs::Outputs;
use super::refusals::Refusals;
use super::removals::Removals;
use super::roster::{Departure, Roster};
use super::timing::ADMISSION_INTERVAL;
use super::{Command, Event, Notice};
use chats::{Chats, Incoming};
use complaints::Complaints;
use crypto::group::edits;
use crypto::{Changes, KnockRequest, Leaf, LobbyKey, MeetingPolicy};
use devices::Devices;
use link_change::LinkChange;
use proto::{Blob, MAX_MEMBERS, MAX_WELCOMES, MeetingFlags, ParticipantId, Refusal, Rights, Role};
use requests_by_id::RequestsById;
use send_backs::SendBacks;
use std::collections::BTreeMap;
use std::time::Instant;

/// Participants who knocked and are not members yet.
pub(super) struct Admissions {
    /// In the order of arrival.
    waiting: Vec<Knock>,
    /// Requests that this client cannot open or may not decide: it may become a manager, or be one again, later. The server
    /// does not repeat them then.
    sealed: BTreeMap<ParticipantId, Blob>,
    /// How many to admit with one commit. It is halved after a commit that could not be made, to find the request that
    /// is the cause.
    batch: usize,
    pub(super) devices: Devices,
    pub(super) complaints: Complaints,
    /// No rule admits anybody before this time, because other managers may know devices that no rule admits.
    rules_from: Option<Instant>,
    refusals: Refusals,
    known: RequestsById,
    chats: Chats,
    send_backs: SendBacks,
    link_change: LinkChange,
}

struct Knock {
    request: KnockRequest,
    /// True if a rule or the user admits it, false if the user is asked.
    admitted: bool,
    /// True if the user was asked.
    asked: bool,
    /// When this client admits it.
    due: Instant,
    /// True after the connection was resumed, until the server says again that the participant waits.
    stale: bool,
}

impl Knock {
    fn participant(&self) -> ParticipantId {
        self.request.participant()
    }
}

impl Admissions {
    pub(super) fn new() -> Self {
        Self {
            waiting: Vec::new(),
            sealed: BTreeMap::new(),
            batch: MAX_WELCOMES,
            devices: Devices::default(),
            complaints: Complaints::default(),
            rules_from: None,
            refusals: Refusals::default(),
            known: RequestsById::default(),
            chats: Chats::default(),
            send_backs: SendBacks::default(),
            link_change: LinkChange::default(),
        }
    }

    /// Keeps a request, or refuses it if it is not valid. The server limits how many wait. Requests beyond this
    /// client's own limit are dropped.
    pub(super) fn handle_knock(
        &mut self,
        participant: ParticipantId,
        request: &Blob,
        (log, roster): (&GroupLog, &Roster),
        removals: &Removals,
        context: &mut Context<'_>,
    ) {
        if !self.known.note(participant, request) {
            tracing::warn!("the server has sent another request under an id that it has used: it is ignored");
            return;
        }
        if let Some(known) = self.waiting.iter_mut().find(|knock| knock.participant() == participant) {
            known.stale = false;
            return;
        }
        if self.refusals.contains(participant) {
            return;
        }
        if !may_decide(log, context) {
            if self.sealed.len() < MAX_MEMBERS {
                self.sealed.insert(participant, request.clone());
            }
            return;
        }
        let Some(manager) = context.manager.as_mut() else { return };
        let policy = log.group().policy();
        let why = match manager.keys_mut().open(&request.0, context.wall) {
            // A request is valid for one connection: a copy sent over another one is refused.
            Ok(opened) if opened.participant() != participant => Refusal::Declined,
            Ok(opened) if policy.is_barred(opened.device()) => Refusal::Removed,
            Ok(opened) if removals.is_distrusted(opened.device()) => Refusal::Declined,
            Ok(_) if policy.flags().contains(MeetingFlags::LOCKED) => Refusal::Locked,
            Ok(opened) if self.devices.is_uninvited_guest(&opened, policy) => Refusal::NoGuests,
            Ok(opened) => {
                let by = opened.device();
                if let Some(complaint) = opened.complaint().filter(|_| self.devices.known.contains(&by)) {
                    self.complaints.add(complaint, (by, opened.name()), roster, context.outputs);
                }
                let due = context.now + ADMISSION_INTERVAL * roster.rank();
                let due = self.rules_from.map_or(due, |from| from.max(due));
                let is_open = policy.flags().contains(MeetingFlags::GUESTS)
                    && !policy.flags().contains(MeetingFlags::WAITING_ROOM);
                return self.keep(opened, is_open, due, context.outputs);
            }
            Err(error) => self.refusals.reason(&error),
        };
        self.refusals.refuse(participant, why, context);
    }

    /// Opens the requests that this client may decide now. A request can be opened once, so one that it had opened before is kept open.
    pub(super) fn open_sealed(
        &mut self,
        (log, roster): (&GroupLog, &Roster),
        removals: &Removals,
        context: &mut Context<'_>,
    ) {
        let is_asked = |knock: &Knock| knock.admitted || knock.asked;
        if self.sealed.is_empty() && self.waiting.iter().all(is_asked) || !may_decide(log, context) {
            return;
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        for knock in waiting.iter_mut().filter(|knock| !knock.admitted && !knock.asked) {
            knock.asked = true;
            self.chats.confirm(knock.participant());
            context.outputs.event(asks(&knock.request, self.devices.evidence(&knock.request)));
            self.chats.repeat();
        }
        self.waiting = waiting;
        for (participant, request) in std::mem::take(&mut self.sealed) {
            self.handle_knock(participant, &request, (log, roster), removals, context);
        }
    }

    fn keep(&mut self, request: KnockRequest, is_open: bool, due: Instant, outputs: &mut Outputs) {
        if self.waiting.len() >= MAX_MEMBERS {
            return;
        }
        let evidence = self.devices.evidence(&request);
        // A device that was removed is refused before, and one that has lost its place comes back.
        let is_invited = !request.via_old_link() && is_open;
        let decides = evidence.sent_back || self.complaints.is_accused(request.device());
        let admitted = !decides && (is_invited || evidence.class == IdentityClass::Known);
        if !admitted {
            outputs.event(asks(&request, evidence));
            self.chats.confirm(request.participant());
        }
        self.waiting.push(Knock { request, admitted, asked: !admitted, due, stale: false });
    }

    /// Executes a command about the waiting room. Other commands do nothing.
    pub(super) fn handle_command(
        &mut self,
        command: Command,
        (log, roster): (&GroupLog, &Roster),
        context: &mut Context<'_>,
    ) {
        if !roster.own().1.contains(Rights::ADMIT) {
            return context.outputs.notice(Notice::NotAllowed);
        }
        match command {
            Command::Admit(participant) => self.admit(participant, context.now),
            Command::AdmitAll(all) => {
                let now = context.now;
                for participant in all {
                    self.admit(participant, now);
                }
            }
            Command::Refuse(participant, why) => self.refuse(participant, why, context),
            Command::SendBack(participant) => self.send_backs.request(participant, roster, context),
            Command::ChangeLink => self.link_change.request(log.group().policy(), context),
            Command::WriteLobby { to: Some(to), text } => {
                if lobby_key(&self.waiting, to).is_some() {
                    self.chats.write(to, &text, context);
                } else {
                    context.outputs.event(Event::Lobby(LobbyEvent::NotSent { with: Some(to) }));
                }
            }
            Command::WriteLobby { to: None, .. } => context.outputs.notice(Notice::NotAllowed),
            Command::Announce(_)
            | Command::Remove(_)
            | Command::SetRole(..)
            | Command::GrantRights(..)
            | Command::WithdrawRights(..)
            | Command::HandOver(_)
            | Command::SetFlags { .. }
            | Command::SetDefaultRole(_)
            | Command::End
            | Command::Leave
            | Command::Refresh
            | Command::Floor(_)
            | Command::RaiseHand(_)
            | Command::LowerHand(_)
            | Command::StopEverything
            | Command::Chat(_)
            | Command::Verify(_) => {}
        }
    }

    /// Handles a message of a lobby chat: of a person who waits, or of a manager to that person.
    pub(super) fn handle_lobby(
        &mut self,
        (with, from): (ParticipantId, ParticipantId),
        sealed: &Blob,
        me: ParticipantId,
        context: &mut Context<'_>,
    ) {
        if let Some(key) = lobby_key(&self.waiting, with) {
            self.chats.handle(&Incoming { with, from, sealed, me }, key, context);
        }
    }

    /// Admits a participant on whom the user decides.
    fn admit(&mut self, participant: ParticipantId, now: Instant) {
        for knock in self.waiting.iter_mut().filter(|knock| knock.participant() == participant) {
            (knock.admitted, knock.due) = (true, now);
        }
    }

    /// Returns true if the next commit of [`Self::commit`] sends members back.
    pub(super) fn sends_back(&self) -> bool {
        !self.send_backs.is_empty()
    }

    /// Returns when this client admits the next one.
    pub(super) fn commit_deadline(&self, log: &GroupLog) -> Option<Instant> {
        let due = self.waiting.iter().filter(|knock| knock.admitted && !knock.stale).map(|knock| knock.due).min()?;
        Some(admission_time(log).map_or(due, |time| time.max(due)))
    }

    /// Refuses a participant on whom the user decides. Without a reason of the user, an old link is one.
    fn refuse(&mut self, participant: ParticipantId, why: Refusal, context: &mut Context<'_>) {
        let refused = |knock: &mut Knock| !knock.admitted && knock.participant() == participant;
        let Some(knock) = self.waiting.extract_if(.., refused).next() else { return };
        // Who was sent back knows no other link: not the link is the reason.
        let is_old = knock.request.via_old_link() && !self.devices.is_sent_back(knock.request.device());
        let why = if why == Refusal::Declined && is_old { Refusal::OldLink } else { why };
        self.chats.forget(participant);
        if knock.asked {
            context.outputs.event(Event::StoppedAsking(participant));
        }
        self.refusals.refuse(participant, why, context);
    }

    /// Removes a participant who gave up waiting.
    pub(super) fn handle_withdrawal(&mut self, participant: ParticipantId, outputs: &mut Outputs) {
        self.refusals.forget(participant);
        self.sealed.remove(&participant);
        self.forget(|knock| knock.participant() == participant, outputs);
    }

    /// Handles a new epoch: removes the participants who are members now, and remembers their devices. `left` are the members
    /// that it removed.
    pub(super) fn handle_group_change(
        &mut self,
        left: &[Departure],
        (roster, policy): (&Roster, &MeetingPolicy),
        outputs: &mut Outputs,
    ) {
        self.devices.handle_group_change(left, roster);
        note_role(self, roster);
        self.require_decisions();
        self.send_backs.handle_group_change(roster, policy);
        self.link_change.handle_group_change(policy);
        // The server may have ignored a message, because the keys had changed.
        self.chats.repeat();
        self.sealed.retain(|participant, _| !roster.contains(*participant));
        self.forget(|knock| roster.contains(knock.participant()), outputs);
    }

    /// Handles the stop of everything, before the epoch in which this client is alone: the user decides on everybody, also on
    /// those who left before, or wait already.
    pub(super) fn handle_stop(&mut self) {
        self.devices.handle_stop();
        self.waiting.iter_mut().for_each(|knock| require_decision(knock, &mut self.chats));
    }

    /// Handles the end of the connection. After it was resumed, the server says again who waits.
    pub(super) fn handle_lost_connection(&mut self) {
        self.refusals.clear();
        self.sealed.clear();
        self.chats.repeat();
        self.waiting.iter_mut().for_each(|knock| knock.stale = true);
    }

    /// Lets the user decide on those who knocked on another connection before their device was sent back.
    fn require_decisions(&mut self) {
        for knock in self.waiting.iter_mut().filter(|knock| self.devices.is_sent_back(knock.request.device())) {
            require_decision(knock, &mut self.chats);
        }
    }

    /// Handles that this client has entered the group, in which there may be other managers.
    pub(super) fn handle_entered(&mut self, roster: &Roster, now: Instant) {
        note_role(self, roster);
        let other = roster.present().any(|person| !person.me && person.role.is_manager());
        self.rules_from = other.then(|| now + ADMISSION_INTERVAL);
    }

    /// Handles the devices that only a person lets in, as another manager knows them.
    pub(super) fn handle_sent_back(&mut self, from: ParticipantId, devices: &[u8], roster: &Roster) {
        if self.devices.handle_sent_back(from, devices, roster) {
            self.require_decisions();
        }
    }

    /// Forgets those of whom the server did not say that they still wait.
    pub(super) fn handle_caught_up(&mut self, outputs: &mut Outputs) {
        self.forget(|knock| knock.stale, outputs);
    }

    /// Asks the user about nobody any more, because this client may not decide now.
    pub(super) fn close(&mut self, context: &mut Context<'_>) {
        self.refusals.clear();
        self.withdraw(context);
        for knock in self.waiting.iter_mut().filter(|knock| knock.asked) {
            knock.asked = false;
            self.chats.forget_status(knock.participant());
            context.outputs.event(Event::StoppedAsking(knock.participant()));
        }
    }

    /// Tells those on whom the user decides that this client does not do so any more, as far as messages may be sent now.
    pub(super) fn withdraw(&mut self, context: &mut Context<'_>) {
        let asked: Vec<_> = self.waiting.iter().filter(|knock| knock.asked).map(Knock::participant).collect();
        for id in asked {
            self.chats.forget_status(id);
            self.chats.withdraw(id);
        }
        self.chats.send(|id| lobby_key(&self.waiting, id), context);
    }

    fn forget(&mut self, gone: impl Fn(&Knock) -> bool, outputs: &mut Outputs) {
        for knock in self.waiting.extract_if(.., |knock| gone(knock)) {
            let id = knock.participant();
            if self.chats.forget(id) {
                outputs.event(Event::Lobby(LobbyEvent::NotSent { with: Some(id) }));
            }
            if knock.asked {
                outputs.event(Event::StoppedAsking(id));
            }
        }
    }

    /// Sends the refusals and the messages of chats that may be sent now.
    pub(super) fn send_refusals(&mut self, context: &mut Context<'_>) {
        self.refusals.send(context);
        self.chats.send(|id| lobby_key(&self.waiting, id), context);
    }

    /// Returns when [`Self::send_refusals`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.refusals.deadline().into_iter().chain(self.chats.deadline()).min()
    }

    /// Lets the next commit admit as many as allowed, because a commit of this client was merged.
    pub(super) const fn reset_batch(&mut self) {
        self.batch = MAX_WELCOMES;
    }

    /// Sends a commit that sends members back, changes the link, or adds those who wait. Returns false if none was sent. A
    /// request that cannot be added alone is refused.
    pub(super) fn commit(
        &mut self,
        roster: &Roster,
        log: &mut GroupLog,
        sharing: &mut KeySharing,
        context: &mut Context<'_>,
    ) -> bool {
        let is_idle = self.waiting.is_empty() && self.send_backs.is_empty() && self.link_change.is_empty();
        if is_idle || !may_decide(log, context) {
            return false;
        }
        if self.send_backs.commit(roster, log, sharing, context)
            || self.link_change.commit(roster, log, sharing, context)
        {
            return true;
        }
        if admission_time(log).is_some_and(|time| context.now < time) {
            return false;
        }
        loop {
            let is_due = |knock: &&Knock| knock.admitted && !knock.stale && knock.due <= context.now;
            let admitted = self.waiting.iter().filter(is_due);
            let add: Vec<_> = admitted.take(self.batch).map(|knock| knock.request.clone()).collect();
            let first = add.first().map(|request| (request.participant(), request.device()));
            let Some((first, device)) = first else { return false };
            let count = add.len();
            // A device that lost its connection leaves its old leaf with the same commit.
            let remove: Vec<_> = add.iter().flat_map(|request| roster.unused_leaves(request.device())).collect();
            let policy = returning(&add, &remove, log, context);
            if log.commit(Changes { add, remove, policy }, context) {
                return true;
            }
            if count > 1 {
                self.batch = count / 2;
                continue;
            }
            self.reset_batch();
            self.waiting.retain(|knock| knock.participant() != first);
            // It may have been removed since it knocked.
            let is_barred = log.group().policy().is_barred(device);
            self.refusals.refuse(first, if is_barred { Refusal::Removed } else { Refusal::Declined }, context);
        }
    }
}

/// Tells those who wait if this client has become the organiser's, or is not any more.
fn note_role(admissions: &mut Admissions, roster: &Roster) {
    if admissions.chats.set_organiser(roster.own().0 == Role::Organiser) {
        for knock in admissions.waiting.iter().filter(|knock| knock.asked) {
            admissions.chats.confirm(knock.participant());
        }
    }
}

fn asks(request: &KnockRequest, evidence: Evidence) -> Event {
    Event::AsksToJoin { id: request.participant(), name: request.name().to_owned(), evidence }
}

/// Lets the user decide on a participant whom a rule has admitted. [`Admissions::open_sealed`] asks.
fn require_decision(knock: &mut Knock, chats: &mut Chats) {
    if knock.admitted && !knock.asked {
        knock.admitted = false;
        chats.confirm(knock.participant());
    }
}

/// Returns the key of the chat with a person who waits for a decision.
fn lobby_key(waiting: &[Knock], with: ParticipantId) -> Option<&LobbyKey> {
    waiting.iter().find(|knock| knock.asked && knock.participant() == with)?.request.lobby()
}

/// Returns true if this client can open requests, and may decide them.
fn may_decide(log: &GroupLog, context: &Context<'_>) -> bool {
    context.manager.is_some() && log.group().rights().contains(Rights::ADMIT)
}

/// Returns the policy by which those who come back have their roles and rights again; `None` if nothing changes.
fn returning(
    add: &[KnockRequest],
    remove: &[Leaf],
    log: &GroupLog,
    context: &mut Context<'_>,
) -> Option<MeetingPolicy> {
    let returns: Vec<_> = add.iter().filter_map(|request| edits::return_of(log.group(), request, remove)).collect();
    let manager = context.manager.as_mut().filter(|_| !returns.is_empty())?;
    edits::edited_policy(log.group().policy(), &returns, false, manager.keys_mut()).ok()
}

#[cfg(test)]
mod tests;
