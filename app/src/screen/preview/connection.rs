//! The test of the connection on the preview.

use engine::{ConnectionQuality, ConnectionTestEvent, MediaPath, PathReport, PathTestError, Verdict};
use iced::widget::{column, row};
use iced::{Alignment, Length};

use super::{Message, Preview, Purpose};
use crate::kit::{Element, Icon, icon, press, text};
use crate::locale::Language;
use crate::model::connection;
use crate::screen::Context;
use crate::theme::{ICON_SMALL, SPACE_S, SPACE_XS, Tone};

/// The test of the connection.
#[derive(Clone, Debug, Default)]
pub struct Test {
    /// The number of the newest test. Events of earlier ones are late.
    number: u32,
    state: State,
}

#[derive(Clone, Debug, Default, PartialEq)]
enum State {
    /// No test was made, or it was cancelled.
    #[default]
    None,
    /// A test runs.
    Running { path: Option<MediaPath>, percent: u8 },
    /// A test has ended.
    Ended(Result<PathReport, PathTestError>),
}

impl Test {
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

    /// Whether there are words below the button.
    pub(super) fn has_words(&self) -> bool {
        self.state != State::None
    }
}

/// The button, with the progress or the result of the test below it. `None` for a meeting on this computer.
pub(super) fn test<'a>(screen: &Preview, context: &Context) -> Option<Element<'a, Message>> {
    if screen.purpose == Purpose::Start {
        return None;
    }
    let words = match &screen.test.state {
        State::None => "connection-test",
        State::Running { .. } => "connection-cancel",
        State::Ended(_) => "connection-again",
    };
    // The same widget, so that the focus stays on it.
    let name = if screen.test.is_running() { context.text("connection-cancel-name") } else { context.text(words) };
    let button = press(text::strong(context.text(words)), &name, Some(Message::TestPressed)).id("test-connection");
    Some(column![Element::from(button)].push(state(&screen.test.state, context)).spacing(SPACE_S).into())
}

fn state<'a>(state: &State, context: &Context) -> Option<Element<'a, Message>> {
    let language = context.language;
    match state {
        State::None => None,
        State::Running { path, percent } => {
            let words = connection::progress(*path, *percent, language);
            Some(text::caption(words).style(text::tone(Tone::Dim)).width(Length::Fill).into())
        }
        State::Ended(result) => Some(ended(result, context)),
    }
}

fn ended<'a>(result: &Result<PathReport, PathTestError>, context: &Context) -> Element<'a, Message> {
    let language = context.language;
    let (symbol, tone, sentence, advice) = match result {
        Ok(report) => {
            let verdict = Verdict::of(report);
            let (symbol, tone) = match (verdict.quality, verdict.cause) {
                (ConnectionQuality::Good, None) => (Icon::Check, Tone::Good),
                (ConnectionQuality::Good, Some(_)) => (Icon::Check, Tone::Text),
                (ConnectionQuality::SmallVideo | ConnectionQuality::SoundOnly | ConnectionQuality::Unusable, _) => {
                    (Icon::Warning, Tone::Warn)
                }
            };
            let advice = verdict.cause.map(|found| connection::cause(found, language));
            (symbol, tone, connection::quality(verdict.quality, language), advice)
        }
        Err(error) => {
            let (sentence, advice) = connection::failure(error, language);
            (Icon::Warning, Tone::Warn, sentence, Some(advice))
        }
    };
    let dim = |words: String| text::caption(words).style(text::tone(Tone::Dim)).width(Length::Fill);
    let sentence = text::caption(sentence).style(text::tone(tone)).width(Length::Fill);
    let head = row![icon(symbol).size(ICON_SMALL).tone(tone), sentence].spacing(SPACE_S).align_y(Alignment::Center);
    column![head].push(advice.map(dim)).push(connection::details(result, language).map(dim)).spacing(SPACE_XS).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: ConnectionTestEvent = ConnectionTestEvent::Progress { path: Some(MediaPath::Udp), percent: 40 };

    #[test]
    fn a_cancelled_test_has_no_result_although_its_events_come_late() {
        let ended = || ConnectionTestEvent::Ended(Err(PathTestError::Busy));
        let mut test = Test::default();
        let first = test.press().expect("it begins");
        assert!(!test.handle_event(first, RUNNING) && test.is_running());
        assert_eq!((test.press(), test.is_running()), (None, false), "cancelled");
        assert!(!test.handle_event(first, ended()) && !test.has_words());
        let second = test.press().expect("another one begins");
        assert!(!test.handle_event(first, ended()) && test.is_running(), "a late event of the first one");
        assert!(test.handle_event(second, ended()) && !test.is_running());
        assert!(test.announcement(Language::English).is_some());
        assert!(!test.handle_event(second, RUNNING) && test.has_words(), "it has ended");
    }
}
