//! Three bars that show the quality of a connection. The number of filled bars is the sign; the colour only supports it. The
//! name for assistive tools is that of the line in which the bars are.

use engine::Quality;
use iced::advanced::widget::Tree;
use iced::advanced::{Layout, Renderer as _, Widget, layout, mouse, renderer};
use iced::{Background, Border, Color, Length, Rectangle, Renderer, Size};

use crate::kit::Element;
use crate::theme::{ICON_SMALL, Theme};

/// Shows a quality: one, two or three filled bars.
pub fn bars<'a, Message: 'a>(quality: Quality) -> Element<'a, Message> {
    Element::new(Bars(quality))
}

struct Bars(Quality);

impl Bars {
    const fn filled(&self) -> u8 {
        match self.0 {
            Quality::Poor => 1,
            Quality::Fair => 2,
            Quality::Good => 3,
        }
    }

    fn colour(&self, theme: &Theme, bar: u8) -> Color {
        let c = theme.colours();
        match self.0 {
            _ if bar >= self.filled() && theme.is_high_contrast() => c.pressed,
            _ if bar >= self.filled() => c.line,
            Quality::Poor => c.danger,
            Quality::Fair => c.warn,
            Quality::Good => c.good,
        }
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Bars {
    fn size(&self) -> Size<Length> {
        Size::new(Length::Fixed(ICON_SMALL), Length::Fixed(ICON_SMALL))
    }

    fn layout(&mut self, _tree: &mut Tree, _renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::atomic(limits, ICON_SMALL, ICON_SMALL)
    }

    fn draw(
        &self,
        _tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
        _viewport: &Rectangle,
    ) {
        let area = layout.bounds();
        for bar in 0..BARS {
            let height = area.height * HEIGHTS[usize::from(bar)];
            let bounds = Rectangle {
                x: area.x + f32::from(bar) * (WIDTH + GAP),
                y: area.y + area.height - height,
                width: WIDTH,
                height,
            };
            let border = Border { radius: 1.0.into(), ..Border::default() };
            let quad = renderer::Quad { bounds, border, ..renderer::Quad::default() };
            renderer.fill_quad(quad, Background::Color(self.colour(theme, bar)));
        }
    }
}

const BARS: u8 = 3;
/// The height of each bar relative to the widget.
const HEIGHTS: [f32; 3] = [0.4, 0.7, 1.0];
/// The width of a bar and of the gap between two, in logical pixels. Together they are as wide as a small icon.
const WIDTH: f32 = 4.0;
const GAP: f32 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_better_connection_has_more_filled_bars() {
        let filled = [Quality::Poor, Quality::Fair, Quality::Good].map(|quality| Bars(quality).filled());
        assert_eq!(filled, [1, 2, 3]);
        assert!(f32::from(BARS) * (WIDTH + GAP) - GAP <= ICON_SMALL);
    }
}
