//! Sends events to the screens. Drops them once the engine closes.

use crate::event::Event;
use tokio::sync::{mpsc, watch};

/// The sending end of the engine's events.
pub struct EventSender {
    events: mpsc::Sender<Event>,
    closing: Closing,
}

impl EventSender {
    /// Sends to `events` until the engine closes.
    pub fn new(events: mpsc::Sender<Event>, closing: Closing) -> Self {
        Self { events, closing }
    }

    /// Sends an event. Waits while the channel is full. Once the engine closes, it does not wait, and the event is
    /// dropped.
    pub async fn send(&mut self, event: Event) {
        tokio::select! {
            biased;
            // An error means that the receiver was dropped. Then no event is needed.
            room = self.events.reserve() => {
                if let Ok(room) = room {
                    room.send(event);
                }
            }
            () = self.closing.wait() => {}
        }
    }
}

/// Signals that the engine closes.
#[derive(Clone)]
pub struct Closing(watch::Receiver<bool>);

impl Closing {
    /// Returns a channel for this signal, which is the value `true` or a dropped sender.
    pub fn channel() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Waits until the engine closes.
    pub async fn wait(&mut self) {
        // An error means that the sender was dropped, which is the same signal.
        let _ = self.0.wait_for(|closing| *closing).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    #[test]
    fn a_full_channel_holds_the_sender_only_until_the_engine_closes() {
        let (events, mut reader) = mpsc::channel(1);
        let (close, closing) = Closing::channel();
        let mut event_sender = EventSender::new(events, closing);
        block(async {
            event_sender.send(Event::Level(0.1)).await;
            tokio::select! {
                biased;
                () = event_sender.send(Event::Level(0.2)) => panic!("there is no room"),
                () = std::future::ready(()) => {}
            }
            close.send_replace(true);
            event_sender.send(Event::Level(0.3)).await;
            assert!(matches!(reader.recv().await, Some(Event::Level(level)) if level < 0.2));
            event_sender.send(Event::Level(0.4)).await;
            assert!(matches!(reader.try_recv(), Ok(Event::Level(level)) if level > 0.3), "sent if there is room");
        });
    }
}
