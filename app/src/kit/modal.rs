//! A modal dialog over the page. Tab stays inside, Escape closes it, and the focus then returns to where it was. Used
//! to confirm an action that cannot be undone, or that shows something to others.

#![expect(clippy::wildcard_enum_match_arm, reason = "iced has many events and keys, this file handles a few")]

use accesskit::Role;
use iced::advanced::widget::operation::black_box;
use iced::advanced::widget::{Operation, Tree};
use iced::advanced::{Clipboard, Layout, Renderer as _, Shell, Widget, layout, mouse, renderer};
use iced::keyboard::{self, key::Named};
use iced::{Background, Event, Length, Rectangle, Renderer, Size, Vector, window};

use crate::kit::a11y::Semantics;
use crate::kit::forward::{forward, stateful};
use crate::kit::{Element, Shortcut, focus, scroll, shortcut};
use crate::theme::{SPACE_L, Theme};

/// A dialog.
pub struct Dialog<'a, Message> {
    /// The name of the dialog for assistive tools: its heading.
    pub label: String,
    /// The content.
    pub content: Element<'a, Message>,
    /// The maximum width, in logical pixels.
    pub width: f32,
    /// The message of Escape.
    pub on_close: Message,
}

/// Shows `dialog`, if any, over `base`.
pub fn modal<'a, Message: Clone + 'a>(
    base: impl Into<Element<'a, Message>>,
    dialog: Option<Dialog<'a, Message>>,
) -> Element<'a, Message> {
    modal_of(base, dialog, |message| message)
}

/// Works like [`modal`], for a dialog with other messages, which `convert` converts.
pub fn modal_of<'a, Inner: Clone + 'a, Message: 'a>(
    base: impl Into<Element<'a, Message>>,
    dialog: Option<Dialog<'a, Inner>>,
    convert: impl Fn(Inner) -> Message + Clone + 'a,
) -> Element<'a, Message> {
    let mut children = vec![base.into()];
    let width = dialog.as_ref().map_or(0.0, |dialog| dialog.width);
    let open = dialog.map(|dialog| {
        children.push(dialog.content.map(convert.clone()));
        let mut semantics = Semantics::new(Role::AlertDialog, &dialog.label);
        semantics.node.set_modal();
        let on_close = dialog.on_close;
        let close: Close<'a, Message> = Box::new(move || convert(on_close.clone()));
        (semantics, close)
    });
    Element::new(Modal { children, width, open })
}

/// Returns the message that closes a dialog.
type Close<'a, Message> = Box<dyn Fn() -> Message + 'a>;

struct Modal<'a, Message> {
    /// The page, then the dialog if one is open.
    children: Vec<Element<'a, Message>>,
    /// The maximum width of the dialog.
    width: f32,
    /// The semantics of the open dialog, and the message that closes it.
    open: Option<(Semantics, Close<'a, Message>)>,
}

#[derive(Default)]
struct State {
    open: bool,
    /// The last input came from the pointer.
    pointer: bool,
    /// Where the keyboard focus was on the page before the dialog opened.
    before: Option<focus::Place>,
}

impl<Message> Modal<'_, Message> {
    fn run(&mut self, child: usize, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, op: &mut dyn Operation) {
        if let (Some(element), Some(bounds)) = (self.children.get_mut(child), layout.children().nth(child)) {
            element.as_widget_mut().operate(&mut tree.children[child], bounds, renderer, op);
        }
    }

    /// Moves the focus into a dialog that has opened, and back after it has closed. If a click opened it, no control has
    /// the focus until Tab is pressed, and afterwards none has it again: a key must not press what was not reached by
    /// keyboard. An assistive tool that presses a control gives it the keyboard focus.
    fn update_focus(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) {
        let open = self.open.is_some();
        if tree.state.downcast_ref::<State>().open == open {
            return;
        }
        tree.state.downcast_mut::<State>().open = open;
        if open {
            let before = self.page_order(tree, layout, renderer).place();
            let state = tree.state.downcast_mut::<State>();
            let first = (before.is_some() || !state.pointer).then_some(0);
            state.before = before;
            self.run(0, tree, layout, renderer, &mut focus::SetFocus::new(None));
            self.run(1, tree, layout, renderer, &mut focus::SetFocus::new(first));
        } else {
            let before = tree.state.downcast_mut::<State>().before.take();
            // The page may have other controls now.
            let before = before.and_then(|place| self.page_order(tree, layout, renderer).find(&place));
            self.run(0, tree, layout, renderer, &mut focus::SetFocus::new(before));
        }
    }

    fn page_order(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) -> focus::TabOrder {
        let mut order = focus::TabOrder::default();
        self.run(0, tree, layout, renderer, &mut black_box(&mut order));
        order
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Modal<'_, Message> {
    stateful!(State);
    forward!(list: children, diff, overlay);

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let size = limits.max();
        let mut nodes = Vec::with_capacity(2);
        for (index, (child, tree)) in self.children.iter_mut().zip(&mut tree.children).enumerate() {
            let limits = if index == 0 {
                *limits
            } else {
                layout::Limits::new(Size::ZERO, Size::new(self.width.min(size.width - 2.0 * SPACE_L), size.height))
            };
            let node = child.as_widget_mut().layout(tree, renderer, &limits);
            let free = size - node.size();
            let place = if index == 0 { Vector::ZERO } else { Vector::new(free.width / 2.0, free.height / 2.0) };
            nodes.push(node.translate(place));
        }
        layout::Node::with_children(size, nodes)
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        let Some((semantics, _)) = &mut self.open else {
            self.run(0, tree, layout, renderer, operation);
            return;
        };
        if let Some(dialog) = layout.children().nth(1) {
            operation.custom(None, dialog.bounds(), semantics);
        }
        operation.traverse(&mut |operation| self.run(1, tree, layout, renderer, operation));
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
        match event {
            Event::Window(window::Event::RedrawRequested(_)) => self.update_focus(tree, layout, renderer),
            Event::Mouse(mouse::Event::ButtonPressed(_)) => tree.state.downcast_mut::<State>().pointer = true,
            Event::Keyboard(keyboard::Event::KeyPressed { .. }) => {
                tree.state.downcast_mut::<State>().pointer = false;
            }
            _ => {}
        }
        let open = self.open.is_some();
        // While a dialog is open, the page gets no input, but must redraw.
        let page_gets_event = !open || matches!(event, Event::Window(_));
        let page_cursor = if open { mouse::Cursor::Unavailable } else { cursor };
        for (index, ((child, tree), layout)) in
            self.children.iter_mut().zip(&mut tree.children).zip(layout.children()).enumerate().rev()
        {
            let (gets_event, cursor) = if index == 0 { (page_gets_event, page_cursor) } else { (true, cursor) };
            if gets_event {
                let child = child.as_widget_mut();
                child.update(tree, event, layout, cursor, renderer, clipboard, shell, viewport);
            }
        }
        if let (Some((_, close)), Event::Keyboard(press @ keyboard::Event::KeyPressed { key, modifiers, .. })) =
            (&self.open, event)
            && !shell.is_event_captured()
        {
            match key {
                // In any dialog, the key that stops everything goes to the screen.
                _ if shortcut::shortcut(press) == Some(Shortcut::StopEverything) => return,
                keyboard::Key::Named(Named::Escape) => shell.publish(close()),
                // The root widget moves the focus, inside the dialog, or talks.
                keyboard::Key::Named(Named::Tab | Named::Space) => return,
                // The root widget scrolls the dialog.
                keyboard::Key::Named(named) if scroll::Distance::of(*named, *modifiers).is_some() => return,
                _ => {}
            }
            shell.capture_event();
        }
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
        let page_cursor = if self.open.is_some() { mouse::Cursor::Unavailable } else { cursor };
        for (index, ((child, tree), bounds)) in
            self.children.iter().zip(&tree.children).zip(layout.children()).enumerate()
        {
            let cursor = if index == 0 { page_cursor } else { cursor };
            if index == 0 {
                child.as_widget().draw(tree, renderer, theme, style, bounds, cursor, viewport);
            } else {
                renderer.with_layer(layout.bounds(), |renderer| {
                    let backdrop = renderer::Quad { bounds: layout.bounds(), ..renderer::Quad::default() };
                    renderer.fill_quad(backdrop, Background::Color(theme.colours().backdrop));
                    child.as_widget().draw(tree, renderer, theme, style, bounds, cursor, viewport);
                });
            }
        }
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        let top = self.children.len() - 1;
        let Some(bounds) = layout.children().nth(top) else { return mouse::Interaction::None };
        let found =
            self.children[top].as_widget().mouse_interaction(&tree.children[top], bounds, cursor, viewport, renderer);
        if top == 1 && found == mouse::Interaction::None { mouse::Interaction::Idle } else { found }
    }
}
