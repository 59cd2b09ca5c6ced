//! The theme itself: a palette, and whether it has motion and shadows.

use iced::theme::{Base, Mode, Palette, Style};
use iced::{Background, Border, Color, Shadow, Vector};

use super::colours::{AVATARS, CONTRAST, CONTRAST_LIGHT, Colours, DARK, LIGHT};
use super::tokens::{LINE, LINE_CONTRAST, RING};

/// The theme that the user chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The theme of the system.
    #[default]
    System,
    /// Always dark.
    Dark,
    /// Always light.
    Light,
    /// White on black.
    Contrast,
    /// Black on white.
    ContrastLight,
}

impl Choice {
    /// The width of a line, in logical pixels. With high contrast, lines are thicker.
    pub const fn line(self) -> f32 {
        match self {
            Self::System | Self::Dark | Self::Light => LINE,
            Self::Contrast | Self::ContrastLight => LINE_CONTRAST,
        }
    }
}

/// A palette and how to draw it. A bar that fades is drawn with a lower opacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theme {
    colours: Colours,
    name: &'static str,
    opacity: f32,
    reduced_motion: bool,
    shadows: bool,
    high_contrast: bool,
}

impl Theme {
    /// The dark theme.
    pub const DARK: Self = Self::normal(&DARK, "dark");
    /// The light theme.
    pub const LIGHT: Self = Self::normal(&LIGHT, "light");
    /// The theme of white on black.
    pub const CONTRAST: Self = Self::normal(&CONTRAST, "contrast").with_high_contrast();
    /// The theme of black on white.
    pub const CONTRAST_LIGHT: Self = Self::normal(&CONTRAST_LIGHT, "contrast-light").with_high_contrast();

    const fn normal(colours: &Colours, name: &'static str) -> Self {
        Self { colours: *colours, name, opacity: 1.0, reduced_motion: false, shadows: true, high_contrast: false }
    }

    /// High contrast has thick lines, and neither motion nor shadows.
    const fn with_high_contrast(self) -> Self {
        Self { high_contrast: true, reduced_motion: true, shadows: false, ..self }
    }

    /// The theme for a choice, if the system prefers `mode`.
    pub const fn of(choice: Choice, mode: Mode) -> Self {
        match (choice, mode) {
            (Choice::Contrast, _) => Self::CONTRAST,
            (Choice::ContrastLight, _) => Self::CONTRAST_LIGHT,
            (Choice::Light, _) | (Choice::System, Mode::Light) => Self::LIGHT,
            (Choice::Dark, _) | (Choice::System, Mode::Dark | Mode::None) => Self::DARK,
        }
    }

    /// The same theme without animations. Bars stay visible.
    #[must_use]
    pub const fn with_reduced_motion(self) -> Self {
        Self { reduced_motion: true, ..self }
    }

    /// The same theme without shadows, which are the most expensive part of software rendering.
    #[must_use]
    pub const fn without_shadows(self) -> Self {
        Self { shadows: false, ..self }
    }

    /// Whether lines are thick and nothing is translucent.
    pub const fn is_high_contrast(&self) -> bool {
        self.high_contrast
    }

    /// The width of a line, in logical pixels.
    pub const fn line(&self) -> f32 {
        if self.high_contrast { LINE_CONTRAST } else { LINE }
    }

    /// The width of the focus ring, in logical pixels.
    pub const fn ring(&self) -> f32 {
        if self.high_contrast { LINE_CONTRAST } else { RING }
    }

    /// A tint of `colour` for the background of a control or an icon. With high contrast, the colour of the surface.
    pub(super) fn tint(&self, colour: Color, amount: f32) -> Color {
        if self.high_contrast { self.colours().surface } else { colour.scale_alpha(amount) }
    }

    /// A border of one line.
    pub(super) fn outline(&self, color: Color, radius: f32) -> Border {
        Border { color, width: self.line(), radius: radius.into() }
    }

    /// Whether animations are off.
    pub const fn reduces_motion(&self) -> bool {
        self.reduced_motion
    }

    /// The same theme with a lower opacity: 0.0 is invisible, 1.0 is unchanged.
    #[must_use]
    pub fn faded(self, opacity: f32) -> Self {
        Self { opacity: self.opacity * opacity.clamp(0.0, 1.0), ..self }
    }

    /// The colours, with the opacity applied.
    pub fn colours(&self) -> Colours {
        if self.opacity >= 1.0 {
            return self.colours;
        }
        let fade = |colour: Color| colour.scale_alpha(self.opacity);
        let c = self.colours;
        Colours {
            background: fade(c.background),
            surface: fade(c.surface),
            raised: fade(c.raised),
            pressed: fade(c.pressed),
            line: fade(c.line),
            edge: fade(c.edge),
            text: fade(c.text),
            dim: fade(c.dim),
            accent: fade(c.accent),
            on_accent: fade(c.on_accent),
            good: fade(c.good),
            warn: fade(c.warn),
            danger: fade(c.danger),
            on_danger: fade(c.on_danger),
            scrim: fade(c.scrim),
            on_scrim: fade(c.on_scrim),
            backdrop: fade(c.backdrop),
            stage: fade(c.stage),
        }
    }

    /// Whether this is a light theme.
    pub fn is_light(&self) -> bool {
        self.colours.background.r > 0.5
    }

    /// The shadow of something that floats over the page, with this blur in logical pixels.
    pub fn shadow(&self, blur: f32) -> Shadow {
        if !self.shadows {
            return Shadow::default();
        }
        let strength = if self.is_light() { 0.14 } else { 0.42 };
        Shadow {
            color: Color::BLACK.scale_alpha(strength * self.opacity),
            offset: Vector::new(0.0, blur / 4.0),
            blur_radius: blur,
        }
    }
}

impl Base for Theme {
    fn default(preference: Mode) -> Self {
        Self::of(Choice::System, preference)
    }

    fn mode(&self) -> Mode {
        if self.is_light() { Mode::Light } else { Mode::Dark }
    }

    fn base(&self) -> Style {
        Style { background_color: self.colours.background, text_color: self.colours.text }
    }

    fn palette(&self) -> Option<Palette> {
        let c = self.colours;
        Some(Palette {
            background: c.background,
            text: c.text,
            primary: c.accent,
            success: c.good,
            warning: c.warn,
            danger: c.danger,
        })
    }

    fn name(&self) -> &str {
        self.name
    }
}

/// The meaning of a text or an icon. The caller must show it in a second way too, by an icon or a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Text.
    Text,
    /// Less important text.
    Dim,
    /// The accent.
    Accent,
    /// Success.
    Good,
    /// A warning.
    Warn,
    /// An error, or an action that removes something.
    Danger,
}

impl Tone {
    /// The colour of this tone.
    pub fn colour(self, theme: &Theme) -> Color {
        let c = theme.colours();
        match self {
            Self::Text => c.text,
            Self::Dim => c.dim,
            Self::Accent => c.accent,
            Self::Good => c.good,
            Self::Warn => c.warn,
            Self::Danger => c.danger,
        }
    }
}

/// The colour behind the initials of a participant. It depends only on `identity`, so it is the same on all clients.
pub fn avatar(identity: u64) -> Color {
    // Fibonacci hashing: the upper bits of the product depend on all bits of the number.
    let mixed = identity.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let index = mixed % AVATARS.len() as u64;
    AVATARS[usize::try_from(index).unwrap_or_default()]
}

/// A background of one colour.
#[expect(clippy::unnecessary_wraps, reason = "iced styles take an `Option`")]
pub(super) fn solid(colour: Color) -> Option<Background> {
    Some(Background::Color(colour))
}
