//! Bars that go away while nobody needs them: three seconds after the last pointer or key, never while a control inside
//! has the focus or the pointer, never where nothing may move. Their room stays, so that nothing jumps.

use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, layout, mouse, overlay, renderer};
use iced::time::Instant;
use iced::{Event, Length, Rectangle, Renderer, Size, Vector, keyboard, window};

use crate::kit::{Element, focus};
use crate::theme::{APPEAR, IDLE, Theme, VANISH};

/// `keep` keeps the bar where it is: a menu of it is open, or nothing may move.
pub fn fade<'a, Message: 'a>(content: impl Into<Element<'a, Message>>, keep: bool) -> Element<'a, Message> {
    Element::new(Fade { content: content.into(), keep })
}

struct Fade<'a, Message> {
    content: Element<'a, Message>,
    keep: bool,
}

#[derive(Default)]
struct State {
    visibility: Visibility,
    active: bool,
}

/// When the bar was last needed, and how much of it is there.
#[derive(Debug, Default)]
struct Visibility {
    last: Option<Instant>,
    hidden: bool,
    changed: Option<Instant>,
    opacity: f32,
}

impl Visibility {
    /// `needed`: somebody moved, or works in the bar. Says whether the next frame differs from this one.
    fn step(&mut self, needed: bool, now: Instant) -> bool {
        if needed || self.last.is_none() {
            self.last = Some(now);
        }
        let idle = self.last.is_some_and(|last| now.saturating_duration_since(last) >= IDLE);
        if idle != self.hidden {
            self.hidden = idle;
            self.changed = Some(now);
        }
        let span = if self.hidden { VANISH } else { APPEAR };
        let part = self.changed.map_or(1.0, |changed| {
            (now.saturating_duration_since(changed).as_secs_f32() / span.as_secs_f32()).min(1.0)
        });
        let eased = 1.0 - (1.0 - part).powi(2);
        self.opacity = if self.hidden { 1.0 - eased } else { eased };
        part < 1.0
    }
}

impl<Message> Fade<'_, Message> {
    fn has_focus(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) -> bool {
        let mut order = focus::TabOrder::default();
        let content = self.content.as_widget_mut();
        content.operate(
            &mut tree.children[0],
            layout,
            renderer,
            &mut iced::advanced::widget::operation::black_box(&mut order),
        );
        order.has_focus()
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Fade<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        let visibility = Visibility { opacity: 1.0, ..Visibility::default() };
        tree::State::new(State { visibility, active: false })
    }

    fn children(&self) -> Vec<Tree> {
        vec![Tree::new(&self.content)]
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(std::slice::from_ref(&self.content));
    }

    fn size(&self) -> Size<Length> {
        self.content.as_widget().size()
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        self.content.as_widget_mut().layout(&mut tree.children[0], renderer, limits)
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        self.content.as_widget_mut().operate(&mut tree.children[0], layout, renderer, operation);
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
        let content = self.content.as_widget_mut();
        content.update(&mut tree.children[0], event, layout, cursor, renderer, clipboard, shell, viewport);
        match event {
            Event::Window(window::Event::RedrawRequested(now)) => {
                let due = tree.state.downcast_ref::<State>().active || self.keep || cursor.is_over(layout.bounds());
                let needed = due || self.has_focus(tree, layout, renderer);
                let state = tree.state.downcast_mut::<State>();
                state.active = false;
                if state.visibility.step(needed, *now) {
                    shell.request_redraw();
                } else if let Some(last) = state.visibility.last.filter(|_| !state.visibility.hidden) {
                    shell.request_redraw_at(last + IDLE);
                }
            }
            Event::Mouse(_) | Event::Touch(_) | Event::Keyboard(keyboard::Event::KeyPressed { .. }) => {
                let state = tree.state.downcast_mut::<State>();
                state.active = true;
                if state.visibility.hidden {
                    shell.request_redraw();
                }
            }
            Event::Keyboard(_) | Event::Window(_) | Event::InputMethod(_) => {}
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
        let opacity = tree.state.downcast_ref::<State>().visibility.opacity;
        if opacity > 0.0 {
            let theme = theme.faded(opacity);
            let style = renderer::Style { text_color: style.text_color.scale_alpha(opacity) };
            self.content.as_widget().draw(&tree.children[0], renderer, &theme, &style, layout, cursor, viewport);
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
        self.content.as_widget().mouse_interaction(&tree.children[0], layout, cursor, viewport, renderer)
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        self.content.as_widget_mut().overlay(&mut tree.children[0], layout, renderer, viewport, translation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_bar_goes_after_three_seconds_and_comes_back_at_once() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut visibility = Visibility { opacity: 1.0, ..Visibility::default() };
        assert!(!visibility.step(true, at(0)));
        assert!(!visibility.step(false, at(2_999)));
        assert!(visibility.opacity >= 1.0);
        assert!(visibility.step(false, at(3_000)), "it starts to go");
        assert!(!visibility.step(false, at(3_090)));
        assert!(visibility.opacity <= 0.0);
        assert!(visibility.step(true, at(9_000)), "a pointer brings it back");
        assert!(!visibility.step(false, at(9_120)));
        assert!(visibility.opacity >= 1.0);
    }
}
