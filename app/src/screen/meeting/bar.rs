//! The two bars of the meeting: status at the top, controls at the bottom.

use accesskit::Role;
use engine::{Microphone, Slot};
use iced::widget::{Space, container, row, tooltip};
use iced::{Alignment, Length};

use super::{Meeting, Menu, Message, Panel, lacks_camera, lock, moderation};
use crate::announce::join;
use crate::kit::{Element, Icon, Press, Shortcut, fade, icon, press, region, text};
use crate::model::NoticeKind;
use crate::model::rights::may_invite;
use crate::screen::preferences::{self, Part};
use crate::screen::{Context, shortcuts};
use crate::theme::{
    self, BAR_BOTTOM, BAR_TOP, ICON_SMALL, Look, NARROW, SPACE_M, SPACE_S, TARGET, TARGET_BAR, Tone, UNCENTRED,
};

/// The id of the control that opens the menu of microphones and speakers.
pub const SOUND_MENU: &str = "sound-menu";
/// The id of the control that opens the menu of cameras.
pub const CAMERA_MENU: &str = "camera-menu";

/// The top bar: the lock, the number of participants, the duration, and buttons. The lock never fades.
pub(super) fn top<'a>(screen: &Meeting, context: &Context, reported: usize) -> Element<'a, Message> {
    let people = context.language.with("meeting-people-count", &[("count", screen.model.people.len().into())]);
    let since = screen.since.map(|since| clock(context.now.saturating_duration_since(since).as_secs()));
    let dot = || text::small("·").style(text::tone(Tone::Dim));
    // In a narrow window, only the button of the people panel shows the number of participants, and there is no clock.
    let wide = context.size.width >= MIN_WIDTH_FOR_PEOPLE;
    let since = since.filter(|_| wide);
    let people = wide.then(|| text::small(people).style(text::tone(Tone::Dim)));
    let dot = (people.is_some() && since.is_some()).then(dot);
    let since = since.map(|since| text::small(since).style(text::tone(Tone::Dim)));
    let status = row![].push(people).push(dot).push(since).spacing(SPACE_S);
    let bell = quiet_button(Icon::Bell, &context.text("meeting-notices"), Message::PanelPressed(Panel::Notices));
    let bell = bell.id("notices").toggled(screen.panel == Some(Panel::Notices));
    let statistics = Message::PanelPressed(Panel::Statistics);
    let statistics = quiet_button(Icon::Statistics, &context.text("statistics-title"), statistics);
    let statistics = statistics.id("statistics").toggled(screen.panel == Some(Panel::Statistics));
    let full_screen = quiet_button(Icon::FullScreen, &context.text("meeting-full-screen"), Message::FullScreenPressed);
    let shortcuts = quiet_button(Icon::Keyboard, &context.text("shortcuts-title"), Message::ShortcutsPressed);
    let shortcuts = shortcuts.id("shortcuts").opens_dialog();
    let open = (screen.menu == Some(Menu::Preferences(Part::Both))).then_some(Part::Both);
    let preferences = preferences::button(context, open, |part| Message::MenuPressed(Menu::Preferences(part)));
    let rest = row![status, Space::new().width(Length::Fill)]
        .push((reported > 0).then(|| below(bell, "meeting-notices", None, context)))
        .push(below(statistics, "statistics-title", Some(Shortcut::Statistics), context))
        .push(below(preferences, "menu-preferences", None, context))
        .push(below(shortcuts, "shortcuts-title", Some(Shortcut::List), context))
        .push(below(full_screen.id("full-screen"), "meeting-full-screen", Some(Shortcut::FullScreen), context));
    let rest = fade(rest.spacing(SPACE_M).align_y(Alignment::Center), stays_visible(screen, context));
    let bar = row![lock_button(screen, context), rest].spacing(SPACE_M).align_y(Alignment::Center);
    let bar = container(bar).height(BAR_TOP).align_y(Alignment::Center).padding([0.0, SPACE_S]).style(theme::bar);
    region(Role::Banner, &context.text("meeting-status"), bar)
}

/// If the window is narrower, the button of our hand has no word. In logical pixels.
const MIN_WIDTH_FOR_HAND: f32 = 1200.0;

/// If the window is narrower, only the people panel has a button that copies the link. In logical pixels.
const MIN_WIDTH_FOR_COPY: f32 = 620.0;

/// If the window is narrower, that button has no text.
const MIN_WIDTH_FOR_COPY_TEXT: f32 = 1_480.0;

/// If the window is narrower, the top bar shows neither the number of participants nor the duration. In logical pixels.
const MIN_WIDTH_FOR_PEOPLE: f32 = 600.0;

/// The control that opens the security panel. Its icon shows the state.
fn lock_button<'a>(screen: &Meeting, context: &Context) -> Element<'a, Message> {
    let (symbol, tone, id) = lock::appearance(screen.model.lock_state());
    let state = context.text(id);
    let inside = row![icon(symbol).size(ICON_SMALL).tone(tone), text::strong(state.clone())];
    let name = context.language.with("lock-button", &[("state", state.into())]);
    let button =
        press(inside.spacing(SPACE_S).align_y(Alignment::Center), &name, Some(Message::PanelPressed(Panel::Lock)));
    let button = button.id("lock").toggled(screen.panel == Some(Panel::Lock)).look(Look::Quiet);
    button.height(TARGET).padding([0.0, SPACE_S]).into()
}

/// The bottom bar: devices at the left, the meeting in the middle, the button to leave at the right.
pub(super) fn bottom<'a>(screen: &Meeting, context: &Context) -> Element<'a, Message> {
    let devices = row![microphone(screen, context), camera(screen, context)].spacing(SPACE_S);
    let meeting = row![share(screen, context), hand(screen, context), people(screen, context), chat(screen, context)]
        .push(
            (context.size.width >= MIN_WIDTH_FOR_COPY && may_invite(screen.model.me())).then(|| copy(screen, context)),
        )
        .spacing(SPACE_S);
    let leave = bar_button(context, Icon::Leave, "meeting-leave", "meeting-leave-name", Some(Message::LeavePressed));
    let leave = above(leave.id("leave").look(Look::Danger), "meeting-leave", Shortcut::Leave, context);
    let space = || Space::new().width(Length::Fill);
    let bar = if context.size.width < UNCENTRED {
        // There is not enough space to centre the middle group.
        row![devices, space(), meeting, space(), leave]
    } else {
        let leave = container(leave).width(Length::Fill).align_x(Alignment::End);
        row![container(devices).width(Length::Fill), meeting, leave]
    };
    let bar = container(bar.align_y(Alignment::Center))
        .height(BAR_BOTTOM)
        .align_y(Alignment::Center)
        .padding([0.0, SPACE_S])
        .style(theme::bar);
    fade(region(Role::Toolbar, &context.text("meeting-bar"), bar), stays_visible(screen, context))
}

/// Whether the bars stay visible without input: with reduced motion, or while a menu is open.
fn stays_visible(screen: &Meeting, context: &Context) -> bool {
    context.reduced_motion || screen.menu.is_some()
}

fn microphone<'a>(screen: &Meeting, context: &Context) -> Element<'a, Message> {
    let may_speak = screen.model.may_send(Slot::Microphone);
    let (symbol, word, on) = match screen.model.microphone {
        Microphone::On => (Icon::Microphone, "meeting-mute-on", true),
        Microphone::Muted if !may_speak => (Icon::MicrophoneOff, "meeting-mute-forbidden", false),
        Microphone::Muted => (Icon::MicrophoneOff, "meeting-mute-off", false),
        Microphone::Off => (Icon::MicrophoneOff, "meeting-mute-none", false),
    };
    let present = screen.model.microphone != Microphone::Off && (may_speak || on);
    let button = bar_button(context, symbol, word, "meeting-mute-name", present.then_some(Message::MutePressed));
    let button = button.id("mute").toggled(!on).look(if on { Look::Bar } else { Look::BarOff });
    let devices = device_menu_button(
        "meeting-choose-microphone",
        SOUND_MENU,
        screen.menu == Some(Menu::Sound),
        Menu::Sound,
        context,
    );
    let button = explained(button, word, Shortcut::Mute, may_speak || on, Slot::Microphone, context);
    row![button, devices].spacing(2.0).into()
}

fn camera<'a>(screen: &Meeting, context: &Context) -> Element<'a, Message> {
    let on = screen.model.camera;
    let allowed = on || screen.model.may_send(Slot::Camera);
    let (symbol, word) = match (on, lacks_camera(screen)) {
        (true, _) => (Icon::Camera, "meeting-camera-on"),
        _ if !allowed => (Icon::CameraOff, "meeting-camera-forbidden"),
        (false, true) => (Icon::CameraOff, "meeting-camera-none"),
        (false, false) => (Icon::CameraOff, "meeting-camera-off"),
    };
    let button = bar_button(context, symbol, word, "meeting-camera-name", allowed.then_some(Message::CameraPressed));
    let button = button.id("camera").toggled(on).look(if on { Look::Bar } else { Look::BarOff });
    let devices = device_menu_button(
        "meeting-choose-camera",
        CAMERA_MENU,
        screen.menu == Some(Menu::Camera),
        Menu::Camera,
        context,
    );
    let button = explained(button, word, Shortcut::Camera, allowed, Slot::Camera, context);
    row![button, devices].spacing(2.0).into()
}

fn share<'a>(screen: &Meeting, context: &Context) -> Element<'a, Message> {
    let on = screen.model.sharing;
    let allowed = on || screen.model.may_send(Slot::Screen);
    let (symbol, word) = match (on, allowed) {
        (true, _) => (Icon::ShareOff, "meeting-share-stop"),
        (false, true) => (Icon::Share, "meeting-share"),
        (false, false) => (Icon::ShareOff, "meeting-share-forbidden"),
    };
    let button = bar_button(context, symbol, word, word, allowed.then_some(Message::SharePressed));
    let button = if on { button } else { button.opens_dialog() };
    let button = button.id("share").toggled(on).look(if on { Look::BarOn } else { Look::Bar });
    explained(button, word, Shortcut::Share, allowed, Slot::Screen, context)
}

/// Raises or lowers our hand. Shows our place in the queue.
fn hand<'a>(screen: &Meeting, context: &Context) -> Element<'a, Message> {
    let me = screen.model.me().map(|me| me.id);
    let up = screen.model.moderation.is_own_up(me);
    let place = me.and_then(|me| screen.model.moderation.place(me)).filter(|_| up);
    let word = if up { "hand-lower" } else { "hand-raise" };
    let mut inside = row![icon(Icon::Hand)].spacing(SPACE_S).align_y(Alignment::Center);
    if context.size.width >= MIN_WIDTH_FOR_HAND {
        inside = inside.push(text::strong(context.text(word)));
    }
    let number = place.map(|place| text::strong(place.to_string()).style(text::tone(Tone::Accent)));
    let pressed = Message::Moderation(moderation::Message::HandPressed);
    let may_raise = screen.model.me().is_none_or(|me| me.rights.contains(engine::Rights::REACT));
    let button = press(inside.push(number), &context.text("hand-name"), may_raise.then_some(pressed));
    let button = button.id("hand").toggled(up).look(if up { Look::BarOn } else { Look::Bar });
    let order = place.map(|place| context.language.with("hand-place", &[("place", place.into())]));
    above(bar_height(button.description(order)), word, Shortcut::Hand, context)
}

/// Adds a tooltip: the shortcut, or why an organiser must allow it first.
fn explained<'a>(
    button: Press<'a, Message>,
    word: &str,
    shortcut: Shortcut,
    allowed: bool,
    slot: Slot,
    context: &Context,
) -> Element<'a, Message> {
    if allowed {
        return above(button, word, shortcut, context);
    }
    let id = NoticeKind::Forbidden(slot).id();
    let reason = join(&[context.text(id), context.text(&format!("{id}.advice"))]);
    shortcuts::hint(button.description(Some(reason.clone())), &reason, None, tooltip::Position::Top, context)
}

fn people<'a>(screen: &Meeting, context: &Context) -> Element<'a, Message> {
    let count = screen.model.people.len().to_string();
    let waiting = screen.model.asking.len();
    let waiting = (waiting > 0).then(|| context.language.with("meeting-people-waiting", &[("count", waiting.into())]));
    let name = [context.text("meeting-people"), count.clone()].into_iter().chain(waiting.clone());
    let name = name.collect::<Vec<_>>().join(", ");
    let mut inside = row![icon(Icon::People)].spacing(SPACE_S).align_y(Alignment::Center);
    if !is_narrow(context) {
        inside = inside.push(text::strong(context.text("meeting-people")));
    }
    inside = inside.push(text::strong(count).style(text::tone(Tone::Dim)));
    if let Some(waiting) = waiting {
        let waits = if is_narrow(context) { format!("+{}", screen.model.asking.len()) } else { waiting };
        inside = inside.push(text::strong(waits).style(text::tone(Tone::Accent)));
    }
    let button = press(inside, &name, Some(Message::PanelPressed(Panel::People)));
    let open = screen.panel == Some(Panel::People);
    let button = button.id("people").toggled(open).look(if open { Look::BarOn } else { Look::Bar });
    above(bar_height(button), "meeting-people", Shortcut::People, context)
}

/// Opens the chat. Shows how many lines are unread.
fn chat<'a>(screen: &Meeting, context: &Context) -> Element<'a, Message> {
    let (open, unread) = (screen.panel == Some(Panel::Chat), screen.model.chat.unread());
    let word = context.text("chat-title");
    let count = context.language.with("chat-unread", &[("count", unread.into())]);
    let name = if unread > 0 { format!("{word}, {count}") } else { word.clone() };
    let wide = context.size.width >= MIN_WIDTH_FOR_CHAT;
    let number = if unread > MAX_UNREAD { format!("{MAX_UNREAD}+") } else { unread.to_string() };
    let inside = row![icon(Icon::Chat)]
        .push(wide.then(|| text::strong(word)))
        .push((unread > 0).then(|| text::strong(number).style(text::tone(Tone::Accent))));
    let inside = inside.spacing(SPACE_S).align_y(Alignment::Center);
    let button = press(inside, &name, Some(Message::PanelPressed(Panel::Chat)));
    let button = button.id("chat").toggled(open).look(if open { Look::BarOn } else { Look::Bar });
    above(bar_height(button), "chat-title", Shortcut::Chat, context)
}

/// In a narrower window, the button of the chat shows no text. In logical pixels.
const MIN_WIDTH_FOR_CHAT: f32 = 1_240.0;

/// The greatest number of unread lines that is shown.
const MAX_UNREAD: usize = 99;

/// Copies the invitation link. It is the primary action while nobody else is in the meeting.
fn copy<'a>(screen: &Meeting, context: &Context) -> Element<'a, Message> {
    let look = if screen.model.people.len() == 1 { Look::Primary } else { Look::Bar };
    let has_text = context.size.width >= MIN_WIDTH_FOR_COPY_TEXT;
    let label = context.text("meeting-copy-link");
    let words = has_text.then(|| text::strong(label.clone()));
    let inside = row![icon(Icon::Link)].push(words).spacing(SPACE_S).align_y(Alignment::Center);
    let button = bar_height(press(inside, &label, Some(Message::CopyPressed))).id("copy").look(look);
    if has_text { button.into() } else { shortcuts::hint(button, &label, None, tooltip::Position::Top, context) }
}

/// Whether buttons show icons only. Their names and tooltips still have the text.
fn is_narrow(context: &Context) -> bool {
    context.size.width < NARROW
}

/// A button of the bottom bar.
fn bar_button<'a>(
    context: &Context,
    symbol: Icon,
    word: &str,
    name: &str,
    message: Option<Message>,
) -> Press<'a, Message> {
    let mut inside = row![icon(symbol)].spacing(SPACE_S).align_y(Alignment::Center);
    if !is_narrow(context) {
        inside = inside.push(text::strong(context.text(word)));
    }
    bar_height(press(inside, &context.text(name), message))
}

/// Sets the height of a button of the bottom bar.
fn bar_height(button: Press<'_, Message>) -> Press<'_, Message> {
    button.height(TARGET_BAR).padding([0.0, SPACE_M])
}

/// The control beside a button that opens the menu of its devices.
fn device_menu_button<'a>(
    name: &str,
    id: &'static str,
    open: bool,
    menu: Menu,
    context: &Context,
) -> Element<'a, Message> {
    let inside = container(icon(Icon::Down).size(ICON_SMALL)).center_y(TARGET_BAR).center_x(DEVICE_MENU_WIDTH);
    let button = press(inside, &context.text(name), Some(Message::MenuPressed(menu)));
    button.id(id).expanded(open).look(Look::Quiet).width(DEVICE_MENU_WIDTH).height(TARGET_BAR).padding(0).into()
}

/// The width of the control that opens a menu of devices, in logical pixels.
const DEVICE_MENU_WIDTH: f32 = 32.0;

/// An icon button of the top bar.
fn quiet_button<'a>(symbol: Icon, name: &str, message: Message) -> Press<'a, Message> {
    press(container(icon(symbol)).center(TARGET), name, Some(message)).look(Look::Quiet).square(TARGET)
}

/// Adds a tooltip with the shortcut to a button of the bottom bar.
fn above<'a>(button: Press<'a, Message>, word: &str, shortcut: Shortcut, context: &Context) -> Element<'a, Message> {
    shortcuts::hint(button, &context.text(word), Some(shortcut), tooltip::Position::Top, context)
}

/// Adds a tooltip to a button of the top bar.
fn below<'a>(
    button: Press<'a, Message>,
    word: &str,
    shortcut: Option<Shortcut>,
    context: &Context,
) -> Element<'a, Message> {
    shortcuts::hint(button, &context.text(word), shortcut, tooltip::Position::Bottom, context)
}

/// Formats a duration as hours, minutes and seconds.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_formatted_as_a_clock() {
        assert_eq!(
            [0, 59, 61, 761, 3_600, 36_061].map(clock),
            ["0:00", "0:59", "1:01", "12:41", "1:00:00", "10:01:01"]
        );
    }
}
