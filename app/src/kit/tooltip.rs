//! A tooltip that a widget draws over the window by itself. iced's own tooltip belongs to a whole widget.

use iced::advanced::text::{self, Renderer as _, Text, paragraph::Plain};
use iced::advanced::{Layout, Renderer as _, layout, mouse, overlay, renderer};
use iced::alignment::Vertical;
use iced::widget::text::{LineHeight, Shaping, Wrapping};
use iced::{Point, Rectangle, Renderer, Size, Vector};

use crate::theme::{self, LINE_HEIGHT, REGULAR, SPACE_S, SPACE_XS, TEXT_CAPTION, Theme};

/// The laid out text of a tooltip, which the widget keeps in its state.
pub type TooltipText = Plain<<Renderer as text::Renderer>::Paragraph>;

/// The overlay with the text.
pub struct Tooltip<'b> {
    /// The text. Line breaks are kept.
    pub text: &'b str,
    /// The bounds beside which it is shown, in the window.
    pub anchor: Rectangle,
    /// The laid out text.
    pub paragraph: &'b mut TooltipText,
}

impl<Message> overlay::Overlay<Message, Theme, Renderer> for Tooltip<'_> {
    fn layout(&mut self, _renderer: &Renderer, window: Size) -> layout::Node {
        let room = Size::new((window.width - 4.0 * SPACE_S).clamp(0.0, MAX_WIDTH), f32::INFINITY);
        self.paragraph.update(Text {
            content: self.text,
            bounds: room,
            size: TEXT_CAPTION.into(),
            line_height: LineHeight::Relative(LINE_HEIGHT),
            font: REGULAR,
            align_x: text::Alignment::Default,
            align_y: Vertical::Top,
            shaping: Shaping::Advanced,
            wrapping: Wrapping::WordOrGlyph,
        });
        let text_size = self.paragraph.min_bounds();
        let size = Size::new(text_size.width + 2.0 * SPACE_S, text_size.height + 2.0 * SPACE_XS);
        layout::Node::new(size).move_to(place(self.anchor, size, window))
    }

    fn draw(
        &self,
        renderer: &mut Renderer,
        theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
    ) {
        let (bounds, look) = (layout.bounds(), theme::menu(theme));
        let quad = renderer::Quad { bounds, border: look.border, shadow: look.shadow, ..renderer::Quad::default() };
        if let Some(background) = look.background {
            renderer.fill_quad(quad, background);
        }
        let inside = bounds.position() + Vector::new(SPACE_S, SPACE_XS);
        renderer.fill_paragraph(self.paragraph.raw(), inside, theme.colours().text, bounds);
    }
}

/// The position of a tooltip: below the anchor, or above it if there is no space below. Always inside the window.
fn place(anchor: Rectangle, size: Size, window: Size) -> Point {
    let below = anchor.y + anchor.height + SPACE_XS;
    let y = if below + size.height > window.height { anchor.y - size.height - SPACE_XS } else { below };
    Point::new(anchor.x.min(window.width - size.width - SPACE_S).max(SPACE_S), y.max(0.0))
}

/// The text of a tooltip is wrapped at this width, in logical pixels.
const MAX_WIDTH: f32 = 320.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tooltip_stays_inside_the_window() {
        let (window, size) = (Size::new(800.0, 600.0), Size::new(300.0, 40.0));
        let at = |x, y| Rectangle::new(Point::new(x, y), Size::new(100.0, 20.0));
        assert_eq!(place(at(100.0, 100.0), size, window), Point::new(100.0, 124.0));
        assert_eq!(place(at(700.0, 100.0), size, window), Point::new(492.0, 124.0));
        assert_eq!(place(at(100.0, 570.0), size, window), Point::new(100.0, 526.0));
    }
}
