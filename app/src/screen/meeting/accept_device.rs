//! The button that accepts another device of a person, in the list of participants and in the waiting room.

use engine::ParticipantId;
use iced::Length;

use crate::kit::{Element, press, text};
use crate::screen::Context;
use crate::theme::Look;

/// The button that accepts a device as another one of the person with this name.
pub(super) fn button<'a, M: Clone + 'a>(
    id: ParticipantId,
    name: &str,
    context: &Context,
    message: M,
) -> Element<'a, M> {
    let words = context.language.with("identity-accept", &[("name", name.into())]);
    let button = press(text::small(words.clone()).width(Length::Fill), &words, Some(message));
    button.id(format!("accept-{:016x}", id.0)).look(Look::Plain).width(Length::Fill).into()
}
