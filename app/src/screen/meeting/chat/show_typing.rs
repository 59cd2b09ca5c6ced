//! Whether the others see what the user types, and what they see.

use engine::Zeroizing;
use engine::chat::{Command, TypedText};

/// The choice, and what was shown last.
#[derive(Clone, Debug, Default)]
pub(super) struct ShowTyping {
    /// Whether the others see what the user types. Nobody does unless the user wants it.
    pub is_on: bool,
    shown: TypedText,
}

impl ShowTyping {
    /// A line is sent, which ends what is shown.
    pub fn end(&mut self) {
        self.shown = TypedText::default();
    }

    /// Returns the command that shows the others a text. `None` if they see it already, or see nothing.
    pub fn show(&mut self, typed: impl FnOnce() -> String) -> Option<Command> {
        if !self.is_on && self.shown.is_empty() {
            return None;
        }
        let text = if self.is_on { TypedText::new(&Zeroizing::new(typed())) } else { TypedText::default() };
        if text == self.shown {
            return None;
        }
        self.shown = text.clone();
        Some(Command::Type(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown_unless_the_user_wants_it_and_only_changes_are() {
        let mut show = ShowTyping::default();
        let typed = |show: &mut ShowTyping, text: &str| show.show(|| text.to_owned());
        let command = |text| Some(Command::Type(TypedText::new(text)));
        assert_eq!(typed(&mut show, "secret"), None);
        show.is_on = true;
        assert_eq!(typed(&mut show, "H"), command("H"));
        assert_eq!(typed(&mut show, "H"), None);
        assert_eq!(typed(&mut show, ""), command(""), "the text is for one person now");
        assert_eq!(typed(&mut show, "He"), command("He"));
        show.is_on = false;
        assert_eq!(typed(&mut show, "Hel"), command(""));
        assert_eq!(typed(&mut show, "Hell"), None);
    }

    #[test]
    fn the_end_of_what_was_sent_is_not_shown_again() {
        let mut show = ShowTyping { is_on: true, ..ShowTyping::default() };
        assert!(show.show(|| "Hello".to_owned()).is_some());
        show.end();
        assert_eq!(show.show(String::new), None);
    }
}
