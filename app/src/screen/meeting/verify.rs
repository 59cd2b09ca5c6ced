//! What people do to compare pictures, and to ask each other to read a phrase aloud.

use engine::ParticipantId;
use engine::verification::Command;

use crate::model::verification::Verification;

/// User input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// "Compare pictures" was pressed.
    ComparePressed,
    /// "Ask" was pressed beside a name.
    AskPressed(ParticipantId),
    /// The phrase was heard (true), or not.
    Heard(bool),
    /// The phrase to read aloud was closed.
    Closed,
}

/// Handles user input. Returns what the engine must do.
pub fn update(model: &mut Verification, message: Message) -> Option<Command> {
    match message {
        Message::ComparePressed => return Some(Command::CompareEmoji),
        Message::AskPressed(id) => return Some(Command::AskForPhrase(id)),
        Message::Heard(heard) => model.answer_phrase(heard),
        Message::Closed => model.phrase = None,
    }
    None
}
