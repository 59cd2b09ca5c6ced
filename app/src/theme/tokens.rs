//! Spacing, sizes, durations and the type scale. Lengths are in logical pixels.

use std::time::Duration;

use iced::{Font, font};

/// The bundled font family in `assets/fonts`. No other font is selected by name.
pub const FAMILY: &str = "Conclave Sans";
/// The weight of text.
pub const REGULAR: Font = Font::with_name(FAMILY);
/// The weight of headings, names and buttons.
pub const SEMIBOLD: Font = Font { weight: font::Weight::Semibold, ..REGULAR };
/// The files of [`FAMILY`]. They must be loaded before the first window opens.
pub const FONT_FILES: [&[u8]; 2] = [
    include_bytes!("../../assets/fonts/ConclaveSans-Regular.ttf"),
    include_bytes!("../../assets/fonts/ConclaveSans-SemiBold.ttf"),
];

/// Between lines of text that belong together; inside a menu.
pub const SPACE_XS: f32 = 4.0;
/// Between an icon and its text; between two controls of one group.
pub const SPACE_S: f32 = 8.0;
/// Inside a control, left and right.
pub const SPACE_M: f32 = 12.0;
/// Inside a card; between groups.
pub const SPACE_L: f32 = 16.0;
/// Between the parts of a page, a dialog or a large card.
pub const SPACE_XL: f32 = 24.0;
/// Between sections.
pub const SPACE_2XL: f32 = 32.0;
/// Around a page.
pub const SPACE_3XL: f32 = 48.0;

/// Corner of a control.
pub const RADIUS_CONTROL: f32 = 6.0;
/// Corner of a card, a panel, a menu.
pub const RADIUS_CARD: f32 = 10.0;
/// Corner of a tile.
pub const RADIUS_TILE: f32 = 12.0;

/// Captions and badges.
pub const TEXT_CAPTION: f32 = 12.0;
/// Controls, lists, panels.
pub const TEXT_SMALL: f32 = 14.0;
/// Running text, and headings of cards, panels and lists.
pub const TEXT_BODY: f32 = 16.0;
/// Headings of dialogs, and of pages with one card.
pub const TEXT_TITLE: f32 = 20.0;
/// The heading of a page with several cards.
pub const TEXT_DISPLAY: f32 = 28.0;
/// Line height, relative to the text size.
pub const LINE_HEIGHT: f32 = 1.4;

/// Side of an icon beside small text.
pub const ICON_SMALL: f32 = 16.0;
/// Side of an icon in a control.
pub const ICON: f32 = 20.0;
/// Side of the icon of a card.
pub const ICON_LARGE: f32 = 28.0;

/// The minimum height of a control.
pub const TARGET: f32 = 32.0;
/// The height of a control of a form.
pub const TARGET_FORM: f32 = 40.0;
/// The height of a control of the meeting's main bar.
pub const TARGET_BAR: f32 = 44.0;

/// Width of the focus ring without high contrast, and of the gap between it and its control.
pub const RING: f32 = 2.0;
/// Width of the ring around the tile of the active speaker.
pub const RING_SPEAKING: f32 = 3.0;
/// Width of a line.
pub const LINE: f32 = 1.0;
/// Width of lines and of the focus ring with high contrast.
pub const LINE_CONTRAST: f32 = 3.0;

/// Height of the bar above the meeting.
pub const BAR_TOP: f32 = 34.0;
/// Height of the bar below the meeting.
pub const BAR_BOTTOM: f32 = 52.0;
/// Width of the panel at the side of the meeting.
pub const PANEL: f32 = 320.0;
/// Width of a notification.
pub const NOTICE: f32 = 380.0;
/// Width of a dialog.
pub const DIALOG: f32 = 440.0;
/// The maximum width of the content of a page.
pub const PAGE: f32 = 920.0;
/// If the window is narrower, the main bar shows icons without text.
pub const NARROW: f32 = 1_240.0;
/// If the window is narrower, the middle group of the main bar is not centred.
pub const UNCENTRED: f32 = 1_680.0;
/// Gap between tiles.
pub const GAP_TILES: f32 = 8.0;

/// Duration of an animation that shows something.
pub const APPEAR: Duration = Duration::from_millis(120);
/// Duration of an animation that hides something.
pub const DISAPPEAR: Duration = Duration::from_millis(90);
/// The bars hide after this time without a pointer or key event.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a notification is shown.
pub const NOTICE_DURATION: Duration = Duration::from_secs(6);
/// The minimum interval between announcements to assistive tools.
pub const ANNOUNCE_EVERY: Duration = Duration::from_secs(2);
