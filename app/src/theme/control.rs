//! The style of a control in each of its states.

use iced::{Border, Color};

use super::palette::Theme;
use super::tokens::RADIUS_CONTROL;

/// The kinds of controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The primary action of the screen.
    Primary,
    /// Any other action.
    Plain,
    /// A control without background, except under the pointer.
    Quiet,
    /// An action that ends or removes something.
    Danger,
    /// A control of the main bar.
    Bar,
    /// A control of the main bar whose panel is open, or whose action is in progress.
    BarOn,
    /// A control of the main bar that shows that a device is off.
    BarOff,
    /// An item of a menu or a list.
    Item,
    /// A field that opens a menu.
    Field,
}

/// The state of a control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    /// It can be pressed.
    pub enabled: bool,
    /// It is held down.
    pub pressed: bool,
    /// It is on: a switch, the chosen item of a menu, or the control of an open panel or menu.
    pub selected: bool,
    /// The progress of the hover animation: 0.0 to 1.0.
    pub hover: f32,
}

/// The colours and the border of a control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paint {
    /// The background.
    pub background: Color,
    /// The border.
    pub border: Border,
    /// Text and icons.
    pub content: Color,
}

impl Theme {
    /// The style of a control.
    pub fn control(&self, look: Look, status: Status) -> Paint {
        let (normal, hovered, content) = self.control_colours(look, status);
        let background = mix(normal, hovered, if status.pressed { 1.0 } else { status.hover });
        let border = self.control_border(look, status);
        let paint = Paint { background, border, content };
        if status.enabled { paint } else { disabled(look, paint) }
    }

    fn control_colours(&self, look: Look, status: Status) -> (Color, Color, Color) {
        let c = self.colours();
        let towards_text = |colour: Color| mix(colour, Color { a: colour.a, ..c.text }, 0.14);
        match look {
            Look::Primary => (c.accent, towards_text(c.accent), c.on_accent),
            Look::Danger => (c.danger, towards_text(c.danger), c.on_danger),
            Look::Plain | Look::Bar => (c.raised, c.pressed, c.text),
            Look::Quiet | Look::Item if status.selected => (c.pressed, c.pressed, c.text),
            Look::Quiet | Look::Item => (transparent(c.raised), c.raised, c.text),
            Look::BarOn => (c.pressed, c.pressed, c.text),
            Look::BarOff => (self.tint(c.danger, 0.12), self.tint(c.danger, 0.18), c.danger),
            Look::Field => (c.surface, c.raised, c.text),
        }
    }

    fn control_border(&self, look: Look, status: Status) -> Border {
        let c = self.colours();
        let line = self.line();
        let (color, width) = match look {
            Look::Field => (if status.selected { c.accent } else { c.edge }, line),
            Look::Plain | Look::Bar => (c.line, line),
            Look::BarOn => (c.accent, line),
            Look::BarOff if self.is_high_contrast() => (c.danger, line),
            Look::BarOff => (c.danger.scale_alpha(0.55), line),
            // The background of these changes too little to be seen with high contrast.
            Look::Quiet | Look::Item if self.is_high_contrast() && (status.selected || status.hover > 0.0) => {
                (c.edge, line)
            }
            Look::Primary | Look::Quiet | Look::Danger | Look::Item => (Color::TRANSPARENT, 0.0),
        };
        Border { color, width, radius: RADIUS_CONTROL.into() }
    }
}

/// The style of a disabled control. WCAG requires no contrast for it, but a control that is off says that its device is
/// missing, which must be readable.
fn disabled(look: Look, paint: Paint) -> Paint {
    let fade = |colour: Color| colour.scale_alpha(0.5);
    let content = if look == Look::BarOff { paint.content } else { paint.content.scale_alpha(0.6) };
    Paint {
        background: fade(paint.background),
        border: Border { color: fade(paint.border.color), ..paint.border },
        content,
    }
}

fn transparent(colour: Color) -> Color {
    Color { a: 0.0, ..colour }
}

fn mix(from: Color, to: Color, amount: f32) -> Color {
    let channel = |a: f32, b: f32| a + (b - a) * amount;
    Color { r: channel(from.r, to.r), g: channel(from.g, to.g), b: channel(from.b, to.b), a: channel(from.a, to.a) }
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

    const THEMES: [Theme; 4] = [Theme::DARK, Theme::LIGHT, Theme::CONTRAST, Theme::CONTRAST_LIGHT];

    /// "No camera" is the text of a disabled control that is off.
    #[test]
    fn the_text_of_a_missing_device_is_readable() {
        for theme in THEMES {
            let status = Status { enabled: false, pressed: false, selected: false, hover: 0.0 };
            let paint = theme.control(Look::BarOff, status);
            for page in [theme.colours().background, theme.colours().surface] {
                let background = over(paint.background, page);
                let found = contrast(over(paint.content, background), background);
                assert!(found >= 4.5, "{theme:?}: {found:.2}:1");
            }
        }
    }

    #[test]
    fn with_high_contrast_lines_are_three_pixels_wide_and_opaque() {
        for theme in [Theme::CONTRAST, Theme::CONTRAST_LIGHT] {
            assert!((theme.line() - 3.0).abs() < f32::EPSILON && (theme.ring() - 3.0).abs() < f32::EPSILON);
            for look in LOOKS.into_iter().filter(|look| !matches!(look, Look::Primary | Look::Danger)) {
                let status = Status { enabled: true, pressed: false, selected: true, hover: 1.0 };
                let paint = theme.control(look, status);
                assert!((paint.border.width - 3.0).abs() < f32::EPSILON, "{look:?}");
                assert!(paint.border.color.a >= 1.0 && paint.background.a >= 1.0, "{look:?}");
            }
        }
        assert!((Theme::DARK.line() - 1.0).abs() < f32::EPSILON);
    }

    #[test]
    fn text_on_a_control_is_readable_in_every_state() {
        for theme in THEMES {
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
