//! What this member wants of the group, and which commit to try next.
//!
//! Wishes are kept until the group shows that they are fulfilled, never until a commit was sent: whatever commit wins,
//! the next plan is made from what the group is then.

use super::room::{Pending, Room};
use super::state::Message;
use super::{MediaState, Notice, Outbox, Person, REMOVAL_STEP};
use crypto::{KnockRequest, Leaf};
use proto::{Blob, MAX_MEMBERS, MAX_WELCOMES, ParticipantId, Refusal, Up, Welcome};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Wishes that no commit has fulfilled yet.
pub(super) struct Agenda {
    /// What this client sends.
    own: MediaState,
    /// How often it was told.
    count: u32,
    /// True where the others have heard it, or need not.
    told: bool,
    /// Whom to put out. Only the organiser's holds anybody.
    removals: BTreeSet<ParticipantId>,
    /// Who waits outside, first come first.
    waiting: Vec<Knock>,
    /// How many to let in at once: fewer after a commit that failed, to find whose request spoils it.
    batch: usize,
    refresh: bool,
}

struct Knock {
    participant: ParticipantId,
    /// `None` where this member cannot read it.
    request: Option<KnockRequest>,
}

impl Agenda {
    pub(super) fn new(own: MediaState) -> Self {
        Self {
            own,
            count: 0,
            told: own == MediaState::default(),
            removals: BTreeSet::new(),
            waiting: Vec::new(),
            batch: MAX_WELCOMES,
            refresh: false,
        }
    }

    pub(super) const fn own(&self) -> MediaState {
        self.own
    }

    pub(super) fn announce(&mut self, state: MediaState) {
        self.told &= self.own == state;
        self.own = state;
    }

    pub(super) const fn announce_again(&mut self) {
        self.told = false;
    }

    pub(super) fn remove(&mut self, participant: ParticipantId) {
        self.removals.insert(participant);
    }

    pub(super) const fn refresh(&mut self) {
        self.refresh = true;
    }

    /// Somebody waits. The server limits how many do; what is beyond ours is not heard.
    pub(super) fn knocked(&mut self, participant: ParticipantId, request: Option<KnockRequest>) {
        if self.waiting.len() < MAX_MEMBERS && self.waiting.iter().all(|knock| knock.participant != participant) {
            self.waiting.push(Knock { participant, request });
        }
    }

    pub(super) fn withdrew(&mut self, participant: ParticipantId) {
        self.waiting.retain(|knock| knock.participant != participant);
    }

    /// A commit of ours won.
    pub(super) const fn won(&mut self, renews: bool) {
        self.batch = MAX_WELCOMES;
        self.refresh &= !renews;
    }

    /// Drops what the group shows to be done. Somebody new has heard nothing that was told before; who sends nothing
    /// need not say so.
    pub(super) fn settle(&mut self, people: &BTreeMap<ParticipantId, Person>, joined: bool) {
        self.removals.retain(|id| people.contains_key(id));
        self.waiting.retain(|knock| !people.contains_key(&knock.participant));
        self.told &= !joined || self.own == MediaState::default();
    }
}

impl Room {
    /// Does all that can be done now. Removals come before admissions: who is let in must not meet who is put out.
    pub(super) fn plan(&mut self, now: Instant, outbox: &mut Outbox) {
        self.tell(outbox);
        self.turn_away(outbox);
        if self.pending.is_some() {
            return;
        }
        if !self.remove(now, outbox) && !self.admit(now, outbox) && self.agenda.refresh {
            self.renew(now, outbox);
        }
    }

    /// When this member removes somebody who is gone since `since`.
    pub(super) fn turn(&self, since: Instant) -> Instant {
        since + REMOVAL_STEP * self.rank()
    }

    /// How many come before this member: the organiser first, then by leaf.
    fn rank(&self) -> u32 {
        let place = |person: &Person| (!person.organiser, person.leaf);
        let Some(mine) = self.people.get(&self.me()).map(place) else { return 0 };
        u32::try_from(self.present().filter(|person| place(person) < mine).count()).unwrap_or(u32::MAX)
    }

    /// Says what this client sends, where the others do not know.
    fn tell(&mut self, outbox: &mut Outbox) {
        if self.agenda.told {
            return;
        }
        let message = Message::State { count: self.agenda.count, state: self.agenda.own };
        // It fails while a commit of ours waits; the next plan tries again.
        let Ok(bytes) = self.group.seal_message(&message.encode()) else { return };
        self.agenda.count = self.agenda.count.saturating_add(1);
        self.agenda.told = true;
        outbox.transmit(Up::Tell { epoch: self.epoch, blob: Blob(bytes) });
    }

    /// Nobody can let anybody in any more: the first in rank tells those who wait.
    fn turn_away(&mut self, outbox: &mut Outbox) {
        if self.is_attended() || self.rank() > 0 {
            return;
        }
        for knock in std::mem::take(&mut self.agenda.waiting) {
            outbox.transmit(Up::Refuse { participant: knock.participant, why: Refusal::Unattended });
        }
    }

    /// Removes who has to go; false where nobody has.
    fn remove(&mut self, now: Instant, outbox: &mut Outbox) -> bool {
        let due = self.gone.values().any(|since| self.turn(*since) <= now);
        let gone: &mut dyn Iterator<Item = _> = if due { &mut self.gone.keys() } else { &mut std::iter::empty() };
        let out: BTreeSet<_> = gone.chain(&self.agenda.removals).collect();
        let leaves: Vec<Leaf> = out.iter().filter_map(|id| self.people.get(*id)).map(|person| person.leaf).collect();
        if leaves.is_empty() {
            return false;
        }
        let staged = self.group.remove(&leaves);
        if let Ok(staged) = staged
            && self.propose(staged, false, now, outbox)
        {
            return true;
        }
        for participant in std::mem::take(&mut self.agenda.removals) {
            outbox.notice(Notice::CannotRemove(participant));
        }
        // Not at once again: whoever is next in rank has a turn before.
        self.gone.values_mut().for_each(|since| *since = now + 2 * REMOVAL_STEP);
        false
    }

    /// Lets in who waits; false where nobody does, or may.
    fn admit(&mut self, now: Instant, outbox: &mut Outbox) -> bool {
        while self.admission_key.is_some() && !self.agenda.waiting.is_empty() {
            let count = self.agenda.batch.min(self.agenda.waiting.len());
            if self.try_admit(count, now, outbox) {
                return true;
            }
            if count > 1 {
                self.agenda.batch = count / 2;
            } else {
                self.agenda.batch = MAX_WELCOMES;
                let participant = self.agenda.waiting.remove(0).participant;
                outbox.transmit(Up::Refuse { participant, why: Refusal::Declined });
            }
        }
        false
    }

    /// Tries to let in the first `count` who wait.
    fn try_admit(&mut self, count: usize, now: Instant, outbox: &mut Outbox) -> bool {
        let requests = self.agenda.waiting.iter().take(count).filter_map(|knock| knock.request.clone()).collect();
        self.group.add(requests).is_ok_and(|staged| self.propose(staged, false, now, outbox))
    }

    fn renew(&mut self, now: Instant, outbox: &mut Outbox) {
        let staged = self.group.refresh();
        let sent = staged.is_ok_and(|staged| self.propose(staged, true, now, outbox));
        self.agenda.refresh = sent;
    }

    /// Sends a staged commit; false, and it is dropped, where it is too long to be sent.
    fn propose(&mut self, staged: crypto::Pending, renews: bool, now: Instant, outbox: &mut Outbox) -> bool {
        let crypto::Pending { commit, welcome, added: to, removed } = staged;
        let blob = Blob(commit);
        let welcomes = welcome.map(|bytes| Welcome { to, blob: Blob(bytes) }).into_iter().collect();
        let message = Up::Commit { epoch: self.epoch, blob: blob.clone(), welcomes, removed };
        let sendable = proto::is_sendable(&message);
        if sendable {
            self.pending = Some(Pending { epoch: self.epoch, blob, since: now, renews });
            outbox.transmit(message);
        } else {
            self.group.lost();
        }
        sendable
    }
}
