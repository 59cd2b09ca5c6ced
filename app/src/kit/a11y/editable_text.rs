//! The text of a text field for assistive tools: its characters, and the selection.

use accesskit::{Node, NodeId, Role, TextPosition, TextSelection};
use iced::widget::text_input::Value;

/// The text of a field and its selection. A character is a grapheme cluster, as in iced's text fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EditableText {
    characters: Vec<String>,
    /// The index of the character at which the selection began. Equal to `caret` if nothing is selected.
    anchor: usize,
    /// The index of the character after the caret.
    caret: usize,
}

impl EditableText {
    /// Describes `text`. `anchor` and `caret` are limited to its length.
    ///
    /// Returns `None` if a character has more bytes than AccessKit can describe.
    pub fn new(text: &str, anchor: usize, caret: usize) -> Option<Self> {
        let value = Value::new(text);
        let characters: Vec<_> = (0..value.len()).map(|index| value.select(index, index + 1).to_string()).collect();
        if characters.iter().any(|character| u8::try_from(character.len()).is_err()) {
            return None;
        }
        let (anchor, caret) = (anchor.min(characters.len()), caret.min(characters.len()));
        Some(Self { characters, anchor, caret })
    }

    /// The nodes of the text, in order. `ids` names the node with each index.
    pub(super) fn runs(&self, ids: impl Fn(usize) -> NodeId) -> Vec<(NodeId, Node)> {
        let parts: Vec<&[String]> =
            if self.characters.is_empty() { vec![&[]] } else { self.characters.chunks(MAX_RUN).collect() };
        let last = parts.len() - 1;
        let run = |(index, part): (usize, &&[String])| {
            let mut node = Node::new(Role::TextRun);
            node.set_value(part.concat());
            node.set_character_lengths(part.iter().filter_map(|one| u8::try_from(one.len()).ok()).collect::<Vec<_>>());
            node.set_word_starts(word_starts(part));
            if index > 0 {
                node.set_previous_on_line(ids(index - 1));
            }
            if index < last {
                node.set_next_on_line(ids(index + 1));
            }
            (ids(index), node)
        };
        parts.iter().enumerate().map(run).collect()
    }

    /// The selection, as positions in the nodes that `ids` names.
    pub(super) fn selection(&self, ids: impl Fn(usize) -> NodeId) -> TextSelection {
        let last = self.characters.len().saturating_sub(1) / MAX_RUN;
        let place = |index: usize| {
            let run = (index / MAX_RUN).min(last);
            TextPosition { node: ids(run), character_index: index - run * MAX_RUN }
        };
        TextSelection { anchor: place(self.anchor), focus: place(self.caret) }
    }
}

/// The index of the character at `place`. `runs` are the ids of the field's nodes, in order. Returns `None` if it is in
/// none of them.
pub(super) fn character_at(place: &TextPosition, runs: &[NodeId]) -> Option<usize> {
    let run = runs.iter().position(|id| *id == place.node)?;
    Some(run * MAX_RUN + place.character_index.min(MAX_RUN))
}

/// The index of the first character of each word.
fn word_starts(characters: &[String]) -> Vec<u8> {
    let in_word = |character: &String| character.starts_with(char::is_alphanumeric);
    let is_start = |index: &usize| {
        in_word(&characters[*index]) && !index.checked_sub(1).is_some_and(|before| in_word(&characters[before]))
    };
    (0..characters.len()).filter(is_start).filter_map(|index| u8::try_from(index).ok()).collect()
}

/// The maximum number of characters of a node: AccessKit stores the index of a word's first character in one byte.
const MAX_RUN: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(index: usize) -> NodeId {
        NodeId(100 + index as u64)
    }

    #[test]
    fn a_character_is_what_the_caret_passes_at_once() {
        let text = EditableText::new("É\u{301}a 👩‍🚀", 0, 99).unwrap();
        let [(_, run)] = &text.runs(ids)[..] else { panic!("one node") };
        assert_eq!(run.character_lengths(), [4, 1, 1, 11]);
        assert_eq!(run.word_starts(), [0]);
        assert_eq!(text.selection(ids).focus.character_index, 4, "the caret is in the text");
    }

    #[test]
    fn a_long_text_has_several_nodes_and_each_place_in_it_is_found_again() {
        let text = EditableText::new(&"a".repeat(600), 255, 600).unwrap();
        let runs: Vec<NodeId> = text.runs(ids).into_iter().map(|(id, _)| id).collect();
        assert_eq!(runs, [ids(0), ids(1), ids(2)]);
        let selection = text.selection(ids);
        assert_eq!(character_at(&selection.anchor, &runs), Some(255));
        assert_eq!(character_at(&selection.focus, &runs), Some(600));
        let whole = EditableText::new(&"a".repeat(255), 0, 255).unwrap();
        assert_eq!(whole.selection(ids).focus.node, ids(0), "there is no second node");
    }

    #[test]
    fn an_empty_text_has_one_node_for_the_caret() {
        let text = EditableText::new("", 3, 3).unwrap();
        assert_eq!((text.runs(ids).len(), text.selection(ids).focus.character_index), (1, 0));
    }

    #[test]
    fn a_character_of_more_than_255_bytes_is_not_described() {
        assert_eq!(EditableText::new(&format!("a{}", "\u{301}".repeat(200)), 0, 0), None);
    }
}
