//! The task that owns the [`Delivery`] service. All connections send to its inbox.

use crate::delivery::{Action, ConnectionId, Delivery, Now, Trust};
use crate::media_threads::MediaThreads;
use crate::meeting_store::MeetingStore;
use crate::metered::READ_AHEAD;
use crate::outbox::Outbox;
use crate::quota::Meter;
use crate::{Limits, Origin};
use proto::{ClientMessage, ParticipantId, Problem};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

/// A message to the task.
#[derive(Debug)]
pub enum Message {
    /// A connection was opened.
    Connected(ConnectionId, Client),
    /// A connection received a message.
    Received(ConnectionId, ClientMessage),
    /// A connection broke a rule of the protocol.
    Violation(ConnectionId, Problem),
    /// The server closes a connection.
    Closed(ConnectionId),
    /// A connection ended.
    Disconnected(ConnectionId),
    /// Closes all connections, tells them why, and answers when none is left.
    Drain(Problem, oneshot::Sender<()>),
    /// Panics.
    #[cfg(test)]
    Panic,
}

/// A new connection.
#[derive(Debug)]
pub struct Client {
    /// The id in any meeting that the client enters.
    pub participant: ParticipantId,
    /// The address that it comes from.
    pub origin: Origin,
    /// The queue of messages to it.
    pub outbox: Outbox,
    /// Bounds the length of its messages.
    pub meter: Arc<Meter>,
}

/// The task's state.
pub struct DeliveryTask {
    delivery: Delivery,
    /// `None` if meetings are not stored.
    store: Option<MeetingStore>,
    /// Signed commands. They are handled first.
    commands: mpsc::Receiver<Message>,
    inbox: mpsc::Receiver<Message>,
    clients: HashMap<ConnectionId, (Outbox, Arc<Meter>)>,
    media: MediaThreads,
    /// Bytes of a message from a client that is no member.
    stranger_message: usize,
    drained: Option<oneshot::Sender<()>>,
    /// The number of meetings, for [`crate::Server::meetings`].
    meetings: Arc<AtomicUsize>,
}

impl DeliveryTask {
    /// Returns the task of a service without connections.
    pub fn new(
        (delivery, store): (Delivery, Option<MeetingStore>),
        [commands, inbox]: [mpsc::Receiver<Message>; 2],
        media: MediaThreads,
        limits: &Limits,
        meetings: Arc<AtomicUsize>,
    ) -> Self {
        let stranger_message = limits.stranger_message;
        let clients = HashMap::new();
        Self { delivery, store, commands, inbox, clients, media, stranger_message, drained: None, meetings }
    }

    /// Runs until all senders of messages are dropped.
    pub async fn run(mut self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = ticks.tick() => self.delivery.handle_timeout(Instant::now()),
                Some(message) = self.commands.recv() => self.handle(message),
                message = self.inbox.recv() => match message {
                    Some(message) => self.handle(message),
                    None => return,
                },
            }
            // Before the answers, so that a client that has created a meeting is counted.
            self.meetings.store(self.delivery.meetings(), Ordering::Release);
            while let Some(action) = self.delivery.poll_action() {
                self.execute(action).await;
            }
            if self.delivery.connections() == 0
                && let Some(drained) = self.drained.take()
            {
                // The caller may have stopped waiting.
                let _ = drained.send(());
            }
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Connected(id, Client { participant, origin, outbox, meter }) => {
                self.clients.insert(id, (outbox, meter));
                self.delivery.handle_connected(id, participant, origin, now());
            }
            Message::Received(id, ClientMessage::Meeting(message)) => {
                self.delivery.handle_message(id, message, now());
            }
            Message::Received(id, ClientMessage::Sfu(message)) => self.delivery.handle_sfu_message(id, message),
            Message::Violation(id, problem) => {
                tracing::debug!(connection = id.0, %problem, "protocol violation");
                self.delivery.reject(id, problem);
            }
            Message::Closed(id) => self.delivery.handle_closed(id),
            Message::Disconnected(id) => {
                self.delivery.handle_disconnected(id, now());
                self.clients.remove(&id);
            }
            Message::Drain(why, drained) => {
                tracing::info!(
                    connections = self.delivery.connections(),
                    meetings = self.delivery.meetings(),
                    "closing all connections"
                );
                self.delivery.drain(why);
                self.drained = Some(drained);
            }
            #[cfg(test)]
            Message::Panic => panic!("injected"),
        }
    }

    async fn execute(&mut self, action: Action) {
        match action {
            Action::Send(to, bytes) => {
                if let Some((outbox, _)) = self.clients.get(&to) {
                    outbox.send(bytes);
                }
            }
            Action::Tell { to, from, position, message } => {
                if let Some((outbox, _)) = self.clients.get(&to) {
                    outbox.tell(from, position, message);
                }
            }
            Action::Relay { to, from, message } => {
                if let Some((outbox, _)) = self.clients.get(&to) {
                    outbox.offer(from, message);
                }
            }
            Action::Close(id) => {
                if let Some((outbox, _)) = self.clients.get(&id) {
                    outbox.close();
                }
            }
            Action::Trust(id, trust) => {
                if let Some((_, meter)) = self.clients.get(&id) {
                    meter.allow(READ_AHEAD + self.longest(trust));
                }
            }
            // Writing to the page cache takes some microseconds. The answers must wait for it in any case.
            Action::Store(meeting, change) => {
                if let Some(store) = &self.store {
                    store.apply(meeting, &change);
                }
            }
            Action::Sfu(command, outbox) => {
                let outbox = outbox.and_then(|id| self.clients.get(&id)).map(|(outbox, _)| outbox.clone());
                // The media threads never wait for this task, so this cannot deadlock.
                self.media.command(command, outbox).await;
            }
        }
    }

    /// Returns the length of the longest message that a client may send.
    fn longest(&self, trust: Trust) -> usize {
        match trust {
            Trust::Stranger => self.stranger_message,
            // The signal with its envelope.
            Trust::Member => proto::MAX_SIGNAL + 64,
            Trust::Manager => proto::MAX_MESSAGE,
        }
    }
}

fn now() -> Now {
    // The system's clock may be before 1970. Clients see that it is wrong.
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Now { instant: Instant::now(), unix_seconds: unix.as_secs() }
}

/// How often timeouts are checked.
const TICK: Duration = Duration::from_millis(250);
