//! An iced text field that assistive tools can read and edit: its text, its caret, its selection.

use accesskit::{Action, ActionData};
use iced::advanced::widget::{Id, Operation, Tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, mouse, text};
use iced::widget::text_input::{self, Value, cursor};
use iced::{Event, Rectangle, Renderer, window};

use crate::kit::Element;
use crate::kit::a11y::{EditableText, Semantics};
use crate::kit::blink::Blink;
use crate::kit::forward::{forward, stateful};
use crate::theme::Theme;

/// Wraps `input`. `value` is its text, and `on_input` the message of a text that an assistive tool enters.
pub fn text_field<'a, Message: 'a>(
    id: impl Into<Id>,
    mut semantics: Semantics,
    value: &'a str,
    on_input: fn(String) -> Message,
    input: impl Into<Element<'a, Message>>,
) -> Element<'a, Message> {
    semantics.node.add_action(Action::SetValue);
    semantics.node.add_action(Action::SetTextSelection);
    Element::new(TextField { content: input.into(), id: id.into(), semantics, value, on_input })
}

struct TextField<'a, Message> {
    content: Element<'a, Message>,
    id: Id,
    semantics: Semantics,
    value: &'a str,
    on_input: fn(String) -> Message,
}

impl<Message> TextField<'_, Message> {
    /// Shows the caret as if it had just moved. Returns false if there is no caret.
    fn show_caret(&self, input: &mut Input) -> bool {
        let cursor::State::Index(caret) = input.cursor().state(&Value::new(self.value)) else { return false };
        if !input.is_focused() {
            return false;
        }
        input.focus();
        input.move_cursor_to(caret);
        true
    }
}

#[derive(Default)]
struct State {
    /// The text that an assistive tool has entered. The message is published with the next event.
    entered: Option<String>,
    blink: Blink,
}

/// The state of iced's text field.
type Input = text_input::State<<Renderer as text::Renderer>::Paragraph>;

impl<Message> Widget<Message, Theme, Renderer> for TextField<'_, Message> {
    stateful!(State);
    forward!(child: children, diff, size, layout, draw, mouse_interaction, overlay);

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        let input = tree.children[0].state.downcast_ref::<Input>();
        let (anchor, caret) = match input.cursor().state(&Value::new(self.value)) {
            cursor::State::Index(index) => (index, index),
            cursor::State::Selection { start, end } => (start, end),
        };
        self.semantics.text = EditableText::new(self.value, anchor, caret);
        operation.custom(Some(&self.id), layout.bounds(), &mut self.semantics);
        if let Some(request) = self.semantics.requested.take()
            && let (Action::SetValue, Some(ActionData::Value(text))) = (request.action, request.data)
        {
            tree.state.downcast_mut::<State>().entered = Some(text.into());
        }
        let child = &mut tree.children[0];
        operation.traverse(&mut |operation| self.content.as_widget_mut().operate(child, layout, renderer, operation));
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
        if let Some(text) = tree.state.downcast_mut::<State>().entered.take() {
            shell.publish((self.on_input)(text));
        }
        tree.state.downcast_mut::<State>().blink.record(event);
        let before = shell.redraw_request();
        let content = self.content.as_widget_mut();
        content.update(&mut tree.children[0], event, layout, cursor, renderer, clipboard, shell, viewport);
        if let Event::Window(window::Event::RedrawRequested(now)) = event
            && !tree.state.downcast_ref::<State>().blink.is_on(*now)
            && self.show_caret(tree.children[0].state.downcast_mut::<Input>())
        {
            // Drops the request of the next blink.
            Shell::replace_redraw_request(shell, before);
        }
    }
}
