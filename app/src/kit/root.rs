//! The outermost widget of a window. It handles Tab, keys that scroll and shortcuts, delivers the requests of assistive
//! tools, and sends them the changed nodes of the accessibility tree.
//!
//! Tasks and subscriptions cannot do this: they act on all windows at once, and iced's simulator does not run them.

#![expect(clippy::wildcard_enum_match_arm, reason = "iced has many events and keys, this file handles a few")]

use std::collections::HashMap;

use accesskit::{Node, NodeId};
use iced::advanced::widget::operation::{black_box, focusable};
use iced::advanced::widget::{Operation, Tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, layout, mouse};
use iced::keyboard::{self, Key, key::Named};
use iced::{Event, Rectangle, Renderer, window};

use crate::kit::a11y::{Port, TreeBuilder};
use crate::kit::forward::{forward, stateful};
use crate::kit::scroll::{self, Scroll, ScrollIntoView};
use crate::kit::shortcut::{Shortcut, shortcut};
use crate::kit::{Element, adapter, focus};
use crate::theme::Theme;

/// What the root needs to know about its window.
pub struct Window<'a, Message> {
    /// The id of the window.
    pub id: window::Id,
    /// The title, for assistive tools.
    pub title: String,
    /// The connection to the accessibility adapter of the window.
    pub port: Port,
    /// Physical pixels per logical pixel.
    pub scale: f32,
    /// The last request to move the focus; `None` if there was none.
    pub focus: Option<focus::Request>,
    /// The message of a shortcut on the current screen.
    pub on_shortcut: Box<dyn Fn(Shortcut) -> Option<Message> + 'a>,
}

/// Wraps the content of a window.
pub fn root<'a, Message: 'a>(
    window: Window<'a, Message>,
    content: impl Into<Element<'a, Message>>,
) -> Element<'a, Message> {
    Element::new(Root { content: content.into(), window })
}

struct Root<'a, Message> {
    content: Element<'a, Message>,
    window: Window<'a, Message>,
}

#[derive(Default)]
struct State {
    /// The tree was sent, and nothing has changed since.
    published: bool,
    /// The nodes that the assistive tools have.
    sent: HashMap<NodeId, Node>,
    /// The last request to move the focus that was carried out.
    focus: Option<focus::Request>,
    /// The space bar is held to talk.
    talking: bool,
}

impl<Message> Root<'_, Message> {
    fn run(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        self.content.as_widget_mut().operate(&mut tree.children[0], layout, renderer, operation);
    }

    /// Delivers the requests that assistive tools made since the last redraw.
    fn deliver_requests(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) {
        for request in self.window.port.take_requests() {
            let mut builder = TreeBuilder::new(&self.window.title, layout.bounds(), self.window.scale, Some(request));
            self.run(tree, layout, renderer, &mut builder);
            // The control may be scrolled off.
            self.scroll_into_view(tree, layout, renderer);
            tree.state.downcast_mut::<State>().published = false;
        }
    }

    /// Moves the focus if a new request to move it has come.
    fn move_requested_focus(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) {
        let state = tree.state.downcast_mut::<State>();
        if state.focus == self.window.focus {
            return;
        }
        state.focus = self.window.focus;
        state.published = false;
        let Some(request) = self.window.focus else { return };
        focus::run(Box::new(focusable::focus(request.target())), |op| {
            self.run(tree, layout, renderer, &mut black_box(op));
        });
        self.scroll_into_view(tree, layout, renderer);
    }

    fn scroll_into_view(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) {
        let scroll = Box::new(ScrollIntoView::default());
        focus::run(scroll, |op| self.run(tree, layout, renderer, &mut black_box(op)));
    }

    /// Sends the nodes that changed since the last call.
    fn publish(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) {
        let mut builder = TreeBuilder::new(&self.window.title, layout.bounds(), self.window.scale, None);
        self.run(tree, layout, renderer, &mut builder);
        let mut update = builder.finish();
        let state = tree.state.downcast_mut::<State>();
        if self.window.port.take_reset() {
            state.sent.clear();
        }
        let all: HashMap<_, _> = update.nodes.iter().cloned().collect();
        update.nodes.retain(|(id, node)| state.sent.get(id) != Some(node));
        state.sent = all;
        adapter::update(self.window.id, || update);
    }

    fn tab_order(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) -> focus::TabOrder {
        let mut order = focus::TabOrder::default();
        self.run(tree, layout, renderer, &mut black_box(&mut order));
        order
    }

    /// Handles Tab and F6. Returns whether the key was one of them.
    fn move_focus(
        &mut self,
        named: Named,
        modifiers: keyboard::Modifiers,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
    ) -> bool {
        match named {
            Named::Tab if !modifiers.command() && !modifiers.alt() => {
                let step: Box<dyn Operation> = if modifiers.shift() {
                    Box::new(focusable::focus_previous())
                } else {
                    Box::new(focusable::focus_next())
                };
                focus::run(step, |op| self.run(tree, layout, renderer, &mut black_box(op)));
            }
            Named::F6 => {
                let next = self.tab_order(tree, layout, renderer).next_region(modifiers.shift());
                self.run(tree, layout, renderer, &mut focus::SetFocus::new(next));
            }
            _ => return false,
        }
        self.scroll_into_view(tree, layout, renderer);
        true
    }

    /// Handles a key that scrolls. Returns whether the key was one.
    fn scroll(
        &mut self,
        named: Named,
        modifiers: keyboard::Modifiers,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
    ) -> bool {
        let Some(distance) = scroll::Distance::of(named, modifiers) else { return false };
        focus::run(Box::new(Scroll::new(distance)), |op| self.run(tree, layout, renderer, &mut black_box(op)));
        true
    }

    /// Ends push to talk if the window loses the input focus: the release of the key goes to another window.
    fn stop_talking(&self, tree: &mut Tree, shell: &mut Shell<'_, Message>) {
        let talking = std::mem::take(&mut tree.state.downcast_mut::<State>().talking);
        if let Some(message) = talking.then(|| (self.window.on_shortcut)(Shortcut::PushToTalk(false))).flatten() {
            shell.publish(message);
        }
    }

    /// Handles a key that no widget has handled: moves the focus, scrolls, or publishes the message of a shortcut.
    fn keyboard(
        &mut self,
        event: &keyboard::Event,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        shell: &mut Shell<'_, Message>,
    ) {
        if let keyboard::Event::KeyPressed { key: Key::Named(named), modifiers, .. } = event
            && (self.move_focus(*named, *modifiers, tree, layout, renderer)
                || self.scroll(*named, *modifiers, tree, layout, renderer))
        {
            shell.capture_event();
            shell.request_redraw();
            return;
        }
        let talking = tree.state.downcast_ref::<State>().talking;
        // The space bar talks only if no control has the keyboard focus, and its release counts only after such a press.
        let shortcut = match (shortcut(event), talking) {
            (Some(Shortcut::PushToTalk(false)), false) => None,
            (Some(Shortcut::PushToTalk(true)), _) if self.tab_order(tree, layout, renderer).has_keyboard_focus() => {
                None
            }
            (found, _) => found,
        };
        let Some(shortcut) = shortcut else { return };
        if let Shortcut::PushToTalk(on) = shortcut {
            tree.state.downcast_mut::<State>().talking = on;
        }
        if let Some(message) = (self.window.on_shortcut)(shortcut) {
            shell.publish(message);
            shell.capture_event();
        }
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Root<'_, Message> {
    stateful!(State);
    forward!(child: children, size, draw, mouse_interaction, overlay);

    fn diff(&self, tree: &mut Tree) {
        tree.state.downcast_mut::<State>().published = false; // a new view
        tree.diff_children(std::slice::from_ref(&self.content));
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        tree.state.downcast_mut::<State>().published = false; // new bounds
        self.content.as_widget_mut().layout(&mut tree.children[0], renderer, limits)
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        tree.state.downcast_mut::<State>().published = false; // the operation may move the focus
        self.run(tree, layout, renderer, operation);
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
        let redraw = matches!(event, Event::Window(window::Event::RedrawRequested(_)));
        if redraw {
            self.move_requested_focus(tree, layout, renderer);
            self.deliver_requests(tree, layout, renderer);
        }
        let content = self.content.as_widget_mut();
        content.update(&mut tree.children[0], event, layout, cursor, renderer, clipboard, shell, viewport);
        match event {
            Event::Keyboard(key) if !shell.is_event_captured() => self.keyboard(key, tree, layout, renderer, shell),
            Event::Window(window::Event::Focused) => adapter::focused(self.window.id, true),
            Event::Window(window::Event::Unfocused) => {
                adapter::focused(self.window.id, false);
                self.stop_talking(tree, shell);
            }
            _ => {}
        }
        let state = tree.state.downcast_mut::<State>();
        if redraw {
            // Video redraws the window thirty times a second without changing the tree, so the tree is built only if
            // needed.
            if self.window.port.is_active() && !std::mem::replace(&mut state.published, true) {
                self.publish(tree, layout, renderer);
            }
        } else if !matches!(event, Event::Mouse(mouse::Event::CursorMoved { .. })) {
            state.published = false;
        }
    }
}
