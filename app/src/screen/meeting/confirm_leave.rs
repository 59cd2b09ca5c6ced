//! The dialog that the shortcut to leave opens: a key that is pressed by mistake must not end the meeting for the user.

use iced::Length;
use iced::widget::{column, container, row, space};

use super::{LeaveQuestion, Meeting, Message};
use crate::kit::{Element, heading, modal, press, text};
use crate::screen::Context;
use crate::theme::{self, Look, SPACE_M, SPACE_S, SPACE_XL, TARGET_FORM, Tone};

/// The dialog; `None` if the user is not asked.
pub(super) fn dialog<'a>(screen: &Meeting, context: &Context) -> Option<modal::Dialog<'a, Message>> {
    screen.leaving.filter(|question| *question == LeaveQuestion::Whether)?;
    let label = context.text("leave-confirm-title");
    let words = column![
        heading(1, text::title(label.clone())),
        text::small(context.text("leave-confirm-text")).style(text::tone(Tone::Dim)).width(Length::Fill),
    ];
    let cancel = press(text::strong(context.text("action-cancel")), "", Some(Message::DialogClosed)).id("cancel");
    let leave = press(text::strong(context.text("meeting-leave")), "", Some(Message::LeavePressed)).id("confirm");
    let buttons = row![
        space().width(Length::Fill),
        Element::from(cancel.height(TARGET_FORM)),
        Element::from(leave.look(Look::Danger).height(TARGET_FORM)),
    ];
    let inside = column![words.spacing(SPACE_S), buttons.spacing(SPACE_M)].spacing(SPACE_XL);
    let inside = container(inside).padding(SPACE_XL).width(Length::Fill).style(theme::dialog);
    Some(modal::Dialog { label, content: inside.into(), width: theme::DIALOG, on_close: Message::DialogClosed })
}
