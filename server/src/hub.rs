//! The task that owns the [`Delivery`] machine: everything that connections say goes through its one inbox.

use crate::delivery::{Action, Delivery};
use crate::outbox::Outbox;
use crate::sfu;
use proto::{ClientMessage, ParticipantId, Problem};
use std::collections::HashMap;
use tokio::sync::{mpsc, oneshot};

/// What the hub is told.
#[derive(Debug)]
pub enum Message {
    /// A connection is there.
    Arrived(ParticipantId, Outbox),
    /// It said something.
    PeerEvent(ParticipantId, ClientMessage),
    /// It broke a rule.
    Broke(ParticipantId, Problem),
    /// It is no more.
    Departed(ParticipantId),
    /// End all connections; answer once none is left.
    Drain(oneshot::Sender<()>),
}

/// The task's state. See the module.
pub struct Hub {
    delivery: Delivery,
    inbox: mpsc::Receiver<Message>,
    outboxes: HashMap<ParticipantId, Outbox>,
    media: mpsc::Sender<sfu::Message>,
    drained: Option<oneshot::Sender<()>>,
}

impl Hub {
    /// A hub without connections.
    pub fn new(delivery: Delivery, inbox: mpsc::Receiver<Message>, media: mpsc::Sender<sfu::Message>) -> Self {
        Self { delivery, inbox, outboxes: HashMap::new(), media, drained: None }
    }

    /// Works until nobody can tell it anything any more.
    pub async fn run(mut self) {
        while let Some(message) = self.inbox.recv().await {
            self.handle(message);
            while let Some(action) = self.delivery.poll_action() {
                self.act(action).await;
            }
            if self.delivery.connections() == 0
                && let Some(drained) = self.drained.take()
            {
                // Whoever asked may have given up waiting.
                let _ = drained.send(());
            }
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Arrived(participant, outbox) => {
                self.outboxes.insert(participant, outbox);
                self.delivery.handle_arrival(participant);
            }
            Message::PeerEvent(participant, ClientMessage::Meeting(message)) => {
                self.delivery.handle_message(participant, message);
            }
            Message::PeerEvent(participant, ClientMessage::Sfu(request)) => {
                self.delivery.handle_media(participant, request);
            }
            Message::Broke(participant, problem) => {
                tracing::debug!(%participant, %problem, "rule broken");
                self.delivery.refuse(participant, problem);
            }
            Message::Departed(participant) => {
                self.delivery.handle_departure(participant);
                self.outboxes.remove(&participant);
            }
            Message::Drain(drained) => {
                tracing::info!(
                    connections = self.delivery.connections(),
                    meetings = self.delivery.meetings(),
                    "draining"
                );
                self.delivery.drain();
                self.drained = Some(drained);
            }
        }
    }

    async fn act(&mut self, action: Action) {
        match action {
            Action::Say(to, bytes) => {
                if let Some(outbox) = self.outboxes.get(&to) {
                    outbox.say(bytes);
                }
            }
            Action::Finish(participant) => {
                if let Some(outbox) = self.outboxes.get(&participant) {
                    outbox.finish();
                }
            }
            Action::Media(order) => {
                let outbox = match &order {
                    sfu::Order::Join { participant, .. } => self.outboxes.get(participant).cloned(),
                    sfu::Order::Leave { .. } | sfu::Order::Request { .. } => None,
                };
                // The SFU never waits for the hub, so this wait ends; a stopped SFU takes nothing.
                let _ = self.media.send(sfu::Message::Order(order, outbox)).await;
            }
        }
    }
}
