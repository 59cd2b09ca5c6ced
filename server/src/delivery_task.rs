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

/// The queues of messages to the task. A message never overtakes an earlier one of its connection, in whichever queue that is.
struct Inboxes {
    /// Signed commands, and the parts of trees. They are handled first.
    commands: mpsc::Receiver<Message>,
    others: mpsc::Receiver<Message>,
    /// How many commands were handled since the last other message.
    in_a_row: u32,
    /// How many other messages are the next ones after `commands_before` more commands.
    counted: usize,
    /// How many of the commands that wait may have been sent before those in `counted`, by the same connection.
    commands_before: usize,
}

/// The task's state.
pub struct DeliveryTask {
    delivery: Delivery,
    /// `None` if meetings are not stored.
    store: Option<MeetingStore>,
    inboxes: Inboxes,
    clients: HashMap<ConnectionId, (Outbox, Arc<Meter>)>,
    media: MediaThreads,
    /// Bytes of a message from a client that is no member.
    stranger_message: usize,
    drained: Option<oneshot::Sender<()>>,
    /// The number of meetings, for [`crate::Server::meetings`].
    meetings: Arc<AtomicUsize>,
}

impl Inboxes {
    fn new([commands, others]: [mpsc::Receiver<Message>; 2]) -> Self {
        Self { commands, others, in_a_row: 0, counted: 0, commands_before: 0 }
    }

    /// Waits for the next message: a command if there is one. But each other message waits only for the commands that were there
    /// before it, and then a flood of them has [`MAX_COMMANDS_IN_A_ROW`] for each other message. Returns `None` if all senders of
    /// other messages are dropped. Cancel-safe.
    async fn next(&mut self) -> Option<Message> {
        if self.counted == 0 {
            // In this order: a connection sends one message after the other, so its commands before these messages are counted.
            self.counted = self.others.len();
            self.commands_before = self.commands.len();
        }
        let is_their_turn = self.commands_before == 0 && self.in_a_row >= MAX_COMMANDS_IN_A_ROW && self.counted > 0;
        if is_their_turn && let Ok(message) = self.others.try_recv() {
            self.count_other();
            return Some(message);
        }
        tokio::select! {
            biased;
            Some(message) = self.commands.recv() => {
                self.in_a_row = self.in_a_row.saturating_add(1);
                self.commands_before = self.commands_before.saturating_sub(1);
                Some(message)
            }
            message = self.others.recv() => {
                self.count_other();
                message
            }
        }
    }

    fn count_other(&mut self) {
        self.in_a_row = 0;
        self.counted = self.counted.saturating_sub(1);
    }
}

impl DeliveryTask {
    /// Returns the task of a service without connections.
    pub fn new(
        (delivery, store): (Delivery, Option<MeetingStore>),
        inboxes: [mpsc::Receiver<Message>; 2],
        media: MediaThreads,
        limits: &Limits,
        meetings: Arc<AtomicUsize>,
    ) -> Self {
        let stranger_message = limits.stranger_message;
        let (clients, inboxes) = (HashMap::new(), Inboxes::new(inboxes));
        Self { delivery, store, inboxes, clients, media, stranger_message, drained: None, meetings }
    }

    /// Runs until all senders of messages are dropped.
    pub async fn run(mut self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = ticks.tick() => self.delivery.handle_timeout(Instant::now()),
                message = self.inboxes.next() => match message {
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

/// After this many commands, another message may be handled. Commands still have eight ninths of the task if there are enough.
const MAX_COMMANDS_IN_A_ROW: u32 = 8;

/// How often timeouts are checked.
const TICK: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::ops::Range;

    struct Queues {
        senders: [mpsc::Sender<Message>; 2],
        inboxes: Inboxes,
    }

    impl Queues {
        fn new() -> Self {
            let ((command, commands), (other, others)) = (mpsc::channel(1_000), mpsc::channel(1_000));
            Self { senders: [command, other], inboxes: Inboxes::new([commands, others]) }
        }

        /// Adds messages with these numbers: commands to the first queue, others to the second.
        fn send(&self, queue: usize, numbers: Range<u64>) {
            numbers.for_each(|number| self.senders[queue].try_send(Message::Closed(ConnectionId(number))).unwrap());
        }

        fn next(&mut self) -> Option<u64> {
            match self.inboxes.next().now_or_never() {
                Some(Some(Message::Closed(id))) => Some(id.0),
                None => None,
                Some(other) => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn commands_come_first_and_a_flood_of_them_keeps_nobody_waiting() {
        let mut queues = Queues::new();
        queues.send(1, 100..103);
        queues.send(0, 0..20);
        let mut handled = Vec::new();
        while handled.len() < 60 {
            handled.push(queues.next().unwrap());
            queues.send(0, 20..21);
        }
        let others = handled.iter().enumerate().filter(|(_, number)| **number >= 100);
        assert_eq!(others.collect::<Vec<_>>(), [(20, &100), (29, &101), (38, &102)], "after the commands before them");
        while queues.next().is_some() {}
        queues.send(1, 200..201);
        queues.send(0, 60..61);
        assert_eq!(
            [queues.next(), queues.next(), queues.next()],
            [Some(60), Some(200), None],
            "a command is first again"
        );
    }

    /// Otherwise a commit would be handled without a part of its tree, and the end of a connection before its last command.
    #[test]
    fn no_message_overtakes_a_command_of_its_connection() {
        let mut queues = Queues::new();
        queues.send(1, 100..101);
        queues.send(0, 0..30);
        assert_eq!((0..12).map_while(|_| queues.next()).collect::<Vec<_>>(), (0..12).collect::<Vec<_>>());
        // A connection sends commands, and then another message.
        queues.send(0, 30..60);
        queues.send(1, 101..102);
        let handled: Vec<_> = std::iter::from_fn(|| queues.next()).collect();
        assert_eq!(handled.len(), 50);
        let position = |number| handled.iter().position(|handled| *handled == number).unwrap();
        assert_eq!(position(100), 18, "after the thirty commands that were there before it");
        assert!(position(101) > position(59));
    }
}
