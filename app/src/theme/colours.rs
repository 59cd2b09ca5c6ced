//! The four palettes, and the contrast ratio that the tests check.

use iced::Color;

/// The colours by purpose. Text has a contrast of at least 4.5:1 on each background, controls have 3:1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Colours {
    /// The page.
    pub background: Color,
    /// Bars, cards, panels.
    pub surface: Color,
    /// Controls on a surface; the control under the pointer.
    pub raised: Color,
    /// A pressed or selected control.
    pub pressed: Color,
    /// A divider.
    pub line: Color,
    /// The outline of a control.
    pub edge: Color,
    /// Text and icons.
    pub text: Color,
    /// Less important text.
    pub dim: Color,
    /// The primary action, the focus, and the active speaker.
    pub accent: Color,
    /// Text on `accent`.
    pub on_accent: Color,
    /// Success.
    pub good: Color,
    /// A warning.
    pub warn: Color,
    /// An error, or an action that removes something.
    pub danger: Color,
    /// Text on `danger`.
    pub on_danger: Color,
    /// The layer between video and text over it.
    pub scrim: Color,
    /// Text on `scrim`.
    pub on_scrim: Color,
    /// The layer between a dialog and the page.
    pub backdrop: Color,
    /// The part of a tile that video does not fill.
    pub stage: Color,
}

/// The dark palette.
pub const DARK: Colours = Colours {
    background: rgb(0x0F_1216),
    surface: rgb(0x17_1B21),
    raised: rgb(0x20_262E),
    pressed: rgb(0x2B_333D),
    line: rgb(0x2E_3640),
    edge: rgb(0x73_808F),
    text: rgb(0xE9_EDF2),
    dim: rgb(0xA3_AEBB),
    accent: rgb(0x5B_B0FF),
    on_accent: rgb(0x0B_1620),
    good: rgb(0x4C_C38A),
    warn: rgb(0xF2_B84B),
    danger: rgb(0xFF_6B66),
    on_danger: rgb(0x1C_0807),
    scrim: rgba(0x0F_1216, 0.78),
    on_scrim: rgb(0xF4_F6F8),
    backdrop: rgba(0x05_0709, 0.62),
    stage: rgb(0x1A_1F26),
};

/// The light palette.
pub const LIGHT: Colours = Colours {
    background: rgb(0xFB_FBFA),
    surface: rgb(0xFF_FFFF),
    raised: rgb(0xF0_F2F5),
    pressed: rgb(0xE9_EDF1),
    line: rgb(0xDA_DFE5),
    edge: rgb(0x7C_8794),
    text: rgb(0x14_181D),
    dim: rgb(0x55_606C),
    accent: rgb(0x0B_63C5),
    on_accent: rgb(0xFF_FFFF),
    good: rgb(0x15_7A4B),
    warn: rgb(0x8A_5A00),
    danger: rgb(0xB3_261E),
    on_danger: rgb(0xFF_FFFF),
    scrim: rgba(0x0F_1216, 0.78),
    on_scrim: rgb(0xF4_F6F8),
    backdrop: rgba(0x14_181D, 0.42),
    stage: rgb(0xE6_E9ED),
};

/// The palette of white on black, without translucency.
pub const CONTRAST: Colours = Colours {
    background: rgb(0x00_0000),
    surface: rgb(0x00_0000),
    raised: rgb(0x1A_1A1A),
    pressed: rgb(0x33_3333),
    line: rgb(0xFF_FFFF),
    edge: rgb(0xFF_FFFF),
    text: rgb(0xFF_FFFF),
    dim: rgb(0xFF_FFFF),
    accent: rgb(0x7F_D1FF),
    on_accent: rgb(0x00_0000),
    good: rgb(0x7C_FFB8),
    warn: rgb(0xFF_E066),
    danger: rgb(0xFF_9C98),
    on_danger: rgb(0x00_0000),
    scrim: rgb(0x00_0000),
    on_scrim: rgb(0xFF_FFFF),
    backdrop: rgb(0x00_0000),
    stage: rgb(0x00_0000),
};

/// The palette of black on white, without translucency.
pub const CONTRAST_LIGHT: Colours = Colours {
    background: rgb(0xFF_FFFF),
    surface: rgb(0xFF_FFFF),
    raised: rgb(0xE6_E6E6),
    pressed: rgb(0xCC_CCCC),
    line: rgb(0x00_0000),
    edge: rgb(0x00_0000),
    text: rgb(0x00_0000),
    dim: rgb(0x00_0000),
    accent: rgb(0x00_3D99),
    on_accent: rgb(0xFF_FFFF),
    good: rgb(0x00_552B),
    warn: rgb(0x5E_3C00),
    danger: rgb(0x9C_0006),
    on_danger: rgb(0xFF_FFFF),
    scrim: rgb(0x00_0000),
    on_scrim: rgb(0xFF_FFFF),
    backdrop: rgb(0xFF_FFFF),
    stage: rgb(0xFF_FFFF),
};

/// The colours behind initials. White has a contrast of at least 4.5:1 on each.
pub const AVATARS: [Color; 10] = [
    rgb(0x2F_5D8C),
    rgb(0x7A_4B8E),
    rgb(0x2E_6E5E),
    rgb(0x9A_4A3C),
    rgb(0x4E_5FA8),
    rgb(0x6B_6428),
    rgb(0x8A_3F66),
    rgb(0x2C_6B7F),
    rgb(0x7D_5630),
    rgb(0x55_6270),
];

/// The colour of initials on one of [`AVATARS`].
pub const ON_AVATAR: Color = rgb(0xFF_FFFF);

/// The contrast ratio of two opaque colours (WCAG 2.2): 1.0 to 21.0.
pub fn contrast(one: Color, other: Color) -> f32 {
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Blends a translucent colour over an opaque one.
pub fn over(top: Color, below: Color) -> Color {
    let mix = |t: f32, b: f32| t * top.a + b * (1.0 - top.a);
    Color::from_rgb(mix(top.r, below.r), mix(top.g, below.g), mix(top.b, below.b))
}

fn luminance(colour: Color) -> f32 {
    let linear = |v: f32| if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(colour.r) + 0.7152 * linear(colour.g) + 0.0722 * linear(colour.b)
}

const fn rgb(hex: u32) -> Color {
    rgba(hex, 1.0)
}

const fn rgba(hex: u32, alpha: f32) -> Color {
    let [_, red, green, blue] = hex.to_be_bytes();
    Color { r: red as f32 / 255.0, g: green as f32 / 255.0, b: blue as f32 / 255.0, a: alpha }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn palettes() -> [(&'static str, Colours); 4] {
        [("dark", DARK), ("light", LIGHT), ("contrast", CONTRAST), ("contrast light", CONTRAST_LIGHT)]
    }

    #[test]
    fn text_is_readable_on_every_background() {
        for (name, c) in palettes() {
            for background in [c.background, c.surface, c.raised, c.pressed] {
                for text in [c.text, c.dim, c.accent, c.good, c.warn, c.danger] {
                    let found = contrast(text, background);
                    assert!(found >= 4.5, "{name}: {text:?} on {background:?} has {found:.2}:1");
                }
            }
            for (text, background) in [(c.on_accent, c.accent), (c.on_danger, c.danger)] {
                assert!(contrast(text, background) >= 4.5, "{name}: {:.2}", contrast(text, background));
            }
        }
    }

    /// WCAG 2.2, success criterion 1.4.6 (AAA).
    #[test]
    fn with_high_contrast_text_has_at_least_seven_to_one() {
        for c in [CONTRAST, CONTRAST_LIGHT] {
            for text in [c.text, c.dim, c.accent, c.good, c.warn, c.danger] {
                let found = contrast(text, c.background).min(contrast(text, c.surface));
                assert!(found >= 7.0, "{text:?} has {found:.2}:1");
            }
        }
    }

    #[test]
    fn controls_are_visible_on_every_background() {
        for (name, c) in palettes() {
            for background in [c.background, c.surface, c.raised] {
                for control in [c.edge, c.accent, c.danger] {
                    let found = contrast(control, background);
                    assert!(found >= 3.0, "{name}: {control:?} on {background:?} has {found:.2}:1");
                }
            }
        }
    }

    #[test]
    fn text_over_video_is_readable_on_black_and_on_white() {
        for (name, c) in palettes() {
            for picture in [Color::BLACK, Color::WHITE] {
                let found = contrast(c.on_scrim, over(c.scrim, picture));
                assert!(found >= 4.5, "{name}: {found:.2}:1 over {picture:?}");
            }
        }
    }

    #[test]
    fn initials_are_readable() {
        for background in AVATARS {
            assert!(contrast(ON_AVATAR, background) >= 4.5, "{background:?} {:.2}", contrast(ON_AVATAR, background));
        }
    }

    #[test]
    fn contrast_matches_known_values() {
        assert!((contrast(Color::BLACK, Color::WHITE) - 21.0).abs() < 0.01);
        assert!((contrast(Color::WHITE, Color::WHITE) - 1.0).abs() < 0.001);
        assert!((contrast(rgb(0x76_7676), Color::WHITE) - 4.54).abs() < 0.01);
    }
}
