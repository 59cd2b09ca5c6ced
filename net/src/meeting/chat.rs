//! The chat of a member: routes its messages to the parts that own the state. docs/protocol.md, "The chat", describes them.

mod action;
mod events;
mod history;
#[doc(hidden)]
pub mod hostile;
mod limits;
pub(super) mod line;
mod lines;
pub(super) mod message;
mod old_lines;
mod outbox;
mod private;
mod text;
mod typed_text;
mod typing;
mod votes;
mod voting;

pub use line::{
    Body, Command, Event, Line, LineId, NewLine, PassedOn, Peer, Reacted, Reaction, Status, Vote, VoteOption,
};
pub use lines::{MAX_BYTES, MAX_LINES};
pub use message::{MAX_OPTIONS, MAX_QUESTION};
#[doc(hidden)]
pub use message::{recode, samples};
pub use text::{BadText, MAX_TEXT, Text};
pub use typed_text::{TypedText, Typing};
#[doc(hidden)]
pub use typing::{recode_typing, typing_samples};

use super::context::Context;
use super::group_log::{GroupLog, is_of_this_epoch};
use super::outputs::Outputs;
use super::roster::{Roster, acts_before_me, by_device, member};
use super::{Member, Notice, state};
use crate::random;
use action::{Action, Change, Facts, is_authentic, is_authentic_ballot, own_line, server_seconds};
use crypto::chat::SignedLine;
use crypto::{DeviceKey, Envelope};
use events::{emit, emit_line};
use history::History;
use limits::{Limits, Verdict};
use lines::{Lines, Sender};
use message::{Ballot, ChatMessage, Content, Device, MAX_MENTIONS, PrivateMessage, Question, SignedContent};
use outbox::{Item, Outbox, Outgoing};
use private::PrivateKeys;
use proto::{Blob, ParticipantId, Rights, Up};
use std::collections::BTreeMap;
use std::time::Instant;
use typing::TypedLines;
use voting::Voting;

/// The chat of this client. Its texts are overwritten when it is dropped.
pub(super) struct Chat {
    lines: Lines,
    outbox: Outbox,
    limits: Limits,
    private: PrivateKeys,
    history: History,
    voting: Voting,
    typing: TypedLines,
    /// Own lines that were not sent.
    failed: BTreeMap<LineId, Outgoing>,
    /// The number of the next own line.
    counter: u64,
    /// The place at which this client entered the group.
    entered: u64,
}

impl Chat {
    /// Returns an empty chat. If the meeting's rule allows it, asks the others for the lines from before.
    pub(super) fn new(log: &GroupLog, roster: &Roster, now: Instant) -> Self {
        let mut history = History::default();
        if roster.count() > 1 {
            history.want(now);
        }
        Self {
            lines: Lines::default(),
            outbox: Outbox::default(),
            limits: Limits::default(),
            private: PrivateKeys::default(),
            history,
            voting: Voting::default(),
            typing: TypedLines::new(log.group()),
            failed: BTreeMap::new(),
            counter: u64::from(random::number()) << 24,
            entered: log.next().0,
        }
    }

    /// Continues in the group after this client has entered it again. What was written meanwhile may be missing.
    pub(super) fn handle_rejoined(&mut self, log: &GroupLog, context: &mut Context<'_>) {
        self.private = PrivateKeys::default();
        self.typing.handle_group_change(log.group());
        self.outbox.repeat(context.now);
        self.entered = log.next().0;
        self.handle_gap(log, context);
    }

    /// Handles that this client does not get some entries of the log.
    pub(super) fn handle_gap(&mut self, log: &GroupLog, context: &mut Context<'_>) {
        self.outbox.handle_lost_connection();
        self.entered = self.entered.max(log.next().0);
        self.history.want(context.now);
        emit(Event::Gap { place: log.next().0 }, context.outputs);
    }

    pub(super) fn handle_lost_connection(&mut self) {
        self.outbox.handle_lost_connection();
    }

    pub(super) fn handle_caught_up(&mut self, now: Instant) {
        self.outbox.handle_caught_up(now);
    }

    pub(super) fn handle_group_change(&mut self, log: &GroupLog, roster: &Roster) {
        self.typing.handle_group_change(log.group());
        self.voting.wanted.handle_group_change(|id| roster.contains(id));
        self.private.handle_group_change(roster);
        self.history.handle_group_change(|id| roster.contains(id));
        self.outbox.handle_group_change(|id| roster.contains(id));
    }

    /// Deletes the keys of past epochs.
    pub(super) fn delete_past_epochs(&mut self) {
        self.typing.delete_past_keys();
    }

    /// Returns when [`Self::send`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let is_answering = self.outbox.is_answering();
        let (history, votes) = (self.history.deadline(is_answering), self.voting.wanted.deadline(is_answering));
        let due = [self.outbox.deadline(), self.outbox.delayed_until, history, votes, self.typing.deadline()];
        due.into_iter().flatten().min()
    }

    /// Executes a command of the user.
    pub(super) fn handle_command(
        &mut self,
        command: Command,
        log: &GroupLog,
        roster: &Roster,
        context: &mut Context<'_>,
    ) {
        let facts = Facts { log, roster };
        let Some(me) = member(roster, roster.me()).cloned() else { return };
        match command {
            Command::Send(line) if me.rights.contains(Rights::CHAT) => self.write(line, &me, facts, context),
            Command::Send(_) => context.outputs.notice(Notice::NotAllowed),
            Command::Edit { line, text } => self.edit(line, text, &me, facts, context),
            Command::Delete(line) if self.lines.drop_own(line) => {
                self.failed.remove(&line);
                emit(Event::Dropped(line), context.outputs);
            }
            Command::Delete(line) => self.change(line, message::LineRef::from(line), context),
            Command::React { line, reaction, on } => {
                let what = message::ReactionTo { line: line.into(), reaction, on };
                self.change(line, what, context);
            }
            Command::Retry(line) => self.retry(line, context),
            Command::StartVote { question, options, secret } => {
                let question = Question { counter: self.counter, text: question, options, secret };
                self.start_vote(question, &me, context);
            }
            Command::Choose { vote, choice } => {
                let ballot = Ballot { vote: vote.into(), choice };
                if let Some(message) = self.voting.choose(&mut self.lines, ballot, &me, facts, context) {
                    self.queue(Item { message, line: Some(vote), since: context.now }, context.outputs);
                }
            }
            Command::Type(text) => {
                self.typing.set(if me.rights.contains(Rights::CHAT) { text } else { TypedText::default() });
            }
            Command::EndVote(id) => match self.lines.sums(id) {
                Some(counts) => {
                    let message = Outgoing::All(ChatMessage::VoteEnd { counter: id.counter, counts });
                    self.queue(Item { message, line: Some(id), since: context.now }, context.outputs);
                }
                None => emit(Event::NotDone(id), context.outputs),
            },
        }
    }

    fn start_vote(&mut self, question: Question, me: &Member, context: &mut Context<'_>) {
        let Some((line, message)) = voting::ask(question, me, context) else { return };
        let id = line.id;
        self.counter = self.counter.wrapping_add(1);
        self.lines.add_own(line);
        self.queue(Item { message, line: Some(id), since: context.now }, context.outputs);
        emit_line(&self.lines, id, context.outputs);
    }

    /// Writes a new line.
    fn write(&mut self, new: NewLine, me: &Member, facts: Facts<'_>, context: &mut Context<'_>) {
        let NewLine { to, text, reply, mentions } = new;
        let peer = match to.map(|id| member(facts.roster, id).filter(|member| !member.me)) {
            None => None,
            Some(Some(member)) => Some(Peer { device: member.device, name: member.name.clone() }),
            // The person has left.
            Some(None) => return context.outputs.notice(Notice::PolicyRefused(super::PolicyRefusal::NoMember)),
        };
        // A reply stays in its conversation.
        let is_here = |id: &LineId| self.lines.get(*id).is_some_and(|line| line.private == peer);
        let reply = reply.filter(is_here);
        let mentions = mentions.into_iter().filter_map(|id| facts.roster.device(id)).take(MAX_MENTIONS);
        let id = LineId { device: me.device, counter: self.counter };
        self.counter = self.counter.wrapping_add(1);
        let said = Content {
            revision: 0,
            time: server_seconds(context),
            name: me.name.clone(),
            text: text.clone(),
            reply: reply.map(Into::into),
            mentions: mentions.map(|device| Device(device.0)).collect(),
        };
        let line = own_line(id, me, text, context);
        self.lines.add_own(Line { private: peer.clone(), reply, ..line });
        if peer.is_none() {
            self.typing.handle_line_sent();
        }
        self.queue_line(id, said, peer.as_ref(), facts, context);
        emit_line(&self.lines, id, context.outputs);
    }

    /// Queues a line, or a newer revision of one.
    fn queue_line(
        &mut self,
        id: LineId,
        said: Content,
        peer: Option<&Peer>,
        facts: Facts<'_>,
        context: &mut Context<'_>,
    ) {
        let counter = id.counter;
        let message = if let Some(peer) = peer {
            Outgoing::One { to: peer.device, message: PrivateMessage::Line { counter, content: said } }
        } else {
            let signed = SignedLine { meeting: facts.meeting(), counter, content: &said.encode() };
            let signature = signed.sign(&context.entrant.identity);
            Outgoing::All(ChatMessage::Line(SignedContent { counter, content: said, signature }))
        };
        self.queue(Item { message, line: Some(id), since: context.now }, context.outputs);
    }

    /// Queues a message, or tells the user that it was not sent.
    fn queue(&mut self, item: Item, outputs: &mut Outputs) {
        if let Some(item) = self.outbox.push(item) {
            self.fail(item, outputs);
        }
    }

    fn edit(&mut self, id: LineId, text: Text, me: &Member, facts: Facts<'_>, context: &mut Context<'_>) {
        let known = self
            .lines
            .get(id)
            .filter(|line| line.me && line.status == Status::Sent && matches!(line.body, Body::Text(_)));
        let (Some(line), Some(revision), true) =
            (known.cloned(), self.lines.revision(id), me.rights.contains(Rights::CHAT))
        else {
            return emit(Event::NotDone(id), context.outputs);
        };
        let said = Content {
            revision: revision.saturating_add(1),
            time: server_seconds(context),
            name: me.name.clone(),
            text,
            reply: line.reply.map(Into::into),
            mentions: Vec::new(),
        };
        self.queue_line(id, said, line.private.as_ref(), facts, context);
    }

    /// Queues the removal of a line, or a reaction to it.
    fn change(&mut self, id: LineId, what: impl Into<Change>, context: &mut Context<'_>) {
        let Some(line) = self.lines.get(id).filter(|line| line.place.is_some()) else {
            return emit(Event::NotDone(id), context.outputs);
        };
        let message = match (line.private.as_ref(), what.into()) {
            (None, Change::Delete(line)) => Outgoing::All(ChatMessage::Delete(line)),
            (None, Change::React(what)) => Outgoing::All(ChatMessage::React(what)),
            (Some(peer), Change::Delete(line)) => {
                Outgoing::One { to: peer.device, message: PrivateMessage::Delete(line) }
            }
            (Some(peer), Change::React(what)) => {
                Outgoing::One { to: peer.device, message: PrivateMessage::React(what) }
            }
            // It is queued by itself.
            (_, Change::Choose(..)) => return,
        };
        self.queue(Item { message, line: Some(id), since: context.now }, context.outputs);
    }

    fn retry(&mut self, id: LineId, context: &mut Context<'_>) {
        let Some(message) = self.failed.remove(&id) else { return };
        if self.lines.set_status(id, Status::Sending) {
            emit_line(&self.lines, id, context.outputs);
            self.queue(Item { message, line: Some(id), since: context.now }, context.outputs);
        }
    }

    /// Handles an entry of the log. Returns false if it is not the own message that is on its way.
    pub(super) fn handle_own(
        &mut self,
        blob: &Blob,
        log: &GroupLog,
        roster: &Roster,
        context: &mut Context<'_>,
    ) -> bool {
        let Some(item) = self.outbox.handle_entry(blob) else { return false };
        if !is_of_this_epoch(log, blob) {
            // All others have skipped it.
            self.outbox.put_back(item);
            return true;
        }
        let facts = Facts { log, roster };
        let Some(me) = member(roster, roster.me()) else { return true };
        let Some(id) = item.line else { return true };
        let (private, action) = match item.message.clone() {
            Outgoing::All(message) => (None, Action::of(message)),
            Outgoing::One { to, message } => (Some(to), Some(Action::of_private(message))),
        };
        let private = private.map(|device| Peer { device, name: name_of(&self.lines, device, id, roster) });
        let sender = facts.sender(me, private, context);
        match action.and_then(|action| action.apply(&mut self.lines, &sender, facts)) {
            Some(changed) => emit_line(&self.lines, changed, context.outputs),
            // This client has lost the right, so the others have dropped it.
            None => self.fail(item, context.outputs),
        }
        true
    }

    /// Handles the message of another member that was encrypted in the epoch that is in force at its position.
    pub(super) fn handle_message(
        &mut self,
        from: ParticipantId,
        body: &[u8],
        log: &GroupLog,
        roster: &Roster,
        context: &mut Context<'_>,
    ) {
        let facts = Facts { log, roster };
        let Some(member) = member(roster, from) else { return };
        if !accepts(&mut self.limits, member, body.len(), context) {
            return;
        }
        let Some(message) = message::decode(body) else { return context.outputs.malformed(from, context.now) };
        match message {
            ChatMessage::Line(ref line) if !is_authentic(line, member, facts) => {
                tracing::debug!("a line is not its sender's");
            }
            ChatMessage::Ballot(ref ballot) if !is_authentic_ballot(ballot, member, facts) => {
                tracing::debug!("a ballot is not its sender's");
            }
            ChatMessage::Line(_)
            | ChatMessage::Delete(_)
            | ChatMessage::React(_)
            | ChatMessage::Vote(_)
            | ChatMessage::Ballot(_)
            | ChatMessage::VoteEnd { .. } => {
                let sender = facts.sender(member, None, context);
                self.handle_action(&sender, Action::of(message), facts, context);
            }
            ChatMessage::Private { to, sealed } if to == roster.me() => {
                self.handle_private(member, &sealed, facts, context);
            }
            ChatMessage::KeyWanted { of } if of == roster.me() => {
                if let Some(key) = self.private.answer(context.now) {
                    self.outbox.push_first(key, context.now);
                }
            }
            ChatMessage::Key { public } => self.private.handle_key(from, public.into()),
            ChatMessage::HistoryWanted if facts.keeps_history() => {
                self.history.handle_question(from, roster.rank(), context.now);
                self.voting.wanted.handle_question(from, 0, context.now);
            }
            ChatMessage::History { to, mut lines, last } if facts.keeps_history() && to.contains(&roster.me()) => {
                lines.truncate(self.history.handle_answer(from, (lines.len(), last), context.now));
                let mine = (&mut self.lines, &mut self.outbox);
                old_lines::merge(mine, self.entered, lines, member, facts, context);
            }
            ChatMessage::OpenVote { to, question, place, ballots }
                if facts.keeps_history() && to.contains(&roster.me()) =>
            {
                let (vote, entered) = ((&question, place), self.entered);
                if self.history.handle_answer(from, (1, false), context.now) > 0
                    && let Some(id) = voting::merge(&mut self.lines, entered, member, vote, ballots, facts, context)
                {
                    emit_line(&self.lines, id, context.outputs);
                }
            }
            ChatMessage::History { to, .. } if acts_before_me(roster, from) => {
                self.history.handle_other_answer(&to, context.now);
            }
            ChatMessage::Private { .. }
            | ChatMessage::KeyWanted { .. }
            | ChatMessage::HistoryWanted
            | ChatMessage::History { .. }
            | ChatMessage::OpenVote { .. } => {}
        }
    }

    fn handle_private(&mut self, member: &Member, sealed: &[u8], facts: Facts<'_>, context: &mut Context<'_>) {
        let ends = (member.id, facts.roster.me());
        let Some(bytes) = self.private.open(sealed, facts.meeting(), ends) else { return };
        let Some(message) = message::decode_private(&bytes) else {
            return context.outputs.malformed(member.id, context.now);
        };
        if let PrivateMessage::Line { content, .. } = &message
            && content.name != member.name
        {
            return;
        }
        let peer = Peer { device: member.device, name: member.name.clone() };
        let sender = facts.sender(member, Some(peer), context);
        self.handle_action(&sender, Some(Action::of_private(message)), facts, context);
    }

    fn handle_action(
        &mut self,
        sender: &Sender<'_>,
        action: Option<Action>,
        facts: Facts<'_>,
        context: &mut Context<'_>,
    ) {
        if let Some(changed) = action.and_then(|action| action.apply(&mut self.lines, sender, facts)) {
            if let Some(ended) = self.typing.handle_line(changed) {
                emit(Event::Typing(ended), context.outputs);
            }
            emit_line(&self.lines, changed, context.outputs);
        }
    }

    /// Handles a message of another member that is not in the log.
    pub(super) fn handle_relayed(
        &mut self,
        from: ParticipantId,
        blob: &Blob,
        roster: &Roster,
        context: &mut Context<'_>,
    ) {
        self.typing.handle_relayed(from, blob, &self.lines, roster, context);
    }

    /// Sends what can be sent now. While a commit is pending, MLS cannot encrypt. Then the next call tries again.
    pub(super) fn send(&mut self, log: &mut GroupLog, roster: &Roster, context: &mut Context<'_>) {
        let now = context.now;
        for item in self.outbox.take_expired(now) {
            self.fail(item, context.outputs);
        }
        let keeps_history = Facts { log, roster }.keeps_history();
        if self.history.take_question(now) && keeps_history {
            self.outbox.push_first(ChatMessage::HistoryWanted, now);
        }
        if !self.outbox.is_answering() {
            let mut who = self.history.take_requests(now);
            who.retain(|who| keeps_history && roster.contains(*who));
            if !who.is_empty() {
                self.outbox.answer(history::answer(&who, self.lines.shared()), now);
            }
        }
        if !self.outbox.is_answering() && keeps_history {
            self.voting.answer(&self.lines, &mut self.outbox, |id| roster.contains(id), now);
        }
        self.typing.send(self.counter, roster, context);
        self.send_next(log, roster, context);
    }

    /// Sends the next message, unless one is on its way.
    fn send_next(&mut self, log: &mut GroupLog, roster: &Roster, context: &mut Context<'_>) {
        let (now, mut wanted) = (context.now, Vec::new());
        let item = self.outbox.take(|item| match &item.message {
            Outgoing::All(_) => true,
            Outgoing::One { to, .. } => match by_device(roster, *to).map(|member| member.id) {
                Some(id) if !self.private.is_known(id) => {
                    wanted.extend(self.private.ask(id, now));
                    false
                }
                // One who has left: it is sealed below, which fails.
                Some(_) | None => true,
            },
        });
        if !wanted.is_empty() {
            // The question goes first.
            if let Some(item) = item {
                self.outbox.put_back(item);
            }
            for message in wanted {
                self.outbox.push_first(message, now);
            }
            return self.send_next(log, roster, context);
        }
        let Some(item) = item else { return };
        let facts = Facts { log, roster };
        let Some(body) = encoded(&item, &mut self.private, facts) else { return self.fail(item, context.outputs) };
        let length = body.len();
        if self.outbox.is_delayed(length, now) {
            return self.outbox.put_back(item);
        }
        match log.seal(&state::Message::Chat { body: body.into() }) {
            Some(Up::Tell { epoch, blob }) => {
                self.outbox.handle_sent(item, blob.clone(), length, now);
                context.outputs.transmit(Up::Tell { epoch, blob });
            }
            Some(_) | None => self.outbox.put_back(item),
        }
    }

    /// Tells the user that a line, or a change of one, was not sent. A line is kept, so that the user can try again.
    fn fail(&mut self, item: Item, outputs: &mut Outputs) {
        let Some(id) = item.line else { return };
        if item.message.is_line() && self.lines.set_status(id, Status::Failed) {
            self.failed.retain(|id, _| self.lines.get(*id).is_some());
            self.failed.insert(id, item.message);
            emit_line(&self.lines, id, outputs);
        } else {
            emit(Event::NotDone(id), outputs);
        }
    }
}

/// Counts a message of a member. Returns false if it sends too many; the user is told once.
fn accepts(limits: &mut Limits, from: &Member, length: usize, context: &mut Context<'_>) -> bool {
    let verdict = limits.count(from.id, length, context.now);
    if verdict == (Verdict::Dropped { first: true }) {
        emit(Event::Flooded { name: from.name.clone() }, context.outputs);
    }
    verdict == Verdict::Accepted
}

/// Returns the padded bytes of a message. `None` if it cannot be sent.
fn encoded(item: &Item, keys: &mut PrivateKeys, facts: Facts<'_>) -> Option<Vec<u8>> {
    let message = match &item.message {
        Outgoing::All(message) => return message::encode(message),
        Outgoing::One { to, message } => (to, message::encode_private(message)?),
    };
    let to = by_device(facts.roster, *message.0)?.id;
    let envelope = Envelope { meeting: facts.meeting(), from: facts.roster.me(), to };
    message::encode(&keys.seal(&message.1, envelope)?)
}

/// Returns the name of the other end of an own private line.
fn name_of(lines: &Lines, device: DeviceKey, line: LineId, roster: &Roster) -> String {
    let known = lines.get(line).and_then(|line| line.private.as_ref()).map(|peer| peer.name.clone());
    known.or_else(|| by_device(roster, device).map(|member| member.name.clone())).unwrap_or_default()
}
