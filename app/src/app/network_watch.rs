//! Watches the network on a thread of its own, and reports each change.

use iced::Subscription;
use iced::futures::channel::mpsc;
use iced::futures::{Stream, StreamExt as _, stream};
use std::thread;
use std::time::Duration;

use crate::network::{Network, current};

/// Reports the network at first and at each change.
pub fn subscription() -> Subscription<Network> {
    Subscription::run(changes)
}

/// The thread ends some seconds after the stream.
fn changes() -> impl Stream<Item = Network> {
    let (mut sender, receiver) = mpsc::channel(MAX_WAITING);
    let watch = move || {
        let mut last = None;
        while !sender.is_closed() {
            let now = current();
            if last.as_ref() != Some(&now) {
                last = Some(now.clone());
                // If the UI thread is so far behind, it gets the next change.
                let _ = sender.try_send(now);
            }
            // The kernel reports changes only on a netlink socket.
            thread::park_timeout(INTERVAL);
        }
    };
    if let Err(error) = thread::Builder::new().name("network".into()).spawn(watch) {
        tracing::error!(%error, "cannot start the thread that watches the network");
    }
    stream::unfold(receiver, async |mut receiver| Some((receiver.next().await?, receiver)))
}

/// The time between two looks at the network.
const INTERVAL: Duration = Duration::from_secs(10);

/// The maximum number of changes that wait for the UI thread.
const MAX_WAITING: usize = 4;
