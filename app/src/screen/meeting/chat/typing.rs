//! Draws the choice whether the others see what the user types, and what the others type.

use accesskit::Role;
use engine::chat::Typing;
use iced::Length;
use iced::widget::{Column, column, container};

use super::Message;
use super::show_typing::ShowTyping;
use crate::kit::{Element, elided, region, text};
use crate::model::MeetingModel;
use crate::screen::{Context, check};
use crate::theme::{SPACE_L, SPACE_S, SPACE_XS, Tone};

/// The choice, as the panel shows it.
pub(super) fn choice<'a>(show: &ShowTyping, context: &Context) -> Element<'a, Message> {
    let label = context.text("chat-show-typing");
    let check = check(&label, Role::CheckBox, show.is_on, Message::ShowTypingPressed(!show.is_on));
    Element::from(check.id("chat-show-typing").width(Length::Fill))
}

/// What the others type, below the lines. Assistive tools announce whole words by themselves.
pub(super) fn view<'a>(model: &MeetingModel, context: &Context) -> Option<Element<'a, Message>> {
    let typing: Vec<_> = model.chat.typing().collect();
    let hidden = typing.len().saturating_sub(MAX_SHOWN);
    if typing.is_empty() {
        return None;
    }
    let more = (hidden > 0).then(|| {
        let words = context.language.with("chat-typing-more", &[("count", hidden.into())]);
        Element::from(text::caption(words).style(text::tone(Tone::Dim)))
    });
    let lines = typing.into_iter().skip(hidden).map(|typing| line(typing, context));
    let lines = region(Role::List, &context.text("chat-typing-list"), Column::with_children(lines).spacing(SPACE_XS));
    let inside = column![].push(more).push(lines).spacing(SPACE_XS);
    Some(container(inside).padding([SPACE_S, SPACE_L]).width(Length::Fill).into())
}

fn line<'a>(typing: &Typing, context: &Context) -> Element<'a, Message> {
    let title = context.language.with("chat-typing", &[("name", typing.name.as_str().into())]);
    let (start, words) = tail(typing.text.as_str());
    let is_cut = start || typing.start > 0;
    let shown = format!("{}{}", if is_cut { "…" } else { "" }, words.replace('\n', " "));
    let inside = column![
        Element::from(elided(title.clone()).caption().strong().tone(Tone::Dim).width(Length::Fill)),
        text::small(shown).style(text::tone(Tone::Dim)).width(Length::Fill),
    ];
    region(Role::ListItem, &title, inside)
}

/// Returns the end of a text, and whether something is before it.
fn tail(text: &str) -> (bool, &str) {
    let start = text.char_indices().rev().nth(MAX_CHARACTERS).map(|(at, letter)| at + letter.len_utf8());
    (start.is_some(), &text[start.unwrap_or(0)..])
}

/// How many people are shown at once: those who began last.
const MAX_SHOWN: usize = 3;
/// How many characters of each are shown: the last ones.
const MAX_CHARACTERS: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_text_is_shown() {
        assert_eq!(tail("short"), (false, "short"));
        let long = format!("{}end", "é".repeat(300));
        let (is_cut, shown) = tail(&long);
        assert!(is_cut && shown.ends_with("end") && shown.chars().count() == MAX_CHARACTERS);
    }
}
