//! The type scale as constructors: the size, the weight and the line are always those of the theme.

use iced::widget::Text;
use iced::widget::text::{IntoFragment, LineHeight, Shaping, Style, Wrapping};
use iced::{Font, Renderer};

use crate::theme::{
    LINE_HEIGHT, REGULAR, SEMIBOLD, TEXT_BODY, TEXT_CAPTION, TEXT_DISPLAY, TEXT_SMALL, TEXT_TITLE, Theme, Tone,
};

/// A text of ours.
pub type Label<'a> = Text<'a, Theme, Renderer>;

/// Badges, hints.
pub fn caption<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_CAPTION, REGULAR)
}

/// Controls, lists, panels.
pub fn small<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_SMALL, REGULAR)
}

/// Names, the words on a button.
pub fn strong<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_SMALL, SEMIBOLD)
}

/// Running text.
pub fn body<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_BODY, REGULAR)
}

/// A heading inside a card.
pub fn heading<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_BODY, SEMIBOLD)
}

/// The heading of a panel or a dialog.
pub fn title<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_TITLE, SEMIBOLD)
}

/// The one heading of a page.
pub fn display<'a>(text: impl IntoFragment<'a>) -> Label<'a> {
    plain(text, TEXT_DISPLAY, SEMIBOLD)
}

/// The colour of a tone, for `.style(..)`.
pub fn tone(tone: Tone) -> impl Fn(&Theme) -> Style {
    move |theme| Style { color: Some(tone.colour(theme)) }
}

fn plain<'a>(text: impl IntoFragment<'a>, size: f32, font: Font) -> Label<'a> {
    // Advanced always: kerning must not come and go with the first accented letter.
    Text::new(text)
        .size(size)
        .font(font)
        .line_height(LineHeight::Relative(LINE_HEIGHT))
        .shaping(Shaping::Advanced)
        .wrapping(Wrapping::WordOrGlyph)
}
