//! Admits participants who knock. Only a manager can read their requests.

use super::Event;
use super::context::Context;
use super::group_log::GroupLog;
use super::outputs::Outputs;
use super::roster::Roster;
use crypto::{Changes, DeviceKey, KnockRequest, admission_key};
use proto::{Blob, MAX_MEMBERS, MAX_WELCOMES, ManagerCommand, ParticipantId, Refusal};
use std::collections::BTreeSet;

/// Participants who knocked and are not members yet. Empty if this client is not a manager.
pub(super) struct Admissions {
    /// In the order of arrival.
    waiting: Vec<Knock>,
    /// How many to admit with one commit. It is halved after a commit that could not be made, to find the request that
    /// is the cause.
    batch: usize,
    /// The devices of all members so far, so that one that lost its way comes back by any link.
    known: BTreeSet<DeviceKey>,
}

struct Knock {
    request: KnockRequest,
    /// True if a rule admits it, false if the organiser decides.
    admitted: bool,
    /// True after the connection was resumed, until the server says again that the participant waits.
    stale: bool,
}

impl Knock {
    fn participant(&self) -> ParticipantId {
        self.request.participant()
    }
}

impl Admissions {
    pub(super) const fn new() -> Self {
        Self { waiting: Vec::new(), batch: MAX_WELCOMES, known: BTreeSet::new() }
    }

    /// Keeps a request, or refuses it if it is not valid. The server limits how many wait. Requests beyond this
    /// client's own limit are dropped.
    pub(super) fn handle_knock(
        &mut self,
        participant: ParticipantId,
        request: &Blob,
        log: &GroupLog,
        context: &mut Context<'_>,
    ) {
        let Some(manager) = context.manager else { return };
        if let Some(known) = self.waiting.iter_mut().find(|knock| knock.participant() == participant) {
            known.stale = false;
            return;
        }
        let why = match manager.keys_mut().open(&request.0, context.wall) {
            // A request is valid for one connection: a copy sent over another one is refused.
            Ok(request) if request.participant() != participant => Refusal::Declined,
            Ok(request) if log.group().policy().is_barred(request.device()) => Refusal::Removed,
            Ok(request) => return self.keep(request, context.outputs),
            Err(admission_key::Error::Clock { ahead }) => Refusal::Clock { ahead },
            Err(_) => Refusal::Declined,
        };
        manager.send(&ManagerCommand::Refuse { participant, why }, context.outputs);
    }

    fn keep(&mut self, request: KnockRequest, outputs: &mut Outputs) {
        if self.waiting.len() >= MAX_MEMBERS {
            return;
        }
        // A device that the organiser removed is refused before.
        let admitted = !request.via_old_link() || self.known.contains(&request.device());
        if !admitted {
            outputs.event(Event::AsksToJoin { id: request.participant(), name: request.name().to_owned() });
        }
        self.waiting.push(Knock { request, admitted, stale: false });
    }

    /// Admits a participant on whom the organiser decides.
    pub(super) fn admit(&mut self, participant: ParticipantId) {
        for knock in self.waiting.iter_mut().filter(|knock| knock.participant() == participant) {
            knock.admitted = true;
        }
    }

    /// Refuses a participant on whom the organiser decides.
    pub(super) fn refuse(&mut self, participant: ParticipantId, context: &mut Context<'_>) {
        let refused = self.waiting.extract_if(.., |knock| !knock.admitted && knock.participant() == participant);
        if refused.count() > 0
            && let Some(manager) = context.manager
        {
            manager.send(&ManagerCommand::Refuse { participant, why: Refusal::OldLink }, context.outputs);
        }
    }

    /// Removes a participant who gave up waiting.
    pub(super) fn handle_withdrawal(&mut self, participant: ParticipantId, outputs: &mut Outputs) {
        self.forget(|knock| knock.participant() == participant, outputs);
    }

    /// Removes the participants who are members now, and remembers their devices.
    pub(super) fn handle_group_change(&mut self, roster: &Roster, outputs: &mut Outputs) {
        self.known.extend(roster.present().map(|person| person.device));
        while self.known.len() > MAX_KNOWN {
            self.known.pop_first();
        }
        self.forget(|knock| roster.contains(knock.participant()), outputs);
    }

    /// Handles the end of the connection. After it was resumed, the server says again who waits.
    pub(super) fn handle_lost_connection(&mut self) {
        self.waiting.iter_mut().for_each(|knock| knock.stale = true);
    }

    /// Forgets those of whom the server did not say that they still wait.
    pub(super) fn handle_caught_up(&mut self, outputs: &mut Outputs) {
        self.forget(|knock| knock.stale, outputs);
    }

    fn forget(&mut self, gone: impl Fn(&Knock) -> bool, outputs: &mut Outputs) {
        for knock in self.waiting.extract_if(.., |knock| gone(knock)) {
            if knock.request.via_old_link() {
                outputs.event(Event::AsksNoMore(knock.participant()));
            }
        }
    }

    /// Lets the next commit admit as many as allowed, because a commit of this client was merged.
    pub(super) const fn reset_batch(&mut self) {
        self.batch = MAX_WELCOMES;
    }

    /// Sends a commit that adds those who wait. Returns false if none was sent. A request that cannot be added alone is
    /// refused.
    pub(super) fn commit(&mut self, roster: &Roster, log: &mut GroupLog, context: &mut Context<'_>) -> bool {
        loop {
            let admitted = self.waiting.iter().filter(|knock| knock.admitted && !knock.stale);
            let add: Vec<_> = admitted.take(self.batch).map(|knock| knock.request.clone()).collect();
            let Some(first) = add.first().map(KnockRequest::participant) else { return false };
            let count = add.len();
            // A device that lost its connection leaves its old leaf with the same commit.
            let remove = add.iter().flat_map(|request| roster.unused_leaves(request.device())).collect();
            if log.commit(Changes { add, remove, policy: None }, context) {
                return true;
            }
            if count > 1 {
                self.batch = count / 2;
                continue;
            }
            self.reset_batch();
            self.waiting.retain(|knock| knock.participant() != first);
            if let Some(manager) = context.manager {
                manager.send(&ManagerCommand::Refuse { participant: first, why: Refusal::Declined }, context.outputs);
            }
        }
    }
}

/// How many devices are remembered.
const MAX_KNOWN: usize = 4 * MAX_MEMBERS;
