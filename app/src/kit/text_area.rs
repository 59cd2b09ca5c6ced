//! A text field of several lines that grows with its text. Enter submits, Shift+Enter begins a new line. Assistive tools can
//! read and edit it: its text, its caret, its selection.

#![expect(clippy::wildcard_enum_match_arm, reason = "iced has many events and keys, this file handles a few")]

use accesskit::{Action, ActionData, Invalid, Role};
use iced::advanced::text::highlighter::PlainText;
use iced::advanced::widget::operation::Focusable as _;
use iced::advanced::widget::{Id, Operation, Tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, mouse};
use iced::keyboard::{Key, key::Named};
use iced::widget::text::LineHeight;
use iced::widget::text_editor::{self, Binding, KeyPress, Motion};
use iced::widget::{column, row};
use iced::{Alignment, Event, Padding, Rectangle, Renderer, window};

use crate::kit::a11y::{EditableText, Semantics};
use crate::kit::blink::Blink;
use crate::kit::draft::{Change, Draft};
use crate::kit::field::error_line;
use crate::kit::forward::{forward, stateful};
use crate::kit::{Element, paste_menu};
use crate::theme::{
    LINE_HEIGHT, REGULAR, SPACE_M, SPACE_S, SPACE_XS, TARGET_FORM, TEXT_SMALL, Theme, area as valid, area_invalid,
};

/// The content of a field.
pub struct Area<'a, Message> {
    /// The id. It must stay the same while the window is open.
    pub id: &'static str,
    /// The name for assistive tools.
    pub label: String,
    /// The text.
    pub draft: &'a Draft,
    /// The text that is shown while the field is empty.
    pub placeholder: String,
    /// Why the text cannot be used; `None` if it can.
    pub error: Option<String>,
    /// The text of the menu item that pastes, which a right click opens.
    pub paste: String,
    /// A control to the right of the field.
    pub beside: Option<Element<'a, Message>>,
    /// The message of a change.
    pub on_change: fn(Change) -> Message,
    /// The message of Enter.
    pub on_submit: Message,
}

/// Creates the field with its error below.
pub fn text_area<'a, Message: Clone + 'a>(area: Area<'a, Message>) -> Element<'a, Message> {
    let Area { id, label, draft, placeholder, error, paste, beside, on_change, on_submit } = area;
    let mut semantics = Semantics::new(Role::MultilineTextInput, &label);
    semantics.node.set_value(draft.text());
    semantics.node.set_placeholder(placeholder.as_str());
    semantics.node.add_action(Action::SetValue);
    semantics.node.add_action(Action::SetTextSelection);
    if let Some(error) = &error {
        semantics.node.set_invalid(Invalid::True);
        semantics.node.set_description(error.as_str());
    }
    let line = TEXT_SMALL * LINE_HEIGHT;
    let padding = (TARGET_FORM - line) / 2.0;
    let input = text_editor::TextEditor::new(draft.content())
        .id(id)
        .placeholder(placeholder)
        .on_action(move |action| on_change(Change::Action(action)))
        .key_binding(move |press| binding(press, &on_submit))
        .font(REGULAR)
        .size(TEXT_SMALL)
        .line_height(LineHeight::Relative(LINE_HEIGHT))
        .padding(Padding::from([padding, SPACE_M]))
        // The widget adds its padding to the height of the text, but lays the text out without it.
        .min_height(line)
        .max_height(line * MAX_ROWS + 2.0 * padding)
        .style(if error.is_some() { area_invalid } else { valid });
    let content = Element::from(input);
    let input = Element::new(TextArea { content, id: id.into(), semantics, draft, on_change });
    let input = row![paste_menu(input, paste)].push(beside).spacing(SPACE_S).align_y(Alignment::End);
    column![input].push(error.map(error_line)).spacing(SPACE_XS + 2.0).into()
}

/// What a key does.
fn binding<Message: Clone>(press: KeyPress, on_submit: &Message) -> Option<Binding<Message>> {
    let (is_focused, with) = (matches!(press.status, text_editor::Status::Focused { .. }), press.modifiers);
    match press.key.as_ref() {
        _ if !is_focused => None,
        Key::Named(Named::Enter) if with.shift() => Some(Binding::Enter),
        Key::Named(Named::Enter) => Some(Binding::Custom(on_submit.clone())),
        Key::Named(Named::Backspace) if with.jump() => {
            Some(Binding::Sequence(vec![Binding::Select(Motion::WordLeft), Binding::Backspace]))
        }
        Key::Named(Named::Delete) if with.jump() => {
            Some(Binding::Sequence(vec![Binding::Select(Motion::WordRight), Binding::Delete]))
        }
        // A shortcut of the window.
        Key::Character(_) if with.command() && with.shift() => None,
        _ => Binding::from_key_press(press),
    }
}

struct TextArea<'a, Message> {
    content: Element<'a, Message>,
    id: Id,
    semantics: Semantics,
    draft: &'a Draft,
    on_change: fn(Change) -> Message,
}

#[derive(Default)]
struct State {
    /// What an assistive tool has done. The message is published with the next event.
    requested: Option<Change>,
    blink: Blink,
}

/// The state of iced's editor.
type Editor = text_editor::State<PlainText>;

impl<Message> Widget<Message, Theme, Renderer> for TextArea<'_, Message> {
    stateful!(State);
    forward!(child: children, diff, size, layout, draw, mouse_interaction, overlay);

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        let (anchor, caret) = self.draft.selection();
        self.semantics.text = EditableText::new(&self.draft.text(), anchor, caret);
        operation.custom(Some(&self.id), layout.bounds(), &mut self.semantics);
        let requested = &mut tree.state.downcast_mut::<State>().requested;
        if let Some((anchor, caret)) = self.semantics.selected.take() {
            *requested = Some(Change::Selected { anchor, caret });
        }
        if let Some(request) = self.semantics.requested.take()
            && let (Action::SetValue, Some(ActionData::Value(text))) = (request.action, request.data)
        {
            *requested = Some(Change::Entered(text.into()));
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
        let state = tree.state.downcast_mut::<State>();
        if let Some(change) = state.requested.take() {
            shell.publish((self.on_change)(change));
        }
        state.blink.record(event);
        let before = shell.redraw_request();
        let content = self.content.as_widget_mut();
        content.update(&mut tree.children[0], event, layout, cursor, renderer, clipboard, shell, viewport);
        let editor = tree.children[0].state.downcast_mut::<Editor>();
        if let Event::Window(window::Event::RedrawRequested(now)) = event
            && !tree.state.downcast_ref::<State>().blink.is_on(*now)
            && editor.is_focused()
        {
            // Shows the caret, and drops the request of the next blink.
            editor.focus();
            Shell::replace_redraw_request(shell, before);
        }
    }
}

/// The most rows that are shown at once.
const MAX_ROWS: f32 = 6.0;

#[cfg(test)]
mod tests {
    use super::*;
    use iced::keyboard::{Modifiers, key};
    use iced::widget::text_editor::Status;

    fn press(key: Key, modifiers: Modifiers, status: Status) -> KeyPress {
        let physical_key = key::Physical::Unidentified(key::NativeCode::Unidentified);
        KeyPress { modified_key: key.clone(), key, physical_key, modifiers, text: None, status }
    }

    #[test]
    fn enter_submits_and_shift_enter_begins_a_new_line() {
        let focused = Status::Focused { is_hovered: false };
        let enter = |modifiers, status| binding(press(Key::Named(Named::Enter), modifiers, status), &7);
        assert_eq!(enter(Modifiers::default(), focused), Some(Binding::Custom(7)));
        assert_eq!(enter(Modifiers::SHIFT, focused), Some(Binding::Enter));
        assert_eq!(enter(Modifiers::default(), Status::Active), None, "another control has the focus");
    }

    #[test]
    fn shortcuts_of_the_window_work_in_the_field() {
        let focused = Status::Focused { is_hovered: false };
        let letter = |modifiers| binding(press(Key::Character("c".into()), modifiers, focused), &7);
        assert_eq!(letter(Modifiers::COMMAND), Some(Binding::Copy));
        assert_eq!(letter(Modifiers::COMMAND | Modifiers::SHIFT), None, "it closes the chat");
        let tab = binding(press(Key::Named(Named::Tab), Modifiers::default(), focused), &7);
        assert_eq!(tab, None, "it goes to the next control");
    }
}
