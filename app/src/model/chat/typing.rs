//! What the others type, as the panel of the chat shows it and as assistive tools announce it: whole words, not characters.

use engine::DeviceKey;
use engine::chat::Typing;

use crate::announce::Announcement;

/// The texts, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct TypedLines {
    shown: Vec<Shown>,
    /// What was announced of the line that has ended last.
    last: Option<(DeviceKey, String)>,
}

#[derive(Clone, Debug)]
struct Shown {
    typing: Typing,
    /// How many characters of the text were announced.
    said: usize,
    /// The announced words.
    words: String,
}

impl TypedLines {
    /// Handles a change. Returns the words that assistive tools announce, if the panel is open.
    pub fn handle(&mut self, typing: &Typing, is_open: bool) -> Option<Announcement> {
        let known = self.shown.iter().position(|shown| shown.typing.device == typing.device);
        if typing.text.is_empty() {
            let ended = known.map(|at| self.shown.remove(at))?;
            self.last = Some((typing.device, ended.words));
            return None;
        }
        let at = known.unwrap_or_else(|| {
            self.shown.push(Shown { typing: typing.clone(), said: 0, words: String::new() });
            self.shown.len() - 1
        });
        let shown = &mut self.shown[at];
        shown.typing = typing.clone();
        let words = shown.take_words().filter(|_| is_open)?;
        shown.words.push_str(&words);
        let (name, text) = (typing.name.clone(), words.trim().to_owned());
        (!text.is_empty()).then_some(Announcement::Typed { name, text })
    }

    /// Returns what is left to announce of a line that has arrived; `None` if all of it was announced while it was typed.
    pub fn rest<'a>(&mut self, device: DeviceKey, text: &'a str) -> Option<&'a str> {
        let said = self.last.take_if(|(last, _)| *last == device).map(|(_, words)| words).unwrap_or_default();
        let rest = text.strip_prefix(said.trim_end()).unwrap_or(text).trim_start();
        (!rest.is_empty()).then_some(rest)
    }

    /// What is typed now, the newest typist last.
    pub fn list(&self) -> impl Iterator<Item = &Typing> {
        self.shown.iter().map(|shown| &shown.typing)
    }
}

impl Shown {
    /// Takes the words that are finished and were not announced: up to the last space.
    fn take_words(&mut self) -> Option<String> {
        let (start, text) = (self.typing.start as usize, self.typing.text.as_str());
        let finished = text.rfind(char::is_whitespace).map_or(0, |at| text[..at].chars().count() + 1);
        let from = self.said.saturating_sub(start);
        self.said = start + finished;
        if from >= finished {
            // Something was deleted: what replaces it is announced.
            return None;
        }
        Some(text.chars().skip(from).take(finished - from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::chat::TypedText;

    fn typing(start: u32, text: &str) -> Typing {
        Typing { device: DeviceKey([2; 32]), name: "Bob".into(), start, text: TypedText::new(text) }
    }

    fn said(lines: &mut TypedLines, start: u32, text: &str) -> Option<String> {
        let announced = lines.handle(&typing(start, text), true)?;
        let Announcement::Typed { text, .. } = announced else { panic!("{announced:?}") };
        Some(text)
    }

    #[test]
    fn whole_words_are_announced_once_and_the_rest_with_the_line() {
        let mut lines = TypedLines::default();
        for (text, expected) in [
            ("H", None),
            ("Hello", None),
            ("Hello t", Some("Hello")),
            ("Hello thre", None),
            ("Hello there, h", Some("there,")),
            ("Hello the", None),
            ("Hello them n", Some("them")),
        ] {
            assert_eq!(said(&mut lines, 0, text).as_deref(), expected, "{text}");
        }
        assert_eq!(lines.list().count(), 1);
        assert_eq!(said(&mut lines, 0, ""), None);
        assert_eq!((lines.list().count(), lines.rest(DeviceKey([2; 32]), "Another line")), (0, Some("Another line")));
        said(&mut lines, 0, "One two t");
        said(&mut lines, 0, "");
        assert_eq!(lines.rest(DeviceKey([3; 32]), "One two three"), Some("One two three"), "of another person");
        assert_eq!(lines.rest(DeviceKey([2; 32]), "One two three"), Some("three"));
    }

    #[test]
    fn a_long_text_of_which_only_the_end_arrives_is_announced_where_it_goes_on() {
        let mut lines = TypedLines::default();
        assert_eq!(said(&mut lines, 0, "one two ").as_deref(), Some("one two"));
        assert_eq!(said(&mut lines, 4, "two three f").as_deref(), Some("three"));
        assert_eq!(lines.handle(&typing(4, "two three four x"), false), None, "the panel is closed");
    }
}
