//! Three bars that show the quality of a connection. The number of filled bars is the sign; the colour only supports it. The
//! name for assistive tools is that of the line in which the bars are.

use engine::Quality;
use iced::widget::{Row, Space, container};
use iced::{Alignment, Background, Border, Color};

use crate::kit::Element;
use crate::theme::{ICON_SMALL, Theme};

/// Shows a quality: one, two or three filled bars.
pub fn bars<'a, Message: 'a>(quality: Quality) -> Element<'a, Message> {
    let bar = |(index, height): (u8, f32)| {
        let style = move |theme: &Theme| container::Style {
            background: Some(Background::Color(colour(quality, index, theme))),
            border: Border { radius: 1.0.into(), ..Border::default() },
            ..container::Style::default()
        };
        Element::from(container(Space::new()).width(WIDTH).height(ICON_SMALL * height).style(style))
    };
    Row::with_children((0..).zip(HEIGHTS).map(bar)).spacing(GAP).height(ICON_SMALL).align_y(Alignment::End).into()
}

const fn filled(quality: Quality) -> u8 {
    match quality {
        Quality::Poor => 1,
        Quality::Fair => 2,
        Quality::Good => 3,
    }
}

fn colour(quality: Quality, bar: u8, theme: &Theme) -> Color {
    let c = theme.colours();
    match quality {
        _ if bar >= filled(quality) && theme.is_high_contrast() => c.pressed,
        _ if bar >= filled(quality) => c.line,
        Quality::Poor => c.danger,
        Quality::Fair => c.warn,
        Quality::Good => c.good,
    }
}

/// The height of each bar relative to the height of all.
const HEIGHTS: [f32; 3] = [0.4, 0.7, 1.0];
/// The width of a bar and of the gap between two, in logical pixels. Together they are as wide as a small icon.
const WIDTH: f32 = 4.0;
const GAP: f32 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_better_connection_has_more_filled_bars() {
        let filled = [Quality::Poor, Quality::Fair, Quality::Good].map(filled);
        assert_eq!(filled, [1, 2, 3]);
        let bars = u8::try_from(HEIGHTS.len()).expect("three bars");
        assert!(f32::from(bars) * (WIDTH + GAP) - GAP <= ICON_SMALL);
    }
}
