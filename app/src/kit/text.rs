//! The type scale: constructors for texts with the sizes, weights and line height of the theme.

use iced::widget::Text;
use iced::widget::text::{IntoFragment, LineHeight, Shaping, Style, Wrapping};
use iced::{Font, Renderer};

use crate::theme::{
    LINE_HEIGHT, REGULAR, SEMIBOLD, TEXT_BODY, TEXT_CAPTION, TEXT_DISPLAY, TEXT_SMALL, TEXT_TITLE, Theme, Tone,
};

/// A text widget with our theme.
pub type Label<'a> = Text<'a, Theme, Renderer>;

/// For badges and hints.
pub fn caption<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_CAPTION, REGULAR)
}

/// For controls, lists and panels.
pub fn small<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_SMALL, REGULAR)
}

/// For names and buttons.
pub fn strong<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_SMALL, SEMIBOLD)
}

/// For running text.
pub fn body<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_BODY, REGULAR)
}

/// For the heading of a card, a panel or a list.
pub fn heading<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_BODY, SEMIBOLD)
}

/// For the name of the program, and for the heading of a dialog or of a page with one card.
pub fn title<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_TITLE, SEMIBOLD)
}

/// For the heading of a page with several cards.
pub fn display<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_DISPLAY, SEMIBOLD)
}

/// The style of a text in this tone, for `.style(..)`.
pub fn tone(tone: Tone) -> impl Fn(&Theme) -> Style {
    move |theme| Style { color: Some(tone.colour(theme)) }
}

fn plain<'a>(text: impl IntoFragment<'a>, size: f32, font: Font) -> Label<'a> {
    // With iced's default shaping, kerning would depend on whether the text has a non-ASCII letter.
    Text::new(text)
        .size(size)
        .font(font)
        .line_height(LineHeight::Relative(LINE_HEIGHT))
        .shaping(Shaping::Advanced)
        .wrapping(Wrapping::WordOrGlyph)
}
