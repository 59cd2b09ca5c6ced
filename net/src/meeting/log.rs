//! Reads the meeting's log: everybody sees the same entries in the same order, and draws the same conclusions.

use super::envelope::{Content, Envelope};
use super::room::Room;
use super::state::Message;
use super::{End, Event, Notice, Outbox, ProtocolViolation, Reason};
use crypto::{Leaf, Received};
use proto::{Blob, Entry, Epoch, ParticipantId, Position};
use std::time::Instant;

impl Room {
    /// The next entry.
    pub(super) fn handle_log(
        &mut self,
        position: Position,
        entry: Entry,
        now: Instant,
        outbox: &mut Outbox,
    ) -> Result<(), End> {
        if position != self.next {
            return Err(ProtocolViolation::OutOfOrder.into());
        }
        self.next = Position(position.0.saturating_add(1));
        match entry {
            Entry::Commit { from, epoch, blob } => self.committed(from, epoch, &blob, outbox),
            Entry::Told { from, epoch, blob } => self.told(from, epoch, &blob, outbox),
            Entry::Gone { participant } => self.vanished(participant, now, outbox),
        }
    }

    /// The server says that the log's epoch is `epoch`: a commit of ours that would end an earlier one has lost. The
    /// winner's entry comes first and settles it; then the word is stale, and a newer commit of ours must not suffer.
    /// Should the entry come later, nothing new is tried before.
    pub(super) fn lost(&mut self, epoch: Epoch) {
        if let Some(pending) = &mut self.pending
            && pending.epoch < epoch
        {
            pending.blob.0.clear();
            self.group.lost();
        }
    }

    /// A commit won the log's epoch: ours, or another one.
    fn committed(&mut self, from: ParticipantId, epoch: Epoch, blob: &Blob, outbox: &mut Outbox) -> Result<(), End> {
        if epoch != self.epoch {
            return Err(ProtocolViolation::OutOfOrder.into());
        }
        self.epoch = epoch.next();
        let pending = self.pending.take();
        if pending.as_ref().is_some_and(|pending| pending.blob == *blob) {
            self.group.won().map_err(|_| Reason::Internal)?;
            self.agenda.won(pending.is_some_and(|pending| pending.renews));
            return self.changed(outbox);
        }
        if pending.is_some() {
            self.group.lost();
        }
        match self.open(blob, Content::Commit) {
            Some(Received::Commit(change)) if change.removed_me => Err(End::Removed),
            Some(Received::Commit(_)) => self.changed(outbox),
            // The server cannot know that a commit is void, and gave it the epoch. All honest members reject it alike.
            Some(Received::Message { .. }) | None => {
                outbox.notice(Notice::CommitRejected(from));
                self.unread(from, blob)
            }
        }
    }

    /// Has MLS open a message that says it holds `content`. What says otherwise never gets there: a commit among what is
    /// told would be merged past the log's order.
    fn open(&mut self, blob: &Blob, content: Content) -> Option<Received> {
        let gone = &self.gone;
        let envelope = Envelope::read(&blob.0).filter(|envelope| envelope.content == content);
        envelope.and_then(|_| self.group.process(&blob.0, &|id| gone.contains_key(&id)).ok())
    }

    /// A message that cannot be read says that it is of a later epoch. Anybody can write that on it; where more than half
    /// of the others do, it is us who rejected what they accepted.
    fn unread(&mut self, from: ParticipantId, blob: &Blob) -> Result<(), End> {
        let later = Envelope::read(&blob.0).is_some_and(|envelope| envelope.epoch > self.group.epoch().0);
        if later && self.people.contains_key(&from) {
            self.ahead.insert(from);
        }
        let others = || self.present().filter(|person| !person.me);
        let ahead = others().filter(|person| self.ahead.contains(&person.id)).count();
        if ahead * 2 > others().count() { Err(Reason::OutOfStep.into()) } else { Ok(()) }
    }

    /// The group has changed: keys first, so that nobody new is heard or seen without them.
    fn changed(&mut self, outbox: &mut Outbox) -> Result<(), End> {
        let members = self.members();
        let before = std::mem::replace(&mut self.people, members);
        let left: Vec<_> = before.values().filter(|person| !self.is_still(person.id, person.leaf)).collect();
        self.say_keys(left.iter().map(|person| person.leaf).collect(), outbox)?;
        for person in &left {
            outbox.event(Event::Left { id: person.id, removed: !self.gone.contains_key(&person.id) });
        }
        let joined: Vec<_> = self.people.keys().filter(|id| !before.contains_key(id)).copied().collect();
        for id in &joined {
            outbox.event(Event::Joined(*id));
        }
        self.ahead.clear();
        self.gone.retain(|id, _| self.people.contains_key(id));
        self.counts.retain(|id, _| self.people.contains_key(id));
        self.agenda.settle(&self.people, !joined.is_empty());
        self.say_members(outbox);
        Ok(())
    }

    fn is_still(&self, id: ParticipantId, leaf: Leaf) -> bool {
        self.people.get(&id).is_some_and(|person| person.leaf == leaf)
    }

    /// Somebody told something. What cannot be read is passed over: it may be older than we are here.
    fn told(&mut self, from: ParticipantId, epoch: Epoch, blob: &Blob, outbox: &mut Outbox) -> Result<(), End> {
        if from == self.me() {
            // So long on its way that the others have thrown away its keys: once more.
            if self.epoch.0.saturating_sub(epoch.0) > READABLE {
                self.agenda.announce_again();
            }
            return Ok(());
        }
        match self.open(blob, Content::Application) {
            Some(Received::Message { participant, bytes, .. }) => {
                self.heard(participant, &bytes, outbox);
                Ok(())
            }
            Some(Received::Commit(_)) | None => self.unread(from, blob),
        }
    }

    fn heard(&mut self, from: ParticipantId, bytes: &[u8], outbox: &mut Outbox) {
        let (Some(person), Some(message)) = (self.people.get_mut(&from), Message::decode(bytes)) else { return };
        let Message::State { count, state } = message;
        if self.counts.get(&from).is_some_and(|last| count <= *last) {
            return;
        }
        self.counts.insert(from, count);
        if person.state != state {
            person.state = state;
            self.say_members(outbox);
        }
    }

    fn vanished(&mut self, participant: ParticipantId, now: Instant, outbox: &mut Outbox) -> Result<(), End> {
        if participant == self.me() {
            return Err(Reason::DeclaredGone.into());
        }
        self.agenda.withdrew(participant);
        if let Some(person) = self.people.get(&participant) {
            let first = self.gone.insert(participant, now).is_none();
            if person.organiser && first {
                outbox.notice(Notice::Unattended);
            }
        }
        Ok(())
    }
}

/// Application messages are read this many epochs after the one in which they were sealed.
const READABLE: u64 = 2;
