//! A text of several lines that the user types, with its caret and its selection.

use std::fmt;
use std::sync::Arc;

use iced::widget::text_editor::{Action, Content, Cursor, Edit, Motion, Position};
use iced::widget::text_input::Value;

/// The text. `Debug` does not show it.
#[derive(Clone, Default)]
pub struct Draft(Content);

/// A change of a text, or of its selection.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// By a key, the pointer, or the clipboard.
    Action(Action),
    /// An assistive tool has entered this text instead.
    Entered(String),
    /// An assistive tool has selected the characters between these ones; only the caret moves if they are equal. A character
    /// is a grapheme cluster.
    Selected {
        /// The character at which the selection begins.
        anchor: usize,
        /// The character after the caret.
        caret: usize,
    },
}

impl Draft {
    /// Creates a text with the caret at its end.
    pub fn new(text: &str) -> Self {
        let text = cleaned(text);
        let mut content = Content::with_text(&text);
        content.move_to(Cursor { position: position(&text, text.len()), selection: None });
        Self(content)
    }

    /// Returns the text. Its lines end with line feeds.
    pub fn text(&self) -> String {
        self.0.text()
    }

    /// Returns what iced's editor shows.
    pub(super) fn content(&self) -> &Content {
        &self.0
    }

    /// Changes the text, or its selection.
    pub fn perform(&mut self, change: Change) {
        match change {
            Change::Action(Action::Edit(Edit::Paste(text))) => {
                self.0.perform(Action::Edit(Edit::Paste(Arc::new(cleaned(&text)))));
            }
            Change::Action(action) => self.0.perform(action),
            Change::Entered(text) => *self = Self::new(&text),
            Change::Selected { anchor, caret } => {
                let text = self.text();
                let (anchor, caret) = (place(&text, anchor), place(&text, caret));
                // iced keeps a selection if it is given none.
                self.0.perform(Action::Move(Motion::DocumentStart));
                self.0.move_to(Cursor { position: caret, selection: (anchor != caret).then_some(anchor) });
            }
        }
    }

    /// Returns the text before the caret.
    pub fn before_caret(&self) -> String {
        let mut text = self.text();
        text.truncate(offset(&text, self.0.cursor().position));
        text
    }

    /// Replaces the text between byte `from` and the caret. The caret is behind `with` then.
    pub fn replace_before_caret(&mut self, from: usize, with: &str) {
        let (before, text) = (self.before_caret(), self.text());
        let start = format!("{}{with}", before.get(..from).unwrap_or(&before));
        let whole = format!("{start}{}", text.get(before.len()..).unwrap_or_default());
        self.0 = Content::with_text(&whole);
        self.0.move_to(Cursor { position: position(&whole, start.len()), selection: None });
    }

    /// The characters at which the selection begins and ends, which are equal if nothing is selected.
    pub(super) fn selection(&self) -> (usize, usize) {
        let (text, cursor) = (self.text(), self.0.cursor());
        let index = |position| Value::new(&text[..offset(&text, position)]).len();
        let caret = index(cursor.position);
        (cursor.selection.map_or(caret, index), caret)
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} lines)", self.0.line_count())
    }
}

/// The text with line feeds only, and not longer than [`MAX_BYTES`].
fn cleaned(text: &str) -> String {
    let end = (0..=text.len().min(MAX_BYTES)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..end].replace("\r\n", "\n").replace('\r', "\n")
}

/// The byte of a text at a position. A position behind the end of its line is at that end.
fn offset(text: &str, position: Position) -> usize {
    let mut start = 0;
    for (number, line) in text.split('\n').enumerate() {
        if number == position.line {
            let column = (0..=position.column.min(line.len())).rev().find(|at| line.is_char_boundary(*at));
            return start + column.unwrap_or(0);
        }
        start += line.len() + 1;
    }
    text.len()
}

/// The position of a byte.
fn position(text: &str, byte: usize) -> Position {
    let before = &text[..byte];
    let column = before.rfind('\n').map_or(byte, |at| byte - at - 1);
    Position { line: before.matches('\n').count(), column }
}

/// The position of a character.
fn place(text: &str, character: usize) -> Position {
    let value = Value::new(text);
    position(text, value.until(character.min(value.len())).to_string().len())
}

/// The longest text that is pasted or entered at once. Longer ones are cut: no field takes as much.
const MAX_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_edited_and_its_lines_end_with_line_feeds() {
        let mut draft = Draft::new("one\r\ntwo");
        assert_eq!((draft.text().as_str(), draft.selection()), ("one\ntwo", (7, 7)), "the caret is at the end");
        draft.perform(Change::Action(Action::Edit(Edit::Enter)));
        draft.perform(Change::Action(Action::Edit(Edit::Paste(Arc::new("three\r\nfour\rfive".into())))));
        assert_eq!(draft.text(), "one\ntwo\nthree\nfour\nfive");
        assert!(!format!("{draft:?}").contains("three"));
        draft.perform(Change::Action(Action::Edit(Edit::Paste(Arc::new("é".repeat(MAX_BYTES))))));
        assert!(draft.text().len() <= MAX_BYTES + 24);
        draft.perform(Change::Entered("other".into()));
        assert_eq!(draft.text(), "other");
    }

    #[test]
    fn characters_and_places_in_lines_are_found_from_each_other() {
        let mut draft = Draft::new("É\u{301}a\n👩‍🚀b\n");
        for caret in 0..=6 {
            draft.perform(Change::Selected { anchor: caret, caret });
            assert_eq!(draft.selection(), (caret, caret));
        }
        draft.perform(Change::Selected { anchor: 1, caret: 5 });
        assert_eq!((draft.selection(), draft.before_caret().as_str()), ((1, 5), "É\u{301}a\n👩‍🚀b"));
        draft.perform(Change::Selected { anchor: 99, caret: 99 });
        assert_eq!(draft.selection(), (6, 6));
        draft.perform(Change::Action(Action::Move(Motion::DocumentStart)));
        assert_eq!(draft.before_caret(), "");
    }

    #[test]
    fn what_is_before_the_caret_is_replaced_and_the_rest_stays() {
        let mut draft = Draft::new("one\n@cay\nthree");
        draft.perform(Change::Selected { anchor: 7, caret: 7 });
        assert_eq!(draft.before_caret(), "one\n@ca");
        draft.replace_before_caret(4, "@Carol ");
        assert_eq!((draft.text().as_str(), draft.before_caret().as_str()), ("one\n@Carol y\nthree", "one\n@Carol "));
    }
}
