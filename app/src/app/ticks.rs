//! Timers that update the window. Each message redraws the window, so they send as few as possible.

use std::time::{Duration, Instant};

use iced::Subscription;
use iced::futures::{Stream, stream};

use super::message::Message;

/// Sends a message at each full second since `since`, the time at which the meeting was entered: its clock changes.
pub fn clock(since: Instant) -> Subscription<Message> {
    Subscription::run_with(since, |since| seconds(*since))
}

/// Sends a message at each full minute since `since`: the screen of a person who waits says since when.
pub fn minutes(since: Instant) -> Subscription<Message> {
    Subscription::run_with((since, MINUTE), |(since, step)| steps(*since, *step))
}

/// Sends messages while there are notices or announcements, so that they disappear or are announced in time.
pub fn notices() -> Subscription<Message> {
    iced::time::every(NOTICES_INTERVAL).map(Message::Tick)
}

/// Sends messages while a meeting on this computer goes on that the user has left. After each, the window checks whether
/// everybody has left it.
pub fn left_meeting() -> Subscription<Message> {
    iced::time::every(LEFT_MEETING_INTERVAL).map(Message::Tick)
}

fn seconds(since: Instant) -> impl Stream<Item = Message> {
    steps(since, Duration::from_secs(1))
}

/// Sends a message after each full `step` since `since`.
fn steps(since: Instant, step: Duration) -> impl Stream<Item = Message> {
    stream::unfold(since, move |since| async move {
        let passed = since.elapsed().as_secs() / step.as_secs().max(1);
        let next = since + step * u32::try_from(passed + 1).unwrap_or(u32::MAX);
        tokio::time::sleep_until(next.into()).await;
        Some((Message::Tick(next), since))
    })
}

const MINUTE: Duration = Duration::from_mins(1);
/// How often notices and announcements are updated.
const NOTICES_INTERVAL: Duration = Duration::from_millis(500);
/// How often Conclave checks whether everybody has left a meeting that the user has left.
const LEFT_MEETING_INTERVAL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use iced::futures::StreamExt;

    #[tokio::test]
    async fn the_clock_ticks_at_the_next_full_second() {
        let since = Instant::now().checked_sub(Duration::from_millis(61_950)).expect("the machine runs for a minute");
        let mut ticks = Box::pin(seconds(since));
        let Some(Message::Tick(first)) = ticks.next().await else { panic!("no tick") };
        // The machine may take a while until it looks at the time.
        let whole = (first - since).as_nanos().is_multiple_of(1_000_000_000);
        assert!(whole && first - since >= Duration::from_secs(62), "{:?}", first - since);
    }
}
