//! The theme. Only this module defines colours, sizes and durations.

mod colours;
mod control;
mod palette;
mod tokens;
mod widgets;

pub use colours::{AVATARS, CONTRAST, CONTRAST_LIGHT, Colours, DARK, LIGHT, ON_AVATAR, contrast, over};
pub use control::{Look, Paint, Status};
pub use palette::{Choice, Theme, Tone, avatar};
pub use tokens::*;
pub use widgets::{
    area, area_invalid, backdrop, bar, card, check_box, dialog, field, field_invalid, inset, menu, notice, page, panel,
    scrim, sharing, tinted,
};

#[cfg(test)]
mod tests {
    use super::{Theme, dialog, menu, notice};
    use iced::Shadow;

    #[test]
    fn a_theme_without_shadows_has_no_shadow() {
        assert_ne!(notice(&Theme::LIGHT).shadow, Shadow::default());
        for theme in [Theme::DARK, Theme::LIGHT, Theme::CONTRAST, Theme::CONTRAST_LIGHT] {
            for style in [menu, notice, dialog] {
                assert_eq!(style(&theme.without_shadows()).shadow, Shadow::default());
            }
        }
    }
}
