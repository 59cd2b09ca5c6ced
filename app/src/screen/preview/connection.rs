//! The view of the test of the connection on the preview.

use engine::{ConnectionQuality, ConnectionVerdict, PathReport, PathTestError};
use iced::widget::{column, row};
use iced::{Alignment, Length};

use super::connection_test::State;
use super::{Message, Preview, Purpose};
use crate::kit::{Element, Icon, icon, press, text};
use crate::model::connection;
use crate::screen::Context;
use crate::theme::{ICON_SMALL, SPACE_S, SPACE_XS, Tone};

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
            let verdict = ConnectionVerdict::of(report);
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
