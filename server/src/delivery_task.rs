//! The task that owns the [`Delivery`] service. All connections send to its inbox.

use crate::delivery::{Action, Delivery};
use crate::outbox::Outbox;
use crate::{media_thread, sfu};
use proto::{ClientMessage, ParticipantId, Problem};
use std::collections::HashMap;
use tokio::sync::{mpsc, oneshot};

/// A message to the task.
#[derive(Debug)]
pub enum Message {
    /// A connection was opened.
    Connected(ParticipantId, Outbox),
    /// A connection received a message.
    Received(ParticipantId, ClientMessage),
    /// A connection broke a rule of the protocol.
    Violation(ParticipantId, Problem),
    /// A connection ended.
    Disconnected(ParticipantId),
    /// Closes all connections, and answers when none is left.
    Drain(oneshot::Sender<()>),
}

/// The task's state.
pub struct DeliveryTask {
    delivery: Delivery,
    inbox: mpsc::Receiver<Message>,
    outboxes: HashMap<ParticipantId, Outbox>,
    media: mpsc::Sender<media_thread::Message>,
    drained: Option<oneshot::Sender<()>>,
}

impl DeliveryTask {
    /// Returns the task of a service without connections.
    pub fn new(delivery: Delivery, inbox: mpsc::Receiver<Message>, media: mpsc::Sender<media_thread::Message>) -> Self {
        Self { delivery, inbox, outboxes: HashMap::new(), media, drained: None }
    }

    /// Runs until all senders of messages are dropped.
    pub async fn run(mut self) {
        while let Some(message) = self.inbox.recv().await {
            self.handle(message);
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
            Message::Connected(participant, outbox) => {
                self.outboxes.insert(participant, outbox);
                self.delivery.handle_connected(participant);
            }
            Message::Received(participant, ClientMessage::Meeting(message)) => {
                self.delivery.handle_message(participant, message);
            }
            Message::Received(participant, ClientMessage::Sfu(message)) => {
                self.delivery.handle_sfu_message(participant, message);
            }
            Message::Violation(participant, problem) => {
                tracing::debug!(%participant, %problem, "protocol violation");
                self.delivery.reject(participant, problem);
            }
            Message::Disconnected(participant) => {
                self.delivery.handle_disconnected(participant);
                self.outboxes.remove(&participant);
            }
            Message::Drain(drained) => {
                tracing::info!(
                    connections = self.delivery.connections(),
                    meetings = self.delivery.meetings(),
                    "closing all connections"
                );
                self.delivery.drain();
                self.drained = Some(drained);
            }
        }
    }

    async fn execute(&mut self, action: Action) {
        match action {
            Action::Send(to, bytes) => {
                if let Some(outbox) = self.outboxes.get(&to) {
                    outbox.send(bytes);
                }
            }
            Action::Close(participant) => {
                if let Some(outbox) = self.outboxes.get(&participant) {
                    outbox.close();
                }
            }
            Action::Sfu(command) => {
                let outbox = match &command {
                    sfu::Command::Join { participant, .. } => self.outboxes.get(participant).cloned(),
                    sfu::Command::Leave { .. } | sfu::Command::Message { .. } => None,
                };
                // The media thread never waits for this task, so this send cannot deadlock. If the thread has ended,
                // the command is not needed.
                let _ = self.media.send(media_thread::Message::Command(command, outbox)).await;
            }
        }
    }
}
