//! The lobby chat of a person who waits: with all managers of the meeting.

use super::Event;
use super::context::Context;
use super::lobby::{Content, LobbyAuthor, LobbyEvent, Pace, Replays};
use crypto::{LobbyKey, LobbyMessage};
use proto::{Blob, ParticipantId, Up};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// The chat of this client, which waits.
pub(super) struct WaitingChat {
    key: LobbyKey,
    me: ParticipantId,
    /// The number of the last own message.
    counter: u32,
    /// The last own messages. A manager who gets the request later gets them, too.
    written: VecDeque<LobbyMessage>,
    /// The messages of each manager that were taken.
    managers: BTreeMap<ParticipantId, Manager>,
    /// Whether the organiser is among those who have the request; `None` if nobody has it.
    received: Option<bool>,
    sends: Pace,
    takes: Pace,
}

#[derive(Default)]
struct Manager {
    replays: Replays,
    /// The manager has had the request.
    was_asked: bool,
    /// The manager has the request: true for the organiser, false for a co-organiser.
    received: Option<bool>,
}

impl WaitingChat {
    pub(super) fn new(key: LobbyKey, me: ParticipantId, now: Instant) -> Self {
        let (sends, takes) = (Pace::new(MAX_SENT, SEND_INTERVAL, now), Pace::new(MAX_TAKEN, TAKE_INTERVAL, now));
        let (written, managers) = (VecDeque::new(), BTreeMap::new());
        Self { key, me, counter: 0, written, managers, received: None, sends, takes }
    }

    /// Sends a text to the managers.
    pub(super) fn write(&mut self, text: &str, context: &mut Context<'_>) {
        let Some(body) = Content::text(text) else { return };
        let message = LobbyMessage { counter: self.counter.saturating_add(1), content: body.encode() };
        if !self.send(&message, context) {
            return emit(LobbyEvent::NotSent { with: None }, context);
        }
        self.counter = message.counter;
        if self.written.len() >= MAX_WRITTEN {
            self.written.pop_front();
        }
        self.written.push_back(message);
        if let Content::Text { text } = body {
            emit(LobbyEvent::Text { with: None, author: LobbyAuthor::Me, text }, context);
        }
    }

    /// Handles a message. One that is not valid, or was taken before, is ignored.
    pub(super) fn handle(&mut self, from: ParticipantId, sealed: &Blob, context: &mut Context<'_>) {
        if from == self.me || !self.takes.take(context.now) {
            return;
        }
        let Some(LobbyMessage { counter, content }) = self.key.open(from, &sealed.0) else { return };
        if self.managers.len() >= MAX_MANAGERS && !self.managers.contains_key(&from) {
            return;
        }
        let manager = self.managers.entry(from).or_default();
        if !manager.replays.take(counter) {
            return;
        }
        match Content::decode(&content) {
            Some(Content::Received { organiser }) => {
                manager.received = Some(organiser);
                let is_new = !std::mem::replace(&mut manager.was_asked, true);
                self.show_received(context);
                if is_new {
                    self.repeat(context);
                }
            }
            Some(Content::Withdrawn) => {
                manager.received = None;
                self.show_received(context);
            }
            Some(Content::Text { text }) => {
                emit(LobbyEvent::Text { with: None, author: LobbyAuthor::Manager(from), text }, context);
            }
            None => {}
        }
    }

    /// Tells the user who has the request, if that has changed.
    fn show_received(&mut self, context: &mut Context<'_>) {
        let received = self.managers.values().filter_map(|manager| manager.received).max();
        if std::mem::replace(&mut self.received, received) != received {
            let event = received.map_or(LobbyEvent::NobodyHasRequest, |organiser| LobbyEvent::Received { organiser });
            emit(event, context);
        }
    }

    /// Sends the last messages again. Managers that have taken them ignore them.
    fn repeat(&mut self, context: &mut Context<'_>) {
        let written = std::mem::take(&mut self.written);
        for message in &written {
            self.send(message, context);
        }
        self.written = written;
    }

    fn send(&mut self, message: &LobbyMessage, context: &mut Context<'_>) -> bool {
        if !self.sends.take(context.now) {
            return false;
        }
        let Ok(sealed) = self.key.seal(self.me, message) else { return false };
        context.outputs.transmit(Up::Lobby { blob: Blob(sealed) });
        true
    }
}

fn emit(event: LobbyEvent, context: &mut Context<'_>) {
    context.outputs.event(Event::Lobby(event));
}

/// Own messages that are sent at once, and how long until one more may be sent. The server allows twice as many.
const MAX_SENT: u32 = 10;
const SEND_INTERVAL: Duration = Duration::from_secs(2);

/// Messages of managers that are taken at once, and how long until one more is.
const MAX_TAKEN: u32 = 100;
const TAKE_INTERVAL: Duration = Duration::from_millis(200);

/// Own messages that are sent again to a manager who gets the request later.
const MAX_WRITTEN: usize = 8;

/// Managers whose messages are taken.
const MAX_MANAGERS: usize = 64;
