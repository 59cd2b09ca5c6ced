//! Dialogs that ask before something is done.

use iced::Length;
use iced::widget::{column, container, row, space};

use super::Context;
use crate::kit::{Element, heading, modal, press, text};
use crate::theme::{self, Look, SPACE_M, SPACE_S, SPACE_XL, TARGET_FORM, Tone};

/// The texts of a confirmation.
pub(crate) struct Texts {
    /// The question.
    pub(crate) title: String,
    /// What happens if the user confirms.
    pub(crate) meaning: String,
    /// The word on the button that confirms.
    pub(crate) confirm: String,
}

/// Creates a dialog that asks before something is done that cannot be undone. The message of the button that confirms is
/// `confirmed`, that of the other button and of Escape `cancelled`.
pub(crate) fn dialog<'a, Message: Clone + 'a>(
    texts: Texts,
    confirmed: Message,
    cancelled: Message,
    context: &Context,
) -> modal::Dialog<'a, Message> {
    with_look(Look::Danger, texts, (confirmed, cancelled), context)
}

/// Creates a dialog that asks before something is done that destroys nothing.
pub(crate) fn question<'a, Message: Clone + 'a>(
    texts: Texts,
    confirmed: Message,
    cancelled: Message,
    context: &Context,
) -> modal::Dialog<'a, Message> {
    with_look(Look::Primary, texts, (confirmed, cancelled), context)
}

fn with_look<'a, Message: Clone + 'a>(
    look: Look,
    texts: Texts,
    (confirmed, cancelled): (Message, Message),
    context: &Context,
) -> modal::Dialog<'a, Message> {
    let Texts { title, meaning, confirm } = texts;
    let words = column![
        heading(1, text::title(title.clone())),
        text::small(meaning).style(text::tone(Tone::Dim)).width(Length::Fill),
    ];
    let cancel = press(text::strong(context.text("action-cancel")), "", Some(cancelled.clone())).id("cancel");
    let confirm = press(text::strong(confirm), "", Some(confirmed)).id("confirm");
    let buttons = row![
        space().width(Length::Fill),
        Element::from(cancel.height(TARGET_FORM)),
        Element::from(confirm.look(look).height(TARGET_FORM)),
    ];
    let inside = column![words.spacing(SPACE_S), buttons.spacing(SPACE_M)].spacing(SPACE_XL);
    let inside = container(inside).padding(SPACE_XL).width(Length::Fill).style(theme::dialog);
    modal::Dialog { label: title, content: inside.into(), width: theme::DIALOG, on_close: cancelled }
}
