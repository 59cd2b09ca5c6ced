//! Hides a bar three seconds after the last pointer or key event. The bar stays visible while the pointer is over it, while
//! a control inside has the focus, and with reduced motion. The layout does not change while it is hidden.

use iced::advanced::widget::Tree;
use iced::advanced::widget::operation::black_box;
use iced::advanced::{Clipboard, Layout, Shell, Widget, mouse, renderer};
use iced::time::Instant;
use iced::{Event, Rectangle, Renderer, keyboard, window};

use crate::kit::forward::{forward, stateful};
use crate::kit::{Element, focus};
use crate::theme::{APPEAR, DISAPPEAR, IDLE_TIMEOUT, Theme};

/// Wraps the content of a bar. If `keep` is true, it stays visible: one of its menus is open, or motion is reduced.
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
    /// There was an input event since the last redraw.
    active: bool,
}

/// The opacity of a bar over time.
#[derive(Debug)]
struct Visibility {
    /// When the bar was last needed.
    last: Option<Instant>,
    hidden: bool,
    /// When `hidden` changed.
    changed: Option<Instant>,
    /// 0.0 to 1.0.
    opacity: f32,
}

impl Default for Visibility {
    fn default() -> Self {
        Self { last: None, hidden: false, changed: None, opacity: 1.0 }
    }
}

impl Visibility {
    /// Updates the opacity; `needed` keeps the bar visible or shows it again. Returns whether the opacity still changes.
    fn step(&mut self, needed: bool, now: Instant) -> bool {
        if needed || self.last.is_none() {
            self.last = Some(now);
        }
        let idle = self.last.is_some_and(|last| now.saturating_duration_since(last) >= IDLE_TIMEOUT);
        if idle != self.hidden {
            self.hidden = idle;
            self.changed = Some(now);
        }
        let duration = if self.hidden { DISAPPEAR } else { APPEAR };
        let part = self.changed.map_or(1.0, |changed| {
            (now.saturating_duration_since(changed).as_secs_f32() / duration.as_secs_f32()).min(1.0)
        });
        let eased = 1.0 - (1.0 - part).powi(2);
        self.opacity = if self.hidden { 1.0 - eased } else { eased };
        part < 1.0
    }
}

impl<Message> Fade<'_, Message> {
    fn has_focus(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) -> bool {
        let mut order = focus::TabOrder::default();
        self.content.as_widget_mut().operate(&mut tree.children[0], layout, renderer, &mut black_box(&mut order));
        order.has_focus()
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Fade<'_, Message> {
    stateful!(State);
    forward!(child: children, diff, size, layout, operate, mouse_interaction, overlay);

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
                let in_use = tree.state.downcast_ref::<State>().active || self.keep || cursor.is_over(layout.bounds());
                let needed = in_use || self.has_focus(tree, layout, renderer);
                let state = tree.state.downcast_mut::<State>();
                state.active = false;
                if state.visibility.step(needed, *now) {
                    shell.request_redraw();
                } else if let Some(last) = state.visibility.last.filter(|_| !state.visibility.hidden) {
                    shell.request_redraw_at(last + IDLE_TIMEOUT);
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_bar_hides_after_three_seconds_and_returns_at_once() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut visibility = Visibility::default();
        assert!(!visibility.step(true, at(0)));
        assert!(!visibility.step(false, at(2_999)));
        assert!(visibility.opacity >= 1.0);
        assert!(visibility.step(false, at(3_000)), "it starts to hide");
        assert!(!visibility.step(false, at(3_090)));
        assert!(visibility.opacity <= 0.0);
        assert!(visibility.step(true, at(9_000)), "a pointer event shows it again");
        assert!(!visibility.step(false, at(9_120)));
        assert!(visibility.opacity >= 1.0);
    }
}
