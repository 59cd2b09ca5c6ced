//! A text field with its label, its error, and its name for assistive tools.

use accesskit::{Invalid, Role};
use iced::widget::text::LineHeight;
use iced::widget::{column, row, text_input};
use iced::{Alignment, Length, Padding};

use crate::kit::a11y::Semantics;
use crate::kit::{Element, Icon, icon, region, text};
use crate::theme::{
    ICON_SMALL, LINE_HEIGHT, REGULAR, SPACE_M, SPACE_S, SPACE_XS, TARGET_FORM, TEXT_SMALL, Tone, field as valid,
    field_invalid,
};

/// What a field shows and does.
pub struct Field<'a, Message> {
    /// A name that stays while the window lives.
    pub id: &'static str,
    /// The word above it, which is also its name for assistive tools.
    pub label: String,
    /// Whether that word is seen; where the card around it says the same, it is only heard.
    pub labelled: bool,
    /// What is in it.
    pub value: &'a str,
    /// Shown while it is empty.
    pub placeholder: String,
    /// Why what is in it cannot be used.
    pub error: Option<String>,
    /// What stands at its right.
    pub beside: Option<Element<'a, Message>>,
    /// What typing and pasting say.
    pub on_input: fn(String) -> Message,
    /// What Enter says.
    pub on_submit: Option<Message>,
}

/// A text field under its label, over its error.
pub fn field<'a, Message: Clone + 'a>(field: Field<'a, Message>) -> Element<'a, Message> {
    let invalid = field.error.is_some();
    let input = text_input(&field.placeholder, field.value)
        .id(field.id)
        .on_input(field.on_input)
        .on_submit_maybe(field.on_submit)
        .font(REGULAR)
        .size(TEXT_SMALL)
        .line_height(LineHeight::Relative(LINE_HEIGHT))
        .padding(Padding::from([(TARGET_FORM - TEXT_SMALL * LINE_HEIGHT) / 2.0, SPACE_M]))
        .style(if invalid { field_invalid } else { valid });
    let mut semantics = Semantics::new(Role::TextInput, &field.label);
    semantics.node.set_value(field.value);
    semantics.node.set_placeholder(field.placeholder.as_str());
    if let Some(error) = &field.error {
        semantics.node.set_invalid(Invalid::True);
        semantics.node.set_description(error.as_str());
    }
    // iced reports the placeholder as the text of an empty field: the node around it knows better.
    let input = region::with_semantics(field.id, semantics, input);
    let label = field.labelled.then(|| Element::from(text::strong(field.label)));
    let mut lines = column![].push(label).push(row![input].push(field.beside).spacing(SPACE_S)).spacing(SPACE_XS + 2.0);
    if let Some(error) = field.error {
        let sign = icon(Icon::Warning).size(ICON_SMALL).tone(Tone::Danger);
        let words = text::caption(error).style(text::tone(Tone::Danger)).width(Length::Fill);
        lines = lines.push(row![sign, words].spacing(SPACE_S).align_y(Alignment::Start));
    }
    lines.into()
}
