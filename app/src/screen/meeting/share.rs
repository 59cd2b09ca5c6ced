//! The dialog that asks which monitor to share.

use accesskit::Role;
use iced::widget::{Row, column, container, image, row, scrollable};
use iced::{Alignment, Length};

use super::picker::Monitor;
use super::{Meeting, Message};
use crate::kit::{Element, heading, modal, press, region, text};
use crate::screen::preferences::Preference;
use crate::screen::{Context, check};
use crate::theme::{self, LINE_CONTRAST, Look, RING, SPACE_M, SPACE_S, SPACE_XL, SPACE_XS, TARGET_FORM, Tone};

/// The dialog; `None` if no choice is open, or if the monitors are not listed yet.
pub(super) fn dialog<'a>(screen: &'a Meeting, context: &Context) -> Option<modal::Dialog<'a, Message>> {
    let picker = screen.picker.as_ref().filter(|picker| !picker.monitors.is_empty())?;
    let label = context.text("share-title");
    let words = column![
        heading(1, text::title(label.clone())),
        text::small(context.text("share-text")).style(text::tone(Tone::Dim)).width(Length::Fill)
    ];
    let several = picker.monitors.len() > 1;
    let monitors = picker.monitors.iter().enumerate().map(|(index, monitor)| {
        let title = if several {
            context.language.with("share-screen", &[("number", (index + 1).into())])
        } else {
            context.text("share-only-screen")
        };
        option(index, monitor, title, index == picker.chosen, context)
    });
    let monitors = Row::with_children(monitors).spacing(SPACE_M).wrap().vertical_spacing(SPACE_M);
    let monitors =
        region(Role::RadioGroup, &label, container(monitors).padding([RING_SPACE, SPACE_M]).center_x(Length::Fill));
    // In a small window, or with many monitors, the list scrolls, so that the buttons stay visible.
    let max_height = (context.size.height - OTHER_PARTS).max(MIN_LIST_HEIGHT);
    let monitors = container(scrollable(monitors)).max_height(max_height);
    let cancel = press(text::strong(context.text("action-cancel")), "", Some(Message::DialogClosed)).id("cancel");
    let share = press(text::strong(context.text("share-confirm")), "", Some(Message::ShareConfirmed)).id("confirm");
    let on = screen.content_hints.video_clip;
    let message = Message::Preferred(Preference::VideoClip(!on));
    let clip = Element::from(check(&context.text("share-video-clip"), Role::CheckBox, on, message).id("video-clip"));
    // In one line with the buttons, so that the dialog fits a low window.
    let buttons = row![
        clip,
        Element::from(cancel.height(TARGET_FORM)),
        Element::from(share.look(Look::Primary).height(TARGET_FORM)),
    ];
    let inside = column![words.spacing(SPACE_S), monitors, buttons.spacing(SPACE_M).align_y(Alignment::Center)]
        .spacing(SPACE_XL);
    let inside = container(inside).padding(SPACE_XL).width(Length::Fill).style(theme::dialog);
    let width = if several { WIDTH } else { theme::DIALOG };
    Some(modal::Dialog { label, content: inside.into(), width, on_close: Message::DialogClosed })
}

/// One monitor: its picture, its number, its name and its size.
fn option<'a>(index: usize, monitor: &Monitor, title: String, chosen: bool, context: &Context) -> Element<'a, Message> {
    let height = if context.size.height < LOW_WINDOW { LOW_PICTURE_HEIGHT } else { PICTURE_HEIGHT };
    let picture = image(monitor.thumbnail.clone()).width(Length::Fill).height(Length::Fill);
    let picture = container(picture).center(Length::Fill).height(height);
    // A multiplication sign between two narrow no-break spaces.
    let size = format!("{}\u{202f}×\u{202f}{}", monitor.size.width, monitor.size.height);
    let details = format!("{} · {size}", monitor.name);
    let label = format!("{title}, {details}");
    let words = column![text::strong(title), text::caption(details).style(text::tone(Tone::Dim))];
    let inside = column![picture, words.align_x(Alignment::Center)].spacing(SPACE_S).align_x(Alignment::Center);
    press(inside.width(Length::Fill), &label, Some(Message::MonitorPressed(index)))
        .id(format!("monitor-{index}"))
        .role(Role::RadioButton)
        .toggled(chosen)
        .look(if chosen { Look::BarOn } else { Look::Bar })
        .width(OPTION_WIDTH)
        .padding([SPACE_S, SPACE_XS + SPACE_XS])
        .into()
}

/// The maximum width of the dialog, in logical pixels: two monitors side by side.
const WIDTH: f32 = 2.0 * OPTION_WIDTH + 3.0 * SPACE_M + 2.0 * SPACE_XL;
/// The height of the other parts of the dialog, and of the space around it, in logical pixels.
const OTHER_PARTS: f32 = 224.0;
/// The minimum height of the list, in logical pixels.
const MIN_LIST_HEIGHT: f32 = 120.0;
/// Space for the focus ring of a monitor, in logical pixels.
const RING_SPACE: f32 = RING + LINE_CONTRAST;
/// The width of a monitor in the dialog, in logical pixels.
const OPTION_WIDTH: f32 = 244.0;
/// The height of its picture, in logical pixels.
const PICTURE_HEIGHT: f32 = 132.0;
/// The height of its picture in a low window, in logical pixels.
const LOW_PICTURE_HEIGHT: f32 = 72.0;
/// If the window is lower, the pictures are low. In logical pixels.
const LOW_WINDOW: f32 = 520.0;
