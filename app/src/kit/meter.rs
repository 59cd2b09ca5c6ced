//! A level meter: a row of bars, and a number for assistive tools.

use accesskit::Role;
use iced::advanced::widget::{Operation, Tree};
use iced::advanced::{Layout, Renderer as _, Widget, layout, mouse, renderer};
use iced::{Background, Border, Color, Length, Rectangle, Renderer, Size};

use crate::kit::Element;
use crate::kit::a11y::Semantics;
use crate::theme::{SPACE_S, Theme};

const BARS: u8 = 24;
/// The gap between two bars, in logical pixels.
const GAP: f32 = 3.0;
/// From this share of the bars on, the level is loud.
const LOUD: f32 = 0.7;
/// From this share of the bars on, the level is too loud.
const TOO_LOUD: f32 = 0.9;

/// Shows `level`, 0.0 (silence) to 1.0 (full scale).
pub fn meter<'a, Message: 'a>(label: &str, level: f32) -> Element<'a, Message> {
    let level = if level.is_finite() { level.clamp(0.0, 1.0) } else { 0.0 };
    let mut semantics = Semantics::new(Role::Meter, label);
    // Rounded to tenths, so that the tree does not change with every sample.
    semantics.node.set_numeric_value(f64::from((level * 10.0).round() / 10.0));
    semantics.node.set_min_numeric_value(0.0);
    semantics.node.set_max_numeric_value(1.0);
    Element::new(Meter { level, semantics })
}

/// Whether the meter looks the same with both levels, and says the same to assistive tools.
pub fn is_same(a: f32, b: f32) -> bool {
    let shown = |level: f32| ((filled(level) * f32::from(BARS)).round(), (level * 10.0).round());
    shown(a) == shown(b)
}

/// The share of the meter that a level fills. The scale is logarithmic, from -50 dB to 0 dB.
pub fn filled(level: f32) -> f32 {
    if level <= 0.0 { 0.0 } else { (1.0 + 20.0 * level.log10() / 50.0).clamp(0.0, 1.0) }
}

struct Meter {
    level: f32,
    semantics: Semantics,
}

impl Meter {
    fn colour(&self, theme: &Theme, bar: u8) -> Color {
        let c = theme.colours();
        let place = (f32::from(bar) + 0.5) / f32::from(BARS);
        match place {
            place if place > filled(self.level) && theme.is_high_contrast() => c.pressed,
            place if place > filled(self.level) => c.line,
            place if place > TOO_LOUD => c.danger,
            place if place > LOUD => c.warn,
            _ => c.good,
        }
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Meter {
    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fixed(SPACE_S))
    }

    fn layout(&mut self, _tree: &mut Tree, _renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::atomic(limits, Length::Fill, SPACE_S)
    }

    fn operate(&mut self, _tree: &mut Tree, layout: Layout<'_>, _renderer: &Renderer, operation: &mut dyn Operation) {
        operation.custom(None, layout.bounds(), &mut self.semantics);
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
        let bounds = layout.bounds();
        let step = (bounds.width + GAP) / f32::from(BARS);
        for bar in 0..BARS {
            let bounds = Rectangle { x: bounds.x + f32::from(bar) * step, width: step - GAP, ..bounds };
            let border = Border { radius: (GAP / 2.0).into(), ..Border::default() };
            let quad = renderer::Quad { bounds, border, ..renderer::Quad::default() };
            renderer.fill_quad(quad, Background::Color(self.colour(theme, bar)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_in_decibels() {
        assert!(filled(0.0) <= f32::EPSILON);
        assert!((filled(1.0) - 1.0).abs() < 0.001);
        assert!((filled(0.1) - 0.6).abs() < 0.001, "-20 dB");
        assert!(filled(0.001) <= f32::EPSILON, "-60 dB");
    }

    #[test]
    fn a_change_that_lights_no_other_bar_is_none() {
        assert!(is_same(0.0, 0.001) && is_same(0.5, 0.502));
        assert!(!is_same(0.0, 0.1) && !is_same(0.5, 0.6));
        assert!(!is_same(0.94, 0.96), "assistive tools read tenths");
    }
}
