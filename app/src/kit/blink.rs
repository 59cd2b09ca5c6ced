//! When the caret of a text field blinks: until ten seconds after the last input, so that a window that nobody uses is not
//! redrawn.

#![expect(clippy::wildcard_enum_match_arm, reason = "iced has many events, this file handles a few")]

use std::time::{Duration, Instant};

use iced::{Event, mouse, window};

/// The state of one field.
#[derive(Debug, Default)]
pub struct Blink {
    /// The time of the last input, or of the first redraw.
    last_input: Option<Instant>,
    /// Another window has the focus. The caret is then hidden.
    window_unfocused: bool,
}

impl Blink {
    /// Records an event.
    pub fn record(&mut self, event: &Event) {
        match event {
            Event::Window(window::Event::RedrawRequested(now)) => {
                self.last_input.get_or_insert(*now);
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {}
            Event::Window(window::Event::Focused) => {
                (self.last_input, self.window_unfocused) = (Some(Instant::now()), false);
            }
            Event::Window(window::Event::Unfocused) => self.window_unfocused = true,
            _ => self.last_input = Some(Instant::now()),
        }
    }

    /// Whether the caret blinks at this time, if the field has the focus.
    pub fn is_on(&self, now: Instant) -> bool {
        self.window_unfocused || self.last_input.is_none_or(|last| now.saturating_duration_since(last) < BLINK_TIME)
    }
}

/// How long the caret blinks after the last input, as in GTK.
const BLINK_TIME: Duration = Duration::from_secs(10);
