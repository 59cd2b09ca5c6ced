//! The state of the test of the connection.

use engine::{ConnectionTestEvent, MediaPath, PathReport, PathTestError};

use crate::locale::Language;
use crate::model::connection;

/// The newest test of the connection, for the preview.
#[derive(Clone, Debug, Default)]
pub struct ConnectionTestState {
    /// The number of the newest test. Events of earlier ones are late.
    number: u32,
    pub(super) state: State,
}

/// The progress or the result of a test.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum State {
    /// No test was made, or it was cancelled.
    #[default]
    None,
    /// A test runs.
    Running { path: Option<MediaPath>, percent: u8 },
    /// A test has ended.
    Ended(Result<PathReport, PathTestError>),
}

impl ConnectionTestState {
    /// Begins a test, or cancels the one that runs. Returns the number of the test that begins.
    pub(super) fn press(&mut self) -> Option<u32> {
        if self.is_running() {
            self.state = State::None;
            return None;
        }
        self.number = self.number.wrapping_add(1);
        self.state = State::Running { path: None, percent: 0 };
        Some(self.number)
    }

    /// Handles an event of a test. Returns true if the test has ended.
    pub(super) fn handle_event(&mut self, number: u32, event: ConnectionTestEvent) -> bool {
        if number != self.number || !self.is_running() {
            return false;
        }
        match event {
            ConnectionTestEvent::Progress { path, percent } => {
                self.state = State::Running { path, percent };
                false
            }
            ConnectionTestEvent::Ended(result) => {
                self.state = State::Ended(result);
                true
            }
        }
    }

    /// Whether a test runs.
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// The result in words; `None` if there is none.
    pub fn announcement(&self, language: Language) -> Option<String> {
        let State::Ended(result) = &self.state else { return None };
        Some(connection::announcement(result, language))
    }

    /// Whether there is a text below the button.
    pub(super) fn has_text(&self) -> bool {
        self.state != State::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: ConnectionTestEvent = ConnectionTestEvent::Progress { path: Some(MediaPath::Udp), percent: 40 };

    #[test]
    fn a_cancelled_test_has_no_result_although_its_events_come_late() {
        let ended = || ConnectionTestEvent::Ended(Err(PathTestError::Busy));
        let mut test = ConnectionTestState::default();
        let first = test.press().expect("it begins");
        assert!(!test.handle_event(first, RUNNING) && test.is_running());
        assert_eq!((test.press(), test.is_running()), (None, false), "cancelled");
        assert!(!test.handle_event(first, ended()) && !test.has_text());
        let second = test.press().expect("another one begins");
        assert!(!test.handle_event(first, ended()) && test.is_running(), "a late event of the first one");
        assert!(test.handle_event(second, ended()) && !test.is_running());
        assert!(test.announcement(Language::English).is_some());
        assert!(!test.handle_event(second, RUNNING) && test.has_text(), "it has ended");
    }
}
