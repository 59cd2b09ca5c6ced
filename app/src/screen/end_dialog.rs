//! The dialog that asks before the meeting that runs on this computer ends.

use super::Context;
use super::confirmation::{self, Texts};
use crate::kit::modal;

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

/// The dialog. `is_alone` says whether nobody else is in the meeting.
pub fn dialog<'a>(cause: Cause, is_alone: bool, context: &Context) -> modal::Dialog<'a, Message> {
    let (title, meaning, confirm) = match (cause, is_alone) {
        (Cause::Close, false) => ("end-close-title", "end-close-text", "end-close-confirm"),
        (Cause::Close, true) => ("end-close-title", "end-close-alone-text", "end-close-confirm"),
        (Cause::End, false) => ("end-title", "leave-end-text", "leave-end"),
        (Cause::End, true) => ("end-alone-title", "leave-end-alone-text", "leave-end-alone"),
    };
    let [title, meaning, confirm] = [title, meaning, confirm].map(|id| context.text(id));
    confirmation::dialog(Texts { title, meaning, confirm }, Message::Confirmed(cause), Message::Cancelled, context)
}
