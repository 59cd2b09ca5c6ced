//! A menu with the item "Paste" that opens at a right click on a text field. It is for the pointer only: by keyboard, Ctrl+V
//! pastes.

#![expect(clippy::wildcard_enum_match_arm, reason = "iced has many events, this file handles a few")]

use iced::advanced::text::{Alignment, LineHeight, Renderer as _, Shaping, Text, Wrapping};
use iced::advanced::widget::operation::black_box;
use iced::advanced::widget::{Operation, Tree};
use iced::advanced::{Clipboard, Layout, Overlay, Renderer as _, Shell, Widget, layout, mouse, overlay, renderer};
use iced::keyboard::{self, Modifiers, key};
use iced::{Background, Border, Event, Point, Rectangle, Renderer, Size, Vector, alignment};

use crate::kit::forward::{forward, stateful};
use crate::kit::{Element, focus};
use crate::theme::{
    LINE_HEIGHT, RADIUS_CARD, RADIUS_CONTROL, REGULAR, SPACE_M, SPACE_S, SPACE_XS, TARGET, TEXT_SMALL, Theme,
};

/// Adds the menu to a text field. `label` is the text of its item.
pub fn paste_menu<'a, Message: 'a>(field: impl Into<Element<'a, Message>>, label: String) -> Element<'a, Message> {
    Element::new(PasteMenu { content: field.into(), label })
}

struct PasteMenu<'a, Message> {
    content: Element<'a, Message>,
    label: String,
}

#[derive(Default)]
struct State {
    /// Where the menu was opened; `None` while it is closed.
    open: Option<Point>,
}

impl<Message> Widget<Message, Theme, Renderer> for PasteMenu<'_, Message> {
    stateful!(State);
    forward!(child: children, diff, size, layout, operate, draw, mouse_interaction);

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
        let child = &mut tree.children[0];
        let right = Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Right));
        if let (true, Some(at)) = (*event == right, cursor.position_over(layout.bounds())) {
            let mut field = Field { content: &mut self.content, tree: child, layout, viewport: *viewport };
            field.focus(at, renderer, clipboard, shell);
            tree.state.downcast_mut::<State>().open = Some(at);
            shell.capture_event();
            shell.request_redraw();
            return;
        }
        let content = self.content.as_widget_mut();
        content.update(child, event, layout, cursor, renderer, clipboard, shell, viewport);
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        _renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let state = tree.state.downcast_mut::<State>();
        let at = state.open? + translation;
        let field = Field { content: &mut self.content, tree: &mut tree.children[0], layout, viewport: *viewport };
        Some(overlay::Element::new(Box::new(Menu { field, open: &mut state.open, label: &self.label, at })))
    }
}

/// The text field.
struct Field<'a, 'b, Message> {
    content: &'b mut Element<'a, Message>,
    tree: &'b mut Tree,
    layout: Layout<'b>,
    viewport: Rectangle,
}

impl<Message> Field<'_, '_, Message> {
    /// Focuses the field as a left click at this point does, unless it has the focus: then the selection is replaced.
    fn focus(&mut self, at: Point, renderer: &Renderer, clipboard: &mut dyn Clipboard, shell: &mut Shell<'_, Message>) {
        let mut order = focus::TabOrder::default();
        self.content.as_widget_mut().operate(self.tree, self.layout, renderer, &mut black_box(&mut order));
        if order.position().0.is_some() {
            return;
        }
        let (button, cursor) = (mouse::Button::Left, mouse::Cursor::Available(at));
        for event in [mouse::Event::ButtonPressed(button), mouse::Event::ButtonReleased(button)] {
            self.update(&Event::Mouse(event), cursor, renderer, clipboard, shell);
        }
    }

    fn update(
        &mut self,
        event: &Event,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
    ) {
        let content = self.content.as_widget_mut();
        content.update(self.tree, event, self.layout, cursor, renderer, clipboard, shell, &self.viewport);
    }

    /// Pastes as Ctrl+V does.
    fn paste(&mut self, renderer: &Renderer, clipboard: &mut dyn Clipboard, shell: &mut Shell<'_, Message>) {
        let key = keyboard::Key::Character("v".into());
        let (physical_key, location) = (key::Physical::Code(key::Code::KeyV), keyboard::Location::Standard);
        let press = keyboard::Event::KeyPressed {
            key: key.clone(),
            modified_key: key.clone(),
            physical_key,
            location,
            modifiers: Modifiers::COMMAND,
            text: None,
            repeat: false,
        };
        let release = keyboard::Event::KeyReleased {
            key: key.clone(),
            modified_key: key,
            physical_key,
            location,
            modifiers: Modifiers::COMMAND,
        };
        let hold = keyboard::Event::ModifiersChanged(Modifiers::COMMAND);
        let let_go = keyboard::Event::ModifiersChanged(Modifiers::default());
        for event in [hold, press, release, let_go] {
            self.update(&Event::Keyboard(event), mouse::Cursor::Unavailable, renderer, clipboard, shell);
        }
    }
}

/// The open menu.
struct Menu<'a, 'b, Message> {
    field: Field<'a, 'b, Message>,
    open: &'b mut Option<Point>,
    label: &'b str,
    /// Where it was opened, in the window.
    at: Point,
}

impl<Message> Overlay<Message, Theme, Renderer> for Menu<'_, '_, Message> {
    fn layout(&mut self, _renderer: &Renderer, window: Size) -> layout::Node {
        let size = Size::new(WIDTH, TARGET + 2.0 * SPACE_XS);
        let max = Point::new((window.width - size.width).max(0.0), (window.height - size.height).max(0.0));
        layout::Node::new(size).move_to(Point::new(self.at.x.min(max.x), self.at.y.min(max.y)))
    }

    fn operate(&mut self, layout: Layout<'_>, _renderer: &Renderer, operation: &mut dyn Operation) {
        operation.text(None, layout.bounds(), self.label);
    }

    fn update(
        &mut self,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
    ) {
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(_)) => {
                if cursor.is_over(layout.bounds()) {
                    self.field.paste(renderer, clipboard, shell);
                }
                *self.open = None;
                shell.capture_event();
            }
            Event::Keyboard(keyboard::Event::KeyPressed { key, .. }) => {
                *self.open = None;
                if *key == keyboard::Key::Named(key::Named::Escape) {
                    shell.capture_event(); // Escape closes the menu only
                }
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {}
            _ => return,
        }
        shell.request_redraw();
    }

    fn draw(
        &self,
        renderer: &mut Renderer,
        theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
    ) {
        let (c, bounds) = (theme.colours(), layout.bounds());
        let border = Border { color: c.line, width: theme.line(), radius: RADIUS_CARD.into() };
        let frame = renderer::Quad { bounds, border, shadow: theme.shadow(20.0), ..renderer::Quad::default() };
        renderer.fill_quad(frame, Background::Color(c.surface));
        let item = bounds.shrink(SPACE_XS);
        if cursor.is_over(bounds) {
            let border = Border { radius: RADIUS_CONTROL.into(), ..Border::default() };
            let lit = renderer::Quad { bounds: item, border, ..renderer::Quad::default() };
            renderer.fill_quad(lit, Background::Color(c.raised));
        }
        let words = Text {
            content: self.label.to_owned(),
            bounds: Size::new(item.width - SPACE_S, item.height),
            size: TEXT_SMALL.into(),
            line_height: LineHeight::Relative(LINE_HEIGHT),
            font: REGULAR,
            align_x: Alignment::Default,
            align_y: alignment::Vertical::Center,
            shaping: Shaping::Advanced,
            wrapping: Wrapping::None,
        };
        renderer.fill_text(words, Point::new(item.x + SPACE_M, item.center_y()), c.text, bounds);
    }

    fn mouse_interaction(&self, layout: Layout<'_>, cursor: mouse::Cursor, _: &Renderer) -> mouse::Interaction {
        if cursor.is_over(layout.bounds()) { mouse::Interaction::Pointer } else { mouse::Interaction::None }
    }
}

/// The width of the menu, in logical pixels.
const WIDTH: f32 = 140.0;
