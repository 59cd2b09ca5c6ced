//! Lets widgets that draw with iced's renderer run in a program that uses [`Renderer`].

use iced::advanced::widget::{Operation, Tree};
use iced::advanced::{Clipboard, Layout, Overlay, Shell, Widget, layout, mouse, overlay, renderer};
use iced::{Event, Rectangle, Size, Vector, window};

use super::Renderer;
use crate::kit::Element;
use crate::kit::forward::forward;
use crate::kit::wake::Waker;
use crate::theme::Theme;

/// Wraps the content of a window. `waker` is notified when a redraw starts and when it is on the screen.
pub fn adapt_renderer<'a, Message: 'a>(
    content: Element<'a, Message>,
    waker: Option<Waker>,
) -> iced::Element<'a, Message, Theme, Renderer> {
    iced::Element::new(RendererAdapter { content, waker })
}

struct RendererAdapter<'a, Message> {
    content: Element<'a, Message>,
    waker: Option<Waker>,
}

impl<Message> Widget<Message, Theme, Renderer> for RendererAdapter<'_, Message> {
    forward!(adapted: tag, state, children, diff, size, size_hint, layout, operate, mouse_interaction);

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
        renderer.waker.clone_from(&self.waker);
        let theme = theme_for(theme, renderer);
        self.content.as_widget().draw(tree, &mut renderer.inner, &theme, style, layout, cursor, viewport);
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
        if let (Event::Window(window::Event::RedrawRequested(_)), Some(waker)) = (event, &self.waker) {
            waker.begin();
        }
        let content = self.content.as_widget_mut();
        content.update(tree, event, layout, cursor, &renderer.inner, clipboard, shell, viewport);
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let content = self.content.as_widget_mut();
        content.overlay(tree, layout, &renderer.inner, viewport, translation).map(OverlayAdapter::adapt)
    }
}

/// Removes the shadows from the theme for software rendering: the rasteriser draws them also outside the damaged area,
/// where nothing erases the old shadow, so they would become darker with each redraw.
fn theme_for(theme: &Theme, renderer: &Renderer) -> Theme {
    match renderer.inner {
        iced::Renderer::Primary(_) => *theme,
        iced::Renderer::Secondary(_) => theme.without_shadows(),
    }
}

/// An overlay of the content, drawn with [`Renderer`].
struct OverlayAdapter<'a, Message>(overlay::Element<'a, Message, Theme, iced::Renderer>);

impl<'a, Message: 'a> OverlayAdapter<'a, Message> {
    fn adapt(
        content: overlay::Element<'a, Message, Theme, iced::Renderer>,
    ) -> overlay::Element<'a, Message, Theme, Renderer> {
        overlay::Element::new(Box::new(Self(content)))
    }
}

impl<Message> Overlay<Message, Theme, Renderer> for OverlayAdapter<'_, Message> {
    fn layout(&mut self, renderer: &Renderer, bounds: Size) -> layout::Node {
        self.0.as_overlay_mut().layout(&renderer.inner, bounds)
    }

    fn draw(
        &self,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
    ) {
        let theme = theme_for(theme, renderer);
        self.0.as_overlay().draw(&mut renderer.inner, &theme, style, layout, cursor);
    }

    fn operate(&mut self, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        self.0.as_overlay_mut().operate(layout, &renderer.inner, operation);
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
        self.0.as_overlay_mut().update(event, layout, cursor, &renderer.inner, clipboard, shell);
    }

    fn mouse_interaction(&self, layout: Layout<'_>, cursor: mouse::Cursor, renderer: &Renderer) -> mouse::Interaction {
        self.0.as_overlay().mouse_interaction(layout, cursor, &renderer.inner)
    }

    fn overlay<'b>(
        &'b mut self,
        layout: Layout<'b>,
        renderer: &Renderer,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        self.0.as_overlay_mut().overlay(layout, &renderer.inner).map(OverlayAdapter::adapt)
    }

    fn index(&self) -> f32 {
        self.0.as_overlay().index()
    }
}
