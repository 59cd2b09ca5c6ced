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

/// The dialog.
pub fn dialog<'a>(cause: Cause, context: &Context) -> modal::Dialog<'a, Message> {
    let (title, meaning, confirm) = match cause {
        Cause::Close => ("end-close-title", "end-close-text", "end-close-confirm"),
        Cause::End => ("end-title", "leave-end-text", "leave-end"),
    };
    let [title, meaning, confirm] = [title, meaning, confirm].map(|id| context.text(id));
    confirmation::dialog(Texts { title, meaning, confirm }, Message::Confirmed(cause), Message::Cancelled, context)
}
