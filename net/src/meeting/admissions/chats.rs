//! The lobby chats of a manager with the people who wait. The server relays a message to the person and to all managers, the
//! sender included, so a manager knows that its own message has passed.

use super::super::Event;
use super::super::context::Context;
use super::super::lobby::{Content, LobbyAuthor, LobbyEvent, Pace, Replays};
use crypto::{LobbyKey, LobbyMessage};
use proto::{Blob, ManagerCommand, ParticipantId};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// The chats.
#[derive(Default)]
pub(super) struct Chats {
    /// Whether this client is the organiser's.
    organiser: bool,
    /// Own messages that the server has not confirmed, in the order of writing.
    outbox: VecDeque<Outgoing>,
    /// The number of the last own message.
    counter: u32,
    /// What was taken, of each person who waits and each sender.
    taken: BTreeMap<(ParticipantId, ParticipantId), Replays>,
    /// How many messages of each person are taken.
    paces: BTreeMap<ParticipantId, Pace>,
    /// How many were sent since `since`.
    sent: u32,
    since: Option<Instant>,
}

struct Outgoing {
    to: ParticipantId,
    content: Content,
    /// The number; `None` before the message was sent for the first time.
    counter: Option<u32>,
    /// True while the server is expected to confirm it.
    is_sent: bool,
}

/// A message of somebody to whom a chat belongs.
pub(super) struct Incoming<'a> {
    /// The person who waits.
    pub with: ParticipantId,
    /// The sender, according to the server.
    pub from: ParticipantId,
    /// The sealed message.
    pub sealed: &'a Blob,
    /// This client.
    pub me: ParticipantId,
}

impl Chats {
    /// Sets whether this client is the organiser's. Returns true if that has changed.
    pub(super) fn set_organiser(&mut self, organiser: bool) -> bool {
        std::mem::replace(&mut self.organiser, organiser) != organiser
    }

    /// Tells a person that this client has the request.
    pub(super) fn confirm(&mut self, to: ParticipantId) {
        self.forget_status(to);
        self.push(to, Content::Received { organiser: self.organiser });
    }

    /// Tells a person that this client does not decide about the request any more.
    pub(super) fn withdraw(&mut self, to: ParticipantId) {
        self.push(to, Content::Withdrawn);
    }

    /// Forgets what was not sent to a person about the request.
    pub(super) fn forget_status(&mut self, to: ParticipantId) {
        self.outbox.retain(|message| message.to != to || message.content.is_text());
    }

    /// Sends a text to a person who waits.
    pub(super) fn write(&mut self, to: ParticipantId, text: &str, context: &mut Context<'_>) {
        let Some(message) = Content::text(text) else { return };
        let waiting = self.outbox.iter().filter(|other| other.content.is_text()).count();
        if waiting >= MAX_TEXTS {
            return emit(LobbyEvent::NotSent { with: Some(to) }, context);
        }
        self.push(to, message);
    }

    fn push(&mut self, to: ParticipantId, content: Content) {
        if self.outbox.len() < MAX_OUTBOX {
            self.outbox.push_back(Outgoing { to, content, counter: None, is_sent: false });
        }
    }

    /// Sends what may be sent now, texts first. `key` returns the key of a person who waits.
    pub(super) fn send<'a>(&mut self, key: impl Fn(ParticipantId) -> Option<&'a LobbyKey>, context: &mut Context<'_>) {
        let Some(manager) = context.manager else { return };
        if self.since.is_none_or(|since| context.now >= since + INTERVAL) {
            (self.since, self.sent) = (Some(context.now), 0);
        }
        while self.sent < MAX_IN_INTERVAL
            && let Some(at) = self.next_unsent()
        {
            self.sent += 1;
            let message = &mut self.outbox[at];
            message.is_sent = true;
            let next = self.counter.saturating_add(1);
            let counter = *message.counter.get_or_insert(next);
            self.counter = self.counter.max(counter);
            let plain = LobbyMessage { counter, content: message.content.encode() };
            let sealed = key(message.to).and_then(|key| key.seal(manager.me(), &plain).ok());
            if let Some(sealed) = sealed {
                let command = ManagerCommand::Lobby { participant: message.to, blob: Blob(sealed) };
                manager.send(command, context.now, context.outputs);
            }
        }
    }

    fn next_unsent(&self) -> Option<usize> {
        let unsent = |message: &Outgoing| !message.is_sent;
        let text = self.outbox.iter().position(|message| unsent(message) && message.content.is_text());
        text.or_else(|| self.outbox.iter().position(unsent))
    }

    /// Returns when [`Self::send`] has something to do; `None` if nothing waits.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.since.filter(|_| self.next_unsent().is_some()).map(|since| since + INTERVAL)
    }

    /// Handles a message that the server relays. One that is not valid, or was taken before, is ignored.
    pub(super) fn handle(&mut self, incoming: &Incoming<'_>, key: &LobbyKey, context: &mut Context<'_>) {
        let Incoming { with, from, sealed, me } = *incoming;
        let Some(LobbyMessage { counter, content }) = key.open(from, &sealed.0) else {
            return context.outputs.malformed(from, context.now);
        };
        let author = match from {
            from if from == me => LobbyAuthor::Me,
            from if from == with => LobbyAuthor::Waiting,
            manager => LobbyAuthor::Manager(manager),
        };
        let shown = if author == LobbyAuthor::Me {
            // The person who waits has the key, too. So only what this client has written is its own.
            let is_this = |message: &Outgoing| (message.to, message.counter) == (with, Some(counter));
            let at = self.outbox.iter().position(is_this);
            at.and_then(|at| self.outbox.remove(at)).map(|message| message.content)
        } else if self.pace(with, context.now).take(context.now)
            && self.taken.entry((with, from)).or_default().take(counter)
        {
            let shown = Content::decode(&content);
            if shown.is_none() {
                context.outputs.malformed(from, context.now);
            }
            shown
        } else {
            None
        };
        if let Some(Content::Text { text }) = shown {
            emit(LobbyEvent::Text { with: Some(with), author, text }, context);
        }
    }

    fn pace(&mut self, with: ParticipantId, now: Instant) -> &mut Pace {
        self.paces.entry(with).or_insert_with(|| Pace::new(MAX_TAKEN, TAKE_INTERVAL, now))
    }

    /// Sends again what the server has not confirmed: the connection was lost, or the keys have changed meanwhile.
    pub(super) fn repeat(&mut self) {
        self.outbox.iter_mut().for_each(|message| message.is_sent = false);
    }

    /// Forgets the chat with a person who does not wait any more. Returns true if a text was not confirmed.
    pub(super) fn forget(&mut self, with: ParticipantId) -> bool {
        let lost = self.outbox.iter().any(|message| message.to == with && message.content.is_text());
        self.outbox.retain(|message| message.to != with);
        self.taken.retain(|(other, _), _| *other != with);
        self.paces.remove(&with);
        lost
    }
}

fn emit(event: LobbyEvent, context: &mut Context<'_>) {
    context.outputs.event(Event::Lobby(event));
}

/// How many messages are sent in an interval: 10 a second, beside 20 refusals. The server allows 50 messages a second, of all
/// kinds.
const MAX_IN_INTERVAL: u32 = 20;
const INTERVAL: Duration = Duration::from_secs(2);

/// Own texts that the server has not confirmed.
const MAX_TEXTS: usize = 16;

/// Own messages that the server has not confirmed: texts, and one for each person who waits.
const MAX_OUTBOX: usize = proto::MAX_MEMBERS + MAX_TEXTS;

/// Messages about one person that are taken at once, and how long until one more is.
const MAX_TAKEN: u32 = 60;
const TAKE_INTERVAL: Duration = Duration::from_millis(500);
