//! Tells the user what has changed in the chat.

use super::line::{Event, LineId};
use super::lines::Lines;
use crate::meeting::Event as MeetingEvent;
use crate::meeting::outputs::Outputs;

/// Emits an event of the chat.
pub fn emit(event: Event, outputs: &mut Outputs) {
    outputs.event(MeetingEvent::Chat(event));
}

/// Shows a line as it is now.
pub fn emit_line(lines: &Lines, id: LineId, outputs: &mut Outputs) {
    if let Some(line) = lines.get(id) {
        emit(Event::Lines(vec![line.clone()]), outputs);
    }
}
