//! The outermost widget of a window: Tab and shortcuts, delivery of what assistive tools ask, the tree after a change.
//! Here and not in tasks or subscriptions: those act on all windows as if they were one, and no test can press them.

#![expect(clippy::wildcard_enum_match_arm, reason = "of iced's events and keys we name what is ours")]

use std::collections::HashMap;

use accesskit::{Node, NodeId};
use iced::advanced::widget::operation::{black_box, focusable};
use iced::advanced::widget::{Operation, Tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, layout, mouse};
use iced::keyboard::{self, Key, key::Named};
use iced::{Event, Rectangle, Renderer, window};

use crate::kit::a11y::{Port, TreeBuilder};
use crate::kit::forward::{forward, stateful};
use crate::kit::{Element, adapter, focus};
use crate::theme::Theme;

/// A gesture of the keyboard that holds in the whole window. None is a single letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortcut {
    /// Ctrl or Cmd with D.
    Mute,
    /// Ctrl or Cmd with E.
    Camera,
    /// Ctrl or Cmd with Shift and S.
    Share,
    /// Ctrl or Cmd with P.
    People,
    /// F11.
    FullScreen,
    /// Escape: closes the topmost.
    Close,
    /// Space held (true) and let go (false), while no control has the focus.
    PushToTalk(bool),
}

/// What a window hands to its root.
pub struct Window<'a, Message> {
    /// The window.
    pub id: window::Id,
    /// Its title, as assistive tools say it.
    pub title: String,
    /// The way to and from its accessibility adapter.
    pub port: Port,
    /// Physical pixels for each logical one.
    pub scale: f32,
    /// What a shortcut means on this screen.
    pub on_shortcut: Box<dyn Fn(Shortcut) -> Option<Message> + 'a>,
}

/// The root of a window around its content.
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
    /// Nothing changed since the tree was sent.
    published: bool,
    sent: HashMap<NodeId, Node>,
    talking: bool,
}

impl<Message> Root<'_, Message> {
    fn run(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        self.content.as_widget_mut().operate(&mut tree.children[0], layout, renderer, operation);
    }

    /// Delivers what assistive tools asked since the last redraw.
    fn deliver_requests(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) {
        for request in self.window.port.take_requests() {
            let mut walker = TreeBuilder::new(&self.window.title, layout.bounds(), self.window.scale, Some(request));
            self.run(tree, layout, renderer, &mut walker);
            tree.state.downcast_mut::<State>().published = false;
        }
    }

    /// Sends only the nodes that have changed since the last time.
    fn publish(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) {
        let mut walker = TreeBuilder::new(&self.window.title, layout.bounds(), self.window.scale, None);
        self.run(tree, layout, renderer, &mut walker);
        let mut update = walker.finish();
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

    /// Tab and F6. True if the key was one of them.
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
        let reveal = Box::new(focus::ScrollIntoView::default());
        focus::run(reveal, |op| self.run(tree, layout, renderer, &mut black_box(op)));
        true
    }

    fn keyboard(
        &mut self,
        event: &keyboard::Event,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        shell: &mut Shell<'_, Message>,
    ) {
        if let keyboard::Event::KeyPressed { key: Key::Named(named), modifiers, .. } = event
            && self.move_focus(*named, *modifiers, tree, layout, renderer)
        {
            shell.capture_event();
            shell.request_redraw();
            return;
        }
        let talking = tree.state.downcast_ref::<State>().talking;
        let shortcut = match (shortcut(event), talking) {
            (Some(Shortcut::PushToTalk(false)), false) => None,
            (Some(Shortcut::PushToTalk(true)), _) if self.tab_order(tree, layout, renderer).has_focus() => None,
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

/// The shortcut that a key means, if any.
fn shortcut(event: &keyboard::Event) -> Option<Shortcut> {
    match event {
        keyboard::Event::KeyPressed { key: Key::Named(named), modifiers, repeat: false, .. } => match named {
            Named::F11 => Some(Shortcut::FullScreen),
            Named::Escape => Some(Shortcut::Close),
            Named::Space if modifiers.is_empty() => Some(Shortcut::PushToTalk(true)),
            _ => None,
        },
        keyboard::Event::KeyReleased { key: Key::Named(Named::Space), .. } => Some(Shortcut::PushToTalk(false)),
        keyboard::Event::KeyPressed { key, physical_key, modifiers, repeat: false, .. }
            if modifiers.command() && !modifiers.alt() =>
        {
            // By the letter as a Latin keyboard has it, so that it holds on Greek and Cyrillic ones too.
            match (key.to_latin(*physical_key)?.to_ascii_lowercase(), modifiers.shift()) {
                ('d', false) => Some(Shortcut::Mute),
                ('e', false) => Some(Shortcut::Camera),
                ('s', true) => Some(Shortcut::Share),
                ('p', false) => Some(Shortcut::People),
                _ => None,
            }
        }
        _ => None,
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
        tree.state.downcast_mut::<State>().published = false; // it may move the focus
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
            self.deliver_requests(tree, layout, renderer);
        }
        let content = self.content.as_widget_mut();
        content.update(&mut tree.children[0], event, layout, cursor, renderer, clipboard, shell, viewport);
        match event {
            Event::Keyboard(key) if !shell.is_event_captured() => self.keyboard(key, tree, layout, renderer, shell),
            Event::Window(window::Event::Focused) => adapter::focused(self.window.id, true),
            Event::Window(window::Event::Unfocused) => adapter::focused(self.window.id, false),
            _ => {}
        }
        let state = tree.state.downcast_mut::<State>();
        if redraw {
            // Thirty pictures a second redraw the window thirty times and change nothing here.
            if self.window.port.is_active() && !std::mem::replace(&mut state.published, true) {
                self.publish(tree, layout, renderer);
            }
        } else if !matches!(event, Event::Mouse(mouse::Event::CursorMoved { .. })) {
            state.published = false;
        }
    }
}
