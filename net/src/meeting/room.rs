//! A member's view of a meeting: who is here, what they say that they send, and what is still to be done.

use super::entrance::Arrival;
use super::plan::Agenda;
use super::{COMMIT_PATIENCE, Command, End, Event, MediaState, Notice, Outbox, Person, ProtocolViolation, Reason};
use crypto::{AdmissionKey, Group, Leaf};
use proto::{Blob, Down, Epoch, ParticipantId, Position, Refusal, Up};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// A meeting from the inside.
pub(super) struct Room {
    pub(super) group: Group,
    /// The organiser's.
    pub(super) admission_key: Option<AdmissionKey>,
    /// The next entry of the log.
    pub(super) next: Position,
    /// The log's epoch: how many commits came before. It is ahead of the group's by those that had to be rejected.
    pub(super) epoch: Epoch,
    /// Our commit that is neither won nor lost.
    pub(super) pending: Option<Pending>,
    /// Members by the group's own account.
    pub(super) people: BTreeMap<ParticipantId, Person>,
    /// Counts of what each member told last.
    pub(super) counts: BTreeMap<ParticipantId, u32>,
    /// Members whose connection is gone for good, and since when this client knows.
    pub(super) gone: BTreeMap<ParticipantId, Instant>,
    /// Who has sent what says to be of an epoch that this client does not know.
    pub(super) ahead: BTreeSet<ParticipantId>,
    pub(super) agenda: Agenda,
    me: ParticipantId,
}

/// A commit on its way.
pub(super) struct Pending {
    /// The log's epoch that it would end.
    pub epoch: Epoch,
    /// To know it again in the log: the server's word for whose a commit is proves nothing.
    pub blob: Blob,
    /// Since when.
    pub since: Instant,
    /// True where the person asked for it, to renew this member's keys.
    pub renews: bool,
}

impl Room {
    /// Steps in.
    pub(super) fn enter(arrival: Arrival, own: MediaState, now: Instant, outbox: &mut Outbox) -> Result<Self, End> {
        let Arrival { me, group, admission_key, position, epoch, gone } = arrival;
        let mut room = Self {
            group,
            admission_key,
            next: position,
            epoch,
            pending: None,
            people: BTreeMap::new(),
            counts: BTreeMap::new(),
            gone: gone.into_iter().map(|participant| (participant, now)).collect(),
            ahead: BTreeSet::new(),
            agenda: Agenda::new(own),
            me,
        };
        room.people = room.members();
        if !room.people.contains_key(&me) {
            return Err(Reason::BadWelcome.into());
        }
        room.gone.retain(|id, _| room.people.contains_key(id));
        room.say_keys(Vec::new(), outbox)?;
        outbox.event(Event::Entered { me });
        room.say_members(outbox);
        if !room.is_attended() {
            outbox.notice(Notice::Unattended);
        }
        room.plan(now, outbox);
        Ok(room)
    }

    pub(super) const fn me(&self) -> ParticipantId {
        self.me
    }

    pub(super) fn handle_command(&mut self, command: Command, now: Instant, outbox: &mut Outbox) {
        match command {
            Command::Announce(state) => {
                self.agenda.announce(state);
                if let Some(person) = self.people.get_mut(&self.me) {
                    person.state = state;
                }
                self.say_members(outbox);
            }
            Command::Remove(participant) if self.is_organiser() && participant != self.me => {
                if self.people.contains_key(&participant) {
                    self.agenda.remove(participant);
                }
            }
            Command::Remove(_) => outbox.notice(Notice::NotAllowed),
            Command::Refresh => self.agenda.refresh(),
            Command::Leave => {}
        }
        self.plan(now, outbox);
    }

    pub(super) fn handle_message(&mut self, message: Down, now: Instant, outbox: &mut Outbox) -> Result<(), End> {
        match message {
            Down::Log { position, entry } => self.handle_log(position, entry, now, outbox)?,
            Down::Lost { epoch } => self.lost(epoch),
            Down::Knocked { participant, request } => self.knocked(participant, &request, outbox),
            Down::Withdrew { participant } => self.agenda.withdrew(participant),
            Down::Hello { .. }
            | Down::Created
            | Down::AdmissionKey { .. }
            | Down::Admitted { .. }
            | Down::Refused { .. }
            | Down::Removed
            | Down::Ping
            | Down::Problem { .. } => return Err(ProtocolViolation::Unexpected.into()),
        }
        self.plan(now, outbox);
        Ok(())
    }

    /// Somebody is at the door. Only the organiser can read a request; the others remember who waits, to answer if the
    /// organiser goes.
    fn knocked(&mut self, participant: ParticipantId, request: &Blob, outbox: &mut Outbox) {
        if self.people.contains_key(&participant) {
            return;
        }
        let request = match self.admission_key.as_mut().map(|admission_key| admission_key.open(&request.0)) {
            None => None,
            // A request is for one connection: a copy of it through another one is not let in.
            Some(Ok(request)) if request.participant() == participant => Some(request),
            Some(_) => return outbox.transmit(Up::Refuse { participant, why: Refusal::Declined }),
        };
        self.agenda.knocked(participant, request);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) -> Result<(), End> {
        if self.pending.as_ref().is_some_and(|pending| now >= pending.since + COMMIT_PATIENCE) {
            return Err(Reason::ServerSilent.into());
        }
        self.plan(now, outbox);
        Ok(())
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.pending {
            Some(pending) => Some(pending.since + COMMIT_PATIENCE),
            None => self.gone.values().map(|since| self.turn(*since)).min(),
        }
    }

    fn is_organiser(&self) -> bool {
        self.people.get(&self.me).is_some_and(|me| me.organiser)
    }

    /// True while somebody is here who may let people in.
    pub(super) fn is_attended(&self) -> bool {
        self.present().any(|person| person.organiser)
    }

    /// Members who are not gone.
    pub(super) fn present(&self) -> impl Iterator<Item = &Person> {
        self.people.values().filter(|person| !self.gone.contains_key(&person.id))
    }

    /// The group's members, each with what they told last.
    pub(super) fn members(&self) -> BTreeMap<ParticipantId, Person> {
        let person = |member: crypto::Member| {
            let me = member.participant == self.me;
            let told = self.people.get(&member.participant).map(|person| person.state);
            let state = if me { self.agenda.own() } else { told.unwrap_or_default() };
            let crypto::Member { leaf, participant: id, name, device, organiser, .. } = member;
            (id, Person { id, leaf, name, device, organiser, me, state })
        };
        self.group.members().into_iter().map(person).collect()
    }

    /// Tells the epoch's keys and words.
    pub(super) fn say_keys(&self, removed: Vec<Leaf>, outbox: &mut Outbox) -> Result<(), End> {
        let keys = self.group.media_keys().map_err(|_| Reason::Internal)?;
        let leaves = self.people.values().map(|person| person.leaf).collect();
        outbox.event(Event::Keys { keys, removed, leaves, epoch: self.group.epoch() });
        outbox.event(Event::Words(self.group.words()));
        Ok(())
    }

    pub(super) fn say_members(&self, outbox: &mut Outbox) {
        let mut people: Vec<_> = self.people.values().cloned().collect();
        people.sort_by_key(|person| person.leaf);
        outbox.event(Event::Members(people));
    }
}
