//! Asks the system at an interval whether a window is minimised.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use iced::futures::stream;
use iced::{Task, window};

/// Reports changes only: each message redraws every window.
pub fn changes(id: window::Id) -> Task<bool> {
    let ticks = stream::unfold((), async |()| {
        tokio::time::sleep(POLL_INTERVAL).await;
        Some(((), ()))
    });
    let was_shown = Arc::new(AtomicBool::new(true));
    Task::stream(ticks).then(move |()| {
        let was_shown = Arc::clone(&was_shown);
        window::is_minimized(id).then(move |minimised| {
            let shown = !minimised.unwrap_or(false);
            if was_shown.swap(shown, Ordering::AcqRel) == shown { Task::none() } else { Task::done(shown) }
        })
    })
}

/// How often the system is asked.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
