//! The dialog that asks before the meeting that runs on this computer ends.

use iced::Length;
use iced::widget::{column, container, row, space};

use super::Context;
use crate::kit::{Element, modal, press, text};
use crate::theme::{self, Look, SPACE_M, SPACE_S, SPACE_XL, TARGET_FORM, Tone};

/// What ends the meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The user closes the window.
    Close,
    /// The user ends it on the home screen.
    End,
}

/// User input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The dialog was closed.
    Cancelled,
    /// The end was confirmed.
    Confirmed(Cause),
}

/// The dialog.
pub fn dialog<'a>(cause: Cause, context: &Context) -> modal::Dialog<'a, Message> {
    let (title, words, confirm) = match cause {
        Cause::Close => ("end-close-title", "end-close-text", "end-close-confirm"),
        Cause::End => ("end-title", "leave-end-text", "leave-end"),
    };
    let label = context.text(title);
    let cancel = press(text::strong(context.text("action-cancel")), "", Some(Message::Cancelled)).id("cancel");
    let confirm = press(text::strong(context.text(confirm)), "", Some(Message::Confirmed(cause))).id("confirm");
    let buttons = row![
        space().width(Length::Fill),
        Element::from(cancel.height(TARGET_FORM)),
        Element::from(confirm.look(Look::Danger).height(TARGET_FORM)),
    ];
    let words = column![text::title(label.clone()), text::small(context.text(words)).style(text::tone(Tone::Dim))];
    let inside = column![words.spacing(SPACE_S), buttons.spacing(SPACE_M)].spacing(SPACE_XL);
    let inside = container(inside).padding(SPACE_XL).width(Length::Fill).style(theme::dialog);
    modal::Dialog { label, content: inside.into(), width: theme::DIALOG, on_close: Message::Cancelled }
}
