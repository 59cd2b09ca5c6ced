//! A text field with a label, an error, and a name for assistive tools.

use accesskit::{Invalid, Role};
use iced::widget::text::LineHeight;
use iced::widget::{column, row, text_input};
use iced::{Alignment, Length, Padding};

use crate::kit::a11y::Semantics;
use crate::kit::{Element, Icon, icon, paste_menu, text, text_field::text_field};
use crate::theme::{
    ICON_SMALL, LINE_HEIGHT, REGULAR, SPACE_M, SPACE_S, SPACE_XS, TARGET_FORM, TEXT_SMALL, Tone, field as valid,
    field_invalid,
};

/// The content of a field.
pub struct Field<'a, Message> {
    /// The id. It must stay the same while the window is open.
    pub id: &'static str,
    /// The label, which is also the name for assistive tools.
    pub label: String,
    /// Whether the label is visible. It is hidden if the card around the field has the same heading.
    pub labelled: bool,
    /// The text.
    pub value: &'a str,
    /// The text that is shown while the field is empty.
    pub placeholder: String,
    /// Whether it must be filled in, for assistive tools.
    pub required: bool,
    /// Why the text cannot be used; `None` if it can, or was not checked yet.
    pub error: Option<String>,
    /// The text of the menu item that pastes, which a right click opens.
    pub paste: String,
    /// A control to the right of the field.
    pub beside: Option<Element<'a, Message>>,
    /// The message of typing and pasting.
    pub on_input: fn(String) -> Message,
    /// The message of Enter.
    pub on_submit: Option<Message>,
}

/// Creates a text field with its label above and its error below.
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
    if field.required {
        semantics.node.set_required();
    }
    if let Some(error) = &field.error {
        semantics.node.set_invalid(Invalid::True);
        semantics.node.set_description(error.as_str());
    }
    // iced reports the placeholder as the text of an empty field, so the node around it sets the value.
    let input = text_field(field.id, semantics, field.value, field.on_input, input);
    let input = paste_menu(input, field.paste);
    let label = field.labelled.then(|| Element::from(text::strong(field.label)));
    let mut lines = column![].push(label).push(row![input].push(field.beside).spacing(SPACE_S)).spacing(SPACE_XS + 2.0);
    if let Some(error) = field.error {
        lines = lines.push(error_line(error));
    }
    lines.into()
}

/// The error below a field.
pub(super) fn error_line<'a, Message: 'a>(error: String) -> Element<'a, Message> {
    let symbol = icon(Icon::Warning).size(ICON_SMALL).tone(Tone::Danger);
    let words = text::caption(error).style(text::tone(Tone::Danger)).width(Length::Fill);
    row![symbol, words].spacing(SPACE_S).align_y(Alignment::Start).into()
}
