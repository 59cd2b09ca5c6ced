//! Watches the network in the runtime of the window, and reports each change.

use iced::Subscription;
use iced::futures::{Stream, stream};

use crate::network::{NetworkStatus, Watcher};

/// Reports the network at first and at each change. While the UI thread is busy, changes are merged into one report.
pub fn subscription() -> Subscription<NetworkStatus> {
    Subscription::run(changes)
}

fn changes() -> impl Stream<Item = NetworkStatus> {
    stream::unfold(None, async |watcher| {
        let mut watcher = match watcher {
            Some(watcher) => watcher,
            None => Watcher::start().await,
        };
        Some((watcher.changed().await, Some(watcher)))
    })
}
