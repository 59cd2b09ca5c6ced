//! How a control that can be pressed looks in each of its states.

use iced::{Border, Color};

use super::{LINE, RADIUS_CONTROL, Theme};

/// What a control is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The one thing to do on this screen.
    Primary,
    /// Something else that one may do.
    Plain,
    /// A control that is only words or an icon until the pointer comes.
    Quiet,
    /// Something that ends or removes.
    Danger,
    /// A control of the meeting's main bar.
    Bar,
    /// The same while what it opens is open, or what it starts goes on.
    BarOn,
    /// The same where the state wants attention: muted, camera off.
    BarOff,
    /// A line of a menu or a list.
    Item,
    /// A field that opens a menu.
    Field,
}

/// What the pointer and the keyboard do with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    /// It can be pressed.
    pub enabled: bool,
    /// It is held down.
    pub pressed: bool,
    /// It is on: the chosen line of a menu, an open panel.
    pub selected: bool,
    /// How far the pointer's light has come: 0.0 to 1.0.
    pub hover: f32,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paint {
    /// Under everything.
    pub background: Color,
    /// Around it.
    pub border: Border,
    /// Words and icons.
    pub content: Color,
}

impl Theme {
    /// How a control looks.
    pub fn control(&self, look: Look, status: Status) -> Paint {
        let (rest, lit, content) = self.control_colours(look, status);
        let background = mix(rest, lit, if status.pressed { 1.0 } else { status.hover });
        let border = self.control_border(look, status);
        let paint = Paint { background, border, content };
        if status.enabled { paint } else { disabled(paint) }
    }

    fn control_colours(&self, look: Look, status: Status) -> (Color, Color, Color) {
        let c = self.colours();
        let towards_text = |colour: Color| mix(colour, Color { a: colour.a, ..c.text }, 0.14);
        match look {
            Look::Primary => (c.accent, towards_text(c.accent), c.on_accent),
            Look::Danger => (c.danger, towards_text(c.danger), c.on_danger),
            Look::Plain | Look::Bar => (c.raised, c.pressed, c.text),
            Look::Quiet | Look::Item if status.selected => (c.pressed, c.pressed, c.text),
            Look::Quiet | Look::Item => (clear(c.raised), c.raised, c.text),
            Look::BarOn => (c.pressed, c.pressed, c.text),
            Look::BarOff => (tint(c.danger, 0.12), tint(c.danger, 0.18), c.danger),
            Look::Field => (c.surface, c.raised, c.text),
        }
    }

    fn control_border(&self, look: Look, status: Status) -> Border {
        let c = self.colours();
        let (color, width) = match look {
            Look::Field => (if status.selected { c.accent } else { c.edge }, LINE),
            Look::Plain | Look::Bar => (c.line, LINE),
            Look::BarOn => (c.accent, LINE),
            Look::BarOff => (tint(c.danger, 0.55), LINE),
            Look::Primary | Look::Quiet | Look::Danger | Look::Item => (Color::TRANSPARENT, 0.0),
        };
        Border { color, width, radius: RADIUS_CONTROL.into() }
    }
}

/// A disabled control keeps its shape and loses its strength; WCAG asks no contrast of it, we keep it legible.
fn disabled(paint: Paint) -> Paint {
    let weak = |colour: Color| colour.scale_alpha(0.5);
    Paint {
        background: weak(paint.background),
        border: Border { color: weak(paint.border.color), ..paint.border },
        content: paint.content.scale_alpha(0.6),
    }
}

fn clear(colour: Color) -> Color {
    Color { a: 0.0, ..colour }
}

fn tint(colour: Color, amount: f32) -> Color {
    colour.scale_alpha(amount)
}

fn mix(from: Color, to: Color, amount: f32) -> Color {
    let m = |a: f32, b: f32| a + (b - a) * amount;
    Color { r: m(from.r, to.r), g: m(from.g, to.g), b: m(from.b, to.b), a: m(from.a, to.a) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::{contrast, over};

    const LOOKS: [Look; 9] = [
        Look::Primary,
        Look::Plain,
        Look::Quiet,
        Look::Danger,
        Look::Bar,
        Look::BarOn,
        Look::BarOff,
        Look::Item,
        Look::Field,
    ];

    #[test]
    fn words_on_a_control_can_be_read_in_every_state() {
        for theme in [Theme::DARK, Theme::LIGHT, Theme::CONTRAST] {
            for look in LOOKS {
                for (hover, pressed, selected) in
                    [(0.0, false, false), (1.0, false, false), (1.0, true, false), (0.0, false, true)]
                {
                    let status = Status { enabled: true, pressed, selected, hover };
                    let paint = theme.control(look, status);
                    for background in [theme.colours().background, theme.colours().surface] {
                        let found = contrast(paint.content, over(paint.background, background));
                        assert!(found >= 4.5, "{theme:?} {look:?} {status:?}: {found:.2}:1");
                    }
                }
            }
        }
    }
}
