//! A text field with its label, its error, and its name for assistive tools.

use accesskit::{Invalid, Role};
use iced::advanced::widget::{Id, Operation, Tree, tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, layout, mouse, overlay, renderer};
use iced::widget::text::LineHeight;
use iced::widget::{column, row, text_input};
use iced::{Alignment, Event, Length, Padding, Rectangle, Renderer, Size, Vector};

use crate::kit::a11y::Semantics;
use crate::kit::{Element, Icon, icon, text};
use crate::theme::{
    ICON_SMALL, LINE_HEIGHT, REGULAR, SPACE_M, SPACE_S, SPACE_XS, TARGET_FORM, TEXT_SMALL, Theme, Tone, field as valid,
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
    let input = Element::new(Labelled { inner: input.into(), id: Id::from(field.id), semantics });
    let label = field.labelled.then(|| Element::from(text::strong(field.label)));
    let mut lines = column![].push(label).push(row![input].push(field.beside).spacing(SPACE_S)).spacing(SPACE_XS + 2.0);
    if let Some(error) = field.error {
        let sign = icon(Icon::Warning).size(ICON_SMALL).tone(Tone::Danger);
        let words = text::caption(error).style(text::tone(Tone::Danger)).width(Length::Fill);
        lines = lines.push(row![sign, words].spacing(SPACE_S).align_y(Alignment::Start));
    }
    lines.into()
}

/// Gives a stock text field its name and its value (iced reports the placeholder as its text).
struct Labelled<'a, Message> {
    inner: Element<'a, Message>,
    id: Id,
    semantics: Semantics,
}

impl<Message> Widget<Message, Theme, Renderer> for Labelled<'_, Message> {
    fn tag(&self) -> tree::Tag {
        self.inner.as_widget().tag()
    }

    fn state(&self) -> tree::State {
        self.inner.as_widget().state()
    }

    fn children(&self) -> Vec<Tree> {
        self.inner.as_widget().children()
    }

    fn diff(&self, tree: &mut Tree) {
        self.inner.as_widget().diff(tree);
    }

    fn size(&self) -> Size<Length> {
        self.inner.as_widget().size()
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        self.inner.as_widget_mut().layout(tree, renderer, limits)
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        operation.custom(Some(&self.id), layout.bounds(), &mut self.semantics);
        operation.traverse(&mut |operation| self.inner.as_widget_mut().operate(tree, layout, renderer, operation));
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        self.inner.as_widget_mut().update(tree, event, layout, cursor, renderer, clipboard, shell, viewport);
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        self.inner.as_widget().draw(tree, renderer, theme, style, layout, cursor, viewport);
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        self.inner.as_widget().mouse_interaction(tree, layout, cursor, viewport, renderer)
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        self.inner.as_widget_mut().overlay(tree, layout, renderer, viewport, translation)
    }
}
