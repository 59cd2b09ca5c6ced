//! The text of a text field for assistive tools: its characters, its lines, and the selection.

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
        let parts = self.parts();
        let last = parts.len() - 1;
        let run = |(index, part): (usize, &&[String])| {
            let mut node = Node::new(Role::TextRun);
            node.set_value(part.concat());
            node.set_character_lengths(part.iter().filter_map(|one| u8::try_from(one.len()).ok()).collect::<Vec<_>>());
            node.set_word_starts(word_starts(part));
            if index > 0 && !ends_line(parts[index - 1]) {
                node.set_previous_on_line(ids(index - 1));
            }
            if index < last && !ends_line(part) {
                node.set_next_on_line(ids(index + 1));
            }
            (ids(index), node)
        };
        parts.iter().enumerate().map(run).collect()
    }

    /// The characters of each node: at most [`MAX_RUN`] of one line. The last character of a line is its line feed.
    fn parts(&self) -> Vec<&[String]> {
        let lines = self.characters.split_inclusive(|character| character == "\n");
        let mut parts: Vec<_> = lines.flat_map(|line| line.chunks(MAX_RUN)).collect();
        if parts.last().is_none_or(|last| ends_line(last)) {
            parts.push(&[]);
        }
        parts
    }

    /// The index of the first character of each node.
    pub(super) fn starts(&self) -> Vec<usize> {
        let start = |next: &mut usize, part: &[String]| Some(std::mem::replace(next, *next + part.len()));
        self.parts().into_iter().scan(0, start).collect()
    }

    /// The selection, as positions in the nodes that `ids` names.
    pub(super) fn selection(&self, ids: impl Fn(usize) -> NodeId) -> TextSelection {
        let starts = self.starts();
        let place = |index: usize| {
            let run = starts.partition_point(|start| *start <= index) - 1;
            TextPosition { node: ids(run), character_index: index - starts[run] }
        };
        TextSelection { anchor: place(self.anchor), focus: place(self.caret) }
    }
}

/// The index of the character at `place`. `runs` are the field's nodes in order, each with the index of its first character.
/// Returns `None` if it is in none of them.
pub(super) fn character_at(place: &TextPosition, runs: &[(NodeId, usize)]) -> Option<usize> {
    let (_, start) = runs.iter().find(|(id, _)| *id == place.node)?;
    Some(start + place.character_index.min(MAX_RUN))
}

fn ends_line(part: &[String]) -> bool {
    part.last().is_some_and(|last| last == "\n")
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
        let runs: Vec<_> = text.runs(ids).into_iter().map(|(id, _)| id).zip(text.starts()).collect();
        assert_eq!(runs, [(ids(0), 0), (ids(1), 255), (ids(2), 510)]);
        let selection = text.selection(ids);
        assert_eq!(character_at(&selection.anchor, &runs), Some(255));
        assert_eq!(character_at(&selection.focus, &runs), Some(600));
        let whole = EditableText::new(&"a".repeat(255), 0, 255).unwrap();
        assert_eq!(whole.selection(ids).focus.node, ids(0), "there is no second node");
    }

    #[test]
    fn each_line_has_its_own_nodes_and_the_caret_can_be_behind_the_last_one() {
        let text = EditableText::new("ab\ncd\n", 3, 6).unwrap();
        let runs = text.runs(ids);
        let values: Vec<_> = runs.iter().filter_map(|(_, run)| run.value()).collect();
        assert_eq!((values, text.starts()), (vec!["ab\n", "cd\n", ""], vec![0, 3, 6]));
        assert!(runs.iter().all(|(_, run)| run.next_on_line().is_none() && run.previous_on_line().is_none()));
        let selection = text.selection(ids);
        assert_eq!((selection.anchor.node, selection.anchor.character_index), (ids(1), 0));
        assert_eq!((selection.focus.node, selection.focus.character_index), (ids(2), 0));
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
