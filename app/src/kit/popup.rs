//! A menu that opens at a control, on the checked item. Up, Down, Home, End, Page Up, Page Down and first letters move in
//! it. Escape and Tab close it and return the focus to the control, if the keyboard opened it; a click elsewhere closes it.
//!
//! The page's outermost widget draws it over the page. It is not an iced overlay, because the operations that the root
//! widget runs on its content do not reach overlays.

#![expect(clippy::wildcard_enum_match_arm, reason = "iced has many events and keys, this file handles a few")]

use accesskit::Role;
use iced::advanced::widget::operation::{black_box, focusable};
use iced::advanced::widget::{Id, Operation, Tree};
use iced::advanced::{Clipboard, Layout, Renderer as _, Shell, Widget, layout, mouse, renderer};
use iced::keyboard::{self, key::Named};
use iced::{Event, Length, Point, Rectangle, Renderer, Size, window};

use crate::kit::a11y::Semantics;
use crate::kit::forward::{forward, stateful};
use crate::kit::menu_items::{MenuItems, Step};
use crate::kit::scroll::ScrollIntoView;
use crate::kit::{Element, focus};
use crate::theme::{SPACE_S, SPACE_XS, Theme};

/// A menu.
pub struct Menu<'a, Message> {
    /// The id of the control that opened it.
    pub anchor: Id,
    /// The name for assistive tools.
    pub label: String,
    /// The controls, in the order of Up and Down.
    pub content: Element<'a, Message>,
    /// The message that closes it.
    pub on_close: Message,
}

/// Shows `menu`, if any, over `base`.
pub fn popup<'a, Message: Clone + 'a>(
    base: impl Into<Element<'a, Message>>,
    menu: Option<Menu<'a, Message>>,
) -> Element<'a, Message> {
    let mut children = vec![base.into()];
    let open = menu.map(|menu| {
        children.push(menu.content);
        let semantics = Semantics::new(Role::Menu, &menu.label);
        OpenMenu { anchor: menu.anchor, semantics, on_close: menu.on_close }
    });
    Element::new(Popup { children, open })
}

struct Popup<'a, Message> {
    /// The page, then the menu if one is open.
    children: Vec<Element<'a, Message>>,
    open: Option<OpenMenu<Message>>,
}

struct OpenMenu<Message> {
    anchor: Id,
    semantics: Semantics,
    on_close: Message,
}

#[derive(Default)]
struct State {
    /// The control of the menu that was open at the last redraw.
    open: Option<Id>,
    /// The last input came from the pointer, so opening or closing the menu does not move the focus.
    pointer: bool,
    /// The menu was opened without the pointer, so the focus returns to its control.
    by_keyboard: bool,
}

impl<Message: Clone> Popup<'_, Message> {
    fn run(&mut self, child: usize, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, op: &mut dyn Operation) {
        if let (Some(element), Some(bounds)) = (self.children.get_mut(child), layout.children().nth(child)) {
            element.as_widget_mut().operate(&mut tree.children[child], bounds, renderer, op);
        }
    }

    /// Moves the focus into a menu that has opened, and back after it has closed, if a key or an assistive tool opened it.
    /// It does not return to a control that was clicked: Space would press it instead of talking.
    fn update_focus(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) {
        let anchor = self.open.as_ref().map(|open| open.anchor.clone());
        let state = tree.state.downcast_mut::<State>();
        if state.open == anchor {
            return;
        }
        let (before, pointer) = (std::mem::replace(&mut state.open, anchor.clone()), state.pointer);
        let by_keyboard = state.by_keyboard;
        match (anchor, before) {
            (Some(_), _) => {
                let mut order = focus::TabOrder::default();
                self.run(0, tree, layout, renderer, &mut black_box(&mut order));
                let by_keyboard = !pointer || order.has_keyboard_focus();
                tree.state.downcast_mut::<State>().by_keyboard = by_keyboard;
                if by_keyboard {
                    let start = self.items(tree, layout, renderer).start();
                    self.focus(Some(start), tree, layout, renderer);
                }
            }
            (None, Some(before)) if by_keyboard && !pointer => {
                focus::run(Box::new(focusable::focus(before)), |op| self.run(0, tree, layout, renderer, op));
            }
            (None, _) => {}
        }
    }

    /// Focuses the menu item with this index, and nothing on the page.
    fn focus(&mut self, index: Option<usize>, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) {
        self.run(0, tree, layout, renderer, &mut focus::SetFocus::new(None));
        self.run(1, tree, layout, renderer, &mut focus::SetFocus::new(index));
        focus::run(Box::new(ScrollIntoView::default()), |op| self.run(1, tree, layout, renderer, op));
    }

    fn items(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) -> MenuItems {
        let mut items = MenuItems::default();
        self.run(1, tree, layout, renderer, &mut black_box(&mut items));
        items
    }

    /// Handles a key press while the menu is open.
    fn key(
        &mut self,
        key: &keyboard::Key,
        modifiers: keyboard::Modifiers,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        shell: &mut Shell<'_, Message>,
    ) {
        if let Some(step) = step(key, modifiers) {
            let Some(next) = self.items(tree, layout, renderer).step(step) else { return };
            self.focus(Some(next), tree, layout, renderer);
        } else if let (keyboard::Key::Named(Named::Escape | Named::Tab), Some(open)) = (key, &self.open) {
            shell.publish(open.on_close.clone());
        } else {
            return;
        }
        shell.capture_event();
        shell.request_redraw();
    }
}

/// Where a key moves in a menu. Returns `None` if it does something else.
fn step(key: &keyboard::Key, modifiers: keyboard::Modifiers) -> Option<Step> {
    match key {
        keyboard::Key::Named(Named::ArrowDown) => Some(Step::Next),
        keyboard::Key::Named(Named::ArrowUp) => Some(Step::Previous),
        keyboard::Key::Named(Named::Home | Named::PageUp) => Some(Step::First),
        keyboard::Key::Named(Named::End | Named::PageDown) => Some(Step::Last),
        // With Ctrl or Alt, a letter is a shortcut.
        keyboard::Key::Character(text) if (modifiers - keyboard::Modifiers::SHIFT).is_empty() => {
            text.chars().next().map(Step::Letter)
        }
        _ => None,
    }
}

/// The position of a menu: below the anchor if there is space, else above, else over it. Always inside the window: a menu that
/// does not fit scrolls.
fn place(anchor: Rectangle, menu: Size, window: Size) -> Point {
    let below = anchor.y + anchor.height + SPACE_XS;
    let above = anchor.y - menu.height - SPACE_XS;
    let y = if below + menu.height <= window.height - SPACE_S || above < SPACE_S { below } else { above };
    let max_x = (window.width - menu.width - SPACE_S).max(SPACE_S);
    let x = if anchor.x > max_x { anchor.x + anchor.width - menu.width } else { anchor.x };
    let max_y = (window.height - menu.height - SPACE_S).max(SPACE_S);
    Point::new(x.clamp(SPACE_S, max_x), y.clamp(SPACE_S, max_y))
}

impl<Message: Clone> Widget<Message, Theme, Renderer> for Popup<'_, Message> {
    stateful!(State);
    forward!(list: children, diff, overlay);

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let size = limits.max();
        let base = self.children[0].as_widget_mut().layout(&mut tree.children[0], renderer, limits);
        let Some(open) = &self.open else { return layout::Node::with_children(size, vec![base]) };
        let mut find = focus::FindBounds::new(open.anchor.clone());
        let page = self.children[0].as_widget_mut();
        page.operate(&mut tree.children[0], Layout::new(&base), renderer, &mut black_box(&mut find));
        let anchor = find.found.unwrap_or(Rectangle::new(Point::ORIGIN, Size::ZERO));
        let max = Size::new(size.width - 2.0 * SPACE_S, size.height - 2.0 * SPACE_S);
        let limits = layout::Limits::new(Size::new(anchor.width, 0.0), max);
        let menu = self.children[1].as_widget_mut().layout(&mut tree.children[1], renderer, &limits);
        let point = place(anchor, menu.size(), size);
        layout::Node::with_children(size, vec![base, menu.move_to(point)])
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        self.run(0, tree, layout, renderer, operation);
        if let (Some(open), Some(menu)) = (&mut self.open, layout.children().nth(1)) {
            operation.custom(None, menu.bounds(), &mut open.semantics);
            operation.traverse(&mut |operation| self.run(1, tree, layout, renderer, operation));
        }
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
            Event::Keyboard(keyboard::Event::KeyPressed { key, modifiers, .. }) => {
                tree.state.downcast_mut::<State>().pointer = false;
                if self.open.is_some() {
                    self.key(key, *modifiers, tree, layout, renderer, shell);
                }
            }
            _ => {}
        }
        let menu = layout.children().nth(1);
        if let (Some(bounds), [_, menu]) = (menu, self.children.as_mut_slice()) {
            let menu = menu.as_widget_mut();
            menu.update(&mut tree.children[1], event, bounds, cursor, renderer, clipboard, shell, viewport);
        }
        let over_menu = menu.is_some_and(|menu| cursor.is_over(menu.bounds()));
        if let (Some(open), Event::Mouse(mouse::Event::ButtonPressed(_)), false) = (&self.open, event, over_menu) {
            shell.publish(open.on_close.clone());
            shell.capture_event();
            return;
        }
        let page_cursor = if over_menu { mouse::Cursor::Unavailable } else { cursor };
        if let (Some(base), false) = (layout.children().next(), shell.is_event_captured()) {
            let page = self.children[0].as_widget_mut();
            page.update(&mut tree.children[0], event, base, page_cursor, renderer, clipboard, shell, viewport);
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
        let mut bounds = layout.children();
        let (base, menu) = (bounds.next(), bounds.next());
        let over_menu = menu.is_some_and(|menu| cursor.is_over(menu.bounds()));
        let page_cursor = if over_menu { mouse::Cursor::Unavailable } else { cursor };
        if let Some(base) = base {
            self.children[0].as_widget().draw(&tree.children[0], renderer, theme, style, base, page_cursor, viewport);
        }
        if let Some(menu) = menu {
            renderer.with_layer(layout.bounds(), |renderer| {
                self.children[1].as_widget().draw(&tree.children[1], renderer, theme, style, menu, cursor, viewport);
            });
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
        let mut found = mouse::Interaction::None;
        for ((child, tree), bounds) in self.children.iter().zip(&tree.children).zip(layout.children()) {
            let here = child.as_widget().mouse_interaction(tree, bounds, cursor, viewport, renderer);
            if here != mouse::Interaction::None {
                found = here;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_menu_stays_inside_the_window() {
        let window = Size::new(800.0, 600.0);
        let menu = Size::new(200.0, 150.0);
        let at = |x, y| Rectangle::new(Point::new(x, y), Size::new(60.0, 40.0));
        assert_eq!(place(at(100.0, 100.0), menu, window), Point::new(100.0, 144.0), "below");
        assert_eq!(place(at(100.0, 540.0), menu, window), Point::new(100.0, 386.0), "above");
        assert_eq!(place(at(735.0, 100.0), menu, window), Point::new(592.0, 144.0), "ends at the window's edge");
        let tall = Size::new(200.0, 500.0);
        assert_eq!(place(at(100.0, 300.0), tall, window), Point::new(100.0, 92.0), "over the control");
    }
}
